// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Base} from "./Base.sol";
import {SalePlay} from "./SalePlay.sol";

/// @title What holds of both sales after every call, and how their plays are run and counted
abstract contract SaleCampaign is Base {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @dev What the handler may do, one of them at random; who stands twice is done twice as often.
    bytes4[] internal actions;
    /// @dev What must happen in a walk, three times at least.
    string[] internal outcomes;
    /// @dev What must be refused in a walk, once at least.
    bytes4[] internal errors;

    mapping(string thing => uint256) private _count;
    mapping(bytes4 error_ => uint256) private _refusals;

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_play());
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_play()), actions);
    }

    /// @notice From wherever a run ended, everybody gets out, and nothing stays.
    function afterInvariant() public {
        SalePlay play = _play();
        play.exhaust();
        allHolds();
        vm.assertEq(play.market().balance, 0, "coins stay");
        vm.assertEq(play.token().balanceOf(play.market()), 0, "tokens stay");
    }

    /// @notice All of what holds.
    function allHolds() public view {
        SalePlay play = _play();
        vm.assertEq(play.market().balance, play.debts(false), "coins and debts");
        vm.assertEq(play.token().balanceOf(play.market()), play.debts(true), "tokens and debts");
        _partiesStand();
    }

    // ---------------------------------------------------------------- what each sale says

    /// @dev The handler at work.
    function _play() internal view virtual returns (SalePlay);

    /// @dev A new market, with a handler of its own.
    function _renew() internal virtual;

    /// @dev All parties stand as the book says.
    function _partiesStand() internal view virtual;

    // ---------------------------------------------------------------- what holds

    /// @dev An owner's money is as the book says, and that follows from what was put in, gained, lost and taken out.
    /// @param honest whether nobody can have proved a fault of the owner's
    function _moneyStands(SalePlay.Money memory m, bool known, bool closed, uint256 funds, uint256 held, bool honest)
        internal
        pure
    {
        vm.assertTrue(known && closed == m.closed, "known and closed");
        vm.assertEq(funds, m.funds, "funds");
        vm.assertEq(held, m.held, "held");
        vm.assertLe(held, funds, "more is held than there is");
        vm.assertEq(m.funds + m.takenOut + m.lost, m.putIn + m.gained, "an owner's money");
        if (honest) vm.assertEq(m.lost, 0, "an honest seller lost a dispute");
    }

    // ---------------------------------------------------------------- what happened

    /// @dev A fixed random walk reaches every outcome, so that the invariants are known not to be vacuous.
    /// @param renewal after so many steps a new market begins, since closed accounts and ended sales end the play
    /// @param interval so many steps lie between two looks at what holds
    function _walk(uint256 steps, uint256 renewal, uint256 interval) internal {
        vm.pauseGasMetering();
        for (uint256 step = 0; step < steps; ++step) {
            if (step % renewal == renewal - 1) {
                _tally();
                this.afterInvariant();
                _renew();
            }
            uint256 seed = derive(step, "walk");
            bytes4 action = actions[derive(seed, "action") % actions.length];
            (bool done, bytes memory answer) = address(_play()).call(abi.encodeWithSelector(action, seed));
            if (!done) {
                assembly ("memory-safe") {
                    revert(add(answer, 0x20), mload(answer))
                }
            }
            if (step % interval == 0) this.allHolds();
        }
        this.afterInvariant();
        _tally();
        _everythingHappened();
    }

    function _tally() private {
        SalePlay play = _play();
        for (uint256 i = 0; i < outcomes.length; ++i) {
            _count[outcomes[i]] += play.count(outcomes[i]);
        }
        for (uint256 i = 0; i < errors.length; ++i) {
            _refusals[errors[i]] += play.refusals(errors[i]);
        }
    }

    function _everythingHappened() private {
        for (uint256 i = 0; i < outcomes.length; ++i) {
            emit log_named_uint(outcomes[i], _count[outcomes[i]]);
        }
        for (uint256 i = 0; i < outcomes.length; ++i) {
            vm.assertGe(_count[outcomes[i]], 3, outcomes[i]);
        }
        for (uint256 i = 0; i < errors.length; ++i) {
            emit log_named_uint("refusals", _refusals[errors[i]]);
            vm.assertGe(_refusals[errors[i]], 1, "an error never came up");
        }
    }
}
