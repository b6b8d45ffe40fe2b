// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IBulletinBoard, MessageKind, PostKey, Receipt} from "../../contracts/interfaces/IBulletinBoard.sol";
import {BoardBook} from "./BoardBook.sol";

/// @title Plays an honest server, a lying one, their members and a stranger
/// @notice The honest server signs what it has posted and answers before time runs out; the liar signs and posts anything
/// and answers by mood. Everybody accuses both. Before the time for accusations ends, members bring what they hold.
contract BoardHandler is BoardBook {
    error PaidWrongly(uint256 person, uint256 paid, uint256 due);
    error LiarEscaped(uint256 receipt);

    // ---------------------------------------------------------------- time, and the whole play

    /// @notice Moves to just before, at or just after the next moment that matters to a session.
    function passTime(uint256 seed) public {
        Session storage s = sessions[seed % 2];
        uint256 next = _accusationEnd(s);
        for (uint256 place = 0; place < PLACES; ++place) {
            (uint256 from, uint256 to) = _window(s, place);
            uint256[3] memory moments = [from, to, s.answerBy[place]];
            for (uint256 i = 0; i < moments.length; ++i) {
                if (moments[i] > block.timestamp && moments[i] < next) next = moments[i];
            }
        }
        if (derive(seed, "pause") % 4 == 0) next = block.timestamp + 1 + derive(seed, "seconds") % 8;
        next = next + derive(seed, "edge") % 3 - 1;
        _advanceTo(next > block.timestamp ? next : block.timestamp + 1);
    }

    /// @notice A session comes to its end, everybody leaves, and the next begins.
    function open(uint256 seed) external {
        uint256 which = derive(seed, "which") % 2;
        bool over = sessions[which].faulty || block.timestamp >= _accusationEnd(sessions[which]);
        if (derive(seed, "open") % (over ? 4 : 32) != 0) return;
        _exhaust(which);
        _openSession(which, seed);
        ++count["opened"];
    }

    /// @notice From wherever a run ended, everybody gets out.
    function exhaust() external {
        _exhaust(HONEST);
        _exhaust(LIAR);
        for (uint256 i = 0; i < PEOPLE; ++i) {
            _withdrawBonds(0, i);
            _withdrawBonds(1, i);
        }
        vm.assertEq(balanceOf(0, address(board)) + balanceOf(1, address(board)), 0, "something stays");
    }

    function _exhaust(uint256 which) private {
        Session storage s = sessions[which];
        _advanceTo(_accusationEnd(s) + s.terms.responseTime);
        // A server that still owes an answer tries to be faster than whoever settles.
        if (_openChallenges(s) > 0) _withdrawStake(s, which, which);
        // Answered ones come back only after another has convicted the server.
        for (uint256 i = 0; i < 2 * PLACES; ++i) {
            if (s.asker[i % PLACES] != address(0)) _settle(s, i % PLACES, STRANGER);
        }
        if (!s.faulty) return _withdrawStake(s, which, which);
        for (uint256 i = 0; i < MEMBERS; ++i) {
            _claimShare(s, i, FIRST_MEMBER + i);
        }
    }

    /// @dev Time passes, in steps at which the honest server answers and members bring what they hold against the liar.
    function _advanceTo(uint256 time) private {
        Session storage s = sessions[HONEST];
        for (uint256 place = 0; place < PLACES; ++place) {
            bool open_ = s.asker[place] != address(0) && !s.answered[place];
            if (open_ && s.answerBy[place] <= time) _answer(s, place, HONEST);
        }
        s = sessions[LIAR];
        uint256 last = _end(s) + s.terms.responseTime;
        if (!s.faulty && block.timestamp < last && last <= time) {
            vm.warp(last - 1);
            _challengeRubbish(s);
        }
        last = _accusationEnd(s);
        if (!s.faulty && block.timestamp < last && last <= time) {
            vm.warp(last - 1);
            _bringEverything(s);
        }
        if (time > block.timestamp) vm.warp(time);
    }

    /// @dev Whoever holds a receipt for a batch of which the server shows nothing asks for the leaf.
    function _challengeRubbish(Session storage s) private {
        for (uint256 i = 0; i < s.promises.length; ++i) {
            uint256 place = s.promises[i].place;
            if (_batched(s, place) && s.rubbish[place / MEMBERS] && s.answerBy[place] == 0) {
                for (uint256 member = 0; member < MEMBERS && s.answerBy[place] == 0; ++member) {
                    _challenge(s, place, member, _currency(s) == 0 ? s.terms.bond : 0);
                }
            }
        }
    }

    /// @dev No broken promise is left when the accusations end.
    function _bringEverything(Session storage s) private {
        for (uint256 i = 0; i < s.promises.length && !s.faulty; ++i) {
            Promise memory p = s.promises[i];
            if (!_broken(s, p, block.timestamp)) continue;
            (, uint256 at) = _record(s, p.place);
            if (at == 0 || at >= _due(s, p)) _proveUnposted(s, p, _signerOf(s, p));
            else if (!_batched(s, p.place)) _proveAltered(s, p, _signerOf(s, p));
            else if (s.rubbish[p.place / MEMBERS]) _settle(s, _openPlace(s), STRANGER);
            else _proveAlteredInBatch(s, p, s.leaves[p.place], _signerOf(s, p));
            if (!s.faulty) revert LiarEscaped(i);
            ++count["convicted at last"];
        }
    }

    /// @dev A place that was asked for and not answered. All members may be asking elsewhere than at a rubbish root.
    function _openPlace(Session storage s) private view returns (uint256 place) {
        while (s.asker[place] == address(0) || s.answered[place]) ++place;
    }

    // ---------------------------------------------------------------- posts and promises

    function post(uint256 seed) external {
        (Session storage s, uint256 which, uint256 place) = _anywhere(seed);
        uint256 sender = derive(seed, "sender") % 8 == 0 ? derive(seed, "who") % PEOPLE : which;
        _mayPost(s, place, sender == which);
        _requires(!_batched(s, place), IBulletinBoard.KindBatched.selector);
        _requires(s.postedAt[place] == 0, IBulletinBoard.AlreadyPosted.selector);
        bytes32 message = _message(seed);
        if (!_do(sender, abi.encodeCall(board.post, (_key(s, place), message, "document")))) return;
        (s.posted[place], s.postedAt[place]) = (message, block.timestamp);
        ++count["posted"];
    }

    function postBatch(uint256 seed) external {
        (Session storage s, uint256 which, uint256 place) = _anywhere(seed);
        uint256 batch = place / MEMBERS;
        bytes32[3] memory before = [s.leaves[batch * 3], s.leaves[batch * 3 + 1], s.leaves[batch * 3 + 2]];
        for (uint256 i = 0; i < MEMBERS; ++i) {
            uint256 each = uint256(keccak256(abi.encode(seed, i)));
            s.leaves[batch * 3 + i] = derive(each, "silent") % 4 == 0 ? bytes32(0) : _message(each);
        }
        bool rubbish = which == LIAR && derive(seed, "rubbish") % 3 == 0;
        bytes32 root = rubbish ? bytes32(derive(seed, "root")) : _rootOf(_batchLeaves(s, place));
        _mayPost(s, place, true);
        _requires(_batched(s, place), IBulletinBoard.KindSingle.selector);
        _requires(s.batchAt[batch] == 0, IBulletinBoard.AlreadyPosted.selector);
        bytes memory data = abi.encodeCall(board.postBatch, (s.id, place / 6, MessageKind(batch % 2), root, "document"));
        if (_do(which, data)) {
            (s.roots[batch], s.batchAt[batch], s.rubbish[batch]) = (root, block.timestamp, rubbish);
            // Nobody knows of a leaf that would fit.
            if (rubbish) {
                for (uint256 i = 0; i < MEMBERS; ++i) {
                    s.leaves[batch * 3 + i] = keccak256("rubbish");
                }
            }
            ++count[rubbish ? "rubbish posted" : "batch posted"];
        } else {
            for (uint256 i = 0; i < MEMBERS; ++i) {
                s.leaves[batch * 3 + i] = before[i];
            }
        }
    }

    function postOwn(uint256 seed) external {
        (Session storage s,, uint256 place) = _anywhere(seed);
        uint256 author = place % MEMBERS;
        uint256 sender = derive(seed, "sender") % 8 == 0 ? derive(seed, "who") % PEOPLE : FIRST_MEMBER + author;
        (uint256 from, uint256 to) = _window(s, place);
        _requires(block.timestamp >= from, IBulletinBoard.TooEarly.selector);
        _requires(block.timestamp < to, IBulletinBoard.TooLate.selector);
        _requires(sender == FIRST_MEMBER + author, IBulletinBoard.NotMember.selector);
        _requires(s.own[place] == 0, IBulletinBoard.AlreadyPosted.selector);
        bytes32 message = _message(seed);
        bytes32[] memory path = _pathOf(_memberLeaves(), author);
        if (!_do(sender, abi.encodeCall(board.postOwn, (_key(s, place), message, "document", path)))) return;
        s.own[place] = message;
        ++count["posted itself"];
    }

    /// @notice A server signs: the honest one what lies on the board, the liar anything.
    function sign(uint256 seed) external {
        (Session storage s, uint256 which, uint256 place) = _anywhere(seed);
        if (s.promises.length == 12) return;
        if (s.promises.length > 0 && which == LIAR && derive(seed, "again") % 4 == 0) place = s.promises[0].place;
        for (uint256 i = 0; i < PLACES && derive(seed, "posted") % 2 == 0; ++i) {
            (bytes32 there,) = _record(s, (place + i) % PLACES);
            if (there == 0) continue;
            place = (place + i) % PLACES;
            break;
        }
        // A receipt of a round that has not begun is worth nothing: its signer may be replaced.
        if (block.timestamp < _opening(s, place / 6)) return;
        Promise memory p = Promise(place, _message(seed), block.timestamp + derive(seed, "deadline") % 900);
        if (which == HONEST) {
            uint256 at;
            (p.message, at) = _record(s, place);
            if (p.message == 0) return;
            if (p.deadline <= at) p.deadline = at + 1;
        } else if (block.timestamp >= _end(s) + s.terms.responseTime - 1) {
            // Nobody takes a receipt so late that it can no longer be looked up.
            return;
        }
        s.promises.push(p);
        ++count["signed"];
    }

    /// @notice A server has somebody else sign from the next round on.
    function replaceSigner(uint256 seed) external {
        uint256 which = derive(seed, "which") % 2;
        Session storage s = sessions[which];
        uint256 sender = derive(seed, "sender") % 8 == 0 ? STRANGER : which;
        uint256 signer = derive(seed, "signer") % PEOPLE;
        uint256 next = 0;
        while (next < 2 && block.timestamp >= _opening(s, next)) ++next;
        _requires(!s.faulty, IBulletinBoard.SessionFaulty.selector);
        _requires(sender == which, IBulletinBoard.NotServer.selector);
        _requires(next < 2, IBulletinBoard.RoundOutOfRange.selector);
        if (!_do(sender, abi.encodeCall(board.replaceSigner, (s.id, people[signer])))) return;
        for (; next < 2; ++next) {
            s.signers[next] = signer;
        }
        ++count["key replaced"];
    }

    function _mayPost(Session storage s, uint256 place, bool byServer) private {
        (uint256 from, uint256 to) = _window(s, place);
        _requires(!s.faulty, IBulletinBoard.SessionFaulty.selector);
        _requires(byServer, IBulletinBoard.NotServer.selector);
        _requires(block.timestamp >= from, IBulletinBoard.TooEarly.selector);
        _requires(block.timestamp < to, IBulletinBoard.TooLate.selector);
    }

    // ---------------------------------------------------------------- accusations

    function proveEquivocation(uint256 seed) external {
        (Session storage s, Promise memory p, bool some) = _held(seed);
        if (!some) return;
        Promise memory q = _second(s, p, seed);
        if (derive(seed, "forge") % 16 == 0) (q.place, q.message) = (p.place, keccak256("forged"));
        uint256 signer = _signer(seed, s, q);
        _accusable(s, q, signer);
        _requires(p.place == q.place, IBulletinBoard.DifferentKeys.selector);
        _requires(p.message != q.message, IBulletinBoard.SameMessage.selector);
        Receipt memory one = _receipt(s, p, _signerOf(s, p));
        bytes memory data = abi.encodeCall(board.proveEquivocation, (one, _receipt(s, q, signer)));
        if (_accuse(s, data)) ++count["equivocation proved"];
    }

    function proveAltered(uint256 seed) external {
        (Session storage s, Promise memory p, bool some) = _held(seed);
        if (some && _proveAltered(s, p, _signer(seed, s, p))) ++count["alteration proved"];
    }

    function proveAlteredInBatch(uint256 seed) external {
        (Session storage s, Promise memory p, bool some) = _held(seed);
        if (!some) return;
        bytes32 shown = derive(seed, "shown") % 4 == 0 ? _message(seed) : s.leaves[p.place];
        if (_proveAlteredInBatch(s, p, shown, _signer(seed, s, p))) ++count["alteration in batch proved"];
    }

    function proveUnposted(uint256 seed) external {
        (Session storage s, Promise memory p, bool some) = _held(seed);
        if (some && _proveUnposted(s, p, _signer(seed, s, p))) ++count["absence proved"];
    }

    function _proveAltered(Session storage s, Promise memory p, uint256 signer) private returns (bool) {
        _accusable(s, p, signer);
        _requires(!_batched(s, p.place), IBulletinBoard.KindBatched.selector);
        _requires(s.postedAt[p.place] != 0, IBulletinBoard.NotPosted.selector);
        _requires(s.posted[p.place] != p.message, IBulletinBoard.SameMessage.selector);
        return _accuse(s, abi.encodeCall(board.proveAltered, (_receipt(s, p, signer))));
    }

    function _proveAlteredInBatch(Session storage s, Promise memory p, bytes32 shown, uint256 signer)
        private
        returns (bool)
    {
        _accusable(s, p, signer);
        uint256 batch = p.place / MEMBERS;
        _requires(_batched(s, p.place), IBulletinBoard.KindSingle.selector);
        _requires(s.batchAt[batch] != 0, IBulletinBoard.NotPosted.selector);
        _requires(!s.rubbish[batch] && shown == s.leaves[p.place], IBulletinBoard.LeafNotInBatch.selector);
        _requires(shown != p.message, IBulletinBoard.SameMessage.selector);
        bytes32[] memory path = _pathOf(_batchLeaves(s, p.place), p.place % MEMBERS);
        return _accuse(s, abi.encodeCall(board.proveAlteredInBatch, (_receipt(s, p, signer), shown, path)));
    }

    function _proveUnposted(Session storage s, Promise memory p, uint256 signer) private returns (bool) {
        _accusable(s, p, signer);
        (, uint256 at) = _record(s, p.place);
        _requires(block.timestamp >= _due(s, p), IBulletinBoard.TooEarly.selector);
        _requires(at == 0 || at >= _due(s, p), IBulletinBoard.PostedInTime.selector);
        return _accuse(s, abi.encodeCall(board.proveUnposted, (_receipt(s, p, signer))));
    }

    function _accusable(Session storage s, Promise memory p, uint256 signer) private {
        _requires(!s.faulty, IBulletinBoard.SessionFaulty.selector);
        _requires(block.timestamp < _accusationEnd(s), IBulletinBoard.TooLate.selector);
        _requires(signer == _signerOf(s, p), IBulletinBoard.BadSignature.selector);
    }

    function _accuse(Session storage s, bytes memory data) private returns (bool done) {
        done = _do(STRANGER, data);
        if (done) s.faulty = true;
    }

    // ---------------------------------------------------------------- challenges

    function challenge(uint256 seed) external {
        (Session storage s,, uint256 place) = _anywhere(seed);
        uint256 due = _currency(s) == 0 ? s.terms.bond : 0;
        uint256 coins = derive(seed, "coins") % 8 == 0 ? derive(seed, "bond") % 1e9 : due;
        _challenge(s, place, derive(seed, "member") % MEMBERS, coins);
    }

    /// @notice Somebody answers, and the liar only by mood.
    function answer(uint256 seed) external {
        (Session storage s, uint256 which, uint256 place) = _anywhere(seed);
        if (which == HONEST || derive(seed, "mood") % 4 == 0) _answer(s, place, which);
    }

    function settle(uint256 seed) external {
        (Session storage s,, uint256 place) = _anywhere(seed);
        _settle(s, place, derive(seed, "who") % PEOPLE);
    }

    function _challenge(Session storage s, uint256 place, uint256 member, uint256 coins) private {
        _requires(!s.faulty, IBulletinBoard.SessionFaulty.selector);
        _requires(_batched(s, place), IBulletinBoard.KindSingle.selector);
        (, uint256 at) = _record(s, place);
        _requires(at != 0, IBulletinBoard.NotPosted.selector);
        _requires(block.timestamp < _end(s) + s.terms.responseTime, IBulletinBoard.TooLate.selector);
        _requires(s.answerBy[place] == 0, IBulletinBoard.AlreadyChallenged.selector);
        _requires(!_asks(s, member), IBulletinBoard.StillAsking.selector);
        _requires(coins == (_currency(s) == 0 ? s.terms.bond : 0), bytes4(keccak256("WrongPayment(uint256,uint256)")));
        bytes32[] memory path = _pathOf(_memberLeaves(), member);
        bytes memory data = abi.encodeCall(board.challenge, (_key(s, place), member, path));
        if (!_call(FIRST_MEMBER + member, _currency(s), coins, s.terms.bond, 0, data)) return;
        (s.asker[place], s.answerBy[place]) = (people[FIRST_MEMBER + member], block.timestamp + s.terms.responseTime);
        ++count["challenged"];
    }

    function _answer(Session storage s, uint256 place, uint256 sender) private {
        _requires(!s.faulty, IBulletinBoard.SessionFaulty.selector);
        bool open_ = s.asker[place] != address(0) && !s.answered[place];
        _requires(open_, IBulletinBoard.NotChallenged.selector);
        _requires(block.timestamp < s.answerBy[place], IBulletinBoard.TooLate.selector);
        _requires(!s.rubbish[place / MEMBERS], IBulletinBoard.LeafNotInBatch.selector);
        bytes32[] memory path = _pathOf(_batchLeaves(s, place), place % MEMBERS);
        if (!_do(sender, abi.encodeCall(board.answer, (_key(s, place), s.leaves[place], path)))) return;
        s.answered[place] = true;
        ++count["answered"];
    }

    /// @dev Whether a member has a challenge open.
    function _asks(Session storage s, uint256 member) private view returns (bool) {
        for (uint256 place = 0; place < PLACES; ++place) {
            if (s.asker[place] == people[FIRST_MEMBER + member] && !s.answered[place]) return true;
        }
        return false;
    }

    function _settle(Session storage s, uint256 place, uint256 sender) private {
        address asker = s.asker[place];
        _requires(asker != address(0), IBulletinBoard.NotChallenged.selector);
        _requires(s.faulty || !s.answered[place], IBulletinBoard.NotChallenged.selector);
        _requires(s.faulty || block.timestamp >= s.answerBy[place], IBulletinBoard.TooEarly.selector);
        if (!_do(sender, abi.encodeCall(board.settle, (_key(s, place))))) return;
        ++count[s.faulty ? "bond returned" : "silence proved"];
        (s.faulty, s.asker[place]) = (true, address(0));
        for (uint256 i = 0; i < PEOPLE; ++i) {
            if (people[i] == asker) owed[_currency(s)][i] += s.terms.bond;
        }
    }

    // ---------------------------------------------------------------- payouts

    function claimShare(uint256 seed) external {
        (Session storage s,, uint256 member) = _anywhere(seed);
        member %= MEMBERS;
        _claimShare(s, member, derive(seed, "who") % 4 == 0 ? STRANGER : FIRST_MEMBER + member);
    }

    function withdrawStake(uint256 seed) external {
        (Session storage s, uint256 which,) = _anywhere(seed);
        _withdrawStake(s, which, derive(seed, "who") % 8 == 0 ? STRANGER : which);
    }

    function withdrawBonds(uint256 seed) external {
        _withdrawBonds(derive(seed, "currency") % 2, seed % PEOPLE);
    }

    function _claimShare(Session storage s, uint256 member, uint256 sender) private {
        uint256 share = s.terms.stake / MEMBERS;
        _requires(s.faulty, IBulletinBoard.NotFaulty.selector);
        _requires(sender == FIRST_MEMBER + member, IBulletinBoard.NotMember.selector);
        _requires(!s.claimed[member], IBulletinBoard.AlreadyClaimed.selector);
        _requires(share > 0, IBulletinBoard.NothingOwed.selector);
        bytes32[] memory path = _pathOf(_memberLeaves(), member);
        bytes memory data = abi.encodeCall(board.claimShare, (s.id, member, path, people[sender]));
        if (!_call(sender, _currency(s), 0, 0, share, data)) return;
        s.claimed[member] = true;
        ++count["share claimed"];
    }

    function _withdrawStake(Session storage s, uint256 which, uint256 sender) private {
        _requires(!s.faulty, IBulletinBoard.SessionFaulty.selector);
        _requires(sender == which, IBulletinBoard.NotServer.selector);
        _requires(block.timestamp >= _accusationEnd(s), IBulletinBoard.TooEarly.selector);
        _requires(_openChallenges(s) == 0, IBulletinBoard.ChallengesOpen.selector);
        _requires(s.terms.stake > 0 && !s.withdrawn, IBulletinBoard.NothingOwed.selector);
        uint256 due = s.terms.stake;
        for (uint256 place = 0; place < PLACES; ++place) {
            if (s.asker[place] != address(0)) due += s.terms.bond;
        }
        bytes memory data = abi.encodeCall(board.withdrawStake, (s.id, people[sender]));
        if (!_call(sender, _currency(s), 0, 0, due, data)) return;
        s.withdrawn = true;
        for (uint256 place = 0; place < PLACES; ++place) {
            s.asker[place] = address(0);
        }
        ++count["stake withdrawn"];
    }

    function _withdrawBonds(uint256 currency, uint256 person) private {
        uint256 due = owed[currency][person];
        _requires(due > 0, IBulletinBoard.NothingOwed.selector);
        bytes memory data = abi.encodeCall(board.withdrawBonds, (addressOf(currency), people[person]));
        if (!_call(person, currency, 0, 0, due, data)) return;
        owed[currency][person] = 0;
        ++count["bonds withdrawn"];
    }

    // ---------------------------------------------------------------- choices and calls

    /// @dev A session and a place: mostly one whose window is open.
    function _anywhere(uint256 seed) private view returns (Session storage s, uint256 which, uint256 place) {
        which = derive(seed, "which") % 2;
        s = sessions[which];
        place = derive(seed, "place") % PLACES;
        if (derive(seed, "open") % 4 == 0) return (s, which, place);
        for (uint256 i = 0; i < PLACES; ++i) {
            (uint256 from, uint256 to) = _window(s, (place + i) % PLACES);
            if (block.timestamp >= from && block.timestamp < to) return (s, which, (place + i) % PLACES);
        }
    }

    /// @dev A promise that somebody holds, often a broken one.
    function _held(uint256 seed) private view returns (Session storage s, Promise memory p, bool some) {
        uint256 which = derive(seed, "which") % 2;
        s = sessions[which];
        // Mostly they wait, so that a liar gets far enough to lie in every way.
        some = s.promises.length > 0 && (which == HONEST || s.faulty || derive(seed, "patience") % 2 == 0);
        if (!some) return (s, p, some);
        uint256 first = derive(seed, "promise") % s.promises.length;
        p = s.promises[first];
        for (uint256 i = 0; i < s.promises.length && derive(seed, "fit") % 2 == 0; ++i) {
            Promise memory other = s.promises[(first + i) % s.promises.length];
            if (_broken(s, other, block.timestamp)) return (s, other, some);
        }
    }

    /// @dev Another promise: mostly one of the same place, if there is one.
    function _second(Session storage s, Promise memory p, uint256 seed) private view returns (Promise memory q) {
        uint256 first = derive(seed, "second") % s.promises.length;
        q = s.promises[first];
        for (uint256 i = 0; i < s.promises.length && derive(seed, "pair") % 4 > 0; ++i) {
            Promise memory other = s.promises[(first + i) % s.promises.length];
            if (other.place == p.place && other.message != p.message) return other;
        }
    }

    /// @dev Mostly whose signature counts.
    function _signer(uint256 seed, Session storage s, Promise memory p) private view returns (uint256) {
        uint256 right = _signerOf(s, p);
        return derive(seed, "forge") % 8 == 0 ? (right + 1 + derive(seed, "signer") % (PEOPLE - 1)) % PEOPLE : right;
    }

    function _message(uint256 seed) private pure returns (bytes32) {
        return keccak256(abi.encode("message", derive(seed, "message") % 3));
    }

    /// @dev A call that moves no money.
    function _do(uint256 person, bytes memory data) private returns (bool) {
        return _call(person, 0, 0, 0, 0, data);
    }

    /// @dev Sends coins, takes `price` in a currency and pays out exactly what is due in it, or is refused and moves
    /// nothing.
    function _call(uint256 person, uint256 currency, uint256 coins, uint256 price, uint256 due, bytes memory data)
        private
        returns (bool done)
    {
        address caller = people[person];
        uint256 before = balanceOf(currency, caller);
        vm.deal(address(this), coins);
        (done,) = _attempt(address(board), caller, coins, data);
        uint256 paid = balanceOf(currency, caller) + (done ? price : 0) - before;
        if (paid != (done ? due : 0)) revert PaidWrongly(person, paid, due);
        if (done) (paidIn[currency], paidOut[currency]) = (paidIn[currency] + price, paidOut[currency] + due);
    }
}
