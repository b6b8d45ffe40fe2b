// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBulletinBoard, PostKey} from "../../contracts/interfaces/IBulletinBoard.sol";
import {Base} from "./Base.sol";
import {BoardHandler} from "./BoardHandler.sol";

/// @title What holds of a board after every call
/// @dev Each call is played with all its checks against the book, so fewer runs do: 51,200 calls.
/// forge-config: default.invariant.runs = 128
contract BoardInvariants is Base {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    uint256 private constant PLACES = 12;

    BoardHandler private _handler;
    uint256 private _checked;

    function setUp() public {
        _handler = new BoardHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), _actions());
    }

    /// @notice All of what holds, in one campaign: with one seed, each further one would only repeat the same calls.
    function invariant_Board() public {
        _holdsWhatItOwes();
        _standsAsTheBookSays();
        _placeIsTheBook(_checked++);
    }

    /// @notice From wherever a run ended, everybody gets out, and nothing stays.
    function afterInvariant() public {
        _handler.exhaust();
        invariant_Board();
    }

    /// @notice A fixed random walk reaches every outcome, so that the invariants are known not to be vacuous.
    function test_HandlerReachesEveryOutcomeOnTheBoard() public {
        vm.pauseGasMetering();
        bytes4[] memory actions = _actions();
        for (uint256 step = 0; step < 16_000; ++step) {
            uint256 seed = derive(step, "walk");
            (bool done, bytes memory answer) =
                address(_handler).call(abi.encodeWithSelector(actions[derive(seed, "action") % actions.length], seed));
            if (!done) {
                assembly ("memory-safe") {
                    revert(add(answer, 0x20), mload(answer))
                }
            }
            // From outside, so that the memory of each check is freed.
            this.invariant_Board();
        }
        afterInvariant();
        _everythingHappened();
    }

    // ---------------------------------------------------------------- what holds

    function _holdsWhatItOwes() private view {
        IBulletinBoard board = _handler.board();
        for (uint256 currency = 0; currency < 2; ++currency) {
            uint256 held = _handler.balanceOf(currency, address(board));
            vm.assertEq(held, _handler.debts(currency), "balance and debts");
            vm.assertEq(held + _handler.paidOut(currency), _handler.paidIn(currency), "balance and payments");
            (address[6] memory people, uint256[6] memory owed) = _handler.bonds(currency);
            for (uint256 i = 0; i < people.length; ++i) {
                vm.assertEq(board.owed(_handler.addressOf(currency), people[i]), owed[i], "bonds owed");
            }
        }
    }

    function _standsAsTheBookSays() private view {
        for (uint256 which = 0; which < 2; ++which) {
            (bytes32 id, bool faulty, uint256 open_, bool withdrawn) = _handler.standing(which);
            (bool isFaulty, uint256 isOpen, bool isWithdrawn) = _handler.board().status(id);
            vm.assertTrue(which == 1 || !isFaulty, "an honest server is convicted");
            vm.assertTrue(isFaulty == faulty && isWithdrawn == withdrawn, "status");
            vm.assertTrue(!(faulty && withdrawn), "a convicted server got its stake");
            vm.assertEq(isOpen, open_, "open challenges");
        }
    }

    /// @dev One place of each session at a time, in turn.
    function _placeIsTheBook(uint256 place) private view {
        for (uint256 which = 0; which < 2; ++which) {
            (PostKey memory key, bytes32 posted, uint256 postedAt, bytes32 own) = _handler.placed(which, place % PLACES);
            (bytes28 digest, uint256 at) = _handler.board().postOf(key);
            (bytes28 ownDigest,) = _handler.board().ownPostOf(key);
            vm.assertEq(bytes32(digest), bytes32(bytes28(posted)), "post");
            vm.assertEq(at, postedAt, "time of the post");
            vm.assertEq(bytes32(ownDigest), bytes32(bytes28(own)), "own post");
        }
    }

    // ---------------------------------------------------------------- what happened

    function _everythingHappened() private {
        string[19] memory outcomes = [
            "opened",
            "posted",
            "batch posted",
            "rubbish posted",
            "posted itself",
            "signed",
            "key replaced",
            "equivocation proved",
            "alteration proved",
            "alteration in batch proved",
            "absence proved",
            "silence proved",
            "convicted at last",
            "challenged",
            "answered",
            "bond returned",
            "share claimed",
            "stake withdrawn",
            "bonds withdrawn"
        ];
        for (uint256 i = 0; i < outcomes.length; ++i) {
            emit log_named_uint(outcomes[i], _handler.count(outcomes[i]));
        }
        for (uint256 i = 0; i < outcomes.length; ++i) {
            vm.assertGe(_handler.count(outcomes[i]), 3, outcomes[i]);
        }
        bytes4[22] memory errors = [
            IBulletinBoard.SessionFaulty.selector,
            IBulletinBoard.NotServer.selector,
            IBulletinBoard.RoundOutOfRange.selector,
            IBulletinBoard.NotMember.selector,
            IBulletinBoard.TooEarly.selector,
            IBulletinBoard.TooLate.selector,
            IBulletinBoard.KindBatched.selector,
            IBulletinBoard.KindSingle.selector,
            IBulletinBoard.AlreadyPosted.selector,
            IBulletinBoard.NotPosted.selector,
            IBulletinBoard.BadSignature.selector,
            IBulletinBoard.DifferentKeys.selector,
            IBulletinBoard.SameMessage.selector,
            IBulletinBoard.PostedInTime.selector,
            IBulletinBoard.LeafNotInBatch.selector,
            IBulletinBoard.AlreadyChallenged.selector,
            IBulletinBoard.NotChallenged.selector,
            IBulletinBoard.StillAsking.selector,
            IBulletinBoard.NotFaulty.selector,
            IBulletinBoard.AlreadyClaimed.selector,
            IBulletinBoard.ChallengesOpen.selector,
            IBulletinBoard.NothingOwed.selector
        ];
        for (uint256 i = 0; i < errors.length; ++i) {
            emit log_named_uint("refusals", _handler.refusals(errors[i]));
            vm.assertGe(_handler.refusals(errors[i]), 1, "refusals");
        }
    }

    function _actions() private pure returns (bytes4[] memory actions) {
        actions = new bytes4[](27);
        actions[0] = BoardHandler.passTime.selector;
        actions[1] = BoardHandler.open.selector;
        actions[2] = BoardHandler.post.selector;
        actions[3] = BoardHandler.postBatch.selector;
        actions[4] = BoardHandler.postOwn.selector;
        actions[5] = BoardHandler.sign.selector;
        actions[6] = BoardHandler.proveEquivocation.selector;
        actions[7] = BoardHandler.proveAltered.selector;
        actions[8] = BoardHandler.proveAlteredInBatch.selector;
        actions[9] = BoardHandler.proveUnposted.selector;
        actions[10] = BoardHandler.challenge.selector;
        actions[11] = BoardHandler.answer.selector;
        actions[12] = BoardHandler.settle.selector;
        actions[13] = BoardHandler.claimShare.selector;
        actions[14] = BoardHandler.withdrawStake.selector;
        actions[15] = BoardHandler.withdrawBonds.selector;
        // What others need before they can do anything.
        actions[16] = BoardHandler.sign.selector;
        actions[17] = BoardHandler.sign.selector;
        actions[18] = BoardHandler.post.selector;
        actions[19] = BoardHandler.postBatch.selector;
        actions[20] = BoardHandler.postBatch.selector;
        actions[21] = BoardHandler.challenge.selector;
        actions[22] = BoardHandler.open.selector;
        actions[23] = BoardHandler.passTime.selector;
        actions[24] = BoardHandler.proveAltered.selector;
        actions[25] = BoardHandler.proveAltered.selector;
        actions[26] = BoardHandler.replaceSigner.selector;
    }
}
