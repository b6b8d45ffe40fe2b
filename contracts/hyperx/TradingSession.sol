// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Settlement} from "../exchange/Settlement.sol";
import {
    Delivery,
    ITradingSession,
    Review,
    State,
    TradingTerms,
    WrongDelivery,
    WrongKey
} from "../interfaces/ITradingSession.sol";
import {Bitmap} from "../exchange/Bitmap.sol";
import {Payment} from "../exchange/Payment.sol";
import {Permitted} from "../exchange/Permitted.sol";
import {SealedKey} from "../exchange/SealedKey.sol";
import {Evidence} from "./Evidence.sol";
import {PackedTerms, PackedTermsLib} from "./PackedTerms.sol";
import {Profile, ProfileLib} from "./Profile.sol";
import {SessionState} from "./SessionState.sol";
import {Shards} from "./Shards.sol";

/// @title One HyperX trading session
/// @notice State by state, who may do what, and where it leads. Windows are half-open, [start, end).
///
/// | state     | call          | by        | window                          | leads to                                  |
/// | --------- | ------------- | --------- | ------------------------------- | ----------------------------------------- |
/// | Pending   | register      | anyone    | [creation, registrationEnd)     | Pending                                   |
/// | Pending   | sampleData    | collector | [creation, samplingEnd)         | Pending                                   |
/// | Pending   | requestDraw   | collector | [creation, samplingEnd)         | Pending                                   |
/// | Pending   | drawSample    | anyone*   | [creation, samplingEnd)         | Pending                                   |
/// | Pending   | submitFeatures| provider  | [creation, submissionEnd)       | Pending                                   |
/// | Pending   | setCandidate  | collector | [submissionEnd, selectionEnd)   | Reviewing, deadline = now + responseTime  |
/// | Pending   | close         | collector | [submissionEnd, for ever)       | Closed, no deal                           |
/// | Reviewing | submitReview  | candidate | until the deadline              | Reviewing (disclosed), deadline renewed   |
/// | Reviewing | settle        | anyone    | from the deadline, undisclosed  | Pending, candidate pays the penalty       |
/// | disclosed | setOptimal    | collector | until the deadline              | Reviewed, deadline renewed                |
/// | disclosed | refuseReview  | collector | until the deadline              | Pending or Closed, candidate compensated  |
/// | disclosed | declareRub-   | collector | until the deadline              | Pending or Closed, both lose              |
/// |           | bish          |           |                                 |                                           |
/// | disclosed | proveWrongKey | collector | until the deadline              | Pending, candidate loses its deposit      |
/// | disclosed | settle        | anyone    | from the deadline               | Pending or Closed, candidate compensated  |
/// | Reviewed  | settle        | anyone    | from the deadline               | Closed, candidate loses its deposit       |
/// | Closed or | claimDeposit  | provider  | for ever                        | unchanged, provider paid out              |
/// | expired   | reclaimEscrow | collector | for ever                        | unchanged, collector paid out             |
///
/// Under open settlement a deal is one call:
///
/// | Reviewed  | claimReward   | candidate | until the deadline              | Closed, data against reward; where that   |
/// |           |               |           |                                 | cannot be paid now, it is owed            |
///
/// Under sealed settlement it is a delivery that nobody disputes:
///
/// | Reviewed  | deliverKey    | candidate | until the deadline              | Delivered, deadline renewed               |
/// | Delivered | proveWrong-   | collector | until the deadline              | Closed, candidate loses its deposit,      |
/// |           | Delivery      |           |                                 | no deal                                   |
/// | Delivered | settle        | anyone    | from the deadline               | Closed, candidate is owed the reward      |
///
/// * who knows the secret of the draw: the collector, or whom it told.
///
/// samplingEnd = submissionEnd - 10 minutes, so that whoever is sampled has the time to submit.
/// selectionEnd = expiry - 3 * responseTime, so review, decision and claim all end by the expiry; sealed settlement has a
/// fourth window, for the dispute. Before submissionEnd every session is pending, so the calls of that time need not look.
/// Calls that depend on a lapsed window settle it first; nobody waits on anybody's courtesy.
contract TradingSession is SessionState, Permitted, ReentrancyGuardTransient {
    // The states are enums and the times are compared with < and >= alone.
    // slither-disable-start incorrect-equality

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
        (PackedTerms memory t, Profile profile) = _sampling(provider);
        uint256 sampled = Bitmap.size(bitmap, t.shardCount());
        uint256 limit = t.sampleLimit();
        require(sampled > 0 && sampled <= limit, SampleSizeOutOfRange(sampled, limit));
        _setSample(provider, profile, Bitmap.hash(bitmap));
        emit Sampled(provider, bitmap);
    }

    /// @inheritdoc ITradingSession
    function requestDraw(address provider, bytes32 commitment) external {
        (, Profile profile) = _sampling(provider);
        _profiles[provider] = profile.withDrawBlock(block.number);
        _draws[provider] = commitment;
        emit SampleRequested(provider, commitment, block.number);
    }

    /// @inheritdoc ITradingSession
    function drawSample(address provider, bytes32 secret) external {
        PackedTerms memory t = PackedTermsLib.load();
        _before(_samplingEnd(t));
        Profile profile = _profiles[provider];
        uint256 requested = profile.drawBlock();
        require(requested != 0, DrawNotRequested(provider));
        require(block.number >= requested + 2, DrawTooEarly(block.number, requested + 2));
        bytes32 commitment = Shards.drawCommitment(provider, secret);
        require(commitment == _draws[provider], WrongDrawSecret(_draws[provider], commitment));

        bytes32 seed = Shards.drawSeed(provider, secret, _blockHash(requested + 1));
        uint256[] memory bitmap = Bitmap.draw(seed, t.shardCount(), t.sampleLimit() - t.sampleLimit() / 2);
        delete _draws[provider];
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
    function setCandidate(address provider, uint256 oneTimeKey, uint256 oneTimeY) external {
        PackedTerms memory t = PackedTermsLib.load();
        _onlyCollector(t);
        require(block.timestamp >= t.submissionEnd(), TooEarly(block.timestamp, t.submissionEnd()));
        _before(t.selectionEnd());
        Status memory status_ = _settle(t);
        require(status_.state == State.Pending, WrongState(status_.state, State.Pending));
        Profile profile = _registered(provider);
        require(profile.has(ProfileLib.SUBMITTED), FeaturesMissing(provider));
        require(!profile.has(ProfileLib.TRIED), CandidateTwice(provider));
        require(SealedKey.isOnCurve(oneTimeKey, oneTimeY), KeyNotOnCurve(oneTimeKey, oneTimeY));

        bytes26 commitment = Shards.fold(profile.commitment(), bytes32(oneTimeKey));
        _profiles[provider] = profile.with(ProfileLib.TRIED).withCommitment(commitment);
        uint256 deadline = _begin(t, State.Reviewing, false, provider);
        emit CandidateSet(provider, oneTimeKey, deadline);
    }

    /// @inheritdoc ITradingSession
    function submitReview(Review calldata review) external {
        PackedTerms memory t = PackedTermsLib.load();
        Status memory status_ = _running(State.Reviewing);
        require(msg.sender == status_.candidate, NotCandidate(msg.sender, status_.candidate));
        require(!status_.disclosed, ReviewAlreadySubmitted(msg.sender));
        uint256[] memory opened = _opened(t, review);
        bytes26 roots = Shards.rootsHash(review.keyRoot, _addressRoot(t, review, opened));
        Profile profile = _profiles[msg.sender];
        bytes26 sample = Shards.fold(roots, Bitmap.hash(review.bitmap));
        profile.requireCommitted(Shards.fold(sample, bytes32(review.oneTimeKey)));

        bytes26 shards = Shards.fold(roots, keccak256(abi.encodePacked(opened)));
        bytes32 pledge = Shards.reviewHash(review.oneTimeKey, review.ephemeralX, review.sealedKeys);
        _profiles[msg.sender] = profile.withCommitment(Shards.fold(shards, pledge));
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
    function declareRubbish(address provider) external {
        PackedTerms memory t = PackedTermsLib.load();
        Status memory status_ = _deciding(t, provider);
        _burn(t, status_);
        _status = status_;
    }

    /// @inheritdoc ITradingSession
    function proveWrongKey(WrongKey calldata evidence) external {
        PackedTerms memory t = PackedTermsLib.load();
        address provider = _status.candidate;
        Status memory status_ = _deciding(t, provider);
        Evidence.checkReview(t.shardCount(), provider, _profiles[provider], evidence);

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
        _under(t, Settlement.Open);
        Profile profile = _handingOver();
        _countAddresses(t, addresses.length);

        if (addresses.length > 0) addressRoot = Shards.addressRoot(msg.sender, addresses);
        bytes26 roots = Shards.rootsHash(Shards.keyRoot(msg.sender, sessionKey, t.shardCount()), addressRoot);
        profile.requireCommitted(Shards.fold(Shards.fold(roots, sampleHash), reviewHash));

        _profiles[msg.sender] = ProfileLib.NONE;
        _status = Status(State.Closed, false, 0, msg.sender);
        uint256 paid = t.reward() + t.deposit();
        emit RewardClaimed(msg.sender, sessionKey, addresses, paid);
        emit SessionClosed(true);
        // The key is public from here on: whatever token or receiver do, the claim must stand.
        if (Payment.tryPay(t.token(), msg.sender, paid)) return;
        _profiles[msg.sender] = profile.with(ProfileLib.SOLD);
        emit RewardCredited(msg.sender, paid);
    }

    /// @inheritdoc ITradingSession
    function deliverKey(Delivery calldata delivery) external {
        PackedTerms memory t = PackedTermsLib.load();
        _under(t, Settlement.Sealed);
        Profile profile = _handingOver();
        _countAddresses(t, delivery.addresses.length);
        if (delivery.addresses.length > 0) {
            bytes26 roots = Shards.rootsHash(delivery.keyRoot, Shards.addressRoot(msg.sender, delivery.addresses));
            profile.requireCommitted(Shards.fold(Shards.fold(roots, delivery.sampleHash), delivery.reviewHash));
        }

        bytes32 pledge = Shards.deliveryHash(delivery.ephemeralX, delivery.sealedKey);
        _profiles[msg.sender] = profile.withCommitment(Shards.fold(profile.commitment(), pledge));
        uint256 deadline = _begin(t, State.Delivered, true, msg.sender);
        emit KeyDelivered(msg.sender, delivery.ephemeralX, delivery.sealedKey, delivery.addresses, deadline);
    }

    /// @inheritdoc ITradingSession
    function proveWrongDelivery(WrongDelivery calldata evidence) external {
        PackedTerms memory t = PackedTermsLib.load();
        _onlyCollector(t);
        Status memory status_ = _running(State.Delivered);
        address provider = status_.candidate;
        Evidence.checkDelivery(t.shardCount(), provider, _profiles[provider], evidence);

        _slash(provider, ProfileLib.SLASHED, t.deposit());
        emit WrongDeliveryProved(provider, evidence.shard, t.deposit());
        _close(status_);
        _status = status_;
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
    function claimDeposit(address to) external nonReentrant {
        PackedTerms memory t = PackedTermsLib.load();
        _ended(t);
        Profile profile = _registered(msg.sender);
        uint256 paid = _owed(t, profile);
        require(paid > 0, NothingOwed(msg.sender));

        _profiles[msg.sender] = ProfileLib.NONE;
        emit DepositClaimed(msg.sender, paid);
        Payment.pay(t.token(), to, paid);
    }

    /// @inheritdoc ITradingSession
    function reclaimEscrow(address to) external nonReentrant {
        PackedTerms memory t = PackedTermsLib.load();
        _onlyCollector(t);
        Status memory status_ = _ended(t);
        uint256 paid = _owedToCollector(t, status_, _ledger);
        require(paid > 0, NothingOwed(msg.sender));

        _ledger.reclaimed = true;
        emit EscrowReclaimed(paid);
        Payment.pay(t.token(), to, paid);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ITradingSession
    function version() external pure returns (uint256) {
        return 4;
    }

    /// @inheritdoc ITradingSession
    function terms() external view returns (TradingTerms memory) {
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
    // slither-disable-end incorrect-equality
}
