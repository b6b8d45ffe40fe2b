// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITradingSession, WrongDelivery, WrongKey} from "../interfaces/ITradingSession.sol";
import {Bitmap} from "../exchange/Bitmap.sol";
import {KeyDispute} from "../exchange/KeyDispute.sol";
import {MerkleTree} from "../exchange/MerkleTree.sol";
import {SealedKey} from "../exchange/SealedKey.sol";
import {Profile} from "./Profile.sol";
import {Shards} from "./Shards.sol";

/// @title Whether a collector's evidence proves that a provider sealed a key other than the committed one
/// @notice Both checks pass only if what was sealed to the collector's one-time key misses a committed leaf of the key tree.
/// A sender's point that does not exist counts as a wrong key: nothing that it sealed could be opened.
library Evidence {
    /// @dev Where the session key has its pad; no shard has this index.
    uint256 internal constant SESSION_KEY_INDEX = type(uint256).max;

    /// @notice Passes only if the review sealed a key for `evidence.shard` that does not hash to the committed leaf.
    /// @dev Requirements as in {ITradingSession-proveWrongKey}.
    function checkReview(uint256 shardCount, address provider, Profile profile, WrongKey calldata evidence)
        internal
        view
    {
        {
            bytes26 sample =
                Shards.fold(Shards.rootsHash(evidence.keyRoot, evidence.addressRoot), Bitmap.hash(evidence.bitmap));
            bytes32 review = Shards.reviewHash(evidence.oneTimeKey, evidence.ephemeralX, evidence.sealedKeys);
            profile.requireCommitted(Shards.fold(sample, review));
        }
        bool shared = KeyDispute.sharesPoint(
            evidence.oneTimeKey, evidence.oneTimeSecret, evidence.ephemeralX, evidence.sharedX, evidence.sharedY
        );
        if (!shared) return;

        (bool sampled, uint256 k) = Bitmap.rank(evidence.bitmap, evidence.shard);
        require(sampled, ITradingSession.ShardNotSampled(evidence.shard));
        _requireLeaf(shardCount, evidence.keyRoot, evidence.shard, evidence.leaf, evidence.path);
        bytes32 key = evidence.sealedKeys[k] ^ SealedKey.pad(evidence.sharedX, evidence.shard);
        _requireOther(provider, evidence.shard, key, evidence.leaf);
    }

    /// @notice Passes only if the committed key of `evidence.shard` does not derive from the delivered session key.
    /// @dev Requirements as in {ITradingSession-proveWrongDelivery}.
    function checkDelivery(uint256 shardCount, address provider, Profile profile, WrongDelivery calldata evidence)
        internal
        view
    {
        {
            bytes26 sample = Shards.fold(Shards.rootsHash(evidence.keyRoot, evidence.addressRoot), evidence.sampleHash);
            bytes32 review = Shards.reviewHash(evidence.oneTimeKey, evidence.reviewX, evidence.reviewKeysHash);
            bytes32 delivery = Shards.deliveryHash(evidence.ephemeralX, evidence.sealedKey);
            profile.requireCommitted(Shards.fold(Shards.fold(sample, review), delivery));
        }
        bool shared = KeyDispute.sharesPoint(
            evidence.oneTimeKey, evidence.oneTimeSecret, evidence.ephemeralX, evidence.sharedX, evidence.sharedY
        );
        if (!shared) return;

        // Beyond the tree the walk finds other siblings or none, and would take an inner node, even the root, for a leaf.
        require(evidence.shard < shardCount, ITradingSession.ShardOutOfRange(evidence.shard, shardCount));
        _requireLeaf(shardCount, evidence.keyRoot, evidence.shard, evidence.leaf, evidence.path);
        bytes32 sessionKey = evidence.sealedKey ^ SealedKey.pad(evidence.sharedX, SESSION_KEY_INDEX);
        bytes32 key = Shards.shardKey(provider, sessionKey, evidence.shard);
        _requireOther(provider, evidence.shard, key, evidence.leaf);
    }

    function _requireLeaf(uint256 shardCount, bytes32 keyRoot, uint256 shard, bytes32 leaf, bytes32[] calldata path)
        private
        pure
    {
        bytes32 root = MerkleTree.pathRoot(shardCount, shard, leaf, path);
        require(root == keyRoot, ITradingSession.LeafNotInTree(keyRoot, root));
    }

    function _requireOther(address provider, uint256 shard, bytes32 key, bytes32 leaf) private view {
        bytes32 delivered = MerkleTree.leaf(Shards.domain(Shards.KEY_TYPE, provider), shard, key);
        require(delivered != leaf, ITradingSession.KeyIsRight(shard));
    }
}
