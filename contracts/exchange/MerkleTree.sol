// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice Where what is known of a tree's level lies in memory: pairs in ascending order of their indices.
///
///     first     + 0x20    + 0x40    + 0x60
///     +---------+---------+---------+---------+--
///     | index   | node    | index   | node    | ...
///     +---------+---------+---------+---------+--
///
/// The pairs lie past the free memory pointer and are not allocated. From the first pair until {MerkleTree-rootOf} has
/// used them up, whoever holds such a value allocates no memory.
type KnownNodes is uint256;

/// @title Merkle trees of any width whose leaves are bound to their places
/// @notice A leaf is the hash of three words, a node the hash of two, so neither passes for the other. A level of odd
/// width hands its last node up unchanged. How many siblings a path holds follows from the count of leaves and the index,
/// so a path of any other length is refused. offchain/crypto/commitments.py is this file's twin.
library MerkleTree {
    error ProofLength(uint256 given, uint256 used);

    /// @notice Leaf `index` of a tree in `domain`.
    function leaf(bytes32 domain, uint256 index, bytes32 value) internal pure returns (bytes32) {
        return keccak256(abi.encode(domain, index, value));
    }

    /// @notice Root that one leaf and its siblings from the leaf upwards yield.
    /// @dev `index` is below `count`. Requirements:
    /// - the path holds exactly the siblings (ProofLength)
    function pathRoot(uint256 count, uint256 index, bytes32 leaf_, bytes32[] calldata path)
        internal
        pure
        returns (bytes32)
    {
        KnownNodes first;
        KnownNodes end;
        assembly ("memory-safe") {
            first := mload(0x40)
            mstore(first, index)
            mstore(add(first, 0x20), leaf_)
            end := add(first, 0x40)
        }
        return rootOf(first, end, count, path);
    }

    /// @notice Root that the leaves in memory [first, end), of which there is one at least, and the proof yield.
    /// @dev Requirements:
    /// - the proof holds exactly the missing siblings (ProofLength)
    /// @param count how many leaves the tree has
    /// @param proof siblings in the order in which the walk from the left asks for them, level by level
    function rootOf(KnownNodes first, KnownNodes end, uint256 count, bytes32[] calldata proof)
        internal
        pure
        returns (bytes32 root)
    {
        uint256 used;
        assembly ("memory-safe") {
            // Reading past the proof does no harm: the count of siblings is compared below.
            let sibling := proof.offset
            for { let width := count } gt(width, 1) { width := shr(1, add(width, 1)) } {
                let target := first
                for { let source := first } lt(source, end) {} {
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
                            switch and(lt(source, end), eq(mload(source), right))
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
                end := target
            }
            root := mload(add(first, 0x20))
            used := shr(5, sub(sibling, proof.offset))
        }
        require(used == proof.length, ProofLength(proof.length, used));
    }
}
