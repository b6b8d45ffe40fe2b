// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @notice A signed allowance (ERC-2612), so that joining takes one call and no approval before it.
/// @param deadline until when the signature holds, Unix seconds
/// @param v recovery byte
/// @param r first half of the signature
/// @param s second half
struct Permit {
    uint256 deadline;
    uint8 v;
    bytes32 r;
    bytes32 s;
}

/// @title Money in and out, in the native coin (token zero) or in one ERC-20
library Payment {
    using SafeERC20 for IERC20;

    error WrongPayment(uint256 paid, uint256 due);
    error TokenTakesFee(uint256 moved, uint256 due);
    error NoReceiver();

    /// @dev Gas that a payment may use which must not hold up the rest of the call.
    uint256 private constant PUSH_GAS = 100_000;

    /// @notice Uses the caller's signed allowance of `amount`.
    /// @dev A permit that fails is passed over: somebody may have sent it first, and the payment itself then tells. So is
    /// one for the native coin.
    function permit(address token, uint256 amount, Permit calldata signed) internal {
        if (token.code.length == 0) return;
        // solhint-disable no-empty-blocks
        try IERC20Permit(token)
            .permit(msg.sender, address(this), amount, signed.deadline, signed.v, signed.r, signed.s) {}
            catch {}
        // solhint-enable no-empty-blocks
    }

    /// @notice Takes exactly `amount` from the caller into `to`; a native payment must already be with this contract.
    /// @dev Requirements: the coin sent equals `amount`, or is zero where a token pays (WrongPayment); the token
    /// delivers all of it, and takes no more from the caller (TokenTakesFee), as it would from this contract later.
    // Every caller is payable.
    // slither-disable-next-line msg-value-in-nonpayable
    function collect(address token, address to, uint256 amount) internal {
        if (token == address(0)) {
            require(msg.value == amount, WrongPayment(msg.value, amount));
            return;
        }
        require(msg.value == 0, WrongPayment(msg.value, 0));
        // Some tokens refuse to move zero.
        if (amount == 0) return;
        uint256 before = IERC20(token).balanceOf(to);
        uint256 had = IERC20(token).balanceOf(msg.sender);
        IERC20(token).safeTransferFrom(msg.sender, to, amount);
        unchecked {
            // Of a balance that went the other way it is more than any amount.
            _requireMoved(IERC20(token).balanceOf(to) - before, amount);
            _requireMoved(had - IERC20(token).balanceOf(msg.sender), amount);
        }
    }

    /// @notice Sends `amount` to `to`, and reverts if it is refused.
    /// @dev Requirements: a receiver (NoReceiver); the token takes no more from this contract, so that nobody is paid out of
    /// what is others' (TokenTakesFee).
    function pay(address token, address to, uint256 amount) internal {
        require(to != address(0), NoReceiver());
        if (token == address(0)) {
            Address.sendValue(payable(to), amount);
        } else {
            uint256 had = IERC20(token).balanceOf(address(this));
            IERC20(token).safeTransfer(to, amount);
            unchecked {
                _requireMoved(had - IERC20(token).balanceOf(address(this)), amount);
            }
        }
    }

    /// @notice Sends `amount`, above zero, to `to` if that is possible with bounded gas; the caller owes it otherwise.
    /// @dev Nothing that the receiver or the token returns is copied, so neither can make the call dear. What a token answers
    /// is not believed: it is paid when it left this contract, so that nobody is paid twice out of what is others'. While
    /// the receiver runs, nothing that this contract books may come in.
    /// @return paid whether it left
    function tryPay(address token, address to, uint256 amount) internal returns (bool paid) {
        if (token == address(0)) {
            assembly ("memory-safe") {
                paid := call(PUSH_GAS, to, amount, 0, 0, 0, 0)
            }
            return paid;
        }
        // A token that does not tell its balance is not asked for money. Who sends too little gas for the second answer
        // counts as paid: it is read as zero.
        uint256 held = _held(token);
        if (held < amount) return false;
        bytes memory call_ = abi.encodeCall(IERC20.transfer, (to, amount));
        assembly ("memory-safe") {
            paid := call(PUSH_GAS, token, 0, add(call_, 0x20), mload(call_), 0, 0)
        }
        return paid && _held(token) < held;
    }

    /// @dev What is compared is an amount moved within this call.
    // slither-disable-next-line incorrect-equality
    function _requireMoved(uint256 moved, uint256 due) private pure {
        require(moved == due, TokenTakesFee(moved, due));
    }

    /// @dev What this contract has of a token by the token's own word; zero where it has none to say, or asks for much gas.
    function _held(address token) private view returns (uint256 held) {
        bytes memory call_ = abi.encodeCall(IERC20.balanceOf, (address(this)));
        assembly ("memory-safe") {
            let done := staticcall(PUSH_GAS, token, add(call_, 0x20), mload(call_), 0, 0x20)
            if and(done, gt(returndatasize(), 0x1f)) { held := mload(0) }
        }
    }
}
