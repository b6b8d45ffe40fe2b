// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClassifier} from "../interfaces/IClassifier.sol";
import {IIncentive} from "../interfaces/IIncentive.sol";
import {ISharedModel} from "../interfaces/ISharedModel.sol";
import {ISharedModelFactory} from "../interfaces/ISharedModelFactory.sol";
import {SharedModel} from "./SharedModel.sol";

/// @title Makes shared models, and tells of them
/// @notice A model has one state here and never another:
///
/// | state | call        | by     | from | leads to                          |
/// | ----- | ----------- | ------ | ---- | --------------------------------- |
/// | none  | createModel | anyone | now  | made, the caller's, told of once  |
///
/// The contract holds no money and stores nothing.
contract SharedModelFactory is ISharedModelFactory {
    /// @inheritdoc ISharedModelFactory
    function createModel(IClassifier classifier, IIncentive incentive, address token, bytes32 task)
        external
        returns (ISharedModel model)
    {
        // All that tells two models apart is in the constructor's arguments.
        model = new SharedModel{salt: 0}(classifier, incentive, token, msg.sender, task);
        emit SharedModelCreated(model, msg.sender, task);
    }

    /// @inheritdoc ISharedModelFactory
    function version() external pure returns (uint256) {
        return 1;
    }
}
