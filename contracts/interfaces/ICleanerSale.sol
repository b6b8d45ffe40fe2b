// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkEvidence} from "../exchange/ChunkDispute.sol";
import {KeyEvidence} from "../exchange/KeyDispute.sol";
import {Settlement} from "../exchange/Settlement.sol";

/// @notice Where a buyer stands with a listing. See CleanerSale for the table.
enum SaleState {
    None,
    Paid,
    Delivered,
    Cheated,
    Lapsed,
    Owned
}

/// @notice The terms of a listing; immutable. The contract keeps a hash alone, and whoever acts brings them along.
/// @param seller who sells; set by {list} to its caller
/// @param token ERC-20 that pays prices and stakes; zero for the native coin
/// @param stake what each proved fault costs the seller; so much of its funds is held for every outstanding sale
/// @param settlement `Open`: the key is published, and the price is the seller's in the same call. `Sealed`: the key is
/// encrypted to the buyer, and the price is the seller's once the time for disputes has passed
/// @param deliveryTime seconds from a purchase in which the key must be delivered, 600 to 2,592,000
/// @param disputeTime seconds from a delivery in which the buyer may prove a fault, 600 to 2,592,000
struct ListingTerms {
    address seller;
    address token;
    uint96 stake;
    Settlement settlement;
    uint32 deliveryTime;
    uint32 disputeTime;
}

/// @notice What tells a listing from all others of the contract.
/// @param terms its terms
/// @param levels root of the tree of offers (Levels.sol)
struct Listing {
    ListingTerms terms;
    bytes32 levels;
}

/// @notice One level of learnability. Levels rise in accuracy and in price.
/// @param accuracyBps test accuracy that the seller claims, in 1/10,000; no contract can tell whether it holds
/// @param price in the smallest unit
/// @param file commitment to the encrypted cleaner, ChunkedFile.commitment
/// @param keyHash commitment to its key, ChunkedFile.keyHash
struct Level {
    uint16 accuracyBps;
    uint96 price;
    bytes32 file;
    bytes32 keyHash;
}

/// @notice What is sold at a level.
/// @param task digest in the CID of the task document, which names licence and masked dataset
/// @param accuracyBps as in the level
/// @param file as in the level
/// @param keyHash as in the level
struct Goods {
    bytes32 task;
    uint16 accuracyBps;
    bytes32 file;
    bytes32 keyHash;
}

/// @notice A level as a buyer brings it: `goods` is keccak256(abi.encode(Goods)).
struct Offer {
    uint96 price;
    bytes32 goods;
}

/// @notice One purchase. The contract keeps its hash alone, and whoever acts brings it along.
/// @param price of the level
/// @param credit price of the best level the buyer owned before, zero if none; `price - credit` was paid
/// @param goods as in the offer
/// @param oneTimeKey x of the buyer's one-time key; zero under open settlement
/// @param delivery zero until a key was delivered sealed; then keccak256(abi.encode(ephemeralX, sealedKey))
struct Sale {
    uint96 price;
    uint96 credit;
    bytes32 goods;
    uint256 oneTimeKey;
    bytes32 delivery;
}

/// @notice A sale to be settled, and whose it is.
struct Due {
    address buyer;
    Sale sale;
}

