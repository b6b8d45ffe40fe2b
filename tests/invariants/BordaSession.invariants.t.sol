// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBordaConsensus, State} from "../../contracts/interfaces/IBordaConsensus.sol";
import {Base} from "./Base.sol";
import {BordaHandler} from "./BordaHandler.sol";

/// @title What holds of every session after every call
/// forge-config: default.invariant.runs = 64
contract BordaSessionInvariants is Base {
    BordaHandler private handler;

    function setUp() public {
        handler = new BordaHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @notice All of what holds, in one campaign: with one seed, each further one would only repeat the same calls.
    function invariant_BordaSession() public view {
        _pointsAreTheBallots();
        _winnersAreTheHighest();
        _resultsStay();
    }

    /// @dev The points are those of the ballots that were taken, each once, and sum up to what so many give.
    function _pointsAreTheBallots() private view {
        IBordaConsensus session = handler.session();
        uint256 winners = handler.winners();
        uint256[] memory points = session.points();
        vm.assertEq(points, handler.points(), "points");
        uint256 sum = 0;
        for (uint256 i = 0; i < points.length; ++i) {
            sum += points[i];
            vm.assertTrue(session.hasVoted(i) == handler.voted(i), "voted");
        }
        vm.assertEq(sum, handler.ballots() * winners * (winners + 1) / 2, "sum of points");
    }

    /// @dev Winners are different members who may be elected, none stands below a loser who may, and there are M, or all
    /// who may and have points, or, below the quorum, none.
    function _winnersAreTheHighest() private view {
        IBordaConsensus session = handler.session();
        (uint256 rounds, State state,,,,) = session.newestRound();
        if (rounds == 0 || state != State.Closed) return;
        (uint256[] memory winners, uint256[] memory winnersPoints) = session.result(rounds - 1);
        uint256[] memory points = session.points();
        uint256 standing = 0;
        for (uint256 i = 0; i < points.length; ++i) {
            if (points[i] > 0 && handler.electable(i)) ++standing;
        }
        uint256 most = standing < handler.winners() ? standing : handler.winners();
        vm.assertEq(winners.length, handler.decided() ? most : 0, "how many win");
        if (!handler.decided()) return;

        bool[] memory won = new bool[](points.length);
        uint256 lowest = type(uint256).max;
        for (uint256 i = 0; i < winners.length; ++i) {
            vm.assertTrue(!won[winners[i]], "a winner twice");
            won[winners[i]] = true;
            vm.assertTrue(handler.electable(winners[i]), "a winner that may not be elected");
            vm.assertEq(winnersPoints[i], points[winners[i]], "winner's points");
            vm.assertLe(winnersPoints[i], lowest, "order of winners");
            vm.assertGe(winnersPoints[i], 1, "a winner without points");
            lowest = winnersPoints[i];
        }
        for (uint256 i = 0; i < points.length; ++i) {
            if (!won[i] && handler.electable(i)) vm.assertLe(points[i], lowest, "a loser above a winner");
        }
    }

    /// @dev Results of earlier rounds stay as they were when these closed.
    function _resultsStay() private view {
        IBordaConsensus session = handler.session();
        uint256 closed = handler.resultCount();
        for (uint256 round = closed > 3 ? closed - 3 : 0; round < closed; ++round) {
            (uint256[] memory winners,) = session.result(round);
            vm.assertEq(keccak256(abi.encode(winners)), handler.results(round), "an earlier result");
        }
    }

    /// @notice A fixed random walk reaches every outcome, so that the invariants are not vacuous.
    function test_HandlerReachesEveryOutcome() public {
        for (uint256 step = 0; step < 6_000; ++step) {
            handler.act(derive(step, "walk"));
        }
        string[11] memory outcomes = [
            "session",
            "left out",
            "cast",
            "carried",
            "committed",
            "revealed",
            "uploaded",
            "reported absent",
            "closed in one call",
            "closed in steps",
            "without a quorum"
        ];
        for (uint256 i = 0; i < outcomes.length; ++i) {
            emit log_named_uint(outcomes[i], handler.count(outcomes[i]));
            vm.assertGe(handler.count(outcomes[i]), 3, outcomes[i]);
        }
        bytes4[] memory errors = handler.errors();
        for (uint256 i = 0; i < errors.length; ++i) {
            emit log_named_uint("refused", handler.refusals(errors[i]));
            vm.assertGe(handler.refusals(errors[i]), 3, "an error that never came");
        }
    }
}
