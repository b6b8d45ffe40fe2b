// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title Money in and out, in the native coin (token zero) or in one ERC-20
library Payment {
    using SafeERC20 for IERC20;

    error WrongPayment(uint256 paid, uint256 due);
    error TokenTakesFee(uint256 received, uint256 due);

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
    function pay(address token, address to, uint256 amount) internal {
        if (token == address(0)) {
            Address.sendValue(payable(to), amount);
        } else {
            IERC20(token).safeTransfer(to, amount);
        }
    }
}
