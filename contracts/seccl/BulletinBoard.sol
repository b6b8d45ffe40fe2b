// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Payment} from "../exchange/Payment.sol";
import {Fault, IBulletinBoard, MessageKind, PostKey, Receipt, ShownLeaf} from "../interfaces/IBulletinBoard.sol";
import {BoardSessions} from "./board/BoardSessions.sol";
import {BoardTrees} from "./board/BoardTrees.sol";
import {Receipts} from "./board/Receipts.sol";
import {SessionHead} from "./board/SessionHead.sol";

/// @title The trusted bulletin board (SecCL, "Server-TBB interaction"), where a server that lies loses its stake
/// @notice The states of a session, and who may do what. Windows are half-open, [start, end). A round's windows follow
/// each other, uploads first; `end` is when the last one closes, and w is the response time.
///
/// | state     | call                | by         | window                                 | leads to                    |
/// | --------- | ------------------- | ---------- | -------------------------------------- | --------------------------- |
/// | none      | announce            | anyone     | for ever                               | none                        |
/// | none      | createSession       | the server | up to the start                        | open                        |
/// | open      | post, postBatch     | server     | the window of the round and kind       | open                        |
/// | open      | replaceSigner       | server     | before the last round's uploads open   | open, signer of later rounds|
/// | any       | postOwn             | author     | the window of the round and kind       | unchanged                   |
/// | open      | proveEquivocation   | anyone     | [creation, end + 3w)                   | faulty                      |
/// | open      | proveAltered(...)   | anyone     | [post, end + 3w)                       | faulty                      |
/// | open      | proveUnposted       | anyone     | [the receipt's deadline, end + 3w)     | faulty                      |
/// | open      | challenge           | a member   | [batch posted, end + w)                | open, deadline = now + w    |
/// | open      | answer, answerMany  | anyone     | until the challenge's deadline         | open, bond held back        |
/// | open      | settle              | anyone     | [the challenge's deadline, for ever)   | faulty, bond to challenger  |
/// | open      | withdrawStake       | server     | [end + 3w, for ever), no challenge open| open, server paid out       |
/// | faulty    | settle              | anyone     | for ever, also where answered          | faulty, bond to challenger  |
/// | faulty    | claimShare          | a member   | for ever                               | faulty, member paid out     |
/// | any       | withdrawBonds       | its owner  | for ever                               | unchanged, paid out         |
///
/// Only the server's own signature, its own root or its silence speaks against it. A receipt of a round is signed by
/// the key that was the signer when the round began, whatever came later, and the stake answers for all of them. A
/// place holds one post, singly or as a leaf at the author's own index of the one batch, so what lies there shows what
/// does not. An open challenge keeps the stake, and no member has two open. The bond of an answer is the server's with
/// its stake, and the challenger's again if the server is convicted: a liar earns nothing by what it shows. See
/// docs/seccl.md for why the board is built so.
///
/// The money, in each token and in the native coin, to the unit (more, where some was forced in):
///
///     balance = stakes of open sessions + unclaimed shares of faulty ones + bonds of challenges that are open, or answered
///               and neither paid out with the stake nor given back + bonds owed
///
/// A convicted server's stake goes to all members in equal shares, and whoever convicts it gets nothing besides.
contract BulletinBoard is BoardSessions, EIP712 {
    // Times are compared with < and >= alone; what is compared with zero says whether something was posted or sent.
    // slither-disable-start incorrect-equality

    /// @dev One slot, zero for nothing.
    struct Post {
        bytes28 digest;
        uint32 time;
    }

    /// @dev One slot.
    struct Challenge {
        address challenger;
        uint40 deadline;
        uint16 member;
        bool answered;
    }

    /// @dev by the server; the place of a batch is that of author zero, whose message cannot be posted singly then
    mapping(bytes32 session => mapping(uint256 place => Post)) private _posts;
    mapping(bytes32 session => mapping(uint256 place => Post)) private _ownPosts;
    mapping(bytes32 session => mapping(uint256 place => Challenge)) private _challenges;

    constructor() EIP712("Souk Bulletin Board", "1") {}

    // ---------------------------------------------------------------- posts

    /// @inheritdoc IBulletinBoard
    function post(PostKey calldata key, bytes32 message, bytes32 document) external {
        SessionHead head = _serving(key.session);
        _inRange(head, key);
        require(!head.batched(key.kind), KindBatched(key.kind));
        _put(head, _posts[key.session][_place(key)], key.round, key.kind, message);
        emit Posted(key.session, key.author, key.round, key.kind, message, document);
    }

    /// @inheritdoc IBulletinBoard
    function postBatch(bytes32 session, uint256 round, MessageKind kind, bytes32 root, bytes32 document) external {
        SessionHead head = _serving(session);
        _hasRound(head, round);
        require(head.batched(kind), KindSingle(kind));
        _put(head, _posts[session][_place(round, kind, 0)], round, kind, root);
        emit BatchPosted(session, round, kind, root, document);
    }

    /// @inheritdoc IBulletinBoard
    function postOwn(PostKey calldata key, bytes32 message, bytes32 document, bytes32[] calldata path) external {
        SessionHead head = _known(key.session);
        _hasRound(head, key.round);
        _onlyMember(head, key.session, key.author, path);
        _put(head, _ownPosts[key.session][_place(key)], key.round, key.kind, message);
        emit OwnPosted(key.session, key.author, key.round, key.kind, message, document);
    }

    // ---------------------------------------------------------------- accusations

    /// @inheritdoc IBulletinBoard
    function proveEquivocation(Receipt calldata one, Receipt calldata other) external {
        SessionHead head = _accused(one);
        require(Receipts.same(one.key, other.key), DifferentKeys());
        require(one.message != other.message, SameMessage(one.message));
        _signed(head, other);
        _convict(head, one.key, Fault.Equivocated, one.message, other.message);
    }

    /// @inheritdoc IBulletinBoard
    function proveAltered(Receipt calldata receipt) external {
        SessionHead head = _accused(receipt);
        require(!head.batched(receipt.key.kind), KindBatched(receipt.key.kind));
        bytes28 digest = _posted(head, receipt.key).digest;
        // What the board keeps is compared, not more: nothing else is known of what the server posted.
        require(digest != bytes28(receipt.message), SameMessage(receipt.message));
        _convict(head, receipt.key, Fault.Altered, receipt.message, digest);
    }

    /// @inheritdoc IBulletinBoard
    function proveAlteredInBatch(Receipt calldata receipt, bytes32 posted, bytes32[] calldata path) external {
        SessionHead head = _accused(receipt);
        _inBatch(head, receipt.key, posted, path);
        require(posted != receipt.message, SameMessage(posted));
        _convict(head, receipt.key, Fault.Altered, receipt.message, posted);
    }

    /// @inheritdoc IBulletinBoard
    function proveUnposted(Receipt calldata receipt) external {
        SessionHead head = _accused(receipt);
        // The start does not matter here.
        // slither-disable-next-line unused-return
        (, uint256 due) = head.window(receipt.key.round, receipt.key.kind);
        if (receipt.deadline < due) due = receipt.deadline;
        _from(due);
        uint256 postedAt = _postOf(head, receipt.key).time;
        require(postedAt == 0 || postedAt >= due, PostedInTime(postedAt, due));
        _convict(head, receipt.key, Fault.Unposted, receipt.message, 0);
    }

    /// @inheritdoc IBulletinBoard
    function challenge(PostKey calldata key, uint256 member, bytes32[] calldata path) external payable {
        SessionHead head = _honest(key.session);
        _inRange(head, key);
        _onlyMember(head, key.session, member, path);
        require(head.batched(key.kind), KindSingle(key.kind));
        _posted(head, key);
        StakeAccount storage account = _accounts[key.session];
        uint256 wait = account.responseTime;
        _before(head.end() + wait);
        Challenge storage asked = _challenges[key.session][_place(key)];
        require(asked.deadline == 0, AlreadyChallenged(key.round, key.kind, key.author));
        require(_markAsking(key.session, member, true), StillAsking(member));

        uint256 deadline = block.timestamp + wait;
        (asked.challenger, asked.deadline, asked.member) = (msg.sender, uint40(deadline), uint16(member));
        ++account.openChallenges;
        emit Challenged(key.session, key.author, key.round, key.kind, msg.sender, deadline);
        Payment.collect(_tokenOf(key.session), address(this), account.bond);
    }

    /// @inheritdoc IBulletinBoard
    function answer(PostKey calldata key, bytes32 message, bytes32[] calldata path) external {
        SessionHead head = _honest(key.session);
        Challenge storage asked = _requireChallenge(head, key);
        require(!asked.answered, NotChallenged(key.round, key.kind, key.author));
        _before(asked.deadline);
        _answer(head, asked, key, message, path);
    }

    /// @inheritdoc IBulletinBoard
    function answerMany(ShownLeaf[] calldata leaves) external {
        for (uint256 i = 0; i < leaves.length; ++i) {
            PostKey calldata key = leaves[i].key;
            SessionHead head = _honest(key.session);
            _inRange(head, key);
            Challenge storage asked = _challenges[key.session][_place(key)];
            // Somebody may have answered one of them first, to spoil the rest.
            if (asked.answered || block.timestamp >= asked.deadline) continue;
            _answer(head, asked, key, leaves[i].message, leaves[i].path);
        }
    }

    /// @inheritdoc IBulletinBoard
    function settle(PostKey calldata key) external {
        SessionHead head = _known(key.session);
        Challenge storage asked = _requireChallenge(head, key);
        if (!head.faulty()) {
            require(!asked.answered, NotChallenged(key.round, key.kind, key.author));
            _from(asked.deadline);
            _convict(head, key, Fault.Unanswered, 0, 0);
        }
        StakeAccount storage account = _accounts[key.session];
        owed[_tokenOf(key.session)][asked.challenger] += account.bond;
        asked.challenger = address(0);
        if (!asked.answered) --account.openChallenges;
        emit ChallengeReturned(key.session, key.author, key.round, key.kind);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IBulletinBoard
    function postOf(PostKey calldata key) external view returns (bytes28 digest, uint256 postedAt) {
        SessionHead head = _known(key.session);
        _inRange(head, key);
        Post memory found = _postOf(head, key);
        return (found.digest, found.time);
    }

    /// @inheritdoc IBulletinBoard
    function ownPostOf(PostKey calldata key) external view returns (bytes28 digest, uint256 postedAt) {
        _inRange(_known(key.session), key);
        Post memory found = _ownPosts[key.session][_place(key)];
        return (found.digest, found.time);
    }

    /// @inheritdoc IBulletinBoard
    function isPosted(PostKey calldata key, bytes32 message, bytes32[] calldata path) external view returns (bool) {
        SessionHead head = _known(key.session);
        _inRange(head, key);
        if (message == 0) return false;
        Post memory found = _ownPosts[key.session][_place(key)];
        if (found.time == 0) {
            found = _postOf(head, key);
            if (found.time != 0 && head.batched(key.kind)) message = _batchRoot(head, key, message, path);
        }
        return found.time != 0 && found.digest == bytes28(message);
    }

    /// @inheritdoc IBulletinBoard
    function isEmpty(PostKey calldata key, bytes32[] calldata path) external view returns (bool) {
        SessionHead head = _known(key.session);
        _inRange(head, key);
        // The start does not matter here.
        // slither-disable-next-line unused-return
        (, uint256 end) = head.window(key.round, key.kind);
        _from(end);
        if (_ownPosts[key.session][_place(key)].time != 0) return false;
        Post memory found = _postOf(head, key);
        if (found.time == 0) return true;
        return head.batched(key.kind) && found.digest == bytes28(_batchRoot(head, key, 0, path));
    }

    /// @inheritdoc IBulletinBoard
    function challengeOf(PostKey calldata key)
        external
        view
        returns (address challenger, uint256 deadline, bool answered)
    {
        _inRange(_known(key.session), key);
        Challenge memory asked = _challenges[key.session][_place(key)];
        return (asked.challenger, asked.deadline, asked.answered);
    }

    /// @inheritdoc IBulletinBoard
    function version() external pure returns (uint256) {
        return 4;
    }

    /// @inheritdoc IBulletinBoard
    function receiptDigest(Receipt calldata receipt) public view returns (bytes32) {
        return _hashTypedDataV4(Receipts.structHash(receipt));
    }

    // ---------------------------------------------------------------- guards

    function _inRange(SessionHead head, PostKey calldata key) private pure {
        _hasRound(head, key.round);
        _hasMember(head, key.author);
    }

    /// @dev The session that a receipt accuses, when accusations are still taken and the receipt is its server's.
    function _accused(Receipt calldata receipt) private view returns (SessionHead head) {
        bytes32 session = receipt.key.session;
        head = _honest(session);
        _before(_accusationEnd(head, _accounts[session].responseTime));
        _inRange(head, receipt.key);
        _signed(head, receipt);
    }

    /// @dev Recovered, never asked of the account's code (ERC-1271): a server could have that deny its word.
    function _signed(SessionHead head, Receipt calldata receipt) private view {
        address expected = _signerOf(head, receipt.key.session, receipt.key.round);
        address signer = ECDSA.recoverCalldata(receiptDigest(receipt), receipt.signature);
        require(signer == expected, BadSignature(signer, expected));
    }

    /// @dev The server's post at a place, when there is one.
    function _posted(SessionHead head, PostKey calldata key) private view returns (Post memory found) {
        found = _postOf(head, key);
        require(found.time != 0, NotPosted(key.round, key.kind, key.author));
    }

    /// @dev Passes only if the batch at `key` has `message` as the author's leaf.
    function _inBatch(SessionHead head, PostKey calldata key, bytes32 message, bytes32[] calldata path) private view {
        require(head.batched(key.kind), KindSingle(key.kind));
        bytes28 root = _posted(head, key).digest;
        bytes28 computed = bytes28(_batchRoot(head, key, message, path));
        require(computed == root, LeafNotInBatch(root, computed));
    }

    function _requireChallenge(SessionHead head, PostKey calldata key) private view returns (Challenge storage asked) {
        _inRange(head, key);
        asked = _challenges[key.session][_place(key)];
        require(asked.challenger != address(0), NotChallenged(key.round, key.kind, key.author));
    }

    // ---------------------------------------------------------------- reading and writing

    /// @dev No two of a session's rounds, kinds and authors share a place, if all are within their ranges.
    function _place(uint256 round, MessageKind kind, uint256 author) private pure returns (uint256) {
        return round << 32 | uint256(kind) << 16 | author;
    }

    function _place(PostKey calldata key) private pure returns (uint256) {
        return _place(key.round, key.kind, key.author);
    }

    function _postOf(SessionHead head, PostKey calldata key) private view returns (Post memory) {
        return _posts[key.session][_place(key.round, key.kind, head.batched(key.kind) ? 0 : key.author)];
    }

    function _batchRoot(SessionHead head, PostKey calldata key, bytes32 message, bytes32[] calldata path)
        private
        view
        returns (bytes32)
    {
        return BoardTrees.batchRoot(head.members(), key.session, key.round, key.kind, key.author, message, path);
    }

    function _put(SessionHead head, Post storage place, uint256 round, MessageKind kind, bytes32 message) private {
        (uint256 start, uint256 end) = head.window(round, kind);
        _from(start);
        _before(end);
        require(message != 0, MessageZero());
        require(place.time == 0, AlreadyPosted(place.time));
        (place.digest, place.time) = (bytes28(message), uint32(block.timestamp));
    }

    /// @dev Ends an open challenge by the leaf that was asked for; its bond waits with the stake.
    function _answer(
        SessionHead head,
        Challenge storage asked,
        PostKey calldata key,
        bytes32 message,
        bytes32[] calldata path
    ) private {
        _inBatch(head, key, message, path);
        asked.answered = true;
        _markAsking(key.session, asked.member, false);
        StakeAccount storage account = _accounts[key.session];
        --account.openChallenges;
        _earned[key.session] += account.bond;
        emit Answered(key.session, key.author, key.round, key.kind, message, path);
    }
    // slither-disable-end incorrect-equality
}
