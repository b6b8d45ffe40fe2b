// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Bounds of every time that terms set
/// @notice A window is a time in which a party must act, in seconds. Below the shortest an honest party can be too late
/// without fault: a block may be full, a node may lag. Above the longest the other side's money is locked.
library Window {
    uint256 internal constant SHORTEST = 10 minutes;
    uint256 internal constant LONGEST = 30 days;

    error WindowOutOfRange(uint256 window, uint256 shortest, uint256 longest);

    /// @notice Passes only for SHORTEST to LONGEST seconds (WindowOutOfRange).
    function check(uint256 window) internal pure {
        require(window >= SHORTEST && window <= LONGEST, WindowOutOfRange(window, SHORTEST, LONGEST));
    }
}
