// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkEvidence} from "../exchange/ChunkDispute.sol";
import {KeyEvidence} from "../exchange/KeyDispute.sol";
import {PriceRule} from "../mde/quotes/PriceRules.sol";
import {SampleEvidence} from "../mde/quotes/Samples.sol";
import {ScoreEvidence, TotalEvidence} from "../mde/quotes/Scores.sol";
import {Settlement} from "../exchange/Settlement.sol";

/// @notice Where a pair of artefact and dataset stands. See DatasetSale for the table.
enum DealState {
    None,
    Quoted,
    Paid,
    Delivered,
    Settled,
    Lapsed,
    Cheated,
    Withdrawn
}

/// @notice Whose money an account holds: a buyer's budget, or what a seller put up for stakes.
enum Side {
    Order,
    Dataset
}

/// @notice What a buyer asks for; immutable. The contract keeps a hash alone, and whoever acts brings it along.
/// @param buyer who pays; the caller of {post}
/// @param stake what each proved fault costs the seller; so much of its funds is held for every sale under way
/// @param token ERC-20 that pays prices and stakes; zero for the native coin
/// @param deliveryTime seconds from a purchase in which the key must be delivered, 600 to 2,592,000
/// @param disputeTime seconds from a delivery in which the buyer may prove a fault, 600 to 2,592,000
/// @param features values of a sample, which the tree compares
/// @param artefact what fixes task and pricing artefact: the digest in the CID of the task document, which has the
/// artefact's SHA-256 (offchain/mde/asked.py)
/// @param rule hash of the price rule, PriceRules.hash
/// @param tree root of the artefact's decision tree (DecisionTree.sol); zero where the artefact has none: then scores
/// cannot be disputed, and chunks may hold anything
/// @param depth most comparisons on a way through the tree
/// @param valueBytes bytes of a value: 1 for pixels, 4 for features (Samples.sol)
/// @param settlement `Open`: the key is published. `Sealed`: it is encrypted to the buyer. Either way the price is the
/// seller's once the time for disputes has passed, or the buyer accepts before
struct Order {
    address buyer;
    uint96 stake;
    address token;
    uint32 deliveryTime;
    uint32 disputeTime;
    uint32 features;
    bytes32 artefact;
    bytes32 rule;
    bytes32 tree;
    uint8 depth;
    uint8 valueBytes;
    Settlement settlement;
}

/// @notice What a seller offers; immutable. The contract keeps a hash alone, and whoever acts brings it along.
/// @param seller who sells; the caller of {register}
/// @param token what its stakes are in; must be that of an order it quotes to
/// @param count samples of the dataset, each a chunk of its own, no two alike
/// @param chunkBytes bytes of a chunk
/// @param chunks all chunks of the file: the samples', then those of the original files that were encoded (Samples.sol)
/// @param name what the seller calls it, so that it may sell many; any value
/// @param file commitment to the encrypted samples and originals, ChunkedFile.commitment, of `chunks` whole chunks
/// @param keyHash commitment to its key, ChunkedFile.keyHash
struct Dataset {
    address seller;
    address token;
    uint32 count;
    uint32 chunkBytes;
    uint32 chunks;
    bytes32 name;
    bytes32 file;
    bytes32 keyHash;
}

/// @notice What a dataset fetches under an artefact. Both parties sign it, with the ids of order and dataset, as
/// EIP-712 `Quote(bytes32 order,bytes32 dataset,uint96 price,uint40 expiry,bytes32 scores)`.
/// @param price in the smallest unit, what the order's rule gives for the scores' total
/// @param expiry from when on it can neither be recorded nor bought; at most 30 days after it is recorded
/// @param scores root over the running totals of the samples' scores (Scores.sol); zero where the order has no tree
struct Quote {
    uint96 price;
    uint40 expiry;
    bytes32 scores;
}

/// @notice A quote, and what it is about. Whoever acts on a pair brings it along.
struct Deal {
    Order order;
    Dataset dataset;
    Quote quote;
}

/// @notice A purchase: what came after the quote. The contract keeps its hash with the quote's, and whoever acts brings
/// it.
/// @param oneTimeKey x of the buyer's one-time key; zero under open settlement
/// @param delivery zero until a key was delivered sealed; then keccak256(abi.encode(ephemeralX, sealedKey))
struct Purchase {
    uint256 oneTimeKey;
    bytes32 delivery;
}

