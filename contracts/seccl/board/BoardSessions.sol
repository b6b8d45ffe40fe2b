// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Arrays} from "@openzeppelin/contracts/utils/Arrays.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Payment} from "../../exchange/Payment.sol";
import {Permitted} from "../../exchange/Permitted.sol";
import {Window} from "../../exchange/Window.sol";
import {BoardTerms, Fault, IBulletinBoard, MessageKind, PostKey} from "../../interfaces/IBulletinBoard.sol";
import {BoardTrees} from "./BoardTrees.sol";
import {SessionHead, SessionHeadLib} from "./SessionHead.sol";

/// @title Sessions of a board: their terms, their members, and all money but for what a challenge moves
/// @dev See BulletinBoard for the tables of states and of money.
abstract contract BoardSessions is IBulletinBoard, Permitted {
    using Arrays for uint256[];

    /// @dev One slot: what posts need not know. The stake and the bond are as agreed, for ever.
    struct StakeAccount {
        uint96 stake;
        uint96 bond;
        uint32 responseTime;
        uint16 openChallenges;
        bool withdrawn;
        bool inToken;
    }

    /// @dev Code of an account that has a key and delegates (EIP-7702); contracts have more.
    uint256 private constant DELEGATION_BYTES = 23;
    bytes32 private constant SESSION_TYPE = keccak256("souk.board.session.v2");

    mapping(bytes32 session => SessionHead) internal _heads;
    mapping(bytes32 session => StakeAccount) internal _accounts;
    mapping(bytes32 session => bytes32) private _memberRoots;
    /// @dev of sessions that are not in the native coin
    mapping(bytes32 session => address) private _tokens;
    mapping(bytes32 session => mapping(uint256 word => uint256)) private _claimed;
    /// @dev bit m % 256 of word m / 256: member m has a challenge open
    mapping(bytes32 session => mapping(uint256 word => uint256)) private _asking;
    /// @dev round 96 | who signs receipts from it on 160, ascending, a round at most once; before the first, the server
    mapping(bytes32 session => uint256[]) private _signers;
    /// @dev bonds of answered challenges, the server's with its stake
    mapping(bytes32 session => uint256) internal _earned;
    /// @inheritdoc IBulletinBoard
    mapping(address token => mapping(address account => uint256)) public owed;

    // ---------------------------------------------------------------- sessions

    /// @inheritdoc IBulletinBoard
    function announce(bytes32 document, bytes32 task, uint256 until) external {
        emit Announced(msg.sender, document, task, until);
    }

    /// @inheritdoc IBulletinBoard
    function createSession(BoardTerms calldata terms_, bytes32 document) external payable returns (bytes32 session) {
        require(msg.sender.code.length <= DELEGATION_BYTES, ServerIsContract(msg.sender));
        BoardTerms memory t = terms_;
        t.server = msg.sender;
        _check(t);
        session = keccak256(abi.encode(SESSION_TYPE, block.chainid, address(this), t, document));
        require(!_heads[session].exists(), SessionExists(session));

        _heads[session] = SessionHeadLib.pack(t);
        _accounts[session] = StakeAccount(t.stake, t.bond, t.responseTime, 0, false, t.token != address(0));
        _memberRoots[session] = t.memberRoot;
        if (t.token != address(0)) _tokens[session] = t.token;
        emit SessionCreated(session, msg.sender, t, document);
        Payment.collect(t.token, address(this), t.stake);
    }

    /// @inheritdoc IBulletinBoard
    function replaceSigner(bytes32 session, address signer) external {
        SessionHead head = _serving(session);
        require(signer != address(0), SignerZero());
        require(signer.code.length <= DELEGATION_BYTES, ServerIsContract(signer));
        uint256 round = head.nextRound(block.timestamp);
        _hasRound(head, round);
        uint256[] storage entries = _signers[session];
        uint256 count = entries.length;
        // Who is replaced before its round begins never signs. No entry is of a later round, as time goes on.
        if (count > 0 && entries[count - 1] >> 160 >= round) entries.pop();
        entries.push(round << 160 | uint160(signer));
        emit SignerReplaced(session, round, signer);
    }

    // ---------------------------------------------------------------- payouts

    /// @inheritdoc IBulletinBoard
    function claimShare(bytes32 session, uint256 member, bytes32[] calldata path, address to) external {
        SessionHead head = _known(session);
        require(head.faulty(), NotFaulty(session));
        _onlyMember(head, session, member, path);
        require(!isShareClaimed(session, member), AlreadyClaimed(member));
        uint256 share = _accounts[session].stake / head.members();
        require(share > 0, NothingOwed(msg.sender));

        _claimed[session][member >> 8] |= 1 << (member & 255);
        emit ShareClaimed(session, member, msg.sender, share);
        Payment.pay(_tokenOf(session), to, share);
    }

    /// @inheritdoc IBulletinBoard
    function withdrawStake(bytes32 session, address to) external {
        SessionHead head = _serving(session);
        StakeAccount storage account = _accounts[session];
        _from(_accusationEnd(head, account.responseTime));
        require(account.openChallenges == 0, ChallengesOpen(account.openChallenges));
        uint256 stake = account.stake;
        require(stake > 0 && !account.withdrawn, NothingOwed(msg.sender));

        account.withdrawn = true;
        uint256 amount = stake + _earned[session];
        emit StakeWithdrawn(session, amount);
        Payment.pay(_tokenOf(session), to, amount);
    }

    /// @inheritdoc IBulletinBoard
    function withdrawBonds(address token, address to) external {
        uint256 amount = owed[token][msg.sender];
        require(amount > 0, NothingOwed(msg.sender));

        owed[token][msg.sender] = 0;
        emit BondsWithdrawn(msg.sender, token, amount);
        Payment.pay(token, to, amount);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IBulletinBoard
    function terms(bytes32 session) external view returns (BoardTerms memory) {
        SessionHead head = _known(session);
        StakeAccount memory account = _accounts[session];
        return BoardTerms({
            server: head.server(),
            memberRoot: _memberRoots[session],
            members: uint16(head.members()),
            rounds: uint16(head.rounds()),
            start: uint40(head.start()),
            uploadTime: uint32(head.uploadTime()),
            evaluationTime: uint32(head.evaluationTime()),
            responseTime: account.responseTime,
            batchedUploads: head.batched(MessageKind.Upload),
            batchedEvaluations: head.batched(MessageKind.Evaluation),
            stake: account.stake,
            bond: account.bond,
            token: _tokenOf(session)
        });
    }

    /// @inheritdoc IBulletinBoard
    function signerOf(bytes32 session, uint256 round) external view returns (address) {
        SessionHead head = _known(session);
        _hasRound(head, round);
        return _signerOf(head, session, round);
    }

    /// @inheritdoc IBulletinBoard
    function status(bytes32 session) external view returns (bool faulty, uint256 openChallenges, bool stakeWithdrawn) {
        StakeAccount memory account = _accounts[session];
        return (_known(session).faulty(), account.openChallenges, account.withdrawn);
    }

    /// @inheritdoc IBulletinBoard
    function windowOf(bytes32 session, uint256 round, MessageKind kind)
        external
        view
        returns (uint256 start, uint256 end)
    {
        SessionHead head = _known(session);
        _hasRound(head, round);
        return head.window(round, kind);
    }

    /// @inheritdoc IBulletinBoard
    function accusationEnd(bytes32 session) external view returns (uint256) {
        return _accusationEnd(_known(session), _accounts[session].responseTime);
    }

    /// @inheritdoc IBulletinBoard
    function isShareClaimed(bytes32 session, uint256 member) public view returns (bool) {
        return _claimed[session][member >> 8] >> (member & 255) & 1 == 1;
    }

    // ---------------------------------------------------------------- guards

    function _check(BoardTerms memory t) private view {
        uint256 limit = SessionHeadLib.MEMBERS_LIMIT;
        require(t.members > 0 && t.members <= limit, MembersOutOfRange(t.members, limit));
        limit = SessionHeadLib.ROUNDS_LIMIT;
        require(t.rounds > 0 && t.rounds <= limit, RoundsOutOfRange(t.rounds, limit));
        Window.check(t.uploadTime);
        Window.check(t.evaluationTime);
        Window.check(t.responseTime);
        limit = SessionHeadLib.TIME_LIMIT;
        require(t.uploadTime <= limit, TimeOutOfRange(t.uploadTime, limit));
        require(t.evaluationTime <= limit, TimeOutOfRange(t.evaluationTime, limit));
        // Then each member can ask for its leaf of each batch, one question after the other.
        limit = Math.min(t.uploadTime, t.evaluationTime);
        require(t.responseTime <= limit, ResponseTimeTooLong(t.responseTime, limit));
        uint256 latest = block.timestamp + 2 * Window.LONGEST;
        require(t.start >= block.timestamp && t.start <= latest, StartOutOfRange(t.start, block.timestamp, latest));
        uint256 end = t.start + uint256(t.rounds) * (uint256(t.uploadTime) + t.evaluationTime);
        limit = type(uint32).max;
        require(end <= limit, TimeOutOfRange(end, limit));
        require(t.token == address(0) || t.token.code.length > 0, TokenWithoutCode(t.token));
        require(t.stake % t.members == 0, StakeNotDivisible(t.stake, t.members));
        require(t.bond <= t.stake / t.members, BondTooHigh(t.bond, t.stake / t.members));
    }

    function _from(uint256 start) internal view {
        require(block.timestamp >= start, TooEarly(block.timestamp, start));
    }

    function _before(uint256 end) internal view {
        require(block.timestamp < end, TooLate(block.timestamp, end));
    }

    function _known(bytes32 session) internal view returns (SessionHead head) {
        head = _heads[session];
        require(head.exists(), UnknownSession(session));
    }

    function _honest(bytes32 session) internal view returns (SessionHead head) {
        head = _known(session);
        require(!head.faulty(), SessionFaulty(session));
    }

    function _serving(bytes32 session) internal view returns (SessionHead head) {
        head = _honest(session);
        require(msg.sender == head.server(), NotServer(msg.sender, head.server()));
    }

    function _hasRound(SessionHead head, uint256 round) internal pure {
        require(round < head.rounds(), RoundOutOfRange(round, head.rounds()));
    }

    function _hasMember(SessionHead head, uint256 index) internal pure {
        require(index < head.members(), AuthorOutOfRange(index, head.members()));
    }

    function _onlyMember(SessionHead head, bytes32 session, uint256 index, bytes32[] calldata path) internal view {
        _hasMember(head, index);
        bytes32 root = BoardTrees.memberRoot(head.members(), index, msg.sender, path);
        require(root == _memberRoots[session], NotMember(msg.sender, index));
    }

    /// @dev What a session's money is in; zero for the native coin.
    function _tokenOf(bytes32 session) internal view returns (address) {
        return _accounts[session].inToken ? _tokens[session] : address(0);
    }

    /// @dev The round is within the session.
    function _signerOf(SessionHead head, bytes32 session, uint256 round) internal view returns (address) {
        uint256[] storage entries = _signers[session];
        uint256 later = entries.upperBound((round + 1 << 160) - 1);
        return later == 0 ? head.server() : address(uint160(entries[later - 1]));
    }

    function _accusationEnd(SessionHead head, uint256 responseTime) internal pure returns (uint256) {
        return head.end() + 3 * responseTime;
    }

    // ---------------------------------------------------------------- transitions

    /// @dev Notes whether a member has a challenge open. Returns false if that was noted before.
    function _markAsking(bytes32 session, uint256 member, bool asks) internal returns (bool) {
        uint256 flags = _asking[session][member >> 8];
        uint256 bit = 1 << (member & 255);
        if ((flags & bit != 0) == asks) return false;
        _asking[session][member >> 8] = flags ^ bit;
        return true;
    }

    function _convict(SessionHead head, PostKey calldata key, Fault fault, bytes32 signed, bytes32 found) internal {
        _heads[key.session] = head.withFault();
        uint256 share = _accounts[key.session].stake / head.members();
        emit ServerFaulty(key.session, msg.sender, fault, key.author, key.round, key.kind, signed, found, share);
    }
}
