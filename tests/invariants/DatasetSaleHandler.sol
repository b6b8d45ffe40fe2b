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
    error PaidWrongly(address account, uint256 paid, uint256 due);

    // ---------------------------------------------------------------- time, and the end

    /// @notice Moves to just before, at or just after the next deadline.
    function passTime(uint256 seed) external {
        uint256 next = block.timestamp + 5;
        for (uint256 a = 0; 2 * a < orders.length; ++a) {
            for (uint256 d = 0; d < DATASETS; ++d) {
                uint256 end = pairs[a][d].deadline;
                if (end > block.timestamp && end < next) next = end;
            }
        }
        next = next + derive(seed, "edge") % 3 - 1;
        vm.warp(next > block.timestamp ? next : block.timestamp + 1);
    }

    /// @notice From wherever a run ended, everybody gets out, and nothing stays.
    function exhaust() external {
        vm.warp(block.timestamp + 100);
        for (uint256 o = 0; o < orders.length; ++o) {
            for (uint256 d = 0; d < DATASETS; ++d) {
                DealState state = pairs[o / 2][d].state;
                if (state == DealState.Paid || state == DealState.Delivered) _settle(o, d);
            }
        }
        for (uint256 o = 0; o < orders.length; ++o) {
            if (budgets[o].funds > 0) _withdrawBudget(o, budgets[o].funds, true);
        }
        for (uint256 d = 0; d < DATASETS; ++d) {
            if (funds[d].funds > 0) _withdrawFunds(d, funds[d].funds, true);
        }
    }

    // ---------------------------------------------------------------- accounts

    function post(uint256 seed) external {
        uint256 o = orders.length;
        if (o == MOST_ORDERS) return;
        Order memory order = _newOrder(o);
        uint96 budget = uint96(derive(seed, "budget") % 4 * 800);
        orders.push(order);
        if (!_call(orderInToken(o), order.buyer, budget, 0, abi.encodeCall(sale.post, (order, budget)))) return;
        (budgets[o].funds, budgets[o].putIn) = (budget, budget);
        ++count["posted"];
    }

    function fund(uint256 seed) external {
        uint96 amount = uint96(derive(seed, "amount") % 2_000);
        bool ofOrder = seed % 2 == 0 && orders.length > 0;
        uint256 which = derive(seed, "which") % (ofOrder ? orders.length : DATASETS);
        Account memory account = ofOrder ? _orderAccount(which) : _datasetAccount(which);
        bool inToken = ofOrder ? orderInToken(which) : datasetInToken(which);
        if (!_call(inToken, vm.addr(buyerKey(0)), amount, 0, abi.encodeCall(sale.fund, (account, amount)))) return;
        Money storage m = ofOrder ? budgets[which] : funds[which];
        (m.funds, m.putIn) = (m.funds + amount, m.putIn + amount);
        ++count["funded"];
    }

    function withdraw(uint256 seed) external {
        bool own = derive(seed, "who") % 8 > 0;
        if (seed % 2 == 0 && orders.length > 0) {
            uint256 o = derive(seed, "which") % orders.length;
            uint256 free = budgets[o].funds - budgets[o].held;
            _withdrawBudget(o, derive(seed, "amount") % (free + 2), own);
        } else {
            uint256 d = derive(seed, "which") % DATASETS;
            uint256 free = funds[d].funds - funds[d].held;
            _withdrawFunds(d, derive(seed, "amount") % (free + 2), own);
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
        _requires(!m.closed, IDatasetSale.AccountIsClosed.selector);
        if (!_call(false, account.owner, 0, 0, abi.encodeCall(sale.close, (account)))) return;
        m.closed = true;
        ++count["closed"];
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
        q.expiry = uint40(block.timestamp + derive(seed, "expiry") % 24);
        bool signed = derive(seed, "signer") % 12 > 0;
        _requires(!budgets[o].closed && !funds[d].closed, IDatasetSale.AccountIsClosed.selector);
        _requires(orderInToken(o) == datasetInToken(d), IDatasetSale.OtherToken.selector);
        _requires(p.quotes == 0, IDatasetSale.AlreadyQuoted.selector);
        _requires(block.timestamp < q.expiry, IDatasetSale.QuoteExpired.selector);
        _requires(signed, IDatasetSale.WrongSigner.selector);
        Deal memory deal = _deal(o, d, q);
        bytes32 digest = sale.quoteDigest(deal);
        bytes memory buyers = _sign(signed ? buyerKey(o) : sellerKey(d), digest);
        bytes memory data = abi.encodeCall(sale.quote, (deal, buyers, _sign(sellerKey(d), digest)));
        if (!_call(false, address(this), 0, 0, data)) return;
        (p.state, p.order, p.quote, p.deadline) = (DealState.Quoted, o, q, q.expiry);
        (p.wrongPrice, p.wrongScore) = (lie == 1, lie == 2);
        ++p.quotes;
        ++count["quoted"];
    }

    function purchase(uint256 seed) external {
        (uint256 o, uint256 d, Pair storage p) = _known(seed, DealState.Quoted);
        if (o == type(uint256).max) return;
        bool own = derive(seed, "who") % 12 > 0;
        _requires(own, IDatasetSale.NotBuyer.selector);
        _requires(p.state == DealState.Quoted, IDatasetSale.WrongState.selector);
        _requires(block.timestamp < p.quote.expiry, IDatasetSale.QuoteExpired.selector);
        _requires(!budgets[o].closed && !funds[d].closed, IDatasetSale.AccountIsClosed.selector);
        bool enough = budgets[o].funds - budgets[o].held >= p.quote.price && funds[d].funds - funds[d].held >= STAKE;
        _requires(enough, BookLib.FundsTooLow.selector);
        uint256 oneTimeKey = isSealed(o) ? _oneTimeX(o) : 0;
        bytes memory data = abi.encodeCall(sale.purchase, (_deal(o, d, p.quote), oneTimeKey));
        if (!_call(false, own ? orders[o].buyer : datasets[d].seller, 0, 0, data)) return;
        (p.state, p.deadline, p.purchase) = (DealState.Paid, block.timestamp + 20, Purchase(oneTimeKey, 0));
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
            if (!wrong || derive(seed, "garbage") % 2 == 0) (ephemeralX, sealedKey) = _seal(o, key);
            bought.delivery = keccak256(abi.encode(ephemeralX, sealedKey));
            data = abi.encodeCall(sale.sealKey, (_deal(o, d, p.quote), p.purchase, ephemeralX, sealedKey));
        } else {
            _requires(!wrong, IDatasetSale.WrongKey.selector);
            data = abi.encodeCall(sale.publishKey, (_deal(o, d, p.quote), p.purchase, key));
        }
        if (!_call(false, datasets[d].seller, 0, 0, data)) return;
        (p.state, p.purchase, p.deadline) = (DealState.Delivered, bought, block.timestamp + 15);
        (p.ephemeralX, p.sealedKey, p.wrongKey) = (ephemeralX, sealedKey, wrong);
        ++count[wrong ? "wrong key delivered" : "delivered"];
    }

    // ---------------------------------------------------------------- the end of a deal

    function accept(uint256 seed) external {
        (uint256 o, uint256 d, Pair storage p) = _known(seed, DealState.Delivered);
        if (o == type(uint256).max || derive(seed, "mood") % 3 > 0) return;
        _requires(p.state == DealState.Delivered, IDatasetSale.WrongState.selector);
        bytes memory data = abi.encodeCall(sale.accept, (_deal(o, d, p.quote), p.purchase));
        if (!_call(false, orders[o].buyer, 0, 0, data)) return;
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
        if (_call(false, orders[o].buyer, 0, 0, data)) _cheated(o, d, p, "wrong key proved");
    }

    function proveSpoiltChunk(uint256 seed) external {
        (uint256 o, uint256 d, Pair storage p) = _known(seed, DealState.Delivered);
        if (o == type(uint256).max) return;
        _disputable(p);
        _requires(spoilt(d), ChunkDispute.ChunkIsRight.selector);
        bytes memory data =
            abi.encodeCall(sale.proveSpoiltChunk, (_deal(o, d, p.quote), p.purchase, _key(d), _chunk(d)));
        if (_call(false, orders[o].buyer, 0, 0, data)) _cheated(o, d, p, "spoilt chunk proved");
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
        if (_call(false, orders[o].buyer, 0, 0, data)) _cheated(o, d, p, "wrong score proved");
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
        if (_call(false, orders[o].buyer, 0, 0, data)) _cheated(o, d, p, "wrong price proved");
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
        if (!_call(false, address(this), 0, 0, data)) return;
        if (!paid) {
            _settled(o, d, p, "settled");
            return;
        }
        budgets[o].held -= p.quote.price;
        funds[d].held -= STAKE;
        (p.state, p.deadline) = (DealState.Lapsed, 0);
        ++count["lapsed"];
    }

    function _settled(uint256 o, uint256 d, Pair storage p, string memory how) private {
        uint256 price = p.quote.price;
        Money storage b = budgets[o];
        (b.held, b.funds, b.prices) = (b.held - price, b.funds - price, b.prices + price);
        Money storage f = funds[d];
        (f.held, f.funds, f.prices) = (f.held - STAKE, f.funds + price, f.prices + price);
        (p.state, p.deadline) = (DealState.Settled, 0);
        ++count[how];
    }

    function _cheated(uint256 o, uint256 d, Pair storage p, string memory how) private {
        Money storage b = budgets[o];
        (b.held, b.funds, b.stakes) = (b.held - p.quote.price, b.funds + STAKE, b.stakes + STAKE);
        Money storage f = funds[d];
        (f.held, f.funds, f.stakes) = (f.held - STAKE, f.funds - STAKE, f.stakes + STAKE);
        (p.state, p.deadline) = (DealState.Cheated, 0);
        ++count[how];
    }

    function _withdrawBudget(uint256 o, uint256 amount, bool own) private {
        _withdraw(budgets[o], _orderAccount(o), orderInToken(o), amount, own);
    }

    function _withdrawFunds(uint256 d, uint256 amount, bool own) private {
        _withdraw(funds[d], _datasetAccount(d), datasetInToken(d), amount, own);
    }

    function _withdraw(Money storage m, Account memory account, bool inToken, uint256 amount, bool own) private {
        _requires(own, IDatasetSale.NotOwner.selector);
        _requires(amount > 0, IDatasetSale.NothingOwed.selector);
        _requires(amount <= m.funds - m.held, BookLib.FundsTooLow.selector);
        bytes memory data = abi.encodeCall(sale.withdraw, (account, uint96(amount)));
        if (!_call(inToken, own ? account.owner : address(this), 0, amount, data)) return;
        (m.funds, m.takenOut) = (m.funds - amount, m.takenOut + amount);
        ++count["withdrawn"];
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = VmSigner(address(vm)).sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev Takes `amount` and pays out exactly `due` in that currency, or is refused and moves nothing.
    function _call(bool inToken, address caller, uint256 amount, uint256 due, bytes memory data)
        private
        returns (bool done)
    {
        uint256 coins = inToken ? 0 : amount;
        vm.deal(address(this), coins);
        uint256 before = _balance(inToken, caller);
        (done,) = _attempt(address(sale), caller, coins, data);
        uint256 expected = done ? before + due - amount : before;
        if (_balance(inToken, caller) != expected) revert PaidWrongly(caller, _balance(inToken, caller), expected);
    }

    function _balance(bool inToken, address account) private view returns (uint256) {
        return inToken ? token.balanceOf(account) : account.balance;
    }
}
