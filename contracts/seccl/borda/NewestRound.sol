// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {State} from "../../interfaces/IBordaConsensus.sol";

/// @notice The newest round, in one slot:
///
///     255        240 239   232 231     216 215     177 176     175           128 127     0
///     +-------------+---------+-----------+-----------+---------+-----------------+-------+
///     | rounds      | state   | cursor    |           | absence | block of close  | seed  |
///     +-------------+---------+-----------+-----------+---------+-----------------+-------+
///
/// `rounds` counts all up to the newest, which is number rounds - 1, opened or not. The cursor says how many candidates
/// the closing has looked at; absence, that somebody was reported absent.
type NewestRound is uint256;

using NewestRoundLib for NewestRound global;

library NewestRoundLib {
    uint256 private constant CURSOR_MASK = uint256(type(uint16).max) << 216;
    uint256 private constant STATE_MASK = uint256(type(uint8).max) << 232;
    uint256 private constant ABSENCE = 1 << 176;
    uint256 private constant BLOCK_MASK = uint256(type(uint48).max) << 128;

    /// @notice No round yet: as if one had been closed when the session was created.
    function none(uint256 createdIn) internal pure returns (NewestRound) {
        return NewestRound.wrap(createdIn << 128);
    }

    function open(uint256 number_, bytes16 seed_) internal pure returns (NewestRound) {
        return NewestRound.wrap(number_ + 1 << 240 | uint256(State.Open) << 232 | uint256(uint128(seed_)));
    }

    function rounds(NewestRound self) internal pure returns (uint256) {
        return NewestRound.unwrap(self) >> 240;
    }

    /// @notice The round's number; -1 before the first.
    function number(NewestRound self) internal pure returns (uint256) {
        unchecked {
            return self.rounds() - 1;
        }
    }

    function state(NewestRound self) internal pure returns (State) {
        return State(uint8(NewestRound.unwrap(self) >> 232));
    }

    function cursor(NewestRound self) internal pure returns (uint256) {
        return uint16(NewestRound.unwrap(self) >> 216);
    }

    function closedIn(NewestRound self) internal pure returns (uint256) {
        return uint48(NewestRound.unwrap(self) >> 128);
    }

    function seed(NewestRound self) internal pure returns (bytes16) {
        return bytes16(uint128(NewestRound.unwrap(self)));
    }

    function absence(NewestRound self) internal pure returns (bool) {
        return NewestRound.unwrap(self) & ABSENCE != 0;
    }

    /// @notice The round in which somebody was reported absent.
    function withAbsence(NewestRound self) internal pure returns (NewestRound) {
        return NewestRound.wrap(NewestRound.unwrap(self) | ABSENCE);
    }

    /// @notice The round with so many candidates looked at, and more to come.
    function closing(NewestRound self, uint256 cursor_) internal pure returns (NewestRound) {
        uint256 rest = NewestRound.unwrap(self) & ~(STATE_MASK | CURSOR_MASK);
        return NewestRound.wrap(rest | uint256(State.Closing) << 232 | cursor_ << 216);
    }

    function closed(NewestRound self, uint256 blockNumber) internal pure returns (NewestRound) {
        uint256 rest = NewestRound.unwrap(self) & ~(STATE_MASK | CURSOR_MASK | BLOCK_MASK);
        return NewestRound.wrap(rest | uint256(State.Closed) << 232 | uint256(uint48(blockNumber)) << 128);
    }
}
