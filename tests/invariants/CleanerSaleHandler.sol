// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkDispute} from "../../contracts/exchange/ChunkDispute.sol";
import {KeyDispute} from "../../contracts/exchange/KeyDispute.sol";
import {Due, ICleanerSale, Offer, Sale, SaleState} from "../../contracts/interfaces/ICleanerSale.sol";
import {BookLib} from "../../contracts/exchange/Book.sol";
import {CleanerSaleBook} from "./CleanerSaleBook.sol";

/// @title Plays two honest sellers, two lying ones and three buyers at each
/// @notice Honest sellers deliver the right key or nothing; liars seal anything, and their second file is spoilt. Buyers buy,
/// accept, complain truly and falsely, and forget.
contract CleanerSaleHandler is CleanerSaleBook {
    // ---------------------------------------------------------------- time, and the end

    /// @notice Moves to just before, at or just after the next deadline.
    function passTime(uint256 seed) external {
        uint256 next = block.timestamp + STEP;
        for (uint256 i = 0; i < LISTINGS * BUYERS; ++i) {
            next = _sooner(next, purchases[i % LISTINGS][i / LISTINGS].deadline);
        }
        _warpAround(next, seed);
    }

    function exhaust() external override {
        vm.warp(block.timestamp + 100 minutes);
        for (uint256 w = 0; w < LISTINGS; ++w) {
            _settle(w, 0);
            for (uint256 b = 0; b < BUYERS; ++b) {
                if (_pays(purchases[w][b])) _refund(w, b);
            }
            _takeOut(w, money[w].funds, true);
        }
    }

    // ---------------------------------------------------------------- buyers

    function buy(uint256 seed) external {
        (uint256 w, uint256 b, Holding storage p) = _anywhere(seed);
        uint256 level = derive(seed, "level") % LEVELS;
        (Offer memory offer, bytes32[] memory path) = _offer(w, level);
        Sale memory s;
        (s.price, s.goods) = (offer.price, offer.goods);
        s.credit = p.owned == 0 ? 0 : levels[w][p.owned - 1].price;
        uint256 y = 0;
        if (isSealed(w)) {
            (s.oneTimeKey, y) = _oneTime(b);
            bool off = derive(seed, "off the curve") % 16 == 0;
            if (off) ++y;
            _requires(!off, ICleanerSale.KeyNotOnCurve.selector);
        }
        bool above = level >= p.owned;
        uint256 paid = above ? s.price - s.credit : 0;
        uint256 coins = paid;
        if (derive(seed, "coins") % 16 == 0) {
            ++coins;
            _requires(inToken(w), bytes4(keccak256("WrongPayment(uint256,uint256)")));
        }
        _requires(!money[w].closed, ICleanerSale.ListingIsClosed.selector);
        _requires(p.state == SaleState.None || p.state == SaleState.Owned, ICleanerSale.SaleUnderWay.selector);
        _requires(above, ICleanerSale.LevelNotAbove.selector);
        _requires(_free(money[w]) >= _hold(w, paid), BookLib.FundsTooLow.selector);
        bytes memory data = abi.encodeCall(sale.buy, (listings[w].terms, level, offer, path, s.oneTimeKey, y));
        if (!_call(inToken(w), buyers[b], coins, paid, 0, data)) return;
        p.state = SaleState.Paid;
        p.level = level;
        p.sale = s;
        p.deadline = block.timestamp + DELIVERY_TIME;
        p.spent += paid;
        money[w].held += _hold(w, paid);
        ++count[p.owned == 0 ? "bought" : "upgraded"];
    }

    function accept(uint256 seed) external {
        (uint256 w, uint256 b, Holding storage p) = _anywhere(seed);
        if (derive(seed, "mood") % 3 > 0) return;
        _requires(p.state == SaleState.Delivered, ICleanerSale.WrongState.selector);
        if (!_call(buyers[b], abi.encodeCall(sale.accept, (listings[w], p.sale)))) return;
        _own(w, p);
        ++count["accepted"];
    }

    function proveWrongKey(uint256 seed) external {
        (uint256 w, uint256 b, Holding storage p) = _anywhere(seed);
        if (!isSealed(w)) return;
        _disputable(p);
        _requires(p.wrongKey, KeyDispute.KeyIsRight.selector);
        bytes memory data = abi.encodeCall(
            sale.proveWrongKey, (listings[w], p.sale, _goods(w, p.level), _keyEvidence(b, p.ephemeralX, p.sealedKey))
        );
        if (_call(buyers[b], data)) _cheated(w, p, "wrong key proved");
    }

    function proveSpoiltChunk(uint256 seed) external {
        (uint256 w, uint256 b, Holding storage p) = _anywhere(seed);
        _disputable(p);
        _requires(lies(w) && p.level == 1, ChunkDispute.ChunkIsRight.selector);
        bytes memory data = abi.encodeCall(
            sale.proveSpoiltChunk, (listings[w], p.sale, _goods(w, p.level), _key(w, p.level), _chunk(w, p.level))
        );
        if (_call(buyers[b], data)) _cheated(w, p, "spoilt chunk proved");
    }

    function refund(uint256 seed) external {
        (uint256 w, uint256 b,) = _anywhere(seed);
        _refund(w, b);
    }

    // ---------------------------------------------------------------- sellers

    function deliver(uint256 seed) external {
        (uint256 w, uint256 b, Holding storage p) = _anywhere(seed);
        _requires(p.state == SaleState.Paid, ICleanerSale.WrongState.selector);
        _requires(block.timestamp < p.deadline, ICleanerSale.TooLate.selector);
        bytes32 key = _key(w, p.level);
        bytes memory data;
        Sale memory s = p.sale;
        uint256 ephemeralX = 5;
        bytes32 sealedKey = key;
        bool wrong = lies(w) && derive(seed, "lie") % 2 == 0;
        // Not the seed itself: the fuzzer picks seeds among what it has seen, published keys too.
        bytes32 other = bytes32(derive(seed, "key"));
        if (!isSealed(w)) {
            if (wrong) key = other;
            _requires(!wrong, ICleanerSale.WrongKey.selector);
            data = abi.encodeCall(sale.publishKey, (listings[w], buyers[b], s, _goods(w, p.level), key));
        } else {
            // A wrong key, or a point that is none.
            if (!wrong || derive(seed, "garbage") % 2 == 0) {
                (ephemeralX, sealedKey) = _seal(b, p.level, wrong ? other : key);
            }
            s.delivery = keccak256(abi.encode(ephemeralX, sealedKey));
            data = abi.encodeCall(sale.sealKey, (listings[w], buyers[b], p.sale, ephemeralX, sealedKey));
        }
        if (!_call(sellers[w], data)) return;
        (p.state, p.sale, p.deadline) = (SaleState.Delivered, s, block.timestamp + DISPUTE_TIME);
        (p.ephemeralX, p.sealedKey, p.wrongKey) = (ephemeralX, sealedKey, wrong);
        if (!isSealed(w)) _gain(money[w], _paid(p));
        ++count[wrong ? "wrong key delivered" : "delivered"];
    }

    function settle(uint256 seed) external {
        (uint256 w, uint256 b,) = _anywhere(seed);
        _settle(w, b);
    }

    function fund(uint256 seed) external {
        (uint256 w, uint256 b,) = _anywhere(seed);
        uint96 amount = uint96(derive(seed, "amount") % 2_000);
        bool own = derive(seed, "who") % 8 > 0;
        bytes memory data = abi.encodeCall(sale.fund, (listings[w], amount));
        address caller = own ? sellers[w] : buyers[b];
        _fund(money[w], inToken(w), caller, amount, data, own, ICleanerSale.NotSeller.selector);
    }

    function withdraw(uint256 seed) external {
        (uint256 w,,) = _anywhere(seed);
        _takeOut(w, derive(seed, "amount") % (_free(money[w]) + 2), derive(seed, "who") % 8 > 0);
    }

    /// @notice Seldom, since nothing is bought afterwards.
    function close(uint256 seed) external {
        (uint256 w,,) = _anywhere(seed);
        if (derive(seed, "mood") % 24 > 0) return;
        bytes memory data = abi.encodeCall(sale.close, (listings[w]));
        _close(money[w], sellers[w], data, ICleanerSale.ListingIsClosed.selector);
    }

    // ---------------------------------------------------------------- steps

    function _anywhere(uint256 seed) private view returns (uint256 w, uint256 b, Holding storage p) {
        (w, b) = (derive(seed, "listing") % LISTINGS, derive(seed, "buyer") % BUYERS);
        p = purchases[w][b];
    }

    function _disputable(Holding storage p) private {
        _requires(p.state == SaleState.Delivered, ICleanerSale.WrongState.selector);
        _requires(block.timestamp < p.deadline, ICleanerSale.TooLate.selector);
    }

    function _pays(Holding storage p) private view returns (bool) {
        return p.state == SaleState.Paid || p.state == SaleState.Lapsed || p.state == SaleState.Cheated;
    }

    function _refund(uint256 w, uint256 b) private {
        Holding storage p = purchases[w][b];
        bool overdue = p.state == SaleState.Paid;
        _requires(_pays(p), ICleanerSale.NothingOwed.selector);
        _requires(!overdue || block.timestamp >= p.deadline, ICleanerSale.TooEarly.selector);
        uint256 stake = p.state == SaleState.Cheated ? STAKE : 0;
        uint256 due = _paid(p) + stake;
        if (!_call(inToken(w), buyers[b], 0, 0, due, abi.encodeCall(sale.refund, (listings[w], p.sale, buyers[b])))) {
            return;
        }
        if (overdue) money[w].held -= _hold(w, _paid(p));
        p.repaid += _paid(p);
        p.stakes += stake;
        (p.state, p.deadline) = (p.owned == 0 ? SaleState.None : SaleState.Owned, 0);
        ++count[stake > 0 ? "repaid with stake" : overdue ? "repaid when overdue" : "repaid when lapsed"];
    }

    /// @dev Settles what is due of all buyers, of whom the first is `b`.
    function _settle(uint256 w, uint256 b) private {
        Due[] memory sales = new Due[](BUYERS);
        for (uint256 i = 0; i < BUYERS; ++i) {
            uint256 each = (b + i) % BUYERS;
            sales[i] = Due(buyers[each], purchases[w][each].sale);
        }
        if (!_call(buyers[b], abi.encodeCall(sale.settle, (listings[w], sales)))) return;
        for (uint256 i = 0; i < BUYERS; ++i) {
            Holding storage p = purchases[w][i];
            if (block.timestamp < p.deadline) continue;
            if (p.state == SaleState.Delivered) {
                _own(w, p);
                ++count["settled"];
            } else if (p.state == SaleState.Paid) {
                money[w].held -= _hold(w, _paid(p));
                (p.state, p.deadline) = (SaleState.Lapsed, 0);
                ++count["lapsed"];
            }
        }
    }

    function _own(uint256 w, Holding storage p) private {
        money[w].held -= _hold(w, _paid(p));
        if (isSealed(w)) _gain(money[w], _paid(p));
        (p.state, p.owned, p.deadline) = (SaleState.Owned, p.level + 1, 0);
    }

    function _cheated(uint256 w, Holding storage p, string memory how) private {
        _lose(money[w], _hold(w, _paid(p)));
        (p.state, p.deadline) = (SaleState.Cheated, 0);
        ++count[how];
    }

    function _takeOut(uint256 w, uint256 amount, bool own) private {
        address caller = own ? sellers[w] : buyers[0];
        bytes memory data = abi.encodeCall(sale.withdraw, (listings[w], uint96(amount), caller));
        (bytes4 notOwner, bytes4 nothing) = (ICleanerSale.NotSeller.selector, ICleanerSale.NothingOwed.selector);
        _withdraw(money[w], inToken(w), caller, amount, data, own, notOwner, nothing);
    }
}
