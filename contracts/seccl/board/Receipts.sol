// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PostKey, Receipt} from "../../interfaces/IBulletinBoard.sol";

/// @title What a server signs: receipts as EIP-712 has them
library Receipts {
    // EIP-712 wants it whole, and it is hashed by the compiler.
    // solhint-disable gas-small-strings
    bytes32 private constant RECEIPT_TYPE =
        keccak256("Receipt(bytes32 session,uint256 round,uint8 kind,uint256 author,bytes32 message,uint256 deadline)");
    // solhint-enable gas-small-strings

    function structHash(Receipt calldata receipt) internal pure returns (bytes32) {
        // A key has no dynamic part, so its four words stand in line with the others.
        return keccak256(abi.encode(RECEIPT_TYPE, receipt.key, receipt.message, receipt.deadline));
    }

    /// @notice Whether two keys name one place.
    function same(PostKey calldata one, PostKey calldata other) internal pure returns (bool) {
        return one.session == other.session && one.round == other.round && one.kind == other.kind
            && one.author == other.author;
    }
}
