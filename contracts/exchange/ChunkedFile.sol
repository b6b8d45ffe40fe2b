// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MerkleTree} from "./MerkleTree.sol";

/// @title What a seller commits to: a file in chunks, encrypted and plain, and the key between them
/// @notice A file of `length` bytes is cut into chunks of `chunkBytes`, the last one may be shorter. Two trees commit to
/// it: leaf i of the cipher tree binds i and the encrypted chunk, leaf i of the plain tree binds i, the key and the plain
/// chunk. Without the key a plain leaf says nothing of its chunk, so all of them are published beside the encrypted
/// chunks: who buys checks both lists against the commitment before it pays, and has every path it may need afterwards.
///
/// Everything is bound to a domain: chain, contract, seller and what the contract calls the file. Leaves are hashed twice
/// and nodes are hashes of two words, so neither passes for the other; a level of odd width hands its last node up
/// unchanged (MerkleTree.pathRoot). The count of chunks follows from the shape in the commitment, and the length of a path
/// from count and index, so a path of any other length is refused at any size.
///
/// A client refuses files outside these bounds before it pays: 32 to 16,384 bytes a chunk, a multiple of 32; 1 to
/// 1,048,576 chunks. offchain/crypto/disputable.py is this file's twin.
library ChunkedFile {
    bytes32 private constant DOMAIN_TYPE = keccak256("souk.file.domain.v1");
    bytes32 private constant KEY_TYPE = keccak256("souk.file.key.v1");
    bytes32 private constant FILE_TYPE = keccak256("souk.file.v1");
    bytes32 private constant CIPHER_TYPE = keccak256("souk.file.cipher.v1");
    bytes32 private constant PLAIN_TYPE = keccak256("souk.file.plain.v1");

    /// @notice What separates one file's commitments from all others.
    /// @param label what this contract calls the file among the seller's; hashes with a type of their own
    function domain(address seller, bytes32 label) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPE, block.chainid, address(this), seller, label));
    }

    /// @notice The commitment to a file's key.
    function keyHash(bytes32 domain_, bytes32 key) internal pure returns (bytes32) {
        return keccak256(abi.encode(KEY_TYPE, domain_, key));
    }

    /// @notice The commitment to a file: its shape and both roots.
    function commitment(bytes32 domain_, uint256 length, uint256 chunkBytes, bytes32 cipherRoot, bytes32 plainRoot)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(FILE_TYPE, domain_, length, chunkBytes, cipherRoot, plainRoot));
    }

    /// @notice Leaf `index` of the cipher tree.
    function cipherLeaf(bytes32 domain_, uint256 index, bytes32 chunkHash) internal pure returns (bytes32) {
        return _leaf(CIPHER_TYPE, domain_, index, chunkHash);
    }

    /// @notice Leaf `index` of the plain tree.
    function plainLeaf(bytes32 domain_, bytes32 key, uint256 index, bytes32 chunkHash) internal pure returns (bytes32) {
        return _leaf(PLAIN_TYPE, domain_, index, keccak256(abi.encode(PLAIN_TYPE, key, chunkHash)));
    }

    /// @notice How many chunks a file has; none if its shape is nonsense.
    function count(uint256 length, uint256 chunkBytes) internal pure returns (uint256) {
        return length == 0 || chunkBytes == 0 ? 0 : (length - 1) / chunkBytes + 1;
    }

    /// @notice How many bytes chunk `index` has, which must be below the count.
    function sizeOf(uint256 length, uint256 chunkBytes, uint256 index) internal pure returns (uint256) {
        uint256 rest = length - index * chunkBytes;
        return rest < chunkBytes ? rest : chunkBytes;
    }

    /// @notice Root that leaf `index` of `count_` and its siblings yield.
    /// @dev Requirements: the path holds exactly the siblings (ProofLength). `index` is below `count_`.
    function root(uint256 count_, uint256 index, bytes32 leaf, bytes32[] calldata path)
        internal
        pure
        returns (bytes32)
    {
        return MerkleTree.pathRoot(count_, index, leaf, path);
    }

    function _leaf(bytes32 kind, bytes32 domain_, uint256 index, bytes32 value) private pure returns (bytes32) {
        bytes32 tree = keccak256(abi.encode(kind, domain_));
        return keccak256(abi.encode(MerkleTree.leaf(tree, index, value)));
    }
}
