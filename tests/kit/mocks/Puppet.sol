// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title An account with code: does what it is told, and when it is paid does what it was prepared to do
contract Puppet {
    enum Mood {
        Content,
        Reverts,
        BurnsGas,
        Calls
    }

    Mood private _mood;
    address private _target;
    bytes private _data;
    uint256 private _value;

    /// @notice How often a prepared call went through, and how often it was refused.
    uint256 public succeeded;
    uint256 public refused;

    /// @notice The data with which the last refused call reverted.
    bytes public reason;

    constructor() payable {}

    /// @notice Calls `target` as this account; reverts as it reverts.
    function act(address target, bytes calldata data, uint256 value) external payable returns (bytes memory) {
        (bool ok, bytes memory result) = target.call{value: value}(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
        return result;
    }

    /// @notice Fixes what happens when money arrives.
    function prepare(Mood mood, address target, bytes calldata data, uint256 value) external {
        (_mood, _target, _data, _value) = (mood, target, data, value);
    }

    receive() external payable {
        _react();
    }

    /// @notice The hook of a HookToken.
    function tokensReceived() external {
        _react();
    }

    function _react() private {
        if (_mood == Mood.Reverts) revert("not wanted");
        if (_mood == Mood.BurnsGas) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        if (_mood != Mood.Calls) return;
        // One call per preparation: enough to show re-entry, and it ends.
        _mood = Mood.Content;
        (bool ok, bytes memory result) = _target.call{value: _value}(_data);
        if (ok) ++succeeded;
        else (refused, reason) = (refused + 1, result);
    }
}

/// @title Tells events that are another contract's to tell
contract Forger {
    function tell(bytes32 name, bytes32 first, bytes32 second, bytes calldata data) external {
        bytes memory told = data;
        assembly ("memory-safe") {
            log3(add(told, 0x20), mload(told), name, first, second)
        }
    }
}

/// @title Forces its ether on an account when created
contract Force {
    constructor(address payable to) payable {
        selfdestruct(to);
    }
}
