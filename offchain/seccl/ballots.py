"""Ballots as they travel: packed, hidden behind a commitment, and as EIP-712 data to be signed.

The Python twin of ``contracts/seccl/borda/BallotHash.sol`` and of the two forms of a ballot's
content. Typed data are plain dictionaries in the layout of ``eth_signTypedData_v4``; whoever holds
the keys signs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from eth_hash.auto import keccak

from offchain.crypto.commitments import word

DOMAIN_NAME = "Souk Borda"
DOMAIN_VERSION = "1"
HIDDEN_TYPE = keccak(b"souk.borda.ballot.v1")
MAX_BYTE_NAMES = 256
"""Up to so many members, a name in a packed ranking takes one byte, else two."""
MAX_SCORE = 65_535

TypedData = dict[str, Any]

_DOMAIN_FIELDS = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]


class Form(IntEnum):
    """What a ballot holds: a ranking of candidates, or a score for each."""

    RANKING = 0
    SCORES = 1


@dataclass(frozen=True)
class Ballot:
    """What a voter casts: `content` as `pack_ranking` or `pack_scores` makes it."""

    form: Form
    content: bytes


def pack_ranking(ranking: Sequence[int], members: int) -> Ballot:
    """A ballot that names members, best first, in one or two bytes each.

    Raises:
        ValueError: a name is not 0 to members - 1. Other rules are `Election.check`'s.
    """
    width = _width(members)
    for name in ranking:
        if not 0 <= name < members:
            raise ValueError(f"name {name} is not one of {members} members")
    return Ballot(Form.RANKING, b"".join(name.to_bytes(width, "big") for name in ranking))


def unpack_ranking(content: bytes, members: int) -> list[int]:
    """The names in a packed ranking, best first; the inverse of `pack_ranking`."""
    width = _width(members)
    if len(content) % width:
        raise ValueError(f"{len(content)} bytes are no names of {width} bytes each")
    starts = range(0, len(content), width)
    return [int.from_bytes(content[i : i + width], "big") for i in starts]


def pack_scores(scores: Sequence[float], voter: int) -> Ballot:
    """A ballot of evaluations: for each member a score from 0 to 1, rounded to 1/65,535.

    The voter's own score is not cast. Raises ValueError on NaN and on what is out of range.
    """
    steps = []
    for member, score in enumerate(scores):
        if not 0 <= score <= 1:
            raise ValueError(f"score {score} of member {member} is not between 0 and 1")
        steps.append(0 if member == voter else round(score * MAX_SCORE))
    return pack_steps(steps)


def pack_steps(steps: Sequence[int]) -> Ballot:
    """A ballot of evaluations already in steps of 1/65,535, by member, 0 for the voter's own."""
    return Ballot(Form.SCORES, b"".join(step.to_bytes(2, "big") for step in steps))


def unpack_scores(content: bytes) -> list[int]:
    """The scores in a ballot of evaluations, 0 to 65,535 each, by member."""
    if len(content) % 2:
        raise ValueError(f"{len(content)} bytes are no scores of 2 bytes each")
    return [int.from_bytes(content[i : i + 2], "big") for i in range(0, len(content), 2)]


@dataclass(frozen=True)
class Poll:
    """One round of one session on one chain: what every ballot is bound to.

    Attributes:
        chain_id: the chain's id.
        contract: 0x address of the session's BordaConsensus.
        context: 32 bytes of the session's terms.
        round: 0 to 65,534, as on the bulletin board.
    """

    chain_id: int
    contract: str
    context: bytes
    round: int

    def ballot(self, voter: str, ballot: Ballot) -> TypedData:
        """The typed data by whose signature `voter`, a 0x address, casts a ballot."""
        fields = [("form", "uint8"), ("content", "bytes")]
        return self._typed(
            "Ballot", fields, voter, {"form": int(ballot.form), "content": ballot.content}
        )

    def commitment(self, voter: str, commitment: bytes) -> TypedData:
        """The typed data by whose signature `voter` commits to a ballot."""
        return self._typed(
            "Commitment", [("commitment", "bytes32")], voter, {"commitment": commitment}
        )

    def hide(self, voter: str, ballot: Ballot, salt: bytes) -> bytes:
        """The commitment of `voter`, a 0x address; `salt` is 32 secret random bytes."""
        return keccak(
            HIDDEN_TYPE
            + word(self.chain_id)
            + word(self.contract)
            + word(self.context)
            + word(self.round)
            + word(voter)
            + word(int(ballot.form))
            + keccak(ballot.content)
            + word(salt)
        )

    def _typed(
        self, kind: str, fields: list[tuple[str, str]], voter: str, values: dict[str, Any]
    ) -> TypedData:
        head = [("context", "bytes32"), ("round", "uint16"), ("voter", "address")]
        return {
            "types": {
                "EIP712Domain": _DOMAIN_FIELDS,
                kind: [{"name": name, "type": type_} for name, type_ in head + fields],
            },
            "primaryType": kind,
            "domain": {
                "name": DOMAIN_NAME,
                "version": DOMAIN_VERSION,
                "chainId": self.chain_id,
                "verifyingContract": self.contract,
            },
            "message": {"context": self.context, "round": self.round, "voter": voter} | values,
        }


def compact(r: int, s: int, v: int) -> tuple[bytes, bytes]:
    """A signature as the contract takes it (EIP-2098): r, and s with the parity in its top bit.

    Args:
        r: from the signature.
        s: from the signature, in the lower half of the group order.
        v: 27 or 28.
    """
    if v not in (27, 28):
        raise ValueError(f"v must be 27 or 28, not {v}")
    if s >> 255:
        raise ValueError(f"s must be in the lower half of the group order, not {s:#x}")
    return r.to_bytes(32, "big"), (s | (v - 27) << 255).to_bytes(32, "big")


def _width(members: int) -> int:
    return 1 if members <= MAX_BYTE_NAMES else 2
