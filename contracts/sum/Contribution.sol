// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice All a shared model stores of one contribution, in one slot:
///
///     255         176 175          96 95        64 63          8 7      0
///     +--------------+---------------+------------+-------------+--------+
///     | left, in wei | deposit, "  " | announced  |  reporters  | flags  |
///     +--------------+---------------+------------+-------------+--------+
///
/// Sample, label, author and time are in the record's key, so that whoever acts on a contribution brings them along.
/// `announced` is when a verdict was last announced, in seconds after the contribution was added; the flags say which,
/// while it stands. Bit s - 1 of `reporters` says that the author in seat s has reported it (Author.sol).
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
    /// @dev the author announced a refund, and nobody has objected
    uint8 internal constant GOOD_ANNOUNCED = 16;
    /// @dev somebody announced a report, and nobody has objected
    uint8 internal constant BAD_ANNOUNCED = 32;

    bytes32 private constant TYPE = keccak256("souk.contribution.v1");
    uint256 private constant WITHOUT_LEFT = (1 << 176) - 1;
    uint256 private constant EITHER_ANNOUNCED = GOOD_ANNOUNCED | BAD_ANNOUNCED;
    uint256 private constant WITHOUT_ANNOUNCEMENT = ~(uint256(type(uint32).max) << 64 | EITHER_ANNOUNCED);

    error MoreThanLeft(uint256 amount, uint256 left);

    /// @notice Where a contribution is recorded.
    function key(uint256[] calldata features, uint256 label, address author, uint256 addedAt)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(TYPE, keccak256(abi.encodePacked(features)), label, author, addedAt));
    }

    /// @dev Requirements: the deposit is below 2^80 wei.
    function create(uint256 deposit_) internal pure returns (Contribution) {
        uint256 amount = SafeCast.toUint80(deposit_);
        return Contribution.wrap(amount << 176 | amount << 96 | ADDED);
    }

    function has(Contribution self, uint8 flag) internal pure returns (bool) {
        return Contribution.unwrap(self) & flag != 0;
    }

    function left(Contribution self) internal pure returns (uint256) {
        return Contribution.unwrap(self) >> 176;
    }

    function deposit(Contribution self) internal pure returns (uint256) {
        return uint80(Contribution.unwrap(self) >> 96);
    }

    /// @notice When a verdict was last announced, whatever came of it, in seconds since 1970; zero if that never was.
    function announcedAt(Contribution self, uint256 addedAt) internal pure returns (uint256) {
        uint256 after_ = uint32(Contribution.unwrap(self) >> 64);
        return after_ == 0 ? 0 : addedAt + after_;
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

    /// @notice With the announcement of one verdict, in place of any other.
    /// @param flag GOOD_ANNOUNCED or BAD_ANNOUNCED
    /// @param after_ seconds since it was added
    function announced(Contribution self, uint8 flag, uint256 after_) internal pure returns (Contribution) {
        uint256 rest = Contribution.unwrap(self) & WITHOUT_ANNOUNCEMENT;
        return Contribution.wrap(rest | uint256(SafeCast.toUint32(after_)) << 64 | flag);
    }

    /// @notice Without the verdict that stands announced; when that was is kept.
    function objected(Contribution self) internal pure returns (Contribution) {
        return Contribution.wrap(Contribution.unwrap(self) & ~EITHER_ANNOUNCED);
    }

    /// @dev Requirements: no more than is left (MoreThanLeft).
    function take(Contribution self, uint256 amount) internal pure returns (Contribution) {
        uint256 rest = left(self);
        require(amount <= rest, MoreThanLeft(amount, rest));
        return Contribution.wrap(Contribution.unwrap(self) & WITHOUT_LEFT | (rest - amount) << 176);
    }
}
