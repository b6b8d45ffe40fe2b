"""What board and consensus tell, as the events that roles know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ape
from ape.types import ContractLog

from offchain.seccl import session as ev
from offchain.seccl.ballots import Ballot, Form
from offchain.seccl.messages import MessageKind, PostKey, SessionTerms


def board_event(log: ContractLog) -> Iterator[ev.Event]:
    """The event of a board, if roles look at it."""
    said = log.event_arguments
    name = log.event_name
    if name in ("Posted", "OwnPosted"):
        message, document = bytes(said["message"]), bytes(said["document"])
        yield ev.PostedAt(key_in(said), message, name == "OwnPosted", document)
    elif name == "BatchPosted":
        kind = MessageKind(said["kind"])
        session, root, document = (bytes(said[word]) for word in ("session", "root", "document"))
        yield ev.BatchPostedAt(session, said["round"], kind, root, document)
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
