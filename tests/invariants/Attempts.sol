// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Base} from "./Base.sol";

/// @title Calls that must succeed, or be refused exactly as the rules say
abstract contract Attempts is Base {
    /// @notice How often each thing happened, by its name.
    mapping(string thing => uint256) public count;
    /// @notice How often each error refused a call that violated it.
    mapping(bytes4 error_ => uint256) public refusals;
    /// @dev The requirements that the coming call violates.
    bytes4[] private _faults;

    error RefusedWithoutReason(bytes4 call_, bytes4 error_);
    error AcceptedDespite(bytes4 call_, bytes4 expected);
    error WrongReason(bytes4 call_, bytes4 expected, bytes4 error_);

    /// @dev Notes a requirement of the coming call; if it does not hold, the call must be refused.
    function _requires(bool holds, bytes4 error_) internal {
        if (!holds) _faults.push(error_);
    }

    /// @dev Makes the call: it must succeed if no noted requirement is violated, else fail by the name of one that is.
    function _attempt(address target, address caller, uint256 coins, bytes memory data)
        internal
        returns (bool done, bytes memory answer)
    {
        bytes4 name = bytes4(data);
        vm.prank(caller);
        (done, answer) = target.call{value: coins}(data);
        if (done) {
            if (_faults.length > 0) revert AcceptedDespite(name, _faults[0]);
        } else {
            bytes4 reason = bytes4(answer);
            if (_faults.length == 0) revert RefusedWithoutReason(name, reason);
            bool named = false;
            for (uint256 i = 0; i < _faults.length; ++i) {
                if (_faults[i] == reason) named = true;
            }
            if (!named) revert WrongReason(name, _faults[0], reason);
            ++refusals[reason];
        }
        delete _faults;
    }
}
