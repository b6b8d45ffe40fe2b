"""A datastore of one's own: Kubo as a library, in a child process, with peers or without."""

from __future__ import annotations

import base64
import contextlib
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from offchain.storage.checks import (
    as_added,
    check_added,
    check_content,
    check_size,
    digest_of_answer,
)
from offchain.storage.cid import DAG_PB, RAW, cid_from_digest, cid_of, codec_of, digest_of
from offchain.storage.datastore import (
    ContentCorrupted,
    ContentError,
    ContentMalformed,
    ContentMissing,
    ContentTooLarge,
    DatastoreError,
    DatastoreUnavailable,
    Network,
)
from offchain.storage.flatfs import BlockAbsent, BlockDamaged, BlockFiles
from offchain.storage.kubo_process import KuboProcess
from offchain.storage.kubo_worker import FULL, OVERFULL, TOO_LARGE
from offchain.storage.peering import MOST_PEERS
from offchain.storage.probing import FEW, read_drawn
from offchain.storage.pubsub import PubsubOff
from offchain.storage.unixfs import Decoded, NotUnixfs, decode

if TYPE_CHECKING:  # a name only: its module loads torch
    from offchain.data.imageset import Progress

TURN_SECONDS = 0.1
"""How long one waits for content until others may ask the node."""
MAX_BLOCK_BYTES = 4 << 20
"""Of one block; nodes exchange no larger ones than half of it."""
MOST_PATHS = 1 << 20
"""Blocks of one content, each counted as often as it is read: 256 GiB."""
AHEAD = 8
"""Contents on their way while one is waited for."""
BATCH = 256
"""Items added as one folder: one pin instead of one each makes it four times as fast."""


