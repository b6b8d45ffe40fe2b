// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Classifier} from "./Classifier.sol";
import {Lanes} from "./Lanes.sol";
import {Touched, TouchedLib} from "./Touched.sol";

/// @title Perceptron with two classes
/// @notice Predicts 1 if intercept + sum of the weights of the active features > 0, and 0 otherwise. A sample of class 1
/// that was predicted 0 adds 1 to the weight of each active feature; one of class 0 that was predicted 1 takes 1 off.
/// Nothing else changes a weight, and nothing changes the intercept after initialisation (as in 0xDeCA10B).
///
/// Scaling: weights and intercept are integers in units of the learning rate. Weights saturate: none is raised above
/// 2,047 or lowered below -2,047; -2,048 can be set by {initialise} and can only rise.
///
/// Words: weight i is the 12 bits from bit 12 * (i % 21) on of word i / 21, in two's complement, so that a word never set
/// is 21 weights of 0; the highest four bits must be 0 (SpareBitsSet). The last word is the intercept in two's complement;
/// it must fit into 64 bits (SafeCast.SafeCastOverflowedIntDowncast).
contract SparsePerceptron is Classifier {
    using SafeCast for int256;

    /// @dev Weights in a word.
    uint256 private constant PER_WORD = 21;

    /// @dev Words of the model whose features {_window} reads at once, and those features.
    uint256 private constant WINDOW_WORDS = 12;
    uint256 private constant WINDOW = WINDOW_WORDS * PER_WORD;

    /// @dev Flips the sign bit of 21 weights: from two's complement to weight + 2,048, in which lanes add up, and back.
    uint256 private constant BIAS = Lanes.HIGH_12;

    /// @notice What is added to the sum of weights.
    /// @dev In the trainer's slot, which a lesson reads anyway.
    int64 public intercept;

    uint256[(MAX_FEATURES + PER_WORD - 1) / PER_WORD] private _weights;

    error SpareBitsSet(uint256 i, uint256 word);

    constructor(address owner_, uint256 featureCount_, uint256 maxActive_)
        Classifier(owner_, featureCount_, maxActive_, 2, Math.ceilDiv(featureCount_, PER_WORD), 1)
    {}

    function _learn(uint256[] calldata features, uint256 active, uint256 label)
        internal
        override
        returns (uint256 predicted, bool changed)
    {
        Touched first;
        Touched end;
        (predicted, first, end) = _scan(features, active);
        if (predicted == label) return (predicted, false);
        for (Touched at = first; at < end; at = at.next()) {
            (uint256 lanes, uint256 ones) = at.read();
            uint256 taught = label == 1 ? Lanes.increment12(lanes, ones) : Lanes.decrement12(lanes, ones);
            if (taught == lanes) continue;
            at.store(BIAS, taught);
            changed = true;
        }
    }

    function _setWord(uint256 i, uint256 word) internal override {
        if (i < wordCount - 1) {
            require(word >> PER_WORD * 12 == 0, SpareBitsSet(i, word));
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

    /// @dev The class, and the words that a sample of `active` features touches, at most one for each, their weights
    /// biased by 2,048.
    function _scan(uint256[] calldata features, uint256 active)
        private
        view
        returns (uint256 label, Touched first, Touched end)
    {
        first = TouchedLib.allocate(active);
        end = first;
        uint256 slot;
        assembly ("memory-safe") {
            slot := _weights.slot
        }
        uint256 endSlot = slot + wordCount - 1;
        // At most 65,536 lanes of 4,095: nothing here comes near 2**255.
        unchecked {
            uint256 total = 0;
            for (uint256 feature = 0; slot < endSlot; feature += WINDOW) {
                uint256 sums = 0;
                uint256 nextSlot = slot + WINDOW_WORDS;
                // 21 bits of the sample select the lanes of one word.
                for (uint256 bits = _window(features, feature); bits != 0; bits >>= PER_WORD) {
                    uint256 chunk = bits & (1 << PER_WORD) - 1;
                    if (chunk != 0) {
                        uint256 ones = Lanes.select12(chunk);
                        uint256 lanes;
                        (end, lanes) = end.load(slot, BIAS, ones);
                        sums += Lanes.pairs12(lanes & ones * 0xfff);
                    }
                    ++slot;
                }
                slot = nextSlot;
                total += Lanes.sum24(sums);
            }
            TouchedLib.close(first, end);
            // Every active feature brought its bias.
            label = int256(intercept) + int256(total) > int256(active << 11) ? 1 : 0;
        }
    }

    /// @dev Features `first` to `first` + 251, which may lie in two words of the sample; none are active beyond its end.
    function _window(uint256[] calldata features, uint256 first) private pure returns (uint256 bits) {
        unchecked {
            uint256 w = first >> 8;
            uint256 shift = first & 255;
            bits = features[w] >> shift;
            // Where the shift is 0 the next word goes out altogether.
            if (w + 1 < features.length) bits |= features[w + 1] << 256 - shift;
            return bits & (1 << WINDOW) - 1;
        }
    }
}
