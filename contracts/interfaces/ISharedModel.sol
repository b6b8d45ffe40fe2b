// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClassifier} from "./IClassifier.sol";
import {IIncentive} from "./IIncentive.sol";

/// @title A model that anybody may teach against a deposit, and that pays those who taught it well
/// @notice A model has one currency, the native coin or one ERC-20. All amounts are in its smallest units, called wei
/// here. A token whose balances change by themselves (rebasing) is not supported, and one that keeps a share of
/// transfers, or charges for them, is refused (Payment: TokenTakesFee). All times are in seconds since 1970. A
/// contribution is named by its sample, its label, the time it was added and its author. Only the first of a sample with
/// a label counts as good data: its key follows from these two alone. If that one never proved good and nobody gets
/// anything for it any more (its deposit is gone, or there was none and it was reported), the next takes its place, and
/// it reads as never added. Errors of samples and labels are the classifier's (IClassifier), errors of waits, verdicts
/// and shares the incentive's (IIncentive). What a receiver of coins refuses comes through as it is, or as FailedCall.
interface ISharedModel {
    /// @notice The model is ready to be taught, once its classifier is open to it.
    event ModelCreated(
        IClassifier classifier, IIncentive incentive, address token, address indexed owner, bytes32 indexed task
    );
    /// @notice The model learnt a contribution; its deposit is locked, its cost went into the pot.
    event DataAdded(
        address indexed author,
        bytes32 indexed key,
        uint256[] features,
        uint256 label,
        uint256 addedAt,
        uint256 deposit,
        uint256 cost
    );
    /// @notice A verdict was announced, in place of the contrary one where that stood: the contribution is good, or bad.
    event Announced(address indexed claimant, bytes32 indexed key, bool good);
    /// @notice The verdict that stood announced no longer stands.
    event Objected(address indexed objector, bytes32 indexed key);
    /// @notice Its author staked on the contribution again; nothing stands announced of it.
    event Upheld(address indexed author, bytes32 indexed key);
    /// @notice A contribution proved good.
    event Refunded(address indexed author, bytes32 indexed key, uint256 amount);
    /// @notice A contribution was reported as bad.
    event Reported(address indexed reporter, bytes32 indexed key, uint256 amount);
    /// @notice What was left of a contribution was taken over.
    event TakenOver(address indexed taker, bytes32 indexed key, uint256 amount);
    /// @notice A prediction was paid for; the payment went into the pot.
    event PredictionPaid(address indexed payer, uint256 label, uint256 amount);
    /// @notice What was paid beyond what a contribution needs was credited to its author.
    event Credited(address indexed account, uint256 amount);
    /// @notice Rewards and credits were paid out.
    event RewardsClaimed(address indexed account, uint256 amount);

    error NoCode(address account);
    error NoTask();
    error IncentiveForAnother(address incentive, address classifier);
    error CostTooHigh(uint256 cost, uint256 max);
    error DepositTooSmall(uint256 offered, uint256 needed);
    error AlreadyAdded(bytes32 key);
    error NeverAdded(bytes32 key);
    error AlreadyRefunded(bytes32 key);
    error AlreadyClaimed(bytes32 key, address reporter);
    error OwnData(address author);
    error AlreadyAnnounced(bytes32 key);
    error NothingAnnounced(bytes32 key);
    error TaughtBefore(uint256 againAt, uint256 since);
    error NotAtStake(bytes32 key);
    error NothingPaid();
    error NobodyToPay();
    error NothingOwed(address account);

    /// @notice Teaches the model a sample and locks a deposit.
    /// @dev Emits {DataAdded}, and {Credited} if more of the native coin is sent than needed: the excess is credited to
    /// the caller, who gets it by {claimRewards}. Of a token no more than needed is taken. What is needed changes with
    /// time, so offer a little more than {required} says.
    /// Requirements:
    /// - no call re-enters (ReentrancyGuardReentrantCall)
    /// - the incentive takes it (the incentive names its errors)
    /// - the sample is in range where the incentive asks the classifier (IClassifier)
    /// - the cost is no higher than the caller says (CostTooHigh)
    /// - the payment covers deposit and cost (DepositTooSmall)
    /// - it is made: sent along in the native coin, or approved in the token (Payment: WrongPayment, TokenTakesFee; a
    ///   token's own errors come through)
    /// - the caller has not added the same within this second (AlreadyAdded)
    /// - the deposit fits its place (ContributionLib: DepositTooLarge), and fewer than 2^28 others have contributed
    ///   (AuthorLib: TooManyAuthors)
    /// - pot and credit fit their places, and the year is 2105 at most
    ///   (SafeCastOverflowedUintDowncast, SafeCastOverflowedIntDowncast)
    /// - the classifier is open (IClassifier: NotOpen)
    /// - the model is its trainer (IClassifier: NotTrainer)
    /// - the label is in range (IClassifier: LabelOutOfRange)
    /// - the class can still learn (IClassifier: ClassFull)
    /// - the sample is in range (IClassifier: BitmapLength, FeatureOutOfRange, NoFeatures, TooManyFeatures)
    /// @param features the sample, as IClassifier takes it
    /// @param label its label
    /// @param payment the most that the caller pays for deposit and cost, in wei; the native coin is sent along, as much
    /// @param maxCost the most of it that goes into the pot: others may raise both before the call lands
    function addData(uint256[] calldata features, uint256 label, uint256 payment, uint256 maxCost) external payable;

