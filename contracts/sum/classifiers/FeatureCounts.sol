// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Classifier} from "./Classifier.sol";
import {Lanes} from "./Lanes.sol";
import {Touched, TouchedLib} from "./Touched.sol";

/// @title Classifiers that count, for each class, its samples and how many of them have each feature
/// @notice Counts have 16 bits. A class that has learnt 65,535 samples is full: later samples of it are
/// refused, so that nobody pays for a lesson that teaches nothing.
///
/// Words: the counts of a feature for all classes lie in one word, so that a prediction reads it once. With 2, 3 to 4, or
/// 5 to 8 classes a word has 2, 4 or 8 blocks, one for each class, and each block has 8, 4 or 2 lanes of 16 bits, one for
/// each of as many features: of feature i and class c lane i % 8 of block c of word i / 8, and so on, counted from the
/// lowest bit. After those words, one for each four classes: for class c, 64 bits from bit 64 * (c % 4) on, of which the
/// lower 16 are the samples of the class, and the upper 48 its total (see the implementation). Whoever initialises sees
/// to it that no feature counts more than its class, and that totals are right; any words give defined predictions.
abstract contract FeatureCounts is Classifier {
    uint256 public constant MAX_CLASSES = 8;
    /// @notice How many samples a class learns.
    uint256 public constant MAX_SAMPLES = type(uint16).max;

    uint256 private constant MAX_TOTAL = type(uint48).max;

    /// @dev How many features share a word.
    uint256 private immutable _perWord;
    /// @dev Bits of a class in a word.
    uint256 internal immutable _blockBits;
    /// @dev 1 in the lowest bit of every block.
    uint256 private immutable _blockOnes;

    uint256[2] private _classes;
    uint256[MAX_FEATURES / 2] private _counts;

    error ClassCountOutOfRange(uint256 classCount, uint256 max);

    /// @dev Requirements: as for {Classifier}, and 2 to MAX_CLASSES classes (ClassCountOutOfRange).
    constructor(address owner_, uint256 featureCount_, uint256 maxActive_, uint256 classCount_)
        Classifier(
            owner_,
            featureCount_,
            maxActive_,
            classCount_,
            Math.ceilDiv(featureCount_, _featuresPerWord(classCount_)),
            Math.ceilDiv(classCount_, 4)
        )
    {
        require(classCount_ > 1 && classCount_ <= MAX_CLASSES, ClassCountOutOfRange(classCount_, MAX_CLASSES));
        _perWord = _featuresPerWord(classCount_);
        _blockBits = 16 * _perWord;
        _blockOnes = type(uint256).max / ((1 << _blockBits) - 1);
    }

    function _learn(uint256[] calldata features, uint256 active, uint256 label)
        internal
        override
        returns (uint256 predicted, bool changed)
    {
        (Touched first, Touched end) = _scan(features, active);
        predicted = _choose(first, end, active);
        (uint256 samples, uint256 total) = _classOf(label);
        require(samples < MAX_SAMPLES, ClassFull(label, samples));
        total = Math.min(total + _growth(first, end, active, label), MAX_TOTAL);
        uint256 position = 64 * (label & 3);
        uint256 others = _classes[label >> 2] & ~(uint256(type(uint64).max) << position);
        _classes[label >> 2] = others | (total << 16 | samples + 1) << position;
        uint256 block_ = ((1 << _blockBits) - 1) << label * _blockBits;
        for (Touched at = first; at < end; at = at.next()) {
            (uint256 lanes, uint256 ones) = at.read();
            // A lane is full only if the initial words had it ahead of its class.
            at.store(0, Lanes.increment16(lanes, ones & block_));
        }
        return (predicted, true);
    }

    function _setWord(uint256 i, uint256 word) internal override {
        uint256 featureWords = _featureWords();
        if (i < featureWords) {
            _counts[i] = word;
        } else {
            _classes[i - featureWords] = word;
        }
    }

    function _predict(uint256[] calldata features, uint256 active) internal view override returns (uint256 label) {
        (Touched first, Touched end) = _scan(features, active);
        return _choose(first, end, active);
    }

    function _getWord(uint256 i) internal view override returns (uint256) {
        uint256 featureWords = _featureWords();
        return i < featureWords ? _counts[i] : _classes[i - featureWords];
    }

    /// @dev The class of a sample of `active` features that touches the words in the list.
    function _choose(Touched first, Touched end, uint256 active) internal view virtual returns (uint256 label);

    /// @dev By how much such a sample of class `label` raises the total of that class.
    function _growth(Touched first, Touched end, uint256 active, uint256 label) internal view virtual returns (uint256);

    /// @dev How many samples a class learnt, and its total.
    function _classOf(uint256 class) internal view returns (uint256 samples, uint256 total) {
        uint256 state = _classes[class >> 2] >> 64 * (class & 3);
        return (state & type(uint16).max, state >> 16 & type(uint48).max);
    }

    /// @dev The lanes of a class, as the lowest of a word.
    function _blockOf(uint256 word, uint256 class) internal view returns (uint256) {
        return word >> class * _blockBits & (1 << _blockBits) - 1;
    }

    /// @dev The words that a sample of `active` features touches, at most one for each; the lanes named are those of its
    /// features for all classes.
    function _scan(uint256[] calldata features, uint256 active) private view returns (Touched first, Touched end) {
        first = TouchedLib.allocate(active);
        end = first;
        uint256 perWord = _perWord;
        uint256 chunkMask = (1 << perWord) - 1;
        uint256 blockOnes = _blockOnes;
        uint256 firstSlot;
        assembly ("memory-safe") {
            firstSlot := _counts.slot
        }
        unchecked {
            for (uint256 w = 0; w < features.length; ++w) {
                uint256 slot = firstSlot + (w << 8) / perWord;
                for (uint256 bits = features[w]; bits != 0; bits >>= perWord) {
                    uint256 chunk = bits & chunkMask;
                    // The word is read from the list later.
                    // slither-disable-next-line unused-return
                    if (chunk != 0) (end,) = end.load(slot, 0, Lanes.select16(chunk) * blockOnes);
                    ++slot;
                }
            }
        }
        TouchedLib.close(first, end);
    }

    function _featureWords() private view returns (uint256) {
        return Math.ceilDiv(featureCount, _perWord);
    }

    function _featuresPerWord(uint256 classCount_) private pure returns (uint256) {
        return classCount_ <= 2 ? 8 : classCount_ <= 4 ? 4 : 2;
    }
}