/// @title Sells cleaners of a masked dataset at graded levels of learnability (Hide-and-Seek, section III)
/// @notice Times are seconds since 1970, amounts the token's smallest unit. Tokens are supported of which less than 2**96
/// units exist, that take no fee and whose balances change by transfers alone. See CleanerSale for the tables of states and of
/// money. What a token or a receiver of coins refuses comes through as it is, as SafeERC20FailedOperation or as FailedCall.
interface ICleanerSale {
    /// @notice A seller offers levels of a masked dataset; `funds` is what it put up for stakes. What
    /// their files are found by is in the catalogue.
    event Listed(
        bytes32 indexed id, bytes32 indexed task, ListingTerms terms, Level[] levels, bytes32 catalogue, uint256 funds
    );
    /// @notice The seller's funds grew.
    event Funded(bytes32 indexed id, uint256 amount);
    /// @notice The seller took out what no sale holds.
    event Withdrawn(bytes32 indexed id, uint256 amount);
    /// @notice No more purchases.
    event ListingClosed(bytes32 indexed id);
    /// @notice A level was paid, for its price less that of the best level the buyer owned. The key is due within the
    /// delivery time, under sealed settlement encrypted to the one-time key with this x.
    event Bought(bytes32 indexed id, address indexed buyer, uint256 level, uint256 oneTimeKey);
    /// @notice The key was published, and the price is the seller's; faults may be proved before `deadline`.
    event KeyPublished(bytes32 indexed id, address indexed buyer, bytes32 key, uint256 deadline);
    /// @notice The key was delivered sealed; faults may be proved before `deadline`.
    event KeySealed(bytes32 indexed id, address indexed buyer, uint256 ephemeralX, bytes32 sealedKey, uint256 deadline);
    /// @notice The buyer owns the level for good: it accepted, or the time for disputes has passed.
    event Settled(bytes32 indexed id, address indexed buyer);
    /// @notice No key came in time; the buyer may take its money back.
    event Lapsed(bytes32 indexed id, address indexed buyer);
    /// @notice The sealed key does not open its commitment.
    event WrongKeyProved(bytes32 indexed id, address indexed buyer);
    /// @notice A chunk does not decrypt to the committed one.
    event SpoiltChunkProved(bytes32 indexed id, address indexed buyer, uint256 chunk);
    /// @notice The buyer took its money back, and the stake where a fault was proved.
    event Refunded(bytes32 indexed id, address indexed buyer, uint256 amount);

    error UnknownListing(bytes32 id);
    error ListingExists(bytes32 id);
    error ListingIsClosed(bytes32 id);
    error NotSeller(address caller, address seller);
    error LevelCountOutOfRange(uint256 count, uint256 limit);
    error AccuracyOutOfOrder(uint256 level, uint256 accuracyBps);
    error PriceOutOfOrder(uint256 level, uint256 price);
    error CommitmentMissing(uint256 level);
    error TaskMissing();
    error StakeZero();
    error TokenWithoutCode(address token);
    error LevelNotAbove(uint256 level, uint256 owned);
    error KeyNotOnCurve(uint256 keyX, uint256 keyY);
    error KeyNotWanted(uint256 oneTimeKey);
    error WrongGoods(bytes32 committed, bytes32 given);
    error SaleUnderWay(SaleState state);
    error WrongState(SaleState state, SaleState needed);
    error WrongSale(bytes24 committed, bytes24 given);
    error WrongSettlement(Settlement settlement, Settlement needed);
    error WrongKey(bytes32 committed, bytes32 given);
    error WrongDelivery(bytes32 committed, bytes32 given);
    error TooEarly(uint256 now_, uint256 start);
    error TooLate(uint256 now_, uint256 end);
    error NothingOwed(address account);

    /// @notice Offers a masked dataset's cleaners, and puts up funds that answer for sales.
    /// @dev Emits {Listed}. With an ERC-20 the contract must be allowed to draw `funds`.
    /// Requirements:
    /// - 1 to 32 levels (LevelCountOutOfRange)
    /// - levels rise in accuracy, up to 10,000 (AccuracyOutOfOrder)
    /// - levels rise in price, from 1 on (PriceOutOfOrder)
    /// - each level has its commitments (CommitmentMissing)
    /// - a task (TaskMissing)
    /// - a stake (StakeZero)
    /// - 10 minutes to 30 days to deliver, and so to dispute (WindowOutOfRange)
    /// - the token, if any, is a contract (TokenWithoutCode)
    /// - the caller has no listing that is the same in all of this (ListingExists)
    /// - exactly `funds` is paid (WrongPayment, TokenTakesFee)
    /// @param terms the terms; the seller is filled in
    /// @param task digest in the CID of the task document, which names licence and masked dataset
    /// @param catalogue digest in the CID of the list of the encrypted files; told in {Listed} alone, since what is in those
    /// files is committed to by the levels
    /// @param levels the levels, cheapest first
    /// @param funds what is put up now; may be zero, but see {buy}
    /// @return id the listing's id
    function list(ListingTerms calldata terms, bytes32 task, bytes32 catalogue, Level[] calldata levels, uint96 funds)
        external
        payable
        returns (bytes32 id);

    /// @notice Adds to the seller's funds.
    /// @dev Emits {Funded}. The seller alone, since whoever filled them to the brim would have {publishKey} refused.
    /// Requirements:
    /// - the listing is known (UnknownListing)
    /// - the caller is the seller (NotSeller)
    /// - the funds stay below 2**96 (FundsTooHigh)
    /// - exactly `amount` is paid (WrongPayment, TokenTakesFee)
    function fund(Listing calldata listing, uint96 amount) external payable;

