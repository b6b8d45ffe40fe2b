// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice The two kinds of messages (SecCL, "Message interaction protocol"): type (a), the parameters a participant
/// shares, and type (b), its evaluation of the others' parameters.
enum MessageKind {
    Upload,
    Evaluation
}

/// @notice What a server was convicted of.
/// `Equivocated`: it signed two messages for one place. `Altered`: it signed another message than it posted.
/// `Unposted`: it signed a message and did not post in time. `Unanswered`: it did not show a leaf of its batch.
enum Fault {
    Equivocated,
    Altered,
    Unposted,
    Unanswered
}

/// @notice What a session's server and members agree on; immutable.
/// @param server who posts for the members; set by the board to the creator. It must be able to sign: an account without
/// a key gives no receipts that count. It may have another key sign, see {IBulletinBoard.replaceSigner}
/// @param memberRoot root of the member tree: leaf i binds chain, board, i and the address of member i
/// @param members how many members there are, 1 to 2,047
/// @param rounds how many rounds there are, 1 to 1,023
/// @param start when the first round's uploads open
/// @param uploadTime seconds in which a round's uploads are posted, 600 to 1,048,575 (ten minutes to twelve days)
/// @param evaluationTime seconds after these in which its evaluations are posted, 600 to 1,048,575
/// @param responseTime seconds in which the server must answer a challenge, ten minutes at least and no longer than either
/// time above, so that each member can ask for its leaf of each batch; three of them follow the last round, and then the
/// stake is free
/// @param batchedUploads true: one batch for all uploads of a round; false: a post for each
/// @param batchedEvaluations the same for evaluations
/// @param stake what the server loses when it is convicted, in wei or in the token's units; a multiple of `members`, may
/// be zero
/// @param bond what a challenge costs if it is answered, in the same; it should cover the gas of an answer, and is at most a
/// member's share of the stake, so that who convicts a server by its answer gets the bond back and as much again
/// @param token the ERC-20 that stake and bonds are in, zero for the native coin; none that takes a fee, rebases or can
/// be drained by its owner: whoever is owed in it is paid in it
struct BoardTerms {
    address server;
    bytes32 memberRoot;
    uint16 members;
    uint16 rounds;
    uint40 start;
    uint32 uploadTime;
    uint32 evaluationTime;
    uint32 responseTime;
    bool batchedUploads;
    bool batchedEvaluations;
    uint96 stake;
    uint96 bond;
    address token;
}

/// @notice The place of one message.
/// @param session the session's id
/// @param round counted from zero
/// @param kind of the message
/// @param author index of the member who wrote it
struct PostKey {
    bytes32 session;
    uint256 round;
    MessageKind kind;
    uint256 author;
}

/// @notice The server's word, signed, that the message at `key` is `message` and will be on the board before `deadline`.
/// A receipt of a round that has not begun is worth nothing yet: its signer can still be replaced.
/// It goes to the author when the server gets the message, and with the message to everybody who downloads it. Signed as
/// EIP-712 `Receipt(bytes32 session,uint256 round,uint8 kind,uint256 author,bytes32 message,uint256 deadline)`.
struct Receipt {
    PostKey key;
    bytes32 message;
    uint256 deadline;
    bytes signature;
}

/// @notice A leaf of a batch, as {IBulletinBoard.answerMany} takes it; fields as in {IBulletinBoard.answer}.
struct ShownLeaf {
    PostKey key;
    bytes32 message;
    bytes32[] path;
}

