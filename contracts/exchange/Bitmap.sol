// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Sets as bitmaps: element i is bit `i % 256` of word `i / 256`
library Bitmap {
    error BitmapLength(uint256 words, uint256 needed);
    error BitOutOfRange(uint256 count);

    function wordCount(uint256 count) internal pure returns (uint256) {
        return (count + 255) >> 8;
    }

    /// @notice The number of elements in the set.
    /// @dev Requirements:
    /// - one bit for each of `count` elements (BitmapLength)
    /// - none set beyond (BitOutOfRange)
    function size(uint256[] calldata bitmap, uint256 count) internal pure returns (uint256 total) {
        uint256 words = wordCount(count);
        require(bitmap.length == words, BitmapLength(bitmap.length, words));
        uint256 spare = (words << 8) - count;
        require(bitmap[words - 1] >> (256 - spare) == 0, BitOutOfRange(count));
        for (uint256 w = 0; w < words; ++w) {
            total += popCount(bitmap[w]);
        }
    }

    /// @notice Whether element i is in the set, and how many others of the set come before it.
    function rank(uint256[] calldata bitmap, uint256 i) internal pure returns (bool contained, uint256 before) {
        uint256 word = i >> 8;
        if (word >= bitmap.length) return (false, 0);
        uint256 bit = i & 255;
        contained = bitmap[word] >> bit & 1 == 1;
        before = popCount(bitmap[word] & ((1 << bit) - 1));
        for (uint256 w = 0; w < word; ++w) {
            before += popCount(bitmap[w]);
        }
    }

    /// @notice The hash of the set that goes into a commitment.
    function hash(uint256[] calldata bitmap) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bitmap));
    }

    /// @notice A uniform random set of `wanted` of `count` elements, and nothing else, follows from the seed.
    function draw(bytes32 seed, uint256 count, uint256 wanted) internal pure returns (uint256[] memory bitmap) {
        bitmap = new uint256[](wordCount(count));
        drawFurther(seed, bitmap, count, wanted);
    }

    /// @notice Adds to the set a uniform random set of `wanted` of the elements that are not in it.
    /// @dev Eight draws of 32 bits from keccak256(seed, block), rejected at or above the largest multiple of `count`
    /// (no modulo bias) and when they are in the set. With at most half of the elements in it in the end, fewer than
    /// 0.7 * count draws are expected.
    function drawFurther(bytes32 seed, uint256[] memory bitmap, uint256 count, uint256 wanted) internal pure {
        // Rounding down is the purpose.
        // slither-disable-next-line divide-before-multiply
        uint256 bound = (1 << 32) / count * count;
        for (uint256 chunk = 0; wanted > 0; ++chunk) {
            uint256 random = uint256(keccak256(abi.encode(seed, chunk)));
            for (uint256 k = 0; k < 8 && wanted > 0; ++k) {
                uint256 value = random >> (32 * k) & type(uint32).max;
                if (value >= bound) continue;
                uint256 element = value % count;
                uint256 bit = 1 << (element & 255);
                if (bitmap[element >> 8] & bit != 0) continue;
                bitmap[element >> 8] |= bit;
                --wanted;
            }
        }
    }

    /// @notice The number of one bits, summed in ever wider fields (Hacker's Delight, 5-1).
    function popCount(uint256 x) internal pure returns (uint256) {
        unchecked {
            uint256 m1 = type(uint256).max / 3;
            uint256 m2 = type(uint256).max / 5;
            uint256 m4 = type(uint256).max / 17;
            x -= x >> 1 & m1;
            x = (x & m2) + (x >> 2 & m2);
            x = (x + (x >> 4)) & m4;
            // Bytes hold at most 8; 32 of them sum to at most 256, so the sum needs 16-bit fields before the product.
            uint256 m8 = type(uint256).max / 257;
            x = (x & m8) + (x >> 8 & m8);
            // The division is exact.
            // slither-disable-next-line divide-before-multiply
            return x * (type(uint256).max / 65535) >> 240;
        }
    }
}
