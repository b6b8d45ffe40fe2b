// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITradingSession, State} from "../../contracts/interfaces/ITradingSession.sol";
import {Base} from "./Base.sol";
import {SessionBook} from "./SessionBook.sol";
import {SessionDelivery} from "./SessionDelivery.sol";
import {SessionHandler} from "./SessionHandler.sol";
import {SessionPlay} from "./SessionPlay.sol";

/// @title What holds of every session after every call
contract SessionInvariants is Base {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    uint256 private constant PEOPLE = 7;

    SessionHandler private handler;

    function setUp() public {
        handler = new SessionHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), _actions());
    }

    /// @notice All of what holds, in one campaign: with one seed, each further one would only repeat the same calls.
    function invariant_Session() public view {
        ITradingSession session = handler.session();
        SessionBook.Seat[PEOPLE] memory seats = handler.allSeats();
        _standsWhereTheTableSays(session);
        _holdsWhatItOwes(session, seats);
        _eachDepositLeavesOnce(seats);
        _eachProviderHasOneTurn(seats);
        _samplesStayWithinTheShare(seats);
    }

    /// @dev The session is where the state table says; above all, it moves only forward and Closed is final, which the
    /// handler checks at every call.
    function _standsWhereTheTableSays(ITradingSession session) private view {
        (State state, bool disclosed, uint256 deadline, address candidate) = session.status();
        vm.assertTrue(state == handler.state(), "state");
        vm.assertTrue(disclosed == handler.disclosed(), "disclosed");
        vm.assertEq(deadline, handler.deadline(), "deadline");
        uint256 person = handler.candidate();
        vm.assertEq(candidate, person < PEOPLE ? handler.people(person) : address(0), "candidate");
    }

    /// @dev Value is conserved: everybody is owed what the rules give, the sum is what the session holds, and that is
    /// what it ever took less what it ever paid.
    function _holdsWhatItOwes(ITradingSession session, SessionBook.Seat[PEOPLE] memory seats) private view {
        uint256 debts = session.owedToCollector();
        vm.assertEq(debts, handler.owedToCollector(), "owed to the collector");
        int256 net = int256(handler.collectorPaidIn()) - int256(handler.collectorPaidOut());
        for (uint256 i = 0; i < PEOPLE; ++i) {
            uint256 owed = session.owedTo(handler.people(i));
            vm.assertEq(owed, seats[i].owed, "owed to a provider");
            debts += owed;
            net += int256(seats[i].paidIn) - int256(seats[i].paidOut);
        }
        uint256 held = handler.balance() - handler.forced();
        vm.assertEq(held, debts + handler.burnt(), "balance and debts");
        vm.assertEq(held, uint256(net), "balance and payments");
    }

    function _eachDepositLeavesOnce(SessionBook.Seat[PEOPLE] memory seats) private pure {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            vm.assertLe(seats[i].payouts, 1, "payouts");
            vm.assertTrue(seats[i].payouts == 0 || seats[i].owed == 0, "paid and still owed");
        }
    }

    /// @dev Each provider is a candidate at most once, and no more reviews are paid for than the terms allow.
    function _eachProviderHasOneTurn(SessionBook.Seat[PEOPLE] memory seats) private view {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            vm.assertLe(seats[i].turns, 1, "turns");
        }
        vm.assertLe(handler.refusedReviews(), handler.maxReviews(), "reviews");
    }

    /// @dev No sample is empty or larger than the terms allow; the handler checks that each provider is sampled once.
    function _samplesStayWithinTheShare(SessionBook.Seat[PEOPLE] memory seats) private view {
        uint256 limit = handler.sampleLimit();
        for (uint256 i = 0; i < PEOPLE; ++i) {
            if (!seats[i].sampled) continue;
            uint256 size = 0;
            for (uint256 rest = seats[i].bitmap; rest > 0; rest /= 2) {
                size += rest % 2;
            }
            vm.assertTrue(size > 0 && size <= limit, "sample size");
        }
    }

    /// @notice From wherever a run ended, everybody gets out, the balance ends at zero, and no honest party has lost.
    function afterInvariant() public {
        _leave(uint256(uint160(address(handler.session()))));
    }

    /// @notice A fixed random walk reaches every outcome, so the invariants above are not vacuous.
    function test_HandlerReachesEveryOutcome() public {
        vm.pauseGasMetering();
        bytes4[] memory actions = _actions();
        for (uint256 step = 0; step < 30_000; ++step) {
            uint256 seed = derive(step, "walk");
            (bool done, bytes memory answer) =
                address(handler).call(abi.encodeWithSelector(actions[derive(seed, "action") % actions.length], seed));
            if (!done) {
                assembly ("memory-safe") {
                    revert(add(answer, 0x20), mload(answer))
                }
            }
            if (step % 400 == 399) _leave(seed);
        }
        string[34] memory outcomes = [
            "open",
            "accepted",
            "refused",
            "register",
            "sample chosen",
            "draw requested",
            "draw requested again",
            "sample drawn",
            "features submitted",
            "candidate set",
            "candidate silent",
            "silent candidate replaced",
            "honest review",
            "review with a wrong key",
            "review without a point",
            "review refused",
            "last review refused",
            "review rubbish",
            "last review rubbish",
            "collector silent",
            "wrong key proved",
            "missing point proved",
            "optimal set",
            "chosen provider silent",
            "reward claimed",
            "closed early",
            "deposit claimed",
            "right key delivered",
            "wrong session key delivered",
            "session key without a point",
            "wrong delivery proved",
            "missing point of a delivery proved",
            "false dispute refused",
            "delivery undisputed"
        ];
        for (uint256 i = 0; i < outcomes.length; ++i) {
            emit log_named_uint(outcomes[i], handler.count(outcomes[i]));
        }
        for (uint256 i = 0; i < outcomes.length; ++i) {
            vm.assertGe(handler.count(outcomes[i]), 5, outcomes[i]);
        }
    }

    /// @dev Everybody leaves in some order.
    function _leave(uint256 seed) private {
        handler.exhaust(seed);
        vm.assertEq(handler.balance(), handler.forced() + handler.burnt(), "stuck");
        SessionBook.Seat[PEOPLE] memory seats = handler.allSeats();
        for (uint256 i = 0; i < PEOPLE; ++i) {
            // Unless the collector destroyed as much of its own at least.
            uint256 lost = seats[i].robbed;
            if (!seats[i].misbehaved) vm.assertGe(seats[i].paidOut + lost, seats[i].paidIn, "an honest provider lost");
        }
    }

    function _actions() private pure returns (bytes4[] memory actions) {
        actions = new bytes4[](39);
        actions[0] = SessionHandler.passTime.selector;
        actions[1] = SessionHandler.passBlocks.selector;
        actions[2] = SessionHandler.force.selector;
        actions[3] = SessionHandler.register.selector;
        actions[4] = SessionHandler.sampleData.selector;
        actions[5] = SessionHandler.drawSample.selector;
        actions[6] = SessionHandler.submitFeatures.selector;
        actions[7] = SessionHandler.setCandidate.selector;
        actions[8] = SessionHandler.submitReview.selector;
        actions[9] = SessionHandler.setOptimal.selector;
        actions[10] = SessionHandler.refuseReview.selector;
        actions[11] = SessionHandler.proveWrongKey.selector;
        actions[12] = SessionHandler.claimReward.selector;
        actions[13] = SessionHandler.close.selector;
        actions[14] = SessionHandler.settle.selector;
        actions[15] = SessionHandler.claimDeposit.selector;
        actions[16] = SessionHandler.reclaimEscrow.selector;
        actions[17] = SessionPlay.open.selector;
        actions[18] = SessionDelivery.deliverKey.selector;
        actions[19] = SessionDelivery.proveWrongDelivery.selector;
        actions[20] = SessionHandler.declareRubbish.selector;
        for (uint256 i = 21; i < actions.length; ++i) {
            actions[i] = SessionHandler.advance.selector;
        }
    }
}