    /// @notice Announces a verdict on a contribution, as the model gives it now: its author that it is good, which
    /// {refund} claims later; anybody else that it is bad, which {report} claims. The contrary verdict, where it stood
    /// announced, falls.
    /// @dev Emits {Announced}.
    /// Requirements:
    /// - no call re-enters (ReentrancyGuardReentrantCall)
    /// - the author added it at that time (NeverAdded)
    /// - it was not refunded (AlreadyRefunded)
    /// - the same verdict does not stand announced (AlreadyAnnounced)
    /// - it was added less than 2^28 seconds ago, 8.5 years (ContributionLib: AnnouncedTooLate)
    /// - the sample is in range (IClassifier)
    /// - the incentive allows it (IIncentive: RefundTooEarly, ReportTooEarly, ModelDisagrees, ModelAgrees, NotQuiet,
    ///   NothingLeft, NoGoodData, AlreadyReported)
    /// @param features its sample
    /// @param label its label
    /// @param addedAt when it was added
    /// @param author who added it
    function announce(uint256[] calldata features, uint256 label, uint256 addedAt, address author) external;

    /// @notice Makes an announced verdict fall, when the model now says the contrary. Anybody may call.
    /// @dev Emits {Objected}.
    /// Requirements:
    /// - no call re-enters (ReentrancyGuardReentrantCall)
    /// - the author added it at that time (NeverAdded)
    /// - it was not refunded (AlreadyRefunded)
    /// - a verdict stands announced (NothingAnnounced)
    /// - the incentive allows it (IIncentive: ModelAgrees, ModelDisagrees, NotQuiet)
    /// @param features its sample
    /// @param label its label
    /// @param addedAt when it was added
    /// @param author who added it
    function object(uint256[] calldata features, uint256 label, uint256 addedAt, address author) external;

    /// @notice Stakes on a contribution of the caller's again: whatever stands announced of it falls, and the wait for a
    /// take-over begins anew. The stake is the deposit of the same sample with the same label, contributed again since. It
    /// needs no quiet time and not the model's word, so that nobody can hinder it: nobody claims anything within the quiet
    /// time of that contribution, and so long the caller is alone. It brings no deposit back.
    /// @dev Emits {Upheld}.
    /// Requirements:
    /// - no call re-enters (ReentrancyGuardReentrantCall)
    /// - the caller added it at that time (NeverAdded)
    /// - it was not refunded (AlreadyRefunded)
    /// - the caller added the same at `againAt` (NeverAdded), later than it, not before what stands announced of it, and after
    ///   it was last upheld (TaughtBefore)
    /// - nobody got anything of that deposit back (NotAtStake)
    /// - it was added less than 2^28 seconds ago, 8.5 years (ContributionLib: AnnouncedTooLate)
    /// @param features its sample
    /// @param label its label
    /// @param addedAt when it was added
    /// @param againAt when the caller added the same again
    function uphold(uint256[] calldata features, uint256 label, uint256 addedAt, uint256 againAt) external;

    /// @notice Gets back what is left of the caller's deposit, when the model agrees with the contribution and did since
    /// the caller announced it, as far as anybody objected.
    /// @dev Emits {Refunded}. The contribution counts as good from now on and earns its share of all further income, unless
    /// it repeats another's sample and label, or the caller's own.
    /// Requirements:
    /// - no call re-enters (ReentrancyGuardReentrantCall)
    /// - the caller added it at that time (NeverAdded)
    /// - it was not refunded (AlreadyRefunded)
    /// - the incentive grants it (IIncentive: NotAnnounced, VerdictTooEarly, NotQuiet, ModelDisagrees, NothingLeft,
    ///   AlreadyReported)
    /// - the incentive grants no more than is left (ContributionLib: MoreThanLeft)
    /// - it is sent to somebody (Payment: NoReceiver)
    /// @param features its sample
    /// @param label its label
    /// @param addedAt when it was added
    /// @param to who receives it
    function refund(uint256[] calldata features, uint256 label, uint256 addedAt, address to) external;

    /// @notice Gets a share of another's deposit, when the model disagrees with the contribution and did since anybody
    /// announced so, as far as anybody objected.
    /// @dev Emits {Reported}.
    /// Requirements:
    /// - no call re-enters (ReentrancyGuardReentrantCall)
    /// - the author is not the caller (OwnData)
    /// - the author added it at that time (NeverAdded)
    /// - it was not refunded (AlreadyRefunded)
    /// - the caller has not reported it (AlreadyClaimed)
    /// - the incentive grants it (IIncentive: NotAnnounced, VerdictTooEarly, NotQuiet, ModelAgrees, NothingLeft,
    ///   NoGoodData, AlreadyReported)
    /// - the incentive grants no more than is left (ContributionLib: MoreThanLeft)
    /// - it is sent to somebody (Payment: NoReceiver)
    /// @param features its sample
    /// @param label its label
    /// @param addedAt when it was added
    /// @param author who added it
    /// @param to who receives it
    function report(uint256[] calldata features, uint256 label, uint256 addedAt, address author, address to) external;

