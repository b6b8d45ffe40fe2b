// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Claim, IIncentive} from "../../interfaces/IIncentive.sol";
import {WaitingIncentive, Waits} from "./WaitingIncentive.sol";

/// @title Points instead of money, for groups that trust each other
/// @notice A contribution needs no deposit and pays no cost. A refund pays nothing and counts the contribution as good,
/// in {ISharedModel-goodData}: those are the points. A report pays nothing and marks the contribution as bad, once and
/// for all: it is neither reported again nor ever counted as good. There is nothing to take over. Payments for
/// predictions are shared by points, as under any incentive.
contract PointsIncentive is WaitingIncentive {
    /// @dev Requirements: the waits are in range and in order (WaitsOutOfOrder, WindowOutOfRange).
    /// @param waits_ the waits, in seconds; nothing is taken over here, whatever they say of that
    constructor(Waits memory waits_) WaitingIncentive(waits_) {}

    /// @inheritdoc IIncentive
    function required(uint256[] calldata, uint256, uint256) external pure returns (uint256 deposit, uint256 cost) {
        return (0, 0);
    }

    /// @inheritdoc IIncentive
    function onAdd(address, uint256[] calldata, uint256, uint256)
        external
        pure
        returns (uint256 deposit, uint256 cost)
    {
        return (0, 0);
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - nobody has reported it (AlreadyReported)
    /// - the claimant's wait is over (RefundTooEarly, ReportTooEarly)
    /// - the model says so (ModelDisagrees, ModelAgrees)
    /// - the quiet time is over (NotQuiet)
    function onAnnounce(Claim calldata claim) external view {
        require(!claim.reported, AlreadyReported());
        _requireDue(claim);
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - nobody has reported it (AlreadyReported)
    /// - it is announced as good (NotAnnounced), the wait since is over (VerdictTooEarly)
    /// - the quiet time is over (NotQuiet)
    /// - the model agrees (ModelDisagrees)
    function onRefund(Claim calldata claim) external view returns (uint256 amount) {
        require(!claim.reported, AlreadyReported());
        _requireGood(claim);
        return 0;
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - nobody has reported it (AlreadyReported)
    /// - it is announced as bad (NotAnnounced), the wait since is over (VerdictTooEarly)
    /// - the quiet time is over (NotQuiet)
    /// - the model disagrees (ModelAgrees)
    function onReport(Claim calldata claim) external view returns (uint256 amount) {
        require(!claim.reported, AlreadyReported());
        _requireBad(claim);
        return 0;
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - none that can be met, for nothing is ever left (NothingLeft)
    function onTakeOver(Claim calldata) external pure returns (uint256) {
        revert NothingLeft();
    }
}