class EmbeddedDatastore:
    """Kubo's repository in the folder `repo` (made if absent), open once at a time.

    Raises DatastoreUnavailable when another process, or another object of this one, has it open.
    A call that the node does not answer within `timeout` seconds ends the node; the next call
    starts it again. With a `network` content that is not here is asked of peers, for as long.
    """

    def __init__(self, repo: Path, timeout: float = 30.0, network: Network | None = None) -> None:
        self.repo = repo.absolute()
        self.timeout = timeout
        self.repo.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._closed = False
        self._stale = False  # the node remembers blocks that were deleted underneath it
        self._blocks = BlockFiles(self.repo)
        self._network = network
        self._met: tuple[str, ...] = ()
        # Before the node, which writes there.
        self._spool = self.repo / "spool"
        self._node: KuboProcess | None = KuboProcess(self.repo, network)
        self._blocks.check_layout()
        shutil.rmtree(self._spool, ignore_errors=True)  # left by an owner that was killed
        self._spool.mkdir()

    def put(self, data: bytes) -> str:
        with tempfile.TemporaryDirectory(dir=self._spool) as folder:
            path = Path(folder) / "content"
            path.write_bytes(data)
            return check_added(self._ask("add", str(path)), data)

    def put_many(self, items: Sequence[bytes], progress: Progress | None = None) -> list[str]:
        cids: list[str] = []
        for start in range(0, len(items), BATCH):
            cids += self._put_batch(items[start : start + BATCH])
            if progress:
                progress(len(cids), len(items))
        return cids

    @property
    def addresses(self) -> tuple[str, ...]:
        """Multiaddresses under which peers reach this node; none without a network."""
        return tuple(self._ask("addresses")) if self._network else ()

    def connect(self, peers: Sequence[str]) -> None:
        """Stays connected to further peers, by their multiaddresses; not without a network."""
        if self._network is None:
            return
        known = (*self._network.peers, *self._met)
        added = tuple(one for one in dict.fromkeys(peers) if one not in known)
        if added:
            self._met = (*self._met, *added)[-MOST_PEERS:]
            self._ask("connect", added)

    def publish(self, topic: str, message: bytes) -> None:
        self._ask_network("publish", topic, base64.b64encode(message).decode())

    def received(self, topic: str) -> list[bytes]:
        return [base64.b64decode(one) for one in self._ask_network("received", topic)]

    def get(self, cid: str, max_bytes: int | None = None) -> bytes:
        self._bring(cid, max_bytes)
        check_size(cid, self._size(cid), max_bytes)
        with tempfile.TemporaryDirectory(dir=self._spool) as folder:
            path = Path(folder) / "content"
            self._ask_for(cid, "download", cid, str(path))
            if path.is_symlink() or not path.is_file():
                raise ContentMalformed(f"{cid} is not a file")
            check_size(cid, path.stat().st_size, max_bytes)  # the root block may have lied
            return check_content(cid, path.read_bytes())

    def get_many(self, cids: Sequence[str], max_bytes: int | None = None) -> Iterator[bytes]:
        for i, cid in enumerate(cids):
            if self._network:
                for later in cids[i + 1 : i + 1 + AHEAD]:
                    with contextlib.suppress(ContentError):  # told when it is its turn
                        if not self._is_here(later):
                            self._fetching("begin", *self._next(later, max_bytes))
            yield self.get(cid, max_bytes)

    def pin(self, cid: str) -> None:
        self._bring(cid, None)
        self._check_blocks(cid)  # the library would wait without end for one that is not there
        self._ask_for(cid, "pin", as_added(cid))

    def probe(self, cid: str, draw: int) -> None:
        def block_of(one: str) -> bytes:
            self._bring(cid_from_digest(digest_of(one), RAW), MAX_BLOCK_BYTES)
            return self._block(cid, digest_of(one))

        read_drawn(cid, draw, block_of)

    def lost(self, cids: Sequence[str], draw: int) -> list[str]:
        def block_of(one: str) -> bytes:
            try:
                return self._block(one, digest_of(one))
            except ContentCorrupted:
                self._blocks.delete(digest_of(one))  # else it could not be stored again
                raise

        gone = []
        for cid in cids:
            digest_of(cid)
            try:
                read_drawn(cid, draw, block_of, FEW)
            except ContentError:
                gone.append(cid)
        if gone:
            with self._lock:
                self._stale = True
        return gone

    def remove(self, cid: str) -> None:
        digest = digest_of(cid)
        with self._lock:
            blocks = self._present_blocks(cid)
            pinned = self._pinned()
            if digest in pinned:
                for batch in self._batches_with(digest, pinned):
                    self._dissolve(batch, digest)
                self._unpin(cid)
                pinned = self._pinned()
            for block in blocks - pinned:
                self._blocks.delete(block)
            self._stale = True

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._node is not None:
                self._node.stop()
                self._node = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _put_batch(self, items: Sequence[bytes]) -> list[str]:
        with tempfile.TemporaryDirectory(dir=self._spool) as folder:
            for i, data in enumerate(items):
                (Path(folder) / f"{i:04}").write_bytes(data)
            root = digest_of_answer(self._ask("add", folder))
        cids = [cid_of(data) for data in items]
        added = [cid_from_digest(digest) for digest in self._blocks.node(root).links]
        if added != cids:
            raise DatastoreError(f"the node stored other content than the {len(items)} items given")
        return cids

    def _batches_with(self, digest: bytes, pinned: set[bytes]) -> list[bytes]:
        """The folders of `put_many` that pin this content."""
        found = []
        for candidate in pinned:
            try:
                node = self._blocks.node(candidate)
            except (BlockAbsent, BlockDamaged, NotUnixfs):
                continue  # a damaged or foreign block is no folder of ours
            if node.is_directory and digest in node.links:
                found.append(candidate)
        return found

    def _dissolve(self, batch: bytes, leaving: bytes) -> None:
        """Pins what a folder of `put_many` held one by one, without `leaving`."""
        for digest in set(self._blocks.node(batch).links) - {leaving}:
            self._ask("pin", as_added(cid_from_digest(digest)))
        self._unpin(cid_from_digest(batch))
        self._blocks.delete(batch)

    def _unpin(self, cid: str) -> None:
        try:
            self._ask("unpin", as_added(cid))
        except DatastoreError as error:
            if "not pinned" not in str(error):  # part of a larger pinned file, and stays so
                raise

    def _pinned(self) -> set[bytes]:
        """Digests of every pinned block: roots, and all that hangs below them."""
        try:
            return {digest_of_answer(cid) for cid in self._ask("pins")}
        except DatastoreUnavailable as error:
            raise DatastoreUnavailable(
                f"nothing can be removed: {error} when asked for its pins, "
                "as happens when a block of pinned content was lost"
            ) from error

    def _present_blocks(self, cid: str) -> set[bytes]:
        """Digests of the content's blocks that are here, as far as they can be read."""
        present, waiting = set(), [digest_of(cid)]
        while waiting:
            digest = waiting.pop()
            if digest in present or not self._blocks.path(digest).exists():
                continue
            present.add(digest)
            if codec_of(cid) == DAG_PB:
                with contextlib.suppress(BlockDamaged, NotUnixfs):  # damaged: removed all the same
                    waiting += self._blocks.node(digest).links
        return present

    def _is_here(self, cid: str) -> bool:
        """Whether all its blocks are. Raises InvalidCid, and ContentMalformed for what no peer can
        make a file of."""
        try:
            self._check_blocks(cid)
        except (ContentMissing, ContentCorrupted):
            return False
        return True

    def _bring(self, cid: str, max_bytes: int | None) -> None:
        """Fetches from peers what is not here, where there are any.

        Others are served meanwhile. Raises ContentMissing, ContentTooLarge, ContentMalformed,
        InvalidCid; DatastoreUnavailable where no peer is connected: then nobody can be blamed but
        the network.
        """
        if self._network is None or self._is_here(cid):
            return
        alone = DatastoreUnavailable(
            f"the IPFS node for {self.repo} is connected to no peer, and {cid} is not here"
        )
        if not (self._network.peers or self._met) and not self._ask("connected"):
            raise alone
        try:
            deadline = time.monotonic() + self.timeout - 1
            for _ in range(2):  # its root, and the rest
                if not self._is_here(cid):
                    self._wait_for(*self._next(cid, max_bytes), deadline)
        except ContentMissing:
            if not self._ask("connected"):
                raise alone from None
            try:
                self._is_here(cid)
            except ContentMalformed:  # all of it came, and it has no end
                self._end_node()
                raise
            raise self._missing(cid) from None
        except (DatastoreUnavailable, ContentError):
            raise
        except DatastoreError as error:
            self._end_node()
            if str(error).startswith(TOO_LARGE):
                raise ContentTooLarge(
                    f"{cid} has more than the {max_bytes} bytes allowed"
                ) from None
            raise

    def _next(self, cid: str, max_bytes: int | None) -> tuple[str, int | None]:
        """What to fetch next of a content, and the most bytes of it: its root block, as bare bytes,
        before anything is made of them.

        The library would write a folder to the disk, under whatever names it has. Raises
        ContentMalformed for what is no file, ContentTooLarge.
        """
        root = digest_of(cid)
        if codec_of(cid) == RAW or not self._blocks.path(root).exists():
            return cid_from_digest(root, RAW), MAX_BLOCK_BYTES
        check_size(cid, self._size(cid), max_bytes)
        return cid, max_bytes

    def _wait_for(self, cid: str, max_bytes: int | None, deadline: float) -> None:
        """Raises ContentMissing where it does not come in time, and what the node says of it."""
        while True:
            try:
                return self._fetching("fetch", cid, TURN_SECONDS, max_bytes)
            except ContentMissing:
                if time.monotonic() > deadline:
                    raise
            time.sleep(TURN_SECONDS)  # whose turn it is now: locks keep no order

    def _fetching(self, operation: str, *arguments: Any) -> None:
        """A request that fetches. What never comes, and only that, is ended with the node."""
        try:
            self._ask(operation, *arguments)
        except DatastoreError as error:
            if not str(error).startswith(FULL):
                raise
            self._end_node()
            self._ask(operation, *arguments)

    def _size(self, cid: str) -> int:
        """Bytes of the content, from its root block alone."""
        if codec_of(cid) == RAW:
            return len(self._block(cid, digest_of(cid)))
        size = self._decoded(cid, digest_of(cid)).content_bytes
        if size is None:
            raise ContentMalformed(f"{cid} is a folder or a link, not a file")
        return size

    def _check_blocks(self, cid: str) -> None:
        """Raises ContentMissing, ContentCorrupted or ContentMalformed unless every block is here
        and whole, and there are no more than `MOST_PATHS` ways to them."""
        root = digest_of(cid)
        if codec_of(cid) == RAW:
            self._block(cid, root)
            return
        # A tree whose branches meet again has more paths than blocks, and each is read.
        paths: dict[bytes, int] = {}
        waiting = [root]
        while waiting:
            digest = waiting[-1]
            links = () if digest in paths else self._decoded(cid, digest).links
            if missing := [one for one in links if one not in paths]:
                waiting += missing
                continue
            waiting.pop()
            if digest not in paths:
                paths[digest] = 1 + sum(paths[one] for one in links)
                if paths[digest] > MOST_PATHS:
                    raise ContentMalformed(f"{cid} has more than {MOST_PATHS} blocks, repeated")

    def _decoded(self, cid: str, digest: bytes) -> Decoded:
        try:
            return decode(self._block(cid, digest))
        except NotUnixfs as error:
            raise ContentMalformed(f"{cid} is not a UnixFS file: {error}") from error

    def _block(self, cid: str, digest: bytes) -> bytes:
        try:
            return self._blocks.read(digest)
        except BlockAbsent:
            raise self._missing(cid) from None
        except BlockDamaged:
            raise ContentCorrupted(
                f"{cid}: the block file {self._blocks.path(digest)} holds other bytes"
            ) from None

    def _missing(self, cid: str) -> ContentMissing:
        return ContentMissing(
            f"{cid} is not in the IPFS repository {self.repo} "
            f"({'with' if self._network else 'without'} network; timeout {self.timeout:g} s)"
        )

    def _ask_for(self, cid: str, operation: str, *arguments: str) -> None:
        """A request about one content. What fails twice is its fault where the node is well."""
        try:
            self._ask(operation, *arguments)
        except DatastoreError:
            self._check_blocks(cid)
            if not self._is_well():
                raise
            try:
                self._ask(operation, *arguments)  # the node may just have been killed
            except DatastoreError as error:
                raise ContentMalformed(f"{cid} cannot be read as a file: {error}") from error

    def _is_well(self) -> bool:
        """Whether the node stores and returns bytes that it never had before."""
        with tempfile.TemporaryDirectory(dir=self._spool) as folder:
            written, read = Path(folder) / "content", Path(folder) / "read"
            written.write_bytes(secrets.token_bytes(32))
            try:
                cid = check_added(self._ask("add", str(written)), written.read_bytes())
                self._ask("download", cid, str(read))
            except DatastoreError:
                return False
            with contextlib.suppress(DatastoreError):  # 32 bytes too many are no illness
                self.remove(cid)
            return read.read_bytes() == written.read_bytes()

    def _ask_network(self, operation: str, *arguments: Any) -> Any:
        if self._network is None:
            raise PubsubOff(f"the IPFS node for {self.repo} runs without network, so nobody hears")
        return self._ask(operation, *arguments)

    def _ask(self, operation: str, *arguments: Any) -> Any:
        with self._lock:
            if self._closed:
                raise DatastoreUnavailable(f"the IPFS repository {self.repo} is closed")
            while True:
                try:
                    return self._ask_node(operation, *arguments)
                except DatastoreUnavailable:
                    ended_itself = self._node is not None and self._node.status() == OVERFULL
                    self._end_node()
                    if not ended_itself:
                        raise

    def _ask_node(self, operation: str, *arguments: Any) -> Any:
        begun = self._node is None
        if self._node is None:
            self._node = KuboProcess(self.repo, self._network)
        try:
            if begun and self._met:
                self._node.ask(self.timeout, "connect", self._met)
            if self._stale:
                self._node.ask(self.timeout, "restart")
                self._stale = False
            return self._node.ask(self.timeout, operation, *arguments)
        except TimeoutError:
            raise DatastoreUnavailable(
                f"the IPFS node for {self.repo} did not answer in {self.timeout:g} s"
            ) from None

    def _end_node(self) -> None:
        if self._node is not None:
            self._node.kill()
            self._node = None
