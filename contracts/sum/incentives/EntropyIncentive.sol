// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClassifier} from "../../interfaces/IClassifier.sol";
import {ISharedModel} from "../../interfaces/ISharedModel.sol";
import {SelfInformation} from "./SelfInformation.sol";
import {StakeIncentive} from "./StakeIncentive.sol";
import {Waits} from "./WaitingIncentive.sol";

/// @title The stake incentive with a submission cost that grows with the information in the data (SUM, discussion)
/// @notice The model is seen as a channel with `classes` outputs that gives the true label with the stated accuracy a,
/// and each of the other labels equally often. Given what the model predicts, a label carries log2(1 / p) bits of
/// surprise, and on average the entropy H of the channel. With u the unit in wei, floor division throughout, and bits in
/// fixed point, in 2^-32 bits ({SelfInformation}):
///
///     statedAccuracy [1 / 10,000] = 10,000 * a          floor(10,000 / classes) < statedAccuracy < 10,000
///     agree    [bits] = bitsOf(10,000, statedAccuracy)                               = log2(1 / a)
///     disagree [bits] = bitsOf(10,000 * (classes - 1), 10,000 - statedAccuracy)      = log2((classes - 1) / (1 - a))
///     H        [bits] = (statedAccuracy * agree + (10,000 - statedAccuracy) * disagree) / 10,000
///     cost      [wei] = submissionCost * u * agree / H         if the model now predicts the label
///                       submissionCost * u * disagree / H      otherwise
///
/// All else is the stake incentive's. Two classes and a = 0.77: 0.485 and 2.725 times submissionCost.
///
/// Who contributes what the model confirms as often as stated pays submissionCost units on average. The chain knows no
/// truth, so surprise is measured against the model: see docs/sum.md for what that does, and what it does not.
contract EntropyIncentive is StakeIncentive {
    uint256 private constant ONE = 10_000;

    /// @notice What the surprise is measured against; the incentive goes with models of this classifier alone.
    IClassifier public immutable classifier;
    /// @notice How often the model is right, as stated, in 1 / 10,000.
    uint256 public immutable statedAccuracy;
    /// @notice What a contribution with the label that the model predicts pays into the pot, in wei.
    uint256 public immutable agreeCost;
    /// @notice What a contribution with another label pays into the pot, in wei.
    uint256 public immutable disagreeCost;

    /// @notice An incentive was made, with these terms beside the stake incentive's.
    event SurpriseFixed(IClassifier classifier, uint256 statedAccuracy);

    error TooFewClasses(uint256 classes, uint256 min);
    error AccuracyOutOfRange(uint256 accuracy, uint256 min, uint256 max);

    /// @notice Fixes the terms.
    /// @dev Emits {SurpriseFixed}. Requirements: as for {StakeIncentive}; the classifier is a contract (ISharedModel:
    /// NoCode) and has two classes or more (TooFewClasses); the accuracy is better than chance and not perfect
    /// (AccuracyOutOfRange); `disagreeCost`, too, fits its 80 bits (AmountTooLarge).
    /// @param costWeight_ the deposit an hour after the last update, in units; zero makes every deposit one unit
    /// @param submissionCost_ what a contribution pays into the pot on average, in units; zero for none
    /// @param unit_ the unit, in wei
    /// @param waits_ the waits, in seconds
    /// @param classifier_ the classifier of the model, or models, that this incentive is for
    /// @param statedAccuracy_ how often the model is right, in 1 / 10,000
    constructor(
        uint128 costWeight_,
        uint128 submissionCost_,
        uint96 unit_,
        Waits memory waits_,
        IClassifier classifier_,
        uint256 statedAccuracy_
    ) StakeIncentive(costWeight_, submissionCost_, unit_, waits_) {
        require(address(classifier_).code.length > 0, ISharedModel.NoCode(address(classifier_)));
        uint256 classes = classifier_.classCount();
        require(classes > 1, TooFewClasses(classes, 2));
        uint256 min = ONE / classes + 1;
        require(statedAccuracy_ >= min && statedAccuracy_ < ONE, AccuracyOutOfRange(statedAccuracy_, min, ONE - 1));
        uint256 agree = SelfInformation.bitsOf(ONE, statedAccuracy_);
        uint256 disagree = SelfInformation.bitsOf(ONE * (classes - 1), ONE - statedAccuracy_);
        uint256 entropy = (statedAccuracy_ * agree + (ONE - statedAccuracy_) * disagree) / ONE;
        uint256 average = uint256(submissionCost_) * unit_;
        classifier = classifier_;
        statedAccuracy = statedAccuracy_;
        agreeCost = average * agree / entropy;
        disagreeCost = average * disagree / entropy;
        // Better than chance: agree <= entropy <= disagree. So the lesser cost is at most the average, which the stake
        // incentive bounds, and only the greater one may not fit.
        require(disagreeCost <= type(uint80).max, AmountTooLarge(disagreeCost, type(uint80).max));
        emit SurpriseFixed(classifier_, statedAccuracy_);
    }

    /// @notice Whether this is the classifier that the surprise is measured against.
    function servesClassifier(IClassifier classifier_) external view override returns (bool) {
        return classifier_ == classifier;
    }

    /// @dev Requirements: the sample is in range (IClassifier). A label that does not exist is another than predicted;
    /// it is the classifier that refuses to learn it.
    function _cost(uint256[] calldata features, uint256 label) internal view override returns (uint256) {
        return classifier.predict(features) == label ? agreeCost : disagreeCost;
    }
}
