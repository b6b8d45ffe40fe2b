// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DecisionPath, DecisionTree} from "../../contracts/mde/quotes/DecisionTree.sol";
import {PriceRule, PriceRules} from "../../contracts/mde/quotes/PriceRules.sol";
import {SampleEvidence, Samples} from "../../contracts/mde/quotes/Samples.sol";
import {ScoreEvidence, Scores} from "../../contracts/mde/quotes/Scores.sol";

/// @title The internal functions of verifiable quotes, callable from tests
contract QuotesHarness {
    function label(bytes calldata chunk) external pure returns (uint256) {
        return Samples.label(chunk);
    }

    function value(bytes calldata chunk, uint256 feature, uint256 features, uint256 valueBytes)
        external
        pure
        returns (uint256)
    {
        return Samples.value(chunk, feature, features, valueBytes);
    }

    function requireIn(
        bytes32 domain,
        bytes32 file,
        uint256 chunks,
        uint256 chunkBytes,
        bytes32 key,
        bytes32 cipherRoot,
        SampleEvidence calldata sample
    ) external pure {
        Samples.requireIn(domain, file, chunks, chunkBytes, key, cipherRoot, sample);
    }

    function requireWay(
        bytes32 root,
        uint256 depth,
        uint256 features,
        uint256 valueBytes,
        bytes calldata chunk,
        DecisionPath calldata path
    ) external pure {
        DecisionTree.requireWay(root, depth, features, valueBytes, chunk, path);
    }

    function scoreOf(bytes calldata scores, uint256 class) external pure returns (bool known, int256 score) {
        return DecisionTree.scoreOf(scores, class);
    }

    function leafOf(bytes32 order, bytes32 key, uint256 index, int256 total) external pure returns (bytes32) {
        return Scores.leafOf(order, key, index, total);
    }

    function requireMisreported(
        bytes32 scores,
        bytes32 order,
        uint256 count,
        bytes32 key,
        ScoreEvidence calldata evidence
    ) external pure {
        Scores.requireMisreported(scores, order, count, key, evidence);
    }

    function ruleHash(PriceRule calldata rule) external pure returns (bytes32) {
        return PriceRules.hash(rule);
    }

    function priceOf(PriceRule calldata rule, int256 score) external pure returns (uint256) {
        return PriceRules.priceOf(rule, score);
    }
}