/// @title The trusted bulletin board of collaborative learning: what was said in which round, and what the server signed
/// @notice Times are seconds since 1970, amounts wei or a token's units. See BulletinBoard for the tables of states and of money.
/// What a token or a receiver of coins refuses comes through as it is, as SafeERC20FailedOperation or as FailedCall.
interface IBulletinBoard {
    /// @notice A server looks for members. `document` is the digest in the CID of what it offers, `task` that of what is
    /// to be learned; applications are taken before `until`.
    event Announced(address indexed server, bytes32 document, bytes32 task, uint256 until);
    /// @notice A session was opened; `document` is the digest in the CID of its description, the member list among it.
    event SessionCreated(bytes32 indexed session, address indexed server, BoardTerms terms, bytes32 document);
    /// @notice Receipts of `round` and later ones count where `signer` signed them.
    event SignerReplaced(bytes32 indexed session, uint256 indexed round, address signer);
    /// @notice The server posted one message of a member; `document` is the digest in the CID of a catalogue that lists it.
    event Posted(
        bytes32 indexed session,
        uint256 author,
        uint256 indexed round,
        MessageKind indexed kind,
        bytes32 message,
        bytes32 document
    );
    /// @notice A member posted its message itself; `document` is the digest in the CID of its content.
    event OwnPosted(
        bytes32 indexed session,
        uint256 author,
        uint256 indexed round,
        MessageKind indexed kind,
        bytes32 message,
        bytes32 document
    );
    /// @notice The server posted all messages of one kind of a round; `document` is the digest in the CID of their catalogue.
    event BatchPosted(
        bytes32 indexed session, uint256 indexed round, MessageKind indexed kind, bytes32 root, bytes32 document
    );
    /// @notice A member asked to be shown the author's leaf of a batch; the server must answer before `deadline`.
    event Challenged(
        bytes32 indexed session,
        uint256 author,
        uint256 indexed round,
        MessageKind indexed kind,
        address challenger,
        uint256 deadline
    );
    /// @notice The leaf was shown; the bond is the server's with its stake. A zero message: the batch has none of that member.
    event Answered(
        bytes32 indexed session,
        uint256 author,
        uint256 indexed round,
        MessageKind indexed kind,
        bytes32 message,
        bytes32[] path
    );
    /// @notice A challenge was not answered, or its server convicted; the bond is the challenger's again.
    event ChallengeReturned(bytes32 indexed session, uint256 author, uint256 indexed round, MessageKind indexed kind);
    /// @notice The server was convicted: it may post no more, and its stake is the members'.
    /// @param signed the message it signed, zero if it did not answer
    /// @param found what it signed besides, or posted instead; zero where there is nothing
    /// @param share what every member may claim
    event ServerFaulty(
        bytes32 indexed session,
        address accuser,
        Fault indexed fault,
        uint256 author,
        uint256 indexed round,
        MessageKind kind,
        bytes32 signed,
        bytes32 found,
        uint256 share
    );
    /// @notice A member was paid its share of the stake.
    event ShareClaimed(bytes32 indexed session, uint256 indexed member, address account, uint256 amount);
    /// @notice The server got its stake back, with the bonds of what it answered.
    event StakeWithdrawn(bytes32 indexed session, uint256 amount);
    /// @notice An account was paid its bonds.
    event BondsWithdrawn(address indexed account, address indexed token, uint256 amount);

    error UnknownSession(bytes32 session);
    error SessionExists(bytes32 session);
    error MembersOutOfRange(uint256 members, uint256 limit);
    error RoundsOutOfRange(uint256 rounds, uint256 limit);
    error TimeOutOfRange(uint256 time, uint256 limit);
    error ResponseTimeTooLong(uint256 responseTime, uint256 limit);
    error StartOutOfRange(uint256 start, uint256 earliest, uint256 latest);
    error TokenWithoutCode(address token);
    error StakeNotDivisible(uint256 stake, uint256 members);
    error SessionFaulty(bytes32 session);
    error NotServer(address caller, address server);
    error NotMember(address account, uint256 index);
    error RoundOutOfRange(uint256 round, uint256 rounds);
    error AuthorOutOfRange(uint256 author, uint256 members);
    error TooEarly(uint256 now_, uint256 start);
    error TooLate(uint256 now_, uint256 end);
    error MessageZero();
    error KindBatched(MessageKind kind);
    error KindSingle(MessageKind kind);
    error AlreadyPosted(uint256 postedAt);
    error NotPosted(uint256 round, MessageKind kind, uint256 author);
    error BadSignature(address signer, address expected);
    error DifferentKeys();
    error SameMessage(bytes32 message);
    error PostedInTime(uint256 postedAt, uint256 deadline);
    error LeafNotInBatch(bytes28 root, bytes28 computed);
    error AlreadyChallenged(uint256 round, MessageKind kind, uint256 author);
    error NotChallenged(uint256 round, MessageKind kind, uint256 author);
    error StillAsking(uint256 member);
    error BondTooHigh(uint256 bond, uint256 share);
    error NotFaulty(bytes32 session);
    error AlreadyClaimed(uint256 member);
    error ChallengesOpen(uint256 count);
    error NothingOwed(address account);
    error ServerIsContract(address server);
    error SignerZero();

