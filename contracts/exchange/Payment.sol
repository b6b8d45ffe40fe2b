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
    error TokenTakesFee(uint256 received, uint256 due);
    error NoReceiver();

    /// @dev Gas that a payment may use which must not hold up the rest of the call.
    uint256 private constant PUSH_GAS = 100_000;

    /// @notice Uses the caller's signed allowance of `amount`.
    /// @dev A permit that fails is passed over: somebody may have sent it first, and the payment itself then tells. So is
    /// one for the native coin.
    function permit(address token, uint256 amount, Permit calldata signed) internal {
        if (token.code.length == 0) return;
        try IERC20Permit(token)
            .permit(msg.sender, address(this), amount, signed.deadline, signed.v, signed.r, signed.s) {}
            catch {}
    }

    /// @notice Takes exactly `amount` from the caller into `to`; a native payment must already be with this contract.
    /// @dev Requirements: the coin sent equals `amount`, or is zero where a token pays (WrongPayment); the token
    /// delivers all of it (TokenTakesFee).
    // Every caller is payable, and what is compared is an amount moved within this call.
    // slither-disable-next-line msg-value-in-nonpayable,incorrect-equality
    function collect(address token, address to, uint256 amount) internal {
        if (token == address(0)) {
            require(msg.value == amount, WrongPayment(msg.value, amount));
            return;
        }
        require(msg.value == 0, WrongPayment(msg.value, 0));
        uint256 before = IERC20(token).balanceOf(to);
        IERC20(token).safeTransferFrom(msg.sender, to, amount);
        uint256 received = IERC20(token).balanceOf(to) - before;
        require(received == amount, TokenTakesFee(received, amount));
    }

    /// @notice Sends `amount` to `to`, and reverts if it does not arrive.
    /// @dev Requirements: a receiver (NoReceiver).
    function pay(address token, address to, uint256 amount) internal {
        require(to != address(0), NoReceiver());
        if (token == address(0)) {
            Address.sendValue(payable(to), amount);
        } else {
            IERC20(token).safeTransfer(to, amount);
        }
    }

    /// @notice Sends `amount` to `to` if that is possible with bounded gas; the caller owes it otherwise.
    /// @dev Nothing that the receiver or the token returns is copied, so neither can make the call dear.
    /// @return paid whether it arrived; a token that returns false, or no code at its address, is no payment
    function tryPay(address token, address to, uint256 amount) internal returns (bool paid) {
        bytes memory call_ = token == address(0) ? bytes("") : abi.encodeCall(IERC20.transfer, (to, amount));
        address called = token == address(0) ? to : token;
        uint256 value = token == address(0) ? amount : 0;
        uint256 returned;
        uint256 word;
        assembly ("memory-safe") {
            paid := call(PUSH_GAS, called, value, add(call_, 0x20), mload(call_), 0, 0x20)
            returned := returndatasize()
            word := mload(0)
        }
        if (paid && token != address(0)) paid = returned == 0 ? token.code.length > 0 : returned >= 32 && word == 1;
    }
}
