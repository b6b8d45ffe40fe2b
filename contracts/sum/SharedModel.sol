// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Payment} from "../exchange/Payment.sol";
import {IClassifier} from "../interfaces/IClassifier.sol";
import {Claim, IIncentive} from "../interfaces/IIncentive.sol";
import {ISharedModel} from "../interfaces/ISharedModel.sol";
import {Author} from "./Author.sol";
import {Contribution, ContributionLib} from "./Contribution.sol";
import {Contributions} from "./Contributions.sol";
import {Totals, TotalsLib} from "./Totals.sol";

/// @title An open, shared model: anybody teaches it, its incentive keeps it honest (SUM, section III)
/// @notice The states of a contribution, and who may do what. The waits are the incentive's, those of the stake
/// incentive shown here; windows are half-open, [start, end), and none ends. A verdict is the model's word at the
/// announcement and at the claim, and at no moment between when anybody objected. All calls named here but `addData` and
/// `uphold` need a quiet time since the model was last taught, so that nobody teaches it and judges by it at one stroke.
/// An author whom nobody lets have a quiet moment contributes the same again and upholds: it stakes a deposit on its word,
/// whatever the model says, and once by each, while all of it is at stake. Only the first contribution of a sample with a label counts as good data when it is refunded;
/// whoever brings the same again has its deposit back, and earns nothing by it. A first one of which nothing is left, and
/// that never proved good, gives its place to the next.
///
/// | state                 | call     | by                       | from                          | leads to                  |
/// | --------------------- | -------- | ------------------------ | ----------------------------- | ------------------------- |
/// | none, nothing left    | addData  | anyone, with a deposit   | now                           | added                     |
/// | added, announced bad  | announce | author, model agrees     | added + refund                | announced good            |
/// | added, announced good | announce | another, model disagrees | added + refund + author       | announced bad             |
/// | announced good        | object   | anyone, model disagrees  | now                           | added                     |
/// | announced bad         | object   | anyone, model agrees     | now                           | added                     |
/// | all but refunded      | uphold   | author, same again since | added or announced            | added, announced now      |
/// | announced good        | refund   | author, model agrees     | announced + verdict           | refunded: proved good     |
/// | announced bad         | report   | another, model disagrees | announced + verdict           | the same, less is left    |
/// | all but refunded      | takeOver | owner                    | added or announced + owner    | nothing left              |
/// | all but refunded      | takeOver | anyone                   | added or announced + anyone   | nothing left              |
///
/// The money, to the wei:
///
///     balance = sum of all that is left of deposits + sum of all that is claimable + pot
///
/// (more, where somebody forced some in). Submission costs and payments for predictions are income, shared equally
/// among the contributions that have proved good by then (Totals.sol). What comes in before `sharesFrom`, the
/// incentive's wait after the first contribution, is shared at that time among all that has proved good by then; where
/// nothing has, the first refund after it takes all.
///
/// Classifier and incentive are contracts that everybody who takes part trusts, as they trust this one. The pair is
/// fixed. See docs/sum.md for why the contract is built so.
contract SharedModel is Contributions, ReentrancyGuardTransient {
    /// @inheritdoc ISharedModel
    IClassifier public immutable classifier;
    /// @inheritdoc ISharedModel
    IIncentive public immutable incentive;
    /// @inheritdoc ISharedModel
    address public immutable owner;
    /// @inheritdoc ISharedModel
    address public immutable token;
    /// @inheritdoc ISharedModel
    bytes32 public immutable task;

    Totals private _totals;
    /// @dev how many accounts have contributed
    uint128 private _authorCount;
    uint128 private _sharesFrom;

    /// @notice Joins a classifier and an incentive.
    /// @dev Emits {ModelCreated}. Requirements: both are contracts, and the token (NoCode), the incentive is for this
    /// classifier (IncentiveForAnother), there is a task (NoTask).
    /// @param token_ the currency: an ERC-20, or zero for the native coin
    /// @param owner_ who may take over what is left before others may
    /// @param task_ the digest of the task document
    constructor(IClassifier classifier_, IIncentive incentive_, address token_, address owner_, bytes32 task_) {
        require(address(classifier_).code.length > 0, NoCode(address(classifier_)));
        require(address(incentive_).code.length > 0, NoCode(address(incentive_)));
        require(
            incentive_.servesClassifier(classifier_), IncentiveForAnother(address(incentive_), address(classifier_))
        );
        require(token_ == address(0) || token_.code.length > 0, NoCode(token_));
        require(task_ != 0, NoTask());
        classifier = classifier_;
        incentive = incentive_;
        owner = owner_;
        token = token_;
        task = task_;
        _totals = TotalsLib.create(block.timestamp);
        emit ModelCreated(classifier_, incentive_, token_, owner_, task_);
    }

    // Classifier and incentive are asked before anything is written, since what is written hangs on their answer. They
    // are trusted, and no call that changes anything can be re-entered.
    // slither-disable-start reentrancy-no-eth

    // ---------------------------------------------------------------- teaching

    /// @inheritdoc ISharedModel
    function addData(uint256[] calldata features, uint256 label, uint256 payment, uint256 maxCost)
        external
        payable
        nonReentrant
    {
        Totals totals = _totals;
        (uint256 deposit, uint256 cost) = incentive.onAdd(msg.sender, features, label, totals.lastUpdate());
        require(cost <= maxCost, CostTooHigh(cost, maxCost));
        uint256 excess = _collect(payment, deposit + cost);
        Author author = _authors[msg.sender];
        bool newcomer = author.number() == 0;
        if (newcomer) author = author.numbered(_nextNumber());
        bytes32 key = _record(features, label, author.number(), deposit);
        _totals = _withIncome(totals.withUpdate(block.timestamp), cost);
        emit DataAdded(msg.sender, key, features, label, block.timestamp, deposit, cost);
        if (excess > 0) {
            author = author.credited(excess);
            emit Credited(msg.sender, excess);
        }
        if (newcomer || excess > 0) _authors[msg.sender] = author;
        // What the model thought before is in the classifier's event.
        // slither-disable-next-line unused-return
        classifier.learn(features, label);
    }

    // ---------------------------------------------------------------- verdicts

    /// @inheritdoc ISharedModel
    function announce(uint256[] calldata features, uint256 label, uint256 addedAt, address author)
        external
        nonReentrant
    {
        (bytes32 key, Contribution record) = _unrefunded(features, label, addedAt, author);
        uint8 verdict = msg.sender == author ? ContributionLib.GOOD_ANNOUNCED : ContributionLib.BAD_ANNOUNCED;
        require(!record.has(verdict), AlreadyAnnounced(key));
        Claim memory claim = _claim(record, verdict, label, addedAt, author, _authors[msg.sender], _totals);
        claim.predicted = classifier.predict(features);
        incentive.onAnnounce(claim);

        _contributions[key] = record.announced(verdict, block.timestamp - addedAt);
        emit Announced(msg.sender, key, verdict == ContributionLib.GOOD_ANNOUNCED);
    }

    /// @inheritdoc ISharedModel
    function object(uint256[] calldata features, uint256 label, uint256 addedAt, address author) external nonReentrant {
        (bytes32 key, Contribution record) = _unrefunded(features, label, addedAt, author);
        bool good = record.has(ContributionLib.GOOD_ANNOUNCED);
        uint8 verdict = good ? ContributionLib.GOOD_ANNOUNCED : ContributionLib.BAD_ANNOUNCED;
        require(record.has(verdict), NothingAnnounced(key));
        Claim memory claim = _claim(record, verdict, label, addedAt, author, _authors[msg.sender], _totals);
        claim.predicted = classifier.predict(features);
        incentive.onObject(claim, good);

        _contributions[key] = record.objected();
        emit Objected(msg.sender, key);
    }

    /// @inheritdoc ISharedModel
    function uphold(uint256[] calldata features, uint256 label, uint256 addedAt, uint256 againAt)
        external
        nonReentrant
    {
        (bytes32 key, Contribution record) = _unrefunded(features, label, addedAt, msg.sender);
        // Nobody announces in the second of a lesson, so that one of that second came after the announcement. Where none
        // stands, a lesson of the second in which it was last upheld is the one that did.
        uint256 since = record.announcedAt(addedAt);
        if (!record.has(ContributionLib.EITHER_ANNOUNCED)) ++since;
        since = Math.max(addedAt + 1, since);
        require(againAt >= since, TaughtBefore(againAt, since));
        (bytes32 again, Contribution stake) = _find(features, label, againAt, msg.sender);
        require(stake.has(ContributionLib.ADDED), NeverAdded(again));
        require(stake.isAtStake(), NotAtStake(again));

        _contributions[key] = record.announced(0, block.timestamp - addedAt);
        emit Upheld(msg.sender, key);
    }

    /// @inheritdoc ISharedModel
    function refund(uint256[] calldata features, uint256 label, uint256 addedAt, address to) external nonReentrant {
        (bytes32 key, Contribution record) = _unrefunded(features, label, addedAt, msg.sender);
        Totals totals = _totals;
        Author claimant = _authors[msg.sender];
        Claim memory claim =
            _claim(record, ContributionLib.GOOD_ANNOUNCED, label, addedAt, msg.sender, claimant, totals);
        claim.predicted = classifier.predict(features);
        uint256 amount = incentive.onRefund(claim);

        if (!record.has(ContributionLib.REPEATED)) {
            totals = _shared(totals);
            uint256 seat;
            (_totals, seat) = totals.withGoodData(claimant.seat());
            _authors[msg.sender] = claimant.withGoodData(seat, totals.rewardPerGood());
        }
        _contributions[key] = record.take(amount).with(ContributionLib.REFUNDED);
        emit Refunded(msg.sender, key, amount);
        _pay(to, amount);
    }

    /// @inheritdoc ISharedModel
    function report(uint256[] calldata features, uint256 label, uint256 addedAt, address author, address to)
        external
        nonReentrant
    {
        require(msg.sender != author, OwnData(author));
        (bytes32 key, Contribution record) = _unrefunded(features, label, addedAt, author);
        Author claimant = _authors[msg.sender];
        uint256 seat = claimant.seat();
        require(
            !record.reportedBy(seat) && !_reportedUnseated(key, record, addedAt, author),
            AlreadyClaimed(key, msg.sender)
        );
        Claim memory claim = _claim(record, ContributionLib.BAD_ANNOUNCED, label, addedAt, author, claimant, _totals);
        claim.predicted = classifier.predict(features);
        uint256 amount = incentive.onReport(claim);

        record = record.take(amount).with(ContributionLib.REPORTED);
        record = seat == 0 ? _withUnseated(key, record, addedAt, author) : record.withReporter(seat);
        _contributions[key] = record;
        emit Reported(msg.sender, key, amount);
        _pay(to, amount);
    }

    /// @inheritdoc ISharedModel
    function takeOver(uint256[] calldata features, uint256 label, uint256 addedAt, address author, address to)
        external
        nonReentrant
    {
        (bytes32 key, Contribution record) = _unrefunded(features, label, addedAt, author);
        Claim memory claim = _claim(record, 0, label, addedAt, author, _authors[msg.sender], _totals);
        uint256 amount = incentive.onTakeOver(claim);

        _contributions[key] = record.take(amount);
        emit TakenOver(msg.sender, key, amount);
        _pay(to, amount);
    }

    // slither-disable-end reentrancy-no-eth

    // ---------------------------------------------------------------- income

    /// @inheritdoc ISharedModel
    function payForPrediction(uint256[] calldata features, uint256 payment)
        external
        payable
        nonReentrant
        returns (uint256 label)
    {
        require(payment > 0, NothingPaid());
        Totals totals = _totals;
        require(totals.goodData() > 0, NobodyToPay());
        _totals = _withIncome(totals, payment);
        Payment.collect(token, address(this), payment);
        label = classifier.predict(features);
        emit PredictionPaid(msg.sender, label, payment);
    }

    /// @inheritdoc ISharedModel
    function claimRewards(address to) external nonReentrant {
        Author author = _authors[msg.sender];
        // Sharing the pot is not recorded before the number of good data changes: it comes out the same until then.
        uint256 amount = author.owed(_shared(_totals).rewardPerGood());
        require(amount > 0, NothingOwed(msg.sender));

        _authors[msg.sender] = author.paid(amount);
        emit RewardsClaimed(msg.sender, amount);
        _pay(to, amount);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ISharedModel
    function version() external pure returns (uint256) {
        return 4;
    }

    /// @inheritdoc ISharedModel
    function predict(uint256[] calldata features) external view returns (uint256 label) {
        return classifier.predict(features);
    }

    /// @inheritdoc ISharedModel
    function required(uint256[] calldata features, uint256 label)
        external
        view
        returns (uint256 deposit, uint256 cost)
    {
        return incentive.required(features, label, _totals.lastUpdate());
    }

    /// @inheritdoc ISharedModel
    function claimable(address account) external view returns (uint256) {
        return _authors[account].owed(_shared(_totals).rewardPerGood());
    }

    /// @inheritdoc ISharedModel
    function totalGoodData() external view returns (uint256) {
        return _totals.goodData();
    }

    /// @inheritdoc ISharedModel
    function pot() external view returns (uint256) {
        return _shared(_totals).pot();
    }

    /// @inheritdoc ISharedModel
    function lastUpdate() external view returns (uint256) {
        return _totals.lastUpdate();
    }

    /// @inheritdoc ISharedModel
    function sharesFrom() external view returns (uint256) {
        return _sharesFrom;
    }

    // ---------------------------------------------------------------- shared steps

    /// @notice The number of a newcomer; the first says from when income is shared.
    function _nextNumber() private returns (uint256 number) {
        number = ++_authorCount;
        if (number == 1) _sharesFrom = SafeCast.toUint128(block.timestamp + incentive.incomeWait());
    }

    /// @dev A pot without room is shared first, so that nobody can stop contributions and payments by filling it.
    function _withIncome(Totals totals, uint256 amount) private view returns (Totals) {
        return (totals.hasRoom(amount) ? totals : _shared(totals)).withIncome(amount);
    }

    /// @notice With the pot shared, if it is time. The index rises when it first is; nothing is looked up from then on.
    function _shared(Totals totals) private view returns (Totals) {
        return totals.rewardPerGood() > 0 || block.timestamp >= _sharesFrom ? totals.shared() : totals;
    }

    /// @notice What the incentive is told of the caller's claim; the model's prediction is added where it is asked.
    /// @param verdict the flag of the verdict that is claimed, or objected to
    function _claim(
        Contribution record,
        uint8 verdict,
        uint256 label,
        uint256 addedAt,
        address author,
        Author claimant,
        Totals totals
    ) private view returns (Claim memory claim) {
        claim.author = author;
        claim.claimant = msg.sender;
        claim.byOwner = msg.sender == owner;
        claim.reported = record.has(ContributionLib.REPORTED);
        claim.announced = record.has(verdict);
        claim.announcedAt = record.announcedAt(addedAt);
        claim.lastUpdate = totals.lastUpdate();
        claim.addedAt = addedAt;
        claim.deposit = record.deposit();
        claim.left = record.left();
        claim.label = label;
        claim.goodData = claimant.goodData();
        claim.totalGoodData = totals.goodData();
    }

    /// @notice Takes what is needed: of a token no more than that, of the native coin all that is sent.
    /// @return excess what is to be credited
    function _collect(uint256 payment, uint256 needed) private returns (uint256 excess) {
        require(payment >= needed, DepositTooSmall(payment, needed));
        uint256 taken = token == address(0) ? payment : needed;
        if (taken > 0 || msg.value > 0) Payment.collect(token, address(this), taken);
        return taken - needed;
    }

    /// @notice Sends what is the caller's own to where it says; the last step of a call.
    function _pay(address to, uint256 amount) private {
        require(to != address(0), Payment.NoReceiver());
        if (amount > 0) Payment.pay(token, to, amount);
    }
}
