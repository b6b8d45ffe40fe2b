// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Settlement} from "../exchange/Settlement.sol";

/// @notice The four states of a session (HyperX, section 3.1.2), and one that only sealed settlement knows: the key is
/// delivered and may be disputed.
enum State {
    Pending,
    Reviewing,
    Reviewed,
    Delivered,
    Closed
}

/// @notice What collector and providers agree on (the paper's SC_config); immutable once a session exists.
/// @param collector who buys; set by the factory to its caller
/// @param token ERC-20 that pays reward and deposits; zero for the native coin. Amounts below 2^96 units; a token whose
/// balances change by themselves (rebasing) is not supported, and one that keeps a share of transfers is refused
/// @param reward paid to the chosen provider for its dataset, in the smallest unit
/// @param deposit what a provider locks to take part, returned unless it misbehaves
/// @param sampleBps largest share of shards that sample and review may open together, in 1/10,000 (CF%)
/// @param penaltyBps share of the deposit a candidate loses that never opens its review, in 1/10,000
/// @param shardCount number of shards of every dataset
/// @param shardSize number of samples in every shard
/// @param furtherReviews how many refused reviews may be followed by another one; the paper has none
/// @param publishedAddresses true: manifests show the shards' addresses from the start; false: claim or delivery reveals them
/// @param settlement how the key is delivered
/// @param registrationEnd registrations are taken before this time
/// @param submissionEnd features are taken before this time, samples until ten minutes before; candidates are set from it on
/// @param expiry when every window has closed
/// @param responseTime seconds each side has for its next step once a candidate is set, a dispute included
/// @param task digest in the CID of the task document in the datastore: classes, licence, preprocessing, extractor
/// @param encryptionKey the collector's X25519 key, to which features are sealed
struct TradingTerms {
    address collector;
    address token;
    uint96 reward;
    uint96 deposit;
    uint16 sampleBps;
    uint16 penaltyBps;
    uint16 shardCount;
    uint32 shardSize;
    uint8 furtherReviews;
    bool publishedAddresses;
    Settlement settlement;
    uint40 registrationEnd;
    uint40 submissionEnd;
    uint40 expiry;
    uint32 responseTime;
    bytes32 task;
    bytes32 encryptionKey;
}

/// @notice What a candidate opens for review.
/// @param keyRoot root of the key tree, as registered
/// @param addressRoot root of the address tree, as registered; zero where addresses are hidden: the proof yields it
/// @param oneTimeKey x of the collector's one-time key, as set with the candidate
/// @param ephemeralX x-coordinate of the provider's ephemeral point with even y, below the group order
/// @param bitmap the sampled set: shard i is bit `i % 256` of word `i / 256`
/// @param sealedKeys keys of the opened shards, sampled and further ones, in ascending order, each xor-ed with its pad
/// (SealedKey.pad)
/// @param addresses addresses of the opened shards; empty where addresses are published
/// @param proof sibling nodes for the addresses, level by level from the leaves; empty where addresses are published
struct Review {
    bytes32 keyRoot;
    bytes32 addressRoot;
    uint256 oneTimeKey;
    uint256 ephemeralX;
    uint256[] bitmap;
    bytes32[] sealedKeys;
    bytes32[] addresses;
    bytes32[] proof;
}

/// @notice Evidence that a review delivered a key that is not the committed one.
/// @param keyRoot root of the key tree, as registered
/// @param addressRoot root of the address tree, as registered
/// @param bitmap the opened set, sampled and further shards
/// @param ephemeralX as in the review
/// @param sealedKeys as in the review
/// @param oneTimeKey x of the one-time key set with the candidate
/// @param oneTimeSecret private key of that one-time key, the one whose y is even
/// @param sharedX x of the product oneTimeSecret * ephemeral point; ignored if there is no such point
/// @param sharedY either y of that x; the sign does not matter
/// @param shard index of the sampled shard whose key is wrong
/// @param leaf the shard's leaf in the key tree
/// @param path sibling nodes from that leaf to `keyRoot`
struct WrongKey {
    bytes32 keyRoot;
    bytes32 addressRoot;
    uint256[] bitmap;
    uint256 ephemeralX;
    bytes32[] sealedKeys;
    uint256 oneTimeKey;
    uint256 oneTimeSecret;
    uint256 sharedX;
    uint256 sharedY;
    uint256 shard;
    bytes32 leaf;
    bytes32[] path;
}