    /// @notice Gets what is left of a contribution that nobody dealt with for long. Anybody may call, the author too.
    /// @dev Emits {TakenOver}. The model is not asked.
    /// Requirements:
    /// - no call re-enters (ReentrancyGuardReentrantCall)
    /// - the author added it at that time (NeverAdded)
    /// - it was not refunded (AlreadyRefunded)
    /// - the incentive grants it (IIncentive: TakeOverTooEarly, NotQuiet, NothingLeft)
    /// - the incentive grants no more than is left (ContributionLib: MoreThanLeft)
    /// - it is sent to somebody (Payment: NoReceiver)
    /// @param features its sample
    /// @param label its label
    /// @param addedAt when it was added
    /// @param author who added it
    /// @param to who receives it
    function takeOver(uint256[] calldata features, uint256 label, uint256 addedAt, address author, address to) external;

    /// @notice Pays those whose data proved good for a prediction: any amount, to be shared by the number of their good
    /// contributions.
    /// @dev Emits {PredictionPaid}.
    /// Requirements:
    /// - no call re-enters (ReentrancyGuardReentrantCall)
    /// - something is paid (NothingPaid), and the payment is made (Payment: WrongPayment, TokenTakesFee)
    /// - data of somebody proved good (NobodyToPay); none ever does in a model that its classifier is not open to
    /// - the pot fits its place (SafeCastOverflowedUintDowncast)
    /// - the sample is in range (IClassifier: BitmapLength, FeatureOutOfRange, NoFeatures, TooManyFeatures)
    /// @param features the sample
    /// @param payment how much, in wei
    /// @return label the class the model gives it
    function payForPrediction(uint256[] calldata features, uint256 payment) external payable returns (uint256 label);

    /// @notice Pays the caller its rewards and credits.
    /// @dev Emits {RewardsClaimed}.
    /// Requirements:
    /// - no call re-enters (ReentrancyGuardReentrantCall)
    /// - there are some (NothingOwed)
    /// - they are sent to somebody (Payment: NoReceiver)
    /// @param to who receives them
    function claimRewards(address to) external;

    /// @notice The class of a sample as the model stands; free.
    /// @dev Requirements:
    /// - the sample is in range (IClassifier: BitmapLength, FeatureOutOfRange, NoFeatures, TooManyFeatures)
    function predict(uint256[] calldata features) external view returns (uint256 label);

    /// @notice What {addData} would need in this block, in wei.
    /// @dev Requirements:
    /// - the sample is in range where the incentive asks the classifier (IClassifier)
    /// @return deposit what would be locked
    /// @return cost what would go into the pot
    function required(uint256[] calldata features, uint256 label) external view returns (uint256 deposit, uint256 cost);

    /// @notice What {claimRewards} would pay an account, in wei.
    function claimable(address account) external view returns (uint256);

    /// @notice What is recorded of a contribution.
    /// @return added whether it was added, by that author at that time
    /// @return refunded whether it proved good
    /// @return reported whether it was reported
    /// @return deposit what was locked with it, in wei
    /// @return left what is left of that, in wei
    function contribution(uint256[] calldata features, uint256 label, uint256 addedAt, address author)
        external
        view
        returns (bool added, bool refunded, bool reported, uint256 deposit, uint256 left);

    /// @notice What is announced of a contribution.
    /// @return good whether it stands announced as good
    /// @return bad whether it stands announced as bad
    /// @return at when one of the two was last announced, whatever came of it, or it was upheld; zero if never
    function announcement(uint256[] calldata features, uint256 label, uint256 addedAt, address author)
        external
        view
        returns (bool good, bool bad, uint256 at);

    /// @notice How many contributions of an author proved good.
    function goodData(address author) external view returns (uint256);

    /// @notice How many contributions of all proved good.
    function totalGoodData() external view returns (uint256);

    /// @notice Income that is not shared: all of it before `sharesFrom` and while there is no good data, else less than one
    /// wei for each.
    function pot() external view returns (uint256);

    /// @notice When the model was last taught, or else made.
    function lastUpdate() external view returns (uint256);

    /// @notice From when income is shared, in seconds since 1970: all good data of that moment shares what came in before.
    /// Zero before the first contribution.
    function sharesFrom() external view returns (uint256);

    /// @notice Who may take over what is left before others may.
    function owner() external view returns (address);

    /// @notice The currency: an ERC-20, or zero for the native coin.
    function token() external view returns (address);

    /// @notice The digest in the CID of the task document: what samples are, how texts become features, what classes mean.
    function task() external view returns (bytes32);

    /// @notice The version of these rules.
    function version() external pure returns (uint256);

    /// @notice What is taught.
    function classifier() external view returns (IClassifier);

    /// @notice The rules.
    function incentive() external view returns (IIncentive);
}
