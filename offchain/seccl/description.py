"""What the members of a session agree on besides the board's terms: one canonical document."""

from __future__ import annotations

import re
from dataclasses import asdict, astuple, dataclass
from typing import Any, TypeVar

from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical
from offchain.seccl.image_privacy import ImagePrivacy
from offchain.seccl.likeness import Likeness

MAX_DESCRIPTION_BYTES = 200_000
"""Room for the 2,047 members that a board allows."""

BALLOTS = ("open", "hidden", "scores")
"""How members vote: by open rankings, by rankings hidden until all have committed to theirs, or by
the paper's ballots of evaluations, which the contract sorts."""

_TYPE = "souk.seccl.session.v4"
_WHAT = "a session's description"

_NETWORK = re.compile(r"[A-Za-z_][A-Za-z0-9_.:]{0,199}")

_Pair = TypeVar("_Pair", Likeness, ImagePrivacy)


@dataclass(frozen=True)
class Description:
    """What members agree on besides the board's terms, and all that an auditor needs.

    members: 0x addresses, by index. consensus: 0x address of the factory of BordaConsensus.
    winners: M. quorum: of ballots. ballots: one of BALLOTS. ballot_time, reveal_time: seconds for
    ballots, or commitments to them, from the beginning of a round's window for evaluations, and for
    openings after that, 0 unless ballots are hidden. screen: what counts as a copy, which
    members evaluate at 0; None: none is sought. parameters: of the model. share: of them that is
    uploaded. network: the model's name, as `networks.factory_named` takes it; model: digest, in
    hex, of the first global model, made for `classes` and `shape` (C, H, W) and drawn from `seed`.
    batch, epochs, learning_rate, image_privacy: what each member has promised to train with, as
    TrainingSettings has it; nobody can check it. task: digest, in hex, in the CID of the task
    document, whose classes, in its order, are the model's.
    """

    members: tuple[str, ...]
    consensus: str
    winners: int
    quorum: int
    ballots: str
    ballot_time: int
    reveal_time: int
    screen: Likeness | None
    parameters: int
    share: float
    network: str
    model: str
    classes: int
    shape: tuple[int, int, int]
    seed: int
    image_privacy: ImagePrivacy | None
    batch: int
    epochs: int
    learning_rate: float
    task: str

    @property
    def hidden(self) -> bool:
        """Whether ballots are hidden until all have committed to theirs."""
        return self.ballots == "hidden"

    def to_bytes(self) -> bytes:
        """The document as canonical JSON, the same bytes for the same description."""
        return to_canonical(self.document())

    def document(self) -> dict[str, Any]:
        """What the document says, by name."""
        fields = asdict(self)
        for name in ("members", "shape"):
            fields[name] = list(fields[name])
        for name in ("screen", "image_privacy"):
            pair = getattr(self, name)
            fields[name] = [] if pair is None else list(astuple(pair))
        return {"type": _TYPE, **fields}

    @classmethod
    def from_bytes(cls, data: bytes) -> Description:
        """The inverse of `to_bytes`, of untrusted bytes. Raises DocumentError."""
        return cls.of(from_canonical(data, _WHAT, MAX_DESCRIPTION_BYTES))

    @classmethod
    def of(cls, document: Any) -> Description:
        """The inverse of `document`, of what a stranger wrote. Raises DocumentError."""
        kinds: dict[str, type | tuple[type, ...]] = {
            "type": str,
            "members": list,
            "consensus": str,
            "winners": int,
            "quorum": int,
            "ballots": str,
            "ballot_time": int,
            "reveal_time": int,
            "screen": list,
            "parameters": int,
            "share": (int, float),
            "network": str,
            "model": str,
            "classes": int,
            "shape": list,
            "seed": int,
            "image_privacy": list,
            "batch": int,
            "epochs": int,
            "learning_rate": (int, float),
            "task": str,
        }
        values = dict(zip(kinds, take(document, _WHAT, **kinds), strict=True))
        kind, shape = values.pop("type"), values["shape"]
        if kind != _TYPE:
            raise DocumentError(f"{_WHAT} has the type {_TYPE}, not {kind!r:.60}")
        if not all(isinstance(member, str) for member in values["members"]):
            raise DocumentError(f"{_WHAT}: members are addresses")
        if values["ballots"] not in BALLOTS:
            raise DocumentError(
                f"{_WHAT}: ballots are {', '.join(BALLOTS)}, not {values['ballots']!r:.60}"
            )
        if (values["ballots"] == "hidden") != (values["reveal_time"] > 0):
            raise DocumentError(
                f"{_WHAT}: {values['ballots']} ballots are opened for {values['reveal_time']} s"
            )
        for name, most in (
            ("batch", 2**31),
            ("epochs", 2**31),
            ("share", 1),
            ("learning_rate", 10),
        ):
            if not 0 < values[name] <= most:
                raise DocumentError(
                    f"{_WHAT}: {name} must be above 0, at most {most}, not {values[name]!r:.40}"
                )
        if not _NETWORK.fullmatch(values["network"]):
            raise DocumentError(
                f"{_WHAT}: network is a model's name, not {values['network']!a:.80}"
            )
        if not 0 <= values["seed"] < 2**32:
            raise DocumentError(
                f"{_WHAT}: seed must be 0 to {2**32 - 1}, not {values['seed']!r:.40}"
            )
        if len(bytes_in(values["task"])) != 32:
            raise DocumentError(f"{_WHAT}: task is 64 hex digits, not {values['task']!r:.80}")
        if len(shape) != 3 or not all(type(side) is int for side in shape):
            raise DocumentError(f"{_WHAT}: shape is three whole numbers, not {shape!r:.60}")
        return cls(
            **values
            | {
                "members": tuple(values["members"]),
                "shape": tuple(shape),
                "screen": _pair(Likeness, "screen", values["screen"]),
                "image_privacy": _pair(ImagePrivacy, "image_privacy", values["image_privacy"]),
            }
        )


def bytes_in(text: str) -> bytes:
    """The bytes that lower hex digits name; none where they name none."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return b""
    return found if found.hex() == text else b""


def majority(members: int) -> int:
    """The least quorum that no two groups of members reach apart."""
    return members // 2 + 1


def voting_times(window: int, ballots: str) -> dict[str, int]:
    """`ballot_time` and `reveal_time` within a window of so many seconds for evaluations.

    Voting ends with the first half of it, for in the second half members post what the server has
    not.
    """
    half = window // 2
    if ballots == "hidden":
        return {"ballot_time": half // 2, "reveal_time": half // 2}
    return {"ballot_time": half, "reveal_time": 0}


def _pair(kind: type[_Pair], name: str, said: list[Any]) -> _Pair | None:
    if not said:
        return None
    try:
        if len(said) != 2 or not all(type(number) in (int, float) for number in said):
            raise ValueError("it is nothing, or two numbers")
        return kind(*said)
    except ValueError as error:
        raise DocumentError(f"{_WHAT}: {name} cannot be {said!r:.60}: {error}") from error
