// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClassifier} from "../../interfaces/IClassifier.sol";
import {Claim, IIncentive} from "../../interfaces/IIncentive.sol";

/// @notice How long after its arrival a contribution may be dealt with, in seconds.
/// @param refund from when the author may have its refund and others may report; the customary value is 1 day
/// @param owner from when the model's owner may take over what is left; the customary value is 9 days
/// @param anyone from when anybody may; the customary value is 9 days
struct Waits {
    uint32 refund;
    uint32 owner;
    uint32 anyone;
}

/// @title The waits and the verdict that incentives share
/// @notice A contribution added at t may be refunded and reported in [t + refund, for ever), taken over by the owner in
/// [t + owner, for ever) and by anybody in [t + anyone, for ever). The verdict is the model's: a contribution is good if
/// the model, taught by all that came since, still gives the sample the contribution's label.
abstract contract WaitingIncentive is IIncentive {
    uint32 private immutable _refundWait;
    uint32 private immutable _ownerWait;
    uint32 private immutable _anyoneWait;

    error WaitsOutOfOrder(uint256 refund, uint256 owner, uint256 anyone);

    /// @dev Requirements: 0 < refund < owner <= anyone (WaitsOutOfOrder), so that every author can have its refund
    /// before others can take it.
    constructor(Waits memory waits_) {
        require(
            0 < waits_.refund && waits_.refund < waits_.owner && waits_.owner <= waits_.anyone,
            WaitsOutOfOrder(waits_.refund, waits_.owner, waits_.anyone)
        );
        _refundWait = waits_.refund;
        _ownerWait = waits_.owner;
        _anyoneWait = waits_.anyone;
    }

    /// @notice The waits.
    function waits() external view returns (Waits memory) {
        return Waits(_refundWait, _ownerWait, _anyoneWait);
    }

    /// @inheritdoc IIncentive
    function servesClassifier(IClassifier) external view virtual returns (bool) {
        return true;
    }

    /// @dev Requirements: the wait is over (RefundTooEarly), the model agrees (ModelDisagrees).
    function _requireGood(Claim calldata claim) internal view {
        uint256 from = claim.addedAt + _refundWait;
        require(block.timestamp >= from, RefundTooEarly(block.timestamp, from));
        require(claim.predicted == claim.label, ModelDisagrees(claim.predicted, claim.label));
    }

    /// @dev Requirements: the wait is over (ReportTooEarly), the model disagrees (ModelAgrees).
    function _requireBad(Claim calldata claim) internal view {
        uint256 from = claim.addedAt + _refundWait;
        require(block.timestamp >= from, ReportTooEarly(block.timestamp, from));
        require(claim.predicted != claim.label, ModelAgrees(claim.label));
    }

    /// @dev Requirements: the claimant's wait is over (TakeOverTooEarly), something is left (NothingLeft).
    function _requireLeftOver(Claim calldata claim) internal view {
        require(claim.left > 0, NothingLeft());
        uint256 from = claim.addedAt + (claim.byOwner ? _ownerWait : _anyoneWait);
        require(block.timestamp >= from, TakeOverTooEarly(block.timestamp, from));
    }
}
