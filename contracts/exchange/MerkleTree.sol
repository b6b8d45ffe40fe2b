// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

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
        returns (bytes32 node)
    {
        node = leaf_;
        uint256 used = 0;
        // Widths and indices only fall, and there are at most 256 siblings.
        unchecked {
            for (uint256 width = count; width > 1; width -= width >> 1) {
                bool isRight = index & 1 == 1;
                // The last node of an odd level has no sibling and stays as it is.
                if (isRight || index + 1 < width) {
                    // One that is missing may be anything: the count of siblings is compared below.
                    bytes32 sibling = used < path.length ? path[used] : bytes32(0);
                    node = isRight ? Hashes.efficientKeccak256(sibling, node) : Hashes.efficientKeccak256(node, sibling);
                    ++used;
                }
                index >>= 1;
            }
        }
        require(used == path.length, ProofLength(path.length, used));
    }
}
