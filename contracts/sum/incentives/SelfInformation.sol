// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title How much an event tells: the logarithm of one over its probability
/// @notice Exact integers, so that a twin can equal it to the last bit:
///
///     x     = floor(2^127 * n / d)                     2^127 <= x < 2^255
///     whole = floor(log2(x)) - 127                     the integer part of log2(n / d)
///     x     = floor(x / 2^whole)                       2^127 <= x < 2^128, the mantissa
///     32 times: x = floor(x^2 / 2^127); if x >= 2^128: the next bit is 1 and x = floor(x / 2), else it is 0
///
/// Squaring doubles the logarithm, so that each of its bits after the point becomes the integer part in its turn. What
/// is cut off takes less than 2^-125 from n / d's logarithm, and the 32 doublings make that 2^-93 of the last bit: the
/// result is the floor of the true logarithm, unless that lies less than this above a multiple of 2^-32. Powers of two
/// are exact.
library SelfInformation {
    uint256 internal constant FRACTION_BITS = 32;

    error NotAProbability(uint256 d, uint256 n);

    /// @notice The information in an event of probability d / n: floor(2^32 * log2(n / d)), in 2^-32 bits.
    /// @dev Requirements: 0 < d < n < 2^128 (NotAProbability).
    function bitsOf(uint256 n, uint256 d) internal pure returns (uint256 bits) {
        require(0 < d && d < n && n <= type(uint128).max, NotAProbability(d, n));
        // Below 2^255, the squares below 2^256.
        unchecked {
            // Rounded down at every step, by the rule.
            // slither-disable-next-line divide-before-multiply
            uint256 x = (n << 127) / d;
            bits = Math.log2(x) - 127;
            x >>= bits;
            for (uint256 i = 0; i < FRACTION_BITS; ++i) {
                x = x * x >> 127;
                uint256 bit = x >> 128;
                x >>= bit;
                bits = bits << 1 | bit;
            }
        }
    }
}