    /// @notice Tells that the caller looks for members of a session that it means to open. It binds nobody and costs
    /// nothing but gas: a reader compares it with the document, which names its server.
    /// @dev Emits {Announced}. Anybody may call.
    /// @param document digest in the CID of what is offered; not checked, as the others
    /// @param task digest in the CID of the task document, by which offers are searched
    /// @param until when applications end
    function announce(bytes32 document, bytes32 task, uint256 until) external;

    /// @notice Opens a session, with the caller as its server and the stake it sends along.
    /// @dev Emits {SessionCreated}. The id commits to all terms and the document, so whoever knows the id knows what it
    /// takes part in; members check the list against the root before they do.
    /// Requirements:
    /// - the caller can sign receipts: it is no contract (ServerIsContract)
    /// - 1 to 2,047 members (MembersOutOfRange)
    /// - 1 to 1,023 rounds (RoundsOutOfRange)
    /// - the times of uploads, evaluations and responses are 10 minutes to 30 days (Window: WindowOutOfRange), the first
    ///   two at most 1,048,575 seconds (TimeOutOfRange)
    /// - the time of responses is no longer than either of the other two (ResponseTimeTooLong)
    /// - a start that is not past, and at most 60 days off (StartOutOfRange)
    /// - the whole schedule ends before 2106 (TimeOutOfRange)
    /// - the token, if it is one, is a contract (TokenWithoutCode)
    /// - the stake can be shared by all members without rest (StakeNotDivisible)
    /// - the bond is at most a member's share of the stake (BondTooHigh)
    /// - no session has the same terms and document (SessionExists)
    /// - exactly the stake is sent, or no coin where a token pays (WrongPayment)
    /// - the token delivers all of it (TokenTakesFee)
    /// @param terms_ as agreed; `server` is ignored
    /// @param document digest in the CID of the session's description
    /// @return session its id
    function createSession(BoardTerms calldata terms_, bytes32 document) external payable returns (bytes32 session);

    /// @notice Has receipts signed by another key, from the next round on that has not begun. Receipts of rounds before
    /// count as they did: whoever has an old key can still speak for these, and for no later one.
    /// @dev Emits {SignerReplaced}. Before the first round, the first counts as the next.
    /// Requirements:
    /// - the session is known (UnknownSession)
    /// - its server is not convicted (SessionFaulty)
    /// - the caller is the server (NotServer)
    /// - there is a signer, and it can sign: it is no contract (SignerZero, ServerIsContract)
    /// - a round is left that has not begun (RoundOutOfRange)
    /// @param signer whose signatures count from then on; the server's own account among others
    function replaceSigner(bytes32 session, address signer) external;

    /// @notice Posts the hash of one member's message.
    /// @dev Emits {Posted}.
    /// Requirements:
    /// - the session is known (UnknownSession)
    /// - its server is not convicted (SessionFaulty)
    /// - the caller is the server (NotServer)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    /// - the kind is posted singly (KindBatched)
    /// - now is in the window of the round and kind (TooEarly, TooLate)
    /// - the message is not zero (MessageZero)
    /// - nothing was posted there (AlreadyPosted)
    /// @param document digest in the CID of a catalogue with this one entry; not checked
    function post(PostKey calldata key, bytes32 message, bytes32 document) external;

    /// @notice Posts the root over all members' messages of one round and kind.
    /// @dev Emits {BatchPosted}. Leaf i binds chain, board, session, round, kind, i and the message of member i, zero for
    /// none; there are as many leaves as members. Whoever posts a root must be able to show every leaf (see {challenge}).
    /// Requirements:
    /// - the session is known (UnknownSession)
    /// - its server is not convicted (SessionFaulty)
    /// - the caller is the server (NotServer)
    /// - the session has that round (RoundOutOfRange)
    /// - the kind is batched (KindSingle)
    /// - now is in the window of the round and kind (TooEarly, TooLate)
    /// - the root is not zero (MessageZero)
    /// - nothing was posted there (AlreadyPosted)
    /// @param document digest in the CID of the batch's catalogue; not checked
    function postBatch(bytes32 session, uint256 round, MessageKind kind, bytes32 root, bytes32 document) external;

