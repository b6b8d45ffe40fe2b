// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkDispute} from "../../contracts/exchange/ChunkDispute.sol";
import {KeyDispute} from "../../contracts/exchange/KeyDispute.sol";
import {ICleanerSale, SaleState} from "../../contracts/interfaces/ICleanerSale.sol";
import {BookLib} from "../../contracts/exchange/Book.sol";
import {CleanerSale} from "../../contracts/hide/CleanerSale.sol";
import {Base} from "./Base.sol";
import {CleanerSaleBook} from "./CleanerSaleBook.sol";
import {CleanerSaleHandler} from "./CleanerSaleHandler.sol";

/// @title What holds of the sale of cleaners after every call
/// @dev Each call is played with all its checks against the book, so fewer runs do: 25,600 calls.
/// forge-config: default.invariant.runs = 64
contract CleanerSaleInvariants is Base {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    CleanerSaleHandler private _handler;

    function setUp() public {
        _handler = new CleanerSaleHandler();
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
    function invariant_Sale() public view {
        _holdsWhatItOwes();
        for (uint256 which = 0; which < _handler.LISTINGS(); ++which) {
            _sellerStandsAsTheBookSays(which);
            for (uint256 buyer = 0; buyer < _handler.BUYERS(); ++buyer) {
                _buyerStandsAsTheBookSays(which, buyer);
            }
        }
    }

    /// @notice From wherever a run ended, everybody gets out, and nothing stays.
    function afterInvariant() public {
        _handler.exhaust();
        invariant_Sale();
        vm.assertEq(address(_handler.sale()).balance, 0, "coins stay");
        vm.assertEq(_handler.token().balanceOf(address(_handler.sale())), 0, "tokens stay");
    }

    /// @notice A fixed random walk reaches every outcome, so that the invariants are known not to be vacuous.
    function test_HandlerReachesEveryOutcomeOfSales() public {
        vm.pauseGasMetering();
        bytes4[] memory actions = _actions();
        for (uint256 step = 0; step < 6_000; ++step) {
            // A new market now and then, since closed listings and buyers that own everything end the play.
            if (step % 500 == 499) {
                _tally();
                this.afterInvariant();
                _handler = new CleanerSaleHandler();
            }
            uint256 seed = derive(step, "walk");
            (bool done, bytes memory answer) =
                address(_handler).call(abi.encodeWithSelector(actions[derive(seed, "action") % actions.length], seed));
            if (!done) {
                assembly ("memory-safe") {
                    revert(add(answer, 0x20), mload(answer))
                }
            }
            this.invariant_Sale();
        }
        this.afterInvariant();
        _tally();
        _everythingHappened();
    }

    // ---------------------------------------------------------------- what holds

    function _holdsWhatItOwes() private view {
        CleanerSale sale = _handler.sale();
        vm.assertEq(address(sale).balance, _handler.debts(false), "coins and debts");
        vm.assertEq(_handler.token().balanceOf(address(sale)), _handler.debts(true), "tokens and debts");
    }

    /// @dev Funds are what was put in and sold, less what was taken out and lost; the honest lose nothing.
    function _sellerStandsAsTheBookSays(uint256 which) private view {
        (bytes32 id, CleanerSaleBook.Money memory m) = _handler.moneyOf(which);
        (bool listed, bool closed, uint256 funds, uint256 held) = _handler.sale().bookOf(id);
        vm.assertTrue(listed && closed == m.closed, "book");
        vm.assertEq(funds, m.funds, "funds");
        vm.assertEq(held, m.held, "held");
        vm.assertLe(held, funds, "more is held than there is");
        vm.assertEq(funds + m.takenOut + m.lost, m.putIn + m.sold, "a seller's money");
        if (!_handler.lies(which)) vm.assertEq(m.lost, 0, "an honest seller lost a dispute");
    }

    /// @dev Whatever a buyer spent and was not repaid is what it owns or what is under way.
    function _buyerStandsAsTheBookSays(uint256 which, uint256 buyer) private view {
        (bytes32 id,) = _handler.moneyOf(which);
        (address account, SaleState state, uint256 owned, uint256 deadline, int256 lost) =
            _handler.purchaseOf(which, buyer);
        (SaleState isState,, uint256 isOwned, uint256 isDeadline,) = _handler.sale().saleOf(id, account);
        vm.assertTrue(isState == state, "state");
        vm.assertEq(isOwned, owned, "owned");
        vm.assertEq(isDeadline, deadline, "deadline");
        vm.assertTrue(lost == 0, "a buyer lost money");
    }

    // ---------------------------------------------------------------- what happened

    mapping(string thing => uint256) private _count;
    mapping(bytes4 error_ => uint256) private _refusals;

    function _tally() private {
        string[15] memory outcomes = _outcomes();
        for (uint256 i = 0; i < outcomes.length; ++i) {
            _count[outcomes[i]] += _handler.count(outcomes[i]);
        }
        bytes4[13] memory errors = _errors();
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
        bytes4[13] memory errors = _errors();
        for (uint256 i = 0; i < errors.length; ++i) {
            emit log_named_uint("refusals", _refusals[errors[i]]);
            vm.assertGe(_refusals[errors[i]], 1, "an error never came up");
        }
    }

    function _outcomes() private pure returns (string[15] memory) {
        return [
            "bought",
            "upgraded",
            "delivered",
            "wrong key delivered",
            "accepted",
            "settled",
            "lapsed",
            "wrong key proved",
            "spoilt chunk proved",
            "repaid with stake",
            "repaid when overdue",
            "repaid when lapsed",
            "funded",
            "withdrawn",
            "closed"
        ];
    }

    function _errors() private pure returns (bytes4[13] memory) {
        return [
            ICleanerSale.ListingIsClosed.selector,
            ICleanerSale.SaleUnderWay.selector,
            ICleanerSale.LevelNotAbove.selector,
            ICleanerSale.WrongState.selector,
            ICleanerSale.WrongKey.selector,
            ICleanerSale.TooEarly.selector,
            ICleanerSale.TooLate.selector,
            ICleanerSale.NotSeller.selector,
            ICleanerSale.NothingOwed.selector,
            BookLib.FundsTooLow.selector,
            KeyDispute.KeyIsRight.selector,
            ChunkDispute.ChunkIsRight.selector,
            bytes4(keccak256("WrongPayment(uint256,uint256)"))
        ];
    }

    function _actions() private pure returns (bytes4[] memory actions) {
        actions = new bytes4[](14);
        actions[0] = CleanerSaleHandler.passTime.selector;
        actions[1] = CleanerSaleHandler.buy.selector;
        actions[2] = CleanerSaleHandler.deliver.selector;
        actions[3] = CleanerSaleHandler.accept.selector;
        actions[4] = CleanerSaleHandler.proveWrongKey.selector;
        actions[5] = CleanerSaleHandler.proveSpoiltChunk.selector;
        actions[6] = CleanerSaleHandler.refund.selector;
        actions[7] = CleanerSaleHandler.settle.selector;
        actions[8] = CleanerSaleHandler.fund.selector;
        actions[9] = CleanerSaleHandler.withdraw.selector;
        actions[10] = CleanerSaleHandler.close.selector;
        // Sales are what the others wait for.
        (actions[11], actions[12], actions[13]) =
        (CleanerSaleHandler.buy.selector, CleanerSaleHandler.deliver.selector, CleanerSaleHandler.deliver.selector);
    }
}
