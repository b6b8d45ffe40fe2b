// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ChunkDispute, ChunkEvidence} from "../exchange/ChunkDispute.sol";
import {ChunkedFile} from "../exchange/ChunkedFile.sol";
import {KeyDispute, KeyEvidence} from "../exchange/KeyDispute.sol";
import {Dataset, Deal, DealState, IDatasetSale, Order, Purchase, Quote} from "../interfaces/IDatasetSale.sol";
import {SealedKey} from "../exchange/SealedKey.sol";
import {Settlement} from "../exchange/Settlement.sol";
import {Window} from "../exchange/Window.sol";
import {Accounts} from "./Accounts.sol";
import {Book} from "../exchange/Book.sol";
import {DealStatus, DealStatusLib} from "./DealStatus.sol";
import {DecisionTree} from "./quotes/DecisionTree.sol";
import {PriceRule, PriceRules} from "./quotes/PriceRules.sol";
import {SampleEvidence, Samples} from "./quotes/Samples.sol";
import {ScoreEvidence, Scores, TotalEvidence} from "./quotes/Scores.sol";

/// @title Sells datasets at a price that was agreed before they were shown (MDE, sections 2, 3.2 and 5)
/// @notice The states of a pair: one buyer's artefact and one seller's file. Windows are half-open, [start, end), and 10
/// minutes to 30 days long; a quote expires within 30 days of its record. So nobody's money is held for more than 60 days.
///
/// | state     | call          | by     | window                      | leads to                                |
/// | --------- | ------------- | ------ | --------------------------- | --------------------------------------- |
/// | None      | quote         | anyone | until the expiry, both open | Quoted, deadline = expiry               |
/// | None      | withdrawQuote | either | for ever                    | Withdrawn                               |
/// | Quoted    | withdrawQuote | either | for ever                    | Withdrawn                               |
/// | Quoted    | purchase      | buyer  | until the expiry, both open | Paid, deadline = now + deliveryTime     |
/// | Paid      | publishKey    | anyone | until the deadline, open    | Delivered, deadline = now + disputeTime |
/// | Paid      | sealKey       | seller | until the deadline, sealed  | Delivered, deadline = now + disputeTime |
/// | Paid      | settle        | anyone | from the deadline           | Lapsed, the budget has the price        |
/// | Delivered | accept        | buyer  | for ever                    | Settled, the seller has the price       |
/// | Delivered | settle        | anyone | from the deadline           | Settled, the seller has the price       |
/// | Delivered | prove...      | buyer  | until the deadline          | Cheated, the budget has price and stake |
///
/// Settled, Lapsed, Cheated and Withdrawn are final, and a quote nobody buys stays Quoted: no pair is ever quoted again.
///
/// The money. It stays in budgets of orders and funds of datasets until its owner withdraws it. A purchase holds the price
/// of the one and the stake of the other; what ends the sale moves it between the two. To the wei,
/// for every token (more, where a coin was forced in):
///
///     balance = funds of all accounts
///     held of an order = prices of its sales that are Paid or Delivered
///     held of a dataset = stake for each of its sales that are Paid or Delivered
///
/// An account holds less than 2**96. Where what a sale moves would not fit, its owner withdraws first: nobody else can bring
/// it there. Whatever has a deadline sends nothing.
///
/// No guard against re-entry: books are changed before money goes out, and what comes in must raise the balance by exactly
/// what is due. A contract that is asked for its signature is asked by a static call. See docs/mde.md for what the parties
/// check before they sign, and for what can be proved.
contract DatasetSale is Accounts, EIP712 {
    bytes32 private constant DATASET_TYPE = keccak256("souk.sale.dataset.v1");
    bytes32 private constant QUOTE_TYPE =
    // solhint-disable-next-line gas-small-strings
    keccak256("Quote(bytes32 order,bytes32 dataset,uint96 price,uint40 expiry,bytes32 scores)");
    uint256 private constant PAD_INDEX = 0;

    /// @dev What is derived of a deal.
    struct Ids {
        bytes32 pair;
        bytes32 order;
        bytes32 dataset;
        bytes32 quote;
    }

    mapping(bytes32 pair => DealStatus) private _deals;

    constructor() EIP712("Souk Dataset Sale", "1") {}

    // ---------------------------------------------------------------- quote and purchase

    /// @inheritdoc IDatasetSale
    function quote(Deal calldata deal, bytes calldata buyerSignature, bytes calldata sellerSignature) external {
        Ids memory ids = _ids(deal);
        _requireOpen(ids.order);
        _requireOpen(ids.dataset);
        (Order calldata order, Dataset calldata dataset) = (deal.order, deal.dataset);
        require(order.token == dataset.token, OtherToken(order.token, dataset.token));
        uint256 size = Samples.size(order.features, order.valueBytes);
        require(dataset.chunkBytes >= size, ChunkTooSmall(dataset.chunkBytes, size));
        require(_deals[ids.pair].state() == DealState.None, AlreadyQuoted(ids.pair));
        _unexpired(deal.quote);
        uint256 latest = block.timestamp + Window.LONGEST;
        require(deal.quote.expiry <= latest, ExpiryTooFar(deal.quote.expiry, latest));
        bytes32 digest = _hashTypedDataV4(ids.quote);
        _signed(order.buyer, digest, buyerSignature);
        _signed(dataset.seller, digest, sellerSignature);

        _set(ids, DealState.Quoted, deal.quote.expiry, Purchase(0, 0));
        emit Quoted(ids.pair, ids.order, ids.dataset, deal.quote);
    }

    /// @inheritdoc IDatasetSale
    function withdrawQuote(address buyer, bytes32 artefact, address seller, bytes32 file) external {
        require(msg.sender == buyer || msg.sender == seller, NotParty(msg.sender));
        bytes32 pair = _pair(buyer, artefact, seller, file);
        DealStatus status = _deals[pair];
        DealState state = status.state();
        require(state == DealState.None || state == DealState.Quoted, WrongState(state, DealState.Quoted));

        _deals[pair] = status.ended(DealState.Withdrawn);
        emit QuoteWithdrawn(pair, msg.sender);
    }

    /// @inheritdoc IDatasetSale
    function purchase(Deal calldata deal, uint256 oneTimeKey, uint256 oneTimeY) external {
        Order calldata order = deal.order;
        _onlyBuyer(order);
        Ids memory ids = _ids(deal);
        _present(ids, DealState.Quoted, Purchase(0, 0));
        _unexpired(deal.quote);
        require(deal.quote.price > 0, PriceZero());
        if (order.settlement == Settlement.Open) require(oneTimeKey == 0, KeyNotWanted(oneTimeKey));
        else require(SealedKey.isOnCurve(oneTimeKey, oneTimeY), KeyNotOnCurve(oneTimeKey, oneTimeY));

        _books[ids.order] = _requireOpen(ids.order).hold(deal.quote.price);
        _books[ids.dataset] = _requireOpen(ids.dataset).hold(order.stake);
        uint256 deadline = block.timestamp + order.deliveryTime;
        _set(ids, DealState.Paid, deadline, Purchase(oneTimeKey, 0));
        emit Purchased(ids.pair, oneTimeKey, deadline);
    }

    // ---------------------------------------------------------------- delivery

    /// @inheritdoc IDatasetSale
    function publishKey(Deal calldata deal, Purchase calldata purchase_, bytes32 key) external {
        Ids memory ids = _deliverable(deal, purchase_, Settlement.Open);
        Dataset calldata dataset = deal.dataset;
        bytes32 given = ChunkedFile.keyHash(_domain(dataset), key);
        require(given == dataset.keyHash, WrongKey(dataset.keyHash, given));

        uint256 deadline = block.timestamp + deal.order.disputeTime;
        _set(ids, DealState.Delivered, deadline, purchase_);
        emit KeyPublished(ids.pair, key, deadline);
    }

    /// @inheritdoc IDatasetSale
    function sealKey(Deal calldata deal, Purchase calldata purchase_, uint256 ephemeralX, bytes32 sealedKey) external {
        _onlySeller(deal.dataset);
        Ids memory ids = _deliverable(deal, purchase_, Settlement.Sealed);

        uint256 deadline = block.timestamp + deal.order.disputeTime;
        bytes32 delivery = keccak256(abi.encode(ephemeralX, sealedKey));
        _set(ids, DealState.Delivered, deadline, Purchase(purchase_.oneTimeKey, delivery));
        emit KeySealed(ids.pair, ephemeralX, sealedKey, deadline);
    }

    // ---------------------------------------------------------------- settlement

    /// @inheritdoc IDatasetSale
    function accept(Deal calldata deal, Purchase calldata purchase_) external {
        _onlyBuyer(deal.order);
        Ids memory ids = _ids(deal);
        _settle(deal, ids, _present(ids, DealState.Delivered, purchase_));
    }

    /// @inheritdoc IDatasetSale
    function settle(Deal calldata deal, Purchase calldata purchase_) external {
        Ids memory ids = _ids(deal);
        bool paid = _deals[ids.pair].state() == DealState.Paid;
        DealStatus status = _present(ids, paid ? DealState.Paid : DealState.Delivered, purchase_);
        require(block.timestamp >= status.deadline(), TooEarly(block.timestamp, status.deadline()));
        if (paid) _lapse(deal, ids, status);
        else _settle(deal, ids, status);
    }

    // ---------------------------------------------------------------- proofs

    /// @inheritdoc IDatasetSale
    function proveWrongKey(Deal calldata deal, Purchase calldata purchase_, KeyEvidence calldata evidence) external {
        (Ids memory ids, DealStatus status) = _disputable(deal, purchase_);
        _settledBy(deal.order, Settlement.Sealed);
        bytes32 delivery = keccak256(abi.encode(evidence.ephemeralX, evidence.sealedKey));
        require(delivery == purchase_.delivery, WrongDelivery(purchase_.delivery, delivery));
        Dataset calldata dataset = deal.dataset;
        KeyDispute.requireWrong(_domain(dataset), dataset.keyHash, purchase_.oneTimeKey, PAD_INDEX, evidence);

        _cheated(deal, ids, status);
        emit WrongKeyProved(ids.pair);
    }

    /// @inheritdoc IDatasetSale
    function proveSpoiltChunk(
        Deal calldata deal,
        Purchase calldata purchase_,
        bytes32 key,
        ChunkEvidence calldata evidence
    ) external {
        (Ids memory ids, DealStatus status) = _disputable(deal, purchase_);
        Dataset calldata dataset = deal.dataset;
        ChunkDispute.requireSpoilt(_domain(dataset), dataset.file, dataset.keyHash, key, evidence);

        _cheated(deal, ids, status);
        emit SpoiltChunkProved(ids.pair, evidence.index);
    }

    /// @inheritdoc IDatasetSale
    function proveWrongScore(
        Deal calldata deal,
        Purchase calldata purchase_,
        bytes32 key,
        ScoreEvidence calldata evidence
    ) external {
        (Ids memory ids, DealStatus status) = _disputable(deal, purchase_);
        (Order calldata order, Dataset calldata dataset) = (deal.order, deal.dataset);
        _requireSample(dataset, key, evidence.cipherRoot, evidence.sample);
        DecisionTree.requireWay(
            order.tree, order.depth, order.features, order.valueBytes, evidence.sample.chunk, evidence.decision
        );
        Scores.requireMisreported(deal.quote.scores, ids.order, dataset.count, key, evidence);

        _cheated(deal, ids, status);
        emit WrongScoreProved(ids.pair, evidence.sample.index);
    }

    /// @inheritdoc IDatasetSale
    function proveRepeatedSample(
        Deal calldata deal,
        Purchase calldata purchase_,
        bytes32 key,
        bytes32 cipherRoot,
        SampleEvidence calldata first,
        SampleEvidence calldata second
    ) external {
        (Ids memory ids, DealStatus status) = _disputable(deal, purchase_);
        require(deal.order.tree != 0, TreeMissing());
        Dataset calldata dataset = deal.dataset;
        _requireSample(dataset, key, cipherRoot, first);
        _requireSample(dataset, key, cipherRoot, second);
        Samples.requireSame(first, second, Samples.size(deal.order.features, deal.order.valueBytes));

        _cheated(deal, ids, status);
        emit RepeatedSampleProved(ids.pair, first.index, second.index);
    }

    /// @inheritdoc IDatasetSale
    function proveWrongPrice(
        Deal calldata deal,
        Purchase calldata purchase_,
        bytes32 key,
        TotalEvidence calldata total,
        PriceRule calldata rule
    ) external {
        (Ids memory ids, DealStatus status) = _disputable(deal, purchase_);
        Dataset calldata dataset = deal.dataset;
        uint256 last = dataset.count - 1;
        bytes32 leaf = Scores.leafOf(ids.order, key, last, total.total);
        Scores.requireIn(deal.quote.scores, dataset.count, last, leaf, total.path);
        bytes32 given = PriceRules.hash(rule);
        require(given == deal.order.rule, WrongRule(deal.order.rule, given));
        uint256 price = PriceRules.priceOf(rule, total.total);
        require(deal.quote.price > price, PriceIsRight(deal.quote.price, price));

        _cheated(deal, ids, status);
        emit WrongPriceProved(ids.pair, price);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IDatasetSale
    function pairId(address buyer, bytes32 artefact, address seller, bytes32 file) external pure returns (bytes32) {
        return _pair(buyer, artefact, seller, file);
    }

    /// @inheritdoc IDatasetSale
    function quoteDigest(Deal calldata deal) external view returns (bytes32) {
        return _hashTypedDataV4(_ids(deal).quote);
    }

    /// @inheritdoc IDatasetSale
    function dealOf(bytes32 pair) external view returns (DealState state, uint256 deadline, bytes26 content) {
        DealStatus status = _deals[pair];
        return (status.state(), status.deadline(), status.content());
    }

    // ---------------------------------------------------------------- guards

    function _settledBy(Order calldata order, Settlement needed) private pure {
        require(order.settlement == needed, WrongSettlement(order.settlement, needed));
    }

    function _unexpired(Quote calldata quote_) private view {
        require(block.timestamp < quote_.expiry, QuoteExpired(block.timestamp, quote_.expiry));
    }

    function _signed(address signer, bytes32 digest, bytes calldata signature) private view {
        require(SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature), WrongSigner(signer, digest));
    }

    /// @dev The pair's status, when it is in that state with that quote and purchase.
    // State and content share a slot with the deadline, and are no times themselves.
    // slither-disable-next-line incorrect-equality
    function _present(Ids memory ids, DealState needed, Purchase memory purchase_)
        private
        view
        returns (DealStatus status)
    {
        status = _deals[ids.pair];
        require(status.state() == needed, WrongState(status.state(), needed));
        bytes26 given = _content(ids, purchase_);
        require(status.content() == given, WrongDeal(status.content(), given));
    }

    function _before(DealStatus status) private view {
        require(block.timestamp < status.deadline(), TooLate(block.timestamp, status.deadline()));
    }

    function _deliverable(Deal calldata deal, Purchase calldata purchase_, Settlement settlement)
        private
        view
        returns (Ids memory ids)
    {
        _settledBy(deal.order, settlement);
        ids = _ids(deal);
        _before(_present(ids, DealState.Paid, purchase_));
    }

    /// @dev The pair's status, when the caller may still prove a fault.
    function _disputable(Deal calldata deal, Purchase calldata purchase_)
        private
        view
        returns (Ids memory ids, DealStatus status)
    {
        _onlyBuyer(deal.order);
        ids = _ids(deal);
        status = _present(ids, DealState.Delivered, purchase_);
        _before(status);
    }

    /// @dev The key needs no check of its own: no other one yields the sample's leaf.
    function _requireSample(Dataset calldata dataset, bytes32 key, bytes32 cipherRoot, SampleEvidence calldata sample)
        private
        view
    {
        require(sample.index < dataset.count, Samples.SampleOutOfRange(sample.index, dataset.count));
        (uint256 chunks, uint256 size) = (dataset.chunks, dataset.chunkBytes);
        Samples.requireIn(_domain(dataset), dataset.file, chunks, size, key, cipherRoot, sample);
    }

    // ---------------------------------------------------------------- transitions

    function _set(Ids memory ids, DealState state, uint256 deadline, Purchase memory purchase_) private {
        _deals[ids.pair] = DealStatusLib.pack(state, deadline, _content(ids, purchase_));
    }

    /// @dev The price is the seller's.
    function _settle(Deal calldata deal, Ids memory ids, DealStatus status) private {
        uint256 price = deal.quote.price;
        _books[ids.order] = _books[ids.order].release(price).take(price);
        _books[ids.dataset] = _books[ids.dataset].release(deal.order.stake).add(price);
        _deals[ids.pair] = status.ended(DealState.Settled);
        emit Settled(ids.pair);
    }

    /// @dev Both have back what the sale held.
    function _lapse(Deal calldata deal, Ids memory ids, DealStatus status) private {
        _books[ids.order] = _books[ids.order].release(deal.quote.price);
        _books[ids.dataset] = _books[ids.dataset].release(deal.order.stake);
        _deals[ids.pair] = status.ended(DealState.Lapsed);
        emit Lapsed(ids.pair);
    }

    /// @dev Price and stake are the buyer's.
    function _cheated(Deal calldata deal, Ids memory ids, DealStatus status) private {
        uint256 stake = deal.order.stake;
        _books[ids.order] = _books[ids.order].release(deal.quote.price).add(stake);
        Book book = _books[ids.dataset].release(stake);
        _books[ids.dataset] = book.take(stake);
        _deals[ids.pair] = status.ended(DealState.Cheated);
    }

    // ---------------------------------------------------------------- what is derived

    function _ids(Deal calldata deal) private view returns (Ids memory ids) {
        ids.pair = _pair(deal.order.buyer, deal.order.artefact, deal.dataset.seller, deal.dataset.file);
        ids.order = _orderId(deal.order);
        ids.dataset = _datasetId(deal.dataset);
        ids.quote = keccak256(
            abi.encode(QUOTE_TYPE, ids.order, ids.dataset, deal.quote.price, deal.quote.expiry, deal.quote.scores)
        );
    }

    function _pair(address buyer, bytes32 artefact, address seller, bytes32 file) private pure returns (bytes32) {
        return keccak256(abi.encode(buyer, artefact, seller, file));
    }

    function _content(Ids memory ids, Purchase memory purchase_) private pure returns (bytes26) {
        return bytes26(keccak256(abi.encode(ids.quote, purchase_)));
    }

    function _domain(Dataset calldata dataset) private view returns (bytes32) {
        return ChunkedFile.domain(dataset.seller, keccak256(abi.encode(DATASET_TYPE, dataset.name)));
    }
}
