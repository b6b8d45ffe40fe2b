// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClassifier} from "../../contracts/interfaces/IClassifier.sol";
import {IIncentive} from "../../contracts/interfaces/IIncentive.sol";
import {PointsIncentive} from "../../contracts/sum/incentives/PointsIncentive.sol";
import {ISharedModel} from "../../contracts/interfaces/ISharedModel.sol";
import {SharedModelBook} from "./SharedModelBook.sol";

/// @title Plays everybody: one function per call of the shared model, mostly the right person at the right time
/// @notice A seed decides who calls and which of the call's requirements is violated, if any.
contract SharedModelHandler is SharedModelBook {
    uint256 private constant CROWDED = 8;

    error PaidWrongly(uint256 person, uint256 paid, uint256 due);
    error PredictedWrongly(uint256 said, uint256 predicted);

    constructor(Rule rule_) SharedModelBook(rule_) {}

    // ---------------------------------------------------------------- time, and the whole play

    /// @notice Moves to just before, at or just after a moment that matters to some contribution.
    function passTime(uint256 seed) public {
        if (live.length == 0 || seed % 4 == 0) return vm.warp(block.timestamp + 1 + derive(seed, "pause") % 40);
        uint256 added = entries[live[derive(seed, "entry") % live.length]].addedAt;
        uint256[3] memory moments = [added + waits.refund, added + waits.owner, added + waits.anyone];
        for (uint256 i = 0; i < 3; ++i) {
            uint256 moment = moments[i] - 1 + derive(seed, "edge") % 3;
            if (moment > block.timestamp) return vm.warp(moment);
        }
        vm.warp(block.timestamp + 1);
    }

    /// @notice Forces a coin into the model.
    function force(uint256 seed) external {
        if (seed % 8 != 0) return;
        vm.deal(address(model), address(model).balance + seed % 1e6);
        forced += seed % 1e6;
    }

    /// @notice Now and then everybody leaves, and another model begins.
    function open(uint256 seed) external {
        if (seed % 8 != 0) return;
        exhaust(seed);
        _openModel(seed);
        ++count["opened"];
    }

    /// @notice What eager players would do next.
    function advance(uint256 seed) external {
        uint256 choice = derive(seed, "advance") % 16;
        if (choice == 0) return passTime(seed);
        (bool some,) = _pickDue(seed, true);
        if (some && choice < 10) return refund(seed);
        (some,) = _pickDue(seed, false);
        if (some && totalGood > 0 && choice < 14) return report(seed);
        if (live.length >= CROWDED) return choice < 6 ? takeOver(seed) : passTime(seed);
        if (block.timestamp == lastUpdate) vm.warp(block.timestamp + 1 + choice);
        addData(seed);
    }

    /// @notice Time passes and everybody acts for itself, in an order that `seed` decides: nothing stays but the pot.
    function exhaust(uint256 seed) public {
        vm.warp(block.timestamp + waits.anyone);
        while (!points && live.length > 0) {
            Entry memory entry = entries[live[derive(seed, "order") % live.length]];
            _takeOver(entry, derive(seed + live.length, "taker") % PEOPLE);
        }
        for (uint256 i = 0; i < PEOPLE; ++i) {
            _claimRewards((seed % PEOPLE + i) % PEOPLE);
        }
        vm.assertEq(address(model).balance, model.pot() + forced, "more than the pot stays");
        vm.assertTrue(totalGood == 0 || model.pot() < totalGood, "income that could be shared stays");
    }

    // ---------------------------------------------------------------- teaching and income

    function addData(uint256 seed) public {
        Entry memory entry;
        // The stranger tries only where it is refused.
        entry.author = uint8(derive(seed, "author") % (points ? PEOPLE : STRANGER));
        entry.sample = _variant(seed);
        entry.addedAt = uint40(block.timestamp);
        uint256[] memory features = _features(entry);
        uint256 predicted = model.predict(features);
        bool lies = (derive(seed, "lie") % 4 == 0) != (entry.author == LIAR);
        entry.label = uint8(lies ? 1 - predicted : predicted);
        (features, entry.label) = _spoil(features, entry.label, derive(seed, "spoil"));
        uint256 cost;
        (entry.deposit, cost) = _needed(entry.label == predicted);
        uint256 coins = entry.deposit + cost;
        uint256 kind = derive(seed, "payment") % 8;
        if (kind < 2) coins += 1 + derive(seed, "excess") % 1e9;
        if (kind == 2 && coins > 0) coins -= 1 + derive(seed, "missing") % coins;
        _requires(!points || entry.author != STRANGER, PointsIncentive.NotMember.selector);
        _requires(points || block.timestamp > lastUpdate, IIncentive.TooSoonAfterUpdate.selector);
        _requires(coins >= entry.deposit + cost, ISharedModel.DepositTooSmall.selector);
        _requires(!_taken(entry), ISharedModel.AlreadyAdded.selector);
        _requires(entry.label < 2, IClassifier.LabelOutOfRange.selector);

        if (!_call(entry.author, coins, 0, abi.encodeCall(model.addData, (features, entry.label)))) return;
        _bookEntry(entry);
        _bookIncome(cost);
        owed[entry.author] += coins - entry.deposit - cost;
        ++count[lies ? "added wrong" : "added right"];
        if (coins > entry.deposit + cost) ++count["credited"];
        if (agreeCost < disagreeCost) ++count[lies ? "added at the greater cost" : "added at the lesser cost"];
    }

    function payForPrediction(uint256 seed) external {
        uint256 coins = seed % 8 == 0 ? 0 : derive(seed, "price") % (seed % 2 == 0 ? 20 : 1e15);
        Entry memory entry;
        entry.sample = samples[derive(seed, "sample") % SAMPLES];
        uint256[] memory features = _features(entry);
        uint256 predicted = model.predict(features);
        (features,) = _spoil(features, 0, derive(seed, "spoil"));
        _requires(coins > 0, ISharedModel.NothingPaid.selector);

        uint256 person = derive(seed, "payer") % PEOPLE;
        (bool done, bytes memory answer) =
            _callForAnswer(person, coins, 0, abi.encodeCall(model.payForPrediction, (features)));
        if (!done) return;
        uint256 said = abi.decode(answer, (uint256));
        if (said != predicted) revert PredictedWrongly(said, predicted);
        _bookIncome(coins);
        ++count[totalGood == 0 ? "paid to nobody yet" : "prediction paid"];
    }

    function claimRewards(uint256 seed) external {
        _claimRewards(seed % PEOPLE);
    }

    function _claimRewards(uint256 person) private {
        uint256 due = owed[person];
        _requires(due > 0, ISharedModel.NothingOwed.selector);

        if (!_call(person, 0, due, abi.encodeCall(model.claimRewards, ()))) return;
        owed[person] = 0;
        ++count["rewards claimed"];
    }

    // ---------------------------------------------------------------- verdicts

    function refund(uint256 seed) public {
        (, Entry memory entry) = _pickDue(seed, true);
        uint256 person = derive(seed, "caller") % 8 == 0 ? seed % PEOPLE : entry.author;
        _blur(entry, seed);
        entry.author = uint8(person);
        (uint256 index, Entry memory noted) = _requiresNoted(entry);
        uint256[] memory features = _features(entry);
        uint256 predicted = model.predict(features);
        uint256 from = entry.addedAt + waits.refund;
        _requires(block.timestamp >= from, IIncentive.RefundTooEarly.selector);
        _requires(predicted == entry.label, IIncentive.ModelDisagrees.selector);
        _requires(points || _left(noted) > 0, IIncentive.NothingLeft.selector);
        _requires(!points || !noted.reported, IIncentive.AlreadyReported.selector);

        bytes memory data = abi.encodeCall(model.refund, (features, entry.label, entry.addedAt));
        if (!_call(person, 0, _left(noted), data)) return;
        entries[index].refunded = true;
        _bookGood(person);
        _bookTaken(index, _left(noted));
        ++count["refunded"];
        if (noted.reported) ++count["refunded after a report"];
        if (block.timestamp == from) ++count["refunded at once"];
    }

    function report(uint256 seed) public {
        (, Entry memory entry) = _pickDue(seed, false);
        uint256 person = derive(seed, "reporter") % PEOPLE;
        // Mostly somebody else whose data proved good, sometimes somebody who did it before, if there is such a person.
        uint256 kind = derive(seed, "kind") % 8;
        if (kind == 1) (, entry) = _pick(seed);
        for (uint256 i = 0; i < PEOPLE && kind > 0; ++i) {
            bool again = _reportedBy(entry, person);
            if (kind == 1 ? again : !again && person != entry.author && good[person] > 0) break;
            person = (person + 1) % PEOPLE;
        }
        _blur(entry, seed);
        _requires(person != entry.author, ISharedModel.OwnData.selector);
        (uint256 index, Entry memory noted) = _requiresNoted(entry);
        uint256[] memory features = _features(entry);
        uint256 predicted = model.predict(features);
        _requires(!_reportedBy(entry, person), ISharedModel.AlreadyClaimed.selector);
        _requires(block.timestamp >= entry.addedAt + waits.refund, IIncentive.ReportTooEarly.selector);
        _requires(predicted != entry.label, IIncentive.ModelAgrees.selector);
        _requires(points || _left(noted) > 0, IIncentive.NothingLeft.selector);
        _requires(good[person] > 0, IIncentive.NoGoodData.selector);
        _requires(!points || !noted.reported, IIncentive.AlreadyReported.selector);

        uint256 due = _share(noted, person);
        bytes memory data = abi.encodeCall(model.report, (features, entry.label, entry.addedAt, people[entry.author]));
        if (!_call(person, 0, due, data)) return;
        _bookReport(index, person);
        _bookTaken(index, due);
        ++count[due == _left(noted) ? "reported in full" : "reported in part"];
        if (noted.reported) ++count["reported again"];
    }

    function takeOver(uint256 seed) public {
        (, Entry memory entry) = _pick(seed);
        _blur(entry, seed);
        _takeOver(entry, derive(seed, "taker") % 2 == 0 ? OWNER : derive(seed, "anyone") % PEOPLE);
    }

    function _takeOver(Entry memory entry, uint256 person) private {
        (uint256 index, Entry memory noted) = _requiresNoted(entry);
        uint256 from = entry.addedAt + (person == OWNER ? waits.owner : waits.anyone);
        _requires(points || block.timestamp >= from, IIncentive.TakeOverTooEarly.selector);
        _requires(!points && _left(noted) > 0, IIncentive.NothingLeft.selector);

        bytes memory data =
            abi.encodeCall(model.takeOver, (_features(entry), entry.label, entry.addedAt, people[entry.author]));
        if (!_call(person, 0, _left(noted), data)) return;
        _bookTaken(index, _left(noted));
        ++count[person == OWNER ? "taken over by the owner" : "taken over by anyone"];
        if (person == noted.author) ++count["taken over by the author"];
    }

    // ---------------------------------------------------------------- choices

    /// @dev A sample that shares nearly all features with others, now and then one that is known already.
    function _variant(uint256 seed) private view returns (uint64 sample) {
        sample = samples[derive(seed, "sample") % SAMPLES];
        if (derive(seed, "known") % 8 > 0) sample ^= uint64(1 << derive(seed, "feature") % featureCount);
        if (derive(seed, "known") % 8 > 4) sample ^= uint64(1 << derive(seed, "another") % featureCount);
        if (sample == 0) sample = samples[0];
    }

    /// @dev A contribution, mostly one that is not dealt with; where there is none, one that was never made.
    function _pick(uint256 seed) private view returns (bool some, Entry memory entry) {
        uint256 choice = derive(seed, "pick");
        if (live.length > 0 && choice % 4 != 0) return (true, entries[live[choice / 8 % live.length]]);
        if (entries.length > 0) return (false, entries[choice / 8 % entries.length]);
        (entry.sample, entry.addedAt) = (samples[0], uint40(block.timestamp));
    }

    /// @dev Mostly a contribution whose wait is over and with which the model agrees, or does not, as asked.
    /// @return some whether there is such a one
    function _pickDue(uint256 seed, bool agrees) private view returns (bool some, Entry memory entry) {
        uint256 first = derive(seed, "due");
        for (uint256 i = 0; i < live.length; ++i) {
            Entry storage one = entries[live[(first % live.length + i) % live.length]];
            if (block.timestamp < one.addedAt + waits.refund) continue;
            entry = one;
            if ((model.predict(_features(entry)) == entry.label) != agrees) continue;
            some = true;
            if (first % 8 == 0) break;
            return (true, entry);
        }
        (, entry) = _pick(seed);
    }

    /// @dev Sometimes the words of a call name another contribution, which may or may not exist.
    function _blur(Entry memory entry, uint256 seed) private pure {
        uint256 kind = derive(seed, "blur") % 32;
        if (kind == 0) ++entry.addedAt;
        if (kind == 1) entry.label = 1 - entry.label;
        if (kind == 2) entry.author = uint8((entry.author + 1) % PEOPLE);
    }

    /// @dev Sometimes no sample or label of this classifier, which must be said.
    function _spoil(uint256[] memory features, uint8 label, uint256 seed) private returns (uint256[] memory, uint8) {
        uint256 kind = seed % 32;
        if (kind == 0) features = new uint256[](2);
        if (kind == 1) features[0] |= 1 << featureCount;
        if (kind == 2) label += 2;
        if (kind == 3) features[0] = 0;
        _requires(kind != 0, IClassifier.BitmapLength.selector);
        _requires(kind != 1, IClassifier.FeatureOutOfRange.selector);
        _requires(kind != 3, IClassifier.NoFeatures.selector);
        return (features, label);
    }

    // ---------------------------------------------------------------- calls

    /// @dev What all verdicts require.
    function _requiresNoted(Entry memory entry) private returns (uint256 index, Entry memory noted) {
        bool found;
        (found, index) = _find(entry);
        _requires(found, ISharedModel.NeverAdded.selector);
        if (!found) return (0, entry);
        noted = entries[index];
        _requires(!noted.refunded, ISharedModel.AlreadyRefunded.selector);
    }

    function _features(Entry memory entry) private pure returns (uint256[] memory features) {
        features = new uint256[](1);
        features[0] = entry.sample;
    }

    function _call(uint256 person, uint256 coins, uint256 due, bytes memory data) private returns (bool done) {
        (done,) = _callForAnswer(person, coins, due, data);
    }

    /// @dev Brings coins and pays out exactly what is due, or is refused and moves nothing.
    function _callForAnswer(uint256 person, uint256 coins, uint256 due, bytes memory data)
        private
        returns (bool done, bytes memory answer)
    {
        address caller = people[person];
        vm.deal(address(this), coins);
        uint256 before = caller.balance;
        (done, answer) = _attempt(address(model), caller, coins, data);
        uint256 paid = caller.balance + (done ? coins : 0) - before;
        if (paid != (done ? due : 0)) revert PaidWrongly(person, paid, due);
        if (done) (paidIn, paidOut) = (paidIn + coins, paidOut + paid);
    }
}
