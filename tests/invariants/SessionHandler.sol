// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Settlement} from "../../contracts/exchange/Settlement.sol";
import {ITradingSession, Review, State, WrongKey} from "../../contracts/interfaces/ITradingSession.sol";
import {Payment} from "../../contracts/exchange/Payment.sol";
import {Bitmap} from "../../contracts/exchange/Bitmap.sol";
import {PlainShards} from "./PlainShards.sol";
import {SessionDelivery} from "./SessionDelivery.sol";

/// @title Plays everybody: one function per call of the session, mostly the right person at the right time, often not
/// @notice A seed decides who calls and which of the call's requirements is violated, if any.
contract SessionHandler is SessionDelivery {
    // ---------------------------------------------------------------- time

    /// @notice Moves to just before, at or just after the next moment that matters.
    function passTime(uint256 seed) public {
        uint256[5] memory moments =
            [terms.registrationEnd, terms.submissionEnd, _selectionEnd(), uint256(terms.expiry), deadline];
        uint256 next = type(uint256).max;
        for (uint256 i = 0; i < moments.length; ++i) {
            if (moments[i] > block.timestamp && moments[i] < next) next = moments[i];
        }
        vm.roll(block.number + 1);
        if (next == type(uint256).max) return;
        next = next - 1 + seed % 3;
        vm.warp(next > block.timestamp ? next : next + 1);
    }

    /// @notice Moves to just before, at or just after the edges of a draw's window.
    function passBlocks(uint256 seed) public {
        uint256[8] memory steps = [uint256(1), 1, 2, 2, 255, 256, 257, 300];
        vm.roll(block.number + steps[seed % 8]);
    }

    /// @notice Forces money into the session.
    function force(uint256 seed) external {
        if (seed % 8 == 0) _force(seed % 1e6);
    }

    /// @notice What an eager player would do next, so that sessions often come to their end; see the state table.
    function advance(uint256 seed) external {
        if (state == State.Closed || block.timestamp >= terms.expiry) {
            if (balance() == forced) return open(seed);
            return seed % 4 == 0 ? exhaust(seed) : claimDeposit(seed);
        }
        if (block.timestamp < terms.submissionEnd) return _prepare(seed);
        uint256 choice = derive(seed, "advance") % 8;
        if (state == State.Pending) {
            bool more = _fits(_pick(seed, true, true, true), true, true, true);
            return choice == 0 || !more ? passTime(seed) : setCandidate(seed);
        }
        if (block.timestamp >= deadline) return choice < 4 ? settle(seed) : setCandidate(seed);
        if (choice == 0) return passTime(seed);
        if (state == State.Reviewed) return terms.settlement == Settlement.Open ? claimReward(seed) : deliverKey(seed);
        if (state == State.Delivered) {
            return choice < (_deliveredLie == Lie.None ? 3 : 6) ? proveWrongDelivery(seed) : passTime(seed);
        }
        if (!disclosed) return submitReview(seed);
        if (_lie != Lie.None && choice < 6) return proveWrongKey(seed);
        return choice < 3 ? refuseReview(seed) : setOptimal(seed);
    }

    /// @dev The same before the submissions end: one of the steps that somebody can take, else time passes.
    function _prepare(uint256 seed) private {
        uint256 choice = derive(seed, "prepare") % 16;
        if (choice == 0) return passTime(seed);
        if (choice == 1) return passBlocks(seed);
        if (choice < 7 && block.timestamp < terms.registrationEnd) return register(seed);
        if (choice < 11 && _fits(_pick(seed, true, true, false), true, true, false)) return submitFeatures(seed);
        if (_fits(_pick(seed, true, false, false), true, false, false)) return sampleData(seed);
        return choice < 14 ? drawSample(seed) : passTime(seed);
    }

    // ---------------------------------------------------------------- commitment and evaluation

    function register(uint256 seed) public {
        uint256 person = seed % STRANGER;
        for (uint256 i = 0; i < STRANGER && seats[person].registered; ++i) {
            person = derive(seed, "again") % 4 == 0 ? person : (person + 1) % STRANGER;
        }
        bool native = terms.token == address(0);
        uint256 coins = native ? terms.deposit : 0;
        if (derive(seed, "payment") % 8 == 0) {
            coins = native && seed % 2 == 0 ? coins - 1 : coins + 1;
            _requires(false, Payment.WrongPayment.selector);
        }
        _requiresBefore(terms.registrationEnd);
        _requires(!seats[person].registered, ITradingSession.AlreadyRegistered.selector);

        bytes32 keys = _keyRoot(_party(person), terms.shardCount);
        bytes32 addresses = _addressRoot(_party(person), terms.shardCount);
        if (!_attempt(person, coins, abi.encodeCall(session.register, (keys, addresses, "manifest")))) return;
        seats[person].registered = true;
        (seats[person].paidIn, seats[person].owed) = (terms.deposit, terms.deposit);
        ++count["register"];
    }

    function sampleData(uint256 seed) public {
        uint256 person = _mostly(COLLECTOR, seed);
        uint256 provider = _pick(seed, true, false, false);
        uint256 kind = derive(seed, "kind") % 16;
        if (kind > 12) kind = 0;
        uint256[] memory bitmap = new uint256[](kind < 2 ? 0 : kind == 2 ? 2 : 1);
        uint256 shards = terms.shardCount;
        if (kind > 2) {
            uint256 size = 1 + derive(seed, "size") % sampleLimit();
            if (kind == 3) size = 0;
            if (kind == 4) size = sampleLimit() + 1;
            bitmap[0] = PlainShards.draw(bytes32(seed), shards, size)[0];
            _requires(kind > 4, ITradingSession.SampleSizeOutOfRange.selector);
            if (kind == 5) bitmap[0] |= 1 << shards;
            _requires(kind != 5, Bitmap.BitOutOfRange.selector);
        }
        _requires(kind != 2, Bitmap.BitmapLength.selector);
        _requiresCollector(person);
        _requiresBefore(terms.submissionEnd);
        _requires(seats[provider].registered, ITradingSession.NotProvider.selector);
        _requires(!seats[provider].sampled, ITradingSession.AlreadySampled.selector);
        uint256 requested = seats[provider].drawBlock;
        _requires(requested == 0 || block.number > requested + 257, ITradingSession.DrawStillOpen.selector);

        if (!_attempt(person, 0, abi.encodeCall(session.sampleData, (people[provider], bitmap)))) return;
        if (bitmap.length == 0) {
            if (requested != 0) ++count["draw requested again"];
            seats[provider].drawBlock = block.number;
            ++count["draw requested"];
        } else {
            _bookSample(provider, bitmap[0]);
            ++count["sample chosen"];
        }
    }

    function drawSample(uint256 seed) public {
        uint256 provider = seed % PEOPLE;
        for (uint256 i = 0; i < PEOPLE && seats[provider].drawBlock == 0; ++i) {
            provider = (provider + 1) % PEOPLE;
        }
        uint256 requested = seats[provider].drawBlock;
        _requiresBefore(terms.submissionEnd);
        _requires(requested != 0, ITradingSession.DrawNotRequested.selector);
        _requires(block.number >= requested + 2, ITradingSession.DrawTooEarly.selector);
        _requires(block.number <= requested + 257, ITradingSession.DrawTooLate.selector);

        uint256 person = derive(seed, "caller") % PEOPLE;
        if (!_attempt(person, 0, abi.encodeCall(session.drawSample, (people[provider])))) return;
        bytes32 hash = blockhash(requested + 1);
        vm.assertNotEq(hash, bytes32(0), "the draw's block is too old to decide");
        bytes32 seed_ = keccak256(abi.encode(hash, address(session), people[provider]));
        _bookSample(provider, PlainShards.draw(seed_, terms.shardCount, sampleLimit())[0]);
        ++count["sample drawn"];
    }

    function submitFeatures(uint256 seed) public {
        uint256 person = _pick(seed, true, true, false);
        _requiresBefore(terms.submissionEnd);
        _requires(seats[person].registered, ITradingSession.NotProvider.selector);
        _requires(seats[person].sampled, ITradingSession.NotSampled.selector);
        _requires(!seats[person].submitted, ITradingSession.FeaturesAlreadySubmitted.selector);

        if (!_attempt(person, 0, abi.encodeCall(session.submitFeatures, ("features")))) return;
        seats[person].submitted = true;
        ++count["features submitted"];
    }

    // ---------------------------------------------------------------- closure

    function setCandidate(uint256 seed) public {
        uint256 person = _mostly(COLLECTOR, seed);
        uint256 provider = _pick(seed, true, true, true);
        uint256 keyX = oneTimeKey.publicKeyX;
        if (derive(seed, "key") % 8 == 0) {
            keyX ^= 1;
            _requires(false, ITradingSession.KeyNotOnCurve.selector);
        }
        (State now_,) = _lapse();
        _requiresCollector(person);
        _requires(block.timestamp >= terms.submissionEnd, ITradingSession.TooEarly.selector);
        _requiresBefore(_selectionEnd());
        _requiresState(now_, State.Pending);
        _requires(seats[provider].registered, ITradingSession.NotProvider.selector);
        _requires(seats[provider].submitted, ITradingSession.FeaturesMissing.selector);
        _requires(seats[provider].turns == 0, ITradingSession.CandidateTwice.selector);

        bytes memory data = abi.encodeCall(session.setCandidate, (people[provider], keyX, oneTimeKey.publicKeyY));
        if (!_attempt(person, 0, data)) return;
        if (_bookLapse()) ++count["silent candidate replaced"];
        _bookTurn(State.Reviewing, false, provider);
        ++seats[provider].turns;
        ++count["candidate set"];
    }

    function submitReview(uint256 seed) public {
        uint256 author = candidate == NOBODY ? seed % PEOPLE : candidate;
        uint256 person = _mostly(author, seed);
        Review memory review = _review(_party(author), terms.shardCount, seats[author].bitmap, terms.publishedAddresses);
        (Lie lie, uint256 index) = _spoilReview(review, seed);
        _requiresState(state, State.Reviewing);
        _requiresBefore(deadline);
        _requires(person == candidate, ITradingSession.NotCandidate.selector);
        _requires(!disclosed, ITradingSession.ReviewAlreadySubmitted.selector);

        if (!_attempt(person, 0, abi.encodeCall(session.submitReview, (review)))) return;
        _bookTurn(State.Reviewing, true, person);
        (_said, _lie, _lieIndex) = (review, lie, index);
        ++count[
            lie == Lie.None ? "honest review" : lie == Lie.Key ? "review with a wrong key" : "review without a point"
        ];
    }

    function setOptimal(uint256 seed) public {
        (uint256 person, uint256 provider) = _decide(seed);
        if (!_attempt(person, 0, abi.encodeCall(session.setOptimal, (people[provider])))) return;
        _bookTurn(State.Reviewed, true, provider);
        ++count["optimal set"];
    }

    function refuseReview(uint256 seed) public {
        (uint256 person, uint256 provider) = _decide(seed);
        if (!_attempt(person, 0, abi.encodeCall(session.refuseReview, (people[provider])))) return;
        _bookRefusal();
        ++count[state == State.Closed ? "last review refused" : "review refused"];
    }

    function proveWrongKey(uint256 seed) public {
        uint256 person = _mostly(COLLECTOR, seed);
        uint256 accused = candidate == NOBODY ? seed % PEOPLE : candidate;
        uint256[] memory members = PlainShards.members(_said.bitmap, terms.shardCount);
        uint256 index = members.length == 0 ? 0 : derive(seed, "shard") % members.length;
        if (_lie == Lie.Key && disclosed && seed % 4 != 0) index = _lieIndex;
        WrongKey memory evidence =
            _evidence(_party(accused), terms.shardCount, _said, members.length == 0 ? 0 : members[index]);
        _spoilEvidence(evidence, derive(seed, "kind") % 16);
        _requires(_lie == Lie.Point || (_lie == Lie.Key && index == _lieIndex), ITradingSession.KeyIsRight.selector);
        _requiresDecision(person);

        if (!_attempt(person, 0, abi.encodeCall(session.proveWrongKey, (evidence)))) return;
        ++count[_lie == Lie.Point ? "missing point proved" : "wrong key proved"];
        _bookWrongKey();
    }

    function claimReward(uint256 seed) public {
        uint256 winner = candidate == NOBODY ? seed % PEOPLE : candidate;
        uint256 person = _mostly(winner, seed);
        uint256 kind = derive(seed, "kind") % 8;
        bytes32 key = _sessionKey(_party(winner));
        bytes32 sample = keccak256(abi.encodePacked(_said.bitmap));
        bytes32 review = PlainShards.reviewHash(_said.oneTimeKey, _said.ephemeralX, _said.sealedKeys);
        bytes32 root = _addressRoot(_party(winner), terms.shardCount);
        bytes32[] memory addresses = _addresses(_party(winner), terms.publishedAddresses ? 0 : terms.shardCount);
        if (kind == 0) key ^= bytes32(uint256(1));
        if (kind == 1) sample ^= bytes32(uint256(1));
        if (kind == 2) review ^= bytes32(uint256(1));
        if (kind == 3 && terms.publishedAddresses) root ^= bytes32(uint256(1));
        if (kind == 3 && !terms.publishedAddresses) addresses[seed % terms.shardCount] ^= bytes32(uint256(1));
        _requires(kind > 3, ITradingSession.CommitmentMismatch.selector);
        if (kind == 4) {
            addresses = new bytes32[](terms.publishedAddresses ? 1 : terms.shardCount - 1);
            _requires(false, ITradingSession.WrongKeyCount.selector);
        }
        _requires(terms.settlement == Settlement.Open, ITradingSession.WrongSettlement.selector);
        _requiresState(state, State.Reviewed);
        _requiresBefore(deadline);
        _requires(person == candidate, ITradingSession.NotCandidate.selector);

        bytes memory data = abi.encodeCall(session.claimReward, (key, sample, review, root, addresses));
        if (!_attemptPayout(person, uint256(terms.reward) + terms.deposit, data)) return;
        _bookDeal();
        ++count["reward claimed"];
    }

    function close(uint256 seed) external {
        // A session that is closed at once is worth one in eight: the rest should play on.
        uint256 person = derive(seed, "patience") % 8 == 0 ? COLLECTOR : 1 + seed % STRANGER;
        (State now_,) = _lapse();
        _requiresCollector(person);
        _requires(block.timestamp >= terms.submissionEnd, ITradingSession.TooEarly.selector);
        _requiresState(now_, State.Pending);

        if (!_attempt(person, 0, abi.encodeCall(session.close, ()))) return;
        _bookLapse();
        _bookClose();
        ++count["closed early"];
    }

    function settle(uint256 seed) public {
        (State before, bool opened) = (state, disclosed);
        _attempt(seed % PEOPLE, 0, abi.encodeCall(session.settle, ()));
        if (!_bookLapse()) return;
        if (before == State.Reviewed) ++count["chosen provider silent"];
        else if (before == State.Delivered) ++count["delivery undisputed"];
        else ++count[opened ? "collector silent" : "candidate silent"];
    }

    // ---------------------------------------------------------------- payouts

    function claimDeposit(uint256 seed) public {
        uint256 person = seed % PEOPLE;
        uint256 due = _dueTo(person);
        _requiresEnd();
        _requires(seats[person].registered, ITradingSession.NotProvider.selector);
        _requires(due > 0, ITradingSession.NothingOwed.selector);

        if (!_attemptPayout(person, due, abi.encodeCall(session.claimDeposit, (people[person])))) return;
        _bookLapse();
        _bookPayout(person, due);
        ++count["deposit claimed"];
    }

    function reclaimEscrow(uint256 seed) external {
        _reclaimEscrow(_mostly(COLLECTOR, seed));
    }

    function _reclaimEscrow(uint256 person) private {
        uint256 due = _dueToCollector();
        _requiresCollector(person);
        _requiresEnd();
        _requires(due > 0, ITradingSession.NothingOwed.selector);

        if (!_attemptPayout(person, due, abi.encodeCall(session.reclaimEscrow, (people[person])))) return;
        _bookLapse();
        (collectorPaidOut, owedToCollector) = (due, 0);
        ++count["escrow reclaimed"];
    }

    /// @notice Time passes and everybody acts for itself, in an order that `seed` decides.
    function exhaust(uint256 seed) public {
        if (block.timestamp < terms.expiry) vm.warp(terms.expiry);
        for (uint256 i = 0; i < PEOPLE; ++i) {
            uint256 person = (seed % PEOPLE + i) % PEOPLE;
            claimDeposit(person);
            if (person == COLLECTOR) _reclaimEscrow(person);
        }
    }
}
