// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITradingSession} from "../interfaces/ITradingSession.sol";

/// @notice All a session stores of one provider, in one slot:
///
///     255                            48 47          8 7      0
///     +--------------------------------+-------------+--------+
///     | commitment, 26 bytes of a hash | draw block  | flags  |
///     +--------------------------------+-------------+--------+
///
/// The commitment starts as the hash of the two roots; each later pledge (sample, one-time key, review) is folded in,
/// and whoever acts on it brings the pledge along. 208 bits leave 104 bits against collisions (docs/security.md says what
/// one would be worth, and to whom).
type Profile is uint256;

using ProfileLib for Profile global;

library ProfileLib {
    /// @dev a stranger, or a provider that was paid out
    Profile internal constant NONE = Profile.wrap(0);
    uint8 internal constant REGISTERED = 1;
    uint8 internal constant SAMPLED = 2;
    uint8 internal constant SUBMITTED = 4;
    /// @dev was a candidate
    uint8 internal constant TRIED = 8;
    /// @dev disclosed its samples for nothing and is owed the compensation
    uint8 internal constant COMPENSATED = 16;
    /// @dev lost the penalty
    uint8 internal constant PENALISED = 32;
    /// @dev lost the whole deposit
    uint8 internal constant SLASHED = 64;
    /// @dev delivered its key sealed, undisputed, and is owed the reward
    uint8 internal constant SOLD = 128;

    uint256 private constant COMMITMENT_MASK = ~uint256(type(uint48).max);

    function create(bytes26 roots) internal pure returns (Profile) {
        return Profile.wrap(uint256(bytes32(roots)) | REGISTERED);
    }

    function has(Profile self, uint8 flag) internal pure returns (bool) {
        return Profile.unwrap(self) & flag != 0;
    }

    function flags(Profile self) internal pure returns (uint8) {
        return uint8(Profile.unwrap(self));
    }

    function drawBlock(Profile self) internal pure returns (uint256) {
        return uint40(Profile.unwrap(self) >> 8);
    }

    function commitment(Profile self) internal pure returns (bytes26) {
        return bytes26(bytes32(Profile.unwrap(self)));
    }

    /// @dev Requirements: `offered` is the commitment (CommitmentMismatch).
    function requireCommitted(Profile self, bytes26 offered) internal pure {
        require(self.commitment() == offered, ITradingSession.CommitmentMismatch(self.commitment(), offered));
    }

    function with(Profile self, uint8 flag) internal pure returns (Profile) {
        return Profile.wrap(Profile.unwrap(self) | flag);
    }

    function withDrawBlock(Profile self, uint256 blockNumber) internal pure returns (Profile) {
        uint256 cleared = Profile.unwrap(self) & (COMMITMENT_MASK | type(uint8).max);
        return Profile.wrap(cleared | uint256(uint40(blockNumber)) << 8);
    }

    function withCommitment(Profile self, bytes26 value) internal pure returns (Profile) {
        return Profile.wrap(Profile.unwrap(self) & type(uint48).max | uint256(bytes32(value)));
    }
}
