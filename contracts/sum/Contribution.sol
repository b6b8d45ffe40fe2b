// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice All a shared model stores of one contribution, in one slot:
///
///     255         160 159            64 63          8 7      0
///     +--------------+-----------------+-------------+--------+
///     | left, in wei | deposit, in wei |  reporters  | flags  |
///     +--------------+-----------------+-------------+--------+
///
/// Sample, label, author and time are in the record's key, so that whoever acts on a contribution brings them along.
/// Bit s - 1 of `reporters` says that the author in seat s has reported it (Author.sol).
type Contribution is uint256;

using ContributionLib for Contribution global;

/// @title The data handler: keys and records of contributions
library ContributionLib {
    /// @dev a record that was never written
    Contribution internal constant NONE = Contribution.wrap(0);
    uint8 internal constant ADDED = 1;
    /// @dev proved good; the author had its refund
    uint8 internal constant REFUNDED = 2;
    /// @dev reported at least once
    uint8 internal constant REPORTED = 4;
    /// @dev reported by an account without a seat, which is noted elsewhere
    uint8 internal constant REPORTED_UNSEATED = 8;

    bytes32 private constant TYPE = keccak256("souk.contribution.v1");
    uint256 private constant WITHOUT_LEFT = (1 << 160) - 1;

    error MoreThanLeft(uint256 amount, uint256 left);

    /// @notice Where a contribution is recorded.
    function key(uint256[] calldata features, uint256 label, address author, uint256 addedAt)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(TYPE, keccak256(abi.encodePacked(features)), label, author, addedAt));
    }

    /// @dev Requirements: the deposit is below 2^96 wei.
    function create(uint256 deposit_) internal pure returns (Contribution) {
        uint256 amount = SafeCast.toUint96(deposit_);
        return Contribution.wrap(amount << 160 | amount << 64 | ADDED);
    }

    function has(Contribution self, uint8 flag) internal pure returns (bool) {
        return Contribution.unwrap(self) & flag != 0;
    }

    function left(Contribution self) internal pure returns (uint256) {
        return Contribution.unwrap(self) >> 160;
    }

    function deposit(Contribution self) internal pure returns (uint256) {
        return uint96(Contribution.unwrap(self) >> 64);
    }

    /// @notice Whether the author in this seat (from 1) has reported it; nobody has from seat 0, whose bit is no flag's.
    function reportedBy(Contribution self, uint256 seat) internal pure returns (bool) {
        return Contribution.unwrap(self) >> (7 + seat) & 1 == 1;
    }

    function with(Contribution self, uint8 flag) internal pure returns (Contribution) {
        return Contribution.wrap(Contribution.unwrap(self) | flag);
    }

    function withReporter(Contribution self, uint256 seat) internal pure returns (Contribution) {
        return Contribution.wrap(Contribution.unwrap(self) | 1 << (7 + seat));
    }

    /// @dev Requirements: no more than is left (MoreThanLeft).
    function take(Contribution self, uint256 amount) internal pure returns (Contribution) {
        uint256 rest = left(self);
        require(amount <= rest, MoreThanLeft(amount, rest));
        return Contribution.wrap(Contribution.unwrap(self) & WITHOUT_LEFT | (rest - amount) << 160);
    }
}
