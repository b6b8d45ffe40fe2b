// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TradingTerms} from "./ITradingSession.sol";

/// @title Makes trading sessions: one minimal clone each, its terms in the clone's code, its escrow paid in
/// @notice What a token refuses comes through as it is, or as SafeERC20FailedOperation.
interface ITradingSessionFactory {
    /// @notice A session was created under these terms and its escrow paid in.
    event SessionCreated(address indexed session, address indexed collector, uint256 nonce, TradingTerms terms);

    error ShardCountOutOfRange(uint256 count, uint256 max);
    error ShardSizeZero();
    error SampleShareOutOfRange(uint256 bps, uint256 max);
    error SampleCountOutOfRange(uint256 sampled, uint256 max);
    error PenaltyOutOfRange(uint256 bps, uint256 max);
    error CompensationZero(uint256 reward, uint256 sampleBps);
    error PenaltyZero(uint256 deposit, uint256 penaltyBps);
    error DepositTooLow(uint256 deposit, uint256 least);
    error RewardTooLow(uint256 reward, uint256 least);
    error ExpiryTooLate(uint256 expiry, uint256 latest);
    error DocumentMissing();
    error TokenWithoutCode(address token);

    /// @notice Creates a session and escrows the reward and, for each further review, twice the compensation.
    /// @dev Emits {SessionCreated}. `terms.collector` is overwritten with the caller. The session's address follows from
    /// these terms and the nonce: whatever a reorganisation does, no other terms can ever stand there. With an ERC-20 the
    /// factory must be allowed to draw the escrow; one that knows ERC-2612 allows it within {Permitted}.
    /// Requirements:
    /// - 1 to 10,000 shards, to 4,000 where addresses are hidden (ShardCountOutOfRange)
    /// - at least one sample in each (ShardSizeZero)
    /// - a sampled share of at most 50 % (SampleShareOutOfRange)
    /// - that share makes 1 to 2,000 shards, to 1,000 where addresses are hidden (SampleCountOutOfRange)
    /// - a penalty of at most 100 % (PenaltyOutOfRange)
    /// - a compensation and a penalty that do not round to 0 (CompensationZero, PenaltyZero)
    /// - a deposit of at least twice the compensation: what a candidate loses by rubbish (DepositTooLow)
    /// - a reward of at least twice the penalty and at least the deposit: what a silent candidate and a silent chosen
    ///   provider lose (RewardTooLow)
    /// - 10 minutes to 30 days for registration, for submission, for selection and for each response; selection lasts from
    ///   submissionEnd to expiry - 3 * responseTime, 4 instead of 3 under sealed settlement (WindowOutOfRange)
    /// - an expiry within 90 days (ExpiryTooLate)
    /// - task document and encryption key are given (DocumentMissing)
    /// - the token, if any, is a contract (TokenWithoutCode)
    /// - the collector has made no session of these terms and this nonce (Create2: FailedDeployment)
    /// - exactly the escrow is paid (WrongPayment, TokenTakesFee)
    /// @param terms the terms
    /// @param nonce any number; it keeps sessions of equal terms apart
    /// @return session the new session
    function createSession(TradingTerms memory terms, uint256 nonce) external payable returns (address session);

    /// @notice Where `terms.collector` creates a session of these terms and this nonce, or has done so.
    function sessionOf(TradingTerms calldata terms, uint256 nonce) external view returns (address session);

    /// @notice The escrow that `createSession` asks for under these terms.
    function escrowOf(TradingTerms calldata terms) external pure returns (uint256);

    /// @notice The version of these rules.
    function version() external pure returns (uint256);

    /// @notice The code all sessions run.
    function implementation() external view returns (address);
}
