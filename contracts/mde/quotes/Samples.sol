// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkDispute} from "../../exchange/ChunkDispute.sol";
import {ChunkedFile} from "../../exchange/ChunkedFile.sol";

/// @notice One sample of a dataset, decrypted, and where it lies.
/// @param index which sample
/// @param chunk its chunk in the clear, padding and all
/// @param path siblings from its leaf to the plain root
struct SampleEvidence {
    uint256 index;
    bytes chunk;
    bytes32[] path;
}

/// @title The samples of a dataset, one in each of the first chunks of its file
/// @notice A sample is its label, 2 bytes, then its values, `valueBytes` each, all unsigned and big-endian. Pixels are one
/// byte. Features are four, the order-preserving image of a binary32: what lies in the file compares
/// as whole numbers just as the floats do. One chunk per sample ties a sample to the file by the leaf that the fair
/// exchange has anyway, so no second tree can disagree with the first.
///
/// What is sold of a sample that was encoded is the original file. Its bytes lie in further chunks, and after the sample
/// its chunk says which chunk is the first, how many bytes, and their SHA-256. So one leaf binds what is priced and what is
/// sold, and one key opens both, while a proof about a sample hashes a chunk, however large the original. That an original
/// is what was encoded no contract can tell: it would have to decode it. Zeros fill the chunks.
///
/// Chunks hold samples as they are, with no second cipher inside: else the contract could not read them. What keeps them
/// secret before the sale is ChunkCipher alone, keccak256 in counter mode. offchain/mde/verifiable/encoding.py is this
/// file's twin.
library Samples {
    error SampleOutOfRange(uint256 index, uint256 count);
    error NotInDataset(bytes32 committed, bytes32 given);
    error FeatureOutOfRange(uint256 feature, uint256 features);
    error SamePlace(uint256 index);
    error SamplesDiffer(bytes32 first, bytes32 second);

    uint256 private constant LABEL_BYTES = 2;

    /// @notice Bytes of a sample without what fills its chunk.
    function size(uint256 features, uint256 valueBytes) internal pure returns (uint256) {
        return LABEL_BYTES + features * valueBytes;
    }

    /// @notice The label of a sample.
    function label(bytes calldata chunk) internal pure returns (uint256) {
        return uint16(bytes2(chunk[:LABEL_BYTES]));
    }

    /// @notice Value `feature` of a sample.
    /// @dev Requirements: a sample has so many values (FeatureOutOfRange). The chunk must be as long as a sample.
    function value(bytes calldata chunk, uint256 feature, uint256 features, uint256 valueBytes)
        internal
        pure
        returns (uint256)
    {
        require(feature < features, FeatureOutOfRange(feature, features));
        uint256 start = size(feature, valueBytes);
        return uint256(bytes32(chunk[start:start + valueBytes])) >> (256 - 8 * valueBytes);
    }

    /// @notice Passes only if the sample is what the file's plain tree has at its place.
    /// @dev `sample.index` is below `chunks`. Requirements: its chunk has the right length (WrongChunkLength), the path is
    /// as long as the place asks (ProofLength) and leads to the commitment (NotInDataset).
    /// @param domain of the file, ChunkedFile.domain
    /// @param file commitment to the file, of `chunks` chunks of `chunkBytes`
    /// @param key the file's key; no other one yields the leaf
    /// @param cipherRoot root over its encrypted chunks
    function requireIn(
        bytes32 domain,
        bytes32 file,
        uint256 chunks,
        uint256 chunkBytes,
        bytes32 key,
        bytes32 cipherRoot,
        SampleEvidence calldata sample
    ) internal pure {
        uint256 length = sample.chunk.length;
        require(length == chunkBytes, ChunkDispute.WrongChunkLength(length, chunkBytes));
        bytes32 leaf = ChunkedFile.plainLeaf(domain, key, sample.index, keccak256(sample.chunk));
        bytes32 plainRoot = ChunkedFile.root(chunks, sample.index, leaf, sample.path);
        bytes32 given = ChunkedFile.commitment(domain, chunks * chunkBytes, chunkBytes, cipherRoot, plainRoot);
        require(given == file, NotInDataset(file, given));
    }

    /// @notice Passes only if two samples are equal, label and values, at two places.
    /// @dev Requirements: two places (SamePlace), one sample (SamplesDiffer). What fills the chunks does not matter.
    /// @param bytes_ bytes of a sample, {size}
    function requireSame(SampleEvidence calldata first, SampleEvidence calldata second, uint256 bytes_) internal pure {
        require(first.index != second.index, SamePlace(first.index));
        (bytes32 a, bytes32 b) = (keccak256(first.chunk[:bytes_]), keccak256(second.chunk[:bytes_]));
        require(a == b, SamplesDiffer(a, b));
    }
}
