// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice All a shared model stores of one contribution, in one slot:
///
///     255         180 179           104 103     76 75      44 43         8 7      0
///     +--------------+-----------------+----------+----------+-----------+--------+
///     | left, in wei | deposit, in wei |  author  | added at | reporters | flags  |
///     +--------------+-----------------+----------+----------+-----------+--------+
///
/// Sample and label are the record's key: each pair is contributed once in all, whoever brings it. `author` is the number
/// of its account (Author.sol), `added at` in seconds since 1970, until the year 2106. Bit s - 1 of `reporters` says that
/// the author in seat s has reported it.
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

    bytes32 private constant TYPE = keccak256("souk.contribution.v2");
    uint256 private constant LEFT = 180;
    uint256 private constant DEPOSIT = 104;
    uint256 private constant AUTHOR = 76;
    uint256 private constant ADDED_AT = 44;
    uint256 private constant WITHOUT_LEFT = (1 << LEFT) - 1;
    uint256 private constant MAX_AMOUNT = (1 << 76) - 1;

    error MoreThanLeft(uint256 amount, uint256 left);
    error DepositTooLarge(uint256 deposit, uint256 max);

    /// @notice Where a contribution is recorded.
    function key(uint256[] calldata features, uint256 label) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPE, keccak256(abi.encodePacked(features)), label));
    }

    /// @dev Requirements: the deposit is below 2^76 wei (DepositTooLarge), the time below 2^32 s; the number of the author
    /// is below 2^28 (Author.sol).
    function create(uint256 deposit_, uint256 author, uint256 addedAt) internal pure returns (Contribution) {
        require(deposit_ <= MAX_AMOUNT, DepositTooLarge(deposit_, MAX_AMOUNT));
        uint256 origin = author << AUTHOR | uint256(SafeCast.toUint32(addedAt)) << ADDED_AT;
        return Contribution.wrap(deposit_ << LEFT | deposit_ << DEPOSIT | origin | ADDED);
    }

    /// @notice Whether it was added, at that time and by the account of that number.
    function isBy(Contribution self, uint256 author, uint256 addedAt) internal pure returns (bool) {
        uint256 word = Contribution.unwrap(self);
        return has(self, ADDED) && word >> AUTHOR & (1 << 28) - 1 == author && uint32(word >> ADDED_AT) == addedAt;
    }

    function has(Contribution self, uint8 flag) internal pure returns (bool) {
        return Contribution.unwrap(self) & flag != 0;
    }

    function left(Contribution self) internal pure returns (uint256) {
        return Contribution.unwrap(self) >> LEFT;
    }

    function deposit(Contribution self) internal pure returns (uint256) {
        return Contribution.unwrap(self) >> DEPOSIT & MAX_AMOUNT;
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
        return Contribution.wrap(Contribution.unwrap(self) & WITHOUT_LEFT | (rest - amount) << LEFT);
    }
}
