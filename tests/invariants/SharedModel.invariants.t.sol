// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClassifier} from "../../contracts/interfaces/IClassifier.sol";
import {IIncentive} from "../../contracts/interfaces/IIncentive.sol";
import {ISharedModel} from "../../contracts/interfaces/ISharedModel.sol";
import {PointsIncentive} from "../../contracts/sum/incentives/PointsIncentive.sol";
import {Base} from "./Base.sol";
import {SharedModelBook} from "./SharedModelBook.sol";
import {SharedModelHandler} from "./SharedModelHandler.sol";

/// @title What holds of every shared model after every call, whatever its incentive
abstract contract SharedModelInvariants is Base {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    uint256 private constant PEOPLE = 5;

    SharedModelHandler internal handler;

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), _actions());
    }

    /// @notice All of what holds, in one campaign: with one seed, each further one would only repeat the same calls.
    function invariant_SharedModel() public view {
        ISharedModel model = handler.model();
        (address[PEOPLE] memory people, uint256[PEOPLE] memory owed, uint256[PEOPLE] memory good) = handler.accounts();
        _holdsWhatItOwes(model, people, owed, _recordsAreTheBooks(model, people));
        _countsGoodData(model, people, good);
        vm.assertEq(model.lastUpdate(), handler.lastUpdate(), "last update");
    }

    /// @notice From wherever a run ended, everybody gets out, and the pot alone stays. No deposit left twice.
    function afterInvariant() public {
        _leave(1);
    }

    /// @dev Value is conserved: everybody is owed what the rules give, the sum is what the model holds, and that is what
    /// it ever took less what it ever paid, so that nobody took what somebody did not put in.
    function _holdsWhatItOwes(
        ISharedModel model,
        address[PEOPLE] memory people,
        uint256[PEOPLE] memory owed,
        uint256 left
    ) private view {
        uint256 pot = model.pot();
        vm.assertEq(pot, handler.pot(), "pot");
        uint256 debts = left + pot;
        for (uint256 i = 0; i < PEOPLE; ++i) {
            uint256 claimable = model.claimable(people[i]);
            vm.assertEq(claimable, owed[i], "claimable");
            debts += claimable;
        }
        uint256 held = address(model).balance - handler.forced();
        vm.assertEq(held, debts, "balance and debts");
        vm.assertEq(held + handler.paidOut(), handler.paidIn(), "balance and payments");
    }

    function _countsGoodData(ISharedModel model, address[PEOPLE] memory people, uint256[PEOPLE] memory good)
        private
        view
    {
        uint256 total = 0;
        for (uint256 i = 0; i < PEOPLE; ++i) {
            uint256 count = model.goodData(people[i]);
            vm.assertEq(count, good[i], "good data");
            total += count;
        }
        vm.assertEq(model.totalGoodData(), total, "total of good data");
    }

    /// @dev What is recorded of contributions is what happened to them: what arrived in purses is gone, no more.
    /// @return left what is left of all that are not dealt with
    function _recordsAreTheBooks(ISharedModel model, address[PEOPLE] memory people)
        private
        view
        returns (uint256 left)
    {
        (SharedModelBook.Entry[] memory entries, uint256 live) = handler.watchedEntries();
        for (uint256 i = 0; i < entries.length; ++i) {
            uint256 one = _recordIsTheBook(model, people, entries[i]);
            if (i < live) left += one;
        }
    }

    function _recordIsTheBook(ISharedModel model, address[PEOPLE] memory people, SharedModelBook.Entry memory entry)
        private
        view
        returns (uint256)
    {
        uint256[] memory features = new uint256[](1);
        features[0] = entry.sample;
        (bool added, bool refunded, bool reported, uint256 deposit, uint256 left) =
            model.contribution(features, entry.label, entry.addedAt, people[entry.author]);
        if (entry.displaced) {
            vm.assertTrue(!added && deposit == 0 && left == 0, "another has its place");
            return 0;
        }
        bool same = added && refunded == entry.refunded && reported == entry.reported;
        if (!same) vm.assertTrue(false, "record");
        if (deposit != entry.deposit) vm.assertEq(deposit, entry.deposit, "deposit");
        if (left + entry.taken != deposit) vm.assertEq(left + entry.taken, deposit, "left and taken");
        _announcedAsBooked(model, people[entry.author], features, entry);
        if (refunded && left > 0) vm.assertEq(left, 0, "refunded, and something left");
        return left;
    }

    function _announcedAsBooked(
        ISharedModel model,
        address author,
        uint256[] memory features,
        SharedModelBook.Entry memory entry
    ) private view {
        (bool good, bool bad, uint256 at) = model.announcement(features, entry.label, entry.addedAt, author);
        uint256 announced = (good ? 1 : 0) + (bad ? 2 : 0);
        if (announced != entry.announced) vm.assertEq(announced, entry.announced, "announced");
        if (at != entry.announcedAt) vm.assertEq(at, entry.announcedAt, "announced at");
    }

    /// @dev Everybody leaves in some order.
    function _leave(uint256 seed) internal {
        handler.exhaust(seed);
        SharedModelBook.Entry[] memory entries = handler.allEntries();
        (address[PEOPLE] memory people,,) = handler.accounts();
        for (uint256 i = 0; i < entries.length; ++i) {
            vm.assertEq(_recordIsTheBook(handler.model(), people, entries[i]), 0, "left in the end");
        }
        invariant_SharedModel();
    }

    /// @dev A fixed random walk, so that the invariants are known not to be vacuous.
    function _walk(uint256 steps) internal {
        vm.pauseGasMetering();
        bytes4[] memory actions = _actions();
        for (uint256 step = 0; step < steps; ++step) {
            uint256 seed = derive(step, "walk");
            (bool done, bytes memory answer) =
                address(handler).call(abi.encodeWithSelector(actions[derive(seed, "action") % actions.length], seed));
            if (!done) {
                assembly ("memory-safe") {
                    revert(add(answer, 0x20), mload(answer))
                }
            }
            // From outside, so that the memory of each check is freed.
            this.invariant_SharedModel();
        }
        _leave(2);
    }

    function _happened(string memory outcome) internal {
        emit log_named_uint(outcome, handler.count(outcome));
        vm.assertGe(handler.count(outcome), 3, outcome);
    }

    function _refused(string memory name, bytes4 error_) internal {
        emit log_named_uint(name, handler.refusals(error_));
        vm.assertGe(handler.refusals(error_), 3, name);
    }

    /// @dev What happens wherever there are deposits.
    function _depositsMoved() internal {
        _everythingHappened();
        _happened("reported in part");
        _happened("reported again");
        _happened("refunded after a report");
        _happened("taken over by the owner");
        _happened("taken over by anyone");
        _happened("taken over by the author");
        _happened("added within the second");
        _refused("deposit too small", ISharedModel.DepositTooSmall.selector);
        _refused("take over too early", IIncentive.TakeOverTooEarly.selector);
    }

    /// @dev What happens under any incentive.
    function _everythingHappened() internal {
        _happened("opened");
        _happened("added right");
        _happened("added wrong");
        _happened("credited");
        _happened("prediction paid");
        _happened("rewards claimed");
        _happened("refunded");
        _happened("refunded at once");
        _happened("announced good");
        _happened("announced bad");
        _happened("objected");
        _happened("upheld");
        _happened("upheld against a report");
        _happened("a place taken");
        _refused("taught before", ISharedModel.TaughtBefore.selector);
        _happened("fell to the contrary");
        _happened("reported in full");
        _happened("a repeat refunded");
        _refused("never added", ISharedModel.NeverAdded.selector);
        _refused("already added", ISharedModel.AlreadyAdded.selector);
        _refused("already refunded", ISharedModel.AlreadyRefunded.selector);
        _refused("already claimed", ISharedModel.AlreadyClaimed.selector);
        _refused("own data", ISharedModel.OwnData.selector);
        _refused("nobody to pay", ISharedModel.NobodyToPay.selector);
        _refused("nothing paid", ISharedModel.NothingPaid.selector);
        _refused("nothing owed", ISharedModel.NothingOwed.selector);
        _refused("refund too early", IIncentive.RefundTooEarly.selector);
        _refused("report too early", IIncentive.ReportTooEarly.selector);
        _refused("already announced", ISharedModel.AlreadyAnnounced.selector);
        _refused("nothing announced", ISharedModel.NothingAnnounced.selector);
        _refused("not announced", IIncentive.NotAnnounced.selector);
        _refused("verdict too early", IIncentive.VerdictTooEarly.selector);
        _refused("not quiet", IIncentive.NotQuiet.selector);
        _refused("no good data", IIncentive.NoGoodData.selector);
        _refused("model disagrees", IIncentive.ModelDisagrees.selector);
        _refused("model agrees", IIncentive.ModelAgrees.selector);
        _refused("nothing left", IIncentive.NothingLeft.selector);
        _refused("label out of range", IClassifier.LabelOutOfRange.selector);
        _refused("bitmap length", IClassifier.BitmapLength.selector);
        _refused("feature out of range", IClassifier.FeatureOutOfRange.selector);
        _refused("no features", IClassifier.NoFeatures.selector);
    }

    function _actions() private pure returns (bytes4[] memory actions) {
        actions = new bytes4[](25);
        actions[0] = SharedModelHandler.passTime.selector;
        actions[1] = SharedModelHandler.force.selector;
        actions[2] = SharedModelHandler.open.selector;
        actions[3] = SharedModelHandler.addData.selector;
        actions[4] = SharedModelHandler.addData.selector;
        actions[5] = SharedModelHandler.refund.selector;
        actions[6] = SharedModelHandler.report.selector;
        actions[7] = SharedModelHandler.takeOver.selector;
        actions[8] = SharedModelHandler.payForPrediction.selector;
        actions[9] = SharedModelHandler.claimRewards.selector;
        actions[10] = SharedModelHandler.announce.selector;
        actions[11] = SharedModelHandler.object.selector;
        actions[12] = SharedModelHandler.uphold.selector;
        for (uint256 i = 13; i < actions.length; ++i) {
            actions[i] = SharedModelHandler.advance.selector;
        }
    }
}

