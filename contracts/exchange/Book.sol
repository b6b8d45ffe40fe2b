// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice A seller's money at one listing, in one slot:
///
///      255    194 193      192      191     96 95      0
///     +----------+--------+--------+----------+---------+
///     |          | closed | listed | held     | funds   |
///     +----------+--------+--------+----------+---------+
///
/// What is held is never above the funds.
type Book is uint256;

using BookLib for Book global;

library BookLib {
    error FundsTooLow(uint256 free, uint256 needed);
    error FundsTooHigh(uint256 funds, uint256 limit);

    uint256 private constant HELD = 96;
    uint256 private constant LISTED = 1 << 192;
    uint256 private constant CLOSED = 1 << 193;

    function create(uint96 amount) internal pure returns (Book) {
        return Book.wrap(LISTED | amount);
    }

    function listed(Book self) internal pure returns (bool) {
        return Book.unwrap(self) & LISTED != 0;
    }

    function closed(Book self) internal pure returns (bool) {
        return Book.unwrap(self) & CLOSED != 0;
    }

    function close(Book self) internal pure returns (Book) {
        return Book.wrap(Book.unwrap(self) | CLOSED);
    }

    function funds(Book self) internal pure returns (uint256) {
        return uint96(Book.unwrap(self));
    }

    function held(Book self) internal pure returns (uint256) {
        return uint96(Book.unwrap(self) >> HELD);
    }

    /// @notice Adds to the funds. Requirements: they fit (FundsTooHigh).
    function add(Book self, uint256 amount) internal pure returns (Book) {
        uint256 sum = self.funds() + amount;
        require(sum <= type(uint96).max, FundsTooHigh(sum, type(uint96).max));
        return Book.wrap(Book.unwrap(self) + amount);
    }

    /// @notice Takes from the funds what is not held. Requirements: so much is free (FundsTooLow).
    function take(Book self, uint256 amount) internal pure returns (Book) {
        _free(self, amount);
        return Book.wrap(Book.unwrap(self) - amount);
    }

    /// @notice Holds more of the funds. Requirements: so much is free (FundsTooLow).
    function hold(Book self, uint256 amount) internal pure returns (Book) {
        _free(self, amount);
        return Book.wrap(Book.unwrap(self) + (amount << HELD));
    }

    /// @notice Holds less of the funds; `amount` must be held.
    function release(Book self, uint256 amount) internal pure returns (Book) {
        return Book.wrap(Book.unwrap(self) - (amount << HELD));
    }

    function _free(Book self, uint256 needed) private pure {
        uint256 free = self.funds() - self.held();
        require(free >= needed, FundsTooLow(free, needed));
    }
}
