// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkEvidence} from "../../contracts/exchange/ChunkDispute.sol";
import {
    Account,
    Dataset,
    Deal,
    DealState,
    IDatasetSale,
    Order,
    Purchase,
    Quote,
    Side
} from "../../contracts/interfaces/IDatasetSale.sol";
import {Settlement} from "../../contracts/exchange/Settlement.sol";
import {DecisionPath, Split} from "../../contracts/mde/quotes/DecisionTree.sol";
import {Curve, Point, PriceRule} from "../../contracts/mde/quotes/PriceRules.sol";
import {SampleEvidence} from "../../contracts/mde/quotes/Samples.sol";
import {ScoreEvidence} from "../../contracts/mde/quotes/Scores.sol";
import {QuotesHarness} from "./QuotesHarness.sol";
import {SalePlay} from "./SalePlay.sol";

/// @title What happened at a sale of datasets by the rules, kept without looking at the contract
/// @notice Two buyers post orders as they go, two for each artefact: one open, one sealed. Four datasets, of an honest
/// seller and of a liar, each once for coins and once for a token, hold one sample each, so that leaves are roots; the
/// liar's second file is spoilt. The tree is one leaf, worth 500 units, which fetch 700.
abstract contract DatasetSaleBook is SalePlay {
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
    int256 internal constant TOTAL = 500;
    bytes32 private constant SALT = "salt";
    IDatasetSale public immutable sale;
    QuotesHarness private _quotes;
    Order[] internal orders;
    Dataset[DATASETS] internal datasets;
    ChunkEvidence[DATASETS] private _chunks;
    bytes32[DATASETS] private _plain;
    mapping(uint256 order => Money) internal budgets;
    mapping(uint256 dataset => Money) internal funds;
    mapping(uint256 artefact => mapping(uint256 dataset => Pair)) internal pairs;

    constructor() SalePlay(deploy("DatasetSale")) {
        sale = IDatasetSale(market);
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

    function _register(uint256 d) private {
        address seller = vm.addr(sellerKey(d));
        bytes32 key = _key(d);
        bytes32 name = bytes32(d + 1);
        bytes32 domain = _domainOf(seller, name);
        // Label 0, and a value of its own.
        _plain[d] = bytes32((d + 1) << 232);
        bytes32 file;
        (file, _chunks[d]) = _file(domain, key, _plain[d], spoilt(d));
        address currency = datasetInToken(d) ? address(token) : address(0);
        datasets[d] = Dataset(seller, currency, 1, 32, 1, name, file, exchange.keyHash(domain, key));
        uint96 amount = uint96(3 * STAKE);
        vm.prank(seller);
        sale.register{value: datasetInToken(d) ? 0 : amount}(datasets[d], amount);
        _start(funds[d], amount);
    }

    // ---------------------------------------------------------------- what is brought

    function _newOrder(uint256 o) internal view returns (Order memory order) {
        order.buyer = vm.addr(buyerKey(o));
        order.stake = STAKE;
        order.token = orderInToken(o) ? address(token) : address(0);
        (order.deliveryTime, order.disputeTime) = (DELIVERY_TIME, DISPUTE_TIME);
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
        e.cipherRoot = _cipherRoot(_domainOf(datasets[d].seller, datasets[d].name), _chunks[d]);
        e.sample = SampleEvidence(0, abi.encode(_plain[d]), new bytes32[](0));
        e.decision = DecisionPath(new Split[](0), SALT, _scores());
        e.leaf = root;
    }

    function _domainOf(address seller, bytes32 name) private view returns (bytes32) {
        return _domain(seller, keccak256(abi.encode(keccak256("souk.sale.dataset.v1"), name)));
    }

    // ---------------------------------------------------------------- what should be

    function debts(bool ofToken) external view override returns (uint256 sum) {
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
