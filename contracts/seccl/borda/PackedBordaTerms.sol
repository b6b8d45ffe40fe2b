// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BordaTerms} from "../../interfaces/IBordaConsensus.sol";

/// @notice The terms as they lie behind a clone's code: three words, then the members, 20 bytes each.
///
///     rules    owner 160 | member count 16 | winners 16 | quorum 16 | lane bits 8 | start 40
///     times    ballot time 32 | reveal time 32 | period 32 | rounds 16 | creation block 64
///     context
struct PackedBordaTerms {
    uint256 rules;
    uint256 times;
    bytes32 context;
}

using PackedBordaTermsLib for PackedBordaTerms global;

library PackedBordaTermsLib {
    /// @dev What Clones.cloneWithImmutableArgs puts before the arguments (ERC-1167).
    uint256 private constant CLONE_BYTES = 45;
    uint256 private constant TERMS_BYTES = 96;
    uint256 private constant MEMBER_BYTES = 20;

    function pack(BordaTerms memory t, address[] calldata members, uint256 laneBits_)
        internal
        view
        returns (bytes memory packed)
    {
        uint256 size = TERMS_BYTES + MEMBER_BYTES * members.length;
        // Room for the last member to be written as a whole word.
        packed = new bytes(size + 32 - MEMBER_BYTES);
        uint256 rules = uint256(uint160(t.owner)) << 96 | members.length << 80 | uint256(t.winners) << 64
            | uint256(t.quorum) << 48 | laneBits_ << 40 | t.start;
        uint256 times = uint256(t.ballotTime) << 224 | uint256(t.revealTime) << 192 | uint256(t.period) << 160
            | uint256(t.rounds) << 64 | uint64(block.number);
        bytes32 context = t.context;
        assembly ("memory-safe") {
            mstore(packed, size)
            let target := add(packed, 0x20)
            mstore(target, rules)
            mstore(add(target, 0x20), times)
            mstore(add(target, 0x40), context)
            target := add(target, TERMS_BYTES)
            // Each word written ends in 12 bytes that the next member overwrites.
            for { let i := 0 } lt(i, members.length) { i := add(i, 1) } {
                mstore(target, shl(96, calldataload(add(members.offset, mul(i, 0x20)))))
                target := add(target, MEMBER_BYTES)
            }
        }
    }

    /// @notice The terms behind the running clone's code.
    function load() internal view returns (PackedBordaTerms memory t) {
        assembly ("memory-safe") {
            extcodecopy(address(), t, CLONE_BYTES, TERMS_BYTES)
        }
    }

    /// @notice The account of member `index`, which is below the number of members.
    function member(uint256 index) internal view returns (address account) {
        assembly ("memory-safe") {
            mstore(0, 0)
            extcodecopy(address(), 12, add(add(CLONE_BYTES, TERMS_BYTES), mul(MEMBER_BYTES, index)), MEMBER_BYTES)
            account := mload(0)
        }
    }

    function unpack(PackedBordaTerms memory self) internal pure returns (BordaTerms memory) {
        return BordaTerms({
            owner: self.owner(),
            context: self.context,
            winners: uint16(self.winners()),
            quorum: uint16(self.quorum()),
            rounds: uint16(self.rounds()),
            start: uint40(self.rules),
            period: uint32(self.period()),
            ballotTime: uint32(self.times >> 224),
            revealTime: uint32(self.revealTime())
        });
    }

    function owner(PackedBordaTerms memory self) internal pure returns (address) {
        return address(uint160(self.rules >> 96));
    }

    function memberCount(PackedBordaTerms memory self) internal pure returns (uint256) {
        return uint16(self.rules >> 80);
    }

    function winners(PackedBordaTerms memory self) internal pure returns (uint256) {
        return uint16(self.rules >> 64);
    }

    function quorum(PackedBordaTerms memory self) internal pure returns (uint256) {
        return uint16(self.rules >> 48);
    }

    function laneBits(PackedBordaTerms memory self) internal pure returns (uint256) {
        return uint8(self.rules >> 40);
    }

    /// @notice When a round's ballots open.
    function opening(PackedBordaTerms memory self, uint256 round) internal pure returns (uint256) {
        return uint40(self.rules) + round * self.period();
    }

    /// @notice When a round's ballots, or commitments to them, end and openings begin.
    function ballotEnd(PackedBordaTerms memory self, uint256 round) internal pure returns (uint256) {
        return self.opening(round) + (self.times >> 224);
    }

    /// @notice When a round's openings end; with open ballots they end as they begin.
    function revealEnd(PackedBordaTerms memory self, uint256 round) internal pure returns (uint256) {
        return self.ballotEnd(round) + self.revealTime();
    }

    function revealTime(PackedBordaTerms memory self) internal pure returns (uint256) {
        return uint32(self.times >> 192);
    }

    function period(PackedBordaTerms memory self) internal pure returns (uint256) {
        return uint32(self.times >> 160);
    }

    function rounds(PackedBordaTerms memory self) internal pure returns (uint256) {
        return uint16(self.times >> 64);
    }

    function createdIn(PackedBordaTerms memory self) internal pure returns (uint256) {
        return uint64(self.times);
    }
}
