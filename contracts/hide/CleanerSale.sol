// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkDispute, ChunkEvidence} from "../exchange/ChunkDispute.sol";
import {ChunkedFile} from "../exchange/ChunkedFile.sol";
import {KeyDispute, KeyEvidence} from "../exchange/KeyDispute.sol";
import {Payment} from "../exchange/Payment.sol";
import {SealedKey} from "../exchange/SealedKey.sol";
import {Due, Goods, ICleanerSale, Listing, Offer, Sale, SaleState, ListingTerms} from "../interfaces/ICleanerSale.sol";
import {Settlement} from "../exchange/Settlement.sol";
import {Book} from "../exchange/Book.sol";
import {Levels} from "./Levels.sol";
import {Listings} from "./Listings.sol";
import {SaleStatus, SaleStatusLib} from "./SaleStatus.sol";

/// @title Sells cleaners of masked datasets: one contract, many listings, each with many levels and many buyers
/// @notice The states of one buyer at one listing. Windows are half-open, [start, end), and 10 minutes to 30 days long: so
/// no sale holds anybody's money for more than 60 days.
///
/// | state     | call             | by      | window                       | leads to                                     |
/// | --------- | ---------------- | ------- | ---------------------------- | -------------------------------------------- |
/// | None      | buy              | buyer   | until the listing is closed  | Paid, deadline = now + deliveryTime          |
/// | Owned     | buy a better one | buyer   | until the listing is closed  | Paid, deadline = now + deliveryTime          |
/// | Paid      | publishKey       | anyone  | until the deadline, open     | Delivered, deadline = now + disputeTime      |
/// | Paid      | sealKey          | seller  | until the deadline, sealed   | Delivered, deadline = now + disputeTime      |
/// | Paid      | settle           | anyone  | from the deadline            | Lapsed, the stake is free                    |
/// | Paid      | refund           | buyer   | from the deadline            | as before the purchase, paid back            |
/// | Lapsed    | refund           | buyer   | for ever                     | as before the purchase, paid back            |
/// | Delivered | accept           | buyer   | for ever                     | Owned, the stake is free                     |
/// | Delivered | settle           | anyone  | from the deadline            | Owned, the stake is free                     |
/// | Delivered | proveWrongKey    | buyer   | until the deadline, sealed   | Cheated                                      |
/// | Delivered | proveSpoiltChunk | buyer   | until the deadline           | Cheated                                      |
/// | Cheated   | refund           | buyer   | for ever                     | as before the purchase, paid back with stake |
///
/// As before the purchase is None, or Owned where the buyer owned a worse level. A seller may fund, withdraw what no sale
/// holds and close its listing at any time.
///
/// The money. A sale that is paid and neither settled nor refunded holds `stake` of the seller's funds, and under open
/// settlement what was paid besides. A purchase that the free funds do not answer for is refused. To the wei, for
/// every token (more, where a coin was forced in):
///
///     balance = funds of all listings, of which at least what is held for sales
///             + paid, of sales that are Paid or Lapsed, or Delivered under sealed settlement
///             + paid + stake, of sales that are Cheated
///
/// A proof moves no money; {refund} pays, to whom the buyer says. Whatever has a deadline sends nothing, and what it adds
/// to funds nobody but their owner can bring near 2**96. No guard against re-entry: books are changed before money goes
/// out, and what comes in must raise the balance by exactly what is due. See docs/hide.md for why the contract is built so.
contract CleanerSale is Listings {
    bytes32 private constant CLEANER_TYPE = keccak256("souk.sale.cleaner.v1");

    mapping(bytes32 id => mapping(address buyer => SaleStatus)) private _sales;

    // ---------------------------------------------------------------- purchase and delivery

    /// @inheritdoc ICleanerSale
    function buy(
        ListingTerms calldata terms,
        uint256 level,
        Offer calldata offer,
        bytes32[] calldata path,
        uint256 oneTimeKey,
        uint256 oneTimeY
    ) external payable {
        // Whoever brings another level, offer or path names a listing that does not exist.
        bytes32 id = _id(terms, Levels.pathRoot(level, offer, path));
        Book book = _load(id);
        require(!book.closed(), ListingIsClosed(id));
        SaleStatus status = _sales[id][msg.sender];
        SaleState state = status.state();
        require(state == SaleState.None || state == SaleState.Owned, SaleUnderWay(state));
        require(level >= status.owned(), LevelNotAbove(level, status.owned()));
        if (terms.settlement == Settlement.Open) require(oneTimeKey == 0, KeyNotWanted(oneTimeKey));
        else require(SealedKey.isOnCurve(oneTimeKey, oneTimeY), KeyNotOnCurve(oneTimeKey, oneTimeY));

        Sale memory sale = Sale(offer.price, status.credit(), offer.goods, oneTimeKey, 0);
        uint256 paid = sale.price - sale.credit;
        _books[id] = book.hold(_hold(terms, paid));
        uint256 deadline = block.timestamp + terms.deliveryTime;
        _sales[id][msg.sender] = SaleStatusLib.pack(SaleState.Paid, level, status.owned(), deadline, _digest(sale));
        emit Bought(id, msg.sender, level, oneTimeKey);
        Payment.collect(terms.token, address(this), paid);
    }

    /// @inheritdoc ICleanerSale
    function publishKey(Listing calldata listing, address buyer, Sale calldata sale, Goods calldata goods, bytes32 key)
        external
    {
        (bytes32 id, Book book) = _load(listing);
        SaleStatus status = _deliverable(listing, Settlement.Open, id, buyer, sale);
        bytes32 given = ChunkedFile.keyHash(_domain(listing, status, sale, goods), key);
        require(given == goods.keyHash, WrongKey(goods.keyHash, given));

        uint256 deadline = _deliver(listing, id, buyer, status, sale);
        _books[id] = book.add(sale.price - sale.credit);
        emit KeyPublished(id, buyer, key, deadline);
    }

    /// @inheritdoc ICleanerSale
    function sealKey(Listing calldata listing, address buyer, Sale calldata sale, uint256 ephemeralX, bytes32 sealedKey)
        external
    {
        bytes32 id = _id(listing.terms, listing.levels);
        _onlySeller(listing);
        SaleStatus status = _deliverable(listing, Settlement.Sealed, id, buyer, sale);

        Sale memory delivered = sale;
        delivered.delivery = keccak256(abi.encode(ephemeralX, sealedKey));
        uint256 deadline = _deliver(listing, id, buyer, status, delivered);
        emit KeySealed(id, buyer, ephemeralX, sealedKey, deadline);
    }

    // ---------------------------------------------------------------- the buyer's answer

    /// @inheritdoc ICleanerSale
    function accept(Listing calldata listing, Sale calldata sale) external {
        (bytes32 id, Book book) = _load(listing);
        SaleStatus status = _present(id, msg.sender, SaleState.Delivered, sale);
        _books[id] = _own(listing, book, id, msg.sender, status, sale);
    }

    /// @inheritdoc ICleanerSale
    function proveWrongKey(
        Listing calldata listing,
        Sale calldata sale,
        Goods calldata goods,
        KeyEvidence calldata evidence
    ) external {
        (bytes32 id, Book book) = _load(listing);
        _settledBy(listing, Settlement.Sealed);
        SaleStatus status = _disputable(id, sale);
        bytes32 delivery = keccak256(abi.encode(evidence.ephemeralX, evidence.sealedKey));
        require(delivery == sale.delivery, WrongDelivery(sale.delivery, delivery));
        bytes32 domain = _domain(listing, status, sale, goods);
        KeyDispute.requireWrong(domain, goods.keyHash, sale.oneTimeKey, status.level(), evidence);

        _cheated(listing, book, id, status, sale);
        emit WrongKeyProved(id, msg.sender);
    }

    /// @inheritdoc ICleanerSale
    function proveSpoiltChunk(
        Listing calldata listing,
        Sale calldata sale,
        Goods calldata goods,
        bytes32 key,
        ChunkEvidence calldata evidence
    ) external {
        (bytes32 id, Book book) = _load(listing);
        SaleStatus status = _disputable(id, sale);
        bytes32 domain = _domain(listing, status, sale, goods);
        ChunkDispute.requireSpoilt(domain, goods.file, goods.keyHash, key, evidence);

        _cheated(listing, book, id, status, sale);
        emit SpoiltChunkProved(id, msg.sender, evidence.index);
    }

    // ---------------------------------------------------------------- settlement

    /// @inheritdoc ICleanerSale
    function settle(Listing calldata listing, Due[] calldata sales) external {
        (bytes32 id, Book book) = _load(listing);
        for (uint256 i = 0; i < sales.length; ++i) {
            (address buyer, Sale calldata sale) = (sales[i].buyer, sales[i].sale);
            SaleStatus status = _sales[id][buyer];
            if (block.timestamp < status.deadline() || status.content() != _digest(sale)) continue;
            if (status.state() == SaleState.Delivered) {
                book = _own(listing, book, id, buyer, status, sale);
            } else if (status.state() == SaleState.Paid) {
                book = book.release(_hold(listing.terms, sale.price - sale.credit));
                _sales[id][buyer] = status.to(SaleState.Lapsed, 0);
                emit Lapsed(id, buyer);
            }
        }
        _books[id] = book;
    }

    /// @inheritdoc ICleanerSale
    function refund(Listing calldata listing, Sale calldata sale, address to) external {
        (bytes32 id, Book book) = _load(listing);
        SaleStatus status = _sales[id][msg.sender];
        SaleState state = status.state();
        require(
            state == SaleState.Paid || state == SaleState.Lapsed || state == SaleState.Cheated, NothingOwed(msg.sender)
        );
        _match(status, sale);
        uint256 amount = sale.price - sale.credit;
        if (state == SaleState.Cheated) {
            amount += listing.terms.stake;
        } else if (state == SaleState.Paid) {
            require(block.timestamp >= status.deadline(), TooEarly(block.timestamp, status.deadline()));
            _books[id] = book.release(_hold(listing.terms, amount));
        }

        uint256 owned = status.owned();
        _sales[id][msg.sender] = owned == 0 ? SaleStatusLib.NONE : SaleStatusLib.owner(owned, sale.credit);
        emit Refunded(id, msg.sender, amount);
        Payment.pay(listing.terms.token, to, amount);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ICleanerSale
    function saleOf(bytes32 id, address buyer)
        external
        view
        returns (SaleState state, uint256 level, uint256 owned, uint256 deadline, bytes24 content)
    {
        SaleStatus status = _sales[id][buyer];
        return (status.state(), status.level(), status.owned(), status.deadline(), status.content());
    }

    // ---------------------------------------------------------------- guards

    function _settledBy(Listing calldata listing, Settlement needed) private pure {
        require(listing.terms.settlement == needed, WrongSettlement(listing.terms.settlement, needed));
    }

    function _match(SaleStatus status, Sale calldata sale) private pure {
        bytes24 given = _digest(sale);
        require(status.content() == given, WrongSale(status.content(), given));
    }

    /// @dev The buyer's status, when it is in that state with that sale.
    function _present(bytes32 id, address buyer, SaleState needed, Sale calldata sale)
        private
        view
        returns (SaleStatus status)
    {
        status = _sales[id][buyer];
        require(status.state() == needed, WrongState(status.state(), needed));
        _match(status, sale);
    }

    function _before(SaleStatus status) private view {
        require(block.timestamp < status.deadline(), TooLate(block.timestamp, status.deadline()));
    }

    function _deliverable(
        Listing calldata listing,
        Settlement settlement,
        bytes32 id,
        address buyer,
        Sale calldata sale
    ) private view returns (SaleStatus status) {
        _settledBy(listing, settlement);
        status = _present(id, buyer, SaleState.Paid, sale);
        _before(status);
    }

    /// @dev The caller's status, when it may still prove a fault.
    function _disputable(bytes32 id, Sale calldata sale) private view returns (SaleStatus status) {
        status = _present(id, msg.sender, SaleState.Delivered, sale);
        _before(status);
    }

    // ---------------------------------------------------------------- transitions

    function _deliver(Listing calldata listing, bytes32 id, address buyer, SaleStatus status, Sale memory sale)
        private
        returns (uint256 deadline)
    {
        deadline = block.timestamp + listing.terms.disputeTime;
        _sales[id][buyer] =
            SaleStatusLib.pack(SaleState.Delivered, status.level(), status.owned(), deadline, _digest(sale));
    }

    /// @dev The buyer keeps the level, the seller what was paid. Returns the book after it, for the caller to store.
    function _own(Listing calldata listing, Book book, bytes32 id, address buyer, SaleStatus status, Sale calldata sale)
        private
        returns (Book)
    {
        uint256 paid = sale.price - sale.credit;
        book = book.release(_hold(listing.terms, paid));
        if (listing.terms.settlement == Settlement.Sealed) book = book.add(paid);
        _sales[id][buyer] = SaleStatusLib.owner(status.level() + 1, sale.price);
        emit Settled(id, buyer);
        return book;
    }

    /// @dev What the sale held is the buyer's from now on.
    function _cheated(Listing calldata listing, Book book, bytes32 id, SaleStatus status, Sale calldata sale) private {
        uint256 hold = _hold(listing.terms, sale.price - sale.credit);
        _books[id] = book.release(hold).take(hold);
        _sales[id][msg.sender] = status.to(SaleState.Cheated, 0);
    }

    // ---------------------------------------------------------------- what is derived

    function _digest(Sale memory sale) private pure returns (bytes24) {
        return bytes24(keccak256(abi.encode(sale)));
    }

    /// @dev What a sale holds of the seller's funds.
    function _hold(ListingTerms calldata terms, uint256 paid) private pure returns (uint256) {
        return terms.settlement == Settlement.Open ? paid + terms.stake : terms.stake;
    }

    /// @dev The domain of the file that was sold.
    function _domain(Listing calldata listing, SaleStatus status, Sale calldata sale, Goods calldata goods)
        private
        view
        returns (bytes32)
    {
        bytes32 given = Levels.goodsHash(goods);
        require(given == sale.goods, WrongGoods(sale.goods, given));
        bytes32 label = keccak256(abi.encode(CLEANER_TYPE, goods.task, status.level()));
        return ChunkedFile.domain(listing.terms.seller, label);
    }
}
