// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice A slot that serves one round after another: the round that wrote it, plus one, in the top 16 bits, then 240 bits
/// of content. Nobody clears it: content of an earlier round counts as zero, and overwriting it costs 5,000 gas where a fresh slot
/// costs 22,100. A session has at most 1,023 rounds, so no number comes back.
type RoundWord is uint256;

using RoundWordLib for RoundWord global;

library RoundWordLib {
    uint256 internal constant BITS = 240;

    /// @notice What the slot holds for `round`; zero if an earlier one wrote it.
    function during(RoundWord self, uint256 round) internal pure returns (uint256 content) {
        unchecked {
            // Before the first round, `round` is -1, and all slots are empty.
            if (RoundWord.unwrap(self) >> BITS == round + 1) content = RoundWord.unwrap(self) & (1 << BITS) - 1;
        }
    }

    /// @notice The slot with `content`, below 2**240, for `round`.
    function create(uint256 round, uint256 content) internal pure returns (RoundWord) {
        return RoundWord.wrap(round + 1 << BITS | content);
    }
}
