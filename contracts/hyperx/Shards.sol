// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {KnownNodes, MerkleTree} from "../exchange/MerkleTree.sol";
import {Leaves, LeavesLib} from "./Leaves.sol";

/// @title Commitments to the shards of a dataset
/// @notice Two trees (MerkleTree.sol) over the same indices commit to a dataset. Leaf i of the key tree binds chain,
/// session, provider, i and the key of shard i, which derives from the session key; leaf i of the address tree binds the
/// shard's address likewise. offchain/crypto/commitments.py is this file's twin.
///
/// The loops that grow with shards are assembly: in a claim each shard's checks must fit under what its calldata costs
/// anyway (EIP-7623). tests/invariants/Shards.t.sol holds them against a plain version. What a block needs for itself
/// lies past the free memory pointer and ends with the block; what outlives it has a type.
library Shards {
    bytes32 internal constant DERIVE_TYPE = keccak256("souk.shard.derive.v1");
    bytes32 internal constant KEY_TYPE = keccak256("souk.shard.key.v1");
    bytes32 internal constant ADDRESS_TYPE = keccak256("souk.shard.address.v1");
    bytes32 internal constant ROOTS_TYPE = keccak256("souk.registration.v1");
    bytes32 internal constant REVIEW_TYPE = keccak256("souk.review.v1");
    bytes32 internal constant DELIVERY_TYPE = keccak256("souk.delivery.v1");
    bytes32 internal constant DRAW_TYPE = keccak256("souk.draw.v1");
    bytes32 internal constant FURTHER_TYPE = keccak256("souk.further.v1");

    /// @notice What separates one party's commitments of one type from all others.
    function domain(bytes32 kind, address provider) internal view returns (bytes32) {
        return keccak256(abi.encode(kind, block.chainid, address(this), provider));
    }

    /// @notice The commitment a provider starts with.
    function rootsHash(bytes32 keys, bytes32 addresses) internal pure returns (bytes26) {
        return bytes26(keccak256(abi.encode(ROOTS_TYPE, keys, addresses)));
    }

    /// @notice A commitment with one more pledge in it.
    function fold(bytes26 commitment, bytes32 pledge) internal pure returns (bytes26) {
        return bytes26(keccak256(abi.encode(commitment, pledge)));
    }

    /// @notice The pledge of an opened review.
    /// @param oneTimeKey x of the collector's one-time key
    function reviewHash(uint256 oneTimeKey, uint256 ephemeralX, bytes32[] calldata sealedKeys)
        internal
        pure
        returns (bytes32)
    {
        return reviewHash(oneTimeKey, ephemeralX, keccak256(abi.encodePacked(sealedKeys)));
    }

    /// @notice The same from the hash of the sealed keys.
    function reviewHash(uint256 oneTimeKey, uint256 ephemeralX, bytes32 sealedKeysHash)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(REVIEW_TYPE, oneTimeKey, ephemeralX, sealedKeysHash));
    }

    /// @notice The pledge of a sealed delivery.
    function deliveryHash(uint256 ephemeralX, bytes32 sealedKey) internal pure returns (bytes32) {
        return keccak256(abi.encode(DELIVERY_TYPE, ephemeralX, sealedKey));
    }

    /// @notice What a collector commits to before the block is there that decides with its secret.
    function drawCommitment(address provider, bytes32 secret) internal view returns (bytes32) {
        return keccak256(abi.encode(domain(DRAW_TYPE, provider), secret));
    }

    /// @notice What a random sample follows from.
    function drawSeed(address provider, bytes32 secret, bytes32 blockHash) internal view returns (bytes32) {
        return keccak256(abi.encode(domain(DRAW_TYPE, provider), secret, blockHash));
    }

    /// @notice What a review's further shards follow from.
    /// @param oneTimeKey x of the collector's one-time key
    function furtherSeed(address provider, uint256 oneTimeKey) internal view returns (bytes32) {
        return keccak256(abi.encode(domain(FURTHER_TYPE, provider), oneTimeKey));
    }

    /// @notice Key of shard `index`, as it derives from the session key.
    function shardKey(address provider, bytes32 sessionKey, uint256 index) internal view returns (bytes32) {
        return keccak256(abi.encode(domain(DERIVE_TYPE, provider), sessionKey, index));
    }

    /// @notice Root of the key tree that `sessionKey` yields.
    function keyRoot(address provider, bytes32 sessionKey, uint256 count) internal view returns (bytes32) {
        bytes32 derive = domain(DERIVE_TYPE, provider);
        bytes32 kind = domain(KEY_TYPE, provider);
        Leaves leaves = LeavesLib.allocate(count);
        uint256 target = leaves.start();
        assembly ("memory-safe") {
            // Two three-word buffers: what derives key i, and what makes leaf i of it.
            let derived := mload(0x40)
            let hashed := add(derived, 0x60)
            mstore(derived, derive)
            mstore(add(derived, 0x20), sessionKey)
            mstore(hashed, kind)
            let derivedIndex := add(derived, 0x40)
            let hashedIndex := add(hashed, 0x20)
            let hashedKey := add(hashed, 0x40)
            // Two shards a round; an odd count writes one leaf too many, into the spare word.
            for { let i := 0 } lt(i, count) {} {
                mstore(derivedIndex, i)
                mstore(hashedIndex, i)
                mstore(hashedKey, keccak256(derived, 0x60))
                mstore(target, keccak256(hashed, 0x60))
                i := add(i, 1)
                mstore(derivedIndex, i)
                mstore(hashedIndex, i)
                mstore(hashedKey, keccak256(derived, 0x60))
                mstore(add(target, 0x20), keccak256(hashed, 0x60))
                i := add(i, 1)
                target := add(target, 0x40)
            }
        }
        return leaves.root();
    }

    /// @notice Root of the address tree over `addresses`.
    function addressRoot(address provider, bytes32[] calldata addresses) internal view returns (bytes32) {
        bytes32 kind = domain(ADDRESS_TYPE, provider);
        Leaves leaves = LeavesLib.allocate(addresses.length);
        uint256 target = leaves.start();
        assembly ("memory-safe") {
            // A three-word buffer: what makes leaf i.
            let hashed := mload(0x40)
            mstore(hashed, kind)
            let hashedIndex := add(hashed, 0x20)
            let hashedAddress := add(hashed, 0x40)
            let source := addresses.offset
            // Two shards a round; an odd count writes one leaf too many, into the spare word.
            for { let i := 0 } lt(i, addresses.length) {} {
                mstore(hashedIndex, i)
                mstore(hashedAddress, calldataload(source))
                mstore(target, keccak256(hashed, 0x60))
                i := add(i, 1)
                mstore(hashedIndex, i)
                mstore(hashedAddress, calldataload(add(source, 0x20)))
                mstore(add(target, 0x20), keccak256(hashed, 0x60))
                i := add(i, 1)
                source := add(source, 0x40)
                target := add(target, 0x40)
            }
        }
        return leaves.root();
    }

    /// @notice Root that the addresses of the sampled shards and their siblings yield.
    /// @dev `addresses` has one for each bit of `bitmap`. Requirements:
    /// - the proof holds exactly the missing siblings (MerkleTree: ProofLength)
    /// @param count number of shards of the dataset
    /// @param proof siblings in the order in which the walk from the left asks for them, level by level
    function multiproofRoot(
        address provider,
        uint256 count,
        uint256[] memory bitmap,
        bytes32[] calldata addresses,
        bytes32[] calldata proof
    ) internal view returns (bytes32) {
        bytes32 kind = domain(ADDRESS_TYPE, provider);
        KnownNodes first;
        KnownNodes end;
        assembly ("memory-safe") {
            // Before the pairs a three-word buffer: what makes a leaf.
            let hashed := mload(0x40)
            mstore(hashed, kind)
            first := add(hashed, 0x60)
            end := first
        }
        uint256 next = 0;
        for (uint256 w = 0; w < bitmap.length; ++w) {
            uint256 word = bitmap[w];
            while (word != 0) {
                uint256 index = w << 8 | Math.log2(word & (~word + 1));
                word &= word - 1;
                assembly ("memory-safe") {
                    let hashed := sub(first, 0x60)
                    mstore(add(hashed, 0x20), index)
                    mstore(add(hashed, 0x40), calldataload(add(addresses.offset, next)))
                    next := add(next, 0x20)
                    mstore(end, index)
                    mstore(add(end, 0x20), keccak256(hashed, 0x60))
                    end := add(end, 0x40)
                }
            }
        }
        return MerkleTree.rootOf(first, end, count, proof);
    }
}
