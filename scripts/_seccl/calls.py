"""What roles want done, as calls of a BulletinBoard or a BordaConsensus."""

from __future__ import annotations

from typing import Any

from ape.contracts import ContractInstance

from offchain.seccl import actions as do
from offchain.seccl.documents import SignedReceipt
from offchain.seccl.messages import PostKey

Call = tuple[ContractInstance, str, tuple[Any, ...]]
"""Contract, method and arguments."""


def call_of(action: do.Action, board: ContractInstance, consensus: ContractInstance) -> Call:
    """The call that does it."""
    match action:
        case do.Post(key, message, document):
            return board, "post", (key_words(key), message, document)
        case do.PostBatch(session, round_, kind, root, document):
            return board, "postBatch", (session, round_, int(kind), root, document)
        case do.PostOwn(key, message, path, document):
            return board, "postOwn", (key_words(key), message, document, list(path))
        case do.ProveEquivocation(one, other):
            return board, "proveEquivocation", (_receipt(one), _receipt(other))
        case do.ProveAltered(receipt):
            return board, "proveAltered", (_receipt(receipt),)
        case do.ProveAlteredInBatch(receipt, posted, path):
            return board, "proveAlteredInBatch", (_receipt(receipt), posted, list(path))
        case do.ProveUnposted(receipt):
            return board, "proveUnposted", (_receipt(receipt),)
        case do.Challenge(key, member, path):
            return board, "challenge", (key_words(key), member, list(path))
        case do.Answer(key, message, path):
            return board, "answer", (key_words(key), message, list(path))
        case do.AnswerMany(leaves):
            shown = [(key_words(one.key), one.message, list(one.path)) for one in leaves]
            return board, "answerMany", (shown,)
        case do.Settle(key):
            return board, "settle", (key_words(key),)
        case do.ClaimShare(session, member, path, to):
            return board, "claimShare", (session, member, list(path), to)
        case do.ReplaceSigner(session, signer):
            return board, "replaceSigner", (session, signer)
        case do.WithdrawStake(session, to):
            return board, "withdrawStake", (session, to)
        case do.OpenRound(round_):
            return consensus, "openRound", (round_,)
        case do.ReportAbsent(round_, absent):
            reports = [
                consensus.reportAbsent.encode_input(round_, member, list(path))
                for member, path in absent
            ]
            return consensus, "batch", (reports,)
        case do.Relay(ballots):
            return consensus, "batch", ([_carried(one, consensus) for one in ballots],)
        case do.Vote(round_, voter, ballot):
            return consensus, "vote", (round_, voter, int(ballot.form), ballot.content)
        case do.Commit(round_, voter, commitment):
            return consensus, "commit", (round_, voter, commitment)
        case do.Reveal():
            return consensus, "reveal", _opening(action)
        case do.Close(round_, candidates):
            return consensus, "close", (round_, candidates)


def key_words(key: PostKey) -> tuple[bytes, int, int, int]:
    """A place on the board as its calls take it."""
    return key.session, key.round, int(key.kind), key.author


def _receipt(signed: SignedReceipt) -> tuple[Any, ...]:
    receipt = signed.receipt
    return key_words(receipt.key), receipt.message, receipt.deadline, signed.signature


def _carried(one: do.Carried, consensus: ContractInstance) -> Any:
    """The data of the call that the server makes for a member."""
    match one:
        case do.SignedBallot(round_, voter, ballot, r, vs):
            words = round_, voter, int(ballot.form), ballot.content, r, vs
            return consensus.voteSigned.encode_input(words)
        case do.SignedCommitment(round_, voter, commitment, r, vs):
            return consensus.commitSigned.encode_input(round_, voter, commitment, r, vs)
        case do.Reveal():
            return consensus.reveal.encode_input(*_opening(one))


def _opening(one: do.Reveal) -> tuple[Any, ...]:
    return one.round, one.voter, int(one.ballot.form), one.ballot.content, one.salt
