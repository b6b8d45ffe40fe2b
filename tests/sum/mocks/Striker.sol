// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title An account that makes many calls in one transaction, all or none
contract Striker {
    receive() external payable {}

    function strike(address target, bytes[] calldata calls, uint256[] calldata values) external {
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool done, bytes memory answer) = target.call{value: values[i]}(calls[i]);
            if (done) continue;
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }
}