    /// @notice Pays the seller what it asks of its funds, as far as no sale holds them.
    /// @dev Emits {Withdrawn}.
    /// Requirements:
    /// - the listing is known (UnknownListing)
    /// - the caller is the seller (NotSeller)
    /// - the amount is not zero (NothingOwed)
    /// - so much is free (FundsTooLow)
    /// - a receiver (NoReceiver)
    /// @param to who is paid; another account where the seller's cannot receive
    function withdraw(Listing calldata listing, uint96 amount, address to) external;

    /// @notice Refuses further purchases, for ever; those made go on.
    /// @dev Emits {ListingClosed}.
    /// Requirements:
    /// - the listing is known (UnknownListing)
    /// - the caller is the seller (NotSeller)
    /// - the listing is not closed yet (ListingIsClosed)
    function close(Listing calldata listing) external;

    /// @notice Pays a level: its price, less that of the best level the caller owns.
    /// @dev Emits {Bought}. The caller should have checked the encrypted file and the list of plain leaves against the
    /// commitment before.
    /// Requirements:
    /// - level, offer and path lead to a listing with these terms (UnknownListing)
    /// - the listing is not closed (ListingIsClosed)
    /// - no purchase of the caller is under way (SaleUnderWay)
    /// - the level is above what the caller owns (LevelNotAbove)
    /// - no one-time key under open settlement (KeyNotWanted)
    /// - the one-time key is a point of the curve under sealed settlement (KeyNotOnCurve)
    /// - the seller's free funds answer for this sale (FundsTooLow)
    /// - exactly the difference of the prices is paid (WrongPayment, TokenTakesFee)
    /// @param level index of the level
    /// @param offer what the seller asks and gives
    /// @param path siblings from the offer to the listing's root
    /// @param oneTimeKey x of a fresh one-time key whose y is even, below the group order; zero under open settlement
    /// @param oneTimeY either y of that x, which shows that there is such a point: to none nothing could be sealed, and the
    /// seller's stake would be held for nothing; ignored under open settlement
    function buy(
        ListingTerms calldata terms,
        uint256 level,
        Offer calldata offer,
        bytes32[] calldata path,
        uint256 oneTimeKey,
        uint256 oneTimeY
    ) external payable;

    /// @notice Publishes the key of a paid level; what was paid is the seller's at once. Anyone may call.
    /// @dev Emits {KeyPublished}. A call that reverts shows the key as well: the seller sends it early and tries it on a
    /// node before.
    /// Requirements:
    /// - the listing is known (UnknownListing)
    /// - settlement is open (WrongSettlement)
    /// - the level is paid and not delivered (WrongState)
    /// - the sale is the buyer's present one (WrongSale)
    /// - before the deadline (TooLate)
    /// - the goods are the paid ones (WrongGoods)
    /// - the key is the committed one (WrongKey)
    /// - the seller's funds stay below 2**96 (FundsTooHigh)
    function publishKey(Listing calldata listing, address buyer, Sale calldata sale, Goods calldata goods, bytes32 key)
        external;

    /// @notice Delivers the key of a paid level, sealed to the buyer's one-time key.
    /// @dev Emits {KeySealed}. A call that reverts shows the sealed key as well, and its buyer can open it: one that comes
    /// too late gives the goods away for nothing. The seller sends it early, at a fee that takes it in.
    /// Requirements:
    /// - the caller is the seller (NotSeller)
    /// - settlement is sealed (WrongSettlement)
    /// - the level is paid and not delivered; nobody paid at a listing that is not known (WrongState)
    /// - the sale is the buyer's present one (WrongSale)
    /// - before the deadline (TooLate)
    /// @param ephemeralX x of the seller's point with even y, below the group order
    /// @param sealedKey the key xor-ed with its pad (SealedKey.pad at the level's index)
    function sealKey(Listing calldata listing, address buyer, Sale calldata sale, uint256 ephemeralX, bytes32 sealedKey)
        external;

    /// @notice Settles the caller's sale before the time for disputes has passed, so that it may buy a better level.
    /// @dev Emits {Settled}.
    /// Requirements:
    /// - the listing is known (UnknownListing)
    /// - the key was delivered (WrongState)
    /// - the sale is the caller's present one (WrongSale)
    /// - under sealed settlement, the seller's funds stay below 2**96 (FundsTooHigh)
    function accept(Listing calldata listing, Sale calldata sale) external;

