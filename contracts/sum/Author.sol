// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice All a shared model stores of one author, in one slot:
///
///     255                            72 71    40 39   32 31        0
///     +--------------------------------+--------+-------+-----------+
///     | offset, in wei, with its sign  | number | seat  | good data |
///     +--------------------------------+--------+-------+-----------+
///
/// The author is owed `goodData * rewardPerGood + offset`, modulo 2^88, as the index counts (Totals.sol). A contribution
/// that proves good lowers the offset by the index of that moment, so that it earns from then on; a credit raises it; a
/// payment takes it off. So good data and rewards share a slot, and sharing a payment among any number of authors touches
/// none of them. Who has contributed has a number from 1 on, by which its contributions name it (Contribution.sol).
type Author is uint256;

using AuthorLib for Author global;

library AuthorLib {
    /// @dev Seats 1 to SEATS go to the first authors whose data proved good; their reports are a bit of the record
    /// instead of a slot. Zero: no seat.
    uint256 internal constant SEATS = 12;
    /// @dev How many accounts can contribute: a number's place in a contribution has 28 bits.
    uint256 internal constant MAX_NUMBER = (1 << 28) - 1;

    uint256 private constant OFFSET = 72;

    error TooManyAuthors(uint256 max);

    function goodData(Author self) internal pure returns (uint256) {
        return uint32(Author.unwrap(self));
    }

    function seat(Author self) internal pure returns (uint256) {
        return uint8(Author.unwrap(self) >> 32);
    }

    /// @notice Zero for an account that has contributed nothing.
    function number(Author self) internal pure returns (uint256) {
        return uint32(Author.unwrap(self) >> 40);
    }

    /// @notice What the author is owed, in wei.
    function owed(Author self, uint256 rewardPerGood) internal pure returns (uint256) {
        // Both terms are far from the limits: 2^32 contributions at 2^88 wei, and an offset of 184 bits. What is owed is
        // less than 2^88 wei, and the index may have gone round since the offset was made: so only the lower bits count.
        return uint88(uint256(int256(goodData(self) * rewardPerGood) + _offset(self)));
    }

    /// @notice With its number; it has none yet. Requirements: the number is not too large (TooManyAuthors).
    function numbered(Author self, uint256 number_) internal pure returns (Author) {
        require(number_ <= MAX_NUMBER, TooManyAuthors(MAX_NUMBER));
        return Author.wrap(Author.unwrap(self) | number_ << 40);
    }

    /// @notice With one more contribution that proved good, earning from now on.
    function withGoodData(Author self, uint256 seat_, uint256 rewardPerGood) internal pure returns (Author) {
        uint256 low = number(self) << 40 | seat_ << 32 | SafeCast.toUint32(goodData(self) + 1);
        return _pack(_offset(self) - int256(rewardPerGood), low);
    }

    /// @notice With an amount added to what is owed.
    function credited(Author self, uint256 amount) internal pure returns (Author) {
        return _pack(_offset(self) + SafeCast.toInt256(amount), Author.unwrap(self));
    }

    /// @notice With an amount taken from what is owed.
    function paid(Author self, uint256 amount) internal pure returns (Author) {
        return _pack(_offset(self) - SafeCast.toInt256(amount), Author.unwrap(self));
    }

    function _offset(Author self) private pure returns (int256) {
        return int256(Author.unwrap(self)) >> OFFSET;
    }

    /// @dev The offset over the lower bits of a word; those above them are not taken.
    function _pack(int256 offset, uint256 low) private pure returns (Author) {
        return Author.wrap(uint256(int256(SafeCast.toInt184(offset))) << OFFSET | low & (1 << OFFSET) - 1);
    }
}
