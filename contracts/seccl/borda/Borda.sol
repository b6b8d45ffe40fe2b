// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Highest, HighestLib} from "./Highest.sol";
import {RoundWordLib} from "./RoundWord.sol";
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

    /// @dev Up to so many members a name in a ranking takes one byte, else two.
    uint256 private constant MAX_BYTE_NAMES = 256;

    /// @notice The points that a packed ranking gives, in lanes.
    /// @param ranking names, best first: one byte each with up to 256 members, else two, big-endian
    /// @dev Requirements: `winners` names (RankingLength), of members (UnknownCandidate), the voter's own not among
    /// them (SelfVote), none twice (DuplicateCandidate).
    function pointsOfRanking(bytes calldata ranking, uint256 voter, uint256 members, uint256 winners, uint256 laneBits_)
        internal
        pure
        returns (uint256[] memory words)
    {
        uint256 width = members <= MAX_BYTE_NAMES ? 1 : 2;
        require(ranking.length == width * winners, RankingLength(ranking.length, width * winners));
        words = _empty(members, laneBits_);
        uint256 lanes = RoundWordLib.BITS / laneBits_;
        uint256 mask = (1 << laneBits_) - 1;
        uint256 name;
        uint256 fault;
        assembly ("memory-safe") {
            let shift := sub(256, shl(3, width))
            let source := ranking.offset
            for { let given := winners } given { given := sub(given, 1) } {
                // What follows the name in calldata is shifted out.
                name := shr(shift, calldataload(source))
                source := add(source, width)
                if iszero(lt(name, members)) {
                    fault := 1
                    break
                }
                if eq(name, voter) {
                    fault := 2
                    break
                }
                // The name's word and the first bit of its lane there.
                let target := add(add(words, 0x20), shl(5, div(name, lanes)))
                let lane := mul(mod(name, lanes), laneBits_)
                let held := mload(target)
                // Who was named before holds points, since even the last name gets one.
                if and(shr(lane, held), mask) {
                    fault := 3
                    break
                }
                mstore(target, or(held, shl(lane, given)))
            }
        }
        require(fault != 1, UnknownCandidate(name, members));
        require(fault != 2, SelfVote(voter));
        require(fault != 3, DuplicateCandidate(name));
    }

    /// @notice The points that scores give, in lanes: to the members with the greatest, equal ones in the seed's order.
    /// @param scores two bytes for every member, big-endian; zero for the voter itself
    /// @dev Requirements: a score for each member (ScoresLength), zero for the voter (SelfVote).
    function pointsOfScores(
        bytes calldata scores,
        uint256 voter,
        uint256 members,
        uint256 winners,
        uint256 laneBits_,
        bytes16 seed
    ) internal pure returns (uint256[] memory words) {
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
            words = _empty(members, laneBits_);
            uint256 lanes = RoundWordLib.BITS / laneBits_;
            for (uint256 i = 0; i < winners; ++i) {
                uint256 name = ranked[i].index();
                words[name / lanes] |= (winners - i) << (name % lanes * laneBits_);
            }
        }
    }

    /// @notice The bits that hold the most points one candidate can get.
    function laneBits(uint256 members, uint256 winners) internal pure returns (uint256 bits) {
        for (uint256 most = (members - 1) * winners; most > 0; most >>= 1) {
            ++bits;
        }
    }

    /// @dev No points for anybody.
    function _empty(uint256 members, uint256 laneBits_) private pure returns (uint256[] memory) {
        uint256 lanes = RoundWordLib.BITS / laneBits_;
        return new uint256[]((members + lanes - 1) / lanes);
    }
}
