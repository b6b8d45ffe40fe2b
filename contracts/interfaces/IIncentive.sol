// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClassifier} from "./IClassifier.sol";

/// @notice All a rule may look at when somebody lays claim to a contribution. The shared model keeps the figures.
/// @param author who contributed
/// @param claimant who calls
/// @param byOwner whether the claimant is the model's owner
/// @param reported whether a report of the contribution succeeded before
/// @param addedAt when it was contributed, in seconds since 1970
/// @param deposit what was locked with it, in wei
/// @param left what is left of that, in wei
/// @param announced whether the verdict that is claimed, or objected to, stands announced
/// @param announcedAt when a verdict of it was last announced, either one and whatever came of it, or its author upheld
/// it; zero if never
/// @param lastUpdate when the model was last taught, in seconds since 1970
/// @param label the label it was given
/// @param predicted the label that the model gives it now; zero in {IIncentive-onTakeOver}, where nobody asks the model
/// @param goodData how many contributions of the claimant proved good before this call
/// @param totalGoodData how many contributions of all proved good before this call
struct Claim {
    address author;
    address claimant;
    bool byOwner;
    bool reported;
    bool announced;
    uint256 announcedAt;
    uint256 lastUpdate;
    uint256 addedAt;
    uint256 deposit;
    uint256 left;
    uint256 label;
    uint256 predicted;
    uint256 goodData;
    uint256 totalGoodData;
}

/// @title The rules by which a shared model takes deposits and gives them back
/// @notice Holds no money and need hold no state: the shared model asks what is due, and moves it. The calls `on...` are
/// made by the model alone. They are not views so that a rule may remember what it saw; a rule that does must refuse
/// other callers itself.
interface IIncentive {
    error RefundTooEarly(uint256 now_, uint256 from);
    error ReportTooEarly(uint256 now_, uint256 from);
    error TakeOverTooEarly(uint256 now_, uint256 from);
    error NotAnnounced();
    error VerdictTooEarly(uint256 now_, uint256 from);
    error NotQuiet(uint256 now_, uint256 from);
    error ModelDisagrees(uint256 predicted, uint256 label);
    error ModelAgrees(uint256 label);
    error NoGoodData(address reporter);
    error NothingLeft();
    error AlreadyReported();

    /// @notice The version of these rules.
    function version() external pure returns (uint256);

    /// @notice Whether the rule is for models of this classifier: of any, unless the rule asks a certain one itself.
    /// A model is not made with a rule that is not for its classifier.
    function servesClassifier(IClassifier classifier) external view returns (bool);

    /// @notice How long after its first contribution a model keeps its income together, in seconds. All whose data has
    /// proved good by then share it; where nobody's has, the first refund takes all.
    function incomeWait() external view returns (uint256);

    /// @notice What a contribution of this sample needs now, in wei; both are to be paid.
    /// @dev Requirements:
    /// - as for {onAdd}
    /// @param features the sample, as IClassifier takes it
    /// @param label the label it would be given
    /// @param lastUpdate when the model was last taught (or made), in seconds since 1970
    /// @return deposit what is locked, to be refunded, reported or taken over
    /// @return cost what goes to those whose data proved good, whatever becomes of the sample
    function required(uint256[] calldata features, uint256 label, uint256 lastUpdate)
        external
        view
        returns (uint256 deposit, uint256 cost);

    /// @notice A contribution is being made; answers as {required} does.
    /// @dev Requirements:
    /// - the rule's own; it names its errors
    function onAdd(address author, uint256[] calldata features, uint256 label, uint256 lastUpdate)
        external
        returns (uint256 deposit, uint256 cost);

    /// @notice Somebody announces a verdict that it wants to claim later: the author that its contribution is good, for a
    /// refund, anybody else that it is bad, for a report.
    /// @dev Requirements:
    /// - the rule's own, such as a wait (RefundTooEarly, ReportTooEarly)
    /// - or a model that says so (ModelDisagrees, ModelAgrees)
    /// - or some time since the last update (NotQuiet)
    /// - or something that is left (NothingLeft)
    /// - or good data of the reporter's (NoGoodData)
    /// - or no report before (AlreadyReported)
    function onAnnounce(Claim calldata claim) external;

    /// @notice Somebody objects to an announced verdict; if this does not revert, it no longer stands.
    /// @dev Requirements:
    /// - the rule's own, such as a model that says the contrary (ModelAgrees, ModelDisagrees)
    /// - or some time since the last update (NotQuiet)
    /// @param good whether the verdict is that the contribution is good
    function onObject(Claim calldata claim, bool good) external;

    /// @notice What the author gets back of its contribution, in wei; if this does not revert, the data proved good.
    /// @dev Requirements:
    /// - the rule's own, such as an announcement (NotAnnounced) and a wait since (VerdictTooEarly)
    /// - or a model that agrees (ModelDisagrees)
    /// - or some time since the last update (NotQuiet)
    /// - or something that is left (NothingLeft)
    /// - or no report before (AlreadyReported)
    function onRefund(Claim calldata claim) external returns (uint256 amount);

    /// @notice What a reporter gets of somebody else's contribution, in wei.
    /// @dev Requirements:
    /// - the rule's own, such as an announcement (NotAnnounced) and a wait since (VerdictTooEarly)
    /// - or a model that disagrees (ModelAgrees)
    /// - or some time since the last update (NotQuiet)
    /// - or something that is left (NothingLeft)
    /// - or good data of the reporter's (NoGoodData)
    /// - or no report before (AlreadyReported)
    function onReport(Claim calldata claim) external returns (uint256 amount);

    /// @notice What somebody gets of a contribution that nobody dealt with, in wei.
    /// @dev Requirements:
    /// - the rule's own, such as a wait (TakeOverTooEarly)
    /// - or some time since the last update (NotQuiet)
    /// - or something that is left (NothingLeft)
    function onTakeOver(Claim calldata claim) external returns (uint256 amount);
}