/// @notice Whose money it is; what {fund}, {withdraw} and {close} take of an order or a dataset.
/// @param side which of the two
/// @param owner its buyer or seller
/// @param token its token
/// @param content keccak256(abi.encode(order)) or keccak256(abi.encode(dataset))
struct Account {
    Side side;
    address owner;
    address token;
    bytes32 content;
}

/// @title Sells datasets at a price that was agreed before they were shown (MDE, sections 2, 3.2 and 5)
/// @notice Times are seconds since 1970, amounts the token's smallest unit. Tokens are supported of which less than 2**96
/// units exist, that take no fee and whose balances change by transfers alone. See DatasetSale for the tables of states
/// and of money, and for what each party must check before it signs. A pair is the buyer's artefact and the seller's
/// file; it is quoted once, for ever. What a token or a receiver of coins refuses comes through as it is, as
/// SafeERC20FailedOperation or as FailedCall.
interface IDatasetSale {
    /// @notice A buyer asks for data under an artefact; `budget` is what it put up to pay with.
    event Posted(bytes32 indexed id, address indexed buyer, Order order, uint256 budget);
    /// @notice A seller committed to a dataset; `funds` is what it put up for stakes.
    event Registered(bytes32 indexed id, address indexed seller, Dataset dataset, uint256 funds);
    /// @notice A budget, or a seller's funds, grew.
    event Funded(bytes32 indexed id, uint256 amount);
    /// @notice The owner took out what no sale holds.
    event Withdrawn(bytes32 indexed id, uint256 amount);
    /// @notice No more quotes and purchases.
    event Closed(bytes32 indexed id);
    /// @notice Both parties signed what the dataset fetches. `order` and `dataset` are ids.
    event Quoted(bytes32 indexed pair, bytes32 indexed order, bytes32 indexed dataset, Quote quote);
    /// @notice One of the two stands by no quote of the pair any more, recorded or not.
    event QuoteWithdrawn(bytes32 indexed pair, address indexed by);
    /// @notice The buyer accepted the quote; the key is due before `deadline`, under sealed settlement encrypted to the
    /// one-time key with this x.
    event Purchased(bytes32 indexed pair, uint256 oneTimeKey, uint256 deadline);
    /// @notice The key was published; faults may be proved before `deadline`.
    event KeyPublished(bytes32 indexed pair, bytes32 key, uint256 deadline);
    /// @notice The key was delivered sealed; faults may be proved before `deadline`.
    event KeySealed(bytes32 indexed pair, uint256 ephemeralX, bytes32 sealedKey, uint256 deadline);
    /// @notice The price is the seller's: the buyer accepted, or the time for disputes has passed.
    event Settled(bytes32 indexed pair);
    /// @notice No key came in time; the price is back in the budget.
    event Lapsed(bytes32 indexed pair);
    /// @notice The sealed key does not open its commitment. Price and stake are in the budget, as with all proofs.
    event WrongKeyProved(bytes32 indexed pair);
    /// @notice A chunk does not decrypt to the committed one.
    event SpoiltChunkProved(bytes32 indexed pair, uint256 chunk);
    /// @notice The tree gives a sample another score than the quote does.
    event WrongScoreProved(bytes32 indexed pair, uint256 sample);
    /// @notice Two samples are the same.
    event RepeatedSampleProved(bytes32 indexed pair, uint256 first, uint256 second);
    /// @notice The rule gives the scores' total a lower price.
    event WrongPriceProved(bytes32 indexed pair, uint256 price);

