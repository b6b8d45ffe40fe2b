// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The paper's trading contract, line by line
/// @notice A transcription of Prot_SC in Figure 3 (lines 73 to 120) that stores what the figure stores, as the yardstick
/// for our own gas. Each statement stands beside the line it transcribes, and nothing is saved that the figure does not
/// save. Where the figure leaves a choice, the cheaper one is taken, so that the comparison flatters the figure:
///
/// - A retrieval key is one 32-byte word (the digest in a CID). As the 46-character text it takes three slots, which is
///   what the paper's 8,129,865 gas for 100 shards point to.
/// - "pid is in P_profile" is a deposit above zero, and Erase clears that alone: the lists stay. Deleting them would
///   cost every provider another 5,000 gas a shard before refunds, and the paper's 35,079 say that it did not either.
/// - The configuration is immutable, so it costs no slot.
/// - The figure does not say where the reward comes from; here the collector pays it in at line 74.
contract PlainSession {
    /// @dev section 3.1.2, line 80
    enum State {
        Pending,
        Reviewing,
        Reviewed,
        Closed
    }

    /// @dev lines 77 and 78
    struct Profile {
        bytes32[] hashedData;
        bytes32[] hashedSample;
        bytes32 features;
        bytes32[] plainData;
        bytes32[] plainSample;
        bytes32 key;
        uint256 deposit;
    }

    /// @param line line of the figure whose assertion does not hold
    error AssertionFailed(uint256 line);
    error TransferFailed();

    // line 75: SC_config, and adr_theta of line 74
    uint256 public immutable REWARD;
    uint256 public immutable DEPOSIT;
    uint256 public immutable SAMPLE_BPS;
    uint256 public immutable EXPIRY;
    bytes32 public immutable EXTRACTOR;

    // line 76
    mapping(address pid => Profile) private profiles;
    // lines 79 and 80
    address public immutable COLLECTOR;
    address public candidate;
    address public optimal;
    State public state;

    // line 74
    constructor(uint256 reward, uint256 deposit, uint256 sampleBps, uint256 expiry, bytes32 extractor) payable {
        // line 75
        _assert(msg.value == reward && deposit > 0 && sampleBps <= 10_000 && expiry > block.timestamp, 75);
        (REWARD, DEPOSIT, SAMPLE_BPS, EXPIRY, EXTRACTOR) = (reward, deposit, sampleBps, expiry, extractor);
        // lines 79 and 80; P_tc, P_opt and st_trade start as zero
        COLLECTOR = msg.sender;
    }

    // line 81
    function registration(bytes32[] calldata hashedData) external payable {
        // line 82
        _assert(msg.value >= DEPOSIT && state == State.Pending, 82);
        // line 83
        Profile storage profile = profiles[msg.sender];
        _assert(profile.deposit == 0, 83);
        // line 84
        profile.hashedData = hashedData;
        // line 85
        profile.deposit = msg.value;
    }

    // line 86
    function sampleData(address pid, bytes32[] calldata hashedSample) external {
        // line 87
        Profile storage profile = profiles[pid];
        _assert(msg.sender == COLLECTOR && profile.deposit > 0, 87);
        // line 88
        _assert(state == State.Pending && profile.hashedSample.length == 0, 88);
        // lines 89 and 90
        if (hashedSample.length == 0) {
            profile.hashedSample = _randomSample(profile.hashedData);
            return;
        }
        // line 91
        _assert(hashedSample.length <= profile.hashedData.length * SAMPLE_BPS / 10_000, 91);
        // line 92
        profile.hashedSample = hashedSample;
    }

    // line 93
    function submitFeatures(bytes32 features) external {
        // line 94
        Profile storage profile = profiles[msg.sender];
        _assert(profile.deposit > 0, 94);
        // line 95
        _assert(state == State.Pending && profile.features == 0, 95);
        // line 96
        profile.features = features;
    }

    // line 97
    function setCandidate(address pid) external {
        // line 98
        _assert(msg.sender == COLLECTOR && state == State.Pending, 98);
        // line 99
        Profile storage profile = profiles[pid];
        _assert(profile.deposit > 0 && profile.plainSample.length == 0, 99);
        // line 100
        candidate = pid;
        state = State.Reviewing;
    }

    // line 101
    function submitReview(bytes32[] calldata plainSample, bytes32 key) external {
        // line 102
        _assert(msg.sender == candidate, 102);
        // line 103
        Profile storage profile = profiles[msg.sender];
        _assert(state == State.Reviewing && profile.deposit > 0, 103);
        // line 104
        _assert(_opens(plainSample, profile.hashedSample), 104);
        // line 105
        profile.key = key;
        profile.plainSample = plainSample;
    }

    // line 106
    function setOptimal(address pid) external {
        // line 107
        _assert(msg.sender == COLLECTOR && state == State.Reviewing, 107);
        // line 108
        _assert(optimal == address(0) && pid == candidate, 108);
        // line 109
        optimal = pid;
        state = State.Reviewed;
    }

    // line 110
    function claimReward(bytes32[] calldata plainData) external {
        // line 111
        _assert(msg.sender == optimal && state == State.Reviewed, 111);
        // line 112
        Profile storage profile = profiles[msg.sender];
        _assert(_opens(plainData, profile.hashedData), 112);
        // line 113
        profile.plainData = plainData;
        // line 115 before line 114: effects come before the transfer
        state = State.Closed;
        // line 114
        _transfer(REWARD);
    }

    // line 116
    function claimDeposit() external {
        // line 117
        _assert(block.timestamp > EXPIRY || state == State.Closed, 117);
        // line 118
        Profile storage profile = profiles[msg.sender];
        uint256 deposit = profile.deposit;
        _assert(deposit > 0, 118);
        // line 120 before line 119: effects come before the transfer
        profile.deposit = 0;
        // line 119
        _transfer(deposit);
    }

    /// @notice The profile of line 77, so that tests can see that everything is stored.
    function profileOf(address pid) external view returns (Profile memory) {
        return profiles[pid];
    }

    function _assert(bool holds, uint256 line) private pure {
        require(holds, AssertionFailed(line));
    }

    /// @dev Hash({plain}) = hashed, of lines 104 and 112
    function _opens(bytes32[] calldata plain, bytes32[] storage hashed) private view returns (bool) {
        if (plain.length != hashed.length) return false;
        for (uint256 i = 0; i < plain.length; ++i) {
            if (keccak256(abi.encode(plain[i])) != hashed[i]) return false;
        }
        return true;
    }

    /// @dev RandomSample of line 90: the first places of a shuffle
    function _randomSample(bytes32[] memory all) private view returns (bytes32[] memory sample) {
        sample = new bytes32[](all.length * SAMPLE_BPS / 10_000);
        for (uint256 i = 0; i < sample.length; ++i) {
            uint256 random = uint256(keccak256(abi.encode(block.prevrandao, msg.sender, i)));
            uint256 j = i + random % (all.length - i);
            (sample[i], all[j]) = (all[j], all[i]);
        }
    }

    function _transfer(uint256 amount) private {
        (bool sent,) = msg.sender.call{value: amount}("");
        require(sent, TransferFailed());
    }
}
