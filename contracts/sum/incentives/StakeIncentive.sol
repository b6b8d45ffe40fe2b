// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Claim, IIncentive} from "../../interfaces/IIncentive.sol";
import {WaitingIncentive, Waits} from "./WaitingIncentive.sol";

/// @title Deposit, take, reward: the stake incentive of 0xDeCA10B's simulation with the submission cost of SUM
/// @notice With s the whole seconds since the model was last taught, but at least 1, u the unit in wei, floor division
/// throughout:
///
///     deposit [wei] = max(1, floor(60 * costWeight / floor(sqrt(s)))) * u
///     cost    [wei] = submissionCost * u                                            kept, whatever becomes of the data
///     payment [wei] = deposit + cost
///     refund  [wei] = what is left of the deposit, if the model agrees
///     share   [wei] = floor(deposit * goodData(reporter) / totalGoodData), if the model disagrees;
///                     all that is left, where the share is zero or exceeds it
///     takeover[wei] = what is left of the deposit
///
/// 60 is the root of the seconds of an hour: one hour after the last update a contribution costs `costWeight` units,
/// four hours after it half of that. Whoever comes first, who offers 60 times `costWeight` units (one, where that is
/// zero) and the cost is taken.
contract StakeIncentive is WaitingIncentive {
    uint256 private constant ROOT_OF_HOUR = 60;
    uint256 private constant MAX_DEPOSIT = (1 << 74) - 1;

    /// @notice The deposit an hour after the last update, in units.
    uint256 public immutable costWeight;
    /// @notice What each contribution pays into the pot, in units.
    uint256 public immutable submissionCost;
    /// @notice The unit of deposit and cost, in wei.
    uint256 public immutable unit;

    /// @notice An incentive was made, with these terms.
    event StakeFixed(uint128 costWeight, uint128 submissionCost, uint96 unit);

    error UnitZero();
    error AmountTooLarge(uint256 amount, uint256 max);

    /// @notice Fixes the terms.
    /// @dev Emits {StakeFixed}. Requirements: the unit is at least 1 wei (UnitZero); the largest deposit, and the cost,
    /// fit their places in the model's storage, 74 and 80 bits (AmountTooLarge); the waits are in range and in order
    /// (WindowOutOfRange, WaitsOutOfOrder).
    /// @param costWeight_ the deposit an hour after the last update, in units; zero makes every deposit one unit
    /// @param submissionCost_ what each contribution pays into the pot, in units; zero for none
    /// @param unit_ the unit, in wei
    /// @param waits_ the waits, in seconds
    constructor(uint128 costWeight_, uint128 submissionCost_, uint96 unit_, Waits memory waits_)
        WaitingIncentive(waits_)
    {
        require(unit_ > 0, UnitZero());
        uint256 largest = Math.max(1, ROOT_OF_HOUR * costWeight_) * unit_;
        require(largest <= MAX_DEPOSIT, AmountTooLarge(largest, MAX_DEPOSIT));
        uint256 cost = uint256(submissionCost_) * unit_;
        require(cost <= type(uint80).max, AmountTooLarge(cost, type(uint80).max));
        costWeight = costWeight_;
        submissionCost = submissionCost_;
        unit = unit_;
        emit StakeFixed(costWeight_, submissionCost_, unit_);
    }

    /// @inheritdoc IIncentive
    function required(uint256[] calldata features, uint256 label, uint256 lastUpdate)
        external
        view
        returns (uint256 deposit, uint256 cost)
    {
        return (_deposit(lastUpdate), _cost(features, label));
    }

    /// @inheritdoc IIncentive
    function onAdd(address, uint256[] calldata features, uint256 label, uint256 lastUpdate)
        external
        view
        returns (uint256 deposit, uint256 cost)
    {
        return (_deposit(lastUpdate), _cost(features, label));
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - something is left (NothingLeft)
    /// - the claimant's wait is over (RefundTooEarly, ReportTooEarly)
    /// - the model says so (ModelDisagrees, ModelAgrees)
    /// - the quiet time is over (NotQuiet)
    /// - data of the reporter's proved good (NoGoodData)
    function onAnnounce(Claim calldata claim) external view {
        require(claim.left > 0, NothingLeft());
        _requireDue(claim);
        require(claim.author == claim.claimant || claim.goodData > 0, NoGoodData(claim.claimant));
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - something is left (NothingLeft)
    /// - it is announced as good (NotAnnounced), the wait since is over (VerdictTooEarly)
    /// - the quiet time is over (NotQuiet)
    /// - the model agrees (ModelDisagrees)
    function onRefund(Claim calldata claim) external view returns (uint256 amount) {
        require(claim.left > 0, NothingLeft());
        _requireGood(claim);
        return claim.left;
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - something is left (NothingLeft)
    /// - it is announced as bad (NotAnnounced), the wait since is over (VerdictTooEarly)
    /// - the quiet time is over (NotQuiet)
    /// - the model disagrees (ModelAgrees)
    /// - data of the reporter's proved good (NoGoodData)
    function onReport(Claim calldata claim) external view returns (uint256 amount) {
        require(claim.left > 0, NothingLeft());
        _requireBad(claim);
        require(claim.goodData > 0, NoGoodData(claim.claimant));
        amount = claim.deposit * claim.goodData / claim.totalGoodData;
        if (amount == 0 || amount > claim.left) amount = claim.left;
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - something is left (NothingLeft)
    /// - the claimant's wait is over (TakeOverTooEarly)
    /// - the quiet time is over (NotQuiet)
    function onTakeOver(Claim calldata claim) external view returns (uint256 amount) {
        _requireLeftOver(claim);
        return claim.left;
    }

    /// @dev What a contribution pays into the pot, in wei: below 2^80.
    function _cost(uint256[] calldata, uint256) internal view virtual returns (uint256) {
        return submissionCost * unit;
    }

    function _deposit(uint256 lastUpdate) private view returns (uint256) {
        uint256 elapsed = Math.max(1, block.timestamp - lastUpdate);
        uint256 units = ROOT_OF_HOUR * costWeight / Math.sqrt(elapsed);
        return Math.max(1, units) * unit;
    }
}
