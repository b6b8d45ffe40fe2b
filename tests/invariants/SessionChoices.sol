// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITradingSession, Review, WrongKey} from "../../contracts/interfaces/ITradingSession.sol";
import {KeyDispute} from "../../contracts/exchange/KeyDispute.sol";
import {MerkleTree} from "../../contracts/exchange/MerkleTree.sol";
import {PlainShards} from "./PlainShards.sol";
import {SessionPlay} from "./SessionPlay.sol";

/// @title Who acts, and what is wrong with what is said
abstract contract SessionChoices is SessionPlay {
    enum Lie {
        None,
        Key,
        Point
    }

    /// @dev What the current candidate said in its review, and which key of it is a lie.
    Review internal _said;
    Lie internal _lie;
    uint256 internal _lieIndex;

    /// @dev `wanted`, or once in eight anybody.
    function _mostly(uint256 wanted, uint256 seed) internal pure returns (uint256) {
        return derive(seed, "person") % 8 == 0 ? seed % PEOPLE : wanted;
    }

    /// @dev Somebody who has come exactly as far as the next step needs, if there is one; once in eight anybody.
    function _pick(uint256 seed, bool registered, bool sampled, bool submitted) internal view returns (uint256) {
        uint256 first = derive(seed, "pick") % PEOPLE;
        if (derive(seed, "any") % 8 == 0) return first;
        for (uint256 i = 0; i < PEOPLE; ++i) {
            uint256 person = (first + i) % PEOPLE;
            if (_fits(person, registered, sampled, submitted)) return person;
        }
        return first;
    }

    function _fits(uint256 person, bool registered, bool sampled, bool submitted) internal view returns (bool) {
        bool waits = seats[person].drawBlock != 0 && block.number <= seats[person].drawBlock + 257;
        return seats[person].registered == registered && seats[person].sampled == sampled
            && seats[person].submitted == submitted && seats[person].turns == 0 && !waits;
    }

    /// @dev Who decides on whom, and what that requires.
    function _decide(uint256 seed) internal returns (uint256 person, uint256 provider) {
        person = _mostly(COLLECTOR, seed);
        provider = candidate == NOBODY || seed % 8 == 0 ? derive(seed, "provider") % PEOPLE : candidate;
        _requiresDecision(person);
        _requires(provider == candidate, ITradingSession.NotCandidate.selector);
    }

    function _bookSample(uint256 provider, uint256 bitmap) internal {
        (seats[provider].sampled, seats[provider].bitmap, seats[provider].drawBlock) = (true, bitmap, 0);
    }

    /// @dev Leaves half of the reviews honest, makes some lie about a key, and breaks one word of the others.
    function _spoilReview(Review memory review, uint256 seed) internal returns (Lie lie, uint256 index) {
        uint256 kind = derive(seed, "spoil") % 16;
        uint256 keys = review.sealedKeys.length;
        if (kind < 2 && keys > 0) {
            index = derive(seed, "index") % keys;
            review.sealedKeys[index] ^= bytes32(uint256(1) << seed % 256);
            return (Lie.Key, index);
        }
        if (kind == 2) {
            review.ephemeralX = seed % 2 == 0 ? 0 : 5;
            return (Lie.Point, 0);
        }
        bytes4 mismatch = ITradingSession.CommitmentMismatch.selector;
        if (kind == 3) review.keyRoot ^= bytes32(uint256(1));
        if (kind == 4) {
            // It draws other shards, whose proof may have another length.
            review.oneTimeKey ^= 1;
            _requires(terms.publishedAddresses, MerkleTree.ProofLength.selector);
        }
        if (kind == 5) review.bitmap[0] = PlainShards.draw(bytes32(seed), terms.shardCount, keys)[0];
        bool same = kind == 5 && review.bitmap[0] == seats[candidate == NOBODY ? 0 : candidate].bitmap;
        if (kind == 5 && !same) _requires(terms.publishedAddresses, MerkleTree.ProofLength.selector);
        if (kind == 6) {
            if (terms.publishedAddresses) review.addressRoot ^= bytes32(uint256(1));
            else if (keys > 0) review.addresses[seed % keys] ^= bytes32(uint256(1));
        }
        _requires(kind < 3 || kind > 6 || same, mismatch);
        if (kind == 7) review.sealedKeys = new bytes32[](keys + 1);
        if (kind == 8) review.addresses = new bytes32[](review.addresses.length + 1);
        _requires(kind < 7 || kind > 8, ITradingSession.WrongKeyCount.selector);
        if (kind == 9 && !terms.publishedAddresses) {
            review.proof = new bytes32[](review.proof.length + 1);
            _requires(false, MerkleTree.ProofLength.selector);
        }
    }

    /// @dev Breaks one word of the evidence, or none. Nothing but the review itself is needed where it named no point.
    function _spoilEvidence(WrongKey memory evidence, uint256 kind) internal {
        bytes4 mismatch = ITradingSession.CommitmentMismatch.selector;
        if (kind == 0) evidence.keyRoot ^= bytes32(uint256(1));
        if (kind == 1) evidence.addressRoot ^= bytes32(uint256(1));
        if (kind == 2) evidence.oneTimeKey ^= 1;
        if (kind == 3) evidence.ephemeralX ^= 1;
        _requires(kind > 3, mismatch);
        if (kind == 9) evidence.oneTimeSecret = ORDER - evidence.oneTimeSecret;
        _requires(kind != 9, KeyDispute.NotTheSecret.selector);
        bool point = _lie != Lie.Point;
        if (kind == 4) evidence.sharedX ^= 1;
        _requires(kind != 4 || !point, KeyDispute.SharedPointMismatch.selector);
        if (kind == 5) {
            evidence.shard = terms.shardCount;
            _requires(!point, ITradingSession.ShardNotSampled.selector);
        }
        if (kind == 6) evidence.leaf ^= bytes32(uint256(1));
        if (kind == 6) _requires(!point, ITradingSession.LeafNotInTree.selector);
        if (kind == 7) {
            evidence.path = new bytes32[](evidence.path.length + 1);
            _requires(!point, MerkleTree.ProofLength.selector);
        }
        // The sign of y is open.
        if (kind == 8) evidence.sharedY = FIELD - evidence.sharedY;
    }
}
