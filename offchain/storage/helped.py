"""A node with help: gateways to read from what it does not find, services that keep what it has,
and a ledger of what that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from offchain.storage.checks import check_size
from offchain.storage.cid import DAG_PB, cid_of, codec_of, digest_of
from offchain.storage.datastore import ContentError, ContentMissing, DatastoreUnavailable
from offchain.storage.gateway import Gateway
from offchain.storage.ledger import Ledger
from offchain.storage.pinning import ALIVE, PINNED, PinService, read_token
from offchain.storage.pubsub import Node

if TYPE_CHECKING:  # a name only: its module loads torch
    from offchain.data.imageset import Progress


@dataclass(frozen=True)
class Help:
    """Who helps.

    Attributes:
        gateways: URLs, asked in this order.
        services: URL of each pinning service, and the file of its token.
    """

    gateways: tuple[str, ...] = ()
    services: tuple[tuple[str, Path], ...] = ()


NO_HELP = Help()
HELP = ContextVar("HELP", default=NO_HELP)
"""Of datastores that are opened; the user's choice."""


class HelpedNode:
    """`node`, which it closes, and its helpers. What a gateway answers is checked by CID.

    What the node lost comes from the ledger's copy first, and is stored again at once: a party that
    begins reads its documents before it looks after them, and others wait for them.

    What is stored is also kept by every service, which fetches it from the node; a service that
    does not take it is an error, as a node would be that does not store it. The ledger notes all
    that is to be kept.
    """

    def __init__(
        self,
        node: Node,
        gateways: Sequence[Gateway],
        services: Sequence[PinService],
        ledger: Ledger | None = None,
    ) -> None:
        self.node, self.gateways, self.services = node, gateways, services
        self.ledger = ledger

    @classmethod
    def opened(cls, node: Node, help_: Help, ledger: Path | None = None) -> HelpedNode:
        """ledger: its file. Raises DatastoreUnavailable, PinServiceError."""
        gateways = [Gateway(url) for url in help_.gateways]
        services = [PinService(url, read_token(path)) for url, path in help_.services]
        return cls(node, gateways, services, None if ledger is None else Ledger(ledger))

    def put(self, data: bytes) -> str:
        cid = self.node.put(data)
        self._keep({cid: data}, own=True)
        return cid

    def put_many(self, items: Sequence[bytes], progress: Progress | None = None) -> list[str]:
        cids = self.node.put_many(items, progress)
        self._keep(dict.fromkeys(cids), own=True)
        return cids

    def get(self, cid: str, max_bytes: int | None = None) -> bytes:
        try:
            return self.node.get(cid, max_bytes)
        except (ContentMissing, DatastoreUnavailable) as error:
            return self._elsewhere(cid, max_bytes, error)

    def get_many(self, cids: Sequence[str], max_bytes: int | None = None) -> Iterator[bytes]:
        at = 0
        while at < len(cids):
            try:
                for content in self.node.get_many(cids[at:], max_bytes):
                    at += 1
                    yield content
            except (ContentMissing, DatastoreUnavailable) as error:
                content = self._elsewhere(cids[at], max_bytes, error)
                at += 1
                yield content

    def pin(self, cid: str) -> None:
        try:
            self.node.pin(cid)
        except (ContentMissing, DatastoreUnavailable) as error:
            if codec_of(cid) != DAG_PB:  # a node stores under such a CID alone
                raise
            self.node.put(self._elsewhere(cid, None, error))
        self._keep({cid: None}, own=False)

    def probe(self, cid: str, draw: int) -> None:
        try:
            self.node.probe(cid, draw)
        except (ContentMissing, DatastoreUnavailable):
            for gateway in self.gateways:
                with suppress(ContentError):
                    return gateway.probe(cid, draw)
            raise

    def lost(self, cids: Sequence[str], draw: int) -> list[str]:
        gone = set(self.node.lost(cids, draw))
        for service in self.services:
            alive = {pin.digest for pin in service.pins(cids, ALIVE)}
            gone.update(cid for cid in cids if digest_of(cid) not in alive)
        return [cid for cid in cids if cid in gone]

    def kept(self, cids: Sequence[str]) -> bool:
        """Whether some service has all of these contents. Raises PinServiceError."""
        wanted = {digest_of(cid) for cid in cids}
        return any(
            wanted <= {pin.digest for pin in service.pins(cids, (PINNED,))}
            for service in self.services
        )

    def remove(self, cid: str) -> None:
        if self.ledger:
            self.ledger.drop(cid)
        for service in self.services:
            service.remove(cid)
        self.node.remove(cid)

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.node.addresses

    def connect(self, peers: Sequence[str]) -> None:
        self.node.connect(peers)

    def publish(self, topic: str, message: bytes) -> None:
        self.node.publish(topic, message)

    def received(self, topic: str) -> list[bytes]:
        return self.node.received(topic)

    def close(self) -> None:
        for gateway in self.gateways:
            gateway.close()
        for service in self.services:
            service.close()
        if self.ledger:
            self.ledger.close()
        self.node.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _keep(self, contents: Mapping[str, bytes | None], *, own: bool) -> None:
        if self.ledger:
            self.ledger.note(contents, own=own)
        for service in self.services:
            for pin in service.add(list(contents), self.node.addresses):
                self.node.connect(pin.delegates)

    def _elsewhere(self, cid: str, max_bytes: int | None, error: Exception) -> bytes:
        """From the ledger's copy, or the first gateway that has it; else the node's own error."""
        copy = self.ledger.copy_of(cid) if self.ledger else None
        if copy is not None and cid_of(copy) == cid:
            check_size(cid, len(copy), max_bytes)
            if isinstance(error, ContentMissing):
                self.node.put(copy)
            return copy
        for gateway in self.gateways:
            try:
                return gateway.get(cid, max_bytes)
            except ContentError:
                continue
        raise error
