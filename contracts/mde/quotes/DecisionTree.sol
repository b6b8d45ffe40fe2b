// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Samples} from "./Samples.sol";

/// @notice One comparison on a way through a tree: a sample goes left if its value is at most the threshold, else right.
/// @param feature which value is compared
/// @param threshold what with
/// @param other hash of the child that the sample does not go to
struct Split {
    uint32 feature;
    uint32 threshold;
    bytes32 other;
}

/// @notice A sample's way through a tree.
/// @param splits comparisons, from the root on
/// @param salt of the leaf it ends in
/// @param scores of that leaf, by class: 8 bytes each, signed, big-endian
struct DecisionPath {
    Split[] splits;
    bytes32 salt;
    bytes scores;
}

/// @title A decision tree with whole thresholds, committed to by one hash
/// @notice The hash of a leaf binds its salt and its scores, that of a comparison its feature, its threshold and the hashes
/// of both children; the root's is the commitment. Types keep the two apart. So what shows a sample's way is one word and
/// two small numbers for each comparison, and there is one way for each sample. Whoever sees one learns its thresholds
/// and its leaf, and nothing of the subtrees beside it, since every leaf under them has a salt of its own.
/// offchain/mde/verifiable/tree.py is this file's twin.
library DecisionTree {
    error TreeTooDeep(uint256 comparisons, uint256 depth);
    error NotInTree(bytes32 committed, bytes32 given);

    bytes32 private constant SPLIT_TYPE = keccak256("souk.tree.split.v1");
    bytes32 private constant LEAF_TYPE = keccak256("souk.tree.leaf.v1");
    uint256 private constant SCORE_BYTES = 8;

    /// @notice The hash of a leaf.
    function leaf(bytes32 salt, bytes calldata scores) internal pure returns (bytes32) {
        return keccak256(abi.encode(LEAF_TYPE, salt, keccak256(scores)));
    }

    /// @notice The hash of a comparison.
    function split(uint256 feature, uint256 threshold, bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encode(SPLIT_TYPE, feature, threshold, left, right));
    }

    /// @notice Passes only if the tree sends the sample this way.
    /// @dev Requirements: no more comparisons than the tree's depth (TreeTooDeep), of values that a sample has
    /// (FeatureOutOfRange), and they lead to the root (NotInTree).
    /// @param chunk the sample
    function requireWay(
        bytes32 root,
        uint256 depth,
        uint256 features,
        uint256 valueBytes,
        bytes calldata chunk,
        DecisionPath calldata path
    ) internal pure {
        uint256 length = path.splits.length;
        require(length <= depth, TreeTooDeep(length, depth));
        bytes32 node = leaf(path.salt, path.scores);
        for (uint256 i = length; i > 0; --i) {
            Split calldata s = path.splits[i - 1];
            bool left = Samples.value(chunk, s.feature, features, valueBytes) <= s.threshold;
            node = left ? split(s.feature, s.threshold, node, s.other) : split(s.feature, s.threshold, s.other, node);
        }
        require(node == root, NotInTree(root, node));
    }

    /// @notice The score of a class in a leaf.
    /// @return known whether the leaf has that class
    /// @return score in units
    function scoreOf(bytes calldata scores, uint256 class) internal pure returns (bool known, int256 score) {
        uint256 start = SCORE_BYTES * class;
        if (start + SCORE_BYTES > scores.length) return (false, 0);
        return (true, int64(uint64(bytes8(scores[start:start + SCORE_BYTES]))));
    }
}
