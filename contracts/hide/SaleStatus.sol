// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SaleState} from "../interfaces/ICleanerSale.sol";

/// @notice Where a buyer stands at one listing, in one slot, zero for nothing:
///
///      255   248 247   240 239   232 231      192 191     0
///     +---------+---------+---------+------------+---------+
///     | state   | level   | owned   | deadline   | content |
///     +---------+---------+---------+------------+---------+
///
/// `owned` counts the levels up to the best owned one. `content` is the hash of the present sale, or the price of the best
/// owned level where there is none.
type SaleStatus is uint256;

using SaleStatusLib for SaleStatus global;

library SaleStatusLib {
    SaleStatus internal constant NONE = SaleStatus.wrap(0);

    function pack(SaleState state_, uint256 level_, uint256 owned_, uint256 deadline_, bytes24 content_)
        internal
        pure
        returns (SaleStatus)
    {
        return SaleStatus.wrap(
            uint256(state_) << 248 | level_ << 240 | owned_ << 232 | deadline_ << 192 | uint192(content_)
        );
    }

    /// @notice Of a buyer that owns the lowest `owned_` levels, the best of them at that price.
    function owner(uint256 owned_, uint256 price) internal pure returns (SaleStatus) {
        return pack(SaleState.Owned, owned_ - 1, owned_, 0, bytes24(uint192(price)));
    }

    function state(SaleStatus self) internal pure returns (SaleState) {
        return SaleState(SaleStatus.unwrap(self) >> 248);
    }

    function level(SaleStatus self) internal pure returns (uint256) {
        return uint8(SaleStatus.unwrap(self) >> 240);
    }

    function owned(SaleStatus self) internal pure returns (uint256) {
        return uint8(SaleStatus.unwrap(self) >> 232);
    }

    function deadline(SaleStatus self) internal pure returns (uint256) {
        return uint40(SaleStatus.unwrap(self) >> 192);
    }

    function content(SaleStatus self) internal pure returns (bytes24) {
        return bytes24(uint192(SaleStatus.unwrap(self)));
    }

    /// @notice The price of the best owned level, zero if there is none; no sale may be under way.
    function credit(SaleStatus self) internal pure returns (uint96) {
        return uint96(SaleStatus.unwrap(self));
    }

    /// @notice The same sale in another state, with another deadline.
    function to(SaleStatus self, SaleState state_, uint256 deadline_) internal pure returns (SaleStatus) {
        return pack(state_, self.level(), self.owned(), deadline_, self.content());
    }
}
