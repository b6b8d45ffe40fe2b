// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MerkleTree} from "../exchange/MerkleTree.sol";

/// @notice Those nodes of a tree's level that are known, in ascending order, as pairs in allocated memory:
///
///     start     + 0x20    + 0x40    + 0x60
///     +---------+---------+---------+---------+--
///     | index   | node    | index   | node    | ...
///     +---------+---------+---------+---------+--
///
/// The value says where:
///
///      255   128 127     0
///     +---------+---------+
///     | end     | start   |
///     +---------+---------+
///
/// Whoever makes one pushes as many leaves as it allocated before it asks for the {KnownNodesLib-root}, which uses the
/// memory up.
type KnownNodes is uint256;

using KnownNodesLib for KnownNodes global;

library KnownNodesLib {
    /// @notice None yet, with memory for so many.
    function allocate(uint256 most) internal pure returns (KnownNodes nodes) {
        assembly ("memory-safe") {
            let start_ := mload(0x40)
            mstore(0x40, add(start_, shl(6, most)))
            nodes := or(shl(128, start_), start_)
        }
    }

    function start(KnownNodes self) internal pure returns (uint256) {
        return uint128(KnownNodes.unwrap(self));
    }

    function end(KnownNodes self) internal pure returns (uint256) {
        return KnownNodes.unwrap(self) >> 128;
    }

    /// @notice With one more, whose index is above all before.
    function push(KnownNodes self, uint256 index, bytes32 node) internal pure returns (KnownNodes nodes) {
        uint256 at = self.end();
        assembly ("memory-safe") {
            mstore(at, index)
            mstore(add(at, 0x20), node)
            nodes := add(self, shl(128, 0x40))
        }
    }

    /// @notice Root of the tree of `count` leaves that the nodes, as its leaves, and the proof yield. Level by level in
    /// place: afterwards no node is there any more, and the memory is given back, unless something was allocated behind
    /// it.
    /// @dev There is one node at least. Requirements:
    /// - the proof holds exactly the missing siblings (MerkleTree: ProofLength)
    /// @param proof siblings in the order in which the walk from the left asks for them, level by level
    function root(KnownNodes self, uint256 count, bytes32[] calldata proof) internal pure returns (bytes32 root_) {
        uint256 first = self.start();
        uint256 last = self.end();
        uint256 used;
        assembly ("memory-safe") {
            let behind := last
            // Reading past the proof does no harm: the count of siblings is compared below.
            let sibling := proof.offset
            for { let width := count } gt(width, 1) { width := shr(1, add(width, 1)) } {
                let target := first
                for { let source := first } lt(source, last) {} {
                    let index := mload(source)
                    let node := mload(add(source, 0x20))
                    source := add(source, 0x40)
                    switch and(index, 1)
                    case 1 {
                        // A right child whose left sibling is not known.
                        mstore(0x00, calldataload(sibling))
                        mstore(0x20, node)
                        node := keccak256(0x00, 0x40)
                        sibling := add(sibling, 0x20)
                    }
                    default {
                        let right := add(index, 1)
                        // The last node of an odd level has no sibling and stays as it is.
                        if lt(right, width) {
                            mstore(0x00, node)
                            switch and(lt(source, last), eq(mload(source), right))
                            case 1 {
                                mstore(0x20, mload(add(source, 0x20)))
                                source := add(source, 0x40)
                            }
                            default {
                                mstore(0x20, calldataload(sibling))
                                sibling := add(sibling, 0x20)
                            }
                            node := keccak256(0x00, 0x40)
                        }
                    }
                    mstore(target, shr(1, index))
                    mstore(add(target, 0x20), node)
                    target := add(target, 0x40)
                }
                last := target
            }
            root_ := mload(add(first, 0x20))
            used := shr(5, sub(sibling, proof.offset))
            if eq(mload(0x40), behind) { mstore(0x40, first) }
        }
        require(used == proof.length, MerkleTree.ProofLength(proof.length, used));
    }
}
