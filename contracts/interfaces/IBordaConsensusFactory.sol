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
    error BallotTimeZero();
    error PatienceZero();

    /// @notice Creates a session; the caller becomes its owner.
    /// @dev Emits {SessionCreated}.
    /// Requirements:
    /// - 2 to 1,024 members (MemberCountOutOfRange)
    /// - in ascending order of their addresses, none zero or twice (MembersOutOfOrder)
    /// - 1 to members - 1 winners (WinnersOutOfRange)
    /// - a quorum of at most all members (QuorumOutOfRange)
    /// - some time for ballots (BallotTimeZero)
    /// - some time for the owner to open rounds (PatienceZero)
    /// @param terms what is agreed on; its owner is ignored
    /// @param members the accounts that vote and train; a member's index is its position here
    function createSession(BordaTerms memory terms, address[] calldata members) external returns (address session);

    /// @notice What all sessions run.
    function implementation() external view returns (address);
}