    error UnknownAccount(bytes32 id);
    error AccountExists(bytes32 id);
    error AccountIsClosed(bytes32 id);
    error NotBuyer(address caller, address buyer);
    error NotSeller(address caller, address seller);
    error NotOwner(address caller, address owner);
    error NotParty(address caller);
    error ArtefactMissing();
    error RuleMissing();
    error StakeZero();
    error ValueBytesOutOfRange(uint256 valueBytes, uint256 limit);
    error TokenWithoutCode(address token);
    error FileMissing();
    error CountOutOfRange(uint256 count, uint256 limit);
    error ChunkBytesOutOfRange(uint256 chunkBytes, uint256 limit);
    error ChunksOutOfRange(uint256 chunks, uint256 least, uint256 limit);
    error OtherToken(address ofOrder, address ofDataset);
    error ChunkTooSmall(uint256 chunkBytes, uint256 needed);
    error AlreadyQuoted(bytes32 pair);
    error QuoteExpired(uint256 now_, uint256 expiry);
    error ExpiryTooFar(uint256 expiry, uint256 latest);
    error WrongSigner(address expected, bytes32 digest);
    error PriceZero();
    error KeyNotOnCurve(uint256 keyX, uint256 keyY);
    error KeyNotWanted(uint256 oneTimeKey);
    error WrongState(DealState state, DealState needed);
    error WrongDeal(bytes26 committed, bytes26 given);
    error WrongSettlement(Settlement settlement, Settlement needed);
    error WrongKey(bytes32 committed, bytes32 given);
    error WrongDelivery(bytes32 committed, bytes32 given);
    error TreeMissing();
    error WrongRule(bytes32 committed, bytes32 given);
    error PriceIsRight(uint256 quoted, uint256 price);
    error TooEarly(uint256 now_, uint256 start);
    error TooLate(uint256 now_, uint256 end);
    error NothingOwed(address account);

    // ---------------------------------------------------------------- accounts

    /// @notice Commits to a pricing artefact and its price rule, and puts up a budget.
    /// @dev Emits {Posted}. With an ERC-20 the contract must be allowed to draw `budget`.
    /// Requirements:
    /// - the caller is the buyer (NotBuyer)
    /// - an artefact (ArtefactMissing)
    /// - a rule (RuleMissing)
    /// - a stake (StakeZero)
    /// - 10 minutes to 30 days to deliver, and so to dispute (WindowOutOfRange)
    /// - values of 1 to 4 bytes (ValueBytesOutOfRange)
    /// - the token, if any, is a contract (TokenWithoutCode)
    /// - the order is not posted yet (AccountExists)
    /// - exactly `budget` is paid (WrongPayment, TokenTakesFee)
    /// @param budget what is put up now; may be zero, see {fund}
    /// @return id the order's id
    function post(Order calldata order, uint96 budget) external payable returns (bytes32 id);

    /// @notice Commits to an encrypted dataset, and puts up funds that answer for sales.
    /// @dev Emits {Registered}. With an ERC-20 the contract must be allowed to draw `funds`.
    /// Requirements:
    /// - the caller is the seller (NotSeller)
    /// - a file and a key hash (FileMissing)
    /// - 1 to 2**20 samples (CountOutOfRange)
    /// - chunks of 32 to 16,384 bytes, a multiple of 32 (ChunkBytesOutOfRange)
    /// - a chunk for each sample at least, and at most 2**20 in all (ChunksOutOfRange)
    /// - the token, if any, is a contract (TokenWithoutCode)
    /// - the dataset is not registered yet (AccountExists)
    /// - exactly `funds` is paid (WrongPayment, TokenTakesFee)
    /// @param funds what is put up now; may be zero, but see {purchase}
    /// @return id the dataset's id
    function register(Dataset calldata dataset, uint96 funds) external payable returns (bytes32 id);

    /// @notice Adds to a budget, or to a seller's funds.
    /// @dev Emits {Funded}. The owner alone, since whoever filled a budget to the brim would have proofs refused.
    /// Requirements:
    /// - the account is known (UnknownAccount)
    /// - the caller is its owner (NotOwner)
    /// - the funds stay below 2**96 (FundsTooHigh)
    /// - exactly `amount` is paid (WrongPayment, TokenTakesFee)
    function fund(Account calldata account, uint96 amount) external payable;

    /// @notice Pays the owner what it asks of its money, as far as no sale holds it.
    /// @dev Emits {Withdrawn}.
    /// Requirements:
    /// - the account is known (UnknownAccount)
    /// - the caller is its owner (NotOwner)
    /// - the amount is not zero (NothingOwed)
    /// - so much is free (FundsTooLow)
    /// - a receiver (NoReceiver)
    /// @param to who is paid; another account where the owner's cannot receive
    function withdraw(Account calldata account, uint96 amount, address to) external;

