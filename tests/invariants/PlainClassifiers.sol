// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What the classifiers say they compute, as loops over features and nothing else
library PlainClassifiers {
    /// @notice Whether feature `i` is active.
    function has(uint256[] memory features, uint256 i) internal pure returns (bool) {
        return features[i / 256] >> (i % 256) & 1 == 1;
    }

    /// @notice Weight `i` of a perceptron's words.
    function weight(uint256[] memory words, uint256 i) internal pure returns (int256) {
        uint256 lane = words[i / 21] >> (12 * (i % 21)) & 0xfff;
        return lane < 2048 ? int256(lane) : int256(lane) - 4096;
    }

    /// @notice The perceptron's class; its last word is the intercept.
    function perceptron(uint256[] memory words, uint256 count, uint256[] memory features)
        internal
        pure
        returns (uint256)
    {
        int256 sum = int256(words[words.length - 1]);
        for (uint256 i = 0; i < count; ++i) {
            if (has(features, i)) sum += weight(words, i);
        }
        return sum > 0 ? 1 : 0;
    }

    /// @notice Changes the words as one lesson does.
    function teachPerceptron(uint256[] memory words, uint256 count, uint256[] memory features, uint256 label)
        internal
        pure
    {
        if (perceptron(words, count, features) == label) return;
        for (uint256 i = 0; i < count; ++i) {
            if (!has(features, i)) continue;
            int256 value = weight(words, i);
            if (label == 1 && value < 2047) ++value;
            if (label == 0 && value > -2047) --value;
            uint256 position = 12 * (i % 21);
            words[i / 21] = words[i / 21] & ~(uint256(0xfff) << position) | (uint256(value) & 0xfff) << position;
        }
    }

    /// @notice What {FeatureCounts} keeps, unpacked.
    struct Counts {
        uint256[][] counts;
        uint256[] samples;
    }

    function empty(uint256 classes, uint256 count) internal pure returns (Counts memory model) {
        model.samples = new uint256[](classes);
        model.counts = new uint256[][](classes);
        for (uint256 c = 0; c < classes; ++c) {
            model.counts[c] = new uint256[](count);
        }
    }

    function teachCounts(Counts memory model, uint256[] memory features, uint256 label) internal pure {
        ++model.samples[label];
        for (uint256 i = 0; i < model.counts[label].length; ++i) {
            if (has(features, i)) ++model.counts[label][i];
        }
    }

    /// @notice Class with the least |n x - S|^2 / n^2, computed as that.
    function nearestCentroid(Counts memory model, uint256[] memory features) internal pure returns (uint256 label) {
        uint256 best = 0;
        uint256 bestSquare = 0;
        for (uint256 c = 0; c < model.samples.length; ++c) {
            uint256 n = model.samples[c];
            if (n == 0) continue;
            uint256 distance = 0;
            for (uint256 i = 0; i < model.counts[c].length; ++i) {
                uint256 difference = has(features, i) ? n - model.counts[c][i] : model.counts[c][i];
                distance += difference * difference;
            }
            if (bestSquare == 0 || distance * bestSquare < best * n * n) {
                (label, best, bestSquare) = (c, distance, n * n);
            }
        }
    }

    /// @notice Class with the greatest n * product of (S + 1) / (T + F), as fractions; few features may be active.
    function naiveBayes(Counts memory model, uint256[] memory features) internal pure returns (uint256 label) {
        uint256 best = 0;
        uint256 bestBelow = 1;
        for (uint256 c = 0; c < model.samples.length; ++c) {
            uint256 count = model.counts[c].length;
            uint256 total = count;
            for (uint256 i = 0; i < count; ++i) {
                total += model.counts[c][i];
            }
            uint256 above = model.samples[c];
            uint256 below = 1;
            for (uint256 i = 0; i < count; ++i) {
                if (!has(features, i)) continue;
                above *= model.counts[c][i] + 1;
                below *= total;
            }
            if (above * bestBelow > best * below) (label, best, bestBelow) = (c, above, below);
        }
    }
}
