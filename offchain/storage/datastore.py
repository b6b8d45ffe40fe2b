"""What every datastore does, and how it fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from offchain.errors import SoukError

if TYPE_CHECKING:  # a name only: its module loads torch
    from offchain.data.imageset import Progress


class DatastoreError(SoukError):
    """Base of everything that a datastore raises."""


class ContentError(DatastoreError):
    """What whoever stored something, or did not, can be blamed for."""


class InvalidCid(ContentError, ValueError):
    """Text that is no CID, or a digest or codec that gives none."""


class ContentMissing(ContentError):
    """Content that did not turn up within the timeout, or not all of it, while one's own node is
    well. It may be there the next time."""


class ContentCorrupted(ContentError):
    """Bytes that do not belong to the CID they were answered for."""


class ContentTooLarge(ContentError):
    """Content above the bound that the caller set."""


class ContentMalformed(ContentError):
    """What is stored under a CID is no file: a folder, a link, or no UnixFS at all."""


class DatastoreUnavailable(DatastoreError):
    """An endpoint that does not answer, or a repository that cannot be opened: one's own node."""


class DatastoreLocked(DatastoreUnavailable):
    """A repository that another process has open."""


@dataclass(frozen=True)
class Network:
    """How a node of one's own is reached, and whom it knows.

    Attributes:
        listen: multiaddress, as /ip4/127.0.0.1/tcp/4001; port 0 for any that is free, and the
            same ever after.
        peers: multiaddresses of nodes, their names included (/p2p/...), to stay connected to.
    """

    listen: str = "/ip4/127.0.0.1/tcp/0"
    peers: tuple[str, ...] = ()


class Datastore(Protocol):
    """Content-addressed storage on IPFS. All methods may be called from several threads.

    A stranger chooses what lies under a CID and who serves it, and how slowly. So where a call
    about one CID fails and cannot say why, a datastore asks its own node to store and return some
    bytes: only a node that fails at that is unavailable, else the content is to blame.
    """

    def put(self, data: bytes) -> str:
        """Stores and pins `data` (0 bytes or more), and returns its CID, `cid_of(data)`."""

    def put_many(self, items: Sequence[bytes], progress: Progress | None = None) -> list[str]:
        """`put` for each item, in order, faster than one by one."""

    def get(self, cid: str, max_bytes: int | None = None) -> bytes:
        """The content of a CID, checked against it.

        Raises InvalidCid, ContentMissing, ContentCorrupted, ContentMalformed,
        DatastoreUnavailable and, when the content has more than `max_bytes` bytes, ContentTooLarge
        before it is read to its end.
        """

    def get_many(self, cids: Sequence[str], max_bytes: int | None = None) -> Iterator[bytes]:
        """`get` for each CID, in order; where contents are far away, several are on their way.

        `max_bytes` bounds each one. Only a few are held at a time, whatever their number. An error
        is raised when its content's turn comes, and ends it.
        """

    def pin(self, cid: str) -> None:
        """Fetches the content where needed and keeps it through garbage collection.

        Raises as `get` does, except that bytes are checked by the node, not here.
        """

    def probe(self, cid: str, draw: int) -> None:
        """Fetches one block of the content, wherever it is, and those above it: a cheap answer to
        whether all of it can be had.

        draw: which one, 0 or more. Raises as `get` does.
        """

    def lost(self, cids: Sequence[str], draw: int) -> list[str]:
        """Of contents that were stored or pinned here those that are so no more.

        Nobody else is asked but services that should keep them. draw: which block of each is looked
        at, 0 or more; all of what has few. Raises InvalidCid, DatastoreUnavailable.
        """

    def remove(self, cid: str) -> None:
        """Unpins content and drops its blocks, except those that other pinned content uses.

        Content that is not there is removed already: no error.
        """

    @property
    def addresses(self) -> tuple[str, ...]:
        """Multiaddresses under which peers reach its node; none where it has no network."""

    def connect(self, peers: Sequence[str]) -> None:
        """Connects its node to peers at multiaddresses; nothing to do where it has no network."""

    def close(self) -> None:
        """Releases what is held. A closed datastore is not used again; closing twice is fine."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
