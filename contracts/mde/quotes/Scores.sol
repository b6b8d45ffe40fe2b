// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkedFile} from "../../exchange/ChunkedFile.sol";
import {DecisionPath, DecisionTree} from "./DecisionTree.sol";
import {SampleEvidence, Samples} from "./Samples.sol";

/// @notice A sample, its way through the tree, and what the quote says before it and at it.
/// @param cipherRoot root over the dataset's encrypted chunks
/// @param sample the sample
/// @param decision its way
/// @param before running total before the sample; zero at the first
/// @param beforePath siblings from the total before to the quote's root; none at the first
/// @param leaf what the quote has at the sample
/// @param path siblings from `leaf` to the quote's root
struct ScoreEvidence {
    bytes32 cipherRoot;
    SampleEvidence sample;
    DecisionPath decision;
    int256 before;
    bytes32[] beforePath;
    bytes32 leaf;
    bytes32[] path;
}

/// @notice The total of all scores.
/// @param total in units
/// @param path siblings from the last leaf to the quote's root
struct TotalEvidence {
    int256 total;
    bytes32[] path;
}

/// @title What a quote commits to of its samples' scores: their running totals
/// @notice Leaf i binds order, key, i and the total of the scores up to sample i, hashed twice. A sample adds the score
/// that the tree gives its class; one with a positive score may be left out, which the seller does with what its own
/// check finds redundant, and pays for itself. So the last total is what the price follows from, and a wrong score, a
/// wrong sum and a left-out harm all show in the same way, at the first leaf that is neither of the two it may be: every
/// leaf before it can be opened, for who has key and data knows its total.
///
/// Without the key a leaf says nothing of its total, so the seller hands all leaves to the buyer, who holds them against
/// the root before it signs, and has every path it may need afterwards. The order in the leaf keeps equal totals from
/// showing between two buyers. offchain/mde/verifiable/scores.py is this file's twin.
library Scores {
    error NotInScores(bytes32 committed, bytes32 given);
    error ScoreIsRight(uint256 index);

    bytes32 private constant SCORE_TYPE = keccak256("souk.quote.score.v1");

    /// @notice Leaf `index`.
    /// @param order the order's id
    /// @param key the dataset's key
    function leafOf(bytes32 order, bytes32 key, uint256 index, int256 total) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(abi.encode(SCORE_TYPE, order, key, index, total))));
    }

    /// @notice Passes only if the quote has this leaf there.
    /// @dev Requirements: the path is as long as the place asks (ProofLength) and leads to the root (NotInScores). `index`
    /// is below `count`.
    function requireIn(bytes32 scores, uint256 count, uint256 index, bytes32 leaf, bytes32[] calldata path)
        internal
        pure
    {
        bytes32 given = ChunkedFile.root(count, index, leaf, path);
        require(given == scores, NotInScores(scores, given));
    }

    /// @notice Passes only if the quote misreports the score of a sample, whose way through the tree was checked.
    /// @dev Requirements: both totals are the quote's (ProofLength, NotInScores); the one at the sample does not follow
    /// from the one before (ScoreIsRight). A label without a score in the leaf is misreported whatever the quote says.
    function requireMisreported(
        bytes32 scores,
        bytes32 order,
        uint256 count,
        bytes32 key,
        ScoreEvidence calldata evidence
    ) internal pure {
        uint256 index = evidence.sample.index;
        int256 before = 0;
        if (index > 0) {
            before = evidence.before;
            requireIn(scores, count, index - 1, leafOf(order, key, index - 1, before), evidence.beforePath);
        }
        requireIn(scores, count, index, evidence.leaf, evidence.path);

        uint256 class = Samples.label(evidence.sample.chunk);
        (bool known, int256 score) = DecisionTree.scoreOf(evidence.decision.scores, class);
        if (!known) return;
        require(evidence.leaf != leafOf(order, key, index, before + score), ScoreIsRight(index));
        require(score <= 0 || evidence.leaf != leafOf(order, key, index, before), ScoreIsRight(index));
    }
}
