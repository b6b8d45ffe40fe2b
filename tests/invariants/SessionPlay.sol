// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Settlement} from "../../contracts/exchange/Settlement.sol";
import {ITradingSession, State, TradingTerms} from "../../contracts/interfaces/ITradingSession.sol";
import {ITradingSessionFactory} from "../../contracts/interfaces/ITradingSessionFactory.sol";
import {Attempts} from "./Attempts.sol";
import {Datasets} from "./Datasets.sol";
import {PlainShards} from "./PlainShards.sol";
import {SessionBook} from "./SessionBook.sol";

/// @title A token without surprises
contract PlainToken is ERC20("Plain token", "PLAIN") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @title How a handler calls a session: every call must succeed or be refused exactly as the rules say
abstract contract SessionPlay is SessionBook, Datasets, Attempts {
    uint256 private constant PURSE = 1e30;

    ITradingSessionFactory private immutable _factory = ITradingSessionFactory(deploy("TradingSessionFactory"));
    PlainToken private immutable _token = new PlainToken();
    uint256 private _sessions;

    error StateWentBack(State from, State to, bytes4 call_);
    error PaidWrongly(uint256 person, uint256 paid, uint256 due);

    constructor() {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            people[i] = vm.addr(0x50000 + i);
            vm.deal(people[i], PURSE);
            _token.mint(people[i], PURSE);
        }
        _makeKeys();
        vm.warp(1_000_000);
        vm.roll(1_000);
        open(0);
    }

    /// @notice Begins the next session once everybody has left the last one, with terms that `seed` decides.
    function open(uint256 seed) public {
        if (address(session) != address(0) && balance() != forced + burnt) return;
        terms = _someTerms(seed);
        _clear();
        uint256 coins = terms.token == address(0) ? owedToCollector : 0;
        vm.prank(people[COLLECTOR]);
        _token.approve(address(_factory), owedToCollector);
        vm.prank(people[COLLECTOR]);
        session = ITradingSession(_factory.createSession{value: coins}(terms, ++_sessions));
        for (uint256 i = 0; i < PEOPLE; ++i) {
            vm.prank(people[i]);
            _token.approve(address(session), type(uint256).max);
        }
        ++count["open"];
    }

    /// @notice What the session holds.
    function balance() public view returns (uint256) {
        return _holdings(address(session));
    }

    function _holdings(address account) internal view returns (uint256) {
        return terms.token == address(0) ? account.balance : _token.balanceOf(account);
    }

    /// @dev Coins or tokens sent to the session without any call of its own.
    function _force(uint256 amount) internal {
        forced += amount;
        if (terms.token == address(0)) vm.deal(address(session), address(session).balance + amount);
        else _token.mint(address(session), amount);
    }

    /// @dev Few shards, all kinds of amounts: each of the 24 mixes of coin, publication, settlement and further reviews occurs.
    function _someTerms(uint256 seed) private view returns (TradingTerms memory t) {
        t.collector = people[COLLECTOR];
        t.token = derive(seed, "token") % 2 == 0 ? address(0) : address(_token);
        t.publishedAddresses = derive(seed, "published") % 2 == 0;
        t.furtherReviews = uint8(derive(seed, "further") % 3);
        t.shardCount = uint16(4 + derive(seed, "count") % 5);
        t.shardSize = 10;
        t.sampleBps = uint16(2_500 + derive(seed, "sample") % 2_501);
        t.reward = uint96(4 + derive(seed, "reward") % 10 ** (1 + derive(seed, "scale") % 20));
        uint256 compensation = uint256(t.reward) * t.sampleBps / 10_000;
        t.deposit = uint96(2 * compensation + derive(seed, "deposit") % (t.reward - 2 * compensation + 1));
        uint256 most = Math.min(10_000, uint256(t.reward) * 5_000 / t.deposit);
        uint256 least = Math.min(most, 1 + 10_000 / uint256(t.deposit));
        t.penaltyBps = uint16(least + derive(seed, "penalty") % (most - least + 1));
        t.responseTime = uint32(10 minutes + derive(seed, "response") % 100);
        t.registrationEnd = uint40(block.timestamp + 10 minutes + derive(seed, "registration") % 100);
        t.submissionEnd = uint40(t.registrationEnd + 10 minutes + derive(seed, "submission") % 100);
        t.settlement = Settlement(derive(seed, "settlement") % 2);
        uint256 windows = t.settlement == Settlement.Sealed ? 4 : 3;
        t.expiry = uint40(t.submissionEnd + 10 minutes + (windows + derive(seed, "expiry") % 16) * t.responseTime);
        (t.task, t.encryptionKey) = ("task", "encryption key");
    }

    function _party(uint256 person) internal view returns (PlainShards.Party memory) {
        return PlainShards.Party(address(session), people[person]);
    }

    function _requiresCollector(uint256 person) internal {
        _requires(person == COLLECTOR, ITradingSession.NotCollector.selector);
    }

    function _requiresBefore(uint256 end) internal {
        _requires(block.timestamp < end, ITradingSession.TooLate.selector);
    }

    function _requiresState(State actual, State needed) internal {
        _requires(actual == needed, ITradingSession.WrongState.selector);
    }

    /// @dev What all three decisions of the collector require.
    function _requiresDecision(uint256 person) internal {
        _requiresCollector(person);
        _requiresState(state, State.Reviewing);
        _requiresBefore(deadline);
        _requires(disclosed, ITradingSession.ReviewMissing.selector);
    }

    function _requiresEnd() internal {
        (State next,) = _lapse();
        _requires(next == State.Closed || block.timestamp >= terms.expiry, ITradingSession.NotEnded.selector);
    }

    /// @dev As {Attempts-_attempt}, on the session; the state may only go where the table lets this call lead.
    function _attempt(uint256 person, uint256 coins, bytes memory data) internal returns (bool done) {
        bytes4 name = bytes4(data);
        (State before,,,) = session.status();
        (done,) = _attempt(address(session), people[person], coins, data);
        (State after_,,,) = session.status();
        if (!_mayLead(before, after_, name)) revert StateWentBack(before, after_, name);
        ++count[done ? "accepted" : "refused"];
    }

    /// @dev A payout of exactly `due`, or a refusal.
    function _attemptPayout(uint256 person, uint256 due, bytes memory data) internal returns (bool done) {
        uint256 before = _holdings(people[person]);
        done = _attempt(person, 0, data);
        uint256 paid = _holdings(people[person]) - before;
        if (paid != (done ? due : 0)) revert PaidWrongly(person, paid, due);
    }

    /// @dev The state table's last column. Calls that settle a lapsed window first may lead where that leads.
    function _mayLead(State from, State to, bytes4 call_) private pure returns (bool) {
        if (from == to) return true;
        if (from == State.Pending) {
            if (to == State.Reviewing) return call_ == ITradingSession.setCandidate.selector;
            return to == State.Closed && call_ == ITradingSession.close.selector;
        }
        bool settles = call_ == ITradingSession.settle.selector || call_ == ITradingSession.close.selector
            || call_ == ITradingSession.claimDeposit.selector || call_ == ITradingSession.reclaimEscrow.selector;
        if (from == State.Reviewing) {
            if (to == State.Reviewed) return call_ == ITradingSession.setOptimal.selector;
            if (to == State.Pending && call_ == ITradingSession.proveWrongKey.selector) return true;
            return settles || call_ == ITradingSession.refuseReview.selector
                || call_ == ITradingSession.declareRubbish.selector;
        }
        if (from == State.Reviewed) {
            if (to == State.Delivered) return call_ == ITradingSession.deliverKey.selector;
            return to == State.Closed && (settles || call_ == ITradingSession.claimReward.selector);
        }
        bool disputes = call_ == ITradingSession.proveWrongDelivery.selector;
        return from == State.Delivered && to == State.Closed && (settles || disputes);
    }
}
