// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {AuthorLib} from "./Author.sol";

/// @notice What a shared model stores once for all, in one slot:
///
///     255        168 167                        80 79         40 39   32 31              0
///     +-------------+-----------------------------+-------------+-------+-----------------+
///     | pot, in wei | reward per good data, in wei| last update | seats | total good data |
///     +-------------+-----------------------------+-------------+-------+-----------------+
///
/// Income (submission costs, paid predictions) goes into the pot. Before the number of good data changes, the pot is
/// shared: the index `rewardPerGood` rises by floor(pot / totalGoodData), and what does not divide stays in the pot.
/// Sharing late equals sharing at once, since the number has not changed in between; so views and payments share the pot
/// in memory alone. A young model waits with it (SharedModel.sol). Where the pot would be full, it is shared at once.
///
/// The index goes round: it counts modulo 2^88, and so does what an author is owed (Author.sol), which is right as long as
/// that is less than 2^88 wei. So nobody can fill it, by paying itself over and over or otherwise.
type Totals is uint256;

using TotalsLib for Totals global;

library TotalsLib {
    uint256 private constant WITHOUT_UPDATE = ~(uint256(type(uint40).max) << 40);
    uint256 private constant WITHOUT_POT = type(uint168).max;
    uint256 private constant COUNTS = type(uint80).max;

    function create(uint256 now_) internal pure returns (Totals) {
        return Totals.wrap(uint256(SafeCast.toUint40(now_)) << 40);
    }

    function pot(Totals self) internal pure returns (uint256) {
        return Totals.unwrap(self) >> 168;
    }

    /// @notice What each contribution that proved good at the start would have earned by now, modulo 2^88.
    function rewardPerGood(Totals self) internal pure returns (uint256) {
        return uint88(Totals.unwrap(self) >> 80);
    }

    /// @notice When the model was last taught, in seconds since 1970.
    function lastUpdate(Totals self) internal pure returns (uint256) {
        return uint40(Totals.unwrap(self) >> 40);
    }

    function seats(Totals self) internal pure returns (uint256) {
        return uint8(Totals.unwrap(self) >> 32);
    }

    function goodData(Totals self) internal pure returns (uint256) {
        return uint32(Totals.unwrap(self));
    }

    function withUpdate(Totals self, uint256 now_) internal pure returns (Totals) {
        return Totals.wrap(Totals.unwrap(self) & WITHOUT_UPDATE | uint256(SafeCast.toUint40(now_)) << 40);
    }

    /// @notice Whether the pot has a place for so much more.
    function hasRoom(Totals self, uint256 amount) internal pure returns (bool) {
        return amount <= type(uint88).max - pot(self);
    }

    /// @dev Requirements: the pot stays below 2^88 wei (SafeCastOverflowedUintDowncast).
    function withIncome(Totals self, uint256 amount) internal pure returns (Totals) {
        uint256 sum = SafeCast.toUint88(pot(self) + amount);
        return Totals.wrap(Totals.unwrap(self) & WITHOUT_POT | sum << 168);
    }

    /// @notice With the pot shared among all good data; without any, it stays for the first.
    function shared(Totals self) internal pure returns (Totals) {
        uint256 total = goodData(self);
        uint256 amount = pot(self);
        if (total == 0 || amount < total) return self;
        uint256 index = uint88(rewardPerGood(self) + amount / total);
        return Totals.wrap(Totals.unwrap(self) & COUNTS | amount % total << 168 | index << 80);
    }

    /// @notice With one more contribution that proved good; the pot must be shared before.
    /// @param seat the author's seat, zero if it has none
    /// @return totals the totals after it
    /// @return seat_ the author's seat from now on, zero if all were taken
    function withGoodData(Totals self, uint256 seat) internal pure returns (Totals totals, uint256 seat_) {
        // Only for its revert: the count must stay within its place.
        // slither-disable-next-line unused-return
        SafeCast.toUint32(goodData(self) + 1);
        uint256 word = Totals.unwrap(self) + 1;
        if (seat == 0 && seats(self) < AuthorLib.SEATS) {
            word += 1 << 32;
            seat = seats(self) + 1;
        }
        return (Totals.wrap(word), seat);
    }
}
