// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Payment} from "../exchange/Payment.sol";
import {Permitted} from "../exchange/Permitted.sol";
import {Window} from "../exchange/Window.sol";
import {ICleanerSale, Level, Listing, ListingTerms} from "../interfaces/ICleanerSale.sol";
import {Book, BookLib} from "../exchange/Book.sol";
import {Levels} from "./Levels.sol";

/// @title What sellers offer, and their funds
/// @dev See CleanerSale for the tables of states and of money.
abstract contract Listings is ICleanerSale, Permitted {
    bytes32 private constant LISTING_TYPE = keccak256("souk.sale.listing.v1");
    uint256 private constant MAX_LEVELS = 32;
    uint256 private constant BPS = 10_000;

    mapping(bytes32 id => Book) internal _books;

    // ---------------------------------------------------------------- the seller's calls

    /// @inheritdoc ICleanerSale
    function list(ListingTerms calldata terms, bytes32 task, bytes32 catalogue, Level[] calldata levels, uint96 funds)
        external
        payable
        returns (bytes32 id)
    {
        _checkLevels(levels);
        require(task != 0, TaskMissing());
        ListingTerms memory offered = terms;
        offered.seller = msg.sender;
        _check(offered);
        bytes32 root = Levels.rootOf(task, levels);
        id = _idOf(keccak256(abi.encode(offered)), root);
        require(!_books[id].listed(), ListingExists(id));

        _books[id] = BookLib.create(funds);
        emit Listed(id, task, offered, levels, catalogue, funds);
        Payment.collect(offered.token, address(this), funds);
    }

    /// @inheritdoc ICleanerSale
    function fund(Listing calldata listing, uint96 amount) external payable {
        (bytes32 id, Book book) = _load(listing);
        _onlySeller(listing);
        _books[id] = book.add(amount);
        emit Funded(id, amount);
        Payment.collect(listing.terms.token, address(this), amount);
    }

    /// @inheritdoc ICleanerSale
    function withdraw(Listing calldata listing, uint96 amount, address to) external {
        (bytes32 id, Book book) = _load(listing);
        _onlySeller(listing);
        require(amount > 0, NothingOwed(msg.sender));

        _books[id] = book.take(amount);
        emit Withdrawn(id, amount);
        Payment.pay(listing.terms.token, to, amount);
    }

    /// @inheritdoc ICleanerSale
    function close(Listing calldata listing) external {
        (bytes32 id, Book book) = _load(listing);
        _onlySeller(listing);
        require(!book.closed(), ListingIsClosed(id));

        _books[id] = book.close();
        emit ListingClosed(id);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ICleanerSale
    function version() external pure returns (uint256) {
        return 3;
    }

    /// @inheritdoc ICleanerSale
    function listingId(Listing calldata listing) external view returns (bytes32) {
        return _id(listing.terms, listing.levels);
    }

    /// @inheritdoc ICleanerSale
    function bookOf(bytes32 id) external view returns (bool listed, bool closed, uint256 funds, uint256 held) {
        Book book = _books[id];
        return (book.listed(), book.closed(), book.funds(), book.held());
    }

    // ---------------------------------------------------------------- guards

    function _checkLevels(Level[] calldata levels) private pure {
        uint256 count = levels.length;
        require(count > 0 && count <= MAX_LEVELS, LevelCountOutOfRange(count, MAX_LEVELS));
        uint256 accuracy = 0;
        uint256 price = 0;
        for (uint256 i = 0; i < count; ++i) {
            Level calldata level = levels[i];
            require(level.accuracyBps > accuracy && level.accuracyBps <= BPS, AccuracyOutOfOrder(i, level.accuracyBps));
            require(level.price > price, PriceOutOfOrder(i, level.price));
            require(level.file != 0 && level.keyHash != 0, CommitmentMissing(i));
            (accuracy, price) = (level.accuracyBps, level.price);
        }
    }

    function _check(ListingTerms memory terms) private view {
        require(terms.stake > 0, StakeZero());
        Window.check(terms.deliveryTime);
        Window.check(terms.disputeTime);
        require(terms.token == address(0) || terms.token.code.length > 0, TokenWithoutCode(terms.token));
    }

    /// @dev ListingTerms are hashed as they were brought, since abi.encode would copy them twice. A field with bits beyond its
    /// type makes another id, which nobody listed.
    function _id(ListingTerms calldata terms, bytes32 levels) internal view returns (bytes32) {
        bytes32 content;
        assembly ("memory-safe") {
            let words := mload(0x40)
            calldatacopy(words, terms, 0xc0)
            content := keccak256(words, 0xc0)
        }
        return _idOf(content, levels);
    }

    function _idOf(bytes32 terms, bytes32 levels) private view returns (bytes32) {
        return keccak256(abi.encode(LISTING_TYPE, block.chainid, address(this), terms, levels));
    }

    function _load(bytes32 id) internal view returns (Book book) {
        book = _books[id];
        require(book.listed(), UnknownListing(id));
    }

    function _load(Listing calldata listing) internal view returns (bytes32 id, Book book) {
        id = _id(listing.terms, listing.levels);
        book = _load(id);
    }

    function _onlySeller(Listing calldata listing) internal view {
        require(msg.sender == listing.terms.seller, NotSeller(msg.sender, listing.terms.seller));
    }
}
