// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BordaTerms} from "./IBordaConsensus.sol";
import {IBulletinBoard} from "./IBulletinBoard.sol";

/// @title Makes sessions in which members choose the best uploads
interface IBordaConsensusFactory {
    /// @notice A session exists, with all that it was made of; members by their index.
    event SessionCreated(
        address indexed session, address indexed owner, bytes32 indexed context, BordaTerms terms, address[] members
    );

    error MemberCountOutOfRange(uint256 members, uint256 least, uint256 most);
    error MembersOutOfOrder(uint256 index, address member);
    error WinnersOutOfRange(uint256 winners, uint256 most);
    error QuorumOutOfRange(uint256 quorum, uint256 members);
    error PeriodTooShort(uint256 period, uint256 least);
    error NotServer(address caller, address server);
    error OtherMembers(bytes32 context);
    error OtherSchedule(uint256 start, uint256 period, uint256 boardStart, uint256 boardPeriod);
    error StartOutOfRange(uint256 start, uint256 earliest, uint256 latest);

    /// @notice Creates the consensus of a session of the board; its server becomes the owner.
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
    /// - the board has a session with the id `context` (IBulletinBoard: UnknownSession)
    /// - the caller is its server (NotServer)
    /// - its members are these in this order (OtherMembers)
    /// - ballots open with its windows for evaluations, round by round (OtherSchedule)
    /// @param terms what is agreed on; its owner and its rounds are ignored
    /// @param members the accounts that vote and train; a member's index is its position here
    function createSession(BordaTerms memory terms, address[] calldata members) external returns (address session);

    /// @notice Of these rules: 3.
    function version() external pure returns (uint256);

    /// @notice The bulletin board whose sessions vote here.
    function board() external view returns (IBulletinBoard);

    /// @notice What all sessions run.
    function implementation() external view returns (address);
}
