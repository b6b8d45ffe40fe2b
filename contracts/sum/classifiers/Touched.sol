// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The words of a model that a sample touches, kept in memory between reading and writing
/// @notice A list of (slot, lanes, ones): where in storage a word lies, its lanes, and which of them the sample's
/// features select. It grows at the free memory pointer, so nothing else may be allocated between {begin} and {end}.
library Touched {
    /// @dev Bytes of an entry.
    uint256 internal constant SIZE = 0x60;

    /// @notice Where the list begins.
    function begin() internal pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := mload(0x40)
        }
    }

    /// @notice Reads a slot, and writes the entry at `at`.
    /// @param bias flips those bits of the word to make lanes of it
    /// @return next where the next entry goes
    /// @return lanes what was read
    function load(uint256 at, uint256 slot, uint256 bias, uint256 ones)
        internal
        view
        returns (uint256 next, uint256 lanes)
    {
        assembly ("memory-safe") {
            // An array's own check of the index would cost 30 gas a word; callers derive slots from checked samples.
            lanes := xor(sload(slot), bias)
            mstore(at, slot)
            mstore(add(at, 0x20), lanes)
            mstore(add(at, 0x40), ones)
            next := add(at, SIZE)
        }
    }

    /// @notice Makes the list up to `at` allocated memory.
    function end(uint256 at) internal pure {
        assembly ("memory-safe") {
            mstore(0x40, at)
        }
    }

    /// @notice The entry at `at`.
    function read(uint256 at) internal pure returns (uint256 lanes, uint256 ones) {
        assembly ("memory-safe") {
            lanes := mload(add(at, 0x20))
            ones := mload(add(at, 0x40))
        }
    }

    /// @notice Writes other lanes back to the slot of the entry at `at`.
    function store(uint256 at, uint256 bias, uint256 lanes) internal {
        assembly ("memory-safe") {
            sstore(mload(at), xor(lanes, bias))
        }
    }
}
