"""What a letter is, where it belongs, and what every post does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from eth_hash.auto import keccak

from offchain.crypto import eip712
from offchain.crypto.commitments import word
from offchain.errors import SoukError

MAX_BODY_BYTES = 4_096
"""Of a letter. What is larger lies in the datastore, and the letter has its CID."""
MOST_LETTERS = 8_192
"""Of one sender under one topic."""
MOST_RUNS = 16
"""Of one sender under one topic: how often it may lose its letters and still be heard."""

DOMAIN_NAME = "Souk post"
DOMAIN_VERSION = "2"
_TOPIC_TYPE = keccak(b"souk.post.topic.v1")


class PostError(SoukError):
    """A letter that cannot be sent, or a place for letters that cannot be used."""


class PostFull(PostError):
    """A sender or a topic with as many letters as are kept."""


@dataclass(frozen=True)
class Letter:
    """What somebody said.

    Attributes:
        sender: 0x account, as the topic's other letters have it.
        number: of the sender's letters of this run, from 0.
        body: up to `MAX_BODY_BYTES` bytes, which mean what the topic's parties agree on.
        run: seconds of the sender's clock as it began to number. Who lost its letters begins a new
            one: else it would give numbers again that others have, and be heard by nobody.
    """

    sender: str
    number: int
    body: bytes
    run: int = 0


@dataclass(frozen=True)
class Topic:
    """What letters are about; both sides derive it alike.

    Attributes:
        chain_id: of the chain. contract: 0x address.
        subject: 32 bytes, the id of an order or a session in that contract.
    """

    chain_id: int
    contract: str
    subject: bytes

    def __post_init__(self) -> None:
        if len(self.subject) != 32:
            raise PostError(f"a topic's subject has 32 bytes, not {len(self.subject)}")

    @property
    def name(self) -> str:
        """By which nodes and disks know it."""
        words = (word(one) for one in (_TOPIC_TYPE, self.chain_id, self.contract, self.subject))
        return f"souk-post-2-{keccak(b''.join(words)).hex()}"

    def typed(self, run: int, number: int, body: bytes) -> dict[str, Any]:
        """A letter as EIP-712 typed data, for its sender to sign."""
        return {
            "types": {
                eip712.DOMAIN: _fields(
                    {
                        "name": "string",
                        "version": "string",
                        "chainId": "uint256",
                        "verifyingContract": "address",
                    }
                ),
                "Letter": _fields(
                    {
                        "subject": "bytes32",
                        "run": "uint256",
                        "number": "uint256",
                        "body": "bytes32",
                    }
                ),
            },
            "primaryType": "Letter",
            "domain": {
                "name": DOMAIN_NAME,
                "version": DOMAIN_VERSION,
                "chainId": self.chain_id,
                "verifyingContract": self.contract,
            },
            "message": {
                "subject": self.subject,
                "run": run,
                "number": number,
                "body": keccak(body),
            },
        }


class Post(Protocol):
    """The letters of one topic, as one party writes and reads them.

    A letter that was sent stays, whoever is killed, so a party that starts again reads its own,
    too. Everybody who knows the topic reads it: what is secret is sealed, or lies sealed in the
    datastore. Whoever carries a letter answers for its sender, not for what it says.
    """

    address: str
    """0x account of the party."""

    def send(self, body: bytes) -> Letter:
        """Sends a letter. Raises PostError for one that is too long, PostFull."""

    def letters(self) -> list[Letter]:
        """All so far, one's own included, in the order in which they came to this party; of each
        sender's run by number, without a gap. Raises DatastoreUnavailable where none can come."""

    def close(self) -> None:
        """Releases what is held. Closing twice is fine."""


def check_body(body: bytes) -> None:
    """Raises PostError for one that no letter has."""
    if len(body) > MAX_BODY_BYTES:
        raise PostError(f"a letter has at most {MAX_BODY_BYTES} bytes, not {len(body)}")


def _fields(types: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in types.items()]
