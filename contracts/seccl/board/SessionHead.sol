// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BoardTerms, MessageKind} from "../../interfaces/IBulletinBoard.sol";

/// @notice All that a post needs to know of its session, in one slot:
///
///      255      254         253      252    242 241   232 231     212 211     192 191   160 159      0
///     +--------+-----------+---------+---------+---------+-----------+-----------+---------+----------+
///     | faulty | evaluations uploads | members | rounds  | evaluation| upload    | start   | server   |
///     |        |       batched       |         |         | time      | time      |         |          |
///     +--------+-----------+---------+---------+---------+-----------+-----------+---------+----------+
///
/// A server's second slot would cost every post 2,100 gas, so members, rounds and times have no more bits than they need.
type SessionHead is uint256;

using SessionHeadLib for SessionHead global;

library SessionHeadLib {
    uint256 internal constant MEMBERS_LIMIT = 2 ** 11 - 1;
    uint256 internal constant ROUNDS_LIMIT = 2 ** 10 - 1;
    uint256 internal constant TIME_LIMIT = 2 ** 20 - 1;

    uint256 private constant FAULTY = 1 << 255;

    /// @dev All fields must be within their limits.
    function pack(BoardTerms memory t) internal pure returns (SessionHead) {
        return SessionHead.wrap(
            (t.batchedEvaluations ? uint256(1) << 254 : 0) | (t.batchedUploads ? uint256(1) << 253 : 0)
                | uint256(t.members) << 242 | uint256(t.rounds) << 232 | uint256(t.evaluationTime) << 212
                | uint256(t.uploadTime) << 192 | uint256(t.start) << 160 | uint160(t.server)
        );
    }

    function exists(SessionHead self) internal pure returns (bool) {
        return SessionHead.unwrap(self) != 0;
    }

    function server(SessionHead self) internal pure returns (address) {
        return address(uint160(SessionHead.unwrap(self)));
    }

    function start(SessionHead self) internal pure returns (uint256) {
        return uint32(SessionHead.unwrap(self) >> 160);
    }

    function uploadTime(SessionHead self) internal pure returns (uint256) {
        return SessionHead.unwrap(self) >> 192 & TIME_LIMIT;
    }

    function evaluationTime(SessionHead self) internal pure returns (uint256) {
        return SessionHead.unwrap(self) >> 212 & TIME_LIMIT;
    }

    function rounds(SessionHead self) internal pure returns (uint256) {
        return SessionHead.unwrap(self) >> 232 & ROUNDS_LIMIT;
    }

    function members(SessionHead self) internal pure returns (uint256) {
        return SessionHead.unwrap(self) >> 242 & MEMBERS_LIMIT;
    }

    /// @notice Whether messages of that kind are posted as one batch a round.
    function batched(SessionHead self, MessageKind kind) internal pure returns (bool) {
        return SessionHead.unwrap(self) >> (253 + uint256(kind)) & 1 == 1;
    }

    function faulty(SessionHead self) internal pure returns (bool) {
        return SessionHead.unwrap(self) >= FAULTY;
    }

    function withFault(SessionHead self) internal pure returns (SessionHead) {
        return SessionHead.wrap(SessionHead.unwrap(self) | FAULTY);
    }

    /// @notice When the messages of a round of the session and kind are posted, [from, to): first the uploads, then the
    /// evaluations.
    function window(SessionHead self, uint256 round, MessageKind kind)
        internal
        pure
        returns (uint256 from, uint256 to)
    {
        // The round is one of the session's, and each time has 32 bits at most.
        unchecked {
            from = _opening(self, round);
            to = from + self.uploadTime();
            if (kind == MessageKind.Evaluation) (from, to) = (to, to + self.evaluationTime());
        }
    }

    /// @notice The first round whose uploads have not opened at `time`; there may be no such round.
    function nextRound(SessionHead self, uint256 time) internal pure returns (uint256) {
        if (time < self.start()) return 0;
        return (time - self.start()) / (self.uploadTime() + self.evaluationTime()) + 1;
    }

    /// @notice When the last round's evaluations end.
    function end(SessionHead self) internal pure returns (uint256) {
        return _opening(self, self.rounds());
    }

    function _opening(SessionHead self, uint256 round) private pure returns (uint256) {
        unchecked {
            return self.start() + round * (self.uploadTime() + self.evaluationTime());
        }
    }
}
