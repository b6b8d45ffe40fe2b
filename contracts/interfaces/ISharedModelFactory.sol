// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClassifier} from "./IClassifier.sol";
import {IIncentive} from "./IIncentive.sol";
import {ISharedModel} from "./ISharedModel.sol";

/// @title Makes shared models, and tells of them
/// @notice A model that this contract told of runs the code that this contract was deployed with, began with empty books,
/// and belongs to whoever had it made. Nothing is said of its classifier and its incentive, which anybody may have written:
/// whoever takes part compares their addresses with those that follow from known code (docs/sum.md).
interface ISharedModelFactory {
    /// @notice A model was made.
    event SharedModelCreated(ISharedModel indexed model, address indexed owner, bytes32 indexed task);

    /// @notice Makes a model that belongs to the caller.
    /// @dev Emits {SharedModelCreated}. The address of the model follows from these four and the caller, whatever a
    /// reorganisation does; a second one of the same is refused without a reason.
    /// Requirements:
    /// - classifier, incentive and token are contracts (ISharedModel: NoCode)
    /// - the incentive is for this classifier (ISharedModel: IncentiveForAnother)
    /// - there is a task (ISharedModel: NoTask)
    /// - there is no such model yet
    /// @param classifier what is taught; it takes no lessons before its owner opens it to this model
    /// @param incentive the rules
    /// @param token the currency: an ERC-20, or zero for the native coin
    /// @param task the digest of the task document
    /// @return model the model
    function createModel(IClassifier classifier, IIncentive incentive, address token, bytes32 task)
        external
        returns (ISharedModel model);

    /// @notice The version of these rules.
    function version() external pure returns (uint256);
}