    /// @notice Refuses further quotes and purchases, for ever; sales under way go on, and money can be withdrawn.
    /// @dev Emits {Closed}.
    /// Requirements:
    /// - the account is known (UnknownAccount)
    /// - the caller is its owner (NotOwner)
    /// - the account is not closed yet (AccountIsClosed)
    function close(Account calldata account) external;

    // ---------------------------------------------------------------- quote and purchase

    /// @notice Records what a dataset fetches under an artefact, the one time there ever is for this pair. Anyone may
    /// call.
    /// @dev Emits {Quoted}.
    /// Requirements:
    /// - order and dataset are known (UnknownAccount)
    /// - order and dataset are not closed (AccountIsClosed)
    /// - both are in one token (OtherToken)
    /// - a chunk holds a sample of the order's (ChunkTooSmall)
    /// - the pair was never quoted, nor its quotes withdrawn (AlreadyQuoted)
    /// - the quote has not expired (QuoteExpired)
    /// - it expires within 30 days (ExpiryTooFar)
    /// - buyer and seller signed it, by key or as contracts by ERC-1271 (WrongSigner)
    /// @param buyerSignature the buyer's over {quoteDigest}
    /// @param sellerSignature the seller's over the same
    function quote(Deal calldata deal, bytes calldata buyerSignature, bytes calldata sellerSignature) external;

    /// @notice Takes back every quote of a pair that the caller has signed, or will: none can be recorded or bought any
    /// more, for ever. A purchase that was made goes on.
    /// @dev Emits {QuoteWithdrawn}.
    /// Requirements:
    /// - the caller is the pair's buyer or seller (NotParty)
    /// - the pair is not bought, nor withdrawn before (WrongState, which names `Quoted`)
    function withdrawQuote(address buyer, bytes32 artefact, address seller, bytes32 file) external;

    /// @notice Accepts a quote: its price is held of the budget, and the stake of the seller's funds.
    /// @dev Emits {Purchased}.
    /// Requirements:
    /// - the caller is the buyer (NotBuyer)
    /// - the pair is quoted and not bought (WrongState)
    /// - the deal is as it was quoted (WrongDeal)
    /// - the quote has not expired (QuoteExpired)
    /// - the price is not zero (PriceZero)
    /// - no one-time key under open settlement (KeyNotWanted)
    /// - the one-time key is a point of the curve under sealed settlement (KeyNotOnCurve)
    /// - order and dataset are not closed (AccountIsClosed)
    /// - so much of the budget is free, and of the seller's funds (FundsTooLow)
    /// @param oneTimeKey x of a fresh one-time key whose y is even, below the group order; zero under open settlement
    /// @param oneTimeY either y of that x, which shows that there is such a point: to none nothing could be sealed, and the
    /// pair would be lost for good; ignored under open settlement
    function purchase(Deal calldata deal, uint256 oneTimeKey, uint256 oneTimeY) external;

    // ---------------------------------------------------------------- delivery

    /// @notice Publishes the key of a dataset that was bought. Anyone may call.
    /// @dev Emits {KeyPublished}. A call that reverts shows the key as well: the seller sends it early and tries it on
    /// a node before.
    /// Requirements:
    /// - settlement is open (WrongSettlement)
    /// - the dataset is bought and not delivered (WrongState)
    /// - deal and purchase are the pair's (WrongDeal)
    /// - before the deadline (TooLate)
    /// - the key is the committed one (WrongKey)
    function publishKey(Deal calldata deal, Purchase calldata purchase_, bytes32 key) external;

    /// @notice Delivers the key of a dataset that was bought, sealed to the buyer's one-time key.
    /// @dev Emits {KeySealed}. A call that reverts shows the sealed key as well, and its buyer can open it: one that comes
    /// too late gives the goods away for nothing. The seller sends it early, at a fee that takes it in.
    /// Requirements:
    /// - the caller is the seller (NotSeller)
    /// - settlement is sealed (WrongSettlement)
    /// - the dataset is bought and not delivered (WrongState)
    /// - deal and purchase are the pair's (WrongDeal)
    /// - before the deadline (TooLate)
    /// @param ephemeralX x of the seller's point with even y, below the group order
    /// @param sealedKey the key xor-ed with its pad (SealedKey.pad at index 0)
    function sealKey(Deal calldata deal, Purchase calldata purchase_, uint256 ephemeralX, bytes32 sealedKey) external;

