// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkCipher} from "../../contracts/exchange/ChunkCipher.sol";
import {ChunkDispute, ChunkEvidence} from "../../contracts/exchange/ChunkDispute.sol";
import {ChunkedFile} from "../../contracts/exchange/ChunkedFile.sol";
import {KeyDispute, KeyEvidence} from "../../contracts/exchange/KeyDispute.sol";

/// @title The internal functions of the fair exchange, callable from tests
contract ExchangeHarness {
    function domain(address seller, bytes32 label) external view returns (bytes32) {
        return ChunkedFile.domain(seller, label);
    }

    function keyHash(bytes32 domain_, bytes32 key) external pure returns (bytes32) {
        return ChunkedFile.keyHash(domain_, key);
    }

    function commitment(bytes32 domain_, uint256 length, uint256 chunkBytes, bytes32 cipherRoot, bytes32 plainRoot)
        external
        pure
        returns (bytes32)
    {
        return ChunkedFile.commitment(domain_, length, chunkBytes, cipherRoot, plainRoot);
    }

    function cipherLeaf(bytes32 domain_, uint256 index, bytes32 chunkHash) external pure returns (bytes32) {
        return ChunkedFile.cipherLeaf(domain_, index, chunkHash);
    }

    function plainLeaf(bytes32 domain_, bytes32 key, uint256 index, bytes32 chunkHash) external pure returns (bytes32) {
        return ChunkedFile.plainLeaf(domain_, key, index, chunkHash);
    }

    function count(uint256 length, uint256 chunkBytes) external pure returns (uint256) {
        return ChunkedFile.count(length, chunkBytes);
    }

    function sizeOf(uint256 length, uint256 chunkBytes, uint256 index) external pure returns (uint256) {
        return ChunkedFile.sizeOf(length, chunkBytes, index);
    }

    function root(uint256 count_, uint256 index, bytes32 leaf, bytes32[] calldata path)
        external
        pure
        returns (bytes32)
    {
        return ChunkedFile.root(count_, index, leaf, path);
    }

    function streamNonce(bytes32 domain_, bytes32 plainRoot) external pure returns (bytes32) {
        return ChunkCipher.nonce(domain_, plainRoot);
    }

    function plainHash(bytes32 key, bytes32 nonce_, uint256 index, bytes calldata chunk)
        external
        pure
        returns (bytes32)
    {
        return ChunkCipher.plainHash(key, nonce_, index, chunk);
    }

    function requireSpoilt(
        bytes32 domain_,
        bytes32 file,
        bytes32 keyHash_,
        bytes32 key,
        ChunkEvidence calldata evidence
    ) external pure {
        ChunkDispute.requireSpoilt(domain_, file, keyHash_, key, evidence);
    }

    function requireWrong(
        bytes32 domain_,
        bytes32 keyHash_,
        uint256 oneTimeKey,
        uint256 index,
        KeyEvidence calldata evidence
    ) external pure {
        KeyDispute.requireWrong(domain_, keyHash_, oneTimeKey, index, evidence);
    }
}
