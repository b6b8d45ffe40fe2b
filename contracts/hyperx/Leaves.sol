// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice All leaves of a tree, side by side in allocated memory, of which one word at the end is spare:
///
///     start     + 0x20                + 0x20 * count
///     +---------+---------+--     --+---------+
///     | leaf 0  | leaf 1  |   ...   | (spare) |
///     +---------+---------+--     --+---------+
///
/// The value says where and how many:
///
///      255   128 127     0
///     +---------+---------+
///     | count   | start   |
///     +---------+---------+
///
/// Whoever makes one writes every leaf before it asks for the {LeavesLib-root}, which uses the memory up.
type Leaves is uint256;

using LeavesLib for Leaves global;

library LeavesLib {
    /// @notice Memory for so many leaves; what it holds is undefined.
    function allocate(uint256 count_) internal pure returns (Leaves leaves) {
        assembly ("memory-safe") {
            let start_ := mload(0x40)
            mstore(0x40, add(start_, shl(5, add(count_, 1))))
            leaves := or(shl(128, count_), start_)
        }
    }

    function start(Leaves self) internal pure returns (uint256) {
        return uint128(Leaves.unwrap(self));
    }

    function count(Leaves self) internal pure returns (uint256) {
        return Leaves.unwrap(self) >> 128;
    }

    /// @notice Root over all leaves, of which there is one at least. Level by level in place: afterwards no leaf is there
    /// any more, and the memory is given back, unless something was allocated behind it.
    function root(Leaves self) internal pure returns (bytes32 root_) {
        uint256 nodes = self.start();
        uint256 leaves = self.count();
        assembly ("memory-safe") {
            for { let width := leaves } gt(width, 1) {} {
                let pairs := shr(1, width)
                let last := mload(add(nodes, shl(5, sub(width, 1))))
                let target := nodes
                let source := nodes
                // Two pairs a round; where one is too many, what it writes lies past the level and is not read.
                for { let end := add(nodes, shl(6, pairs)) } lt(source, end) { source := add(source, 0x80) } {
                    mstore(target, keccak256(source, 0x40))
                    mstore(add(target, 0x20), keccak256(add(source, 0x40), 0x40))
                    target := add(target, 0x40)
                }
                if and(width, 1) { mstore(add(nodes, shl(5, pairs)), last) }
                width := add(pairs, and(width, 1))
            }
            root_ := mload(nodes)
            // Up to 10,000 leaves: later calls would pay for memory that nobody reads.
            if eq(mload(0x40), add(nodes, shl(5, add(leaves, 1)))) { mstore(0x40, nodes) }
        }
    }
}
