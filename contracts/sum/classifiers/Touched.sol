// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice A word of a model that a sample touches, between reading and writing: where its entry lies in a list in
/// allocated memory. An entry says where in storage the word is, its lanes, and which of them the sample's features
/// select. Before the first one stands where the list's memory ends.
///
///     - 0x20    first     + 0x20    + 0x40    + 0x60
///     +---------+---------+---------+---------+--
///     | limit   | slot    | lanes   | ones    | ...
///     +---------+---------+---------+---------+--
///
/// The place behind the last entry ends the list.
type Touched is uint256;

using TouchedLib for Touched global;
using {isBefore as <} for Touched global;

function isBefore(Touched one, Touched other) pure returns (bool) {
    return Touched.unwrap(one) < Touched.unwrap(other);
}

library TouchedLib {
    /// @dev Bytes of an entry.
    uint256 private constant SIZE = 0x60;

    /// @notice Where the first entry of a new list goes, which has memory for `most`.
    function allocate(uint256 most) internal pure returns (Touched first) {
        assembly ("memory-safe") {
            let header := mload(0x40)
            first := add(header, 0x20)
            let limit := add(first, mul(most, SIZE))
            mstore(header, limit)
            mstore(0x40, limit)
        }
    }

    /// @notice Ends a list: gives back the memory that no entry took, unless something was allocated behind it.
    /// @param end behind the last entry; nothing can be added there any more
    function close(Touched first, Touched end) internal pure {
        assembly ("memory-safe") {
            if eq(mload(0x40), mload(sub(first, 0x20))) { mstore(0x40, end) }
        }
    }

    /// @notice Reads a slot, and writes the entry; the list must have memory for it.
    /// @param bias flips those bits of the word to make lanes of it
    /// @return behind where the next entry goes
    /// @return lanes what was read
    function load(Touched self, uint256 slot, uint256 bias, uint256 ones)
        internal
        view
        returns (Touched behind, uint256 lanes)
    {
        assembly ("memory-safe") {
            // An array's own check of the index would cost 30 gas a word; callers derive slots from checked samples.
            lanes := xor(sload(slot), bias)
            mstore(self, slot)
            mstore(add(self, 0x20), lanes)
            mstore(add(self, 0x40), ones)
            behind := add(self, SIZE)
        }
    }

    function next(Touched self) internal pure returns (Touched) {
        unchecked {
            return Touched.wrap(Touched.unwrap(self) + SIZE);
        }
    }

    function read(Touched self) internal pure returns (uint256 lanes, uint256 ones) {
        assembly ("memory-safe") {
            lanes := mload(add(self, 0x20))
            ones := mload(add(self, 0x40))
        }
    }

    /// @notice Writes other lanes back to the slot; the entry keeps the old ones.
    /// @param bias as the word was read with
    function store(Touched self, uint256 bias, uint256 lanes) internal {
        assembly ("memory-safe") {
            sstore(mload(self), xor(lanes, bias))
        }
    }
}
