// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkDispute} from "../../contracts/exchange/ChunkDispute.sol";
import {KeyDispute} from "../../contracts/exchange/KeyDispute.sol";
import {ICleanerSale, SaleState} from "../../contracts/interfaces/ICleanerSale.sol";
import {BookLib} from "../../contracts/exchange/Book.sol";
import {CleanerSaleHandler} from "./CleanerSaleHandler.sol";
import {SaleCampaign} from "./SaleCampaign.sol";
import {SalePlay} from "./SalePlay.sol";

/// @title What holds of the sale of cleaners after every call
/// @dev Each call is played with all its checks against the book, so fewer runs do: 25,600 calls.
/// forge-config: default.invariant.runs = 64
contract CleanerSaleInvariants is SaleCampaign {
    CleanerSaleHandler private _handler;

    function setUp() public {
        _renew();
        actions = [
            CleanerSaleHandler.passTime.selector,
            CleanerSaleHandler.buy.selector,
            CleanerSaleHandler.deliver.selector,
            CleanerSaleHandler.accept.selector,
            CleanerSaleHandler.proveWrongKey.selector,
            CleanerSaleHandler.proveSpoiltChunk.selector,
            CleanerSaleHandler.refund.selector,
            CleanerSaleHandler.settle.selector,
            CleanerSaleHandler.fund.selector,
            CleanerSaleHandler.withdraw.selector,
            CleanerSaleHandler.close.selector,
            // Sales are what the others wait for.
            CleanerSaleHandler.buy.selector,
            CleanerSaleHandler.deliver.selector,
            CleanerSaleHandler.deliver.selector
        ];
        outcomes = [
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
        errors = [
            ICleanerSale.ListingIsClosed.selector,
            ICleanerSale.SaleUnderWay.selector,
            ICleanerSale.LevelNotAbove.selector,
            ICleanerSale.KeyNotOnCurve.selector,
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

    /// @notice All of what holds, in one campaign.
    function invariant_CleanerSale() public view {
        allHolds();
    }

    /// @notice A fixed random walk reaches every outcome.
    function test_HandlerReachesEveryOutcomeOfCleanerSales() public {
        _walk(6_000, 500, 1);
    }

    function _play() internal view override returns (SalePlay) {
        return _handler;
    }

    function _renew() internal override {
        _handler = new CleanerSaleHandler();
    }

    function _partiesStand() internal view override {
        for (uint256 which = 0; which < _handler.LISTINGS(); ++which) {
            (bytes32 id, SalePlay.Money memory m) = _handler.moneyOf(which);
            (bool listed, bool closed, uint256 funds, uint256 held) = _handler.sale().bookOf(id);
            _moneyStands(m, listed, closed, funds, held, !_handler.lies(which));
            for (uint256 buyer = 0; buyer < _handler.BUYERS(); ++buyer) {
                _buyerStandsAsTheBookSays(id, which, buyer);
            }
        }
    }

    /// @dev Whatever a buyer spent and was not repaid is what it owns or what is under way.
    function _buyerStandsAsTheBookSays(bytes32 id, uint256 which, uint256 buyer) private view {
        (address account, SaleState state, uint256 owned, uint256 deadline, int256 lost) =
            _handler.purchaseOf(which, buyer);
        (SaleState isState,, uint256 isOwned, uint256 isDeadline,) = _handler.sale().saleOf(id, account);
        vm.assertTrue(isState == state, "state");
        vm.assertEq(isOwned, owned, "owned");
        vm.assertEq(isDeadline, deadline, "deadline");
        vm.assertTrue(lost == 0, "a buyer lost money");
    }
}
