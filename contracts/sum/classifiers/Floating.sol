// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Positive numbers of any size with 128 significant bits, rounded down
/// @notice A number is mantissa * 2**exponent with 2**127 <= mantissa < 2**128. offchain/sum/floating.py is this file's
/// twin.
library Floating {
    /// @notice value * 2**exponent, value > 0; bits beyond 128 are cut off.
    function from(uint256 value, int256 exponent) internal pure returns (uint256 mantissa, int256 exponent_) {
        unchecked {
            uint256 top = Math.log2(value);
            if (top < 127) return (value << 127 - top, exponent - int256(127 - top));
            return (value >> top - 127, exponent + int256(top - 127));
        }
    }

    /// @notice base**n, base > 0, by squaring.
    function power(uint256 base, uint256 n) internal pure returns (uint256 mantissa, int256 exponent) {
        unchecked {
            (mantissa, exponent) = (1 << 127, -127);
            (uint256 square, int256 squareExponent) = from(base, 0);
            for (; n > 0; n >>= 1) {
                if (n & 1 == 1) (mantissa, exponent) = _cut(mantissa * square, exponent + squareExponent);
                (square, squareExponent) = _cut(square * square, squareExponent + squareExponent);
            }
        }
    }

    /// @notice A key that orders quotients: greater where a / b is greater. Never 0.
    /// @dev Exponents stay within 2**64 of 0.
    function quotientKey(uint256 a, int256 aExponent, uint256 b, int256 bExponent) internal pure returns (uint256) {
        unchecked {
            int256 exponent = aExponent - bExponent - 127;
            uint256 quotient = (a << 127) / b;
            if (quotient < 1 << 127) {
                quotient = (a << 128) / b;
                --exponent;
            }
            return uint256((1 << 64) + exponent) << 128 | quotient;
        }
    }

    /// @dev The product of two mantissas as one mantissa again: it has 255 or 256 bits.
    function _cut(uint256 product, int256 exponent) private pure returns (uint256, int256) {
        unchecked {
            return product >> 255 == 1 ? (product >> 128, exponent + 128) : (product >> 127, exponent + 127);
        }
    }
}
