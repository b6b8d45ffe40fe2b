// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkEvidence} from "../../contracts/exchange/ChunkDispute.sol";
import {KeyEvidence} from "../../contracts/exchange/KeyDispute.sol";
import {
    Account,
    Dataset,
    Deal,
    DealState,
    Order,
    Purchase,
    Quote,
    Side
} from "../../contracts/interfaces/IDatasetSale.sol";
import {Settlement} from "../../contracts/exchange/Settlement.sol";
import {DatasetSale} from "../../contracts/mde/DatasetSale.sol";
import {DecisionPath, Split} from "../../contracts/mde/quotes/DecisionTree.sol";
import {Curve, Point, PriceRule} from "../../contracts/mde/quotes/PriceRules.sol";
import {SampleEvidence} from "../../contracts/mde/quotes/Samples.sol";
import {ScoreEvidence} from "../../contracts/mde/quotes/Scores.sol";
import {PlainToken} from "../kit/mocks/Tokens.sol";
import {Attempts} from "./Attempts.sol";
import {Vm} from "./Base.sol";
import {ExchangeHarness} from "./ExchangeHarness.sol";
import {QuotesHarness} from "./QuotesHarness.sol";

/// @title What happened at a sale of datasets by the rules, kept without looking at the contract
/// @notice Two buyers post orders as they go, two for each artefact: one open, one sealed. Four datasets, of an honest
/// seller and of a liar, each once for coins and once for a token, hold one sample each, so that leaves are roots; the
/// liar's second file is spoilt. The tree is one leaf, worth 500 units, which fetch 700.
abstract contract DatasetSaleBook is Attempts {
    struct Money {
        uint256 funds;
        uint256 held;
        bool closed;
        uint256 putIn;
        uint256 takenOut;
        // Prices an order paid or a dataset fetched, and stakes that an order gained or a dataset lost.
        uint256 prices;
        uint256 stakes;
    }

    struct Pair {
        DealState state;
        uint256 quotes;
        uint256 order;
        Quote quote;
        uint256 deadline;
        Purchase purchase;
        uint256 ephemeralX;
        bytes32 sealedKey;
        bool wrongKey;
        bool wrongScore;
        bool wrongPrice;
    }

    uint256 public constant DATASETS = 4;
    uint256 public constant MOST_ORDERS = 24;
    uint256 internal constant BUYERS = 2;
    uint96 public constant STAKE = 400;
    uint96 internal constant PRICE = 700;
    int256 internal constant TOTAL = 500;
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    bytes32 private constant SALT = "salt";
    /// @dev Buyers' and sellers' one-time keys are multiples of the generator by these, each with its even y.
    uint256 private constant ONE_TIME = 11;
    uint256 private constant EPHEMERAL = 77;

    DatasetSale public sale;
    PlainToken public token;
    ExchangeHarness private _exchange;
    QuotesHarness private _quotes;
    Order[] internal orders;
    Dataset[DATASETS] internal datasets;
    ChunkEvidence[DATASETS] private _chunks;
    bytes32[DATASETS] private _plain;
    mapping(uint256 order => Money) internal budgets;
    mapping(uint256 dataset => Money) internal funds;
    mapping(uint256 artefact => mapping(uint256 dataset => Pair)) internal pairs;

    constructor() {
        vm.warp(1_000_000);
        sale = new DatasetSale();
        token = new PlainToken();
        _exchange = new ExchangeHarness();
        _quotes = new QuotesHarness();
        for (uint256 i = 0; i < BUYERS; ++i) {
            _enrich(vm.addr(buyerKey(4 * i)));
            _enrich(vm.addr(sellerKey(2 * i)));
        }
        for (uint256 d = 0; d < DATASETS; ++d) {
            _register(d);
        }
    }

    // ---------------------------------------------------------------- who and what

    function lies(uint256 d) public pure returns (bool) {
        return d >= 2;
    }

    function spoilt(uint256 d) internal pure returns (bool) {
        return d == 3;
    }

    function buyerKey(uint256 o) internal pure returns (uint256) {
        return 100 + o / 4 % BUYERS;
    }

    function sellerKey(uint256 d) internal pure returns (uint256) {
        return 200 + d / 2;
    }

    function orderInToken(uint256 o) public pure returns (bool) {
        return o / 2 % 2 == 1;
    }

    function datasetInToken(uint256 d) public pure returns (bool) {
        return d % 2 == 1;
    }

    function isSealed(uint256 o) internal pure returns (bool) {
        return o % 2 == 1;
    }

    function orderCount() public view returns (uint256) {
        return orders.length;
    }

    function _enrich(address account) private {
        vm.deal(account, 1e30);
        token.mint(account, 1e30);
        vm.prank(account);
        token.approve(address(sale), type(uint256).max);
    }

    function _register(uint256 d) private {
        address seller = vm.addr(sellerKey(d));
        bytes32 key = _key(d);
        bytes32 name = bytes32(d + 1);
        bytes32 label = keccak256(abi.encode(keccak256("souk.sale.dataset.v1"), name));
        bytes32 domain =
            keccak256(abi.encode(keccak256("souk.file.domain.v1"), block.chainid, address(sale), seller, label));
        ChunkEvidence memory e = _chunks[d];
        (e.length, e.chunkBytes) = (32, 32);
        // Label 0, and a value of its own.
        bytes32 plain = bytes32((d + 1) << 232);
        bytes32 leaf = _exchange.plainLeaf(domain, key, 0, keccak256(abi.encode(plain)));
        e.plainLeaf = spoilt(d) ? bytes32("anything") : leaf;
        bytes32 seed = keccak256(abi.encode(key, _exchange.streamNonce(domain, e.plainLeaf), uint256(0)));
        e.chunk = abi.encode(plain ^ keccak256(abi.encode(seed, uint256(0))));
        bytes32 root = _exchange.cipherLeaf(domain, 0, keccak256(e.chunk));
        bytes32 file = _exchange.commitment(domain, 32, 32, root, e.plainLeaf);
        address currency = datasetInToken(d) ? address(token) : address(0);
        datasets[d] = Dataset(seller, currency, 1, 32, name, file, _exchange.keyHash(domain, key));
        (_chunks[d], _plain[d]) = (e, plain);
        uint96 amount = uint96(3 * STAKE);
        vm.prank(seller);
        sale.register{value: datasetInToken(d) ? 0 : amount}(datasets[d], amount);
        (funds[d].funds, funds[d].putIn) = (amount, amount);
    }

    // ---------------------------------------------------------------- what is brought

    function _newOrder(uint256 o) internal view returns (Order memory order) {
        order.buyer = vm.addr(buyerKey(o));
        order.stake = STAKE;
        order.token = orderInToken(o) ? address(token) : address(0);
        (order.deliveryTime, order.disputeTime) = (20, 15);
        (order.features, order.valueBytes) = (1, 1);
        order.artefact = keccak256(abi.encode("artefact", o / 2));
        order.rule = _quotes.ruleHash(_rule());
        order.tree = keccak256(abi.encode(keccak256("souk.tree.leaf.v1"), SALT, keccak256(_scores())));
        order.settlement = isSealed(o) ? Settlement.Sealed : Settlement.Open;
    }

    function _deal(uint256 o, uint256 d, Quote memory quote) internal view returns (Deal memory) {
        return Deal(orders[o], datasets[d], quote);
    }

    /// @dev The root of a quote: the leaf of its one sample.
    function _scoresRoot(uint256 o, uint256 d, int256 total) internal view returns (bytes32) {
        return _quotes.leafOf(sale.orderId(orders[o]), _key(d), 0, total);
    }

    function _rule() internal pure returns (PriceRule memory rule) {
        Point[] memory points = new Point[](1);
        points[0] = Point(0, PRICE);
        rule = PriceRule(Curve.Binary, 5, 1_000, 0, 0, points);
    }

    function _scores() private pure returns (bytes memory) {
        return abi.encodePacked(int64(TOTAL));
    }

    function _key(uint256 d) internal pure returns (bytes32) {
        return keccak256(abi.encode("key", d));
    }

    function _orderAccount(uint256 o) internal view returns (Account memory) {
        return Account(Side.Order, orders[o].buyer, orders[o].token, keccak256(abi.encode(orders[o])));
    }

    function _datasetAccount(uint256 d) internal view returns (Account memory) {
        return Account(Side.Dataset, datasets[d].seller, datasets[d].token, keccak256(abi.encode(datasets[d])));
    }

    function _chunk(uint256 d) internal view returns (ChunkEvidence memory) {
        return _chunks[d];
    }

    function _scoreEvidence(uint256 d, bytes32 root) internal view returns (ScoreEvidence memory e) {
        e.cipherRoot = _cipherRoot(d);
        e.sample = SampleEvidence(0, abi.encode(_plain[d]), new bytes32[](0));
        e.decision = DecisionPath(new Split[](0), SALT, _scores());
        e.leaf = root;
    }

    function _cipherRoot(uint256 d) private view returns (bytes32) {
        bytes32 label = keccak256(abi.encode(keccak256("souk.sale.dataset.v1"), datasets[d].name));
        bytes32 domain = keccak256(
            abi.encode(keccak256("souk.file.domain.v1"), block.chainid, address(sale), datasets[d].seller, label)
        );
        return _exchange.cipherLeaf(domain, 0, keccak256(_chunks[d].chunk));
    }

    function _oneTimeX(uint256 o) internal returns (uint256) {
        return _even(ONE_TIME + o).publicKeyX;
    }

    /// @dev The seller's point and what the buyer's key is sealed with.
    function _seal(uint256 o, bytes32 key) internal returns (uint256 ephemeralX, bytes32 sealedKey) {
        sealedKey = key ^ keccak256(abi.encode(_shared(o).publicKeyX, uint256(0)));
        ephemeralX = _even(EPHEMERAL).publicKeyX;
    }

    function _keyEvidence(uint256 o, uint256 ephemeralX, bytes32 sealedKey) internal returns (KeyEvidence memory) {
        Vm.Wallet memory own = _even(ONE_TIME + o);
        Vm.Wallet memory shared = _shared(o);
        return KeyEvidence(own.privateKey, own.publicKeyY, ephemeralX, sealedKey, shared.publicKeyX, shared.publicKeyY);
    }

    function _shared(uint256 o) private returns (Vm.Wallet memory) {
        return vm.createWallet(mulmod(_even(ONE_TIME + o).privateKey, _even(EPHEMERAL).privateKey, CURVE_ORDER));
    }

    function _even(uint256 secret) private returns (Vm.Wallet memory point) {
        point = vm.createWallet(secret);
        if (point.publicKeyY % 2 == 1) point = vm.createWallet(CURVE_ORDER - secret);
    }

    // ---------------------------------------------------------------- what should be

    /// @notice What the contract should hold of one currency by the table of money.
    function debts(bool ofToken) external view returns (uint256 sum) {
        for (uint256 o = 0; o < orders.length; ++o) {
            if (orderInToken(o) == ofToken) sum += budgets[o].funds;
        }
        for (uint256 d = 0; d < DATASETS; ++d) {
            if (datasetInToken(d) == ofToken) sum += funds[d].funds;
        }
    }

    function budgetOf(uint256 o) external view returns (bytes32 id, Money memory) {
        return (sale.orderId(orders[o]), budgets[o]);
    }

    function fundsOf(uint256 d) external view returns (bytes32 id, Money memory) {
        return (sale.datasetId(datasets[d]), funds[d]);
    }

    /// @notice A pair of the artefact of order `o` and dataset `d` by the book.
    function pairOf(uint256 o, uint256 d)
        external
        view
        returns (bytes32 id, DealState state, uint256 deadline, uint256 quotes)
    {
        id = sale.pairId(orders[o].buyer, orders[o].artefact, datasets[d].seller, datasets[d].file);
        Pair storage p = pairs[o / 2][d];
        return (id, p.state, p.deadline, p.quotes);
    }
}
