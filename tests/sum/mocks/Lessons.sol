// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClassifier} from "../../../contracts/interfaces/IClassifier.sol";

/// @title A trainer that gives many lessons in one transaction
contract Lessons {
    /// @notice What a classifier predicted of each sample, asked before the lesson and told by it.
    event Taught(uint256[] asked, uint256[] told);

    function teach(IClassifier classifier, uint256[][] calldata samples, uint256[] calldata labels) external {
        uint256[] memory asked = new uint256[](samples.length);
        uint256[] memory told = new uint256[](samples.length);
        for (uint256 i = 0; i < samples.length; ++i) {
            asked[i] = classifier.predict(samples[i]);
            told[i] = classifier.learn(samples[i], labels[i]);
        }
        emit Taught(asked, told);
    }
}
