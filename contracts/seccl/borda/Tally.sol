// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Bitmap} from "../../exchange/Bitmap.sol";
import {PackedBordaTerms} from "./PackedBordaTerms.sol";
import {Highest} from "./Highest.sol";
import {NewestRound} from "./NewestRound.sol";
import {RoundWord, RoundWordLib} from "./RoundWord.sol";
import {StandingLib} from "./Standing.sol";

/// @notice Who has voted in the newest round, and the points of its candidates. Room for 1,024 members.
/// @param voted bit v % 240 of word v / 240: member v has voted
/// @param committed the same: it has committed to a hidden ballot
/// @param points side by side as in Borda
/// @param absent bits again: it was reported to have uploaded nothing
struct Tally {
    RoundWord[5] voted;
    RoundWord[5] committed;
    RoundWord[86] points;
    RoundWord[5] absent;
}

using TallyLib for Tally global;

/// @title Counting ballots
/// @notice The slots serve one round after another, so that a ballot overwrites and never fills a fresh one.
library TallyLib {
    /// @notice Fills all slots that ballots of such a session share, before its first round.
    function prepare(Tally storage self, PackedBordaTerms memory t) internal {
        RoundWord empty = RoundWordLib.create(0, 0);
        uint256 words = _votedWords(t);
        for (uint256 i = 0; i < words; ++i) {
            self.voted[i] = empty;
            if (t.revealTime() > 0) self.committed[i] = empty;
        }
        (uint256 lanes,) = _lanes(t);
        words = (t.memberCount() - 1) / lanes + 1;
        for (uint256 i = 0; i < words; ++i) {
            self.points[i] = empty;
        }
    }

    /// @notice Notes that `voter` has voted. Returns false if it had before.
    function markVoted(Tally storage self, uint256 round, uint256 voter) internal returns (bool) {
        (uint256 word, uint256 bit) = _place(voter);
        uint256 voted = self.voted[word].during(round);
        if (voted & bit != 0) return false;
        self.voted[word] = RoundWordLib.create(round, voted | bit);
        return true;
    }

    /// @notice Notes that `voter` has committed to a hidden ballot.
    function markCommitted(Tally storage self, uint256 round, uint256 voter) internal {
        (uint256 word, uint256 bit) = _place(voter);
        self.committed[word] = RoundWordLib.create(round, self.committed[word].during(round) | bit);
    }

    /// @notice Notes that `member` uploaded nothing. Returns false if that was noted before.
    function markAbsent(Tally storage self, uint256 round, uint256 member) internal returns (bool) {
        (uint256 word, uint256 bit) = _place(member);
        uint256 absent = self.absent[word].during(round);
        if (absent & bit != 0) return false;
        self.absent[word] = RoundWordLib.create(round, absent | bit);
        return true;
    }

    /// @notice Adds the points that one ballot gives, in lanes. No lane overflows: each is wide enough for all voters.
    function add(Tally storage self, uint256 round, uint256[] memory given) internal {
        RoundWord[86] storage points = self.points;
        // One block: it reads the words of `given` and allocates nothing.
        assembly ("memory-safe") {
            // As RoundWordLib has it: the round, plus one, above 240 bits of content.
            let tag := add(round, 1)
            let slot := points.slot
            let source := add(given, 0x20)
            let end := add(source, shl(5, mload(given)))
            for {} lt(source, end) {
                source := add(source, 0x20)
                slot := add(slot, 1)
            } {
                let more := mload(source)
                if iszero(more) { continue }
                let held := sload(slot)
                // What an earlier round left there counts for nothing.
                if iszero(eq(shr(240, held), tag)) { held := shl(240, tag) }
                sstore(slot, add(held, more))
            }
        }
    }

    /// @notice Offers those of the candidates [start, end) that have points, have not abandoned a commitment, and were not
    /// reported absent.
    function offer(
        Tally storage self,
        PackedBordaTerms memory t,
        NewestRound newest,
        uint256 start,
        uint256 end,
        Highest memory highest
    ) internal view {
        (uint256 lanes, uint256 bits) = _lanes(t);
        (uint256 round, bytes16 seed) = (newest.number(), newest.seed());
        uint256[] memory barred = _barred(self, t, newest);
        for (uint256 i = start; i < end;) {
            uint256 content = self.points[i / lanes].during(round) >> i % lanes * bits;
            for (uint256 next = Math.min(end, i - i % lanes + lanes); i < next; ++i) {
                uint256 points = content & (1 << bits) - 1;
                content >>= bits;
                if (points > 0 && !_isIn(barred, i)) highest.offer(StandingLib.create(points, seed, i));
            }
        }
    }

    function hasVoted(Tally storage self, uint256 round, uint256 voter) internal view returns (bool) {
        (uint256 word, uint256 bit) = _place(voter);
        return self.voted[word].during(round) & bit != 0;
    }

    /// @notice How many have voted.
    function ballots(Tally storage self, PackedBordaTerms memory t, uint256 round) internal view returns (uint256) {
        return _count(self.voted, t, round);
    }

    /// @notice How many count for the quorum: who has voted, or, where ballots are hidden, who has committed.
    function turnout(Tally storage self, PackedBordaTerms memory t, uint256 round) internal view returns (uint256) {
        return _count(t.revealTime() > 0 ? self.committed : self.voted, t, round);
    }

    /// @notice The points of all candidates.
    function all(Tally storage self, PackedBordaTerms memory t, uint256 round)
        internal
        view
        returns (uint256[] memory points)
    {
        points = new uint256[](t.memberCount());
        (uint256 lanes, uint256 bits) = _lanes(t);
        for (uint256 i = 0; i < points.length; ++i) {
            points[i] = self.points[i / lanes].during(round) >> i % lanes * bits & (1 << bits) - 1;
        }
    }

    function _count(RoundWord[5] storage flags, PackedBordaTerms memory t, uint256 round)
        private
        view
        returns (uint256 total)
    {
        uint256 words = _votedWords(t);
        for (uint256 i = 0; i < words; ++i) {
            total += Bitmap.popCount(flags[i].during(round));
        }
    }

    /// @dev Flags of those who committed and did not open, or were reported absent; no words where there can be none.
    function _barred(Tally storage self, PackedBordaTerms memory t, NewestRound newest)
        private
        view
        returns (uint256[] memory flags)
    {
        (bool hidden, bool absence, uint256 round) = (t.revealTime() > 0, newest.absence(), newest.number());
        flags = new uint256[](hidden || absence ? _votedWords(t) : 0);
        for (uint256 i = 0; i < flags.length; ++i) {
            if (hidden) flags[i] = self.committed[i].during(round) & ~self.voted[i].during(round);
            if (absence) flags[i] |= self.absent[i].during(round);
        }
    }

    function _isIn(uint256[] memory flags, uint256 member) private pure returns (bool) {
        if (flags.length == 0) return false;
        (uint256 word, uint256 bit) = _place(member);
        return flags[word] & bit != 0;
    }

    function _place(uint256 voter) private pure returns (uint256 word, uint256 bit) {
        return (voter / RoundWordLib.BITS, 1 << voter % RoundWordLib.BITS);
    }

    function _votedWords(PackedBordaTerms memory t) private pure returns (uint256) {
        return (t.memberCount() - 1) / RoundWordLib.BITS + 1;
    }

    /// @dev How many candidates' points share a word, and in how many bits each.
    function _lanes(PackedBordaTerms memory t) private pure returns (uint256 lanes, uint256 bits) {
        bits = t.laneBits();
        lanes = RoundWordLib.BITS / bits;
    }
}
