// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Window} from "../exchange/Window.sol";
import {IBulletinBoard, BoardTerms} from "../interfaces/IBulletinBoard.sol";
import {BordaTerms} from "../interfaces/IBordaConsensus.sol";
import {IBordaConsensusFactory} from "../interfaces/IBordaConsensusFactory.sol";
import {BoardTrees} from "./board/BoardTrees.sol";
import {Borda} from "./borda/Borda.sol";
import {PackedBordaTermsLib} from "./borda/PackedBordaTerms.sol";
import {BordaConsensus} from "./BordaConsensus.sol";

/// @title Makes sessions in which members choose the best uploads
contract BordaConsensusFactory is IBordaConsensusFactory {
    uint256 private constant MIN_MEMBERS = 2;
    /// @dev Their addresses fit behind the code of a clone, and points and index of a winner into 32 bits.
    uint256 private constant MAX_MEMBERS = 1_024;

    /// @inheritdoc IBordaConsensusFactory
    address public immutable implementation;
    /// @inheritdoc IBordaConsensusFactory
    IBulletinBoard public immutable board;

    constructor(IBulletinBoard board_) {
        board = board_;
        implementation = address(new BordaConsensus(board_));
    }

    /// @inheritdoc IBordaConsensusFactory
    function createSession(BordaTerms memory terms, address[] calldata members) external returns (address session) {
        uint256 count = members.length;
        require(count >= MIN_MEMBERS && count <= MAX_MEMBERS, MemberCountOutOfRange(count, MIN_MEMBERS, MAX_MEMBERS));
        require(terms.winners > 0 && terms.winners < count, WinnersOutOfRange(terms.winners, count - 1));
        require(terms.quorum > 0 && terms.quorum <= count, QuorumOutOfRange(terms.quorum, count));
        _checkSchedule(terms);
        address last = address(0);
        for (uint256 i = 0; i < count; ++i) {
            require(members[i] > last, MembersOutOfOrder(i, members[i]));
            last = members[i];
        }
        terms.rounds = _checkBoard(terms, members);
        terms.owner = msg.sender;
        uint256 laneBits = Borda.laneBits(count, terms.winners);
        session = Clones.cloneWithImmutableArgs(implementation, PackedBordaTermsLib.pack(terms, members, laneBits));
        emit SessionCreated(session, msg.sender, terms.context, terms, members);
    }

    /// @inheritdoc IBordaConsensusFactory
    function version() external pure returns (uint256) {
        return 3;
    }

    /// @dev The session is the board's: of its server, its members in its order, and at its times. Returns its rounds.
    function _checkBoard(BordaTerms memory terms, address[] calldata members) private view returns (uint16) {
        BoardTerms memory agreed = board.terms(terms.context);
        require(msg.sender == agreed.server, NotServer(msg.sender, agreed.server));
        bytes32 root = BoardTrees.rootOfMembers(address(board), members);
        require(members.length == agreed.members && root == agreed.memberRoot, OtherMembers(terms.context));
        uint256 start = uint256(agreed.start) + agreed.uploadTime;
        uint256 period = uint256(agreed.uploadTime) + agreed.evaluationTime;
        require(terms.start == start && terms.period == period, OtherSchedule(terms.start, terms.period, start, period));
        return agreed.rounds;
    }

    /// @dev The rounds follow each other, and the first is neither past nor far off.
    function _checkSchedule(BordaTerms memory terms) private view {
        Window.check(terms.ballotTime);
        if (terms.revealTime > 0) Window.check(terms.revealTime);
        Window.check(terms.period);
        uint256 least = uint256(terms.ballotTime) + terms.revealTime;
        require(terms.period >= least, PeriodTooShort(terms.period, least));
        uint256 latest = block.timestamp + 2 * Window.LONGEST;
        require(
            terms.start >= block.timestamp && terms.start <= latest,
            StartOutOfRange(terms.start, block.timestamp, latest)
        );
    }
}
