// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Classifier} from "./Classifier.sol";
import {Lanes} from "./Lanes.sol";
import {Touched} from "./Touched.sol";

/// @title Perceptron with two classes
/// @notice Predicts 1 if intercept + sum of the weights of the active features > 0, and 0 otherwise. A sample of class 1
/// that was predicted 0 adds 1 to the weight of each active feature; one of class 0 that was predicted 1 takes 1 off.
/// Nothing else changes a weight, and nothing changes the intercept after initialisation (as in 0xDeCA10B).
///
/// Scaling: weights and intercept are integers in units of the learning rate. Weights saturate: none is raised above 127
/// or lowered below -127; -128 can be set by {initialise} and can only rise.
///
/// Words: weight i is byte i % 32, counted from the lowest, of word i / 32, in two's complement, so that a word never set
/// is 32 weights of 0. The last word is the intercept in two's complement; it must fit into 64 bits
/// (SafeCast.SafeCastOverflowedIntDowncast).
contract SparsePerceptron is Classifier {
    using SafeCast for int256;

    /// @dev Flips the sign bit of 32 weights: from two's complement to weight + 128, in which lanes add up, and back.
    uint256 private constant BIAS = Lanes.HIGH_8;

    /// @notice What is added to the sum of weights.
    /// @dev In the trainer's slot, which a lesson reads anyway.
    int64 public intercept;

    uint256[MAX_FEATURES / 32] private _weights;

    constructor(uint256 featureCount_, uint256 maxActive_)
        Classifier(featureCount_, maxActive_, 2, Math.ceilDiv(featureCount_, 32), 1)
    {}

    function _learn(uint256[] calldata features, uint256 active, uint256 label)
        internal
        override
        returns (uint256 predicted, bool changed)
    {
        uint256 at;
        uint256 end;
        (predicted, at, end) = _scan(features, active);
        if (predicted == label) return (predicted, false);
        for (; at < end; at += Touched.SIZE) {
            (uint256 lanes, uint256 ones) = Touched.read(at);
            uint256 taught = label == 1 ? Lanes.increment8(lanes, ones) : Lanes.decrement8(lanes, ones);
            if (taught == lanes) continue;
            Touched.store(at, BIAS, taught);
            changed = true;
        }
    }

    function _setWord(uint256 i, uint256 word) internal override {
        if (i < wordCount - 1) {
            _weights[i] = word;
        } else {
            intercept = int256(word).toInt64();
        }
    }

    function _predict(uint256[] calldata features, uint256 active) internal view override returns (uint256 label) {
        (label,,) = _scan(features, active);
    }

    function _getWord(uint256 i) internal view override returns (uint256) {
        return i < wordCount - 1 ? _weights[i] : uint256(int256(intercept));
    }

    /// @dev The class, and the words that the sample touches with their weights biased by 128 (see {Touched}).
    function _scan(uint256[] calldata features, uint256 active)
        private
        view
        returns (uint256 label, uint256 begin, uint256 end)
    {
        begin = Touched.begin();
        end = begin;
        uint256 firstSlot;
        assembly ("memory-safe") {
            firstSlot := _weights.slot
        }
        // At most 65,536 lanes of 255: nothing here comes near 2**255.
        unchecked {
            uint256 total = 0;
            for (uint256 w = 0; w < features.length; ++w) {
                uint256 sums = 0;
                uint256 slot = firstSlot + (w << 3);
                // 32 bits of the sample select the lanes of one word.
                for (uint256 bits = features[w]; bits != 0; bits >>= 32) {
                    uint256 chunk = bits & type(uint32).max;
                    if (chunk != 0) {
                        uint256 ones = Lanes.select8(chunk);
                        uint256 lanes;
                        (end, lanes) = Touched.load(end, slot, BIAS, ones);
                        sums += Lanes.pairs8(lanes & ones * 0xff);
                    }
                    ++slot;
                }
                total += Lanes.sum16(sums);
            }
            Touched.end(end);
            // Every active feature brought its bias.
            label = int256(intercept) + int256(total) > int256(active << 7) ? 1 : 0;
        }
    }
}
