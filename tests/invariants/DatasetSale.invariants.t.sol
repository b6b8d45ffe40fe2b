// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkDispute} from "../../contracts/exchange/ChunkDispute.sol";
import {KeyDispute} from "../../contracts/exchange/KeyDispute.sol";
import {DealState, IDatasetSale} from "../../contracts/interfaces/IDatasetSale.sol";
import {BookLib} from "../../contracts/exchange/Book.sol";
import {DatasetSale} from "../../contracts/mde/DatasetSale.sol";
import {Scores} from "../../contracts/mde/quotes/Scores.sol";
import {Base} from "./Base.sol";
import {DatasetSaleBook} from "./DatasetSaleBook.sol";
import {DatasetSaleHandler} from "./DatasetSaleHandler.sol";

/// @title What holds of the sale of datasets after every call
/// @dev Each call is played with all its checks against the book, so fewer runs do: 12,800 calls.
/// forge-config: default.invariant.runs = 32
contract DatasetSaleInvariants is Base {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    DatasetSaleHandler private _handler;

    function setUp() public {
        _handler = new DatasetSaleHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), _actions());
    }

    /// @notice All of what holds, in one campaign.
    function invariant_DatasetSale() public view {
        DatasetSale sale = _handler.sale();
        vm.assertEq(address(sale).balance, _handler.debts(false), "coins and debts");
        vm.assertEq(_handler.token().balanceOf(address(sale)), _handler.debts(true), "tokens and debts");
        for (uint256 d = 0; d < _handler.DATASETS(); ++d) {
            (bytes32 id, DatasetSaleBook.Money memory m) = _handler.fundsOf(d);
            _accountStands(id, m);
            vm.assertEq(m.funds + m.takenOut + m.stakes, m.putIn + m.prices, "a seller's money");
            if (!_handler.lies(d)) vm.assertEq(m.stakes, 0, "an honest seller lost a stake");
        }
        for (uint256 o = 0; o < _handler.orderCount(); ++o) {
            (bytes32 id, DatasetSaleBook.Money memory m) = _handler.budgetOf(o);
            _accountStands(id, m);
            vm.assertEq(m.funds + m.takenOut + m.prices, m.putIn + m.stakes, "a buyer's money");
            if (o % 2 == 0) _pairsStand(o);
        }
    }

    /// @notice From wherever a run ended, everybody gets out, and nothing stays.
    function afterInvariant() public {
        _handler.exhaust();
        invariant_DatasetSale();
        vm.assertEq(address(_handler.sale()).balance, 0, "coins stay");
        vm.assertEq(_handler.token().balanceOf(address(_handler.sale())), 0, "tokens stay");
    }

    /// @notice A fixed random walk reaches every outcome, so that the invariants are known not to be vacuous.
    function test_HandlerReachesEveryOutcomeOfDatasetSales() public {
        vm.pauseGasMetering();
        bytes4[] memory actions = _actions();
        for (uint256 step = 0; step < 15_000; ++step) {
            // A new market now and then, since pairs are used up and closed accounts end the play.
            if (step % 150 == 149) {
                this.afterInvariant();
                _tally();
                _handler = new DatasetSaleHandler();
            }
            uint256 seed = derive(step, "walk");
            (bool done, bytes memory answer) =
                address(_handler).call(abi.encodeWithSelector(actions[derive(seed, "action") % actions.length], seed));
            if (!done) {
                assembly ("memory-safe") {
                    revert(add(answer, 0x20), mload(answer))
                }
            }
            if (step % 8 == 0) this.invariant_DatasetSale();
        }
        this.afterInvariant();
        _tally();
        _everythingHappened();
    }

    // ---------------------------------------------------------------- what holds

    function _accountStands(bytes32 id, DatasetSaleBook.Money memory m) private view {
        (bool known, bool closed, uint256 funds, uint256 held) = _handler.sale().accountOf(id);
        vm.assertTrue(known && closed == m.closed, "account");
        vm.assertEq(funds, m.funds, "funds");
        vm.assertEq(held, m.held, "held");
        vm.assertLe(held, funds, "more is held than there is");
    }

    /// @dev The contract knows of each pair what the book does, and it was quoted once at most.
    function _pairsStand(uint256 o) private view {
        for (uint256 d = 0; d < _handler.DATASETS(); ++d) {
            (bytes32 id, DealState state, uint256 deadline, uint256 quotes) = _handler.pairOf(o, d);
            (DealState isState, uint256 isDeadline,) = _handler.sale().dealOf(id);
            vm.assertTrue(isState == state, "state");
            vm.assertEq(isDeadline, deadline, "deadline");
            vm.assertLe(quotes, 1, "a pair was quoted twice");
            vm.assertTrue((quotes == 0) == (isState == DealState.None), "a quote was forgotten");
        }
    }

    // ---------------------------------------------------------------- what happened

    mapping(string thing => uint256) private _count;
    mapping(bytes4 error_ => uint256) private _refusals;

    function _tally() private {
        string[15] memory outcomes = _outcomes();
        for (uint256 i = 0; i < outcomes.length; ++i) {
            _count[outcomes[i]] += _handler.count(outcomes[i]);
        }
        bytes4[18] memory errors = _errors();
        for (uint256 i = 0; i < errors.length; ++i) {
            _refusals[errors[i]] += _handler.refusals(errors[i]);
        }
    }

    function _everythingHappened() private {
        string[15] memory outcomes = _outcomes();
        for (uint256 i = 0; i < outcomes.length; ++i) {
            emit log_named_uint(outcomes[i], _count[outcomes[i]]);
        }
        for (uint256 i = 0; i < outcomes.length; ++i) {
            vm.assertGe(_count[outcomes[i]], 3, outcomes[i]);
        }
        bytes4[18] memory errors = _errors();
        for (uint256 i = 0; i < errors.length; ++i) {
            emit log_named_uint("refusals", _refusals[errors[i]]);
            vm.assertGe(_refusals[errors[i]], 1, "an error never came up");
        }
    }

    function _outcomes() private pure returns (string[15] memory) {
        return [
            "posted",
            "funded",
            "withdrawn",
            "closed",
            "quoted",
            "bought",
            "delivered",
            "wrong key delivered",
            "accepted",
            "settled",
            "lapsed",
            "wrong key proved",
            "spoilt chunk proved",
            "wrong score proved",
            "wrong price proved"
        ];
    }

    function _errors() private pure returns (bytes4[18] memory) {
        return [
            IDatasetSale.AccountIsClosed.selector,
            IDatasetSale.OtherToken.selector,
            IDatasetSale.AlreadyQuoted.selector,
            IDatasetSale.QuoteExpired.selector,
            IDatasetSale.WrongSigner.selector,
            IDatasetSale.NotBuyer.selector,
            IDatasetSale.NotOwner.selector,
            IDatasetSale.NothingOwed.selector,
            IDatasetSale.WrongState.selector,
            IDatasetSale.WrongKey.selector,
            IDatasetSale.TooEarly.selector,
            IDatasetSale.TooLate.selector,
            IDatasetSale.PriceIsRight.selector,
            BookLib.FundsTooLow.selector,
            KeyDispute.KeyIsRight.selector,
            ChunkDispute.ChunkIsRight.selector,
            Scores.ScoreIsRight.selector,
            Scores.NotInScores.selector
        ];
    }

    function _actions() private pure returns (bytes4[] memory actions) {
        actions = new bytes4[](20);
        actions[0] = DatasetSaleHandler.passTime.selector;
        actions[1] = DatasetSaleHandler.post.selector;
        actions[2] = DatasetSaleHandler.quote.selector;
        actions[3] = DatasetSaleHandler.purchase.selector;
        actions[4] = DatasetSaleHandler.deliver.selector;
        actions[5] = DatasetSaleHandler.accept.selector;
        actions[6] = DatasetSaleHandler.settle.selector;
        actions[7] = DatasetSaleHandler.proveWrongKey.selector;
        actions[8] = DatasetSaleHandler.proveSpoiltChunk.selector;
        actions[9] = DatasetSaleHandler.proveWrongScore.selector;
        actions[10] = DatasetSaleHandler.proveWrongPrice.selector;
        actions[11] = DatasetSaleHandler.fund.selector;
        actions[12] = DatasetSaleHandler.withdraw.selector;
        actions[13] = DatasetSaleHandler.close.selector;
        // Deals are what the others wait for.
        (actions[14], actions[15]) = (DatasetSaleHandler.quote.selector, DatasetSaleHandler.purchase.selector);
        (actions[16], actions[17]) = (DatasetSaleHandler.deliver.selector, DatasetSaleHandler.quote.selector);
        (actions[18], actions[19]) = (DatasetSaleHandler.passTime.selector, DatasetSaleHandler.proveWrongKey.selector);
    }
}