/// @notice What the chosen provider delivers under sealed settlement.
/// @param ephemeralX x-coordinate of a fresh ephemeral point with even y, below the group order
/// @param sealedKey the session key xor-ed with SealedKey.pad(x of the shared point, Evidence.SESSION_KEY_INDEX)
/// @param keyRoot root of the key tree where addresses are hidden; else not read, as are the next two
/// @param sampleHash keccak256 of the words of the opened set's bitmap
/// @param reviewHash hash of the opened review (Shards.reviewHash)
/// @param addresses addresses of all shards where they are hidden; else empty. They lead to ciphertexts, so that nothing
/// plain is disclosed by them.
struct Delivery {
    uint256 ephemeralX;
    bytes32 sealedKey;
    bytes32 keyRoot;
    bytes32 sampleHash;
    bytes32 reviewHash;
    bytes32[] addresses;
}

/// @notice Evidence that a delivered session key does not yield the committed key of one shard.
/// @param keyRoot root of the key tree, as registered
/// @param addressRoot root of the address tree, as registered
/// @param sampleHash keccak256 of the words of the opened set's bitmap
/// @param reviewX ephemeralX of the review
/// @param reviewKeysHash keccak256 of the sealed keys of the review
/// @param ephemeralX as in the delivery
/// @param sealedKey as in the delivery
/// @param oneTimeKey x of the one-time key set with the candidate
/// @param oneTimeSecret private key of that one-time key, the one whose y is even
/// @param sharedX x of the product oneTimeSecret * ephemeral point; ignored if there is no such point
/// @param sharedY either y of that x; the sign does not matter
/// @param shard index of a shard, sampled or not, whose committed key does not derive from the delivered session key
/// @param leaf the shard's leaf in the key tree
/// @param path sibling nodes from that leaf to `keyRoot`
struct WrongDelivery {
    bytes32 keyRoot;
    bytes32 addressRoot;
    bytes32 sampleHash;
    uint256 reviewX;
    bytes32 reviewKeysHash;
    uint256 ephemeralX;
    bytes32 sealedKey;
    uint256 oneTimeKey;
    uint256 oneTimeSecret;
    uint256 sharedX;
    uint256 sharedY;
    uint256 shard;
    bytes32 leaf;
    bytes32[] path;
}

