// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkCipher} from "./ChunkCipher.sol";
import {ChunkedFile} from "./ChunkedFile.sol";

/// @notice One chunk of a file, and where it lies.
/// @param length bytes of the file
/// @param chunkBytes bytes of a chunk
/// @param index which chunk
/// @param chunk the chunk as it was encrypted
/// @param plainLeaf what the plain tree has at `index`
/// @param cipherPath siblings from the encrypted chunk's leaf to the cipher root
/// @param plainPath siblings from `plainLeaf` to the plain root
struct ChunkEvidence {
    uint256 length;
    uint256 chunkBytes;
    uint256 index;
    bytes chunk;
    bytes32 plainLeaf;
    bytes32[] cipherPath;
    bytes32[] plainPath;
}

/// @title Whether a chunk of a file is what the seller committed to, when it is decrypted by the right key
library ChunkDispute {
    error NotTheKey(bytes32 committed, bytes32 given);
    error ChunkOutOfRange(uint256 index, uint256 count);
    error WrongChunkLength(uint256 given, uint256 needed);
    error NotInFile(bytes32 committed, bytes32 given);
    error ChunkIsRight(uint256 index);

    /// @notice Passes only if the chunk at `evidence.index` does not decrypt to the committed plain chunk.
    /// @dev Requirements: `key` is the committed one (NotTheKey); the file has such a chunk (ChunkOutOfRange) of that many
    /// bytes (WrongChunkLength); both paths are as long as the size asks (ProofLength) and lead to the file's commitment
    /// (NotInFile); the chunk is spoilt (ChunkIsRight).
    /// @param domain of the file, ChunkedFile.domain
    /// @param file commitment to the file
    /// @param keyHash commitment to its key
    function requireSpoilt(bytes32 domain, bytes32 file, bytes32 keyHash, bytes32 key, ChunkEvidence calldata evidence)
        internal
        pure
    {
        bytes32 given = ChunkedFile.keyHash(domain, key);
        require(given == keyHash, NotTheKey(keyHash, given));
        uint256 index = evidence.index;
        uint256 count = ChunkedFile.count(evidence.length, evidence.chunkBytes);
        require(index < count, ChunkOutOfRange(index, count));
        uint256 size = ChunkedFile.sizeOf(evidence.length, evidence.chunkBytes, index);
        require(evidence.chunk.length == size, WrongChunkLength(evidence.chunk.length, size));

        bytes32 leaf = ChunkedFile.cipherLeaf(domain, index, keccak256(evidence.chunk));
        bytes32 cipherRoot = ChunkedFile.root(count, index, leaf, evidence.cipherPath);
        bytes32 plainRoot = ChunkedFile.root(count, index, evidence.plainLeaf, evidence.plainPath);
        given = ChunkedFile.commitment(domain, evidence.length, evidence.chunkBytes, cipherRoot, plainRoot);
        require(given == file, NotInFile(file, given));

        bytes32 plain = ChunkCipher.plainHash(key, ChunkCipher.nonce(domain, plainRoot), index, evidence.chunk);
        require(ChunkedFile.plainLeaf(domain, key, index, plain) != evidence.plainLeaf, ChunkIsRight(index));
    }
}
