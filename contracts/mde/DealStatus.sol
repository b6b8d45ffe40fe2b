// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DealState} from "../interfaces/IDatasetSale.sol";

/// @notice Where a pair stands, in one slot, zero for nothing:
///
///      255   248 247      208 207     0
///     +---------+------------+---------+
///     | state   | deadline   | content |
///     +---------+------------+---------+
///
/// `content` is the hash of quote and purchase.
type DealStatus is uint256;

using DealStatusLib for DealStatus global;

library DealStatusLib {
    function pack(DealState state_, uint256 deadline_, bytes26 content_) internal pure returns (DealStatus) {
        return DealStatus.wrap(uint256(state_) << 248 | deadline_ << 208 | uint208(content_));
    }

    function state(DealStatus self) internal pure returns (DealState) {
        return DealState(DealStatus.unwrap(self) >> 248);
    }

    function deadline(DealStatus self) internal pure returns (uint256) {
        return uint40(DealStatus.unwrap(self) >> 208);
    }

    function content(DealStatus self) internal pure returns (bytes26) {
        return bytes26(uint208(DealStatus.unwrap(self)));
    }

    /// @notice The same deal in another state, without a deadline.
    function ended(DealStatus self, DealState state_) internal pure returns (DealStatus) {
        return pack(state_, 0, self.content());
    }
}