/// @title One HyperX trading session: a collector recruits the best of many providers' datasets
/// @notice The rules of the paper's Figure 3 with escrow, deadlines and penalties. See TradingSession for the state table.
/// What a token or a receiver of coins refuses comes through as it is, as SafeERC20FailedOperation or as FailedCall.
interface ITradingSession {
    /// @notice A provider joined with the dataset of these two roots.
    event Registered(address indexed provider, bytes32 keyRoot, bytes32 addressRoot, bytes32 manifest);
    /// @notice The secret behind `commitment` and the hash of the block after `requestBlock` will decide the sample.
    event SampleRequested(address indexed provider, bytes32 commitment, uint256 requestBlock);
    /// @notice The sample is fixed.
    event Sampled(address indexed provider, uint256[] bitmap);
    /// @notice The sample's features lie sealed in the datastore.
    event FeaturesSubmitted(address indexed provider, bytes32 features);
    /// @notice The collector asks for a review, sealed to the one-time key with even y at `oneTimeKey`, until `deadline`.
    event CandidateSet(address indexed provider, uint256 oneTimeKey, uint256 deadline);
    /// @notice The candidate opened its sample; the collector may decide until `deadline`.
    event ReviewSubmitted(
        address indexed provider, uint256 ephemeralX, bytes32[] sealedKeys, bytes32[] addresses, uint256 deadline
    );
    /// @notice The review came to nothing: the collector refused it, or let its time pass.
    event ReviewRefused(address indexed provider, uint256 compensation, bool byCollector);
    /// @notice The collector declared the opened samples rubbish: it and the candidate lost `burned` each, nobody got it.
    event RubbishDeclared(address indexed provider, uint256 burned);
    /// @notice The candidate sealed a key that does not open its commitment.
    event WrongKeyProved(address indexed provider, uint256 shard, uint256 forfeited);
    /// @notice The candidate opened nothing in time.
    event CandidateSilent(address indexed provider, uint256 forfeited);
    /// @notice The review was accepted; the provider may claim until `deadline`.
    event OptimalSet(address indexed provider, uint256 deadline);
    /// @notice The chosen provider neither claimed nor delivered in time.
    event OptimalSilent(address indexed provider, uint256 forfeited);
    /// @notice Data and reward changed hands; `addresses` is empty where these were published before.
    event RewardClaimed(address indexed provider, bytes32 sessionKey, bytes32[] addresses, uint256 paid);
    /// @notice What a claim should have paid could not be paid: the provider is owed it, for {claimDeposit} to pay.
    event RewardCredited(address indexed provider, uint256 owed);
    /// @notice The session key was delivered sealed; the collector may dispute it until `deadline`. `addresses` is empty
    /// where these were published before.
    event KeyDelivered(
        address indexed provider, uint256 ephemeralX, bytes32 sealedKey, bytes32[] addresses, uint256 deadline
    );
    /// @notice The delivered session key does not open the provider's commitment.
    event WrongDeliveryProved(address indexed provider, uint256 shard, uint256 forfeited);
    /// @notice Nobody disputed the delivery in time; the provider is owed `reward` beside its deposit.
    event DeliveryUndisputed(address indexed provider, uint256 reward);
    /// @notice The session is over, with a deal or without.
    event SessionClosed(bool deal);
    /// @notice A provider was paid out.
    event DepositClaimed(address indexed provider, uint256 paid);
    /// @notice The collector was paid out.
    event EscrowReclaimed(uint256 paid);

    error NotCollector(address caller, address collector);
    error NotCandidate(address caller, address candidate);
    error NotProvider(address account);
    error TooEarly(uint256 now_, uint256 start);
    error TooLate(uint256 now_, uint256 end);
    error WrongState(State state, State needed);
    error AlreadyRegistered(address provider);
    error AlreadySampled(address provider);
    error NotSampled(address provider);
    error SampleSizeOutOfRange(uint256 sampled, uint256 limit);
    error DrawNotRequested(address provider);
    error DrawStillOpen(uint256 blockNumber, uint256 lastBlock);
    error DrawTooEarly(uint256 blockNumber, uint256 firstBlock);
    error WrongDrawSecret(bytes32 committed, bytes32 given);
    error NoBlockHash(uint256 blockNumber);
    error FeaturesAlreadySubmitted(address provider);
    error FeaturesMissing(address provider);
    error CandidateTwice(address provider);
    error KeyNotOnCurve(uint256 x, uint256 y);
    error ReviewAlreadySubmitted(address provider);
    error ReviewMissing(address provider);
    error CommitmentMismatch(bytes26 committed, bytes26 offered);
    error WrongKeyCount(uint256 given, uint256 needed);
    error ShardNotSampled(uint256 shard);
    error ShardOutOfRange(uint256 shard, uint256 count);
    error LeafNotInTree(bytes32 root, bytes32 computed);
    error KeyIsRight(uint256 shard);
    error WrongSettlement(Settlement settlement, Settlement needed);
    error NotEnded(uint256 now_, uint256 expiry);
    error NothingOwed(address account);