    /// @notice Posts one's own message, where the server withholds or alters it. What an author posts itself is what
    /// counts, whatever the server posts; it neither hinders nor excuses the server.
    /// @dev Emits {OwnPosted}.
    /// Requirements:
    /// - the session is known (UnknownSession)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    /// - the path holds exactly the siblings (MerkleTree: ProofLength)
    /// - the caller is member `key.author` (NotMember)
    /// - now is in the window of the round and kind (TooEarly, TooLate)
    /// - the message is not zero (MessageZero)
    /// - the caller posted nothing there before (AlreadyPosted)
    /// @param document digest in the CID of the message's content; not checked
    /// @param path siblings from the caller's leaf to the member root
    function postOwn(PostKey calldata key, bytes32 message, bytes32 document, bytes32[] calldata path) external;

    /// @notice Convicts a server that signed two messages for one place.
    /// @dev Emits {ServerFaulty}. Anybody may call.
    /// Requirements:
    /// - the session is known (UnknownSession)
    /// - its server is not convicted (SessionFaulty)
    /// - now is before the end of accusations (TooLate)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    /// - the round's signer signed both receipts (BadSignature, ECDSAInvalidSignature, ECDSAInvalidSignatureLength,
    ///   ECDSAInvalidSignatureS)
    /// - both are for one place (DifferentKeys)
    /// - they name two messages (SameMessage)
    function proveEquivocation(Receipt calldata one, Receipt calldata other) external;

    /// @notice Convicts a server that signed another message than it posted singly.
    /// @dev Emits {ServerFaulty}. Anybody may call.
    /// Requirements:
    /// - the session is known (UnknownSession)
    /// - its server is not convicted (SessionFaulty)
    /// - now is before the end of accusations (TooLate)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    /// - the round's signer signed it (BadSignature, ECDSAInvalidSignature, ECDSAInvalidSignatureLength,
    ///   ECDSAInvalidSignatureS)
    /// - the kind is posted singly (KindBatched)
    /// - the server posted something there (NotPosted)
    /// - it posted something else (SameMessage)
    function proveAltered(Receipt calldata receipt) external;

    /// @notice Convicts a server that signed another message than its batch holds.
    /// @dev Emits {ServerFaulty}. Anybody may call.
    /// Requirements:
    /// - the session is known (UnknownSession)
    /// - its server is not convicted (SessionFaulty)
    /// - now is before the end of accusations (TooLate)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    /// - the round's signer signed it (BadSignature, ECDSAInvalidSignature, ECDSAInvalidSignatureLength,
    ///   ECDSAInvalidSignatureS)
    /// - the kind is batched (KindSingle)
    /// - a root was posted (NotPosted)
    /// - the path holds exactly the siblings (MerkleTree: ProofLength)
    /// - the batch has that leaf (LeafNotInBatch)
    /// - the leaf differs from what was signed (SameMessage)
    /// @param posted the message in the author's leaf, zero for none
    /// @param path siblings from that leaf to the root
    function proveAlteredInBatch(Receipt calldata receipt, bytes32 posted, bytes32[] calldata path) external;

    /// @notice Convicts a server that signed a message and posted nothing there before the receipt's deadline, or, if
    /// that comes first, the end of the window. For a batched kind that is the root.
    /// @dev Emits {ServerFaulty}. Anybody may call.
    /// Requirements:
    /// - the session is known (UnknownSession)
    /// - its server is not convicted (SessionFaulty)
    /// - now is before the end of accusations (TooLate)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    /// - the round's signer signed it (BadSignature, ECDSAInvalidSignature, ECDSAInvalidSignatureLength,
    ///   ECDSAInvalidSignatureS)
    /// - the deadline has passed (TooEarly)
    /// - nothing was posted before it (PostedInTime)
    function proveUnposted(Receipt calldata receipt) external;

