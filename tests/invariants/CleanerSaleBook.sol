// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkEvidence} from "../../contracts/exchange/ChunkDispute.sol";
import {
    Goods,
    ICleanerSale,
    Level,
    Listing,
    Offer,
    Sale,
    SaleState,
    ListingTerms
} from "../../contracts/interfaces/ICleanerSale.sol";
import {Settlement} from "../../contracts/exchange/Settlement.sol";
import {SalePlay} from "./SalePlay.sol";

/// @title What happened at a sale of cleaners by the rules, kept without looking at the contract
/// @notice Four listings: open and sealed, each of an honest seller and of a liar, two paid in coins and two in a token.
/// Each has two levels, of files of one chunk, so that leaves are roots; the liar's second file is spoilt.
abstract contract CleanerSaleBook is SalePlay {
    struct Holding {
        SaleState state;
        uint256 level;
        uint256 owned;
        uint256 deadline;
        Sale sale;
        uint256 ephemeralX;
        bytes32 sealedKey;
        bool wrongKey;
        // Over all purchases at the listing.
        uint256 spent;
        uint256 repaid;
        uint256 stakes;
    }

    uint256 public constant LISTINGS = 4;
    uint256 public constant BUYERS = 3;
    uint256 public constant LEVELS = 2;
    bytes32 private constant TASK = "task";
    bytes32 private constant CATALOGUE = "catalogue";
    ICleanerSale public immutable sale;
    address[LISTINGS] internal sellers;
    address[BUYERS] internal buyers;
    Listing[LISTINGS] internal listings;
    Level[LEVELS][LISTINGS] internal levels;
    ChunkEvidence[LEVELS][LISTINGS] private _chunks;
    Money[LISTINGS] internal money;
    mapping(uint256 listing => mapping(uint256 buyer => Holding)) internal purchases;

    constructor() SalePlay(deploy("CleanerSale")) {
        sale = ICleanerSale(market);
        for (uint256 b = 0; b < BUYERS; ++b) {
            buyers[b] = vm.addr(100 + b);
            _enrich(buyers[b]);
        }
        for (uint256 which = 0; which < LISTINGS; ++which) {
            _list(which);
        }
    }

    // ---------------------------------------------------------------- listings

    function lies(uint256 which) public pure returns (bool) {
        return which >= 2;
    }

    function inToken(uint256 which) public pure returns (bool) {
        return which == 1 || which == 2;
    }

    function isSealed(uint256 which) public pure returns (bool) {
        return which % 2 == 1;
    }

    function _list(uint256 which) private {
        address seller = vm.addr(200 + which);
        sellers[which] = seller;
        _enrich(seller);
        ListingTerms memory terms = ListingTerms({
            seller: seller,
            token: inToken(which) ? address(token) : address(0),
            stake: STAKE,
            settlement: isSealed(which) ? Settlement.Sealed : Settlement.Open,
            deliveryTime: DELIVERY_TIME,
            disputeTime: DISPUTE_TIME
        });
        Level[] memory offered = new Level[](LEVELS);
        bytes32[LEVELS] memory leaves;
        for (uint256 i = 0; i < LEVELS; ++i) {
            offered[i] = _level(which, i);
            levels[which][i] = offered[i];
            leaves[i] = _leaf(i, offered[i]);
        }
        bytes32 root = leaves[0] < leaves[1]
            ? keccak256(abi.encode(leaves[0], leaves[1]))
            : keccak256(abi.encode(leaves[1], leaves[0]));
        listings[which] = Listing(terms, root);
        uint96 funds = uint96(3 * STAKE);
        vm.prank(seller);
        sale.list{value: inToken(which) ? 0 : funds}(terms, TASK, CATALOGUE, offered, funds);
        _start(money[which], funds);
    }

    /// @dev A level of a file of its own; the liar's second one is spoilt.
    function _level(uint256 which, uint256 i) private returns (Level memory level) {
        bytes32 label = keccak256(abi.encode(keccak256("souk.sale.cleaner.v1"), TASK, i));
        bytes32 domain = _domain(sellers[which], label);
        bytes32 key = _key(which, i);
        (level.file, _chunks[which][i]) =
            _file(domain, key, keccak256(abi.encode("plain", which, i)), lies(which) && i == 1);
        level.keyHash = exchange.keyHash(domain, key);
        (level.accuracyBps, level.price) = (uint16(4_000 + 1_000 * i), uint96(PRICE + 600 * i));
    }

    // ---------------------------------------------------------------- what is brought

    function _key(uint256 which, uint256 level) internal pure returns (bytes32) {
        return keccak256(abi.encode("key", which, level));
    }

    function _goods(uint256 which, uint256 level) internal view returns (Goods memory) {
        Level memory l = levels[which][level];
        return Goods(TASK, l.accuracyBps, l.file, l.keyHash);
    }

    function _offer(uint256 which, uint256 level) internal view returns (Offer memory offer, bytes32[] memory path) {
        offer = Offer(levels[which][level].price, keccak256(abi.encode(_goods(which, level))));
        path = new bytes32[](1);
        path[0] = _leaf(1 - level, levels[which][1 - level]);
    }

    function _chunk(uint256 which, uint256 level) internal view returns (ChunkEvidence memory) {
        return _chunks[which][level];
    }

    function _leaf(uint256 i, Level memory l) private pure returns (bytes32) {
        bytes32 goods = keccak256(abi.encode(TASK, l.accuracyBps, l.file, l.keyHash));
        return keccak256(abi.encode(keccak256(abi.encode(keccak256("souk.sale.offer.v1"), i, uint256(l.price), goods))));
    }

    // ---------------------------------------------------------------- what should be

    function _paid(Holding storage p) internal view returns (uint256) {
        return p.sale.price - p.sale.credit;
    }

    function _hold(uint256 which, uint256 paid) internal pure returns (uint256) {
        return isSealed(which) ? STAKE : STAKE + paid;
    }

    function debts(bool ofToken) external view override returns (uint256 sum) {
        for (uint256 w = 0; w < LISTINGS; ++w) {
            if (inToken(w) != ofToken) continue;
            sum += money[w].funds;
            for (uint256 b = 0; b < BUYERS; ++b) {
                sum += _claim(w, purchases[w][b]);
            }
        }
    }

    /// @dev What the contract holds for a buyer, or for its seller until the sale is settled.
    function _claim(uint256 which, Holding storage p) private view returns (uint256) {
        if (p.state == SaleState.Paid || p.state == SaleState.Lapsed) return _paid(p);
        if (p.state == SaleState.Delivered) return isSealed(which) ? _paid(p) : 0;
        return p.state == SaleState.Cheated ? _paid(p) + STAKE : 0;
    }

    function moneyOf(uint256 which) external view returns (bytes32 id, Money memory) {
        return (sale.listingId(listings[which]), money[which]);
    }

    /// @notice A buyer by the book, and what it has spent beyond what it owns, is owed and was repaid: zero by the rules.
    function purchaseOf(uint256 which, uint256 buyer)
        external
        view
        returns (address account, SaleState state, uint256 owned, uint256 deadline, int256 lost)
    {
        Holding storage p = purchases[which][buyer];
        bool under = p.state != SaleState.None && p.state != SaleState.Owned;
        uint256 worth = p.owned == 0 ? 0 : levels[which][p.owned - 1].price;
        lost = int256(p.spent) - int256(p.repaid) - int256(worth + (under ? _paid(p) : 0));
        return (buyers[buyer], p.state, p.owned, p.deadline, lost);
    }
}
