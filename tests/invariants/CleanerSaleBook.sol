// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkEvidence} from "../../contracts/exchange/ChunkDispute.sol";
import {KeyEvidence} from "../../contracts/exchange/KeyDispute.sol";
import {Goods, Level, Listing, Offer, Sale, SaleState, Terms} from "../../contracts/interfaces/ICleanerSale.sol";
import {Settlement} from "../../contracts/exchange/Settlement.sol";
import {CleanerSale} from "../../contracts/hide/CleanerSale.sol";
import {PlainToken} from "../kit/mocks/Tokens.sol";
import {Attempts} from "./Attempts.sol";
import {Vm} from "./Base.sol";
import {ExchangeHarness} from "./ExchangeHarness.sol";

/// @title What happened at a sale of cleaners by the rules, kept without looking at the contract
/// @notice Four listings: open and sealed, each of an honest seller and of a liar, two paid in coins and two in a token.
/// Each has two levels, of files of one chunk, so that leaves are roots; the liar's second file is spoilt.
abstract contract CleanerSaleBook is Attempts {
    struct Purchase {
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

    struct Money {
        uint256 funds;
        uint256 held;
        bool closed;
        uint256 putIn;
        uint256 takenOut;
        uint256 sold;
        uint256 lost;
    }

    uint256 public constant LISTINGS = 4;
    uint256 public constant BUYERS = 3;
    uint256 public constant LEVELS = 2;
    uint256 internal constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    uint96 public constant STAKE = 400;
    bytes32 private constant DATASET = "dataset";
    /// @dev Buyers' and sellers' one-time keys are multiples of the generator by these, each with its even y.
    uint256 private constant ONE_TIME = 11;
    uint256 private constant EPHEMERAL = 77;

    CleanerSale public sale;
    PlainToken public token;
    ExchangeHarness private _exchange;
    address[LISTINGS] internal sellers;
    address[BUYERS] internal buyers;
    Listing[LISTINGS] internal listings;
    Level[LEVELS][LISTINGS] internal levels;
    ChunkEvidence[LEVELS][LISTINGS] private _chunks;
    Money[LISTINGS] internal money;
    mapping(uint256 listing => mapping(uint256 buyer => Purchase)) internal purchases;

    constructor() {
        vm.warp(1_000_000);
        sale = new CleanerSale();
        token = new PlainToken();
        _exchange = new ExchangeHarness();
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

    function _enrich(address account) private {
        vm.deal(account, 1e30);
        token.mint(account, 1e30);
        vm.prank(account);
        token.approve(address(sale), type(uint256).max);
    }

    function _list(uint256 which) private {
        address seller = vm.addr(200 + which);
        sellers[which] = seller;
        _enrich(seller);
        Terms memory terms = Terms({
            seller: seller,
            token: inToken(which) ? address(token) : address(0),
            stake: STAKE,
            settlement: isSealed(which) ? Settlement.Sealed : Settlement.Open,
            deliveryTime: 20,
            disputeTime: 15
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
        sale.list{value: inToken(which) ? 0 : funds}(terms, DATASET, offered, funds);
        (money[which].funds, money[which].putIn) = (funds, funds);
    }

    /// @dev A level whose file is one chunk of one word; the liar's second one does not decrypt to its plain leaf.
    function _level(uint256 which, uint256 i) private returns (Level memory level) {
        bytes32 domain = _domain(which, i);
        bytes32 key = _key(which, i);
        bytes32 plain = keccak256(abi.encode("plain", which, i));
        ChunkEvidence memory e = _chunks[which][i];
        (e.length, e.chunkBytes) = (32, 32);
        bool spoilt = lies(which) && i == 1;
        e.plainLeaf = spoilt ? bytes32("anything") : _exchange.plainLeaf(domain, key, 0, keccak256(abi.encode(plain)));
        bytes32 seed = keccak256(abi.encode(key, _exchange.streamNonce(domain, e.plainLeaf), uint256(0)));
        e.chunk = abi.encode(plain ^ keccak256(abi.encode(seed, uint256(0))));
        bytes32 root = _exchange.cipherLeaf(domain, 0, keccak256(e.chunk));
        level.file = _exchange.commitment(domain, 32, 32, root, e.plainLeaf);
        level.keyHash = _exchange.keyHash(domain, key);
        (level.accuracyBps, level.price) = (uint16(4_000 + 1_000 * i), uint96(700 + 600 * i));
        _chunks[which][i] = e;
    }

    // ---------------------------------------------------------------- what is brought

    function _key(uint256 which, uint256 level) internal pure returns (bytes32) {
        return keccak256(abi.encode("key", which, level));
    }

    function _goods(uint256 which, uint256 level) internal view returns (Goods memory) {
        Level memory l = levels[which][level];
        return Goods(DATASET, l.accuracyBps, l.file, l.keyHash);
    }

    function _offer(uint256 which, uint256 level) internal view returns (Offer memory offer, bytes32[] memory path) {
        offer = Offer(levels[which][level].price, keccak256(abi.encode(_goods(which, level))));
        path = new bytes32[](1);
        path[0] = _leaf(1 - level, levels[which][1 - level]);
    }

    function _chunk(uint256 which, uint256 level) internal view returns (ChunkEvidence memory) {
        return _chunks[which][level];
    }

    function _oneTimeX(uint256 buyer) internal returns (uint256) {
        return _even(ONE_TIME + buyer).publicKeyX;
    }

    /// @dev The seller's point and what the buyer's key is sealed with.
    function _seal(uint256 buyer, uint256 level, bytes32 key) internal returns (uint256 ephemeralX, bytes32 sealedKey) {
        sealedKey = key ^ keccak256(abi.encode(_shared(buyer).publicKeyX, level));
        ephemeralX = _even(EPHEMERAL).publicKeyX;
    }

    function _keyEvidence(uint256 buyer, uint256 ephemeralX, bytes32 sealedKey) internal returns (KeyEvidence memory) {
        Vm.Wallet memory own = _even(ONE_TIME + buyer);
        Vm.Wallet memory shared = _shared(buyer);
        return KeyEvidence(own.privateKey, own.publicKeyY, ephemeralX, sealedKey, shared.publicKeyX, shared.publicKeyY);
    }

    function _shared(uint256 buyer) private returns (Vm.Wallet memory) {
        return vm.createWallet(mulmod(_even(ONE_TIME + buyer).privateKey, _even(EPHEMERAL).privateKey, ORDER));
    }

    function _even(uint256 secret) private returns (Vm.Wallet memory point) {
        point = vm.createWallet(secret);
        if (point.publicKeyY % 2 == 1) point = vm.createWallet(ORDER - secret);
    }

    function _leaf(uint256 i, Level memory l) private pure returns (bytes32) {
        bytes32 goods = keccak256(abi.encode(DATASET, l.accuracyBps, l.file, l.keyHash));
        return keccak256(abi.encode(keccak256(abi.encode(keccak256("souk.sale.offer.v1"), i, uint256(l.price), goods))));
    }

    /// @dev As ChunkedFile.domain has it, for the contract of the sale instead of the harness.
    function _domain(uint256 which, uint256 level) private view returns (bytes32) {
        bytes32 label = keccak256(abi.encode(keccak256("souk.sale.cleaner.v1"), DATASET, level));
        return
            keccak256(abi.encode(keccak256("souk.file.domain.v1"), block.chainid, address(sale), sellers[which], label));
    }

    // ---------------------------------------------------------------- what should be

    function _paid(Purchase storage p) internal view returns (uint256) {
        return p.sale.price - p.sale.credit;
    }

    function _hold(uint256 which, uint256 paid) internal pure returns (uint256) {
        return isSealed(which) ? STAKE : STAKE + paid;
    }

    /// @notice What the contract should hold of one currency by the table of money.
    function debts(bool ofToken) external view returns (uint256 sum) {
        for (uint256 w = 0; w < LISTINGS; ++w) {
            if (inToken(w) != ofToken) continue;
            sum += money[w].funds;
            for (uint256 b = 0; b < BUYERS; ++b) {
                sum += _claim(w, purchases[w][b]);
            }
        }
    }

    /// @dev What the contract holds for a buyer, or for its seller until the sale is settled.
    function _claim(uint256 which, Purchase storage p) private view returns (uint256) {
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
        Purchase storage p = purchases[which][buyer];
        bool under = p.state != SaleState.None && p.state != SaleState.Owned;
        uint256 worth = p.owned == 0 ? 0 : levels[which][p.owned - 1].price;
        lost = int256(p.spent) - int256(p.repaid) - int256(worth + (under ? _paid(p) : 0));
        return (buyers[buyer], p.state, p.owned, p.deadline, lost);
    }
}
