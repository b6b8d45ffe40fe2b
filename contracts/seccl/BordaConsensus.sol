// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBordaConsensus, SignedBallot, State, BordaTerms} from "../interfaces/IBordaConsensus.sol";
import {IBulletinBoard, MessageKind, PostKey} from "../interfaces/IBulletinBoard.sol";
import {BallotHash} from "./borda/BallotHash.sol";
import {Borda} from "./borda/Borda.sol";
import {PackedBordaTerms, PackedBordaTermsLib} from "./borda/PackedBordaTerms.sol";
import {Highest, HighestLib} from "./borda/Highest.sol";
import {NewestRound, NewestRoundLib} from "./borda/NewestRound.sol";
import {RoundWord, RoundWordLib} from "./borda/RoundWord.sol";
import {Standing} from "./borda/Standing.sol";
import {Tally} from "./borda/Tally.sol";
import {Winners} from "./borda/Winners.sol";

/// @title One session in which members choose the best uploads of each round by Borda ballots (SecCL)
/// @notice State by state, who may do what, and where it leads. Windows are half-open, [start, end).
///
/// | state   | call             | by                 | window                                   | leads to            |
/// | ------- | ---------------- | ------------------ | ---------------------------------------- | ------------------- |
/// | Closed  | openRound        | anyone             | [opening, ballotEnd) of a later round    | Open, that round    |
/// | Open    | vote             | the voter          | [opening, ballotEnd), open ballots       | Open, counted       |
/// | Open    | voteSigned       | anyone             | [opening, ballotEnd), open ballots       | Open, counted       |
/// | Open    | commit           | the voter          | [opening, ballotEnd), hidden ballots     | Open, committed     |
/// | Open    | commitSigned     | anyone             | [opening, ballotEnd), hidden ballots     | Open, committed     |
/// | Open    | reveal           | who knows the salt | [ballotEnd, revealEnd), hidden ballots   | Open, counted       |
/// | Open    | reportAbsent     | anyone             | [opening, the closing)                   | Open, not electable |
/// | Open    | close            | anyone             | [revealEnd, for ever), or all have voted | Closing or Closed   |
/// | Closing | close            | anyone             | for ever                                 | Closing or Closed   |
///
/// The times are those of the terms, and nobody moves them: round r opens at start + r * period, its ballotEnd is
/// ballotTime later, its revealEnd revealTime later still, which is at once where ballots are open. Before the first
/// round, the state is Closed. There are as many rounds as the board's session has. A round that nobody opens is left
/// out. Who does not vote is not counted; who commits counts for the quorum, and cannot be elected in a round in which it
/// does not open its ballot. Who uploaded nothing cannot be elected once somebody has reported that: a member that wants
/// it not elected reports before it votes, since a round in which all have voted may be closed at once. See
/// docs/seccl.md for why the contract is built so.
contract BordaConsensus is IBordaConsensus, EIP712 {
    // States and round numbers are exact; times are compared with < and >= alone.
    // slither-disable-start incorrect-equality

    uint256 private constant RANKING = 0;
    uint256 private constant SCORES = 1;
    /// @dev Candidates that one call of a closing looks at.
    uint256 private constant MAX_STEP = 256;
    /// @dev Code of an account that has a key and delegates (EIP-7702); contracts have more.
    uint256 private constant DELEGATION_BYTES = 23;
    bytes32 private constant SEED_TYPE = keccak256("souk.borda.seed.v1");

    /// @dev Where the code of all sessions lies.
    address private immutable _code = address(this);
    IBulletinBoard private immutable _board;

    NewestRound private _round;
    Tally private _tally;
    Winners private _winners;
    mapping(uint256 voter => RoundWord) private _commitments;

    constructor(IBulletinBoard board) EIP712("Souk Borda", "1") {
        _board = board;
    }

    // ---------------------------------------------------------------- rounds

    /// @inheritdoc IBordaConsensus
    function openRound(uint256 round) external {
        PackedBordaTerms memory t = PackedBordaTermsLib.load();
        NewestRound last = _last(t);
        require(last.state() == State.Closed, RoundNotOver(last.number()));
        require(round >= last.rounds(), WrongRound(round, last.rounds()));
        require(round < t.rounds(), RoundOutOfRange(round, t.rounds()));
        _from(t.opening(round));
        _before(t.ballotEnd(round));
        if (last.rounds() == 0) _tally.prepare(t);
        bytes16 seed = _seed(round, last.closedIn());
        _round = NewestRoundLib.open(round, seed);
        emit RoundOpened(round, msg.sender, seed, t.ballotEnd(round), t.revealEnd(round));
    }

    /// @inheritdoc IBordaConsensus
    function reportAbsent(uint256 round, uint256 member, bytes32[] calldata path) external {
        PackedBordaTerms memory t = PackedBordaTermsLib.load();
        _checkMember(t, member);
        NewestRound newest = _requireOpen(round);
        require(_tally.markAbsent(round, member), AlreadyAbsent(round, member));
        PostKey memory place = PostKey(t.context, round, MessageKind.Upload, member);
        require(_board.isEmpty(place, path), NotAbsent(round, member));
        _round = newest.withAbsence();
        emit ReportedAbsent(round, member);
    }

    /// @inheritdoc IBordaConsensus
    function close(uint256 round, uint256 candidates) external {
        PackedBordaTerms memory t = PackedBordaTermsLib.load();
        NewestRound newest = _newest(round);
        require(newest.state() != State.Closed, RoundNotOpen(round));
        require(candidates > 0, NothingToDo());
        uint256 ballots = _tally.ballots(t, round);
        if (newest.state() == State.Open) {
            if (ballots < t.memberCount()) _from(t.revealEnd(round));
            if (ballots == 0 || _tally.turnout(t, round) < t.quorum()) {
                _round = newest.closed(block.number);
                emit RoundClosed(round, ballots, new uint256[](0), new uint256[](0));
                return;
            }
        }

        uint256 start = newest.cursor();
        uint256 end = Math.min(start + Math.min(candidates, MAX_STEP), t.memberCount());
        Highest memory highest = HighestLib.create(t.winners());
        if (start > 0) _winners.offer(round, newest.seed(), t.winners(), highest);
        _tally.offer(t, newest, start, end, highest);
        if (end < t.memberCount()) {
            _winners.keep(round, highest.places, highest.taken);
            _round = newest.closing(end);
            emit RoundClosing(round, end);
            return;
        }
        Standing[] memory ranked = highest.ranked();
        _winners.keep(round, ranked, ranked.length);
        _round = newest.closed(block.number);
        (uint256[] memory winners, uint256[] memory winnersPoints) = _unzip(ranked);
        emit RoundClosed(round, ballots, winners, winnersPoints);
    }

    // ---------------------------------------------------------------- ballots

    /// @inheritdoc IBordaConsensus
    function vote(uint256 round, uint256 voter, uint256 form, bytes calldata content) external {
        PackedBordaTerms memory t = PackedBordaTermsLib.load();
        require(t.revealTime() == 0, BallotsAreHidden());
        _onlyMember(t, voter);
        NewestRound newest = _requireTakingBallots(t, round);
        _count(t, newest, voter, form, content);
    }

    /// @inheritdoc IBordaConsensus
    function voteSigned(SignedBallot calldata ballot) external {
        PackedBordaTerms memory t = PackedBordaTermsLib.load();
        require(t.revealTime() == 0, BallotsAreHidden());
        address account = _member(t, ballot.voter);
        NewestRound newest = _requireTakingBallots(t, ballot.round);
        bytes32 signed = BallotHash.ballot(t.context, ballot.round, account, ballot.form, ballot.content);
        _checkSignature(account, signed, ballot.r, ballot.vs);
        _count(t, newest, ballot.voter, ballot.form, ballot.content);
    }

    /// @inheritdoc IBordaConsensus
    function commit(uint256 round, uint256 voter, bytes32 commitment) external {
        PackedBordaTerms memory t = PackedBordaTermsLib.load();
        _onlyMember(t, voter);
        _commit(t, round, voter, commitment);
    }

    /// @inheritdoc IBordaConsensus
    function commitSigned(uint256 round, uint256 voter, bytes32 commitment, bytes32 r, bytes32 vs) external {
        PackedBordaTerms memory t = PackedBordaTermsLib.load();
        address account = _member(t, voter);
        _checkSignature(account, BallotHash.commitment(t.context, round, account, commitment), r, vs);
        _commit(t, round, voter, commitment);
    }

    /// @inheritdoc IBordaConsensus
    function reveal(uint256 round, uint256 voter, uint256 form, bytes calldata content, bytes32 salt) external {
        PackedBordaTerms memory t = PackedBordaTermsLib.load();
        require(t.revealTime() > 0, BallotsAreOpen());
        address account = _member(t, voter);
        NewestRound newest = _requireOpen(round);
        _from(t.ballotEnd(round));
        _before(t.revealEnd(round));
        uint256 commitment = _commitments[voter].during(round);
        require(commitment > 0, NotCommitted(round, voter));
        bytes32 hidden = BallotHash.hide(t.context, round, account, form, content, salt);
        require(_shorten(hidden) == commitment, WrongOpening(round, voter));
        _count(t, newest, voter, form, content);
    }

    /// @inheritdoc IBordaConsensus
    function batch(bytes[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; ++i) {
            // The code is this contract's own, none of its functions is payable, and the caller stays the caller.
            bool done = LowLevelCall.delegatecallNoReturn(_code, calls[i]);
            if (!done) emit CallRefused(i, LowLevelCall.returnData());
        }
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IBordaConsensus
    function version() external pure returns (uint256) {
        return 3;
    }

    /// @inheritdoc IBordaConsensus
    function terms() external view returns (BordaTerms memory) {
        return PackedBordaTermsLib.load().unpack();
    }

    /// @inheritdoc IBordaConsensus
    function members() external view returns (address[] memory accounts) {
        accounts = new address[](PackedBordaTermsLib.load().memberCount());
        for (uint256 i = 0; i < accounts.length; ++i) {
            accounts[i] = PackedBordaTermsLib.member(i);
        }
    }

    /// @inheritdoc IBordaConsensus
    function newestRound()
        external
        view
        returns (uint256 rounds, State state, uint256 ballotEnd, uint256 revealEnd, bytes16 seed, uint256 candidates)
    {
        PackedBordaTerms memory t = PackedBordaTermsLib.load();
        NewestRound newest = _round;
        rounds = newest.rounds();
        if (rounds > 0) (ballotEnd, revealEnd) = (t.ballotEnd(rounds - 1), t.revealEnd(rounds - 1));
        return (rounds, newest.state(), ballotEnd, revealEnd, newest.seed(), newest.cursor());
    }

    /// @inheritdoc IBordaConsensus
    function hasVoted(uint256 voter) external view returns (bool) {
        _member(PackedBordaTermsLib.load(), voter);
        return _tally.hasVoted(_round.number(), voter);
    }

    /// @inheritdoc IBordaConsensus
    function commitmentOf(uint256 voter) external view returns (bytes30) {
        _member(PackedBordaTermsLib.load(), voter);
        return bytes30(uint240(_commitments[voter].during(_round.number())));
    }

    /// @inheritdoc IBordaConsensus
    function points() external view returns (uint256[] memory) {
        return _tally.all(PackedBordaTermsLib.load(), _round.number());
    }

    /// @inheritdoc IBordaConsensus
    function result(uint256 round) external view returns (uint256[] memory winners, uint256[] memory winnersPoints) {
        PackedBordaTerms memory t = PackedBordaTermsLib.load();
        NewestRound last = _round;
        uint256 over = last.state() == State.Closed ? last.rounds() : last.number();
        bool missed = round >= last.rounds() && round < t.rounds() && block.timestamp >= t.ballotEnd(round);
        require(round < over || missed, RoundNotOver(round));
        uint256 count = _winners.size(round, t.winners());
        winners = new uint256[](count);
        winnersPoints = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            (winners[i], winnersPoints[i]) = _winners.at(round, i);
        }
    }

    // ---------------------------------------------------------------- steps of a round

    /// @dev From the hash of block `anchor` while the chain knows it, and from nothing that comes later: then waiting gives
    /// no other.
    function _seed(uint256 round, uint256 anchor) private view returns (bytes16) {
        require(block.number > anchor, SeedNotReady(block.number, anchor + 1));
        bytes32 hash = Blockhash.blockHash(anchor);
        return bytes16(keccak256(abi.encode(SEED_TYPE, block.chainid, address(this), round, hash)));
    }

    function _count(PackedBordaTerms memory t, NewestRound newest, uint256 voter, uint256 form, bytes calldata content)
        private
    {
        uint256 round = newest.number();
        require(_tally.markVoted(round, voter), AlreadyVoted(round, voter));
        uint256[] memory given;
        if (form == RANKING) {
            given = Borda.pointsOfRanking(content, voter, t.memberCount(), t.winners(), t.laneBits());
        } else {
            require(form == SCORES, UnknownForm(form));
            given = Borda.pointsOfScores(content, voter, t.memberCount(), t.winners(), t.laneBits(), newest.seed());
        }

        _tally.add(round, given);
        emit BallotCounted(round, voter, form, content);
    }

    function _commit(PackedBordaTerms memory t, uint256 round, uint256 voter, bytes32 commitment) private {
        require(t.revealTime() > 0, BallotsAreOpen());
        _requireTakingBallots(t, round);
        require(_shorten(commitment) > 0, CommitmentZero());
        require(_commitments[voter].during(round) == 0, AlreadyCommitted(round, voter));
        _tally.markCommitted(round, voter);
        _commitments[voter] = RoundWordLib.create(round, _shorten(commitment));
        emit Committed(round, voter, commitment);
    }

    // ---------------------------------------------------------------- reading

    function _unzip(Standing[] memory ranked) private pure returns (uint256[] memory indices, uint256[] memory values) {
        indices = new uint256[](ranked.length);
        values = new uint256[](ranked.length);
        for (uint256 i = 0; i < ranked.length; ++i) {
            (indices[i], values[i]) = (ranked[i].index(), ranked[i].value());
        }
    }

    /// @dev The newest round; before the first, one that the creation closed.
    function _last(PackedBordaTerms memory t) private view returns (NewestRound last) {
        last = _round;
        if (last.rounds() == 0) last = NewestRoundLib.none(t.createdIn());
    }

    /// @dev What a slot keeps of a commitment; 240 bits leave 120 bits against collisions.
    function _shorten(bytes32 commitment) private pure returns (uint256) {
        return uint240(bytes30(commitment));
    }

    // ---------------------------------------------------------------- requirements

    /// @dev The newest round, which must be the one that the caller means.
    function _newest(uint256 round) private view returns (NewestRound newest) {
        newest = _round;
        require(newest.rounds() > 0 && round == newest.number(), WrongRound(round, newest.rounds()));
    }

    function _requireOpen(uint256 round) private view returns (NewestRound newest) {
        newest = _newest(round);
        require(newest.state() == State.Open, RoundNotOpen(round));
    }

    function _requireTakingBallots(PackedBordaTerms memory t, uint256 round) private view returns (NewestRound newest) {
        newest = _requireOpen(round);
        _before(t.ballotEnd(round));
    }

    function _member(PackedBordaTerms memory t, uint256 index) private view returns (address) {
        _checkMember(t, index);
        return PackedBordaTermsLib.member(index);
    }

    function _checkMember(PackedBordaTerms memory t, uint256 index) private pure {
        require(index < t.memberCount(), UnknownMember(index, t.memberCount()));
    }

    function _onlyMember(PackedBordaTerms memory t, uint256 index) private view {
        require(msg.sender == _member(t, index), NotMember(msg.sender, index));
    }

    function _checkSignature(address account, bytes32 structHash, bytes32 r, bytes32 vs) private view {
        // What else it says of a signature is not needed: the zero account is no member.
        // slither-disable-next-line unused-return
        (address recovered,,) = ECDSA.tryRecover(_hashTypedDataV4(structHash), r, vs);
        if (recovered == account) return;
        require(account.code.length <= DELEGATION_BYTES, SignerIsContract(account));
        revert WrongSignature(account, recovered);
    }

    /// @dev Windows are half-open: the start is inside, the end is not.
    function _from(uint256 start) private view {
        require(block.timestamp >= start, TooEarly(block.timestamp, start));
    }

    function _before(uint256 end) private view {
        require(block.timestamp < end, TooLate(block.timestamp, end));
    }
    // slither-disable-end incorrect-equality
}