    /// @notice Asks the server to show on chain which message its batch has at `key`. Once for each place.
    /// @dev Emits {Challenged}.
    /// Requirements:
    /// - the session is known (UnknownSession)
    /// - its server is not convicted (SessionFaulty)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    /// - member number `member` exists (AuthorOutOfRange)
    /// - the path holds exactly the siblings (MerkleTree: ProofLength)
    /// - the caller is that member (NotMember)
    /// - the kind is batched (KindSingle)
    /// - a root was posted (NotPosted)
    /// - at most one response time has passed since the last round (TooLate)
    /// - nobody asked before (AlreadyChallenged)
    /// - the member has no other challenge open (StillAsking)
    /// - exactly the bond is sent, or no coin where a token pays (WrongPayment)
    /// - the token delivers all of it (TokenTakesFee)
    function challenge(PostKey calldata key, uint256 member, bytes32[] calldata path) external payable;

    /// @notice Answers a challenge. Anybody may call; the bond is the server's with its stake.
    /// @dev Emits {Answered}.
    /// Requirements:
    /// - the session is known (UnknownSession)
    /// - its server is not convicted (SessionFaulty)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    /// - there is such a challenge, open (NotChallenged)
    /// - now is before its deadline (TooLate)
    /// - the path holds exactly the siblings (MerkleTree: ProofLength)
    /// - the batch has that leaf (LeafNotInBatch)
    /// @param message in the author's leaf, zero for none
    /// @param path siblings from that leaf to the root
    function answer(PostKey calldata key, bytes32 message, bytes32[] calldata path) external;

    /// @notice Answers many challenges at once. Anybody may call; those that are not open are passed over.
    /// @dev Emits {Answered} for each that is answered.
    /// Requirements, for each:
    /// - the session is known (UnknownSession)
    /// - its server is not convicted (SessionFaulty)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    /// - the path holds exactly the siblings (MerkleTree: ProofLength)
    /// - the batch has that leaf (LeafNotInBatch)
    function answerMany(ShownLeaf[] calldata leaves) external;

    /// @notice Gives the bond of an unanswered challenge back, and convicts the server if it is not convicted yet; of a
    /// convicted server also that of an answered one. Anybody may call, for ever.
    /// @dev Emits {ChallengeReturned}, and {ServerFaulty} if it convicts.
    /// Requirements:
    /// - the session is known (UnknownSession)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    /// - there is such a challenge, open, or answered by a server that is convicted, and not returned (NotChallenged)
    /// - its deadline has passed, or the server is convicted already (TooEarly)
    function settle(PostKey calldata key) external;

    /// @notice Pays the caller its share of a convicted server's stake.
    /// @dev Emits {ShareClaimed}.
    /// Requirements:
    /// - the session is known (UnknownSession)
    /// - its server is convicted (NotFaulty)
    /// - member number `member` exists (AuthorOutOfRange)
    /// - the path holds exactly the siblings (MerkleTree: ProofLength)
    /// - the caller is that member (NotMember)
    /// - it has not been paid (AlreadyClaimed)
    /// - there was a stake (NothingOwed)
    /// - there is a receiver (NoReceiver)
    /// @param to who gets it
    function claimShare(bytes32 session, uint256 member, bytes32[] calldata path, address to) external;

    /// @notice Pays the server its stake back, and the bonds of what it answered.
    /// @dev Emits {StakeWithdrawn}.
    /// Requirements:
    /// - the session is known (UnknownSession)
    /// - its server is not convicted (SessionFaulty)
    /// - the caller is the server (NotServer)
    /// - accusations have ended (TooEarly)
    /// - no challenge is open (ChallengesOpen)
    /// - there is a stake that was not paid back (NothingOwed)
    /// - there is a receiver (NoReceiver)
    /// @param to who gets it
    function withdrawStake(bytes32 session, address to) external;

    /// @notice Pays the caller the bonds it is owed.
    /// @dev Emits {BondsWithdrawn}.
    /// Requirements:
    /// - there are some (NothingOwed)
    /// - there is a receiver (NoReceiver)
    /// @param token what they are in; zero for the native coin
    /// @param to who gets them
    function withdrawBonds(address token, address to) external;