    /// @notice Joins the session with a dataset and locks the deposit.
    /// @dev Emits {Registered}. With an ERC-20 the session must be allowed to draw the deposit; one that knows ERC-2612
    /// allows it within {Permitted}.
    /// Requirements:
    /// - no call re-enters (ReentrancyGuardReentrantCall)
    /// - before `registrationEnd` (TooLate)
    /// - the caller has not registered (AlreadyRegistered)
    /// - exactly `deposit` is paid (WrongPayment, TokenTakesFee)
    /// @param keyRoot root of the key tree: leaf i binds chain, session, provider, i and the key of shard i
    /// @param addressRoot root of the address tree: leaf i binds chain, session, provider, i and the address of shard i
    /// @param manifest digest in the CID of the manifest in the datastore
    function register(bytes32 keyRoot, bytes32 addressRoot, bytes32 manifest) external payable;

    /// @notice Fixes the shards whose features a provider must submit; once per provider.
    /// @dev Emits {Sampled}. What the sample leaves of the largest size the review opens besides, see {submitReview}, so a
    /// collector does well to sample half. For a draw that the collector alone does not decide see {requestDraw}.
    /// Requirements:
    /// - the caller is the collector (NotCollector)
    /// - more than ten minutes before `submissionEnd` (TooLate)
    /// - the provider is registered (NotProvider)
    /// - it is not sampled (AlreadySampled)
    /// - no draw is open (DrawStillOpen)
    /// - one bit for each shard of the dataset (Bitmap: BitmapLength)
    /// - no bit beyond them (Bitmap: BitOutOfRange)
    /// - one to `shardCount * sampleBps / 10,000` of them set (SampleSizeOutOfRange)
    /// @param provider whose dataset is sampled
    /// @param bitmap the sampled set
    function sampleData(address provider, uint256[] calldata bitmap) external;

    /// @notice Leaves a provider's sample to a secret of the collector and to the hash of the next block.
    /// @dev Emits {SampleRequested}; {drawSample} completes it. Neither who builds that block nor the provider knows the
    /// secret, and the collector does not know the hash, so none of them decides alone. Collector and builder together
    /// decide, and the collector may leave a draw that it dislikes open: what it gains is what {sampleData} gives it anyway.
    /// So a draw protects the collector against provider and builder on every chain; to third parties it proves
    /// something only where they trust the builder of one block (on a rollup its sequencer) not to side with the collector,
    /// and see a single request. A provider whose draw is never opened gets its deposit back like any that is not chosen.
    /// Requirements:
    /// - the caller is the collector (NotCollector)
    /// - more than ten minutes before `submissionEnd` (TooLate)
    /// - the provider is registered (NotProvider)
    /// - it is not sampled (AlreadySampled)
    /// - no draw was requested in the last 257 blocks (DrawStillOpen)
    /// @param provider whose dataset is sampled
    /// @param commitment to a fresh secret (Shards.drawCommitment)
    function requestDraw(address provider, bytes32 commitment) external;

    /// @notice Completes a random sample of half the largest size, rounded up. Whoever knows the secret may call, hence the
    /// collector first.
    /// @dev Emits {Sampled}. The outcome is the same in every block. The block's hash is that of BLOCKHASH, for 256 blocks,
    /// or of the history contract (EIP-2935) where there is one.
    /// Requirements:
    /// - more than ten minutes before `submissionEnd` (TooLate)
    /// - a draw was requested for the provider (DrawNotRequested)
    /// - the block number is at least request + 2 (DrawTooEarly)
    /// - the secret is the committed one (WrongDrawSecret)
    /// - the chain still tells the hash (NoBlockHash)
    /// @param provider whose dataset is sampled
    /// @param secret what the request committed to
    function drawSample(address provider, bytes32 secret) external;

    /// @notice Commits the features of the sampled shards, stored sealed to the collector's key.
    /// @dev Emits {FeaturesSubmitted}.
    /// Requirements:
    /// - before `submissionEnd` (TooLate)
    /// - the caller is registered (NotProvider)
    /// - it is sampled (NotSampled)
    /// - nothing was submitted before (FeaturesAlreadySubmitted)
    /// @param features digest in the CID of the sealed features in the datastore
    function submitFeatures(bytes32 features) external;

