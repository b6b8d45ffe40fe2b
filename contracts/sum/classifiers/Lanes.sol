// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Arithmetic on many small numbers in one word
/// @notice A word is 32 lanes of 8 bits or 16 lanes of 16, lane i from bit 8 * i or 16 * i on. All lanes are computed at
/// once (Hacker's Delight, 2-18); no carry leaves its lane. `ones` stands for a set of lanes: 1 in those, 0 in the others.
/// tests/invariants/Classifiers.t.sol holds each function against a loop over the lanes.
// The divisions are exact.
// slither-disable-start divide-before-multiply
library Lanes {
    /// @dev 1 in every lane of 8, 16, 32 or 64 bits.
    uint256 internal constant ONES_8 = type(uint256).max / 0xff;
    uint256 internal constant ONES_16 = type(uint256).max / 0xffff;
    uint256 internal constant ONES_32 = type(uint256).max / 0xffffffff;
    uint256 internal constant ONES_64 = type(uint256).max / 0xffffffffffffffff;

    /// @dev The highest bit of every lane.
    uint256 internal constant HIGH_8 = ONES_8 << 7;
    uint256 internal constant HIGH_16 = ONES_16 << 15;

    /// @dev The lower lane of every pair.
    uint256 private constant EVEN_8 = ONES_16 * 0xff;
    uint256 private constant EVEN_16 = ONES_32 * 0xffff;

    /// @dev Brings byte k of a chunk to lane k of 64 bits: it lies 8 * k bits high already and goes 56 * k further.
    uint256 private constant TO_64 = 1 | 1 << 56 | 1 << 112 | 1 << 168;

    /// @dev Bit j of lane j, for eight lanes of 8 bits and as often as they fit; for eight lanes of 16 bits once.
    uint256 private constant DIAGONAL_8 = ONES_64 * 0x8040201008040201;
    uint256 private constant DIAGONAL_16 = 0x00800040002000100008000400020001;

    /// @notice The set of lanes of 8 bits that the 32 bits of `chunk` name.
    function select8(uint256 chunk) internal pure returns (uint256 ones) {
        unchecked {
            // Every byte of the chunk into its own 64 bits, then into each of the eight lanes there.
            uint256 copies = (chunk * TO_64 & ONES_64 * 0xff) * 0x0101010101010101;
            // Of its copy each lane keeps one bit, 2**j; adding 127 carries that to the lane's highest bit.
            return ((copies & DIAGONAL_8) + (HIGH_8 - ONES_8) & HIGH_8) >> 7;
        }
    }

    /// @notice The set of lanes of 16 bits, among the lower eight, that the 8 bits of `chunk` name.
    function select16(uint256 chunk) internal pure returns (uint256 ones) {
        unchecked {
            uint256 copies = chunk * (ONES_16 >> 128);
            return ((copies & DIAGONAL_16) + 0x7f * (ONES_16 >> 128) & 0x80 * ONES_16) >> 7;
        }
    }

    /// @notice Sums of neighbours: 16 numbers of 16 bits from 32 of 8. Eight such results may be added up for {sum16}.
    function pairs8(uint256 lanes) internal pure returns (uint256) {
        unchecked {
            return (lanes & EVEN_8) + (lanes >> 8 & EVEN_8);
        }
    }

    /// @notice Sums of neighbours: 8 numbers of 32 bits from 16 of 16.
    function pairs16(uint256 lanes) internal pure returns (uint256) {
        unchecked {
            return (lanes & EVEN_16) + (lanes >> 16 & EVEN_16);
        }
    }

    /// @notice The sum of all 16 lanes.
    /// @dev Below 2**16, or it is cut: eight words of {pairs8} come to at most 8 * 32 * 255 = 65,280.
    function sum16(uint256 lanes) internal pure returns (uint256) {
        unchecked {
            return lanes * ONES_16 >> 240;
        }
    }

    /// @notice The sum of all 8 lanes of 32 bits.
    /// @dev Below 2**32, or it is cut.
    function sum32(uint256 lanes) internal pure returns (uint256) {
        unchecked {
            return lanes * ONES_32 >> 224;
        }
    }

    /// @notice One more in the lanes named, of 8 bits; 255 stays.
    function increment8(uint256 lanes, uint256 ones) internal pure returns (uint256) {
        unchecked {
            // A lane is full where its lower bits carry and its highest bit is set.
            uint256 full = (lanes & ~HIGH_8) + ones & lanes & HIGH_8;
            return lanes + ones - (full >> 7);
        }
    }

    /// @notice One less in the lanes named, of 8 bits; 1 and 0 stay.
    function decrement8(uint256 lanes, uint256 ones) internal pure returns (uint256) {
        unchecked {
            // Without its lowest bit a lane is nonzero where it holds 2 or more; adding 127 shows that in its highest bit.
            uint256 above = lanes & ~(HIGH_8 | ONES_8);
            above = (above + ~HIGH_8 | lanes) & HIGH_8;
            return lanes - (above >> 7 & ones);
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
