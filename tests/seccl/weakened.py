"""Copies of the board with one defence taken out, against which an attack must succeed."""

from __future__ import annotations

from tests.kit.weakened import Weakenings

BOARD = "contracts/seccl/BulletinBoard.sol"
_SESSIONS = "contracts/seccl/board/BoardSessions.sol"
_HEAD = "contracts/seccl/board/SessionHead.sol"
_TREES = "contracts/seccl/board/BoardTrees.sol"
_ANY_RESPONSE_TIME = (
    _SESSIONS,
    "require(t.responseTime <= limit, ResponseTimeTooLong(t.responseTime, limit));",
    "",
)
WEAKENINGS: Weakenings = {
    # As long a time for responses as for uploads, ten minutes at least, would stand against it too.
    "takes any window": (
        (_SESSIONS, "        Window.check(t.uploadTime);\n", ""),
        _ANY_RESPONSE_TIME,
    ),
    "takes any response time": _ANY_RESPONSE_TIME,
    "what an author posts itself is nothing": (
        BOARD,
        "if (_ownPosts[key.session][_place(key)].time != 0) return false;",
        "",
    ),
    "overwrites posts": (
        BOARD,
        "require(place.time == 0, AlreadyPosted(place.time));",
        "",
    ),
    "takes late for in time": (BOARD, "postedAt == 0 || postedAt >= due", "postedAt == 0"),
    "believes any signature": (
        BOARD,
        "require(signer == expected, BadSignature(signer, expected));",
        "(signer, expected);",
    ),
    "the newest key has signed all": (
        _SESSIONS,
        "entries.upperBound((round + 1 << 160) - 1)",
        "entries.length",
    ),
    "old keys sign for ever": (_SESSIONS, "(round + 1 << 160) - 1", "(1 << 160) - 1"),
    "a new key counts at once": (
        _HEAD,
        "(time - self.start()) / (self.uploadTime() + self.evaluationTime()) + 1",
        "(time - self.start()) / (self.uploadTime() + self.evaluationTime())",
    ),
    "takes own posts for the server's": (
        BOARD,
        "_put(head, _ownPosts[key.session][_place(key)], key.round, key.kind, message);",
        "_put(head, _posts[key.session][_place(key)], key.round, key.kind, message);",
    ),
    "answers from any place": (
        BOARD,
        "        _inRange(head, key);\n        asked = _challenges",
        "        asked = _challenges",
    ),
    "forgets open questions": (
        _SESSIONS,
        "require(account.openChallenges == 0, ChallengesOpen(account.openChallenges));",
        "",
    ),
    "pays shares without marking": (
        _SESSIONS,
        "_claimed[session][member >> 8] |= 1 << (member & 255);",
        "",
    ),
    "leaves have no place": (
        _TREES,
        "_leaf(domain, index, message)",
        "_leaf(domain, 0, message)",
    ),
    "bonds of answers are the server's": (
        BOARD,
        "_earned[key.session] += account.bond;",
        "(owed[address(0)][head.server()], asked.challenger) = (account.bond, address(0));",
    ),
    "all bonds are in coins": (
        BOARD,
        "owed[_tokenOf(key.session)][asked.challenger] += account.bond;",
        "owed[address(0)][asked.challenger] += account.bond;",
    ),
    "members ask without bound": (
        BOARD,
        "require(_markAsking(key.session, member, true), StillAsking(member));",
        "_markAsking(key.session, member, true);",
    ),
    "one answer too many spoils all": (
        BOARD,
        "if (asked.answered || block.timestamp >= asked.deadline) continue;",
        "require(!asked.answered);",
    ),
}
