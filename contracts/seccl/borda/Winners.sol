// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Highest} from "./Highest.sol";
import {Standing, StandingLib} from "./Standing.sol";

/// @notice The winners of every round: eight to a word, points 20 bits | index 12 bits, the first in the lowest bits.
/// While a closing lasts, its round's list holds those that stand highest so far, in no order that matters.
struct Winners {
    mapping(uint256 round => mapping(uint256 word => uint256)) lists;
}

using WinnersLib for Winners global;

library WinnersLib {
    uint256 private constant PER_WORD = 8;
    uint256 private constant BITS = 32;
    uint256 private constant INDEX_BITS = 12;

    /// @notice Keeps the first `count` as a round's list.
    function keep(Winners storage self, uint256 round, Standing[] memory standings, uint256 count) internal {
        for (uint256 i = 0; i < count;) {
            uint256 word = i / PER_WORD;
            uint256 packed = 0;
            for (uint256 lane = 0; lane < PER_WORD && i < count; ++lane) {
                packed |= (standings[i].value() << INDEX_BITS | standings[i].index()) << lane * BITS;
                ++i;
            }
            self.lists[round][word] = packed;
        }
    }

    /// @notice Offers a round's list, of at most `most`.
    function offer(Winners storage self, uint256 round, bytes16 seed, uint256 most, Highest memory highest)
        internal
        view
    {
        for (uint256 i = 0; i < most; ++i) {
            (uint256 index, uint256 points) = self.at(round, i);
            if (points == 0) return;
            highest.offer(StandingLib.create(points, seed, index));
        }
    }

    /// @notice How long a round's list is, of at most `most`: no winner is without points.
    function count(Winners storage self, uint256 round, uint256 most) internal view returns (uint256 length) {
        for (; length < most; ++length) {
            (, uint256 points) = self.at(round, length);
            if (points == 0) break;
        }
    }

    /// @notice Number `i` of a round's list.
    function at(Winners storage self, uint256 round, uint256 i) internal view returns (uint256 index, uint256 points) {
        uint256 one = uint32(self.lists[round][i / PER_WORD] >> i % PER_WORD * BITS);
        return (one & (1 << INDEX_BITS) - 1, one >> INDEX_BITS);
    }
}
