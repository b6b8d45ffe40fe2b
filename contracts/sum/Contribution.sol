// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice All a shared model stores of one contribution, in one slot:
///
///     255    182 181     108 107   80 79      48 47       20 19       8 7     0
///     +---------+-----------+--------+----------+-----------+-----------+-------+
///     |  left   |  deposit  | author | added at | announced | reporters | flags |
///     +---------+-----------+--------+----------+-----------+-----------+-------+
///
/// The first contribution of a sample with a label lies at their key, so that a further one is known for a repeat without a
/// slot more. A repeat teaches as well and is dealt with alike, at a key of its own, but earns nothing. A first one that is
/// spent, as nobody gets anything for it any more, gives its place to the next. Amounts are in wei.
/// `author` is the number of the account (Author.sol), `added at` in seconds since 1970, until 2106. `announced` is when a
/// verdict was last announced, or the contribution upheld, in seconds after it was added, for 8.5 years; the flags say
/// which verdict, while it stands. Bit s - 1 of `reporters` says that the author in seat s has reported it.
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
    uint8 internal constant EITHER_ANNOUNCED = GOOD_ANNOUNCED | BAD_ANNOUNCED;
    /// @dev not the first of its sample and label
    uint8 internal constant REPEATED = 64;

    bytes32 private constant TYPE = keccak256("souk.contribution.v2");
    uint256 private constant LEFT = 182;
    uint256 private constant DEPOSIT = 108;
    uint256 private constant AUTHOR = 80;
    uint256 private constant ADDED_AT = 48;
    uint256 private constant ANNOUNCED = 20;
    uint256 private constant WITHOUT_LEFT = (1 << LEFT) - 1;
    uint256 private constant MAX_AMOUNT = (1 << 74) - 1;
    /// @dev In seconds after it was added: 8.5 years.
    uint256 private constant MAX_AFTER = (1 << 28) - 1;
    uint256 private constant WITHOUT_ANNOUNCEMENT = ~(MAX_AFTER << ANNOUNCED | EITHER_ANNOUNCED);

    error MoreThanLeft(uint256 amount, uint256 left);
    error DepositTooLarge(uint256 deposit, uint256 max);
    error AnnouncedTooLate(uint256 seconds_, uint256 max);

    /// @notice Where the first contribution of a sample with a label is recorded.
    function key(uint256[] calldata features, uint256 label) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPE, keccak256(abi.encodePacked(features)), label));
    }

    /// @notice Where a repeat is recorded.
    function repeatKey(bytes32 first, address author, uint256 addedAt) internal pure returns (bytes32) {
        return keccak256(abi.encode(first, author, addedAt));
    }

    /// @dev Requirements: the deposit is below 2^74 wei (DepositTooLarge), the time below 2^32 s; the number of the author
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

    /// @notice Whether nobody gets anything for it any more, and it never proved good: its deposit is gone, or, where it
    /// never had one, it was reported.
    function isSpent(Contribution self) internal pure returns (bool) {
        return !has(self, REFUNDED) && left(self) == 0 && (deposit(self) > 0 || has(self, REPORTED));
    }

    /// @notice Whether its whole deposit still answers for it: it neither proved good, nor did anybody get anything for it.
    function isAtStake(Contribution self) internal pure returns (bool) {
        return !has(self, REFUNDED | REPORTED) && left(self) == deposit(self);
    }

    /// @notice When a verdict was last announced, whatever came of it, or the contribution upheld, in seconds since 1970;
    /// zero if that never was.
    function announcedAt(Contribution self, uint256 addedAt) internal pure returns (uint256) {
        uint256 after_ = Contribution.unwrap(self) >> ANNOUNCED & MAX_AFTER;
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

    /// @notice With the announcement of one verdict, or of none, in place of any other.
    /// @dev Requirements: no more than 2^28 - 1 seconds have passed since it was added (AnnouncedTooLate).
    /// @param flag GOOD_ANNOUNCED, BAD_ANNOUNCED or zero
    /// @param after_ seconds since it was added
    function announced(Contribution self, uint8 flag, uint256 after_) internal pure returns (Contribution) {
        require(after_ <= MAX_AFTER, AnnouncedTooLate(after_, MAX_AFTER));
        uint256 rest = Contribution.unwrap(self) & WITHOUT_ANNOUNCEMENT;
        return Contribution.wrap(rest | after_ << ANNOUNCED | flag);
    }

    /// @notice Without the verdict that stands announced; when that was is kept.
    function objected(Contribution self) internal pure returns (Contribution) {
        return Contribution.wrap(Contribution.unwrap(self) & ~uint256(EITHER_ANNOUNCED));
    }

    /// @dev Requirements: no more than is left (MoreThanLeft).
    function take(Contribution self, uint256 amount) internal pure returns (Contribution) {
        uint256 rest = left(self);
        require(amount <= rest, MoreThanLeft(amount, rest));
        return Contribution.wrap(Contribution.unwrap(self) & WITHOUT_LEFT | (rest - amount) << LEFT);
    }
}
