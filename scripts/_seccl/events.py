"""What board and consensus tell, as the events that roles know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ape
from ape.types import ContractLog

from offchain.seccl import session as ev
from offchain.seccl.ballots import Ballot, Form
from offchain.seccl.messages import MessageKind, PostKey, SessionTerms

_POST_BYTES = {"Posted": 164, "BatchPosted": 132}
"""Length of the calldata without a note."""


class PostNotes:
    """What stands behind the arguments of calls that posted; each is asked for once."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def __call__(self, log: ContractLog) -> bytes:
        """The 32 bytes behind the arguments of the call that emitted `log`; zeros for nothing."""
        hash_ = log.transaction_hash
        if hash_ not in self._known:
            found = ape.chain.provider.make_request("eth_getTransactionByHash", [hash_])
            data = bytes.fromhex(found["input"].removeprefix("0x"))
            used = _POST_BYTES.get(log.event_name)
            if used is None:  # postOwn: six words, then the length of the path and the path
                used = 4 + 32 * 7 + 32 * int.from_bytes(data[4 + 32 * 6 : 4 + 32 * 7], "big")
            self._known[hash_] = data[used:] if len(data) == used + 32 else bytes(32)
        return self._known[hash_]


def board_event(log: ContractLog, note: Callable[[ContractLog], bytes]) -> Iterator[ev.Event]:
    """The event of a board, if roles look at it; `note` finds what a post carries besides."""
    said = log.event_arguments
    name = log.event_name
    if name in ("Posted", "OwnPosted"):
        yield ev.PostedAt(key_in(said), bytes(said["message"]), name == "OwnPosted", note(log))
    elif name == "BatchPosted":
        kind = MessageKind(said["kind"])
        root = bytes(said["root"])
        yield ev.BatchPostedAt(bytes(said["session"]), said["round"], kind, root, note(log))
    elif name == "Challenged":
        yield ev.Challenged(key_in(said), str(said["challenger"]), said["deadline"])
    elif name == "Answered":
        path = tuple(map(bytes, said["path"]))
        yield ev.Answered(key_in(said), bytes(said["message"]), path)
    elif name == "ChallengeReturned":
        yield ev.ChallengeReturned(key_in(said))
    elif name == "SignerReplaced":
        yield ev.SignerReplaced(said["round"], str(said["signer"]))
    elif name == "ServerFaulty":
        words = bytes(said["signed"]), bytes(said["found"])
        yield ev.ServerFaulty(
            str(said["accuser"]), int(said["fault"]), key_in(said), *words, said["share"]
        )
    elif name == "ShareClaimed":
        yield ev.ShareClaimed(said["member"], said["amount"])
    elif name == "StakeWithdrawn":
        yield ev.StakeWithdrawn(said["amount"])


def consensus_event(log: ContractLog) -> Iterator[ev.Event]:
    """The event of a consensus, if roles look at it."""
    said = log.event_arguments
    if log.event_name == "RoundOpened":
        opener, seed = str(said["opener"]), bytes(said["seed"])
        ends = said["ballotEnd"], said["revealEnd"]
        yield ev.RoundOpened(said["round"], opener, seed, *ends)
    elif log.event_name == "ReportedAbsent":
        yield ev.ReportedAbsent(said["round"], said["member"])
    elif log.event_name == "Committed":
        yield ev.Committed(said["round"], said["voter"], bytes(said["commitment"]))
    elif log.event_name == "BallotCounted":
        ballot = Ballot(Form(said["form"]), bytes(said["content"]))
        yield ev.BallotCounted(said["round"], said["voter"], ballot)
    elif log.event_name == "RoundClosed":
        winners, points = tuple(said["winners"]), tuple(said["points"])
        yield ev.RoundClosed(said["round"], said["ballots"], winners, points)


def key_in(said: Any) -> PostKey:
    """The place on the board that an event's fields name."""
    kind = MessageKind(said["kind"])
    return PostKey(bytes(said["session"]), said["round"], kind, said["author"])


def terms_in(said: Any, document: bytes) -> SessionTerms:
    """The terms in an event, which tells a structure as a list."""
    server, root, *rest, token = said
    address = ape.chain.provider.network.ecosystem.decode_address
    words = str(address(server)), bytes(root), *rest, document, str(address(token))
    return SessionTerms(*words)
