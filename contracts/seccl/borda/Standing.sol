// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice Somebody's value (points or a score) with its place among equals, as one number: the greater stands higher.
///
///     255    224 223                     16 15     0
///     +---------+--------------------------+-------+
///     | value   | order among equals       | index |
///     +---------+--------------------------+-------+
///
/// The order is a hash of the round's seed and the index, so that being first in the list is worth nothing. No two are
/// equal, since the indices differ.
type Standing is uint256;

using StandingLib for Standing global;

library StandingLib {
    function create(uint256 value_, bytes16 seed, uint256 index_) internal pure returns (Standing standing) {
        assembly ("memory-safe") {
            // Bits beyond the 16 bytes may be anything.
            mstore(0, shl(128, shr(128, seed)))
            mstore(0x20, index_)
            standing := or(shl(224, value_), or(shl(16, shr(48, keccak256(0, 0x40))), index_))
        }
    }

    function value(Standing self) internal pure returns (uint256) {
        return Standing.unwrap(self) >> 224;
    }

    function index(Standing self) internal pure returns (uint256) {
        return uint16(Standing.unwrap(self));
    }
}
