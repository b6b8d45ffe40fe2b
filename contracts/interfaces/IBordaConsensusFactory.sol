// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BordaTerms} from "./IBordaConsensus.sol";

/// @title Makes sessions in which members choose the best uploads
interface IBordaConsensusFactory {
    /// @notice A session exists; its terms and members are readable from it.
    event SessionCreated(address indexed session, address indexed owner, bytes32 indexed context);

    error MemberCountOutOfRange(uint256 members, uint256 least, uint256 most);
    error MembersOutOfOrder(uint256 index, address member);
    error WinnersOutOfRange(uint256 winners, uint256 most);
    error QuorumOutOfRange(uint256 quorum, uint256 members);
    error PeriodTooShort(uint256 period, uint256 least);
    error StartOutOfRange(uint256 start, uint256 earliest, uint256 latest);

    /// @notice Creates a session; the caller becomes its owner.
    /// @dev Emits {SessionCreated}.
    /// Requirements:
    /// - 2 to 1,024 members (MemberCountOutOfRange)
    /// - in ascending order of their addresses, none zero or twice (MembersOutOfOrder)
    /// - 1 to members - 1 winners (WinnersOutOfRange)
    /// - a quorum of 1 to all members (QuorumOutOfRange)
    /// - the times of ballots and of openings, unless these are 0, and the period are 10 minutes to 30 days (Window:
    ///   WindowOutOfRange)
    /// - a period that holds ballots and openings (PeriodTooShort)
    /// - a start that is not past, and at most 60 days off (StartOutOfRange)
    /// @param terms what is agreed on; its owner is ignored
    /// @param members the accounts that vote and train; a member's index is its position here
    function createSession(BordaTerms memory terms, address[] calldata members) external returns (address session);

    /// @notice What all sessions run.
    function implementation() external view returns (address);
}
