// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title A classifier of samples with binary features, kept and trained on chain
/// @notice A sample is the set of its active features as a bitmap: feature i is bit `i % 256` of word `i / 256`, so that
/// no feature can be named twice and the order says nothing. The empty set is none: no lesson would change what it is taken
/// for, so that it would prove good for ever. Arithmetic is on integers, its scaling stated by each
/// implementation; offchain/sum/classifiers.py computes the same to the last bit.
interface IClassifier {
    /// @notice A classifier was made, of this shape; nobody has initialised it.
    event ClassifierCreated(address indexed owner, uint256 featureCount, uint256 maxActive, uint256 classCount);
    /// @notice The classifier learnt a sample.
    event Learnt(uint256 indexed label, bool changed);
    /// @notice Words of the model were set before it opened.
    event Initialised(uint256 first, uint256 count);
    /// @notice Initialisation is over; from now on only the trainer changes the model.
    event Opened(address trainer);

    error NotTrainer(address caller, address trainer);
    error NotOwner(address caller, address owner);
    error AlreadyOpen();
    error NotOpen();
    error BitmapLength(uint256 words, uint256 needed);
    error FeatureOutOfRange(uint256 featureCount);
    error NoFeatures();
    error TooManyFeatures(uint256 active, uint256 max);
    error LabelOutOfRange(uint256 label, uint256 classCount);
    error ClassFull(uint256 label, uint256 samples);
    error WordsOutOfRange(uint256 first, uint256 count, uint256 available);

    /// @notice The class of a sample as the model stands.
    /// @dev Requirements:
    /// - one bit for each feature (BitmapLength)
    /// - no bit beyond them (FeatureOutOfRange)
    /// - at least one of them set (NoFeatures), at most `maxActive` (TooManyFeatures)
    function predict(uint256[] calldata features) external view returns (uint256 label);

    /// @notice Trains the model with one sample, and says what it predicted before.
    /// @dev Emits {Learnt}.
    /// Requirements:
    /// - the model is open (NotOpen)
    /// - the caller is the trainer (NotTrainer)
    /// - the label is below `classCount` (LabelOutOfRange)
    /// - the class can still learn (ClassFull, in implementations that count)
    /// - one bit for each feature (BitmapLength)
    /// - no bit beyond them (FeatureOutOfRange)
    /// - at least one of them set (NoFeatures), at most `maxActive` (TooManyFeatures)
    function learn(uint256[] calldata features, uint256 label) external returns (uint256 predicted);

    /// @notice Sets words of the model's storage, in any number of calls, before it opens.
    /// @dev Emits {Initialised}.
    /// Requirements:
    /// - the caller is the owner (NotOwner)
    /// - the model is not open (AlreadyOpen)
    /// - the words exist (WordsOutOfRange)
    /// - the words are such as the implementation takes; it names its errors
    function initialise(uint256 first, uint256[] calldata words) external;

    /// @notice Ends initialisation and names the contract that may train.
    /// @dev Emits {Opened}.
    /// Requirements:
    /// - the caller is the owner (NotOwner)
    /// - the model is not open (AlreadyOpen)
    /// - the trainer is somebody (NoTrainer)
    function open(address trainer) external;

    /// @notice Words of the model's storage as {initialise} takes them: the whole model, exported.
    /// @dev Requirements:
    /// - the words exist (WordsOutOfRange)
    function exportWords(uint256 first, uint256 count) external view returns (uint256[] memory words);

    /// @notice The version of these rules.
    function version() external pure returns (uint256);

    /// @notice How many words the model has.
    function wordCount() external view returns (uint256);

    /// @notice How many features a sample has, active or not.
    function featureCount() external view returns (uint256);

    /// @notice How many features of a sample may be active.
    function maxActive() external view returns (uint256);

    /// @notice How many classes there are.
    function classCount() external view returns (uint256);
}