    /// @notice Picks the provider whose samples the collector wants to see; one at a time, each provider once.
    /// @dev Emits {CandidateSet}; first settles a lapsed window, so a silent candidate is replaced by this very call.
    /// Requirements:
    /// - the caller is the collector (NotCollector)
    /// - in [submissionEnd, expiry - 3 * responseTime), 4 instead of 3 under sealed settlement (TooEarly, TooLate)
    /// - the session is pending (WrongState)
    /// - the provider is registered (NotProvider)
    /// - it has submitted features (FeaturesMissing)
    /// - it was no candidate before (CandidateTwice)
    /// - the one-time key is a point of the curve (KeyNotOnCurve)
    /// @param provider the candidate
    /// @param oneTimeKey x of a fresh one-time key whose y is even, below the group order: to it the candidate seals its
    /// keys, and under sealed settlement its session key
    /// @param oneTimeY either y of that x
    function setCandidate(address provider, uint256 oneTimeKey, uint256 oneTimeY) external;

    /// @notice Opens the sampled shards and further ones to the collector: keys sealed, hidden addresses with their
    /// multiproof. The further ones fill the sample up to `shardCount * sampleBps / 10,000` shards and follow from the
    /// one-time key (Shards.furtherSeed, Bitmap.drawFurther): nobody knew them when features were submitted.
    /// @dev Emits {ReviewSubmitted}. Whoever reads the pool of pending transactions sees the review before it is in a block:
    /// one that then comes too late has opened the sample to the collector, and pays the penalty all the same. So send it
    /// well before the deadline, or not at all.
    /// Requirements:
    /// - the session is reviewing (WrongState)
    /// - before the deadline (TooLate)
    /// - the caller is the candidate (NotCandidate)
    /// - nothing was opened before (ReviewAlreadySubmitted)
    /// - one bit for each shard of the dataset (Bitmap: BitmapLength)
    /// - no bit beyond them (Bitmap: BitOutOfRange)
    /// - one sealed key per opened shard, and one address where these are hidden (WrongKeyCount)
    /// - the proof holds exactly the missing siblings (MerkleTree: ProofLength)
    /// - roots, sample and one-time key are those committed (CommitmentMismatch)
    /// @param review what is opened
    function submitReview(Review calldata review) external;

    /// @notice Accepts the review: the candidate may now exchange its dataset for the reward.
    /// @dev Emits {OptimalSet}.
    /// Requirements:
    /// - the caller is the collector (NotCollector)
    /// - the session is reviewing (WrongState)
    /// - before the deadline (TooLate)
    /// - `provider` is the candidate (NotCandidate)
    /// - the candidate has opened its review (ReviewMissing)
    /// @param provider the candidate
    function setOptimal(address provider) external;

    /// @notice Declines the review; the candidate is compensated with `sampleBps` of the reward for what it disclosed.
    /// @dev Emits {ReviewRefused}. The session is pending again if the terms allow a further review, else closed.
    /// Requirements:
    /// - the caller is the collector (NotCollector)
    /// - the session is reviewing (WrongState)
    /// - before the deadline (TooLate)
    /// - `provider` is the candidate (NotCandidate)
    /// - the candidate has opened its review (ReviewMissing)
    /// @param provider the candidate
    function refuseReview(address provider) external;

    /// @notice Declares the opened samples rubbish, which no contract can judge: both lose. The collector destroys the
    /// compensation and as much again, the candidate as much of its deposit, and nobody gets any of it. It costs the
    /// collector twice what {refuseReview} does, so nobody gains by a false declaration.
    /// @dev Emits {RubbishDeclared}. What is destroyed stays in the session: nothing is paid, so nothing can fail. The
    /// session is pending again if the terms allow a further review, else closed.
    /// Requirements:
    /// - the caller is the collector (NotCollector)
    /// - the session is reviewing (WrongState)
    /// - before the deadline (TooLate)
    /// - `provider` is the candidate (NotCandidate)
    /// - the candidate has opened its review (ReviewMissing)
    /// @param provider the candidate
    function declareRubbish(address provider) external;

