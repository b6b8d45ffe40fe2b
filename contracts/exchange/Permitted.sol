// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Payment, Permit} from "./Payment.sol";

/// @title Signed allowances, and several calls in one transaction
/// @notice Where a token knows ERC-2612, a call that pays needs no approval before it: {multicall} of {permit} and that
/// call. {multicall} takes no coins, so none can pay twice; each call in it is the caller's own.
abstract contract Permitted is Multicall {
    /// @notice Uses the caller's signed allowance of `amount` to this contract.
    /// @dev A permit that fails is passed over: somebody may have sent it first, and the call that pays then tells.
    /// @param token an ERC-20 with ERC-2612
    function permit(address token, uint256 amount, Permit calldata signed) external {
        Payment.permit(token, amount, signed);
    }
}
