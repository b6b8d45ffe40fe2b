// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Commitments to the shards of a dataset
/// @notice Two trees over the same indices commit to a dataset. Leaf i of the key tree binds chain, session, provider, i
/// and the key of shard i, which derives from the session key; leaf i of the address tree binds the shard's address
/// likewise. Leaves are hashes of three words, nodes of two, so neither passes for the other. A level of odd width hands
/// its last node up unchanged. offchain/crypto/commitments.py is this file's twin.
///
/// The loops that grow with shards are assembly: in a claim each shard's checks must fit under what its calldata costs
/// anyway (EIP-7623). tests/invariants/Shards.t.sol holds them against a plain version. All use the memory past the
/// free pointer as scratch and keep none of it.
library Shards {
    error ProofLength(uint256 given, uint256 used);

    bytes32 internal constant DERIVE_TYPE = keccak256("souk.shard.derive.v1");
    bytes32 internal constant KEY_TYPE = keccak256("souk.shard.key.v1");
    bytes32 internal constant ADDRESS_TYPE = keccak256("souk.shard.address.v1");
    bytes32 internal constant ROOTS_TYPE = keccak256("souk.registration.v1");
    bytes32 internal constant REVIEW_TYPE = keccak256("souk.review.v1");
    bytes32 internal constant DELIVERY_TYPE = keccak256("souk.delivery.v1");

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
    function reviewHash(address oneTimeKey, uint256 ephemeralX, bytes32[] calldata sealedKeys)
        internal
        pure
        returns (bytes32)
    {
        return reviewHash(oneTimeKey, ephemeralX, keccak256(abi.encodePacked(sealedKeys)));
    }

    /// @notice The same from the hash of the sealed keys.
    function reviewHash(address oneTimeKey, uint256 ephemeralX, bytes32 sealedKeysHash)
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

    /// @notice Key of shard `index`, as it derives from the session key.
    function shardKey(address provider, bytes32 sessionKey, uint256 index) internal view returns (bytes32) {
        return keccak256(abi.encode(domain(DERIVE_TYPE, provider), sessionKey, index));
    }

    /// @notice Leaf `index` of a tree in `domain_`.
    function leaf(bytes32 domain_, uint256 index, bytes32 value) internal pure returns (bytes32) {
        return keccak256(abi.encode(domain_, index, value));
    }

    /// @notice Root of the key tree that `sessionKey` yields.
    function keyRoot(address provider, bytes32 sessionKey, uint256 count) internal view returns (bytes32) {
        bytes32 derive = domain(DERIVE_TYPE, provider);
        bytes32 kind = domain(KEY_TYPE, provider);
        uint256 leaves;
        assembly ("memory-safe") {
            // Two three-word buffers: what derives key i, and what makes leaf i of it.
            let derived := mload(0x40)
            let hashed := add(derived, 0x60)
            leaves := add(hashed, 0x60)
            mstore(derived, derive)
            mstore(add(derived, 0x20), sessionKey)
            mstore(hashed, kind)
            let derivedIndex := add(derived, 0x40)
            let hashedIndex := add(hashed, 0x20)
            let hashedKey := add(hashed, 0x40)
            let target := leaves
            // Two shards a round; an odd count writes one leaf too many, which nobody reads.
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
        return _foldAll(leaves, count);
    }

    /// @notice Root of the address tree over `addresses`.
    function addressRoot(address provider, bytes32[] calldata addresses) internal view returns (bytes32) {
        bytes32 kind = domain(ADDRESS_TYPE, provider);
        uint256 leaves;
        assembly ("memory-safe") {
            let hashed := mload(0x40)
            leaves := add(hashed, 0x60)
            mstore(hashed, kind)
            let hashedIndex := add(hashed, 0x20)
            let hashedAddress := add(hashed, 0x40)
            let target := leaves
            let source := addresses.offset
            // Two shards a round; an odd count writes one leaf too many, which nobody reads.
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
        return _foldAll(leaves, addresses.length);
    }

    /// @notice Root that the addresses of the sampled shards and their siblings yield.
    /// @dev Requirements: the proof holds exactly the missing siblings (ProofLength). `bitmap` has one bit per address.
    /// @param count number of shards of the dataset
    /// @param proof siblings in the order in which the walk from the left asks for them, level by level
    function multiproofRoot(
        address provider,
        uint256 count,
        uint256[] calldata bitmap,
        bytes32[] calldata addresses,
        bytes32[] calldata proof
    ) internal view returns (bytes32) {
        bytes32 kind = domain(ADDRESS_TYPE, provider);
        uint256 queue;
        uint256 end;
        assembly ("memory-safe") {
            let hashed := mload(0x40)
            queue := add(hashed, 0x60)
            mstore(hashed, kind)
            end := queue
        }
        uint256 next = 0;
        for (uint256 w = 0; w < bitmap.length; ++w) {
            uint256 word = bitmap[w];
            while (word != 0) {
                uint256 index = w << 8 | Math.log2(word & (~word + 1));
                word &= word - 1;
                assembly ("memory-safe") {
                    let hashed := sub(queue, 0x60)
                    mstore(add(hashed, 0x20), index)
                    mstore(add(hashed, 0x40), calldataload(add(addresses.offset, next)))
                    next := add(next, 0x20)
                    mstore(end, index)
                    mstore(add(end, 0x20), keccak256(hashed, 0x60))
                    end := add(end, 0x40)
                }
            }
        }
        return _foldQueue(queue, end, count, proof);
    }

    /// @notice Root that one leaf and its siblings from the leaf upwards yield.
    /// @dev Requirements: the path holds exactly the siblings (ProofLength).
    function pathRoot(uint256 count, uint256 index, bytes32 leaf_, bytes32[] calldata path)
        internal
        pure
        returns (bytes32)
    {
        uint256 queue;
        assembly ("memory-safe") {
            queue := mload(0x40)
            mstore(queue, index)
            mstore(add(queue, 0x20), leaf_)
        }
        return _foldQueue(queue, queue + 0x40, count, path);
    }

    /// @dev Root of `count` leaves that lie at `nodes`, level by level in place.
    function _foldAll(uint256 nodes, uint256 count) private pure returns (bytes32 root) {
        assembly ("memory-safe") {
            for { let width := count } gt(width, 1) {} {
                let pairs := shr(1, width)
                let last := mload(add(nodes, shl(5, sub(width, 1))))
                let target := nodes
                let source := nodes
                // Two pairs a round; where one is too many, what it writes lies past the level and is not read.
                for { let end := add(nodes, shl(6, pairs)) } lt(source, end) { source := add(source, 0x80) } {
                    mstore(target, keccak256(source, 0x40))
                    mstore(add(target, 0x20), keccak256(add(source, 0x40), 0x40))
                    target := add(target, 0x40)
                }
                if and(width, 1) { mstore(add(nodes, shl(5, pairs)), last) }
                width := add(pairs, and(width, 1))
            }
            root := mload(nodes)
        }
    }

    /// @dev Root that the (index, node) pairs in memory [queue, end), ascending, and the proof yield.
    function _foldQueue(uint256 queue, uint256 end, uint256 count, bytes32[] calldata proof)
        private
        pure
        returns (bytes32 root)
    {
        uint256 used;
        assembly ("memory-safe") {
            // Reading past the proof does no harm: the count of siblings is compared below.
            let sibling := proof.offset
            for { let width := count } gt(width, 1) { width := shr(1, add(width, 1)) } {
                let target := queue
                for { let source := queue } lt(source, end) {} {
                    let index := mload(source)
                    let node := mload(add(source, 0x20))
                    source := add(source, 0x40)
                    switch and(index, 1)
                    case 1 {
                        // A right child whose left sibling is not in the queue.
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
            root := mload(add(queue, 0x20))
            used := shr(5, sub(sibling, proof.offset))
        }
        require(used == proof.length, ProofLength(proof.length, used));
    }
}
