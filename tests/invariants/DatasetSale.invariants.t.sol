// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkDispute} from "../../contracts/exchange/ChunkDispute.sol";
import {KeyDispute} from "../../contracts/exchange/KeyDispute.sol";
import {DealState, IDatasetSale} from "../../contracts/interfaces/IDatasetSale.sol";
import {BookLib} from "../../contracts/exchange/Book.sol";
import {Scores} from "../../contracts/mde/quotes/Scores.sol";
import {DatasetSaleHandler} from "./DatasetSaleHandler.sol";
import {SaleCampaign} from "./SaleCampaign.sol";
import {SalePlay} from "./SalePlay.sol";

/// @title What holds of the sale of datasets after every call
/// @dev Each call is played with all its checks against the book, so fewer runs do: 12,800 calls.
/// forge-config: default.invariant.runs = 32
contract DatasetSaleInvariants is SaleCampaign {
    DatasetSaleHandler private _handler;

    function setUp() public {
        _renew();
        actions = [
            DatasetSaleHandler.passTime.selector,
            DatasetSaleHandler.post.selector,
            DatasetSaleHandler.quote.selector,
            DatasetSaleHandler.purchase.selector,
            DatasetSaleHandler.deliver.selector,
            DatasetSaleHandler.accept.selector,
            DatasetSaleHandler.settle.selector,
            DatasetSaleHandler.proveWrongKey.selector,
            DatasetSaleHandler.proveSpoiltChunk.selector,
            DatasetSaleHandler.proveWrongScore.selector,
            DatasetSaleHandler.proveWrongPrice.selector,
            DatasetSaleHandler.fund.selector,
            DatasetSaleHandler.withdraw.selector,
            DatasetSaleHandler.close.selector,
            DatasetSaleHandler.withdrawQuote.selector,
            // Deals are what the others wait for.
            DatasetSaleHandler.quote.selector,
            DatasetSaleHandler.purchase.selector,
            DatasetSaleHandler.deliver.selector,
            DatasetSaleHandler.quote.selector,
            DatasetSaleHandler.passTime.selector,
            DatasetSaleHandler.proveWrongKey.selector
        ];
        outcomes = [
            "posted",
            "funded",
            "withdrawn",
            "closed",
            "quoted",
            "quote withdrawn",
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
        errors = [
            IDatasetSale.AccountIsClosed.selector,
            IDatasetSale.OtherToken.selector,
            IDatasetSale.AlreadyQuoted.selector,
            IDatasetSale.QuoteExpired.selector,
            IDatasetSale.ExpiryTooFar.selector,
            IDatasetSale.WrongSigner.selector,
            IDatasetSale.NotBuyer.selector,
            IDatasetSale.KeyNotOnCurve.selector,
            IDatasetSale.NotOwner.selector,
            IDatasetSale.NotParty.selector,
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

    /// @notice All of what holds, in one campaign.
    function invariant_DatasetSale() public view {
        allHolds();
    }

    /// @notice A fixed random walk reaches every outcome.
    function test_HandlerReachesEveryOutcomeOfDatasetSales() public {
        _walk(15_000, 150, 8);
    }

    function _play() internal view override returns (SalePlay) {
        return _handler;
    }

    function _renew() internal override {
        _handler = new DatasetSaleHandler();
    }

    function _partiesStand() internal view override {
        for (uint256 d = 0; d < _handler.DATASETS(); ++d) {
            (bytes32 id, SalePlay.Money memory m) = _handler.fundsOf(d);
            _accountStands(id, m, !_handler.lies(d));
        }
        for (uint256 o = 0; o < _handler.orderCount(); ++o) {
            (bytes32 id, SalePlay.Money memory m) = _handler.budgetOf(o);
            // What an order loses is what it pays.
            _accountStands(id, m, false);
            if (o % 2 == 0) _pairsStand(o);
        }
    }

    function _accountStands(bytes32 id, SalePlay.Money memory m, bool honest) private view {
        (bool known, bool closed, uint256 funds, uint256 held) = _handler.sale().accountOf(id);
        _moneyStands(m, known, closed, funds, held, honest);
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
}
