// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ChunkedFile} from "./ChunkedFile.sol";
import {SealedKey} from "./SealedKey.sol";

/// @notice What shows which key was sealed.
/// @param oneTimeSecret private key of the one-time key to which it was sealed, the one whose y is even
/// @param ephemeralX x-coordinate of the seller's point, as delivered
/// @param sealedKey the key xor-ed with its pad, as delivered
/// @param sharedX x of the product oneTimeSecret * ephemeral point; ignored if there is no such point
/// @param sharedY either y of that x; the sign does not matter
struct KeyEvidence {
    uint256 oneTimeSecret;
    uint256 ephemeralX;
    bytes32 sealedKey;
    uint256 sharedX;
    uint256 sharedY;
}

/// @title Whether a key that was sealed to a one-time key is the committed one
library KeyDispute {
    error NotTheSecret(uint256 oneTimeKey);
    error SharedPointMismatch(address expected, uint256 offeredX);
    error KeyIsRight(bytes32 keyHash);

    /// @notice Passes only if the sealed key does not open `keyHash`.
    /// @dev Requirements: the secret is that of the one-time key (NotTheSecret); (sharedX, sharedY) is the product of
    /// secret and ephemeral point (SharedPointMismatch); the key is wrong (KeyIsRight). What was delivered must have been
    /// compared with the evidence before.
    /// @param domain of the file whose key it is, ChunkedFile.domain
    /// @param oneTimeKey x of the one-time key; its y is even
    /// @param index what the pad is bound to, SealedKey.pad
    function requireWrong(
        bytes32 domain,
        bytes32 keyHash,
        uint256 oneTimeKey,
        uint256 index,
        KeyEvidence calldata evidence
    ) internal pure {
        bool shared = sharesPoint(
            oneTimeKey, evidence.oneTimeSecret, evidence.ephemeralX, evidence.sharedX, evidence.sharedY
        );
        if (!shared) return;
        bytes32 key = evidence.sealedKey ^ SealedKey.pad(evidence.sharedX, index);
        require(ChunkedFile.keyHash(domain, key) != keyHash, KeyIsRight(keyHash));
    }

    /// @notice Whether there is a product of the one-time secret and the sender's point. If not, the sender named no point
    /// of the curve, so it sealed nothing that could be opened.
    /// @dev Requirements: the secret is that of the one-time key (NotTheSecret); (sharedX, sharedY) is the product, if there
    /// is one (SharedPointMismatch).
    /// @param oneTimeKey x of the one-time key; its y is even
    /// @param ephemeralX x-coordinate of the sender's point, whose y is even
    /// @param sharedY either y of `sharedX`; the sign does not matter
    function sharesPoint(
        uint256 oneTimeKey,
        uint256 oneTimeSecret,
        uint256 ephemeralX,
        uint256 sharedX,
        uint256 sharedY
    ) internal pure returns (bool) {
        require(SealedKey.isSecretOf(oneTimeSecret, oneTimeKey), NotTheSecret(oneTimeKey));
        address product = SealedKey.productAccount(oneTimeSecret, ephemeralX);
        if (product == address(0)) return false;
        require(SealedKey.isAccountOf(product, sharedX, sharedY), SharedPointMismatch(product, sharedX));
        return true;
    }
}
