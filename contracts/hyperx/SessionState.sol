// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Settlement} from "../exchange/Settlement.sol";
import {Bitmap} from "../exchange/Bitmap.sol";
import {Window} from "../exchange/Window.sol";
import {ITradingSession, Review, State} from "../interfaces/ITradingSession.sol";
import {PackedTerms, PackedTermsLib} from "./PackedTerms.sol";
import {Profile, ProfileLib} from "./Profile.sol";
import {Shards} from "./Shards.sol";

/// @title Where a session stands, what must hold before a step, and what a step leads to
/// @notice The rows of TradingSession's state table that calls share; the calls themselves are there.
abstract contract SessionState is ITradingSession {
    // The states are enums and the times are compared with < and >= alone.
    // slither-disable-start incorrect-equality

    /// @dev One slot: the state, whether the review was opened, the end of the running window, and whose turn it is.
    struct Status {
        State state;
        bool disclosed;
        uint40 deadline;
        address candidate;
    }

    /// @dev One slot, written only when something went wrong or the escrow was reclaimed.
    struct Ledger {
        uint128 forfeited;
        uint64 compensations;
        uint32 rubbish;
        bool reclaimed;
    }

    /// @dev Blocks, from the second after the request on, before another draw may be requested: as long as BLOCKHASH tells
    /// the hash that decides.
    uint256 private constant DRAW_WINDOW = 256;
    /// @dev Where EIP-2935 has its contract; nothing is there on a chain without it.
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    Status internal _status;
    Ledger internal _ledger;
    mapping(address provider => Profile) internal _profiles;
    /// @dev What the collector committed to for a draw that is not completed.
    mapping(address provider => bytes32) internal _draws;

    // ---------------------------------------------------------------- guards

    function _before(uint256 end) internal view {
        require(block.timestamp < end, TooLate(block.timestamp, end));
    }

    function _onlyCollector(PackedTerms memory t) internal view {
        require(msg.sender == t.collector(), NotCollector(msg.sender, t.collector()));
    }

    function _registered(address provider) internal view returns (Profile profile) {
        profile = _profiles[provider];
        require(profile.flags() != 0, NotProvider(provider));
    }

    /// @dev The status, when it is `state` and its window is open.
    function _running(State state) internal view returns (Status memory status_) {
        status_ = _status;
        require(status_.state == state, WrongState(status_.state, state));
        _before(status_.deadline);
    }

    /// @dev The status, when the collector, who calls, has to decide on the opened review of `provider`.
    function _deciding(PackedTerms memory t, address provider) internal view returns (Status memory status_) {
        _onlyCollector(t);
        status_ = _running(State.Reviewing);
        require(provider == status_.candidate, NotCandidate(provider, status_.candidate));
        require(status_.disclosed, ReviewMissing(provider));
    }

    function _under(PackedTerms memory t, Settlement needed) internal pure {
        require(t.settlement() == needed, WrongSettlement(t.settlement(), needed));
    }

    /// @dev The profile of the caller, when it is the chosen provider's turn to hand its dataset over.
    function _handingOver() internal view returns (Profile) {
        Status memory status_ = _running(State.Reviewed);
        require(msg.sender == status_.candidate, NotCandidate(msg.sender, status_.candidate));
        return _profiles[msg.sender];
    }

    /// @dev Where addresses are hidden all of them are needed, else none.
    function _countAddresses(PackedTerms memory t, uint256 given) internal pure {
        uint256 needed = t.publishedAddresses() ? 0 : t.shardCount();
        require(given == needed, WrongKeyCount(given, needed));
    }

    /// @dev Whoever is sampled before it has the shortest window to submit its features.
    function _samplingEnd(PackedTerms memory t) internal pure returns (uint256) {
        return t.submissionEnd() - Window.SHORTEST;
    }

    /// @dev The profile of `provider`, when the collector, who calls, may have it sampled.
    function _sampling(address provider) internal view returns (PackedTerms memory t, Profile profile) {
        t = PackedTermsLib.load();
        _onlyCollector(t);
        _before(_samplingEnd(t));
        profile = _registered(provider);
        require(!profile.has(ProfileLib.SAMPLED), AlreadySampled(provider));
        uint256 requested = profile.drawBlock();
        if (requested == 0) return (t, profile);
        uint256 last = requested + 1 + DRAW_WINDOW;
        require(block.number > last, DrawStillOpen(block.number, last));
    }

    /// @dev The shards that a review opens: the sample, and as many further ones, drawn by the one-time key, as the terms
    /// leave room for. The collector chose that key at random and showed it when it set the candidate, so nobody knew
    /// these shards when features were submitted. Requirements: a key for each, and an address where these are hidden.
    function _opened(PackedTerms memory t, Review calldata review) internal view returns (uint256[] memory opened) {
        uint256 size = Bitmap.size(review.bitmap, t.shardCount());
        uint256 limit = t.sampleLimit();
        opened = review.bitmap;
        // More than the limit is no sample, and will not be the committed one.
        if (size < limit) {
            bytes32 seed = Shards.furtherSeed(msg.sender, review.oneTimeKey);
            Bitmap.drawFurther(seed, opened, t.shardCount(), limit - size);
            size = limit;
        }
        require(review.sealedKeys.length == size, WrongKeyCount(review.sealedKeys.length, size));
        uint256 addresses = t.publishedAddresses() ? 0 : size;
        require(review.addresses.length == addresses, WrongKeyCount(review.addresses.length, addresses));
    }

    /// @dev The root of the address tree, which the proof yields where addresses are hidden.
    function _addressRoot(PackedTerms memory t, Review calldata review, uint256[] memory opened)
        internal
        view
        returns (bytes32)
    {
        if (t.publishedAddresses()) return review.addressRoot;
        return Shards.multiproofRoot(msg.sender, t.shardCount(), opened, review.addresses, review.proof);
    }

    /// @dev The hash of an earlier block. Requirements: the chain still tells it (NoBlockHash).
    function _blockHash(uint256 number) internal view returns (bytes32 hash) {
        hash = blockhash(number);
        if (hash == 0) {
            (bool told, bytes memory answer) = HISTORY.staticcall(abi.encode(number));
            if (told && answer.length == 32) hash = bytes32(answer);
        }
        require(hash != 0, NoBlockHash(number));
    }

    // ---------------------------------------------------------------- transitions

    function _setSample(address provider, Profile profile, bytes32 sampleHash) internal {
        _profiles[provider] = profile.with(ProfileLib.SAMPLED).withDrawBlock(0)
            .withCommitment(Shards.fold(profile.commitment(), sampleHash));
    }

    function _begin(PackedTerms memory t, State state, bool disclosed, address candidate)
        internal
        returns (uint256 deadline)
    {
        deadline = block.timestamp + t.responseTime();
        _status = Status(state, disclosed, uint40(deadline), candidate);
    }

    /// @dev Applies the consequence of a lapsed window, if any, and returns the status after it.
    function _settle(PackedTerms memory t) internal returns (Status memory status_) {
        status_ = _status;
        if (status_.candidate == address(0) || status_.state == State.Closed || block.timestamp < status_.deadline) {
            return status_;
        }
        if (status_.state == State.Reviewed) {
            _slash(status_.candidate, ProfileLib.SLASHED, t.deposit());
            emit OptimalSilent(status_.candidate, t.deposit());
            _close(status_);
        } else if (status_.state == State.Delivered) {
            _profiles[status_.candidate] = _profiles[status_.candidate].with(ProfileLib.SOLD);
            emit DeliveryUndisputed(status_.candidate, t.reward());
            (status_.state, status_.disclosed, status_.deadline) = (State.Closed, false, 0);
            emit SessionClosed(true);
        } else if (status_.disclosed) {
            status_ = _compensate(t, status_, false);
        } else {
            _slash(status_.candidate, ProfileLib.PENALISED, t.penalty());
            emit CandidateSilent(status_.candidate, t.penalty());
            _reopen(status_);
        }
        _status = status_;
    }

    /// @dev The candidate is owed for what it disclosed; another review may follow while the terms allow.
    function _compensate(PackedTerms memory t, Status memory status_, bool byCollector)
        internal
        returns (Status memory)
    {
        _profiles[status_.candidate] = _profiles[status_.candidate].with(ProfileLib.COMPENSATED);
        emit ReviewRefused(status_.candidate, t.compensation(), byCollector);
        ++_ledger.compensations;
        _reviewedInVain(t, status_);
        return status_;
    }

    /// @dev Both lose the same. It stays in the session for ever, where nobody is owed it: no payment that could fail.
    function _burn(PackedTerms memory t, Status memory status_) internal {
        _profiles[status_.candidate] = _profiles[status_.candidate].with(ProfileLib.RUBBISH);
        emit RubbishDeclared(status_.candidate, t.burn());
        ++_ledger.rubbish;
        _reviewedInVain(t, status_);
    }

    /// @dev Another review may follow while the terms allow.
    function _reviewedInVain(PackedTerms memory t, Status memory status_) private {
        Ledger memory ledger = _ledger;
        if (uint256(ledger.compensations) + ledger.rubbish > t.furtherReviews()) _close(status_);
        else _reopen(status_);
    }

    function _slash(address provider, uint8 flag, uint256 amount) internal {
        _profiles[provider] = _profiles[provider].with(flag);
        _ledger.forfeited += uint128(amount);
    }

    function _reopen(Status memory status_) internal pure {
        (status_.state, status_.disclosed, status_.deadline, status_.candidate) = (State.Pending, false, 0, address(0));
    }

    function _close(Status memory status_) internal {
        (status_.state, status_.disclosed, status_.deadline, status_.candidate) = (State.Closed, false, 0, address(0));
        emit SessionClosed(false);
    }

    /// @dev The status, when the session is over for those who were not chosen.
    function _ended(PackedTerms memory t) internal returns (Status memory status_) {
        status_ = _settle(t);
        require(status_.state == State.Closed || block.timestamp >= t.expiry(), NotEnded(block.timestamp, t.expiry()));
    }

    function _owed(PackedTerms memory t, Profile profile) internal pure returns (uint256 amount) {
        if (profile.has(ProfileLib.SLASHED)) return 0;
        amount = t.deposit();
        if (profile.flags() & ProfileLib.RUBBISH == ProfileLib.RUBBISH) return amount - t.burn();
        if (profile.has(ProfileLib.PENALISED)) amount -= t.penalty();
        if (profile.has(ProfileLib.COMPENSATED)) amount += t.compensation();
        if (profile.has(ProfileLib.SOLD)) amount += t.reward();
    }

    function _owedToCollector(PackedTerms memory t, Status memory status_, Ledger memory ledger)
        internal
        pure
        returns (uint256)
    {
        if (ledger.reclaimed) return 0;
        bool deal = status_.state == State.Closed && status_.candidate != address(0);
        uint256 spent = ledger.compensations * t.compensation() + ledger.rubbish * t.burn();
        return t.escrow() + ledger.forfeited - spent - (deal ? t.reward() : 0);
    }
    // slither-disable-end incorrect-equality
}