    /// @notice Proves that a sealed key does not open the committed one; the candidate forfeits its whole deposit.
    /// @dev Emits {WrongKeyProved}; the session is pending again. Discloses the one-time key of this review, no other.
    /// Requirements:
    /// - the caller is the collector (NotCollector)
    /// - the session is reviewing (WrongState)
    /// - before the deadline (TooLate)
    /// - the candidate has opened its review (ReviewMissing)
    /// - all evidence is what was committed (CommitmentMismatch)
    /// - the secret is that of the one-time key (KeyDispute: NotTheSecret)
    /// - (sharedX, sharedY) is the product of secret and ephemeral point (KeyDispute: SharedPointMismatch)
    /// - the shard was opened (ShardNotSampled)
    /// - the path holds exactly the siblings (MerkleTree: ProofLength)
    /// - the leaf is in the tree (LeafNotInTree)
    /// - the sealed key does not hash to the leaf (KeyIsRight)
    /// @param evidence see WrongKey
    function proveWrongKey(WrongKey calldata evidence) external;

    /// @notice Exchanges the dataset for reward and deposit at one stroke; open settlement alone.
    /// @dev Emits {RewardClaimed} and {SessionClosed}, and {RewardCredited} where the money cannot be paid now: a paused
    /// token or a receiver that refuses must not undo a claim whose key everybody has seen. The contract derives every
    /// shard key from `sessionKey` and rebuilds the key tree; where addresses are hidden it rebuilds the address tree too.
    /// In the pool of pending transactions the key is public: a claim that then comes too late has given the dataset away,
    /// and the deposit is lost all the same. So send it well before the deadline, or not at all.
    /// Requirements:
    /// - no call re-enters (ReentrancyGuardReentrantCall)
    /// - settlement is open (WrongSettlement)
    /// - the session is reviewed (WrongState)
    /// - before the deadline (TooLate)
    /// - the caller is the chosen provider (NotCandidate)
    /// - one address per shard where they are hidden, none where they are published (WrongKeyCount)
    /// - session key and addresses rebuild the registered commitment (CommitmentMismatch)
    /// @param sessionKey the key from which all shard keys derive
    /// @param sampleHash keccak256 of the words of the opened set's bitmap
    /// @param reviewHash hash of the opened review (Shards.reviewHash)
    /// @param addressRoot root of the address tree where addresses are published; else not read
    /// @param addresses addresses of all shards where they are hidden; else empty
    function claimReward(
        bytes32 sessionKey,
        bytes32 sampleHash,
        bytes32 reviewHash,
        bytes32 addressRoot,
        bytes32[] calldata addresses
    ) external;

    /// @notice Delivers the session key sealed to the collector's one-time key; sealed settlement alone.
    /// @dev Emits {KeyDelivered}; from here the collector has `responseTime` to dispute. The key itself is not checked
    /// here: that is what {proveWrongDelivery} is for. The one-time key is that of the review: it has been disclosed to
    /// nobody, since {proveWrongKey}, which discloses it, takes the candidate out for ever. The ephemeral point must be
    /// fresh. In the pool of pending transactions the collector can read the key: a delivery that then comes too late has
    /// given the dataset away, and the deposit is lost all the same. So send it well before the deadline, or not at all.
    /// Requirements:
    /// - settlement is sealed (WrongSettlement)
    /// - the session is reviewed (WrongState)
    /// - before the deadline (TooLate)
    /// - the caller is the chosen provider (NotCandidate)
    /// - one address per shard where they are hidden, none where they are published (WrongKeyCount)
    /// - where addresses are hidden, they and the other words rebuild the registered commitment (CommitmentMismatch)
    /// @param delivery what is delivered
    function deliverKey(Delivery calldata delivery) external;

