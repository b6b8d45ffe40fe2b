// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Arithmetic on many small numbers in one word
/// @notice A word is 21 lanes of 12 bits, and four bits that are 0, or 16 lanes of 16 bits; lane i begins at bit 12 * i or
/// 16 * i. All lanes are computed at once (Hacker's Delight, 2-18); no carry leaves its lane. `ones` stands for a set of
/// lanes: 1 in those, 0 in the others.
/// tests/invariants/Classifiers.t.sol holds each function against a loop over the lanes.
// The divisions are exact.
// slither-disable-start divide-before-multiply
library Lanes {
    /// @dev 1 in every lane of 12, 16 or 32 bits.
    uint256 internal constant ONES_12 = ((1 << 252) - 1) / 0xfff;
    uint256 internal constant ONES_16 = type(uint256).max / 0xffff;
    uint256 internal constant ONES_32 = type(uint256).max / 0xffffffff;

    /// @dev The highest bit of every lane.
    uint256 internal constant HIGH_12 = ONES_12 << 11;
    uint256 internal constant HIGH_16 = ONES_16 << 15;

    /// @dev All bits of a lane but the highest, in every lane.
    uint256 private constant LOW_12 = HIGH_12 - ONES_12;

    /// @dev The lower lane of every pair; the last lane of 12 bits has no partner.
    uint256 private constant EVEN_12 = 0x0fff000fff000fff000fff000fff000fff000fff000fff000fff000fff000fff;
    uint256 private constant EVEN_16 = ONES_32 * 0xffff;

    /// @dev Brings seven bits of a chunk to each third of a word, 84 bits: bit 7 * k goes 77 * k further.
    uint256 private constant TO_84 = 1 | 1 << 77 | 1 << 154;
    /// @dev The lowest seven bits of every third.
    uint256 private constant SEVEN_84 = 0x7f * (1 | 1 << 84 | 1 << 168);
    /// @dev Seven lanes of 12 bits.
    uint256 private constant ONES_84 = ((1 << 84) - 1) / 0xfff;

    /// @dev Bit j of lane j, for seven lanes of 12 bits in every third; for eight lanes of 16 bits once.
    uint256 private constant DIAGONAL_12 = 0x40020010008004002001 * (1 | 1 << 84 | 1 << 168);
    uint256 private constant DIAGONAL_16 = 0x00800040002000100008000400020001;

    /// @notice The set of lanes of 12 bits that the 21 bits of `chunk` name.
    function select12(uint256 chunk) internal pure returns (uint256 ones) {
        unchecked {
            // Seven bits into their own third of the word, then into each of the seven lanes there.
            uint256 copies = (chunk * TO_84 & SEVEN_84) * ONES_84;
            // Of its copy each lane keeps one bit, 2**j; adding 2,047 carries that to the lane's highest bit.
            return ((copies & DIAGONAL_12) + LOW_12 & HIGH_12) >> 11;
        }
    }

    /// @notice The set of lanes of 16 bits, among the lower eight, that the 8 bits of `chunk` name.
    function select16(uint256 chunk) internal pure returns (uint256 ones) {
        unchecked {
            uint256 copies = chunk * (ONES_16 >> 128);
            return ((copies & DIAGONAL_16) + 0x7f * (ONES_16 >> 128) & 0x80 * ONES_16) >> 7;
        }
    }

    /// @notice Sums of neighbours: 11 numbers of 24 bits from 21 of 12. Twelve such results may be added up for {sum24}.
    /// @dev The last has no neighbour, and 16 bits of room: twelve come to at most 12 * 4,095 = 49,140.
    function pairs12(uint256 lanes) internal pure returns (uint256) {
        unchecked {
            return (lanes & EVEN_12) + (lanes >> 12 & EVEN_12);
        }
    }

    /// @notice Sums of neighbours: 8 numbers of 32 bits from 16 of 16.
    function pairs16(uint256 lanes) internal pure returns (uint256) {
        unchecked {
            return (lanes & EVEN_16) + (lanes >> 16 & EVEN_16);
        }
    }

    /// @notice The sum of all 11 lanes of 24 bits, of which the last has 16.
    /// @dev As 2**24 = 1 modulo 2**24 - 1, the remainder is the sum, if below that: twelve words of {pairs12} come to at
    /// most 12 * 21 * 4,095 = 1,031,940.
    function sum24(uint256 lanes) internal pure returns (uint256) {
        unchecked {
            return lanes % 0xffffff;
        }
    }

    /// @notice The sum of all 8 lanes of 32 bits.
    /// @dev Below 2**32, or it is cut.
    function sum32(uint256 lanes) internal pure returns (uint256) {
        unchecked {
            return lanes * ONES_32 >> 224;
        }
    }

    /// @notice One more in the lanes named, of 12 bits; 4,095 stays.
    function increment12(uint256 lanes, uint256 ones) internal pure returns (uint256) {
        unchecked {
            // A lane is full where its lower bits carry and its highest bit is set.
            uint256 full = (lanes & LOW_12) + ones & lanes & HIGH_12;
            return lanes + ones - (full >> 11);
        }
    }

    /// @notice One less in the lanes named, of 12 bits; 1 and 0 stay.
    function decrement12(uint256 lanes, uint256 ones) internal pure returns (uint256) {
        unchecked {
            // Without its lowest bit a lane is nonzero where it holds 2 or more; adding 2,047 shows that in its highest
            // bit.
            uint256 above = lanes & LOW_12 - ONES_12;
            above = (above + LOW_12 | lanes) & HIGH_12;
            return lanes - (above >> 11 & ones);
        }
    }

    /// @notice One more in the lanes named, of 16 bits; 65,535 stays.
    function increment16(uint256 lanes, uint256 ones) internal pure returns (uint256) {
        unchecked {
            uint256 full = (lanes & ~HIGH_16) + ones & lanes & HIGH_16;
            return lanes + ones - (full >> 15);
        }
    }
}
// slither-disable-end divide-before-multiply
