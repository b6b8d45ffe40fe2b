// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ITradingSessionFactory} from "../interfaces/ITradingSessionFactory.sol";
import {TradingTerms} from "../interfaces/ITradingSession.sol";
import {Payment} from "../exchange/Payment.sol";
import {Permitted} from "../exchange/Permitted.sol";
import {Window} from "../exchange/Window.sol";
import {PackedTermsLib} from "./PackedTerms.sol";
import {TradingSession} from "./TradingSession.sol";

/// @title Makes trading sessions
// All of msg.value goes into the session that it creates.
// slither-disable-next-line locked-ether
contract TradingSessionFactory is ITradingSessionFactory, Permitted {
    /// @dev With published addresses every call stays below 5,000,000 gas and 70,000 bytes up to here.
    uint256 private constant MAX_SHARDS = 10_000;
    uint256 private constant MAX_SAMPLED = 2_000;
    /// @dev Hidden addresses are calldata: all of them in a claim, and with their proof in a review. Up to here no call has
    /// more than 126 KiB of it, which leaves 2 KiB of the 128 KiB that nodes take to the rest of the transaction.
    uint256 private constant MAX_SHARDS_HIDDEN = 4_000;
    uint256 private constant MAX_SAMPLED_HIDDEN = 1_000;
    /// @dev Above one half a random draw would mostly hit what was drawn before.
    uint256 private constant MAX_SAMPLE_BPS = 5_000;
    /// @dev How many times what a silent candidate loses the reward is worth.
    uint256 private constant REWARD_PER_PENALTY = 2;
    /// @dev No deposit and no escrow is locked for longer, in seconds.
    uint256 private constant LONGEST_SESSION = 90 days;

    /// @inheritdoc ITradingSessionFactory
    address public immutable implementation = address(new TradingSession());

    /// @inheritdoc ITradingSessionFactory
    // The collector is written into the terms.
    // solhint-disable-next-line gas-calldata-parameters
    function createSession(TradingTerms memory terms, uint256 nonce) external payable returns (address session) {
        _check(terms);
        terms.collector = msg.sender;
        session = Clones.cloneDeterministicWithImmutableArgs(
            implementation, PackedTermsLib.pack(terms), bytes32(nonce), msg.value
        );
        emit SessionCreated(session, msg.sender, nonce, terms);
        Payment.collect(terms.token, session, _escrow(terms));
    }

    /// @inheritdoc ITradingSessionFactory
    function sessionOf(TradingTerms calldata terms, uint256 nonce) external view returns (address session) {
        return
            Clones.predictDeterministicAddressWithImmutableArgs(
                implementation, PackedTermsLib.pack(terms), bytes32(nonce)
            );
    }

    /// @inheritdoc ITradingSessionFactory
    function version() external pure returns (uint256) {
        return 4;
    }

    /// @inheritdoc ITradingSessionFactory
    function escrowOf(TradingTerms calldata terms) external pure returns (uint256) {
        return _escrow(terms);
    }

    function _check(TradingTerms memory t) private view {
        uint256 maxShards = t.publishedAddresses ? MAX_SHARDS : MAX_SHARDS_HIDDEN;
        uint256 maxSampled = t.publishedAddresses ? MAX_SAMPLED : MAX_SAMPLED_HIDDEN;
        require(t.shardCount > 0 && t.shardCount <= maxShards, ShardCountOutOfRange(t.shardCount, maxShards));
        require(t.shardSize > 0, ShardSizeZero());
        require(t.sampleBps <= MAX_SAMPLE_BPS, SampleShareOutOfRange(t.sampleBps, MAX_SAMPLE_BPS));
        uint256 sampled = uint256(t.shardCount) * t.sampleBps / PackedTermsLib.BPS;
        require(sampled > 0 && sampled <= maxSampled, SampleCountOutOfRange(sampled, maxSampled));
        require(t.penaltyBps <= PackedTermsLib.BPS, PenaltyOutOfRange(t.penaltyBps, PackedTermsLib.BPS));
        _checkMoney(t);
        _checkTimes(t);
        require(t.task != 0 && t.encryptionKey != 0, DocumentMissing());
        require(t.token == address(0) || t.token.code.length > 0, TokenWithoutCode(t.token));
    }

    /// @dev Silence and rubbish cost something, but never more than what there is to gain.
    function _checkMoney(TradingTerms memory t) private pure {
        uint256 compensation = _compensation(t);
        require(compensation > 0, CompensationZero(t.reward, t.sampleBps));
        uint256 penalty = uint256(t.deposit) * t.penaltyBps / PackedTermsLib.BPS;
        require(penalty > 0, PenaltyZero(t.deposit, t.penaltyBps));
        uint256 burn = 2 * compensation;
        require(t.deposit >= burn, DepositTooLow(t.deposit, burn));
        // The penalty as it is taken, rounded down.
        // slither-disable-next-line divide-before-multiply
        uint256 least = Math.max(t.deposit, REWARD_PER_PENALTY * penalty);
        require(t.reward >= least, RewardTooLow(t.reward, least));
    }

    /// @dev Everybody has time for each step, and nobody's money is locked for long.
    function _checkTimes(TradingTerms memory t) private view {
        Window.check(t.responseTime);
        uint256 responses = PackedTermsLib.windows(t.settlement) * t.responseTime;
        _checkWindow(block.timestamp, t.registrationEnd);
        _checkWindow(t.registrationEnd, t.submissionEnd);
        _checkWindow(t.submissionEnd + responses, t.expiry);
        uint256 latest = block.timestamp + LONGEST_SESSION;
        require(t.expiry <= latest, ExpiryTooLate(t.expiry, latest));
    }

    /// @dev Times out of order make a window of 0 seconds.
    function _checkWindow(uint256 start, uint256 end) private pure {
        Window.check(end > start ? end - start : 0);
    }

    function _compensation(TradingTerms memory t) private pure returns (uint256) {
        return uint256(t.reward) * t.sampleBps / PackedTermsLib.BPS;
    }

    function _escrow(TradingTerms memory t) private pure returns (uint256) {
        return t.reward + 2 * uint256(t.furtherReviews) * _compensation(t);
    }
}