    /// @notice Proves that the delivered session key does not open the commitment; the provider forfeits its whole deposit
    /// and the session closes without a deal, so that the whole escrow goes back.
    /// @dev Emits {WrongDeliveryProved} and {SessionClosed}. One shard is enough: every committed shard key must derive
    /// from the session key, so a wrong one misses at least one leaf. Discloses the one-time key of this provider's review
    /// and delivery, no other. A proof that fails costs the caller gas, and its secrecy.
    /// Requirements:
    /// - the caller is the collector (NotCollector)
    /// - the session is delivered (WrongState)
    /// - before the deadline (TooLate)
    /// - all evidence is what was committed (CommitmentMismatch)
    /// - the secret is that of the one-time key (KeyDispute: NotTheSecret)
    /// - (sharedX, sharedY) is the product of secret and ephemeral point (KeyDispute: SharedPointMismatch)
    /// - the shard is one of the dataset (ShardOutOfRange)
    /// - the path holds exactly the siblings (MerkleTree: ProofLength)
    /// - the leaf is in the tree (LeafNotInTree)
    /// - the key that derives from the delivered one does not hash to the leaf (KeyIsRight)
    /// @param evidence see WrongDelivery
    function proveWrongDelivery(WrongDelivery calldata evidence) external;

    /// @notice Ends a pending session early, when the collector wants none of the datasets.
    /// @dev Emits {SessionClosed}.
    /// Requirements:
    /// - the caller is the collector (NotCollector)
    /// - from `submissionEnd` on (TooEarly)
    /// - the session is pending (WrongState)
    function close() external;

    /// @notice Applies the consequence of a window that lapsed; does nothing if none did. Anyone may call.
    /// @dev Emits {CandidateSilent}, {ReviewRefused}, {OptimalSilent} or {DeliveryUndisputed}, with {SessionClosed} where
    /// that ends the session.
    function settle() external;

    /// @notice Pays a provider its deposit, less what it forfeited, plus what it is compensated, plus the reward for a
    /// delivery that nobody disputed or a claim that could not be paid at once.
    /// @dev Emits {DepositClaimed}.
    /// Requirements:
    /// - no call re-enters (ReentrancyGuardReentrantCall)
    /// - the session is closed or expired (NotEnded)
    /// - the caller takes part and has not been paid (NotProvider)
    /// - something is owed (NothingOwed)
    /// - there is a receiver (NoReceiver)
    /// @param to who gets it; whom it is owed to is the caller
    function claimDeposit(address to) external;

    /// @notice Pays the collector what is left of its escrow and what providers forfeited.
    /// @dev Emits {EscrowReclaimed}.
    /// Requirements:
    /// - no call re-enters (ReentrancyGuardReentrantCall)
    /// - the caller is the collector (NotCollector)
    /// - the session is closed or expired (NotEnded)
    /// - something is owed (NothingOwed)
    /// - there is a receiver (NoReceiver)
    /// @param to who gets it; whom it is owed to is the caller
    function reclaimEscrow(address to) external;

    /// @notice The version of these rules.
    function version() external pure returns (uint256);

    /// @notice The terms of the session.
    function terms() external view returns (TradingTerms memory);

    /// @notice Where the session stands; a lapsed window shows its consequence only after {settle}.
    /// @return state the state
    /// @return disclosed whether the candidate has opened its review
    /// @return deadline end of the running window, zero if none runs
    /// @return candidate the candidate, chosen or paid provider, zero if none
    function status() external view returns (State state, bool disclosed, uint256 deadline, address candidate);

    /// @notice What is recorded of a provider.
    /// @return flags bits as in Profile.sol, zero for a stranger or a provider that was paid out
    /// @return drawBlock block in which a random sample was requested, zero if none is open
    /// @return commitment hash over everything the provider has committed to
    function profileOf(address provider) external view returns (uint8 flags, uint256 drawBlock, bytes26 commitment);

    /// @notice What a provider could claim if the session ended in its present state.
    function owedTo(address provider) external view returns (uint256);

    /// @notice What the collector could reclaim if the session ended in its present state.
    function owedToCollector() external view returns (uint256);
}