    /// @notice Proves that the key sealed to the caller is not the committed one.
    /// @dev Emits {WrongKeyProved}; {refund} pays. Discloses the one-time key of this purchase, no other.
    /// Requirements:
    /// - the listing is known (UnknownListing)
    /// - settlement is sealed (WrongSettlement)
    /// - the key was delivered (WrongState)
    /// - the sale is the caller's present one (WrongSale)
    /// - before the deadline (TooLate)
    /// - the evidence has what was delivered (WrongDelivery)
    /// - the goods are the paid ones (WrongGoods)
    /// - the secret is that of the one-time key (NotTheSecret)
    /// - the shared point is the product of secret and ephemeral point (SharedPointMismatch)
    /// - the key is wrong (KeyIsRight)
    function proveWrongKey(
        Listing calldata listing,
        Sale calldata sale,
        Goods calldata goods,
        KeyEvidence calldata evidence
    ) external;

    /// @notice Proves that a chunk of the caller's file does not decrypt to the committed one.
    /// @dev Emits {SpoiltChunkProved}; {refund} pays. Discloses the file's key.
    /// Requirements:
    /// - the listing is known (UnknownListing)
    /// - the key was delivered (WrongState)
    /// - the sale is the caller's present one (WrongSale)
    /// - before the deadline (TooLate)
    /// - the goods are the paid ones (WrongGoods)
    /// - `key` is the committed one (NotTheKey)
    /// - the file has such a chunk (ChunkOutOfRange)
    /// - the chunk has the right length (WrongChunkLength)
    /// - both paths are as long as the place asks (ProofLength)
    /// - both paths lead to the file's commitment (NotInFile)
    /// - the chunk is spoilt (ChunkIsRight)
    /// @param key the file's key
    function proveSpoiltChunk(
        Listing calldata listing,
        Sale calldata sale,
        Goods calldata goods,
        bytes32 key,
        ChunkEvidence calldata evidence
    ) external;

    /// @notice Settles those of `sales` whose time for disputes has passed, and lets lapse those whose key is overdue.
    /// Anyone may call. Those that are not due, or not as given, are passed over: a buyer that acts first stops no other.
    /// @dev Emits {Settled} and {Lapsed}.
    /// Requirements:
    /// - the listing is known (UnknownListing)
    /// - under sealed settlement, the seller's funds stay below 2**96 (FundsTooHigh)
    function settle(Listing calldata listing, Due[] calldata sales) external;

    /// @notice Pays the caller back: what it paid, and the stake where it proved a fault. It then owns what it owned
    /// before.
    /// @dev Emits {Refunded}.
    /// Requirements:
    /// - the listing is known (UnknownListing)
    /// - the level is paid and not delivered, or a fault was proved, and it was not paid back (NothingOwed)
    /// - the sale is the caller's present one (WrongSale)
    /// - the key is overdue, or a fault was proved (TooEarly)
    /// - a receiver (NoReceiver)
    /// @param to who is paid; another account where the caller's cannot receive
    function refund(Listing calldata listing, Sale calldata sale, address to) external;

    /// @notice The version of this interface.
    function version() external pure returns (uint256);

    /// @notice The id of a listing, whether it was listed or not.
    function listingId(Listing calldata listing) external view returns (bytes32);

    /// @notice How a listing stands; all zero for one that is not listed.
    /// @return listed whether it is known
    /// @return closed whether it takes no more purchases
    /// @return funds what the contract holds of the seller's
    /// @return held how much of it answers for sales; the rest can be withdrawn
    function bookOf(bytes32 id) external view returns (bool listed, bool closed, uint256 funds, uint256 held);

    /// @notice Where a buyer stands; a passed deadline shows its consequence only after {settle} or {refund}.
    /// @return state the state
    /// @return level the level of the present sale; that of the best level owned where there is none
    /// @return owned how many levels are at or below the best that the buyer owns; zero if it owns none
    /// @return deadline end of the running window; zero if none runs
    /// @return content the hash of the present sale; the price of the best level owned where there is none
    function saleOf(bytes32 id, address buyer)
        external
        view
        returns (SaleState state, uint256 level, uint256 owned, uint256 deadline, bytes24 content);
}
