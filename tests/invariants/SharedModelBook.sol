// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MerkleTree} from "../../contracts/exchange/MerkleTree.sol";
import {AuthorLib} from "../../contracts/sum/Author.sol";
import {IClassifier} from "../../contracts/interfaces/IClassifier.sol";
import {EntropyIncentive} from "../../contracts/sum/incentives/EntropyIncentive.sol";
import {PointsIncentive} from "../../contracts/sum/incentives/PointsIncentive.sol";
import {Waits} from "../../contracts/sum/incentives/WaitingIncentive.sol";
import {IIncentive} from "../../contracts/interfaces/IIncentive.sol";
import {ISharedModel} from "../../contracts/interfaces/ISharedModel.sol";
import {Attempts} from "./Attempts.sol";

/// @notice Cheatcodes for what cannot be played in reasonable time.
interface StorageVm {
    function load(address target, bytes32 slot) external view returns (bytes32 word);
    function store(address target, bytes32 slot, bytes32 word) external;
}

/// @title What everybody should have by the rules of a shared model, kept without looking at the model
/// @notice Income is shared at once, person by person, where the model keeps an index; amounts that leave are those that
/// arrive in the purses, where the model keeps what is left.
abstract contract SharedModelBook is Attempts {
    /// @dev Two slots: entries are read at every call.
    struct Entry {
        uint64 sample;
        uint8 label;
        uint40 addedAt;
        uint8 author;
        bool refunded;
        bool reported;
        uint8 announced;
        uint40 announcedAt;
        uint96 deposit;
        uint96 taken;
        bool displaced;
    }

    uint256 public constant PEOPLE = 5;
    uint256 internal constant OWNER = 0;
    /// @dev Gives the label that the model does not.
    uint256 internal constant LIAR = 3;
    /// @dev Contributes nothing, but reports and takes over what it can.
    uint256 internal constant STRANGER = 4;
    uint256 internal constant SAMPLES = 5;
    uint256 private constant PURSE = 1e30;
    /// @dev the slot of the totals
    bytes32 private constant TOTALS = bytes32(uint256(3));
    /// @dev What stands announced of an entry: nothing, one of these.
    uint8 internal constant GOOD = 1;
    uint8 internal constant BAD = 2;

    enum Rule {
        STAKE,
        POINTS,
        ENTROPY
    }

    /// @notice The incentive of all the models.
    Rule public immutable rule;
    /// @notice Whether that is the points incentive, without money.
    bool public immutable points;

    ISharedModel public model;
    Waits internal waits;
    uint256 internal costWeight;
    /// @dev In wei, of a contribution with which the model agrees, and of another.
    uint256 internal agreeCost;
    uint256 internal disagreeCost;
    uint256 internal unit;
    uint256 internal featureCount;
    uint64[SAMPLES] internal samples;

    address[PEOPLE] internal people;
    uint256[PEOPLE] internal good;
    uint256[PEOPLE] internal owed;
    uint256 public totalGood;
    uint256 public pot;
    uint256 public lastUpdate;
    uint256 public sharesFrom;
    uint256 public paidIn;
    uint256 public paidOut;
    uint256 public forced;

    Entry[] internal entries;
    /// @dev Those that somebody may still get something for: money, or a good contribution.
    uint256[] internal live;
    /// @dev one more than the index in `entries`
    mapping(bytes32 key => uint256) private _numbers;
    /// @dev by sample and label
    mapping(bytes32 pair => bytes32 key) private _firsts;
    mapping(bytes32 key => mapping(uint256 person => bool)) private _reporters;

    constructor(Rule rule_) {
        rule = rule_;
        points = rule_ == Rule.POINTS;
        for (uint256 i = 0; i < PEOPLE; ++i) {
            people[i] = vm.addr(0x5000 + i);
            vm.deal(people[i], PURSE);
        }
        vm.warp(1_000_000);
        _openModel(0);
    }

    function allEntries() external view returns (Entry[] memory) {
        return entries;
    }

    /// @notice All contributions that are not dealt with, then the last three of all.
    function watchedEntries() external view returns (Entry[] memory some, uint256 liveCount) {
        liveCount = live.length;
        uint256 last = entries.length < 3 ? entries.length : 3;
        some = new Entry[](liveCount + last);
        for (uint256 i = 0; i < some.length; ++i) {
            some[i] = entries[i < liveCount ? live[i] : entries.length - 1 - (i - liveCount)];
        }
    }

    /// @notice What everybody should have.
    function accounts()
        external
        view
        returns (address[PEOPLE] memory people_, uint256[PEOPLE] memory owed_, uint256[PEOPLE] memory good_)
    {
        return (people, owed, good);
    }

    /// @dev The next model, with terms and samples that `seed` decides. Few samples, so that opinions clash.
    function _openModel(uint256 seed) internal {
        waits.refund = uint32(600 + derive(seed, "refund") % 60);
        waits.verdict = uint32(600 + derive(seed, "verdict") % 60);
        waits.author = uint32(waits.verdict + 1 + derive(seed, "alone") % 60);
        waits.owner = uint32(waits.refund + waits.author + waits.verdict + 1 + derive(seed, "owner") % 2_000);
        waits.anyone = uint32(waits.owner + derive(seed, "anyone") % 60);
        waits.quiet = uint32(60 + derive(seed, "quiet") % 60);
        costWeight = derive(seed, "weight") % 40;
        unit = derive(seed, "unit") % 3 == 0 ? 1 : 1 + derive(seed, "wei") % 1e15;
        featureCount = 8 + derive(seed, "features") % 33;
        for (uint256 i = 0; i < SAMPLES; ++i) {
            samples[i] = uint64(uint256(keccak256(abi.encode(seed, i))) % 2 ** featureCount | 3);
        }
        bytes memory sizes = abi.encode(address(this), featureCount, featureCount);
        IClassifier classifier = IClassifier(deploy("SparsePerceptron", sizes));
        IIncentive incentive = _incentive(classifier, seed);
        bytes memory parts = abi.encode(classifier, incentive, address(0), people[OWNER], bytes32("task"));
        model = ISharedModel(deploy("SharedModel", parts));
        classifier.open(address(model));
        if (derive(seed, "crowd") % 2 == 0) _crowd();

        delete good;
        delete owed;
        delete entries;
        delete live;
        (totalGood, pot, paidIn, paidOut, forced, sharesFrom) = (0, 0, 0, 0, 0, 0);
        lastUpdate = block.timestamp;
    }

    /// @dev The costs of the entropy incentive are its own: tests/sum/test_entropy_incentive.py holds them against the rule.
    function _incentive(IClassifier classifier, uint256 seed) private returns (IIncentive) {
        if (points) return _group();
        uint128 submissionCost = uint128(derive(seed, "cost") % 8);
        if (rule == Rule.STAKE) {
            (agreeCost, disagreeCost) = (submissionCost * unit, submissionCost * unit);
            return IIncentive(deploy("StakeIncentive", abi.encode(costWeight, submissionCost, unit, waits)));
        }
        uint256 accuracy = 5_001 + derive(seed, "accuracy") % 4_999;
        bytes memory arguments = abi.encode(costWeight, submissionCost, unit, waits, classifier, accuracy);
        EntropyIncentive incentive = EntropyIncentive(deploy("EntropyIncentive", arguments));
        (agreeCost, disagreeCost) = (incentive.agreeCost(), incentive.disagreeCost());
        return incentive;
    }

    /// @dev A points incentive whose members are all but the stranger; they have joined.
    function _group() private returns (PointsIncentive incentive) {
        incentive = PointsIncentive(deploy("PointsIncentive", abi.encode(waits)));
        bytes32 domain = keccak256(abi.encode(keccak256("souk.points.member.v1"), block.chainid, incentive));
        bytes32[STRANGER] memory leaves;
        for (uint256 i = 0; i < STRANGER; ++i) {
            leaves[i] = MerkleTree.leaf(domain, i, bytes32(uint256(uint160(people[i]))));
        }
        bytes32 left = keccak256(abi.encode(leaves[0], leaves[1]));
        bytes32 right = keccak256(abi.encode(leaves[2], leaves[3]));
        incentive.nameMembers(keccak256(abi.encode(left, right)), STRANGER);
        for (uint256 i = 0; i < STRANGER; ++i) {
            bytes32[] memory path = new bytes32[](2);
            (path[0], path[1]) = (leaves[i ^ 1], i < 2 ? right : left);
            vm.prank(people[i]);
            incentive.join(i, path);
        }
    }

    /// @dev As if others had taken all seats but two, so that some of these reporters have one, some none, and some get
    /// one between two reports (Totals.sol, Author.sol).
    function _crowd() private {
        uint256 word = block.timestamp << 40;
        vm.assertEq(StorageVm(address(vm)).load(address(model), TOTALS), bytes32(word), "layout of the totals");
        StorageVm(address(vm)).store(address(model), TOTALS, bytes32(word | (AuthorLib.SEATS - 2) << 32));
    }

    // ---------------------------------------------------------------- the rules, plainly

    /// @dev What a contribution needs.
    function _needed(bool agrees) internal view returns (uint96 deposit, uint256 cost) {
        if (points) return (0, 0);
        uint256 root = 1;
        while ((root + 1) * (root + 1) <= block.timestamp - lastUpdate) ++root;
        uint256 units = 60 * costWeight / root;
        return (uint96((units == 0 ? 1 : units) * unit), agrees ? agreeCost : disagreeCost);
    }

    function _left(Entry memory entry) internal pure returns (uint256) {
        return entry.deposit - entry.taken;
    }

    /// @dev What a report of the entry is worth to a person.
    function _share(Entry memory entry, uint256 person) internal view returns (uint256) {
        if (points) return 0;
        uint256 share = totalGood == 0 ? 0 : uint256(entry.deposit) * good[person] / totalGood;
        return share == 0 || share > _left(entry) ? _left(entry) : share;
    }

    /// @dev Whether the contribution is the first of its sample and label.
    function _isFirst(Entry memory entry) internal view returns (bool) {
        return _firsts[keccak256(abi.encode(model, entry.sample, entry.label))] == _key(entry);
    }

    /// @dev Whether nobody gets anything for it any more, and it never proved good.
    function _isSpent(Entry memory entry) internal view returns (bool) {
        return !entry.refunded && (points ? entry.reported : entry.taken == entry.deposit);
    }

    /// @dev Where a contribution is noted, if it was made.
    function _find(Entry memory entry) internal view returns (bool found, uint256 index) {
        uint256 number = _numbers[_key(entry)];
        return number == 0 ? (false, 0) : (true, number - 1);
    }

    /// @dev From when on nobody of this model may take the entry over.
    function _touchedAt(Entry memory entry) internal pure returns (uint256) {
        return entry.announcedAt > entry.addedAt ? entry.announcedAt : entry.addedAt;
    }

    function _reportedBy(Entry memory entry, uint256 person) internal view returns (bool) {
        return _reporters[_key(entry)][person];
    }

    // ---------------------------------------------------------------- bookkeeping

    function _bookEntry(Entry memory entry) internal {
        live.push(entries.length);
        entries.push(entry);
        _numbers[_key(entry)] = entries.length;
        bytes32 pair = keccak256(abi.encode(model, entry.sample, entry.label));
        bytes32 first = _firsts[pair];
        if (first == 0) {
            _firsts[pair] = _key(entry);
        } else if (_isSpent(entries[_numbers[first] - 1])) {
            // The model forgets it.
            entries[_numbers[first] - 1].displaced = true;
            delete _numbers[first];
            ++count["a place taken"];
            _firsts[pair] = _key(entry);
        }
        lastUpdate = block.timestamp;
        if (entries.length == 1) sharesFrom = block.timestamp + waits.owner;
    }

    function _bookGood(uint256 person) internal {
        ++good[person];
        ++totalGood;
        _bookIncome(0);
    }

    function _bookAnnouncement(uint256 index, uint8 verdict) internal {
        (entries[index].announced, entries[index].announcedAt) = (verdict, uint40(block.timestamp));
    }

    function _bookUpheld(uint256 index) internal {
        (entries[index].announced, entries[index].announcedAt) = (0, uint40(block.timestamp));
    }

    function _bookReport(uint256 index, uint256 person) internal {
        entries[index].reported = true;
        _reporters[_key(entries[index])][person] = true;
    }

    /// @dev Shares all that divides, if it is time.
    function _bookIncome(uint256 amount) internal {
        pot += amount;
        if (totalGood == 0 || block.timestamp < sharesFrom) return;
        uint256 each = pot / totalGood;
        for (uint256 i = 0; i < PEOPLE; ++i) {
            if (good[i] > 0) owed[i] += good[i] * each;
        }
        pot -= each * totalGood;
    }

    /// @dev What left a deposit; an entry that nobody can get anything for any more leaves the living.
    function _bookTaken(uint256 index, uint256 amount) internal {
        Entry storage entry = entries[index];
        entry.taken += uint96(amount);
        if (!entry.refunded && (points ? !entry.reported : entry.taken < entry.deposit)) return;
        for (uint256 i = 0; i < live.length; ++i) {
            if (live[i] != index) continue;
            live[i] = live[live.length - 1];
            live.pop();
            return;
        }
    }

    function _key(Entry memory entry) private view returns (bytes32) {
        return keccak256(abi.encode(model, entry.sample, entry.label, entry.addedAt, entry.author));
    }
}
