// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Highest, HighestLib} from "./Highest.sol";
import {Standing, StandingLib} from "./Standing.sol";

/// @title The positional scoring of SecCL's consensus ("Consensus among participants")
/// @notice A ballot puts `winners` of the other members in order; the first gets `winners` points, each next one less,
/// the last gets 1, everybody else 0. A ballot is either that order itself or a score for everybody, from which the
/// order follows. offchain/seccl/borda.py is this file's twin.
///
/// Points of all candidates are counted side by side in words of 240 bits, in lanes just wide enough for the most that
/// one can get: winners points from each of the other members.
library Borda {
    error RankingLength(uint256 length, uint256 needed);
    error ScoresLength(uint256 length, uint256 needed);
    error UnknownCandidate(uint256 candidate, uint256 members);
    error SelfVote(uint256 voter);
    error DuplicateCandidate(uint256 candidate);

    uint256 internal constant WORD_BITS = 240;
    /// @dev Up to so many members a name in a ranking takes one byte, else two.
    uint256 private constant MAX_BYTE_NAMES = 256;

    /// @notice The names in a packed ranking, best first: one byte each with up to 256 members, else two, big-endian.
    /// @dev Requirements: `winners` names (RankingLength), of members (UnknownCandidate), the voter's own not among
    /// them (SelfVote), none twice (DuplicateCandidate).
    function names(bytes calldata ranking, uint256 voter, uint256 members, uint256 winners)
        internal
        pure
        returns (uint256[] memory order)
    {
        uint256 width = members <= MAX_BYTE_NAMES ? 1 : 2;
        require(ranking.length == width * winners, RankingLength(ranking.length, width * winners));
        order = new uint256[](winners);
        uint256[] memory seen = new uint256[]((members + 255) >> 8);
        unchecked {
            uint256 shift = 256 - 8 * width;
            for (uint256 i = 0; i < winners; ++i) {
                uint256 name;
                assembly ("memory-safe") {
                    // What follows the ranking in calldata is shifted out.
                    name := shr(shift, calldataload(add(ranking.offset, mul(width, i))))
                }
                require(name < members, UnknownCandidate(name, members));
                require(name != voter, SelfVote(voter));
                uint256 bit = 1 << (name & 255);
                require(seen[name >> 8] & bit == 0, DuplicateCandidate(name));
                seen[name >> 8] |= bit;
                order[i] = name;
            }
        }
    }

    /// @notice The members with the greatest scores, best first, equal ones in the seed's order.
    /// @param scores two bytes for every member, big-endian; zero for the voter itself
    /// @dev Requirements: a score for each member (ScoresLength), zero for the voter (SelfVote).
    function best(bytes calldata scores, uint256 voter, uint256 members, uint256 winners, bytes16 seed)
        internal
        pure
        returns (uint256[] memory order)
    {
        require(scores.length == 2 * members, ScoresLength(scores.length, 2 * members));
        Highest memory highest = HighestLib.create(winners);
        unchecked {
            for (uint256 i = 0; i < members; ++i) {
                uint256 score;
                assembly ("memory-safe") {
                    score := shr(240, calldataload(add(scores.offset, mul(2, i))))
                }
                if (i == voter) require(score == 0, SelfVote(voter));
                else highest.offer(StandingLib.create(score, seed, i));
            }
            Standing[] memory ranked = highest.ranked();
            order = new uint256[](winners);
            for (uint256 i = 0; i < winners; ++i) {
                order[i] = ranked[i].index();
            }
        }
    }

    /// @notice The points that an order gives, in lanes.
    function points(uint256[] memory order, uint256 members, uint256 laneBits_)
        internal
        pure
        returns (uint256[] memory words)
    {
        uint256 lanes = WORD_BITS / laneBits_;
        unchecked {
            words = new uint256[]((members + lanes - 1) / lanes);
            uint256 length = order.length;
            for (uint256 i = 0; i < length; ++i) {
                uint256 name = order[i];
                words[name / lanes] += (length - i) << (name % lanes * laneBits_);
            }
        }
    }

    /// @notice The bits that hold the most points one candidate can get.
    function laneBits(uint256 members, uint256 winners) internal pure returns (uint256 bits) {
        for (uint256 most = (members - 1) * winners; most > 0; most >>= 1) {
            ++bits;
        }
    }
}
