"""What a bulletin board costs: every call, and what grows with 20, 30, 100 and 1,000 members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ape.api import ReceiptAPI

from offchain.crypto import commitments as cm
from offchain.crypto.settlement import NATIVE
from tests.gas.floors import Deed, floor
from tests.seccl.board_driver import (
    DOCUMENT,
    UPLOAD,
    BoardDriver,
    key_args,
    make_terms,
    open_session,
)

MEMBERS = (20, 30, 100, 1_000)
FLAT_AT = 30
BOND = 10**15
SHARE = 10**15

# What each call has to leave behind or look up, whatever the code. Every call of an open session
# must see that its server is not convicted; members are known by a root, convictions are a mark.
DEEDS = {
    # The digests of offer and task, and a time.
    "announce": Deed(told_bytes=96),
    "createSession": Deed(new_slots=1),
    # A session's first: an entry, and how many there are.
    "replaceSigner": Deed(new_slots=2, read_slots=1),
    # The event has the digest by which readers find what was posted.
    "post": Deed(new_slots=1, read_slots=1, told_bytes=32),
    "postBatch": Deed(new_slots=1, read_slots=1, told_bytes=32),
    "postOwn": Deed(new_slots=1, read_slots=2, told_bytes=32),
    "proveEquivocation": Deed(changed_slots=1),
    "proveAltered": Deed(changed_slots=1, read_slots=1),
    "proveUnposted": Deed(changed_slots=1, read_slots=1),
    "proveAlteredInBatch": Deed(changed_slots=1, read_slots=1),
    # The question; the root of the batch and that of the members.
    "challenge": Deed(new_slots=1, read_slots=3),
    # The question is closed and the bond credited, both where something was before.
    "answer": Deed(changed_slots=2, read_slots=2),
    # The mark, the question, and the bond where nothing was before.
    "settle": Deed(new_slots=1, changed_slots=1, cleared_slots=1),
    "claimShare": Deed(changed_slots=1, read_slots=2, payments=1),
    "withdrawStake": Deed(changed_slots=1, payments=1),
    "withdrawBonds": Deed(cleared_slots=1, payments=1),
}


@dataclass(frozen=True)
class Call:
    """Gas of one transaction, and its floor."""

    gas: int
    floor: int


@dataclass(frozen=True)
class Listed:
    """A member of whom only the address is known."""

    address: str


@dataclass(frozen=True)
class Measured:
    """Calls that cost the same at any number of members, and calls by that number."""

    flat: dict[str, Call]
    growing: dict[int, dict[str, Call]]

    @property
    def figures(self) -> dict[str, int]:
        """Gas by name, as the snapshot keeps it."""
        growing = {
            f"{name}, {members} members": call.gas
            for members, calls in self.growing.items()
            for name, call in calls.items()
        }
        return {name: call.gas for name, call in self.flat.items()} | growing


def measure_board(project: Any, accounts: Sequence[Any]) -> Measured:
    """Every call of a fresh board."""
    board = project.BulletinBoard.deploy(sender=accounts[0])
    return Measured(
        _flat(board, accounts),
        {members: _growing(board, accounts, members) for members in MEMBERS},
    )


def _members(accounts: Sequence[Any], count: int) -> list[Any]:
    """Test accounts at the indices that act, addresses of nobody elsewhere."""
    members: list[Any] = [Listed(f"0x{i:040x}") for i in range(2**150, 2**150 + count)]
    members[: len(accounts) - 1] = accounts[1:][:count]
    return members


def _call(name: str, receipt: ReceiptAPI) -> Call:
    return Call(receipt.gas_used, floor(bytes(receipt.data), DEEDS[name]))


def _flat(board: Any, accounts: Sequence[Any]) -> dict[str, Call]:
    """Calls of sessions with single posts, and those that need no path."""
    server, accuser = accounts[0], accounts[1]
    members = _members(accounts, FLAT_AT)

    def fresh(rounds: int, **changes: Any) -> BoardDriver:
        """A session unlike the others here, told apart by its rounds."""
        stake = FLAT_AT * SHARE
        return open_session(
            board, server, members, rounds=rounds, stake=stake, bond=BOND, **changes
        )

    terms = make_terms(board, server, members, stake=FLAT_AT * SHARE, bond=BOND)
    receipts = {
        "announce": board.announce(terms.document, DOCUMENT, terms.start, sender=server),
        "createSession": board.createSession(
            terms.words(), terms.document, value=terms.stake, sender=server
        ),
    }

    session = fresh(4)
    key = session.key(7, 1)
    receipts["post"] = session.post(key)
    altered = session.receipt(key, b"another")
    receipts["proveAltered"] = board.proveAltered(altered, sender=accuser)

    session = fresh(5)
    two = session.receipt(session.key(7, 1)), session.receipt(session.key(7, 1), b"another")
    receipts["proveEquivocation"] = board.proveEquivocation(*two, sender=accuser)

    session = fresh(6)
    key = session.key(7, 1)
    session.go_to(session.due(key))
    receipts["proveUnposted"] = board.proveUnposted(session.receipt(key), sender=accuser)

    session = fresh(7, batched_uploads=True)
    session.post_batch(session.messages())
    session.go_to(session.challenge(session.key(7), member=3))
    receipts["settle"] = board.settle(key_args(session.key(7)), sender=accuser)
    receipts["withdrawBonds"] = board.withdrawBonds(NATIVE, members[3], sender=members[3])

    session = fresh(9)
    receipts["replaceSigner"] = board.replaceSigner(session.id, accuser, sender=server)

    session = fresh(8)
    session.go_to(session.terms.accusation_end)
    receipts["withdrawStake"] = board.withdrawStake(session.id, server, sender=server)
    return {name: _call(name, receipt) for name, receipt in receipts.items()}


def _growing(board: Any, accounts: Sequence[Any], count: int) -> dict[str, Call]:
    """Calls of a batched session: one root, paths that are as long as the tree is high."""
    server, accuser = accounts[0], accounts[1]
    members = _members(accounts, count)
    session = open_session(
        board, server, members,
        batched_uploads=True, batched_evaluations=True, stake=count * SHARE, bond=BOND,
    )  # fmt: skip
    key = session.key(7)
    receipts = {"postOwn": session.post_own(key, session.message(key))}
    leaves = session.leaves(session.messages())
    receipts["postBatch"] = board.postBatch(
        session.id, 0, int(UPLOAD), cm.root_of(leaves), DOCUMENT, sender=server
    )
    # The second of two questions and answers: the first fills slots that all others share.
    for author in (6, 7):
        asked = session.key(author)
        receipts["challenge"] = board.challenge(
            key_args(asked), 3, session.member_path(3), value=BOND, sender=members[3]
        )
        receipts["answer"] = board.answer(
            key_args(asked), session.message(asked), cm.path(leaves, author), sender=server
        )
    broken = session.receipt(key, b"another")
    receipts["proveAlteredInBatch"] = board.proveAlteredInBatch(
        broken, session.message(key), cm.path(leaves, 7), sender=accuser
    )
    for member in (6, 7):
        receipts["claimShare"] = board.claimShare(
            session.id, member, session.member_path(member), members[member], sender=members[member]
        )
    return {name: _call(name, receipt) for name, receipt in receipts.items()}
