// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BoardTerms, IBulletinBoard, MessageKind, PostKey, Receipt} from "../../contracts/interfaces/IBulletinBoard.sol";
import {PlainToken} from "../kit/mocks/Tokens.sol";
import {Attempts} from "./Attempts.sol";

/// @notice The cheatcode that signs.
interface SignVm {
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
}

/// @title What happened on a board by the rules, kept without looking at the board
/// @notice Two sessions at a time, one of an honest server and one of a liar, each with three members and two rounds: twelve
/// places, numbered (round, kind, author), and four batches. Half of the sessions are paid in a token.
abstract contract BoardBook is Attempts {
    struct Promise {
        uint256 place;
        bytes32 message;
        uint256 deadline;
    }

    struct Session {
        bytes32 id;
        BoardTerms terms;
        // Who signs the receipts of each round, as a number among the people.
        uint256[2] signers;
        bool faulty;
        bool withdrawn;
        bool[3] claimed;
        bytes32[12] posted;
        uint256[12] postedAt;
        bytes32[12] own;
        bytes32[12] leaves;
        bytes32[4] roots;
        uint256[4] batchAt;
        bool[4] rubbish;
        address[12] asker;
        bool[12] answered;
        uint256[12] answerBy;
        Promise[] promises;
    }

    uint256 internal constant MEMBERS = 3;
    uint256 internal constant PLACES = 12;
    uint256 internal constant HONEST = 0;
    uint256 internal constant LIAR = 1;
    /// @dev The servers, three members, and one who is neither.
    uint256 public constant PEOPLE = 6;
    uint256 internal constant FIRST_MEMBER = 2;
    uint256 internal constant STRANGER = 5;
    uint256 private constant PURSE = 1e30;

    IBulletinBoard public board;
    PlainToken public token;
    address[PEOPLE] internal people;
    Session[2] internal sessions;
    /// @dev In coins, and in the token.
    uint256[PEOPLE][2] internal owed;
    uint256[2] public paidIn;
    uint256[2] public paidOut;
    uint256 private _opened;

    constructor() {
        vm.warp(1_000_000);
        board = IBulletinBoard(deploy("BulletinBoard"));
        token = new PlainToken();
        for (uint256 i = 0; i < PEOPLE; ++i) {
            people[i] = vm.addr(_secret(i));
            vm.deal(people[i], PURSE);
            token.mint(people[i], PURSE);
            vm.prank(people[i]);
            token.approve(address(board), type(uint256).max);
        }
        _openSession(HONEST, 1);
        _openSession(LIAR, 2);
    }

    /// @notice What the board should hold of a currency by the table of money: stakes, shares, bonds of open and answered
    /// challenges, bonds owed.
    function debts(uint256 currency) external view returns (uint256 sum) {
        for (uint256 which = 0; which < 2; ++which) {
            Session storage s = sessions[which];
            if (_currency(s) != currency) continue;
            for (uint256 i = 0; i < MEMBERS; ++i) {
                if (!s.withdrawn && !(s.faulty && s.claimed[i])) sum += s.terms.stake / MEMBERS;
            }
            for (uint256 place = 0; place < PLACES; ++place) {
                if (s.asker[place] != address(0)) sum += s.terms.bond;
            }
        }
        for (uint256 i = 0; i < PEOPLE; ++i) {
            sum += owed[currency][i];
        }
    }

    /// @notice Whom the bonds of the book are owed to.
    function bonds(uint256 currency) external view returns (address[PEOPLE] memory, uint256[PEOPLE] memory) {
        return (people, owed[currency]);
    }

    /// @notice The address by which the board knows a currency: 0 is the coin, 1 the token.
    function addressOf(uint256 currency) public view returns (address) {
        return currency == 0 ? address(0) : address(token);
    }

    /// @notice What an account has of a currency.
    function balanceOf(uint256 currency, address account) public view returns (uint256) {
        return currency == 0 ? account.balance : token.balanceOf(account);
    }

    /// @notice How a session stands by the book.
    function standing(uint256 which) external view returns (bytes32 id, bool faulty, uint256 open_, bool withdrawn) {
        Session storage s = sessions[which];
        return (s.id, s.faulty, _openChallenges(s), s.withdrawn);
    }

    /// @notice What lies at a place by the book: the server's post or root, and the author's own.
    function placed(uint256 which, uint256 place)
        external
        view
        returns (PostKey memory key, bytes32 posted, uint256 postedAt, bytes32 own)
    {
        Session storage s = sessions[which];
        (posted, postedAt) = _batched(s, place)
            ? (s.roots[place / MEMBERS], s.batchAt[place / MEMBERS])
            : (s.posted[place], s.postedAt[place]);
        return (_key(s, place), posted, postedAt, s.own[place]);
    }

    // ---------------------------------------------------------------- sessions

    /// @dev The next session of a server, with terms that `seed` decides.
    function _openSession(uint256 which, uint256 seed) internal {
        BoardTerms memory t;
        t.server = people[which];
        t.memberRoot = _rootOf(_memberLeaves());
        t.members = uint16(MEMBERS);
        t.rounds = 2;
        t.start = uint40(block.timestamp + derive(seed, "start") % 10);
        t.uploadTime = uint32(620 + derive(seed, "upload") % 30);
        t.evaluationTime = uint32(620 + derive(seed, "evaluation") % 30);
        t.responseTime = uint32(600 + derive(seed, "response") % 20);
        t.batchedUploads = derive(seed, "batched uploads") % 2 == 0;
        t.batchedEvaluations = derive(seed, "batched evaluations") % 2 == 0;
        t.stake = uint96(derive(seed, "poor") % 8 == 0 ? 0 : MEMBERS * (1 + derive(seed, "stake") % 1e18));
        t.bond = uint96(derive(seed, "bond") % 3 == 0 ? 0 : derive(seed, "bond") % 1e9);
        t.token = addressOf(derive(seed, "currency") % 2);
        if (t.bond > t.stake / MEMBERS) t.bond = uint96(t.stake / MEMBERS);
        delete sessions[which];
        Session storage s = sessions[which];
        vm.deal(people[which], people[which].balance + t.stake);
        token.mint(people[which], t.stake);
        vm.prank(people[which]);
        s.id = board.createSession{value: t.token == address(0) ? t.stake : 0}(t, bytes32(++_opened));
        s.terms = t;
        s.signers = [which, which];
        paidIn[_currency(s)] += t.stake;
    }

    function _currency(Session storage s) internal view returns (uint256) {
        return s.terms.token == address(0) ? 0 : 1;
    }

    function _openChallenges(Session storage s) internal view returns (uint256 open_) {
        for (uint256 place = 0; place < PLACES; ++place) {
            if (s.asker[place] != address(0) && !s.answered[place]) ++open_;
        }
    }

    function _end(Session storage s) internal view returns (uint256) {
        return _opening(s, 2);
    }

    function _accusationEnd(Session storage s) internal view returns (uint256) {
        return _end(s) + 3 * s.terms.responseTime;
    }

    /// @dev When a round's uploads open.
    function _opening(Session storage s, uint256 round) internal view returns (uint256) {
        return s.terms.start + round * (s.terms.uploadTime + s.terms.evaluationTime);
    }

    function _signerOf(Session storage s, Promise memory p) internal view returns (uint256) {
        return s.signers[p.place / 6];
    }

    function _batched(Session storage s, uint256 place) internal view returns (bool) {
        return place / MEMBERS % 2 == 0 ? s.terms.batchedUploads : s.terms.batchedEvaluations;
    }

    function _window(Session storage s, uint256 place) internal view returns (uint256 from, uint256 to) {
        from = _opening(s, place / 6);
        to = from + s.terms.uploadTime;
        if (place / MEMBERS % 2 == 1) (from, to) = (to, to + s.terms.evaluationTime);
    }

    /// @dev When the server must have posted what it promised.
    function _due(Session storage s, Promise memory p) internal view returns (uint256 due) {
        (, due) = _window(s, p.place);
        if (p.deadline < due) due = p.deadline;
    }

    /// @dev What the server's record has at a place, and since when; nothing where it posted nothing.
    function _record(Session storage s, uint256 place) internal view returns (bytes32 message, uint256 at) {
        if (_batched(s, place)) return (s.leaves[place], s.batchAt[place / MEMBERS]);
        return (s.posted[place], s.postedAt[place]);
    }

    /// @dev Whether the server broke its word, as far as the book shows by `time`.
    function _broken(Session storage s, Promise memory p, uint256 time) internal view returns (bool) {
        (bytes32 message, uint256 at) = _record(s, p.place);
        if (at == 0 || at >= _due(s, p)) return time >= _due(s, p);
        return message != p.message;
    }

    // ---------------------------------------------------------------- keys, signatures, trees

    function _secret(uint256 person) private pure returns (uint256) {
        return 0x5ecc1 + person;
    }

    function _key(Session storage s, uint256 place) internal view returns (PostKey memory) {
        return PostKey(s.id, place / 6, MessageKind(place / MEMBERS % 2), place % MEMBERS);
    }

    function _receipt(Session storage s, Promise memory p, uint256 signer) internal view returns (Receipt memory r) {
        r.key = _key(s, p.place);
        (r.message, r.deadline) = (p.message, p.deadline);
        (uint8 v, bytes32 x, bytes32 y) = SignVm(address(vm)).sign(_secret(signer), board.receiptDigest(r));
        r.signature = abi.encodePacked(x, y, v);
    }

    function _memberLeaves() internal view returns (bytes32[3] memory leaves) {
        bytes32 domain = keccak256(abi.encode(keccak256("souk.board.member.v1"), block.chainid, board));
        for (uint256 i = 0; i < MEMBERS; ++i) {
            leaves[i] = _leaf(domain, i, bytes32(uint256(uint160(people[FIRST_MEMBER + i]))));
        }
    }

    function _batchLeaves(Session storage s, uint256 place) internal view returns (bytes32[3] memory leaves) {
        uint256 first = place / MEMBERS * MEMBERS;
        PostKey memory key = _key(s, first);
        bytes32 domain = keccak256(
            abi.encode(keccak256("souk.board.batch.v1"), block.chainid, board, key.session, key.round, key.kind)
        );
        for (uint256 i = 0; i < MEMBERS; ++i) {
            leaves[i] = _leaf(domain, i, s.leaves[first + i]);
        }
    }

    function _rootOf(bytes32[3] memory leaves) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(abi.encode(leaves[0], leaves[1])), leaves[2]));
    }

    function _pathOf(bytes32[3] memory leaves, uint256 index) internal pure returns (bytes32[] memory path) {
        if (index == 2) {
            path = new bytes32[](1);
            path[0] = keccak256(abi.encode(leaves[0], leaves[1]));
        } else {
            path = new bytes32[](2);
            (path[0], path[1]) = (leaves[1 - index], leaves[2]);
        }
    }

    function _leaf(bytes32 domain, uint256 index, bytes32 value) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(abi.encode(domain, index, value))));
    }
}