    // ---------------------------------------------------------------- the buyer's answer

    /// @notice Settles the caller's purchase before the time for disputes has passed.
    /// @dev Emits {Settled}.
    /// Requirements:
    /// - the caller is the buyer (NotBuyer)
    /// - the key was delivered (WrongState)
    /// - deal and purchase are the pair's (WrongDeal)
    /// - the seller's funds stay below 2**96 (FundsTooHigh)
    function accept(Deal calldata deal, Purchase calldata purchase_) external;

    /// @notice Settles a sale whose time for disputes has passed, or lets lapse one whose key is overdue. Anyone may
    /// call.
    /// @dev Emits {Settled} or {Lapsed}.
    /// Requirements:
    /// - the dataset is bought, or its key was delivered (WrongState, which names `Delivered`)
    /// - deal and purchase are the pair's (WrongDeal)
    /// - the deadline has passed (TooEarly)
    /// - where it settles, the seller's funds stay below 2**96 (FundsTooHigh)
    function settle(Deal calldata deal, Purchase calldata purchase_) external;

    // ---------------------------------------------------------------- proofs
    // Each puts price and stake into the buyer's budget. All but the first disclose the dataset's key, and what the
    // evidence shows.

    /// @notice Proves that the key sealed to the caller is not the committed one.
    /// @dev Emits {WrongKeyProved}. Discloses the one-time key of this purchase, no other.
    /// Requirements:
    /// - the caller is the buyer (NotBuyer)
    /// - the key was delivered (WrongState)
    /// - deal and purchase are the pair's (WrongDeal)
    /// - before the deadline (TooLate)
    /// - settlement is sealed (WrongSettlement)
    /// - the evidence has what was delivered (WrongDelivery)
    /// - the secret is that of the one-time key (NotTheSecret)
    /// - the shared point is the product of secret and ephemeral point (SharedPointMismatch)
    /// - the key is wrong (KeyIsRight)
    /// - the budget stays below 2**96 (FundsTooHigh)
    function proveWrongKey(Deal calldata deal, Purchase calldata purchase_, KeyEvidence calldata evidence) external;

    /// @notice Proves that a chunk of the dataset does not decrypt to the committed one: what was sold is not what was
    /// quoted.
    /// @dev Emits {SpoiltChunkProved}.
    /// Requirements:
    /// - the caller is the buyer (NotBuyer)
    /// - the key was delivered (WrongState)
    /// - deal and purchase are the pair's (WrongDeal)
    /// - before the deadline (TooLate)
    /// - `key` is the committed one (NotTheKey)
    /// - the file has such a chunk (ChunkOutOfRange)
    /// - the chunk has the right length (WrongChunkLength)
    /// - both paths are as long as the place asks (ProofLength)
    /// - both paths lead to the file's commitment (NotInFile)
    /// - the chunk is spoilt (ChunkIsRight)
    /// - the budget stays below 2**96 (FundsTooHigh)
    /// @param key the dataset's key
    function proveSpoiltChunk(
        Deal calldata deal,
        Purchase calldata purchase_,
        bytes32 key,
        ChunkEvidence calldata evidence
    ) external;

    /// @notice Proves that the quote misreports the score of a sample: the contract walks the artefact's tree itself.
    /// @dev Emits {WrongScoreProved}. Show the first sample whose running total is not as it should be: all totals
    /// before it are right, so the one before it can be opened.
    /// Requirements:
    /// - the caller is the buyer (NotBuyer)
    /// - the key was delivered (WrongState)
    /// - deal and purchase are the pair's (WrongDeal)
    /// - before the deadline (TooLate)
    /// - the dataset has such a sample (SampleOutOfRange)
    /// - the sample's chunk has the right length (WrongChunkLength)
    /// - all paths are as long as the place asks (ProofLength)
    /// - by this key the sample is the dataset's (NotInDataset)
    /// - the way has no more comparisons than the tree is deep (TreeTooDeep)
    /// - each comparison is of a value that a sample has (FeatureOutOfRange)
    /// - the way is the artefact's and the sample's (NotInTree)
    /// - both totals are the quote's (NotInScores)
    /// - the score is misreported (ScoreIsRight)
    /// - the budget stays below 2**96 (FundsTooHigh)
    /// @param key the dataset's key
    function proveWrongScore(
        Deal calldata deal,
        Purchase calldata purchase_,
        bytes32 key,
        ScoreEvidence calldata evidence
    ) external;

