// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Window} from "../../exchange/Window.sol";
import {IClassifier} from "../../interfaces/IClassifier.sol";
import {Claim, IIncentive} from "../../interfaces/IIncentive.sol";

/// @notice When a contribution may be dealt with, in seconds.
/// @param refund from so long after its arrival the author may announce that it is good; customary: 1 day
/// @param author so long after that the author is alone, before others may announce that it is bad; customary: 2 days
/// @param verdict so long after an announcement what was announced may be claimed; customary: 1 day
/// @param owner from so long after its arrival, or the last announcement, the model's owner may take over what is left;
/// customary: 9 days
/// @param anyone from when anybody may; customary: 9 days
/// @param quiet so long after the model was last taught nobody announces, objects or claims; customary: 1 minute
struct Waits {
    uint32 refund;
    uint32 author;
    uint32 verdict;
    uint32 owner;
    uint32 anyone;
    uint32 quiet;
}

/// @title The waits and the verdict that incentives share
/// @notice A contribution is good if the model, taught by all that came since, gives the sample the contribution's label:
/// when its author announces so, when the author claims its refund, and at no moment between when anybody objected. It is
/// bad likewise. Neither verdict can be had within the quiet time of an update, so that who teaches the model to judge by
/// it has to leave it so, for all to see and to answer, from before the announcement to the claim.
abstract contract WaitingIncentive is IIncentive {
    /// @notice Bounds of the quiet time. Shorter, and one block could hold an update and a verdict. Longer, and updates
    /// that hold up all verdicts would be cheap.
    uint256 internal constant QUIET_SHORTEST = 1 minutes;
    uint256 internal constant QUIET_LONGEST = 10 minutes;

    uint32 private immutable _refundWait;
    uint32 private immutable _authorWait;
    uint32 private immutable _verdictWait;
    uint32 private immutable _ownerWait;
    uint32 private immutable _anyoneWait;
    uint32 private immutable _quiet;

    /// @notice An incentive was made, with these waits.
    event WaitsFixed(Waits waits);

    error AuthorHurried(uint256 author, uint256 verdict);
    error WaitsOutOfOrder(uint256 settled, uint256 owner, uint256 anyone);

    /// @dev Emits {WaitsFixed}. Requirements: every wait is a window (Window: WindowOutOfRange), the quiet time lies
    /// within its own bounds (likewise), the author's time alone is longer than the wait for a verdict (AuthorHurried),
    /// and refund + author + verdict < owner <= anyone (WaitsOutOfOrder), so that every author can have its refund
    /// before others report, and others can report before anybody takes over.
    constructor(Waits memory waits_) {
        Window.check(waits_.refund);
        Window.check(waits_.author);
        Window.check(waits_.verdict);
        Window.check(waits_.anyone);
        require(
            QUIET_SHORTEST <= waits_.quiet && waits_.quiet <= QUIET_LONGEST,
            Window.WindowOutOfRange(waits_.quiet, QUIET_SHORTEST, QUIET_LONGEST)
        );
        require(waits_.verdict < waits_.author, AuthorHurried(waits_.author, waits_.verdict));
        uint256 settled = uint256(waits_.refund) + waits_.author + waits_.verdict;
        require(
            settled < waits_.owner && waits_.owner <= waits_.anyone,
            WaitsOutOfOrder(settled, waits_.owner, waits_.anyone)
        );
        _refundWait = waits_.refund;
        _authorWait = waits_.author;
        _verdictWait = waits_.verdict;
        _ownerWait = waits_.owner;
        _anyoneWait = waits_.anyone;
        _quiet = waits_.quiet;
        emit WaitsFixed(waits_);
    }

    /// @inheritdoc IIncentive
    function version() external pure returns (uint256) {
        return 2;
    }

    /// @notice The waits.
    function waits() external view returns (Waits memory) {
        return Waits(_refundWait, _authorWait, _verdictWait, _ownerWait, _anyoneWait, _quiet);
    }

    /// @inheritdoc IIncentive
    /// @dev Until others can take over what is left of the first contributions: their authors have had their refunds.
    function incomeWait() external view returns (uint256) {
        return _ownerWait;
    }

    /// @inheritdoc IIncentive
    function servesClassifier(IClassifier) external view virtual returns (bool) {
        return true;
    }

    /// @inheritdoc IIncentive
    /// @dev Requirements:
    /// - the quiet time is over (NotQuiet)
    /// - the model says the contrary (ModelAgrees, ModelDisagrees)
    function onObject(Claim calldata claim, bool good) external view {
        _requireQuiet(claim, _quiet);
        _requireWord(claim, !good);
    }

    /// @dev Requirements: the claimant's wait is over (RefundTooEarly, ReportTooEarly), the quiet time too (NotQuiet), and
    /// the model says what is announced (ModelDisagrees, ModelAgrees).
    function _requireDue(Claim calldata claim) internal view {
        bool good = claim.author == claim.claimant;
        uint256 from = claim.addedAt + _refundWait;
        if (good) {
            require(block.timestamp >= from, RefundTooEarly(block.timestamp, from));
        } else {
            from += _authorWait;
            require(block.timestamp >= from, ReportTooEarly(block.timestamp, from));
        }
        _requireQuiet(claim, _quiet);
        _requireWord(claim, good);
    }

    /// @dev Requirements: it is announced as good (NotAnnounced), the waits are over (VerdictTooEarly, NotQuiet), the
    /// model agrees (ModelDisagrees).
    function _requireGood(Claim calldata claim) internal view {
        _requireAwaited(claim);
        _requireWord(claim, true);
    }

    /// @dev Requirements: it is announced as bad (NotAnnounced), the waits are over (VerdictTooEarly, NotQuiet), the
    /// model disagrees (ModelAgrees).
    function _requireBad(Claim calldata claim) internal view {
        _requireAwaited(claim);
        _requireWord(claim, false);
    }

    /// @dev Requirements: the claimant's wait is over (TakeOverTooEarly), something is left (NothingLeft), and twice the
    /// quiet time is over (NotQuiet), so that the author can announce before. An author who announces from time to time
    /// is not taken over, however often others object.
    function _requireLeftOver(Claim calldata claim) internal view {
        require(claim.left > 0, NothingLeft());
        uint256 from = Math.max(claim.addedAt, claim.announcedAt) + (claim.byOwner ? _ownerWait : _anyoneWait);
        require(block.timestamp >= from, TakeOverTooEarly(block.timestamp, from));
        _requireQuiet(claim, 2 * uint256(_quiet));
    }

    function _requireAwaited(Claim calldata claim) private view {
        require(claim.announced, NotAnnounced());
        uint256 from = claim.announcedAt + _verdictWait;
        require(block.timestamp >= from, VerdictTooEarly(block.timestamp, from));
        _requireQuiet(claim, _quiet);
    }

    function _requireQuiet(Claim calldata claim, uint256 quiet) private view {
        uint256 from = claim.lastUpdate + quiet;
        require(block.timestamp >= from, NotQuiet(block.timestamp, from));
    }

    function _requireWord(Claim calldata claim, bool good) private pure {
        bool agrees = claim.predicted == claim.label;
        if (good) require(agrees, ModelDisagrees(claim.predicted, claim.label));
        else require(!agrees, ModelAgrees(claim.label));
    }
}
