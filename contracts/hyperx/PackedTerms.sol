// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Settlement} from "../exchange/Settlement.sol";
import {TradingTerms} from "../interfaces/ITradingSession.sol";

/// @notice The terms as they lie behind a clone's code, five words:
///
///     buyer    collector 160 | reward 96
///     money    token 160 | deposit 96
///     rules    sampleBps 16 | penaltyBps 16 | shardCount 16 | shardSize 32 | furtherReviews 8 | published 1 | settlement 7
///              | registrationEnd 40 | submissionEnd 40 | expiry 40 | responseTime 40
///     task, encryptionKey
struct PackedTerms {
    uint256 buyer;
    uint256 money;
    uint256 rules;
    bytes32 task;
    bytes32 encryptionKey;
}

using PackedTermsLib for PackedTerms global;

library PackedTermsLib {
    uint256 internal constant BPS = 10_000;
    /// @dev What Clones.cloneWithImmutableArgs puts before the arguments (ERC-1167).
    uint256 private constant CLONE_BYTES = 45;
    uint256 private constant TERMS_BYTES = 160;

    function pack(TradingTerms memory t) internal pure returns (bytes memory) {
        return abi.encode(
            uint256(uint160(t.collector)) << 96 | t.reward,
            uint256(uint160(t.token)) << 96 | t.deposit,
            uint256(t.sampleBps) << 240 | uint256(t.penaltyBps) << 224 | uint256(t.shardCount) << 208
                | uint256(t.shardSize) << 176 | uint256(t.furtherReviews) << 168
                | (t.publishedAddresses ? uint256(1) << 167 : 0) | uint256(uint8(t.settlement)) << 160
                | uint256(t.registrationEnd) << 120 | uint256(t.submissionEnd) << 80 | uint256(t.expiry) << 40
                | t.responseTime,
            t.task,
            t.encryptionKey
        );
    }

    /// @notice The terms behind the running clone's code.
    /// @dev Clones.fetchCloneArgs does the same and allocates twice, for some 500 gas in every call of a session.
    function load() internal view returns (PackedTerms memory t) {
        assembly ("memory-safe") {
            extcodecopy(address(), t, CLONE_BYTES, TERMS_BYTES)
        }
    }

    function unpack(PackedTerms memory self) internal pure returns (TradingTerms memory) {
        return TradingTerms({
            collector: self.collector(),
            token: self.token(),
            reward: uint96(self.reward()),
            deposit: uint96(self.deposit()),
            sampleBps: uint16(self.rules >> 240),
            penaltyBps: uint16(self.rules >> 224),
            shardCount: uint16(self.shardCount()),
            shardSize: uint32(self.rules >> 176),
            furtherReviews: uint8(self.rules >> 168),
            publishedAddresses: self.publishedAddresses(),
            settlement: self.settlement(),
            registrationEnd: uint40(self.registrationEnd()),
            submissionEnd: uint40(self.submissionEnd()),
            expiry: uint40(self.expiry()),
            responseTime: uint32(self.responseTime()),
            task: self.task,
            encryptionKey: self.encryptionKey
        });
    }

    function collector(PackedTerms memory self) internal pure returns (address) {
        return address(uint160(self.buyer >> 96));
    }

    function reward(PackedTerms memory self) internal pure returns (uint256) {
        return uint96(self.buyer);
    }

    function token(PackedTerms memory self) internal pure returns (address) {
        return address(uint160(self.money >> 96));
    }

    function deposit(PackedTerms memory self) internal pure returns (uint256) {
        return uint96(self.money);
    }

    function shardCount(PackedTerms memory self) internal pure returns (uint256) {
        return uint16(self.rules >> 208);
    }

    function furtherReviews(PackedTerms memory self) internal pure returns (uint256) {
        return uint8(self.rules >> 168);
    }

    function publishedAddresses(PackedTerms memory self) internal pure returns (bool) {
        return self.rules >> 167 & 1 == 1;
    }

    function settlement(PackedTerms memory self) internal pure returns (Settlement) {
        return Settlement(uint8(self.rules >> 160) & 0x7f);
    }

    function registrationEnd(PackedTerms memory self) internal pure returns (uint256) {
        return uint40(self.rules >> 120);
    }

    function submissionEnd(PackedTerms memory self) internal pure returns (uint256) {
        return uint40(self.rules >> 80);
    }

    function expiry(PackedTerms memory self) internal pure returns (uint256) {
        return uint40(self.rules >> 40);
    }

    function responseTime(PackedTerms memory self) internal pure returns (uint256) {
        return uint40(self.rules);
    }

    /// @notice How many windows follow one another once a candidate is set: review, decision, claim; or review, decision,
    /// delivery, dispute.
    function windows(Settlement settlement_) internal pure returns (uint256) {
        return settlement_ == Settlement.Sealed ? 4 : 3;
    }

    /// @notice When the last candidate must be set, so that all windows end by the expiry.
    function selectionEnd(PackedTerms memory self) internal pure returns (uint256) {
        return self.expiry() - windows(self.settlement()) * self.responseTime();
    }

    /// @notice The largest number of shards that may be sampled from one provider, rounded down.
    function sampleLimit(PackedTerms memory self) internal pure returns (uint256) {
        return self.shardCount() * uint16(self.rules >> 240) / BPS;
    }

    /// @notice What a candidate gets for samples it disclosed in vain: sampleBps of the reward, rounded down.
    function compensation(PackedTerms memory self) internal pure returns (uint256) {
        return self.reward() * uint16(self.rules >> 240) / BPS;
    }

    /// @notice What a candidate loses that discloses nothing: penaltyBps of the deposit, rounded down.
    function penalty(PackedTerms memory self) internal pure returns (uint256) {
        return self.deposit() * uint16(self.rules >> 224) / BPS;
    }

    /// @notice What collector and candidate lose each where a review is declared rubbish: the compensation, and as much
    /// again. The factory sees to it that deposit and reward cover it.
    function burn(PackedTerms memory self) internal pure returns (uint256) {
        return 2 * self.compensation();
    }

    /// @notice What the collector pays in: the reward, and what it may destroy for every review that another may follow.
    /// What it destroys for the last one comes out of the reward.
    function escrow(PackedTerms memory self) internal pure returns (uint256) {
        return self.reward() + self.furtherReviews() * self.burn();
    }
}
