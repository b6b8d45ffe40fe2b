// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Settlement} from "../../contracts/exchange/Settlement.sol";
import {Delivery, ITradingSession, State, WrongDelivery} from "../../contracts/interfaces/ITradingSession.sol";
import {KeyDispute} from "../../contracts/exchange/KeyDispute.sol";
import {MerkleTree} from "../../contracts/exchange/MerkleTree.sol";
import {SessionChoices} from "./SessionChoices.sol";

/// @title The two calls of sealed settlement, rightly and wrongly made
abstract contract SessionDelivery is SessionChoices {
    /// @dev What the chosen provider delivered, and in what that is a lie.
    Delivery internal _delivered;
    Lie internal _deliveredLie;

    function deliverKey(uint256 seed) public {
        uint256 winner = candidate == NOBODY ? seed % PEOPLE : candidate;
        uint256 person = _mostly(winner, seed);
        Delivery memory delivery = _delivery(_party(winner), terms.shardCount, _said, terms.publishedAddresses);
        Lie lie = _spoilDelivery(delivery, seed);
        _requires(terms.settlement == Settlement.Sealed, ITradingSession.WrongSettlement.selector);
        _requiresState(state, State.Reviewed);
        _requiresBefore(deadline);
        _requires(person == candidate, ITradingSession.NotCandidate.selector);

        if (!_attempt(person, 0, abi.encodeCall(session.deliverKey, (delivery)))) return;
        _bookTurn(State.Delivered, true, person);
        (_delivered, _deliveredLie) = (delivery, lie);
        ++count[
            lie == Lie.None
                ? "right key delivered"
                : lie == Lie.Key ? "wrong session key delivered" : "session key without a point"
        ];
    }

    function proveWrongDelivery(uint256 seed) public {
        uint256 person = _mostly(COLLECTOR, seed);
        uint256 accused = candidate == NOBODY ? seed % PEOPLE : candidate;
        uint256 shard = derive(seed, "shard") % terms.shardCount;
        WrongDelivery memory evidence = _dispute(_party(accused), terms.shardCount, _said, _delivered, shard);
        _spoilDispute(evidence, derive(seed, "kind") % 40);
        _requires(_deliveredLie != Lie.None, ITradingSession.KeyIsRight.selector);
        _requiresCollector(person);
        _requiresState(state, State.Delivered);
        _requiresBefore(deadline);

        bool tried = state == State.Delivered && person == COLLECTOR && block.timestamp < deadline;
        if (!_attempt(person, 0, abi.encodeCall(session.proveWrongDelivery, (evidence)))) {
            if (tried && _deliveredLie == Lie.None) ++count["false dispute refused"];
            return;
        }
        ++count[_deliveredLie == Lie.Point ? "missing point of a delivery proved" : "wrong delivery proved"];
        _bookWrongDelivery();
    }

    /// @dev Leaves half of the deliveries honest, makes some a lie that shows only to the collector, and breaks one
    /// word of the others that the contract reads.
    function _spoilDelivery(Delivery memory delivery, uint256 seed) private returns (Lie) {
        uint256 kind = derive(seed, "spoil") % 16;
        if (kind < 4) {
            delivery.sealedKey ^= bytes32(uint256(1) << seed % 256);
            return Lie.Key;
        }
        if (kind < 7) {
            delivery.ephemeralX = seed % 2 == 0 ? 0 : 5;
            return Lie.Point;
        }
        if (kind == 7) {
            delivery.addresses = new bytes32[](delivery.addresses.length + 1);
            _requires(false, ITradingSession.WrongKeyCount.selector);
        }
        if (terms.publishedAddresses) return Lie.None;
        if (kind == 8) delivery.keyRoot ^= bytes32(uint256(1));
        if (kind == 9) delivery.sampleHash ^= bytes32(uint256(1));
        if (kind == 10) delivery.reviewHash ^= bytes32(uint256(1));
        if (kind == 11) delivery.addresses[seed % terms.shardCount] ^= bytes32(uint256(1));
        _requires(kind < 8 || kind > 11, ITradingSession.CommitmentMismatch.selector);
        return Lie.None;
    }

    /// @dev Breaks one word of the evidence, or none. Nothing but what was committed is needed where there is no point.
    function _spoilDispute(WrongDelivery memory evidence, uint256 kind) private {
        if (kind == 0) evidence.keyRoot ^= bytes32(uint256(1));
        if (kind == 1) evidence.addressRoot ^= bytes32(uint256(1));
        if (kind == 2) evidence.sampleHash ^= bytes32(uint256(1));
        if (kind == 3) evidence.reviewX ^= 1;
        if (kind == 4) evidence.reviewKeysHash ^= bytes32(uint256(1));
        if (kind == 5) evidence.ephemeralX ^= 1;
        if (kind == 6) evidence.sealedKey ^= bytes32(uint256(1));
        if (kind == 7) evidence.oneTimeKey ^= 1;
        _requires(kind > 7, ITradingSession.CommitmentMismatch.selector);
        if (kind == 13) evidence.oneTimeSecret = ORDER - evidence.oneTimeSecret;
        _requires(kind != 13, KeyDispute.NotTheSecret.selector);
        bool point = _deliveredLie != Lie.Point;
        if (kind == 8) evidence.sharedX ^= 1;
        _requires(kind != 8 || !point, KeyDispute.SharedPointMismatch.selector);
        if (kind == 9) evidence.shard += terms.shardCount;
        _requires(kind != 9 || !point, ITradingSession.ShardOutOfRange.selector);
        if (kind == 10) evidence.leaf ^= bytes32(uint256(1));
        _requires(kind != 10 || !point, ITradingSession.LeafNotInTree.selector);
        if (kind == 11) evidence.path = new bytes32[](evidence.path.length + 1);
        _requires(kind != 11 || !point, MerkleTree.ProofLength.selector);
        // The sign of y is open.
        if (kind == 12) evidence.sharedY = FIELD - evidence.sharedY;
    }
}
