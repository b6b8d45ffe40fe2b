// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Bitmap} from "../../exchange/Bitmap.sol";
import {IClassifier} from "../../interfaces/IClassifier.sol";

/// @title What all classifiers have in common: who may change them and when, and which samples they take
/// @notice Its owner has the classifier until it opens it: initialises its words, then names the trainer. Words never
/// set are zero; every implementation gives zero words a meaning (no knowledge), and says which words it takes.
///
/// Gas: a call reads, and a lesson writes, each word of the model at most once. The constructor refuses sizes at which a
/// sample could touch more than MAX_TOUCHED words, which bounds any call below 15,000,000 gas even where every word it
/// writes was zero before (22,100 each).
abstract contract Classifier is IClassifier {
    /// @notice How many features a sample may have: its bitmap stays within 256 words.
    uint256 public constant MAX_FEATURES = 65_536;
    /// @notice How many words of the model a sample may touch.
    uint256 public constant MAX_TOUCHED = 512;

    address public immutable owner;
    uint256 public immutable override featureCount;
    uint256 public immutable override maxActive;
    uint256 public immutable override classCount;
    uint256 public immutable override wordCount;

    /// @notice Who may train; nobody before the classifier opens.
    /// @dev Implementations pack what each call needs beside it.
    address public trainer;

    error FeatureCountOutOfRange(uint256 featureCount, uint256 max);
    error MaxActiveOutOfRange(uint256 maxActive, uint256 max);
    error TooManyWordsTouched(uint256 touched, uint256 max);
    error NoTrainer();

    modifier whileInitialising() {
        require(msg.sender == owner, NotOwner(msg.sender, owner));
        require(trainer == address(0), AlreadyOpen());
        _;
    }

    /// @dev Emits {ClassifierCreated}. Requirements: 1 to MAX_FEATURES features (FeatureCountOutOfRange), of which at
    /// least one may be active (MaxActiveOutOfRange), and no sample touches more than MAX_TOUCHED words
    /// (TooManyWordsTouched).
    /// @param owner_ who initialises and opens it
    /// @param featureWords how many words hold what is known about features; a sample touches at most one per feature
    /// @param otherWords how many words the model has besides
    constructor(
        address owner_,
        uint256 featureCount_,
        uint256 maxActive_,
        uint256 classCount_,
        uint256 featureWords,
        uint256 otherWords
    ) {
        require(featureCount_ > 0 && featureCount_ <= MAX_FEATURES, FeatureCountOutOfRange(featureCount_, MAX_FEATURES));
        require(maxActive_ > 0 && maxActive_ <= featureCount_, MaxActiveOutOfRange(maxActive_, featureCount_));
        uint256 touched = Math.min(maxActive_, featureWords);
        require(touched <= MAX_TOUCHED, TooManyWordsTouched(touched, MAX_TOUCHED));
        owner = owner_;
        featureCount = featureCount_;
        maxActive = maxActive_;
        classCount = classCount_;
        wordCount = featureWords + otherWords;
        emit ClassifierCreated(owner_, featureCount_, maxActive_, classCount_);
    }

    /// @inheritdoc IClassifier
    function initialise(uint256 first, uint256[] calldata words) external override whileInitialising {
        _checkWords(first, words.length);
        for (uint256 i = 0; i < words.length; ++i) {
            _setWord(first + i, words[i]);
        }
        emit Initialised(first, words.length);
    }

    /// @inheritdoc IClassifier
    function open(address trainer_) external override whileInitialising {
        require(trainer_ != address(0), NoTrainer());
        trainer = trainer_;
        emit Opened(trainer_);
    }

    /// @inheritdoc IClassifier
    function learn(uint256[] calldata features, uint256 label) external override returns (uint256 predicted) {
        address trainer_ = trainer;
        require(trainer_ != address(0), NotOpen());
        require(msg.sender == trainer_, NotTrainer(msg.sender, trainer_));
        require(label < classCount, LabelOutOfRange(label, classCount));
        bool changed;
        (predicted, changed) = _learn(features, _activeCount(features), label);
        emit Learnt(label, changed);
    }

    /// @inheritdoc IClassifier
    function predict(uint256[] calldata features) external view override returns (uint256 label) {
        return _predict(features, _activeCount(features));
    }

    /// @inheritdoc IClassifier
    function version() external pure override returns (uint256) {
        return 2;
    }

    /// @inheritdoc IClassifier
    function exportWords(uint256 first, uint256 count) external view override returns (uint256[] memory words) {
        _checkWords(first, count);
        words = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            words[i] = _getWord(first + i);
        }
    }

    /// @dev Trains with a checked sample of `active` features and a checked label.
    /// @return predicted the class before
    /// @return changed whether the model is another now
    function _learn(uint256[] calldata features, uint256 active, uint256 label)
        internal
        virtual
        returns (uint256 predicted, bool changed);

    /// @dev Sets word `i` of the model, which exists.
    function _setWord(uint256 i, uint256 word) internal virtual;

    /// @dev The class of a checked sample of `active` features.
    function _predict(uint256[] calldata features, uint256 active) internal view virtual returns (uint256 label);

    /// @dev Word `i` of the model, which exists.
    function _getWord(uint256 i) internal view virtual returns (uint256 word);

    /// @dev How many features are active, if these are the features of a sample.
    function _activeCount(uint256[] calldata features) private view returns (uint256 active) {
        uint256 words = Bitmap.wordCount(featureCount);
        require(features.length == words, BitmapLength(features.length, words));
        uint256 spare = (words << 8) - featureCount;
        require(features[words - 1] >> (256 - spare) == 0, FeatureOutOfRange(featureCount));
        for (uint256 w = 0; w < words; ++w) {
            active += Bitmap.popCount(features[w]);
        }
        require(active > 0, NoFeatures());
        require(active <= maxActive, TooManyFeatures(active, maxActive));
    }

    function _checkWords(uint256 first, uint256 count) private view {
        require(first <= wordCount && count <= wordCount - first, WordsOutOfRange(first, count, wordCount));
    }
}
