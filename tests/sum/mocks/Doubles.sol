// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IClassifier} from "../../../contracts/interfaces/IClassifier.sol";
import {Claim, IIncentive} from "../../../contracts/interfaces/IIncentive.sol";

/// @title A classifier that answers what it is told to
contract ToldClassifier is IClassifier {
    uint256 public constant featureCount = 256;
    uint256 public constant maxActive = 256;
    uint256 public constant wordCount = 0;

    uint256 public classCount = 2;
    uint256 public answer;
    uint256 public lessons;

    /// @notice From now on every sample is of this class.
    function tell(uint256 answer_) external {
        answer = answer_;
    }

    /// @notice From now on there are so many classes.
    function count(uint256 classes) external {
        classCount = classes;
    }

    function version() external pure returns (uint256) {
        return 2;
    }

    function learn(uint256[] calldata, uint256 label) external returns (uint256) {
        require(label < classCount, LabelOutOfRange(label, classCount));
        ++lessons;
        return answer;
    }

    function predict(uint256[] calldata) external view returns (uint256) {
        return answer;
    }

    function initialise(uint256, uint256[] calldata) external {}

    function open(address) external {}

    function exportWords(uint256, uint256) external pure returns (uint256[] memory words) {}
}

/// @title An incentive without waits or verdicts: deposit 100 unless told, cost 7, and a share that it is told
contract ToldIncentive is IIncentive {
    uint256 public share;
    uint256 public deposit = 100;

    function ask(uint256 deposit_) external {
        deposit = deposit_;
    }

    function tell(uint256 share_) external {
        share = share_;
    }

    function version() external pure returns (uint256) {
        return 2;
    }

    function incomeWait() external pure returns (uint256) {
        return 0;
    }

    function servesClassifier(IClassifier) external pure returns (bool) {
        return true;
    }

    function required(uint256[] calldata, uint256, uint256) external view returns (uint256, uint256) {
        return (deposit, 7);
    }

    function onAdd(address, uint256[] calldata, uint256, uint256) external view returns (uint256, uint256) {
        return (deposit, 7);
    }

    function onAnnounce(Claim calldata) external {}

    function onObject(Claim calldata, bool) external {}

    function onRefund(Claim calldata) external view returns (uint256) {
        return share;
    }

    function onReport(Claim calldata) external view returns (uint256) {
        return share;
    }

    function onTakeOver(Claim calldata) external view returns (uint256) {
        return share;
    }
}
