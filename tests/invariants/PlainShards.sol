// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The commitments of Shards.sol and Bitmap.sol once more, to be read rather than to be cheap
/// @notice Shares no code and no constant with what it is held against; it also proves where contracts only verify.
library PlainShards {
    /// @notice Whose commitments these are.
    struct Party {
        address session;
        address provider;
    }

    function domain(string memory kind, Party memory party) internal view returns (bytes32) {
        return keccak256(abi.encode(keccak256(bytes(kind)), block.chainid, party.session, party.provider));
    }

    function shardKey(Party memory party, bytes32 sessionKey, uint256 index) internal view returns (bytes32) {
        return keccak256(abi.encode(domain("souk.shard.derive.v1", party), sessionKey, index));
    }

    function keyLeaf(Party memory party, uint256 index, bytes32 key) internal view returns (bytes32) {
        return keccak256(abi.encode(domain("souk.shard.key.v1", party), index, key));
    }

    function keyLeaves(Party memory party, bytes32 sessionKey, uint256 count)
        internal
        view
        returns (bytes32[] memory leaves)
    {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = keyLeaf(party, i, shardKey(party, sessionKey, i));
        }
    }

    function addressLeaves(Party memory party, bytes32[] memory addresses)
        internal
        view
        returns (bytes32[] memory leaves)
    {
        leaves = new bytes32[](addresses.length);
        for (uint256 i = 0; i < addresses.length; ++i) {
            leaves[i] = keccak256(abi.encode(domain("souk.shard.address.v1", party), i, addresses[i]));
        }
    }

    /// @notice The level above `row`: pairs are hashed, a last node without a sibling stays.
    function parents(bytes32[] memory row) internal pure returns (bytes32[] memory above) {
        above = new bytes32[]((row.length + 1) / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            bool paired = 2 * i + 1 < row.length;
            above[i] = paired ? keccak256(abi.encodePacked(row[2 * i], row[2 * i + 1])) : row[2 * i];
        }
    }

    function rootOf(bytes32[] memory leaves) internal pure returns (bytes32) {
        while (leaves.length > 1) leaves = parents(leaves);
        return leaves[0];
    }

    /// @notice The siblings with which the leaves marked in `known` yield the root.
    function multiproof(bytes32[] memory leaves, bool[] memory known) internal pure returns (bytes32[] memory proof) {
        bytes32[] memory found = new bytes32[](2 * leaves.length);
        uint256 length = 0;
        while (leaves.length > 1) {
            bool[] memory knownAbove = new bool[]((leaves.length + 1) / 2);
            for (uint256 i = 0; i < leaves.length; ++i) {
                if (!known[i]) continue;
                uint256 sibling = i % 2 == 0 ? i + 1 : i - 1;
                if (sibling < leaves.length && !known[sibling]) found[length++] = leaves[sibling];
                knownAbove[i / 2] = true;
            }
            (leaves, known) = (parents(leaves), knownAbove);
        }
        proof = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            proof[i] = found[i];
        }
    }

    /// @notice The siblings of one leaf, from the leaf upwards.
    function path(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory) {
        bool[] memory known = new bool[](leaves.length);
        known[index] = true;
        return multiproof(leaves, known);
    }

    function rootsHash(bytes32 keys, bytes32 addresses) internal pure returns (bytes26) {
        return bytes26(keccak256(abi.encode(keccak256("souk.registration.v1"), keys, addresses)));
    }

    function reviewHash(uint256 oneTimeKey, uint256 ephemeralX, bytes32[] memory sealedKeys)
        internal
        pure
        returns (bytes32)
    {
        bytes32 kind = keccak256("souk.review.v1");
        return keccak256(abi.encode(kind, oneTimeKey, ephemeralX, keccak256(abi.encodePacked(sealedKeys))));
    }

    function contains(uint256[] memory bitmap, uint256 i) internal pure returns (bool) {
        return i / 256 < bitmap.length && bitmap[i / 256] / 2 ** (i % 256) % 2 == 1;
    }

    /// @notice How many of the first `count` shards are in the set.
    function size(uint256[] memory bitmap, uint256 count) internal pure returns (uint256 total) {
        for (uint256 i = 0; i < count; ++i) {
            if (contains(bitmap, i)) ++total;
        }
    }

    /// @notice The set as one flag per shard.
    function flags(uint256[] memory bitmap, uint256 count) internal pure returns (bool[] memory known) {
        known = new bool[](count);
        for (uint256 i = 0; i < count; ++i) {
            known[i] = contains(bitmap, i);
        }
    }

    /// @notice The members of the set, ascending.
    function members(uint256[] memory bitmap, uint256 count) internal pure returns (uint256[] memory list) {
        list = new uint256[](size(bitmap, count));
        uint256 next = 0;
        for (uint256 i = 0; i < count; ++i) {
            if (contains(bitmap, i)) list[next++] = i;
        }
    }

    /// @notice The set of `wanted` shards that `seed` draws: 32-bit numbers without the incomplete last multiple of
    /// `count`, in order, repetitions skipped.
    function draw(bytes32 seed, uint256 count, uint256 wanted) internal pure returns (uint256[] memory bitmap) {
        bitmap = new uint256[]((count + 255) / 256);
        drawFurther(seed, bitmap, count, wanted);
    }

    /// @notice The same, beside what is in the set.
    function drawFurther(bytes32 seed, uint256[] memory bitmap, uint256 count, uint256 wanted) internal pure {
        uint256 found = 0;
        for (uint256 i = 0; found < wanted; ++i) {
            uint256 value = uint256(keccak256(abi.encode(seed, i / 8))) / 2 ** (32 * (i % 8)) % 2 ** 32;
            uint256 shard = value % count;
            bool biased = value - shard + count > 2 ** 32;
            if (biased || contains(bitmap, shard)) continue;
            bitmap[shard / 256] += 2 ** (shard % 256);
            ++found;
        }
    }
}