    /// @notice A session's terms.
    /// @dev Requirements:
    /// - the session is known (UnknownSession)
    function terms(bytes32 session) external view returns (BoardTerms memory);

    /// @notice Whose signature makes a receipt of a round count; for a round that has not begun, as it stands now.
    /// @dev Requirements:
    /// - the session is known (UnknownSession)
    /// - the session has that round (RoundOutOfRange)
    function signerOf(bytes32 session, uint256 round) external view returns (address);

    /// @notice How a session stands.
    /// @dev Requirements:
    /// - the session is known (UnknownSession)
    /// @return faulty whether its server was convicted
    /// @return openChallenges challenges that are neither answered nor settled
    /// @return stakeWithdrawn whether the server got its stake back
    function status(bytes32 session) external view returns (bool faulty, uint256 openChallenges, bool stakeWithdrawn);

    /// @notice When a round's messages of one kind are posted: [start, end).
    /// @dev Requirements:
    /// - the session is known (UnknownSession)
    /// - the session has that round (RoundOutOfRange)
    function windowOf(bytes32 session, uint256 round, MessageKind kind)
        external
        view
        returns (uint256 start, uint256 end);

    /// @notice When accusations against a session's server end.
    /// @dev Requirements:
    /// - the session is known (UnknownSession)
    function accusationEnd(bytes32 session) external view returns (uint256);

    /// @notice What the server posted at `key`, zeros for nothing: the first 28 bytes of the message, and when. For a
    /// batched kind those of the root of all authors. {Posted} and {BatchPosted} have all 32 bytes.
    /// @dev Requirements:
    /// - the session is known (UnknownSession)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    function postOf(PostKey calldata key) external view returns (bytes28 digest, uint256 postedAt);

    /// @notice What the author posted itself at `key`, zeros for nothing.
    /// @dev Requirements:
    /// - the session is known (UnknownSession)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    function ownPostOf(PostKey calldata key) external view returns (bytes28 digest, uint256 postedAt);

    /// @notice Whether `message` is what counts at `key`: the author's own post, or else what the server posted. It may
    /// change until the window ends, since the author may still post.
    /// @dev Requirements:
    /// - the session is known (UnknownSession)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    /// - where the batch decides, the path fits the number of members (MerkleTree: ProofLength)
    /// @param path siblings from the author's leaf to the root where the batch decides; else ignored
    function isPosted(PostKey calldata key, bytes32 message, bytes32[] calldata path) external view returns (bool);

    /// @notice Whether there is nothing at `key`, for good: the author posted nothing itself, and the server nothing or a
    /// batch with an empty leaf there.
    /// @dev Requirements:
    /// - the session is known (UnknownSession)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    /// - the window of the round and kind is over (TooEarly)
    /// - where a batch decides, the path fits the number of members (MerkleTree: ProofLength)
    /// @param path siblings from the author's empty leaf to the root where the batch decides; else ignored
    function isEmpty(PostKey calldata key, bytes32[] calldata path) external view returns (bool);

    /// @notice The challenge at `key`.
    /// @dev Requirements:
    /// - the session is known (UnknownSession)
    /// - the session has that round (RoundOutOfRange)
    /// - the author is a member (AuthorOutOfRange)
    /// @return challenger who asked and was not paid back; zero for nobody
    /// @return deadline when the time to answer ends, or ended
    /// @return answered whether the leaf was shown
    function challengeOf(PostKey calldata key)
        external
        view
        returns (address challenger, uint256 deadline, bool answered);

    /// @notice Whether a member was paid its share of the stake.
    function isShareClaimed(bytes32 session, uint256 member) external view returns (bool);

    /// @notice What {withdrawBonds} would pay an account in a token, or, for zero, in the native coin.
    function owed(address token, address account) external view returns (uint256);

    /// @notice Of these rules: 4.
    function version() external pure returns (uint256);

    /// @notice The EIP-712 digest that a receipt's signature is for; the signature itself is ignored.
    function receiptDigest(Receipt calldata receipt) external view returns (bytes32);
}
