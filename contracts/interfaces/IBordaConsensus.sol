// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice Whether the newest round takes ballots, is being closed, or is over.
enum State {
    Closed,
    Open,
    Closing
}

/// @notice What the members of a session agree on; immutable once it exists.
/// @param owner the board's server, set by the factory to its caller; it has no powers here
/// @param context the id of the bulletin board's session that it belongs to; signed with every ballot
/// @param winners how many uploads win (M), which is also how many names a ballot ranks
/// @param quorum a round with fewer ballots, or commitments to them, has no winners; below a majority, few can decide for all
/// @param rounds how many rounds there are, set by the factory to the board's: in later ones nobody could upload
/// @param start when ballots of round 0 open: with the board's first window for evaluations
/// @param period seconds from there to the ballots of round 1, and so on: that of the board's rounds
/// @param ballotTime seconds in which a round takes ballots, or commitments to them
/// @param revealTime seconds in which commitments are opened afterwards; 0: ballots are cast openly at once
struct BordaTerms {
    address owner;
    bytes32 context;
    uint16 winners;
    uint16 quorum;
    uint16 rounds;
    uint40 start;
    uint32 period;
    uint32 ballotTime;
    uint32 revealTime;
}

/// @notice A ballot that anybody may carry.
/// @param round the round it is for
/// @param voter the index of the member who signed it
/// @param form 0: a ranking, 1: scores
/// @param content a ranking names `winners` members, best first, in one byte each with up to 256 members, else in two;
/// scores are two bytes for every member, zero for the voter itself; all big-endian
/// @param r of the voter's signature
/// @param vs s of the signature, with the parity of the point in the highest bit (EIP-2098)
struct SignedBallot {
    uint256 round;
    uint256 voter;
    uint256 form;
    bytes content;
    bytes32 r;
    bytes32 vs;
}

/// @title Which uploads of a round enter the shared model, decided by those who train it (SecCL)
/// @notice Members are known by their index in the session's list, and so are their uploads; rounds
/// are counted from zero, as on the bulletin board. See BordaConsensus for the
/// state table. A ballot counts for the round, session, contract and chain it was made for, once.
interface IBordaConsensus {
    /// @notice A round takes ballots until `ballotEnd`, and openings of commitments until `revealEnd`, which are equal
    /// where ballots are open. Ties of this round are broken by `seed`.
    event RoundOpened(uint256 indexed round, address opener, bytes16 seed, uint256 ballotEnd, uint256 revealEnd);
    /// @notice A member committed to a ballot.
    event Committed(uint256 indexed round, uint256 indexed voter, bytes32 commitment);
    /// @notice A ballot was counted.
    event BallotCounted(uint256 indexed round, uint256 indexed voter, uint256 form, bytes content);
    /// @notice Call number `position` of a batch was refused with `reason`, the data of its error.
    event CallRefused(uint256 indexed position, bytes reason);
    /// @notice A member uploaded nothing in the round, and cannot be elected in it.
    event ReportedAbsent(uint256 indexed round, uint256 indexed member);
    /// @notice The closing has looked at `candidates` candidates and needs another call.
    event RoundClosing(uint256 indexed round, uint256 candidates);
    /// @notice The round is over. Winners stand in their order, the highest first, beside their points; there are none
    /// where no ballot was counted, or fewer than the quorum voted or, with hidden ballots, committed. Who committed and did
    /// not open, or was reported absent, is none of them, so there may be fewer than `winners`.
    event RoundClosed(uint256 indexed round, uint256 ballots, uint256[] winners, uint256[] points);

    error NotMember(address caller, uint256 index);
    error UnknownMember(uint256 index, uint256 members);
    error TooEarly(uint256 time, uint256 start);
    error TooLate(uint256 time, uint256 end);
    /// @dev The newest round is number rounds - 1; before the first, `rounds` is 0.
    error WrongRound(uint256 round, uint256 rounds);
    error RoundNotOpen(uint256 round);
    error RoundNotOver(uint256 round);
    error RoundOutOfRange(uint256 round, uint256 rounds);
    error SeedNotReady(uint256 blockNumber, uint256 first);
    error BallotsAreHidden();
    error BallotsAreOpen();
    error UnknownForm(uint256 form);
    error AlreadyVoted(uint256 round, uint256 voter);
    error AlreadyCommitted(uint256 round, uint256 voter);
    error CommitmentZero();
    error NotCommitted(uint256 round, uint256 voter);
    error WrongOpening(uint256 round, uint256 voter);
    error WrongSignature(address voter, address recovered);
    /// @dev Contracts sign nothing here (ERC-1271 is not asked): such a member votes by its own calls.
    error SignerIsContract(address voter);
    error NothingToDo();
    error AlreadyAbsent(uint256 round, uint256 member);
    error NotAbsent(uint256 round, uint256 member);