/// @title With deposits at stake
/// @dev Half of the runs, and a quarter under the two other incentives, where the same calls are played again: 102,400
/// calls together.
/// forge-config: default.invariant.runs = 128
contract StakedModelInvariants is SharedModelInvariants {
    function setUp() public {
        handler = new SharedModelHandler(SharedModelBook.Rule.STAKE);
    }

    /// @notice A fixed random walk reaches every outcome.
    function test_HandlerReachesEveryOutcomeAtStake() public {
        _walk(8_000);
        _depositsMoved();
    }
}

/// @title With deposits at stake, and a cost that depends on what the model thinks
/// forge-config: default.invariant.runs = 64
contract EntropyModelInvariants is SharedModelInvariants {
    function setUp() public {
        handler = new SharedModelHandler(SharedModelBook.Rule.ENTROPY);
    }

    /// @notice A fixed random walk reaches every outcome.
    function test_HandlerReachesEveryOutcomeByEntropy() public {
        _walk(8_000);
        _depositsMoved();
        _happened("added at the lesser cost");
        _happened("added at the greater cost");
        _refused("cost too high", ISharedModel.CostTooHigh.selector);
    }
}

/// @title With points alone
/// forge-config: default.invariant.runs = 64
contract PointsModelInvariants is SharedModelInvariants {
    function setUp() public {
        handler = new SharedModelHandler(SharedModelBook.Rule.POINTS);
    }

    /// @notice A fixed random walk reaches every outcome.
    function test_HandlerReachesEveryOutcomeForPoints() public {
        _walk(8_000);
        _everythingHappened();
        _refused("not a member", PointsIncentive.NotMember.selector);
        _refused("already reported", IIncentive.AlreadyReported.selector);
    }
}
