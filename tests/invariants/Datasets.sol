// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Delivery, Review, WrongDelivery, WrongKey} from "../../contracts/interfaces/ITradingSession.sol";
import {Base, Vm} from "./Base.sol";
import {PlainShards} from "./PlainShards.sol";

/// @title What providers and collectors make off chain, made in Solidity
abstract contract Datasets is Base {
    uint256 internal constant FIELD = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F;
    uint256 internal constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    /// @dev The collector's one-time secret and the provider's ephemeral one; what they protect is nothing here.
    uint256 private constant ONE_TIME_SECRET = 0xc011ec704;
    uint256 private constant EPHEMERAL_SECRET = 0x940f1de4;

    Vm.Wallet internal oneTimeKey;
    Vm.Wallet private _ephemeral;
    Vm.Wallet private _shared;

    /// @dev Multiplies the points once; all reviews of these tests use them.
    function _makeKeys() internal {
        oneTimeKey = _evenKey(ONE_TIME_SECRET);
        _ephemeral = _evenKey(EPHEMERAL_SECRET);
        _shared = vm.createWallet(mulmod(oneTimeKey.privateKey, _ephemeral.privateKey, ORDER));
    }

    /// @dev The key of the secret or of its negative, whichever has the even y.
    function _evenKey(uint256 secret) private returns (Vm.Wallet memory key) {
        key = vm.createWallet(secret);
        if (key.publicKeyY % 2 == 1) key = vm.createWallet(ORDER - secret);
    }

    function _sessionKey(PlainShards.Party memory party) internal pure returns (bytes32) {
        return keccak256(abi.encode(party, "session key"));
    }

    function _addresses(PlainShards.Party memory party, uint256 count) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = keccak256(abi.encode(party, "address", i));
        }
    }

    function _keyRoot(PlainShards.Party memory party, uint256 count) internal view returns (bytes32) {
        return PlainShards.rootOf(PlainShards.keyLeaves(party, _sessionKey(party), count));
    }

    function _addressRoot(PlainShards.Party memory party, uint256 count) internal view returns (bytes32) {
        return PlainShards.rootOf(PlainShards.addressLeaves(party, _addresses(party, count)));
    }

    /// @dev The sample with the further shards that fill it up to `limit`, drawn by the one-time key.
    function _opened(PlainShards.Party memory party, uint256 count, uint256 sample, uint256 limit)
        internal
        view
        returns (uint256[] memory opened)
    {
        opened = new uint256[](1);
        opened[0] = sample;
        uint256 size = PlainShards.size(opened, count);
        bytes32 seed = keccak256(abi.encode(PlainShards.domain("souk.further.v1", party), oneTimeKey.publicKeyX));
        if (size < limit) PlainShards.drawFurther(seed, opened, count, limit - size);
    }

    /// @dev The review an honest provider opens: the keys of `opened`, of which `sample` was sampled.
    function _review(
        PlainShards.Party memory party,
        uint256 count,
        uint256 sample,
        uint256[] memory opened,
        bool published
    ) internal view returns (Review memory review) {
        review.bitmap = new uint256[](1);
        review.bitmap[0] = sample;
        uint256[] memory members = PlainShards.members(opened, count);
        review.keyRoot = _keyRoot(party, count);
        review.oneTimeKey = oneTimeKey.publicKeyX;
        review.ephemeralX = _ephemeral.publicKeyX;
        review.sealedKeys = new bytes32[](members.length);
        for (uint256 k = 0; k < members.length; ++k) {
            bytes32 pad = keccak256(abi.encode(_shared.publicKeyX, members[k]));
            review.sealedKeys[k] = PlainShards.shardKey(party, _sessionKey(party), members[k]) ^ pad;
        }
        if (published) {
            review.addressRoot = _addressRoot(party, count);
            return review;
        }
        bytes32[] memory all = _addresses(party, count);
        review.addresses = new bytes32[](members.length);
        for (uint256 k = 0; k < members.length; ++k) {
            review.addresses[k] = all[members[k]];
        }
        bool[] memory known = PlainShards.flags(opened, count);
        review.proof = PlainShards.multiproof(PlainShards.addressLeaves(party, all), known);
    }

    /// @dev What an honest provider delivers after the review that it opened.
    function _delivery(PlainShards.Party memory party, uint256 count, Review memory said, bool published)
        internal
        view
        returns (Delivery memory delivery)
    {
        delivery.ephemeralX = _ephemeral.publicKeyX;
        delivery.sealedKey = _sessionKey(party) ^ keccak256(abi.encode(_shared.publicKeyX, type(uint256).max));
        if (published) return delivery;
        delivery.keyRoot = _keyRoot(party, count);
        delivery.sampleHash = keccak256(abi.encodePacked(said.bitmap));
        delivery.reviewHash = PlainShards.reviewHash(said.oneTimeKey, said.ephemeralX, said.sealedKeys);
        delivery.addresses = _addresses(party, count);
    }

    /// @dev The evidence about `shard` that follows from what was delivered.
    function _dispute(
        PlainShards.Party memory party,
        uint256 count,
        Review memory said,
        Delivery memory delivered,
        uint256 shard
    ) internal view returns (WrongDelivery memory evidence) {
        bytes32[] memory leaves = PlainShards.keyLeaves(party, _sessionKey(party), count);
        evidence.keyRoot = _keyRoot(party, count);
        evidence.addressRoot = _addressRoot(party, count);
        evidence.sampleHash = keccak256(abi.encodePacked(said.bitmap));
        evidence.reviewX = said.ephemeralX;
        evidence.reviewKeysHash = keccak256(abi.encodePacked(said.sealedKeys));
        evidence.ephemeralX = delivered.ephemeralX;
        evidence.sealedKey = delivered.sealedKey;
        evidence.oneTimeKey = oneTimeKey.publicKeyX;
        evidence.oneTimeSecret = oneTimeKey.privateKey;
        evidence.sharedX = _shared.publicKeyX;
        evidence.sharedY = _shared.publicKeyY;
        evidence.shard = shard;
        evidence.leaf = leaves[shard];
        evidence.path = PlainShards.path(leaves, shard);
    }

    /// @dev The evidence about `shard` that follows from what a review said.
    function _evidence(PlainShards.Party memory party, uint256 count, Review memory said, uint256 shard)
        internal
        view
        returns (WrongKey memory evidence)
    {
        bytes32[] memory leaves = PlainShards.keyLeaves(party, _sessionKey(party), count);
        evidence.keyRoot = said.keyRoot;
        evidence.addressRoot = _addressRoot(party, count);
        evidence.bitmap = said.bitmap;
        evidence.ephemeralX = said.ephemeralX;
        evidence.sealedKeys = said.sealedKeys;
        evidence.oneTimeKey = oneTimeKey.publicKeyX;
        evidence.oneTimeSecret = oneTimeKey.privateKey;
        evidence.sharedX = _shared.publicKeyX;
        evidence.sharedY = _shared.publicKeyY;
        evidence.shard = shard;
        evidence.leaf = leaves[shard];
        evidence.path = PlainShards.path(leaves, shard);
    }
}
