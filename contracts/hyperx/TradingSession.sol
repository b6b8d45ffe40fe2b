// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ITradingSession, Review, State, Terms, WrongKey} from "../interfaces/ITradingSession.sol";
import {Payment} from "../exchange/Payment.sol";
import {SealedKey} from "../exchange/SealedKey.sol";
import {PackedTerms, PackedTermsLib} from "./PackedTerms.sol";
import {Profile, ProfileLib} from "./Profile.sol";
import {SampleSet} from "./SampleSet.sol";
import {Shards} from "./Shards.sol";

/// @title One HyperX trading session
/// @notice State by state, who may do what, and where it leads. Windows are half-open, [start, end).
///
/// | state     | call          | by        | window                          | leads to                                  |
/// | --------- | ------------- | --------- | ------------------------------- | ----------------------------------------- |
/// | Pending   | register      | anyone    | [creation, registrationEnd)     | Pending                                   |
/// | Pending   | sampleData    | collector | [creation, submissionEnd)       | Pending                                   |
/// | Pending   | drawSample    | anyone    | [creation, submissionEnd)       | Pending                                   |
/// | Pending   | submitFeatures| provider  | [creation, submissionEnd)       | Pending                                   |
/// | Pending   | setCandidate  | collector | [submissionEnd, selectionEnd)   | Reviewing, deadline = now + responseTime  |
/// | Pending   | close         | collector | [submissionEnd, for ever)       | Closed, no deal                           |
/// | Reviewing | submitReview  | candidate | until the deadline              | Reviewing (disclosed), deadline renewed   |
/// | Reviewing | settle        | anyone    | from the deadline, undisclosed  | Pending, candidate pays the penalty       |
/// | disclosed | setOptimal    | collector | until the deadline              | Reviewed, deadline renewed                |
/// | disclosed | refuseReview  | collector | until the deadline              | Pending or Closed, candidate compensated  |
/// | disclosed | proveWrongKey | collector | until the deadline              | Pending, candidate loses its deposit      |
/// | disclosed | settle        | anyone    | from the deadline               | Pending or Closed, candidate compensated  |
/// | Reviewed  | claimReward   | candidate | until the deadline              | Closed, data against reward               |
/// | Reviewed  | settle        | anyone    | from the deadline               | Closed, candidate loses its deposit       |
/// | Closed or | claimDeposit  | provider  | for ever                        | unchanged, provider paid out              |
/// | expired   | reclaimEscrow | collector | for ever                        | unchanged, collector paid out             |
///
/// selectionEnd = expiry - 3 * responseTime, so review, decision and claim all end by the expiry. Before submissionEnd
/// every session is pending, so the calls of that time need not look. Calls that depend on a lapsed window settle it
/// first; nobody waits on anybody's courtesy.
///
/// The seam for sealed settlement is claimReward: there the key would be posted sealed to a one-time key, as in
/// submitReview, and a disputed window would precede the payment.
contract TradingSession is ITradingSession, ReentrancyGuardTransient {
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
        bool reclaimed;
    }

    /// @dev Blocks in which the hash that decides a random sample can be read, from the second after the request on.
    uint256 private constant DRAW_WINDOW = 256;

    Status private _status;
    Ledger private _ledger;
    mapping(address provider => Profile) private _profiles;

    // ---------------------------------------------------------------- commitment and evaluation

    /// @inheritdoc ITradingSession
    function register(bytes32 keyRoot, bytes32 addressRoot, bytes32 manifest) external payable nonReentrant {
        PackedTerms memory t = PackedTermsLib.load();
        _before(t.registrationEnd());
        require(_profiles[msg.sender].flags() == 0, AlreadyRegistered(msg.sender));

        _profiles[msg.sender] = ProfileLib.create(Shards.rootsHash(keyRoot, addressRoot));
        emit Registered(msg.sender, keyRoot, addressRoot, manifest);
        Payment.collect(t.token(), address(this), t.deposit());
    }

    /// @inheritdoc ITradingSession
    function sampleData(address provider, uint256[] calldata bitmap) external {
        PackedTerms memory t = PackedTermsLib.load();
        _onlyCollector(t);
        _before(t.submissionEnd());
        Profile profile = _registered(provider);
        require(!profile.has(ProfileLib.SAMPLED), AlreadySampled(provider));
        uint256 requested = profile.drawBlock();
        if (requested != 0) {
            uint256 last = requested + 1 + DRAW_WINDOW;
            require(block.number > last, DrawStillOpen(block.number, last));
        }

        if (bitmap.length == 0) {
            _profiles[provider] = profile.withDrawBlock(block.number);
            emit SampleRequested(provider, block.number);
            return;
        }
        uint256 sampled = SampleSet.size(bitmap, t.shardCount());
        uint256 limit = t.sampleLimit();
        require(sampled > 0 && sampled <= limit, SampleSizeOutOfRange(sampled, limit));
        _setSample(provider, profile, SampleSet.hash(bitmap));
        emit Sampled(provider, bitmap);
    }

    /// @inheritdoc ITradingSession
    function drawSample(address provider) external {
        PackedTerms memory t = PackedTermsLib.load();
        _before(t.submissionEnd());
        Profile profile = _profiles[provider];
        uint256 requested = profile.drawBlock();
        require(requested != 0, DrawNotRequested(provider));
        require(block.number >= requested + 2, DrawTooEarly(block.number, requested + 2));
        uint256 last = requested + 1 + DRAW_WINDOW;
        require(block.number <= last, DrawTooLate(block.number, last));

        bytes32 seed = keccak256(abi.encode(blockhash(requested + 1), address(this), provider));
        uint256[] memory bitmap = SampleSet.draw(seed, t.shardCount(), t.sampleLimit());
        _setSample(provider, profile, keccak256(abi.encodePacked(bitmap)));
        emit Sampled(provider, bitmap);
    }

    /// @inheritdoc ITradingSession
    function submitFeatures(bytes32 features) external {
        _before(PackedTermsLib.load().submissionEnd());
        Profile profile = _registered(msg.sender);
        require(profile.has(ProfileLib.SAMPLED), NotSampled(msg.sender));
        require(!profile.has(ProfileLib.SUBMITTED), FeaturesAlreadySubmitted(msg.sender));

        _profiles[msg.sender] = profile.with(ProfileLib.SUBMITTED);
        emit FeaturesSubmitted(msg.sender, features);
    }

    // ---------------------------------------------------------------- closure

    /// @inheritdoc ITradingSession
    function setCandidate(address provider, uint256 keyX, uint256 keyY) external {
        PackedTerms memory t = PackedTermsLib.load();
        _onlyCollector(t);
        require(block.timestamp >= t.submissionEnd(), TooEarly(block.timestamp, t.submissionEnd()));
        _before(t.selectionEnd());
        Status memory status_ = _settle(t);
        require(status_.state == State.Pending, WrongState(status_.state, State.Pending));
        Profile profile = _registered(provider);
        require(profile.has(ProfileLib.SUBMITTED), FeaturesMissing(provider));
        require(!profile.has(ProfileLib.TRIED), CandidateTwice(provider));
        require(SealedKey.isOnCurve(keyX, keyY), KeyNotOnCurve(keyX, keyY));

        bytes32 pledge = bytes32(uint256(uint160(SealedKey.account(keyX, keyY))));
        _profiles[provider] = profile.with(ProfileLib.TRIED).withCommitment(Shards.fold(profile.commitment(), pledge));
        uint256 deadline = _begin(t, State.Reviewing, false, provider);
        emit CandidateSet(provider, keyX, keyY, deadline);
    }

    /// @inheritdoc ITradingSession
    function submitReview(Review calldata review) external {
        PackedTerms memory t = PackedTermsLib.load();
        Status memory status_ = _running(State.Reviewing);
        require(msg.sender == status_.candidate, NotCandidate(msg.sender, status_.candidate));
        require(!status_.disclosed, ReviewAlreadySubmitted(msg.sender));
        uint256 sampled = SampleSet.size(review.bitmap, t.shardCount());
        require(review.sealedKeys.length == sampled, WrongKeyCount(review.sealedKeys.length, sampled));
        uint256 addresses = t.publishedAddresses() ? 0 : sampled;
        require(review.addresses.length == addresses, WrongKeyCount(review.addresses.length, addresses));

        bytes32 addressRoot = t.publishedAddresses()
            ? review.addressRoot
            : Shards.multiproofRoot(msg.sender, t.shardCount(), review.bitmap, review.addresses, review.proof);
        bytes26 sample = Shards.fold(Shards.rootsHash(review.keyRoot, addressRoot), SampleSet.hash(review.bitmap));
        Profile profile = _profiles[msg.sender];
        _match(profile, Shards.fold(sample, bytes32(uint256(uint160(review.oneTimeKey)))));

        bytes32 pledge = Shards.reviewHash(review.oneTimeKey, review.ephemeralX, review.sealedKeys);
        _profiles[msg.sender] = profile.withCommitment(Shards.fold(sample, pledge));
        uint256 deadline = _begin(t, State.Reviewing, true, msg.sender);
        emit ReviewSubmitted(msg.sender, review.ephemeralX, review.sealedKeys, review.addresses, deadline);
    }

    /// @inheritdoc ITradingSession
    function setOptimal(address provider) external {
        PackedTerms memory t = PackedTermsLib.load();
        _deciding(t, provider);
        uint256 deadline = _begin(t, State.Reviewed, true, provider);
        emit OptimalSet(provider, deadline);
    }

    /// @inheritdoc ITradingSession
    function refuseReview(address provider) external {
        PackedTerms memory t = PackedTermsLib.load();
        _status = _compensate(t, _deciding(t, provider), true);
    }

    /// @inheritdoc ITradingSession
    function proveWrongKey(WrongKey calldata evidence) external {
        PackedTerms memory t = PackedTermsLib.load();
        address provider = _status.candidate;
        Status memory status_ = _deciding(t, provider);
        _checkEvidence(t, provider, evidence);

        _slash(provider, ProfileLib.SLASHED, t.deposit());
        emit WrongKeyProved(provider, evidence.shard, t.deposit());
        _reopen(status_);
        _status = status_;
    }

    /// @inheritdoc ITradingSession
    function claimReward(
        bytes32 sessionKey,
        bytes32 sampleHash,
        bytes32 reviewHash,
        bytes32 addressRoot,
        bytes32[] calldata addresses
    ) external nonReentrant {
        PackedTerms memory t = PackedTermsLib.load();
        Status memory status_ = _running(State.Reviewed);
        require(msg.sender == status_.candidate, NotCandidate(msg.sender, status_.candidate));
        uint256 count = t.publishedAddresses() ? 0 : t.shardCount();
        require(addresses.length == count, WrongKeyCount(addresses.length, count));

        if (count > 0) addressRoot = Shards.addressRoot(msg.sender, addresses);
        bytes26 roots = Shards.rootsHash(Shards.keyRoot(msg.sender, sessionKey, t.shardCount()), addressRoot);
        _match(_profiles[msg.sender], Shards.fold(Shards.fold(roots, sampleHash), reviewHash));

        _profiles[msg.sender] = ProfileLib.NONE;
        _status = Status(State.Closed, false, 0, msg.sender);
        uint256 paid = t.reward() + t.deposit();
        emit RewardClaimed(msg.sender, sessionKey, addresses, paid);
        emit SessionClosed(true);
        Payment.pay(t.token(), msg.sender, paid);
    }

    /// @inheritdoc ITradingSession
    function close() external {
        PackedTerms memory t = PackedTermsLib.load();
        _onlyCollector(t);
        require(block.timestamp >= t.submissionEnd(), TooEarly(block.timestamp, t.submissionEnd()));
        Status memory status_ = _settle(t);
        require(status_.state == State.Pending, WrongState(status_.state, State.Pending));
        _close(status_);
        _status = status_;
    }

    /// @inheritdoc ITradingSession
    function settle() external {
        _settle(PackedTermsLib.load());
    }

    // ---------------------------------------------------------------- payouts

    /// @inheritdoc ITradingSession
    function claimDeposit() external nonReentrant {
        PackedTerms memory t = PackedTermsLib.load();
        _ended(t);
        Profile profile = _registered(msg.sender);
        uint256 paid = _owed(t, profile);
        require(paid > 0, NothingOwed(msg.sender));

        _profiles[msg.sender] = ProfileLib.NONE;
        emit DepositClaimed(msg.sender, paid);
        Payment.pay(t.token(), msg.sender, paid);
    }

    /// @inheritdoc ITradingSession
    function reclaimEscrow() external nonReentrant {
        PackedTerms memory t = PackedTermsLib.load();
        _onlyCollector(t);
        Status memory status_ = _ended(t);
        uint256 paid = _owedToCollector(t, status_, _ledger);
        require(paid > 0, NothingOwed(msg.sender));

        _ledger.reclaimed = true;
        emit EscrowReclaimed(paid);
        Payment.pay(t.token(), msg.sender, paid);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ITradingSession
    function terms() external view returns (Terms memory) {
        return PackedTermsLib.load().unpack();
    }

    /// @inheritdoc ITradingSession
    function status() external view returns (State state, bool disclosed, uint256 deadline, address candidate) {
        Status memory s = _status;
        return (s.state, s.disclosed, s.deadline, s.candidate);
    }

    /// @inheritdoc ITradingSession
    function profileOf(address provider) external view returns (uint8 flags, uint256 drawBlock, bytes26 commitment) {
        Profile profile = _profiles[provider];
        return (profile.flags(), profile.drawBlock(), profile.commitment());
    }

    /// @inheritdoc ITradingSession
    function owedTo(address provider) external view returns (uint256) {
        Profile profile = _profiles[provider];
        return profile.flags() == 0 ? 0 : _owed(PackedTermsLib.load(), profile);
    }

    /// @inheritdoc ITradingSession
    function owedToCollector() external view returns (uint256) {
        return _owedToCollector(PackedTermsLib.load(), _status, _ledger);
    }

    // ---------------------------------------------------------------- guards

    function _before(uint256 end) private view {
        require(block.timestamp < end, TooLate(block.timestamp, end));
    }

    function _onlyCollector(PackedTerms memory t) private view {
        require(msg.sender == t.collector(), NotCollector(msg.sender, t.collector()));
    }

    function _registered(address provider) private view returns (Profile profile) {
        profile = _profiles[provider];
        require(profile.flags() != 0, NotProvider(provider));
    }

    /// @dev The status, when it is `state` and its window is open.
    function _running(State state) private view returns (Status memory status_) {
        status_ = _status;
        require(status_.state == state, WrongState(status_.state, state));
        _before(status_.deadline);
    }

    /// @dev The status, when the collector, who calls, has to decide on the opened review of `provider`.
    function _deciding(PackedTerms memory t, address provider) private view returns (Status memory status_) {
        _onlyCollector(t);
        status_ = _running(State.Reviewing);
        require(provider == status_.candidate, NotCandidate(provider, status_.candidate));
        require(status_.disclosed, ReviewMissing(provider));
    }

    function _match(Profile profile, bytes26 offered) private pure {
        require(profile.commitment() == offered, CommitmentMismatch(profile.commitment(), offered));
    }

    /// @dev Passes only if the review sealed a key for `evidence.shard` that does not hash to the committed leaf.
    function _checkEvidence(PackedTerms memory t, address provider, WrongKey calldata evidence) private view {
        {
            address oneTimeKey = SealedKey.publicAccount(evidence.oneTimeSecret);
            bytes26 sample =
                Shards.fold(Shards.rootsHash(evidence.keyRoot, evidence.addressRoot), SampleSet.hash(evidence.bitmap));
            bytes32 pledge = Shards.reviewHash(oneTimeKey, evidence.ephemeralX, evidence.sealedKeys);
            _match(_profiles[provider], Shards.fold(sample, pledge));
        }
        address product = SealedKey.productAccount(evidence.oneTimeSecret, evidence.ephemeralX);
        // No product: the candidate named no point of the curve, so it sealed nothing that could be opened.
        if (product == address(0)) return;
        require(
            SealedKey.isAccountOf(product, evidence.sharedX, evidence.sharedY),
            SharedPointMismatch(product, evidence.sharedX)
        );

        (bool sampled, uint256 k) = SampleSet.rank(evidence.bitmap, evidence.shard);
        require(sampled, ShardNotSampled(evidence.shard));
        bytes32 root = Shards.pathRoot(t.shardCount(), evidence.shard, evidence.leaf, evidence.path);
        require(root == evidence.keyRoot, LeafNotInTree(evidence.keyRoot, root));
        bytes32 key = evidence.sealedKeys[k] ^ SealedKey.pad(evidence.sharedX, evidence.shard);
        bytes32 delivered = Shards.leaf(Shards.domain(Shards.KEY_TYPE, provider), evidence.shard, key);
        require(delivered != evidence.leaf, KeyIsRight(evidence.shard));
    }

    // ---------------------------------------------------------------- transitions

    function _setSample(address provider, Profile profile, bytes32 sampleHash) private {
        _profiles[provider] = profile.with(ProfileLib.SAMPLED).withDrawBlock(0)
            .withCommitment(Shards.fold(profile.commitment(), sampleHash));
    }

    function _begin(PackedTerms memory t, State state, bool disclosed, address candidate)
        private
        returns (uint256 deadline)
    {
        deadline = block.timestamp + t.responseTime();
        _status = Status(state, disclosed, uint40(deadline), candidate);
    }

    /// @dev Applies the consequence of a lapsed window, if any, and returns the status after it.
    function _settle(PackedTerms memory t) private returns (Status memory status_) {
        status_ = _status;
        if (status_.candidate == address(0) || status_.state == State.Closed || block.timestamp < status_.deadline) {
            return status_;
        }
        if (status_.state == State.Reviewed) {
            _slash(status_.candidate, ProfileLib.SLASHED, t.deposit());
            emit OptimalSilent(status_.candidate, t.deposit());
            _close(status_);
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
        private
        returns (Status memory)
    {
        _profiles[status_.candidate] = _profiles[status_.candidate].with(ProfileLib.COMPENSATED);
        emit ReviewRefused(status_.candidate, t.compensation(), byCollector);
        uint256 compensations = ++_ledger.compensations;
        if (compensations > t.furtherReviews()) _close(status_);
        else _reopen(status_);
        return status_;
    }

    function _slash(address provider, uint8 flag, uint256 amount) private {
        _profiles[provider] = _profiles[provider].with(flag);
        _ledger.forfeited += uint128(amount);
    }

    function _reopen(Status memory status_) private pure {
        (status_.state, status_.disclosed, status_.deadline, status_.candidate) = (State.Pending, false, 0, address(0));
    }

    function _close(Status memory status_) private {
        (status_.state, status_.disclosed, status_.deadline, status_.candidate) = (State.Closed, false, 0, address(0));
        emit SessionClosed(false);
    }

    /// @dev The status, when the session is over for those who were not chosen.
    function _ended(PackedTerms memory t) private returns (Status memory status_) {
        status_ = _settle(t);
        require(status_.state == State.Closed || block.timestamp >= t.expiry(), NotEnded(block.timestamp, t.expiry()));
    }

    function _owed(PackedTerms memory t, Profile profile) private pure returns (uint256 amount) {
        if (profile.has(ProfileLib.SLASHED)) return 0;
        amount = t.deposit();
        if (profile.has(ProfileLib.PENALISED)) amount -= t.penalty();
        if (profile.has(ProfileLib.COMPENSATED)) amount += t.compensation();
    }

    function _owedToCollector(PackedTerms memory t, Status memory status_, Ledger memory ledger)
        private
        pure
        returns (uint256)
    {
        if (ledger.reclaimed) return 0;
        bool deal = status_.state == State.Closed && status_.candidate != address(0);
        return t.escrow() + ledger.forfeited - ledger.compensations * t.compensation() - (deal ? t.reward() : 0);
    }
    // slither-disable-end incorrect-equality
}
