// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SelfInformation} from "../../../contracts/sum/incentives/SelfInformation.sol";

/// @title The functions of SelfInformation, callable from tests
contract Information {
    function bitsOf(uint256 n, uint256 d) external pure returns (uint256) {
        return SelfInformation.bitsOf(n, d);
    }

    /// @notice Of many quotients at once.
    function bitsOfAll(uint256[] calldata ns, uint256[] calldata ds) external pure returns (uint256[] memory bits) {
        bits = new uint256[](ns.length);
        for (uint256 i = 0; i < ns.length; ++i) {
            bits[i] = SelfInformation.bitsOf(ns[i], ds[i]);
        }
    }
}
