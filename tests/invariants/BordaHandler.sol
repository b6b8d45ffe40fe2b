// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBordaConsensus, SignedBallot, State, BordaTerms} from "../../contracts/interfaces/IBordaConsensus.sol";
import {IBordaConsensusFactory} from "../../contracts/interfaces/IBordaConsensusFactory.sol";
import {BoardTerms, IBulletinBoard, MessageKind, PostKey} from "../../contracts/interfaces/IBulletinBoard.sol";
import {Borda} from "../../contracts/seccl/borda/Borda.sol";
import {Attempts} from "./Attempts.sol";
import {BordaHarness} from "./BordaHarness.sol";

/// @notice Signs, which Base does not need elsewhere.
interface Signing {
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
}

/// @title Plays server and members of a session, mostly rightly, and keeps its own books
contract BordaHandler is Attempts {
    uint256 private constant MOST = 12;
    uint256 private constant STRANGER = MOST;
    uint256 private constant BOARD_ROUNDS = 200;
    uint256 private constant UPLOAD_TIME = 700;
    uint256 private constant PERIOD = 2_000;
    uint256 private constant BALLOT_TIME = 700;
    uint256 private constant REVEAL_TIME = 600;

    IBordaConsensus public session;
    uint256 public winners;
    uint256 public quorum;
    uint256 public ballots;
    /// @notice How many have committed in the round.
    uint256 public commitments;
    bytes32[] public results;
    bytes4[] private _errors;

    IBulletinBoard private immutable _board = IBulletinBoard(deploy("BulletinBoard"));
    IBordaConsensusFactory private immutable _factory =
        IBordaConsensusFactory(deploy("BordaConsensusFactory", abi.encode(_board)));
    BordaHarness private immutable _harness = new BordaHarness();
    uint256 private _sessions;
    uint256 private _members;
    bool private _hidden;
    bool private _steps;
    uint256 private _start;
    uint256 private _rounds;
    State private _state;
    uint256 private _ballotEnd;
    uint256 private _revealEnd;
    uint256 private _closedIn;
    /// @dev private keys in ascending order of their accounts; the last is the stranger's
    uint256[MOST + 1] private _keys;
    address[MOST + 1] private _accounts;
    uint256[MOST] private _points;
    uint256[MOST] private _votedIn;
    uint256[MOST] private _committedIn;
    uint256[MOST] private _absentIn;
    mapping(bytes32 context => mapping(uint256 round => mapping(uint256 member => bool))) private _uploaded;
    bytes[MOST] private _contents;

    constructor() {
        _makePeople();
        _create(1);
        _errors = [
            IBordaConsensus.NotMember.selector,
            IBordaConsensus.TooEarly.selector,
            IBordaConsensus.TooLate.selector,
            IBordaConsensus.WrongRound.selector,
            IBordaConsensus.RoundNotOpen.selector,
            IBordaConsensus.RoundNotOver.selector,
            IBordaConsensus.SeedNotReady.selector,
            IBordaConsensus.BallotsAreHidden.selector,
            IBordaConsensus.BallotsAreOpen.selector,
            IBordaConsensus.AlreadyVoted.selector,
            IBordaConsensus.AlreadyCommitted.selector,
            IBordaConsensus.NotCommitted.selector,
            IBordaConsensus.WrongOpening.selector,
            IBordaConsensus.WrongSignature.selector,
            IBordaConsensus.AlreadyAbsent.selector,
            IBordaConsensus.NotAbsent.selector,
            Borda.SelfVote.selector
        ];
    }

    function points() external view returns (uint256[] memory all) {
        all = new uint256[](_members);
        for (uint256 i = 0; i < _members; ++i) {
            all[i] = _points[i];
        }
    }

    function voted(uint256 voter) public view returns (bool) {
        return _rounds > 0 && _votedIn[voter] == _rounds;
    }

    /// @notice Whether the round has winners by its ballots and commitments.
    function decided() external view returns (bool) {
        return ballots > 0 && (_hidden ? commitments : ballots) >= quorum;
    }

    /// @notice Whether a member may be elected: it has not abandoned a commitment, and was not reported absent.
    function electable(uint256 member) external view returns (bool) {
        return _absentIn[member] != _rounds && (voted(member) || _committedIn[member] != _rounds);
    }

    function resultCount() external view returns (uint256) {
        return results.length;
    }

    function errors() external view returns (bytes4[] memory) {
        return _errors;
    }

    // ---------------------------------------------------------------- actions

    /// @notice One thing that somebody does.
    function act(uint256 seed) external {
        uint256 choice = derive(seed, "action") % 128;
        if (choice == 0) return _create(seed);
        if (choice < 8) return _passTime(seed);
        if (choice < 12) return vm.roll(block.number + 1 + seed % 3);
        if (choice < 18) return _openRound(seed);
        if (choice < 24) return _close(seed);
        if (choice < 32) return _vote(seed);
        if (choice < 40) return _commit(seed);
        if (choice < 48) return _reveal(seed);
        if (choice < 54) return _reportAbsent(seed);
        if (choice < 62) return _upload(seed);
        if (_state == State.Closed) return derive(seed, "wait") % 2 == 0 ? _openRound(seed) : _passTime(seed);
        if (_state == State.Closing || block.timestamp >= _revealEnd) return _close(seed);
        if (!_hidden) return _vote(seed);
        if (block.timestamp < _ballotEnd) return _commit(seed);
        _reveal(seed);
    }

    function _create(uint256 seed) private {
        _members = 2 + derive(seed, "members") % (MOST - 1);
        winners = 1 + derive(seed, "winners") % (_members - 1);
        quorum = derive(seed, "quorum") % 2 == 0 ? _members / 2 + 1 : 1;
        _hidden = derive(seed, "hidden") % 2 == 0;
        address[] memory members = new address[](_members);
        for (uint256 i = 0; i < _members; ++i) {
            members[i] = _accounts[i];
            (_points[i], _votedIn[i], _committedIn[i], _absentIn[i]) = (0, 0, 0, 0);
        }
        _start = block.timestamp + UPLOAD_TIME;
        BordaTerms memory terms = BordaTerms({
            owner: address(0),
            context: _boardSession(members),
            winners: uint16(winners),
            quorum: uint16(quorum),
            rounds: 0,
            start: uint40(_start),
            period: uint32(PERIOD),
            ballotTime: uint32(BALLOT_TIME),
            revealTime: _hidden ? uint32(REVEAL_TIME) : 0
        });
        vm.prank(_accounts[STRANGER]);
        session = IBordaConsensus(_factory.createSession(terms, members));
        (_rounds, _state, ballots, commitments) = (0, State.Closed, 0, 0);
        (_ballotEnd, _revealEnd, _closedIn) = (0, 0, block.number);
        delete results;
        ++count["session"];
    }

    /// @dev The board's session to which the consensus belongs. This contract is its server: it signs nothing here.
    function _boardSession(address[] memory members) private returns (bytes32) {
        BoardTerms memory terms = BoardTerms({
            server: _accounts[STRANGER],
            memberRoot: _harness.memberRoot(address(_board), members),
            members: uint16(members.length),
            rounds: uint16(BOARD_ROUNDS),
            start: uint40(block.timestamp),
            uploadTime: uint32(UPLOAD_TIME),
            evaluationTime: uint32(PERIOD - UPLOAD_TIME),
            responseTime: 600,
            batchedUploads: false,
            batchedEvaluations: false,
            stake: 0,
            bond: 0,
            token: address(0)
        });
        vm.prank(_accounts[STRANGER]);
        return _board.createSession(terms, bytes32(++_sessions));
    }

    /// @dev The server posts a member's upload, where one is posted now.
    function _upload(uint256 seed) private {
        uint256 first = _start - UPLOAD_TIME;
        uint256 round = (block.timestamp - first) / PERIOD;
        if (round >= BOARD_ROUNDS) return;
        uint256 member = derive(seed, "member") % _members;
        bytes32 context = session.terms().context;
        if ((block.timestamp - first) % PERIOD >= UPLOAD_TIME || _uploaded[context][round][member]) return;
        vm.prank(_accounts[STRANGER]);
        _board.post(PostKey(context, round, MessageKind.Upload, member), keccak256("update"), "document");
        _uploaded[context][round][member] = true;
        ++count["uploaded"];
    }

    function _reportAbsent(uint256 seed) private {
        if (_rounds == 0) return;
        uint256 member = derive(seed, "member") % _members;
        mapping(uint256 member => bool) storage uploaded = _uploaded[session.terms().context][_rounds - 1];
        for (uint256 i = 0; i < _members && derive(seed, "there") % 4 == 0 && !uploaded[member]; ++i) {
            member = (member + 1) % _members;
        }
        _requiresOpen();
        _requires(_absentIn[member] != _rounds, IBordaConsensus.AlreadyAbsent.selector);
        _requires(!uploaded[member], IBordaConsensus.NotAbsent.selector);
        bytes memory call_ = abi.encodeCall(session.reportAbsent, (_rounds - 1, member, new bytes32[](0)));
        (bool done,) = _attempt(address(session), _accounts[seed % (MOST + 1)], 0, call_);
        if (!done) return;
        _absentIn[member] = _rounds;
        ++count["reported absent"];
    }

    /// @dev To just before, at or after an end of a window.
    function _passTime(uint256 seed) private {
        uint256 next = block.timestamp < _start ? 0 : _due() + 1;
        uint256[3] memory moments = [_ballotEnd, _revealEnd, _start + next * PERIOD];
        for (uint256 i = 0; i < 3; ++i) {
            if (moments[i] == 0) continue;
            uint256 moment = moments[i] - 1 + derive(seed, "edge") % 3;
            if (moment > block.timestamp) return vm.warp(moment);
        }
        vm.warp(block.timestamp + 1);
    }

    function _openRound(uint256 seed) private {
        uint256 choice = derive(seed, "number") % 16;
        uint256 round = choice == 0 ? _rounds : choice == 1 ? _due() + 1 : choice == 2 ? BOARD_ROUNDS : _due();
        uint256 opening = _start + round * PERIOD;
        _requires(_state == State.Closed, IBordaConsensus.RoundNotOver.selector);
        _requires(round >= _rounds, IBordaConsensus.WrongRound.selector);
        _requires(round < BOARD_ROUNDS, IBordaConsensus.RoundOutOfRange.selector);
        _requires(block.timestamp >= opening, IBordaConsensus.TooEarly.selector);
        _requires(block.timestamp < opening + BALLOT_TIME, IBordaConsensus.TooLate.selector);
        _requires(block.number > _closedIn, IBordaConsensus.SeedNotReady.selector);

        address caller = _accounts[seed % (MOST + 1)];
        (bool done,) = _attempt(address(session), caller, 0, abi.encodeCall(session.openRound, (round)));
        if (!done) return;
        if (round > _rounds) ++count["left out"];
        while (results.length < round) {
            results.push(keccak256(abi.encode(new uint256[](0))));
        }
        _rounds = round + 1;
        (_state, ballots, commitments, _steps) = (State.Open, 0, 0, false);
        _ballotEnd = opening + BALLOT_TIME;
        _revealEnd = _ballotEnd + (_hidden ? REVEAL_TIME : 0);
        for (uint256 i = 0; i < _members; ++i) {
            _points[i] = 0;
        }
    }

    /// @dev The round whose time it is, or is next before the first.
    function _due() private view returns (uint256) {
        return block.timestamp < _start ? 0 : (block.timestamp - _start) / PERIOD;
    }

    function _close(uint256 seed) private {
        if (_rounds == 0) return;
        uint256 step = 1 + derive(seed, "step") % (2 * _members);
        _requires(_state != State.Closed, IBordaConsensus.RoundNotOpen.selector);
        bool over = block.timestamp >= _revealEnd || ballots == _members;
        _requires(_state != State.Open || over, IBordaConsensus.TooEarly.selector);

        (bool done,) =
            _attempt(address(session), _accounts[STRANGER], 0, abi.encodeCall(session.close, (_rounds - 1, step)));
        if (!done) return;
        (, _state,,,,) = session.newestRound();
        if (_state == State.Closing) {
            _steps = true;
            return;
        }
        _closedIn = block.number;
        (uint256[] memory won,) = session.result(_rounds - 1);
        results.push(keccak256(abi.encode(won)));
        if (ballots > 0 && won.length == 0) ++count["without a quorum"];
        ++count[_steps ? "closed in steps" : "closed in one call"];
    }

    function _vote(uint256 seed) private {
        if (_rounds == 0) return;
        (uint256 voter, uint256 form, bytes memory content, bool good) = _ballot(seed);
        bool carried = derive(seed, "carried") % 2 == 0;
        bool forged = derive(seed, "forged") % 16 == 0;
        uint256 signer = forged ? STRANGER : voter;
        _requires(!_hidden, IBordaConsensus.BallotsAreHidden.selector);
        _requiresOpen();
        _requires(block.timestamp < _ballotEnd, IBordaConsensus.TooLate.selector);
        _requires(!voted(voter), IBordaConsensus.AlreadyVoted.selector);
        _requires(good, Borda.SelfVote.selector);
        bytes memory call_;
        if (carried) {
            _requires(!forged, IBordaConsensus.WrongSignature.selector);
            call_ = abi.encodeCall(session.voteSigned, (_sign(voter, form, content, signer)));
        } else {
            _requires(!forged, IBordaConsensus.NotMember.selector);
            call_ = abi.encodeCall(session.vote, (_rounds - 1, voter, form, content));
        }

        (bool done,) = _attempt(address(session), _accounts[carried ? STRANGER : signer], 0, call_);
        if (done) _book(voter, form, content);
        if (done) ++count[carried ? "carried" : "cast"];
    }

    function _commit(uint256 seed) private {
        if (_rounds == 0) return;
        (uint256 voter, uint256 form, bytes memory content,) = _ballot(seed);
        _requires(_hidden, IBordaConsensus.BallotsAreOpen.selector);
        _requiresOpen();
        _requires(block.timestamp < _ballotEnd, IBordaConsensus.TooLate.selector);
        _requires(_committedIn[voter] != _rounds, IBordaConsensus.AlreadyCommitted.selector);

        bytes memory call_ = abi.encodeCall(session.commit, (_rounds - 1, voter, _hide(voter, form, content)));
        (bool done,) = _attempt(address(session), _accounts[voter], 0, call_);
        if (!done) return;
        (_committedIn[voter], _contents[voter]) = (_rounds, abi.encode(form, content));
        ++commitments;
        ++count["committed"];
    }

    function _reveal(uint256 seed) private {
        if (_rounds == 0) return;
        (uint256 voter, uint256 form, bytes memory content,) = _ballot(seed);
        bool honest = derive(seed, "honest") % 8 != 0;
        if (honest && _contents[voter].length > 0) (form, content) = abi.decode(_contents[voter], (uint256, bytes));
        bool good = form == 1 || !_names(content, voter);
        _requires(_hidden, IBordaConsensus.BallotsAreOpen.selector);
        _requiresOpen();
        _requires(block.timestamp >= _ballotEnd, IBordaConsensus.TooEarly.selector);
        _requires(block.timestamp < _revealEnd, IBordaConsensus.TooLate.selector);
        _requires(_committedIn[voter] == _rounds, IBordaConsensus.NotCommitted.selector);
        bool same = keccak256(abi.encode(form, content)) == keccak256(_contents[voter]);
        _requires(same, IBordaConsensus.WrongOpening.selector);
        _requires(!voted(voter), IBordaConsensus.AlreadyVoted.selector);
        _requires(good, Borda.SelfVote.selector);

        bytes memory call_ = abi.encodeCall(session.reveal, (_rounds - 1, voter, form, content, bytes32("salt")));
        (bool done,) = _attempt(address(session), _accounts[STRANGER], 0, call_);
        if (done) _book(voter, form, content);
        if (done) ++count["revealed"];
    }

    // ---------------------------------------------------------------- ballots and books

    /// @dev Mostly of somebody who has not voted; now and then a ranking that names the voter.
    function _ballot(uint256 seed) private view returns (uint256 voter, uint256 form, bytes memory content, bool good) {
        voter = derive(seed, "voter") % _members;
        for (uint256 i = 0; i < _members && voted(voter) && seed % 4 != 0; ++i) {
            voter = (voter + 1) % _members;
        }
        form = derive(seed, "form") % 2;
        good = form == 1 || derive(seed, "selfish") % 8 != 0;
        if (form == 1) {
            content = new bytes(2 * _members);
            for (uint256 i = 0; i < _members; ++i) {
                if (i != voter) content[2 * i + 1] = bytes1(uint8(uint256(keccak256(abi.encode(seed, i))) % 5));
            }
            return (voter, form, content, good);
        }
        uint256 shift = 1 + derive(seed, "shift") % (_members - winners);
        for (uint256 i = 0; i < winners; ++i) {
            uint256 name = good ? (voter + shift + i) % _members : (voter + i) % _members;
            content = bytes.concat(content, bytes1(uint8(name)));
        }
    }

    function _names(bytes memory content, uint256 voter) private pure returns (bool) {
        for (uint256 i = 0; i < content.length; ++i) {
            if (uint8(content[i]) == voter) return true;
        }
        return false;
    }

    function _book(uint256 voter, uint256 form, bytes memory content) private {
        (,,,, bytes16 seed,) = session.newestRound();
        uint256[] memory given = _harness.points(form, content, voter, BordaHarness.Size(_members, winners, seed));
        for (uint256 i = 0; i < _members; ++i) {
            _points[i] += given[i];
        }
        _votedIn[voter] = _rounds;
        ++ballots;
    }

    function _requiresOpen() private {
        _requires(_state == State.Open, IBordaConsensus.RoundNotOpen.selector);
    }

    function _sign(uint256 voter, uint256 form, bytes memory content, uint256 signer)
        private
        view
        returns (SignedBallot memory ballot)
    {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Ballot(bytes32 context,uint16 round,address voter,uint8 form,bytes content)"),
                session.terms().context,
                _rounds - 1,
                _accounts[voter],
                form,
                keccak256(content)
            )
        );
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Souk Borda"),
                keccak256("1"),
                block.chainid,
                address(session)
            )
        );
        (uint8 v, bytes32 r, bytes32 s) =
            Signing(address(vm)).sign(_keys[signer], keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        return SignedBallot(_rounds - 1, voter, form, content, r, s | bytes32(uint256(v - 27) << 255));
    }

    function _hide(uint256 voter, uint256 form, bytes memory content) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("souk.borda.ballot.v1"),
                block.chainid,
                address(session),
                session.terms().context,
                _rounds - 1,
                _accounts[voter],
                form,
                keccak256(content),
                bytes32("salt")
            )
        );
    }

    /// @dev Members ascending by account, as a session wants them.
    function _makePeople() private {
        for (uint256 i = 0; i <= MOST; ++i) {
            (uint256 key, address account) = (i + 1, vm.addr(i + 1));
            uint256 at = i;
            for (; at > 0 && i < MOST && _accounts[at - 1] > account; --at) {
                (_keys[at], _accounts[at]) = (_keys[at - 1], _accounts[at - 1]);
            }
            (_keys[at], _accounts[at]) = (key, account);
        }
    }
}
