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

    /// @dev What can be due of an entry.
    enum Act {
        ANNOUNCE_GOOD,
        ANNOUNCE_BAD,
        OBJECT,
        UPHOLD,
        REFUND,
        REPORT
    }

    error PaidWrongly(uint256 person, uint256 paid, uint256 due);
    error PredictedWrongly(uint256 said, uint256 predicted);

    constructor(Rule rule_) SharedModelBook(rule_) {}

    // ---------------------------------------------------------------- time, and the whole play

    /// @notice Moves to just before, at or just after a moment that matters to some contribution.
    function passTime(uint256 seed) public {
        if (live.length == 0 || seed % 4 == 0) return _goTo(block.timestamp + 1 + derive(seed, "pause") % 90);
        Entry memory entry = entries[live[derive(seed, "entry") % live.length]];
        uint256[7] memory moments = [
            lastUpdate + waits.quiet,
            lastUpdate + 2 * waits.quiet,
            entry.addedAt + waits.refund,
            entry.addedAt + waits.refund + waits.author,
            entry.announcedAt + waits.verdict,
            _touchedAt(entry) + waits.owner,
            _touchedAt(entry) + waits.anyone
        ];
        for (uint256 i = 0; i < moments.length; ++i) {
            uint256 moment = moments[i] - 1 + derive(seed, "edge") % 3;
            if (moment > block.timestamp) return _goTo(moment);
        }
        _goTo(block.timestamp + 1);
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
        if (choice < 12 && block.timestamp < lastUpdate + waits.quiet) _goTo(lastUpdate + waits.quiet + choice);
        (bool some,) = _pickDue(seed, Act.REFUND);
        if (some && choice < 10) return refund(seed);
        (some,) = _pickDue(seed, Act.REPORT);
        if (some && choice < 13) return report(seed);
        (some,) = _pickDue(seed, Act.ANNOUNCE_GOOD);
        if (some && choice < 14) return announce(seed & ~uint256(1));
        (some,) = _pickDue(seed, Act.ANNOUNCE_BAD);
        if (some && choice < 15 && totalGood > 0) return announce(seed | 1);
        if (live.length >= CROWDED) return choice < 6 ? takeOver(seed) : passTime(seed);
        if (block.timestamp == lastUpdate && seed % 4 != 0) _goTo(block.timestamp + 1 + choice);
        addData(seed);
    }

    /// @notice Time passes and everybody acts for itself, in an order that `seed` decides: nothing stays but the pot.
    function exhaust(uint256 seed) public {
        _goTo(block.timestamp + waits.anyone);
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

    /// @dev Moves on; income that waited is shared when its time has come.
    function _goTo(uint256 time) private {
        vm.warp(time);
        _bookIncome(0);
    }

    // ---------------------------------------------------------------- teaching and income

    function addData(uint256 seed) public {
        Entry memory entry;
        // The stranger tries only where it is refused.
        entry.author = uint8(derive(seed, "author") % (points ? PEOPLE : STRANGER));
        entry.sample = _variant(seed);
        entry.addedAt = uint40(block.timestamp);
        bool again = derive(seed, "again") % 8 == 0 && _repeats(entry);
        if (!again && derive(seed, "place") % 24 == 1) again = _takesPlace(entry, seed);
        uint256[] memory features = _features(entry);
        uint256 predicted = model.predict(features);
        bool lies = (derive(seed, "lie") % 4 == 0) != (entry.author == LIAR);
        if (again) lies = entry.label != predicted;
        entry.label = uint8(lies ? 1 - predicted : predicted);
        (features, entry.label) = _spoil(features, entry.label, derive(seed, "spoil"));
        uint256 cost;
        (entry.deposit, cost) = _needed(entry.label == predicted);
        uint256 coins = entry.deposit + cost;
        uint256 kind = derive(seed, "payment") % 8;
        if (kind < 2) coins += 1 + derive(seed, "excess") % 1e9;
        if (kind == 2 && coins > 0) coins -= 1 + derive(seed, "missing") % coins;
        _requires(!points || entry.author != STRANGER, PointsIncentive.NotMember.selector);
        uint256 maxCost = derive(seed, "limit") % 8 == 0 ? agreeCost : disagreeCost;
        _requires(cost <= maxCost, ISharedModel.CostTooHigh.selector);
        _requires(coins >= entry.deposit + cost, ISharedModel.DepositTooSmall.selector);
        (bool found,) = _find(entry);
        _requires(!found, ISharedModel.AlreadyAdded.selector);
        _requires(entry.label < 2, IClassifier.LabelOutOfRange.selector);

        bytes memory data = abi.encodeCall(model.addData, (features, entry.label, coins, maxCost));
        if (!_call(entry.author, coins, 0, data)) return;
        if (block.timestamp == lastUpdate) ++count["added within the second"];
        _bookEntry(entry);
        _bookIncome(cost);
        owed[entry.author] += coins - entry.deposit - cost;
        ++count[lies ? "added wrong" : "added right"];
        if (coins > entry.deposit + cost) ++count["credited"];
        if (agreeCost < disagreeCost) ++count[lies ? "added at the greater cost" : "added at the lesser cost"];
    }

    /// @dev Makes it what was added last, if that was in this second.
    function _repeats(Entry memory entry) private view returns (bool again) {
        again = entries.length > 0 && entries[entries.length - 1].addedAt == block.timestamp;
        if (!again) return false;
        Entry storage last = entries[entries.length - 1];
        (entry.author, entry.sample, entry.label) = (last.author, last.sample, last.label);
    }

    /// @dev Makes it of the sample and label of one that is spent, if a try finds one.
    function _takesPlace(Entry memory entry, uint256 seed) private view returns (bool found) {
        if (entries.length == 0) return false;
        uint256 start = derive(seed, "spent");
        for (uint256 i = 0; i < 16 && !found; ++i) {
            Entry memory one = entries[(start + i) % entries.length];
            found = _isSpent(one) && _isFirst(one);
            if (found) (entry.sample, entry.label) = (one.sample, one.label);
        }
    }

    function payForPrediction(uint256 seed) external {
        uint256 coins = seed % 8 == 0 ? 0 : derive(seed, "price") % (seed % 2 == 0 ? 20 : 1e15);
        Entry memory entry;
        entry.sample = samples[derive(seed, "sample") % SAMPLES];
        uint256[] memory features = _features(entry);
        uint256 predicted = model.predict(features);
        (features,) = _spoil(features, 0, derive(seed, "spoil"));
        _requires(coins > 0, ISharedModel.NothingPaid.selector);
        _requires(totalGood > 0, ISharedModel.NobodyToPay.selector);

        uint256 person = derive(seed, "payer") % PEOPLE;
        (bool done, bytes memory answer) =
            _callForAnswer(person, coins, 0, abi.encodeCall(model.payForPrediction, (features, coins)));
        if (!done) return;
        uint256 said = abi.decode(answer, (uint256));
        if (said != predicted) revert PredictedWrongly(said, predicted);
        _bookIncome(coins);
        ++count["prediction paid"];
    }

    function claimRewards(uint256 seed) external {
        _claimRewards(seed % PEOPLE);
    }

    function _claimRewards(uint256 person) private {
        uint256 due = owed[person];
        _requires(due > 0, ISharedModel.NothingOwed.selector);

        if (!_call(person, 0, due, abi.encodeCall(model.claimRewards, (people[person])))) return;
        owed[person] = 0;
        ++count["rewards claimed"];
    }

    // ---------------------------------------------------------------- verdicts

    function announce(uint256 seed) public {
        bool asGood = seed % 2 == 0;
        (, Entry memory entry) = _pickDue(seed / 2, asGood ? Act.ANNOUNCE_GOOD : Act.ANNOUNCE_BAD);
        uint256 person = entry.author;
        for (uint256 i = 0; !asGood && i < PEOPLE; ++i) {
            person = (derive(seed, "announcer") + i) % PEOPLE;
            if (person != entry.author && (good[person] > 0 || i == 1 && seed % 16 == 1)) break;
        }
        _blur(entry, seed);
        asGood = person == entry.author;
        (uint256 index, Entry memory noted) = _requiresNoted(entry);
        _requires(noted.announced != (asGood ? GOOD : BAD), ISharedModel.AlreadyAnnounced.selector);
        _requires(points || _left(noted) > 0, IIncentive.NothingLeft.selector);
        _requires(!points || !noted.reported, IIncentive.AlreadyReported.selector);
        _requires(asGood || good[person] > 0, IIncentive.NoGoodData.selector);
        uint256 from = entry.addedAt + waits.refund + (asGood ? 0 : waits.author);
        bytes4 early = asGood ? IIncentive.RefundTooEarly.selector : IIncentive.ReportTooEarly.selector;
        _requires(block.timestamp >= from, early);
        _requiresQuiet(1);
        _requiresWord(entry, asGood);

        if (!_call(person, 0, 0, _naming(model.announce.selector, entry))) return;
        if (noted.announced != 0) ++count["fell to the contrary"];
        _bookAnnouncement(index, asGood ? GOOD : BAD);
        ++count[asGood ? "announced good" : "announced bad"];
    }

    function object(uint256 seed) external {
        (, Entry memory entry) = _pickDue(seed, Act.OBJECT);
        _blur(entry, seed);
        (uint256 index, Entry memory noted) = _requiresNoted(entry);
        _requires(noted.announced != 0, ISharedModel.NothingAnnounced.selector);
        _requiresQuiet(1);
        _requiresWord(entry, noted.announced == BAD);

        if (!_call(derive(seed, "objector") % PEOPLE, 0, 0, _naming(model.object.selector, entry))) return;
        entries[index].announced = 0;
        ++count["objected"];
    }

    /// @notice An author contributes again what is announced as bad, or another of its own, and upholds that.
    function uphold(uint256 seed) external {
        (bool some, Entry memory entry) = _pickDue(seed, Act.UPHOLD);
        if (!some) (, entry) = _pick(seed);
        (bool added, uint40 againAt) = _addAgain(entry, seed);
        // Now and then by what it was contributed with at first, or by what never was.
        uint256 kind = derive(seed, "stake") % 8;
        if (!added || kind == 0) againAt = entry.addedAt;
        if (kind == 1) againAt = uint40(block.timestamp + 1);
        _blur(entry, seed);
        (uint256 index, Entry memory noted) = _requiresNoted(entry);
        uint256 since = noted.announced == 0 ? noted.announcedAt + 1 : noted.announcedAt;
        if (since <= noted.addedAt) since = noted.addedAt + 1;
        _requires(againAt >= since, ISharedModel.TaughtBefore.selector);
        Entry memory again;
        (again.author, again.sample, again.label, again.addedAt) = (entry.author, entry.sample, entry.label, againAt);
        (bool found, uint256 number) = _find(again);
        _requires(found, ISharedModel.NeverAdded.selector);
        if (found) again = entries[number];
        bool atStake = !again.refunded && !again.reported && again.taken == 0;
        _requires(!found || atStake, ISharedModel.NotAtStake.selector);

        bytes memory data = abi.encodeCall(model.uphold, (_features(entry), entry.label, noted.addedAt, againAt));
        if (!_call(entry.author, 0, 0, data)) return;
        _bookUpheld(index);
        ++count[noted.announced == BAD ? "upheld against a report" : "upheld"];
    }

    /// @dev The author of an entry contributes the same again, for as much as that needs.
    function _addAgain(Entry memory entry, uint256 seed) private returns (bool done, uint40 at) {
        if (entry.author == STRANGER || block.timestamp == entry.addedAt) return (false, 0);
        if (derive(seed, "pause") % 2 == 0) _goTo(block.timestamp + 1);
        Entry memory again;
        (again.author, again.sample, again.label) = (entry.author, entry.sample, entry.label);
        again.addedAt = at = uint40(block.timestamp);
        (bool found,) = _find(again);
        if (found) return (true, at);
        uint256 cost;
        (again.deposit, cost) = _needed(model.predict(_features(again)) == again.label);
        uint256 coins = again.deposit + cost;
        bytes memory data = abi.encodeCall(model.addData, (_features(again), again.label, coins, cost));
        if (!_call(again.author, coins, 0, data)) return (false, 0);
        _bookEntry(again);
        _bookIncome(cost);
        return (true, at);
    }

    function refund(uint256 seed) public {
        (, Entry memory entry) = _pickDue(seed, Act.REFUND);
        uint256 person = derive(seed, "caller") % 8 == 0 ? seed % PEOPLE : entry.author;
        _blur(entry, seed);
        entry.author = uint8(person);
        (uint256 index, Entry memory noted) = _requiresNoted(entry);
        uint256[] memory features = _features(entry);
        uint256 from = _requiresAwaited(noted, GOOD);
        _requiresWord(entry, true);
        _requires(points || _left(noted) > 0, IIncentive.NothingLeft.selector);
        _requires(!points || !noted.reported, IIncentive.AlreadyReported.selector);

        bytes memory data = abi.encodeCall(model.refund, (features, entry.label, entry.addedAt, people[person]));
        if (!_call(person, 0, _left(noted), data)) return;
        entries[index].refunded = true;
        if (_isFirst(noted)) _bookGood(person);
        else ++count["a repeat refunded"];
        _bookTaken(index, _left(noted));
        ++count["refunded"];
        if (noted.reported) ++count["refunded after a report"];
        if (block.timestamp == from) ++count["refunded at once"];
    }

    function report(uint256 seed) public {
        (, Entry memory entry) = _pickDue(seed, Act.REPORT);
        uint256 person = derive(seed, "reporter") % PEOPLE;
        // Mostly somebody else whose data proved good, sometimes somebody who did it before, if there is such a person.
        uint256 kind = derive(seed, "kind") % (points ? 3 : 8);
        if (kind == 1) (, entry) = _pick(seed);
        for (uint256 i = 0; i < PEOPLE && kind > 0; ++i) {
            bool again = _reportedBy(entry, person);
            if (kind == 1 ? again : !again && person != entry.author && good[person] > 0) break;
            person = (person + 1) % PEOPLE;
        }
        _blur(entry, seed);
        _requires(person != entry.author, ISharedModel.OwnData.selector);
        (uint256 index, Entry memory noted) = _requiresNoted(entry);
        _requires(!_reportedBy(entry, person), ISharedModel.AlreadyClaimed.selector);
        _requiresAwaited(noted, BAD);
        _requiresWord(entry, false);
        _requires(points || _left(noted) > 0, IIncentive.NothingLeft.selector);
        _requires(good[person] > 0, IIncentive.NoGoodData.selector);
        _requires(!points || !noted.reported, IIncentive.AlreadyReported.selector);

        uint256 due = _share(noted, person);
        if (!_call(person, 0, due, _paying(model.report.selector, entry, person))) return;
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
        uint256 from = _touchedAt(noted) + (person == OWNER ? waits.owner : waits.anyone);
        _requires(points || block.timestamp >= from, IIncentive.TakeOverTooEarly.selector);
        if (!points) _requiresQuiet(2);
        _requires(!points && _left(noted) > 0, IIncentive.NothingLeft.selector);

        if (!_call(person, 0, _left(noted), _paying(model.takeOver.selector, entry, person))) return;
        _bookTaken(index, _left(noted));
        ++count[person == OWNER ? "taken over by the owner" : "taken over by anyone"];
        if (person == noted.author) ++count["taken over by the author"];
    }

    // ---------------------------------------------------------------- choices

    /// @dev A sample that shares nearly all features with others, now and then one that is known already.
    function _variant(uint256 seed) private view returns (uint64 sample) {
        sample = samples[derive(seed, "sample") % SAMPLES];
        if (derive(seed, "known") % 8 > 2) sample ^= uint64(1 << derive(seed, "feature") % featureCount);
        if (derive(seed, "known") % 8 > 4) sample ^= uint64(1 << derive(seed, "another") % featureCount);
        if (sample == 0) sample = samples[0];
    }

    /// @dev A contribution, mostly one that is not dealt with; where there is none, one that was never made.
    function _pick(uint256 seed) private view returns (bool some, Entry memory entry) {
        uint256 choice = derive(seed, "pick");
        if (live.length > 0 && choice % 4 != 0) return (true, entries[live[choice / 8 % live.length]]);
        if (entries.length > 0) {
            // Every other time one that is spent and that the model still knows, if a few tries find one.
            for (uint256 i = 0; i < 24; ++i) {
                entry = entries[(choice / 8 + i) % entries.length];
                if (choice % 8 == 0 || _isSpent(entry) && !entry.displaced) break;
            }
            return (false, entry);
        }
        (entry.sample, entry.addedAt) = (samples[0], uint40(block.timestamp));
    }

    /// @dev Mostly a contribution that somebody may deal with now as asked, but for the quiet time.
    /// @return some whether there is such a one
    function _pickDue(uint256 seed, Act act) private view returns (bool some, Entry memory entry) {
        uint256 first = derive(seed, "due");
        for (uint256 i = 0; i < live.length; ++i) {
            Entry storage one = entries[live[(first % live.length + i) % live.length]];
            entry = one;
            if (!_isDue(entry, act)) continue;
            some = true;
            if (first % 8 == 0) break;
            return (true, entry);
        }
        (, entry) = _pick(seed);
    }

    /// @dev The model is asked last, and only of entries whose time it is: that is a call for each.
    function _isDue(Entry memory entry, Act act) private view returns (bool) {
        uint8 needed = act == Act.REFUND ? GOOD : BAD;
        uint256 from = entry.announcedAt + waits.verdict;
        if (act == Act.REFUND || act == Act.REPORT) {
            if (entry.announced != needed || block.timestamp < from) return false;
        } else if (act == Act.UPHOLD) {
            return entry.announced == BAD && entry.author != STRANGER;
        } else if (act == Act.OBJECT) {
            if (entry.announced == 0) return false;
        } else {
            needed = act == Act.ANNOUNCE_GOOD ? GOOD : BAD;
            from = entry.addedAt + waits.refund + (needed == GOOD ? 0 : waits.author);
            if (entry.announced == needed || block.timestamp < from) return false;
        }
        bool agrees = model.predict(_features(entry)) == entry.label;
        return act == Act.OBJECT ? entry.announced == (agrees ? BAD : GOOD) : agrees == (needed == GOOD);
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

    /// @dev That the model was left alone for so many quiet times.
    function _requiresQuiet(uint256 times) private {
        _requires(block.timestamp >= lastUpdate + times * waits.quiet, IIncentive.NotQuiet.selector);
    }

    /// @dev What the model must say of the entry.
    function _requiresWord(Entry memory entry, bool asGood) private {
        bool agrees = model.predict(_features(entry)) == entry.label;
        _requires(agrees == asGood, asGood ? IIncentive.ModelDisagrees.selector : IIncentive.ModelAgrees.selector);
    }

    /// @dev What a claim of a verdict requires.
    /// @return from when its wait is over
    function _requiresAwaited(Entry memory noted, uint8 verdict) private returns (uint256 from) {
        from = noted.announcedAt + waits.verdict;
        _requires(noted.announced == verdict, IIncentive.NotAnnounced.selector);
        _requires(block.timestamp >= from, IIncentive.VerdictTooEarly.selector);
        _requiresQuiet(1);
    }

    /// @dev A call of the model that names a contribution and its author.
    function _naming(bytes4 call_, Entry memory entry) private view returns (bytes memory) {
        uint256[] memory features = _features(entry);
        return abi.encodeWithSelector(call_, features, entry.label, entry.addedAt, people[entry.author]);
    }

    /// @dev The same, paying the caller.
    function _paying(bytes4 call_, Entry memory entry, uint256 person) private view returns (bytes memory) {
        (uint256[] memory features, address author) = (_features(entry), people[entry.author]);
        return abi.encodeWithSelector(call_, features, entry.label, entry.addedAt, author, people[person]);
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