    // ---------------------------------------------------------------- rounds

    /// @notice Opens a round when its time has come. Anybody may call: the times of a round are those of the terms, whoever
    /// opens it and whenever. A round that nobody opens before its ballots end is left out, and has no winners.
    /// @dev Emits {RoundOpened}. The seed for ties comes from the block in which the last round was closed, or else the
    /// session was created: nobody knew its hash by then. After 8,191 blocks (256 on chains without EIP-2935) that hash is
    /// gone, and the seed is a constant of session and round: waiting gives no further one.
    /// Requirements:
    /// - the last round that was opened is closed (RoundNotOver)
    /// - this is a later one (WrongRound)
    /// - the session has that round (RoundOutOfRange)
    /// - its ballots have opened by the terms, and not ended (TooEarly, TooLate)
    /// - a block has passed since the last round was closed, or else the creation (SeedNotReady)
    /// @param round its number; the first is 0
    function openRound(uint256 round) external;

    /// @notice Takes a member that uploaded nothing in the round out of its election. Anybody may call, until the closing
    /// begins.
    /// @dev Emits {ReportedAbsent}. The uploads of a round have ended when its ballots open, so nothing can be added. What
    /// the server posted in a member's name counts as its upload here, though readers ignore what it did not sign.
    /// Requirements:
    /// - there is such a member (UnknownMember)
    /// - the round is the newest (WrongRound)
    /// - the round is open (RoundNotOpen)
    /// - nobody has reported it (AlreadyAbsent)
    /// - where a batch decides, the path fits the number of members (MerkleTree: ProofLength)
    /// - the board has no upload of the member for the round: none of its own, and none of the server's (NotAbsent)
    /// @param round its number
    /// @param member its index
    /// @param path siblings from the member's empty leaf to the root of the round's uploads, where these are batched and
    /// a batch was posted; else ignored
    function reportAbsent(uint256 round, uint256 member, bytes32[] calldata path) external;

    /// @notice Looks at the next candidates and keeps the highest; the call that looks at the last closes the round.
    /// Anybody may call.
    /// @dev Emits {RoundClosing} or {RoundClosed}. Looks at no more than 256 candidates, however many are asked for; the
    /// calls of a closing may ask for any numbers.
    /// Requirements:
    /// - the round is the newest (WrongRound)
    /// - it is open or being closed (RoundNotOpen)
    /// - some candidates are asked for (NothingToDo)
    /// - its windows are over, or all members have voted (TooEarly)
    /// @param round its number
    /// @param candidates how many to look at
    function close(uint256 round, uint256 candidates) external;

    // ---------------------------------------------------------------- ballots

    /// @notice A member casts its ballot.
    /// @dev Emits {BallotCounted}.
    /// Requirements:
    /// - the session takes open ballots (BallotsAreHidden)
    /// - there is such a member (UnknownMember)
    /// - the caller is that member (NotMember)
    /// - the round is the newest (WrongRound)
    /// - the round is open (RoundNotOpen)
    /// - the round takes ballots (TooLate)
    /// - the member has not voted in it (AlreadyVoted)
    /// - the ballot has a known form (UnknownForm)
    /// - a ranking has `winners` names (Borda: RankingLength)
    /// - a ranking names members alone (Borda: UnknownCandidate)
    /// - no name stands in it twice (Borda: DuplicateCandidate)
    /// - scores are as many as members (Borda: ScoresLength)
    /// - the voter does not vote for itself (Borda: SelfVote)
    /// @param round the round
    /// @param voter the caller's index
    /// @param form as in {SignedBallot}
    /// @param content as in {SignedBallot}
    function vote(uint256 round, uint256 voter, uint256 form, bytes calldata content) external;

    /// @notice Anybody casts a member's signed ballot.
    /// @dev Emits {BallotCounted}.
    /// Requirements:
    /// - the session takes open ballots (BallotsAreHidden)
    /// - there is such a member (UnknownMember)
    /// - the round is the newest (WrongRound)
    /// - the round is open (RoundNotOpen)
    /// - the round takes ballots (TooLate)
    /// - the member signed exactly this for this round (WrongSignature; SignerIsContract where it cannot sign)
    /// - the member has not voted in it (AlreadyVoted)
    /// - the ballot has a known form (UnknownForm)
    /// - a ranking has `winners` names (Borda: RankingLength)
    /// - a ranking names members alone (Borda: UnknownCandidate)
    /// - no name stands in it twice (Borda: DuplicateCandidate)
    /// - scores are as many as members (Borda: ScoresLength)
    /// - the voter does not vote for itself (Borda: SelfVote)
    function voteSigned(SignedBallot calldata ballot) external;

