// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Settlement} from "../../contracts/exchange/Settlement.sol";
import {ITradingSession, State, TradingTerms} from "../../contracts/interfaces/ITradingSession.sol";

/// @title What a session ought to be, kept in plain words beside the contract
/// @notice Every accepted call is booked here by the rules of the state table, without hashes or packing; the invariants
/// hold the contract against it. People are indices: 0 the collector, 1 to 5 providers, 6 a stranger that never joins.
abstract contract SessionBook {
    uint256 internal constant PEOPLE = 7;
    uint256 internal constant COLLECTOR = 0;
    uint256 internal constant STRANGER = 6;
    uint256 internal constant NOBODY = type(uint256).max;

    /// @notice What is booked of one person as a provider.
    struct Seat {
        bool registered;
        bool sampled;
        bool submitted;
        bool misbehaved;
        uint256 robbed;
        uint256 drawBlock;
        uint256 bitmap;
        uint256 turns;
        uint256 owed;
        uint256 paidIn;
        uint256 paidOut;
        uint256 payouts;
    }

    ITradingSession public session;
    address[PEOPLE] public people;
    TradingTerms internal terms;
    Seat[PEOPLE] internal seats;

    State public state;
    bool public disclosed;
    bool public deal;
    uint256 public deadline;
    uint256 public candidate;
    uint256 public refusedReviews;
    uint256 public owedToCollector;
    uint256 public collectorPaidIn;
    uint256 public collectorPaidOut;
    /// @notice Coins or tokens forced into the session, which nobody is owed.
    uint256 public forced;
    /// @notice What declarations of rubbish left in the session, which nobody is owed either.
    uint256 public burnt;

    function allSeats() external view returns (Seat[PEOPLE] memory) {
        return seats;
    }

    function sampleLimit() public view returns (uint256) {
        return uint256(terms.shardCount) * terms.sampleBps / 10_000;
    }

    /// @notice How many reviews may be opened and refused.
    function maxReviews() external view returns (uint256) {
        return uint256(terms.furtherReviews) + 1;
    }

    function _compensation() internal view returns (uint256) {
        return uint256(terms.reward) * terms.sampleBps / 10_000;
    }

    function _penalty() internal view returns (uint256) {
        return uint256(terms.deposit) * terms.penaltyBps / 10_000;
    }

    function _selectionEnd() internal view returns (uint256) {
        return terms.expiry - (terms.settlement == Settlement.Sealed ? 4 : 3) * uint256(terms.responseTime);
    }

    /// @dev Forgets the last session.
    function _clear() internal {
        delete seats;
        (state, disclosed, deal, deadline, candidate) = (State.Pending, false, false, 0, NOBODY);
        (refusedReviews, forced, burnt, collectorPaidOut) = (0, 0, 0, 0);
        owedToCollector = uint256(terms.reward) + terms.furtherReviews * 2 * _compensation();
        collectorPaidIn = owedToCollector;
    }

    function _afterRefusal() private view returns (State) {
        return refusedReviews + 1 > terms.furtherReviews ? State.Closed : State.Pending;
    }

    /// @dev Where a lapsed window leads, and what the candidate gains or loses by it at the collector's cost or gain.
    function _lapse() internal view returns (State next, int256 change) {
        if (candidate == NOBODY || state == State.Closed || block.timestamp < deadline) return (state, 0);
        if (state == State.Reviewed) return (State.Closed, -int256(uint256(terms.deposit)));
        if (state == State.Delivered) return (State.Closed, int256(uint256(terms.reward)));
        if (disclosed) return (_afterRefusal(), int256(_compensation()));
        return (State.Pending, -int256(_penalty()));
    }

    /// @dev What `person` is owed once a lapsed window is settled.
    function _dueTo(uint256 person) internal view returns (uint256) {
        (, int256 change) = _lapse();
        return person == candidate ? uint256(int256(seats[person].owed) + change) : seats[person].owed;
    }

    function _dueToCollector() internal view returns (uint256) {
        (, int256 change) = _lapse();
        return uint256(int256(owedToCollector) - change);
    }

    /// @dev Ends the candidate's turn.
    function _finishTurn(State next, int256 change) private {
        if (change < 0) seats[candidate].misbehaved = true;
        seats[candidate].owed = uint256(int256(seats[candidate].owed) + change);
        owedToCollector = uint256(int256(owedToCollector) - change);
        (state, disclosed, deadline, candidate) = (next, false, 0, NOBODY);
    }

    function _bookLapse() internal returns (bool lapsed) {
        (State next, int256 change) = _lapse();
        if (next == state) return false;
        if (disclosed && state == State.Reviewing) ++refusedReviews;
        (bool sold, uint256 winner) = (state == State.Delivered, candidate);
        _finishTurn(next, change);
        if (sold) (candidate, deal) = (winner, true);
        return true;
    }

    function _bookRefusal() internal {
        State next = _afterRefusal();
        ++refusedReviews;
        _finishTurn(next, int256(_compensation()));
    }

    /// @dev Both lose, the candidate without any fault that a contract could see.
    function _bookRubbish() internal {
        uint256 burn = 2 * _compensation();
        State next = _afterRefusal();
        ++refusedReviews;
        seats[candidate].owed -= burn;
        seats[candidate].robbed = burn;
        owedToCollector -= burn;
        burnt += 2 * burn;
        _finishTurn(next, 0);
    }

    function _bookWrongKey() internal {
        _finishTurn(State.Pending, -int256(uint256(terms.deposit)));
    }

    function _bookWrongDelivery() internal {
        _finishTurn(State.Closed, -int256(uint256(terms.deposit)));
    }

    function _bookClose() internal {
        state = State.Closed;
    }

    function _bookTurn(State next, bool disclosed_, uint256 person) internal {
        (state, disclosed, candidate) = (next, disclosed_, person);
        deadline = block.timestamp + terms.responseTime;
    }

    function _bookDeal() internal {
        owedToCollector -= terms.reward;
        _bookPayout(candidate, seats[candidate].owed + terms.reward);
        (state, disclosed, deadline, deal) = (State.Closed, false, 0, true);
    }

    function _bookPayout(uint256 person, uint256 amount) internal {
        seats[person].registered = false;
        seats[person].owed = 0;
        seats[person].paidOut += amount;
        ++seats[person].payouts;
    }
}
