// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SealedKey} from "../../contracts/exchange/SealedKey.sol";
import {Evidence} from "../../contracts/hyperx/Evidence.sol";
import {Bitmap} from "../../contracts/exchange/Bitmap.sol";
import {MerkleTree} from "../../contracts/exchange/MerkleTree.sol";
import {Shards} from "../../contracts/hyperx/Shards.sol";

/// @title The internal functions of Shards, Bitmap and SealedKey, callable from tests
contract ShardsHarness {
    function keyRoot(address provider, bytes32 sessionKey, uint256 count) external view returns (bytes32) {
        return Shards.keyRoot(provider, sessionKey, count);
    }

    function addressRoot(address provider, bytes32[] calldata addresses) external view returns (bytes32) {
        return Shards.addressRoot(provider, addresses);
    }

    function multiproofRoot(
        address provider,
        uint256 count,
        uint256[] calldata bitmap,
        bytes32[] calldata addresses,
        bytes32[] calldata proof
    ) external view returns (bytes32) {
        return Shards.multiproofRoot(provider, count, bitmap, addresses, proof);
    }

    function pathRoot(uint256 count, uint256 index, bytes32 leaf, bytes32[] calldata path)
        external
        pure
        returns (bytes32)
    {
        return MerkleTree.pathRoot(count, index, leaf, path);
    }

    function keyLeaf(address provider, uint256 index, bytes32 key) external view returns (bytes32) {
        return MerkleTree.leaf(Shards.domain(Shards.KEY_TYPE, provider), index, key);
    }

    function rootsHash(bytes32 keys, bytes32 addresses) external pure returns (bytes26) {
        return Shards.rootsHash(keys, addresses);
    }

    function fold(bytes26 commitment, bytes32 pledge) external pure returns (bytes26) {
        return Shards.fold(commitment, pledge);
    }

    function reviewHash(uint256 oneTimeKey, uint256 ephemeralX, bytes32[] calldata sealedKeys)
        external
        pure
        returns (bytes32)
    {
        return Shards.reviewHash(oneTimeKey, ephemeralX, sealedKeys);
    }

    function deliveryHash(uint256 ephemeralX, bytes32 sealedKey) external pure returns (bytes32) {
        return Shards.deliveryHash(ephemeralX, sealedKey);
    }

    function shardKey(address provider, bytes32 sessionKey, uint256 index) external view returns (bytes32) {
        return Shards.shardKey(provider, sessionKey, index);
    }

    function sessionKeyIndex() external pure returns (uint256) {
        return Evidence.SESSION_KEY_INDEX;
    }

    function size(uint256[] calldata bitmap, uint256 count) external pure returns (uint256) {
        return Bitmap.size(bitmap, count);
    }

    function rank(uint256[] calldata bitmap, uint256 i) external pure returns (bool contained, uint256 before) {
        return Bitmap.rank(bitmap, i);
    }

    function bitmapHash(uint256[] calldata bitmap) external pure returns (bytes32) {
        return Bitmap.hash(bitmap);
    }

    function draw(bytes32 seed, uint256 count, uint256 wanted) external pure returns (uint256[] memory) {
        return Bitmap.draw(seed, count, wanted);
    }

    function drawFurther(bytes32 seed, uint256[] memory bitmap, uint256 count, uint256 wanted)
        external
        pure
        returns (uint256[] memory)
    {
        Bitmap.drawFurther(seed, bitmap, count, wanted);
        return bitmap;
    }

    function popCount(uint256 x) external pure returns (uint256) {
        return Bitmap.popCount(x);
    }

    function isOnCurve(uint256 x, uint256 y) external pure returns (bool) {
        return SealedKey.isOnCurve(x, y);
    }

    function account(uint256 x, uint256 y) external pure returns (address) {
        return SealedKey.account(x, y);
    }

    function drawCommitment(address provider, bytes32 secret) external view returns (bytes32) {
        return Shards.drawCommitment(provider, secret);
    }

    function drawSeed(address provider, bytes32 secret, bytes32 blockHash) external view returns (bytes32) {
        return Shards.drawSeed(provider, secret, blockHash);
    }

    function furtherSeed(address provider, uint256 oneTimeKey) external view returns (bytes32) {
        return Shards.furtherSeed(provider, oneTimeKey);
    }

    function isSecretOf(uint256 secret, uint256 x) external pure returns (bool) {
        return SealedKey.isSecretOf(secret, x);
    }

    function isAccountOf(address account_, uint256 x, uint256 y) external pure returns (bool) {
        return SealedKey.isAccountOf(account_, x, y);
    }

    function productAccount(uint256 secret, uint256 x) external pure returns (address) {
        return SealedKey.productAccount(secret, x);
    }

    function pad(uint256 sharedX, uint256 index) external pure returns (bytes32) {
        return SealedKey.pad(sharedX, index);
    }
}