    /// @notice A member commits to a ballot, which cannot be changed any more.
    /// @dev Emits {Committed}.
    /// Requirements:
    /// - the session takes hidden ballots (BallotsAreOpen)
    /// - there is such a member (UnknownMember)
    /// - the caller is that member (NotMember)
    /// - the round is the newest (WrongRound)
    /// - the round is open (RoundNotOpen)
    /// - the round takes commitments (TooLate)
    /// - its first 30 bytes are not all zero (CommitmentZero)
    /// - the member has not committed in it (AlreadyCommitted)
    /// @param round the round
    /// @param voter the caller's index
    /// @param commitment BallotHash.hide of the ballot
    function commit(uint256 round, uint256 voter, bytes32 commitment) external;

    /// @notice Anybody brings a member's signed commitment.
    /// @dev Emits {Committed}.
    /// Requirements:
    /// - the session takes hidden ballots (BallotsAreOpen)
    /// - there is such a member (UnknownMember)
    /// - the member signed exactly this for this round (WrongSignature; SignerIsContract where it cannot sign)
    /// - the round is the newest (WrongRound)
    /// - the round is open (RoundNotOpen)
    /// - the round takes commitments (TooLate)
    /// - its first 30 bytes are not all zero (CommitmentZero)
    /// - the member has not committed in it (AlreadyCommitted)
    function commitSigned(uint256 round, uint256 voter, bytes32 commitment, bytes32 r, bytes32 vs) external;

    /// @notice Anybody who knows it opens a member's commitment; the ballot then counts.
    /// @dev Emits {BallotCounted}.
    /// Requirements:
    /// - the session takes hidden ballots (BallotsAreOpen)
    /// - there is such a member (UnknownMember)
    /// - the round is the newest (WrongRound)
    /// - the round is open (RoundNotOpen)
    /// - commitments are being opened (TooEarly, TooLate)
    /// - the member has committed in it (NotCommitted)
    /// - it committed to just this (WrongOpening)
    /// - the member has not voted in it (AlreadyVoted)
    /// - the ballot has a known form (UnknownForm)
    /// - a ranking has `winners` names (Borda: RankingLength)
    /// - a ranking names members alone (Borda: UnknownCandidate)
    /// - no name stands in it twice (Borda: DuplicateCandidate)
    /// - scores are as many as members (Borda: ScoresLength)
    /// - the voter does not vote for itself (Borda: SelfVote)
    /// @param round the round
    /// @param voter whose commitment it is
    /// @param form as in {SignedBallot}
    /// @param content as in {SignedBallot}
    /// @param salt what the commitment was hidden with
    function reveal(uint256 round, uint256 voter, uint256 form, bytes calldata content, bytes32 salt) external;

    /// @notice Makes many calls of this contract for the caller. One that is refused changes nothing and is reported;
    /// the others count.
    /// @dev Emits {CallRefused} for each refused call.
    /// @param calls the data of each call
    function batch(bytes[] calldata calls) external;

    // ---------------------------------------------------------------- views

    /// @notice Of these rules: 3.
    function version() external pure returns (uint256);

    /// @notice What was agreed on.
    function terms() external view returns (BordaTerms memory);

    /// @notice The accounts of all members, by index.
    function members() external view returns (address[] memory);

    /// @notice The newest round.
    /// @return rounds the newest is number rounds - 1; 0 before the first was opened
    /// @return state whether it is open; Open also between its windows' end and its closing
    /// @return ballotEnd when it stops taking ballots or commitments; 0 before the first was opened
    /// @return revealEnd when it stops taking openings; equal to `ballotEnd` where ballots are open
    /// @return seed what breaks its ties
    /// @return candidates how many candidates its closing has looked at, while it lasts
    function newestRound()
        external
        view
        returns (uint256 rounds, State state, uint256 ballotEnd, uint256 revealEnd, bytes16 seed, uint256 candidates);

    /// @notice Whether a member's ballot was counted in the newest round.
    /// @dev Requirements:
    /// - there is such a member (UnknownMember)
    function hasVoted(uint256 voter) external view returns (bool);

    /// @notice The first 30 bytes of a member's commitment in the newest round; zero without one.
    /// @dev Requirements:
    /// - there is such a member (UnknownMember)
    function commitmentOf(uint256 voter) external view returns (bytes30);

    /// @notice The points of all candidates in the newest round so far.
    function points() external view returns (uint256[] memory);

    /// @notice The result of any round that is over, the highest first; empty without a quorum, and for a round that nobody
    /// opened.
    /// @dev Requirements:
    /// - the round is closed, or can no more be opened (RoundNotOver)
    function result(uint256 round) external view returns (uint256[] memory winners, uint256[] memory winnersPoints);
}