    /// @notice Proves that two samples of the dataset are the same, label and values, so that one is paid twice.
    /// @dev Emits {RepeatedSampleProved}.
    /// Requirements:
    /// - the caller is the buyer (NotBuyer)
    /// - the key was delivered (WrongState)
    /// - deal and purchase are the pair's (WrongDeal)
    /// - before the deadline (TooLate)
    /// - the order has a tree, so that chunks are samples (TreeMissing)
    /// - the dataset has such samples (SampleOutOfRange)
    /// - the samples' chunks have the right length (WrongChunkLength)
    /// - both paths are as long as the place asks (ProofLength)
    /// - by this key both are the dataset's (NotInDataset)
    /// - they are at two places (SamePlace)
    /// - they are equal (SamplesDiffer)
    /// - the budget stays below 2**96 (FundsTooHigh)
    /// @param key the dataset's key
    /// @param cipherRoot root over the dataset's encrypted chunks
    function proveRepeatedSample(
        Deal calldata deal,
        Purchase calldata purchase_,
        bytes32 key,
        bytes32 cipherRoot,
        SampleEvidence calldata first,
        SampleEvidence calldata second
    ) external;

    /// @notice Proves that the quoted price is above what the rule gives for the scores' total.
    /// @dev Emits {WrongPriceProved}. Discloses the price rule. A rule without points, or whose points do not rise, may
    /// end in a panic: nobody should sign a quote under it.
    /// Requirements:
    /// - the caller is the buyer (NotBuyer)
    /// - the key was delivered (WrongState)
    /// - deal and purchase are the pair's (WrongDeal)
    /// - before the deadline (TooLate)
    /// - the path is as long as the count asks (ProofLength)
    /// - by this key the total is the quote's last (NotInScores)
    /// - the rule is the order's (WrongRule)
    /// - the rule gives a lower price (PriceIsRight)
    /// - the budget stays below 2**96 (FundsTooHigh)
    /// @param key the dataset's key
    function proveWrongPrice(
        Deal calldata deal,
        Purchase calldata purchase_,
        bytes32 key,
        TotalEvidence calldata total,
        PriceRule calldata rule
    ) external;

    // ---------------------------------------------------------------- views

    /// @notice The version of this interface.
    function version() external pure returns (uint256);

    /// @notice The id of an order, whether it was posted or not.
    function orderId(Order calldata order) external view returns (bytes32);

    /// @notice The id of a dataset, whether it was registered or not.
    function datasetId(Dataset calldata dataset) external view returns (bytes32);

    /// @notice The id of the pair of an artefact and a file, whether it was quoted or not.
    function pairId(address buyer, bytes32 artefact, address seller, bytes32 file) external pure returns (bytes32);

    /// @notice What buyer and seller sign of a quote.
    function quoteDigest(Deal calldata deal) external view returns (bytes32);

    /// @notice How an order or a dataset stands; all zero for one that is not known.
    /// @return known whether it was posted or registered
    /// @return closed whether it takes no more quotes and purchases
    /// @return funds what the contract holds of the owner's
    /// @return held how much of it sales hold: prices of an order, stakes of a dataset; the rest can be withdrawn
    function accountOf(bytes32 id) external view returns (bool known, bool closed, uint256 funds, uint256 held);

    /// @notice Where a pair stands; a passed deadline shows its consequence only after {settle}, and a quote that
    /// expired stays `Quoted`.
    /// @return state the state
    /// @return deadline the quote's expiry, or the end of the running window; zero if none runs
    /// @return content the hash of quote and purchase
    function dealOf(bytes32 pair) external view returns (DealState state, uint256 deadline, bytes26 content);
}
