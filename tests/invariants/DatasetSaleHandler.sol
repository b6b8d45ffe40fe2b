// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkDispute} from "../../contracts/exchange/ChunkDispute.sol";
import {KeyDispute} from "../../contracts/exchange/KeyDispute.sol";
import {
    Account,
    Deal,
    DealState,
    IDatasetSale,
    Order,
    Purchase,
    Quote
} from "../../contracts/interfaces/IDatasetSale.sol";
import {BookLib} from "../../contracts/exchange/Book.sol";
import {Samples} from "../../contracts/mde/quotes/Samples.sol";
import {Scores} from "../../contracts/mde/quotes/Scores.sol";
import {TotalEvidence} from "../../contracts/mde/quotes/Scores.sol";
import {DatasetSaleBook} from "./DatasetSaleBook.sol";

/// @notice The cheatcode of Foundry that signs.
interface VmSigner {
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
}

/// @title Plays two buyers, an honest seller and a liar
/// @notice The honest seller quotes what the rule gives and delivers the right key or nothing; the liar misreports, asks
/// too much, seals anything, and one of its files is spoilt. Buyers buy, accept, complain truly and falsely, and forget.
contract DatasetSaleHandler is DatasetSaleBook {
    // ---------------------------------------------------------------- time, and the end

    /// @notice Moves to just before, at or just after the next deadline.
    function passTime(uint256 seed) external {
        uint256 next = block.timestamp + STEP;
        for (uint256 a = 0; 2 * a < orders.length; ++a) {
            for (uint256 d = 0; d < DATASETS; ++d) {
                next = _sooner(next, pairs[a][d].deadline);
            }
        }
        _warpAround(next, seed);
    }

    function exhaust() external override {
        vm.warp(block.timestamp + 100 minutes);
        for (uint256 o = 0; o < orders.length; ++o) {
            for (uint256 d = 0; d < DATASETS; ++d) {
                DealState state = pairs[o / 2][d].state;
                if (state == DealState.Paid || state == DealState.Delivered) _settle(o, d);
            }
        }
        for (uint256 o = 0; o < orders.length; ++o) {
            if (budgets[o].funds > 0) _takeFromBudget(o, budgets[o].funds, true);
        }
        for (uint256 d = 0; d < DATASETS; ++d) {
            if (funds[d].funds > 0) _takeFromFunds(d, funds[d].funds, true);
        }
    }

    // ---------------------------------------------------------------- accounts

    function post(uint256 seed) external {
        uint256 o = orders.length;
        if (o == MOST_ORDERS) return;
        Order memory order = _newOrder(o);
        uint96 budget = uint96(derive(seed, "budget") % 4 * 800);
        orders.push(order);
        bytes memory data = abi.encodeCall(sale.post, (order, budget));
        if (!_call(orderInToken(o), order.buyer, budget, budget, 0, data)) return;
        _start(budgets[o], budget);
        ++count["posted"];
    }

    function fund(uint256 seed) external {
        uint96 amount = uint96(derive(seed, "amount") % 2_000);
        bool ofOrder = seed % 2 == 0 && orders.length > 0;
        uint256 which = derive(seed, "which") % (ofOrder ? orders.length : DATASETS);
        Account memory account = ofOrder ? _orderAccount(which) : _datasetAccount(which);
        bool inToken = ofOrder ? orderInToken(which) : datasetInToken(which);
        Money storage m = ofOrder ? budgets[which] : funds[which];
        bool own = derive(seed, "who") % 8 > 0;
        bytes memory data = abi.encodeCall(sale.fund, (account, amount));
        address caller = own ? account.owner : address(this);
        _fund(m, inToken, caller, amount, data, own, IDatasetSale.NotOwner.selector);
    }

    function withdraw(uint256 seed) external {
        bool own = derive(seed, "who") % 8 > 0;
        if (seed % 2 == 0 && orders.length > 0) {
            uint256 o = derive(seed, "which") % orders.length;
            _takeFromBudget(o, derive(seed, "amount") % (_free(budgets[o]) + 2), own);
        } else {
            uint256 d = derive(seed, "which") % DATASETS;
            _takeFromFunds(d, derive(seed, "amount") % (_free(funds[d]) + 2), own);
        }
    }

    /// @notice Seldom a dataset, since nothing of it is sold afterwards.
    function close(uint256 seed) external {
        uint256 mood = derive(seed, "mood") % 64;
        bool ofOrder = mood > 0;
        if (mood > 6 || orders.length == 0) return;
        uint256 which = derive(seed, "which") % (ofOrder ? orders.length : DATASETS);
        Account memory account = ofOrder ? _orderAccount(which) : _datasetAccount(which);
        Money storage m = ofOrder ? budgets[which] : funds[which];
        bytes memory data = abi.encodeCall(sale.close, (account));
        _close(m, account.owner, data, IDatasetSale.AccountIsClosed.selector);
    }

    // ---------------------------------------------------------------- quotes and purchases

    function quote(uint256 seed) external {
        (uint256 o, uint256 d, Pair storage p) = _anywhere(seed);
        if (o == type(uint256).max) return;
        // A quote in the wrong currency seldom, so that it is tried.
        if (orderInToken(o) != datasetInToken(d) && derive(seed, "currency") % 4 > 0) d = d ^ 1;
        p = pairs[o / 2][d];
        uint256 lie = lies(d) ? derive(seed, "lie") % 3 : 0;
        Quote memory q;
        q.price = lie == 1 ? PRICE + 1 : PRICE;
        q.scores = _scoresRoot(o, d, lie == 2 ? TOTAL + 1 : TOTAL);
        q.expiry = uint40(block.timestamp + derive(seed, "expiry") % 24 * 1 minutes);
        bool far = derive(seed, "far") % 24 == 0;
        if (far) q.expiry = uint40(block.timestamp + 30 days + 1);
        bool signed = derive(seed, "signer") % 12 > 0;
        _requires(!budgets[o].closed && !funds[d].closed, IDatasetSale.AccountIsClosed.selector);
        _requires(orderInToken(o) == datasetInToken(d), IDatasetSale.OtherToken.selector);
        _requires(p.quotes == 0, IDatasetSale.AlreadyQuoted.selector);
        _requires(block.timestamp < q.expiry, IDatasetSale.QuoteExpired.selector);
        _requires(!far, IDatasetSale.ExpiryTooFar.selector);
        _requires(signed, IDatasetSale.WrongSigner.selector);
        Deal memory deal = _deal(o, d, q);
        if (!_call(address(this), _quoteCall(deal, signed ? buyerKey(o) : sellerKey(d), sellerKey(d)))) return;
        p.state = DealState.Quoted;
        p.order = o;
        p.quote = q;
        p.deadline = q.expiry;
        p.wrongPrice = lie == 1;
        p.wrongScore = lie == 2;
        ++p.quotes;
        ++count["quoted"];
    }

    function _quoteCall(Deal memory deal, uint256 asBuyer, uint256 asSeller) private view returns (bytes memory) {
        bytes32 digest = sale.quoteDigest(deal);
        return abi.encodeCall(sale.quote, (deal, _sign(asBuyer, digest), _sign(asSeller, digest)));
    }

    /// @notice Seldom, since the pair is quoted no more.
    function withdrawQuote(uint256 seed) external {
        (uint256 o, uint256 d, Pair storage p) = _anywhere(seed);
        if (o == type(uint256).max || derive(seed, "mood") % 12 > 0) return;
        uint256 who = derive(seed, "who") % 8;
        address caller = who == 0 ? address(this) : who < 4 ? orders[o].buyer : datasets[d].seller;
        _requires(who > 0, IDatasetSale.NotParty.selector);
        _requires(p.state == DealState.None || p.state == DealState.Quoted, IDatasetSale.WrongState.selector);
        bytes memory data = abi.encodeCall(
            sale.withdrawQuote, (orders[o].buyer, orders[o].artefact, datasets[d].seller, datasets[d].file)
        );
        if (!_call(caller, data)) return;
        // As if it had been quoted: never again.
        if (p.quotes == 0) (p.order, p.quotes) = (o, 1);
        (p.state, p.deadline) = (DealState.Withdrawn, 0);
        ++count["quote withdrawn"];
    }

    function purchase(uint256 seed) external {
        (uint256 o, uint256 d, Pair storage p) = _known(seed, DealState.Quoted);
        if (o == type(uint256).max) return;
        bool own = derive(seed, "who") % 12 > 0;
        _requires(own, IDatasetSale.NotBuyer.selector);
        _requires(p.state == DealState.Quoted, IDatasetSale.WrongState.selector);
        _requires(block.timestamp < p.quote.expiry, IDatasetSale.QuoteExpired.selector);
        _requires(!budgets[o].closed && !funds[d].closed, IDatasetSale.AccountIsClosed.selector);
        bool enough = _free(budgets[o]) >= p.quote.price && _free(funds[d]) >= STAKE;
        _requires(enough, BookLib.FundsTooLow.selector);
        (uint256 oneTimeKey, uint256 y) = isSealed(o) ? _oneTime(o) : (0, 0);
        bool off = isSealed(o) && derive(seed, "off the curve") % 16 == 0;
        if (off) ++y;
        _requires(!off, IDatasetSale.KeyNotOnCurve.selector);
        bytes memory data = abi.encodeCall(sale.purchase, (_deal(o, d, p.quote), oneTimeKey, y));
        if (!_call(own ? orders[o].buyer : datasets[d].seller, data)) return;
        (p.state, p.deadline, p.purchase) = (DealState.Paid, block.timestamp + DELIVERY_TIME, Purchase(oneTimeKey, 0));
        budgets[o].held += p.quote.price;
        funds[d].held += STAKE;
        ++count["bought"];
    }

    function deliver(uint256 seed) external {
        (uint256 o, uint256 d, Pair storage p) = _known(seed, DealState.Paid);
        if (o == type(uint256).max) return;
        _requires(p.state == DealState.Paid, IDatasetSale.WrongState.selector);
        _requires(block.timestamp < p.deadline, IDatasetSale.TooLate.selector);
        bytes32 key = _key(d);
        bool wrong = lies(d) && derive(seed, "lie") % 2 == 0;
        if (wrong) key = bytes32(derive(seed, "key"));
        Purchase memory bought = p.purchase;
        bytes memory data;
        uint256 ephemeralX = 5;
        bytes32 sealedKey = key;
        if (isSealed(o)) {
            // A wrong key, or a point that is none.
            if (!wrong || derive(seed, "garbage") % 2 == 0) (ephemeralX, sealedKey) = _seal(o, 0, key);
            bought.delivery = keccak256(abi.encode(ephemeralX, sealedKey));
            data = abi.encodeCall(sale.sealKey, (_deal(o, d, p.quote), p.purchase, ephemeralX, sealedKey));
        } else {
            _requires(!wrong, IDatasetSale.WrongKey.selector);
            data = abi.encodeCall(sale.publishKey, (_deal(o, d, p.quote), p.purchase, key));
        }
        if (!_call(datasets[d].seller, data)) return;
        (p.state, p.purchase, p.deadline) = (DealState.Delivered, bought, block.timestamp + DISPUTE_TIME);
        (p.ephemeralX, p.sealedKey, p.wrongKey) = (ephemeralX, sealedKey, wrong);
        ++count[wrong ? "wrong key delivered" : "delivered"];
    }

    // ---------------------------------------------------------------- the end of a deal

    function accept(uint256 seed) external {
        (uint256 o, uint256 d, Pair storage p) = _known(seed, DealState.Delivered);
        if (o == type(uint256).max || derive(seed, "mood") % 3 > 0) return;
        _requires(p.state == DealState.Delivered, IDatasetSale.WrongState.selector);
        bytes memory data = abi.encodeCall(sale.accept, (_deal(o, d, p.quote), p.purchase));
        if (!_call(orders[o].buyer, data)) return;
        _settled(o, d, p, "accepted");
    }

    function settle(uint256 seed) external {
        DealState wanted = derive(seed, "wanted") % 2 == 0 ? DealState.Paid : DealState.Delivered;
        (uint256 o, uint256 d,) = _known(seed, wanted);
        if (o != type(uint256).max) _settle(o, d);
    }

    function proveWrongKey(uint256 seed) external {
        (uint256 o, uint256 d, Pair storage p) = _known(seed, DealState.Delivered);
        if (o == type(uint256).max || !isSealed(o)) return;
        _disputable(p);
        _requires(p.wrongKey, KeyDispute.KeyIsRight.selector);
        bytes memory data = abi.encodeCall(
            sale.proveWrongKey, (_deal(o, d, p.quote), p.purchase, _keyEvidence(o, p.ephemeralX, p.sealedKey))
        );
        if (_call(orders[o].buyer, data)) _cheated(o, d, p, "wrong key proved");
    }

    function proveSpoiltChunk(uint256 seed) external {
        (uint256 o, uint256 d, Pair storage p) = _known(seed, DealState.Delivered);
        if (o == type(uint256).max) return;
        _disputable(p);
        _requires(spoilt(d), ChunkDispute.ChunkIsRight.selector);
        bytes memory data =
            abi.encodeCall(sale.proveSpoiltChunk, (_deal(o, d, p.quote), p.purchase, _key(d), _chunk(d)));
        if (_call(orders[o].buyer, data)) _cheated(o, d, p, "spoilt chunk proved");
    }

    function proveWrongScore(uint256 seed) external {
        (uint256 o, uint256 d, Pair storage p) = _known(seed, DealState.Delivered);
        if (o == type(uint256).max) return;
        _disputable(p);
        // Of a spoilt file no sample can be shown, and need not.
        _requires(!spoilt(d), Samples.NotInDataset.selector);
        _requires(p.wrongScore, Scores.ScoreIsRight.selector);
        bytes memory data = abi.encodeCall(
            sale.proveWrongScore, (_deal(o, d, p.quote), p.purchase, _key(d), _scoreEvidence(d, p.quote.scores))
        );
        if (_call(orders[o].buyer, data)) _cheated(o, d, p, "wrong score proved");
    }

    function proveWrongPrice(uint256 seed) external {
        (uint256 o, uint256 d, Pair storage p) = _known(seed, DealState.Delivered);
        if (o == type(uint256).max) return;
        _disputable(p);
        _requires(!p.wrongScore, Scores.NotInScores.selector);
        _requires(p.wrongPrice, IDatasetSale.PriceIsRight.selector);
        TotalEvidence memory total = TotalEvidence(TOTAL, new bytes32[](0));
        bytes memory data =
            abi.encodeCall(sale.proveWrongPrice, (_deal(o, d, p.quote), p.purchase, _key(d), total, _rule()));
        if (_call(orders[o].buyer, data)) _cheated(o, d, p, "wrong price proved");
    }

    // ---------------------------------------------------------------- steps

    /// @dev Any order and dataset; the largest number if there is no order yet.
    function _anywhere(uint256 seed) private view returns (uint256 o, uint256 d, Pair storage p) {
        d = derive(seed, "dataset") % DATASETS;
        o = orders.length == 0 ? type(uint256).max : derive(seed, "order") % orders.length;
        p = pairs[o / 2][d];
    }

    /// @dev A pair that was quoted, and the order it was quoted to; the largest number if none is found. Mostly one in
    /// the state that the coming call wants.
    function _known(uint256 seed, DealState wanted) private view returns (uint256 o, uint256 d, Pair storage p) {
        bool any = derive(seed, "any") % 8 == 0;
        (uint256 order, uint256 dataset) = (type(uint256).max, 0);
        for (uint256 i = 0; i < 24 && orders.length > 0; ++i) {
            (o, d, p) = _anywhere(seed);
            if (p.state == wanted || (any && p.quotes > 0)) return (p.order, d, p);
            if (p.quotes > 0) (order, dataset) = (p.order, d);
            seed = derive(seed, "again");
        }
        return (order, dataset, pairs[order / 2][dataset]);
    }

    function _disputable(Pair storage p) private {
        _requires(p.state == DealState.Delivered, IDatasetSale.WrongState.selector);
        _requires(block.timestamp < p.deadline, IDatasetSale.TooLate.selector);
    }

    function _settle(uint256 o, uint256 d) private {
        Pair storage p = pairs[o / 2][d];
        o = p.order;
        bool paid = p.state == DealState.Paid;
        _requires(paid || p.state == DealState.Delivered, IDatasetSale.WrongState.selector);
        _requires(block.timestamp >= p.deadline, IDatasetSale.TooEarly.selector);
        bytes memory data = abi.encodeCall(sale.settle, (_deal(o, d, p.quote), p.purchase));
        if (!_call(address(this), data)) return;
        if (!paid) {
            _settled(o, d, p, "settled");
            return;
        }
        budgets[o].held -= p.quote.price;
        funds[d].held -= STAKE;
        (p.state, p.deadline) = (DealState.Lapsed, 0);
        ++count["lapsed"];
    }

    /// @dev The order paid the price, and the dataset fetched it.
    function _settled(uint256 o, uint256 d, Pair storage p, string memory how) private {
        _lose(budgets[o], p.quote.price);
        _gain(funds[d], p.quote.price);
        funds[d].held -= STAKE;
        (p.state, p.deadline) = (DealState.Settled, 0);
        ++count[how];
    }

    /// @dev The dataset lost its stake, and the order gained it.
    function _cheated(uint256 o, uint256 d, Pair storage p, string memory how) private {
        budgets[o].held -= p.quote.price;
        _gain(budgets[o], STAKE);
        _lose(funds[d], STAKE);
        (p.state, p.deadline) = (DealState.Cheated, 0);
        ++count[how];
    }

    function _takeFromBudget(uint256 o, uint256 amount, bool own) private {
        _takeOut(budgets[o], _orderAccount(o), orderInToken(o), amount, own);
    }

    function _takeFromFunds(uint256 d, uint256 amount, bool own) private {
        _takeOut(funds[d], _datasetAccount(d), datasetInToken(d), amount, own);
    }

    function _takeOut(Money storage m, Account memory account, bool inToken, uint256 amount, bool own) private {
        address caller = own ? account.owner : address(this);
        bytes memory data = abi.encodeCall(sale.withdraw, (account, uint96(amount), caller));
        (bytes4 notOwner, bytes4 nothing) = (IDatasetSale.NotOwner.selector, IDatasetSale.NothingOwed.selector);
        _withdraw(m, inToken, caller, amount, data, own, notOwner, nothing);
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = VmSigner(address(vm)).sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}
