"""Content from an HTTP gateway, block by block, none of which is believed.

Specification: https://specs.ipfs.tech/http-gateways/trustless-gateway/.
"""

from __future__ import annotations

import hashlib
import time

import requests
from urllib3.exceptions import HTTPError

from offchain.storage.checks import check_content, check_size
from offchain.storage.cid import RAW, cid_from_digest, codec_of, digest_of
from offchain.storage.datastore import (
    ContentCorrupted,
    ContentMalformed,
    ContentMissing,
    DatastoreUnavailable,
)
from offchain.storage.probing import read_drawn
from offchain.storage.unixfs import CHUNK_BYTES, Decoded, NotUnixfs, decode

MAX_BLOCK_BYTES = 2 << 20
"""As nodes exchange them."""
PIECE_BYTES = 1 << 16
_RAW_BLOCK = "application/vnd.ipld.raw"


class Gateway:
    """The gateway at `url`, as https://ipfs.io, which can be read and nothing else.

    timeout: seconds for one content. Raises DatastoreUnavailable for a URL that is none.
    """

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise DatastoreUnavailable(f"a gateway is at http(s)://HOST, not at {url!r:.80}")
        self.url, self.timeout = url.rstrip("/"), timeout
        self._session = requests.Session()

    def get(self, cid: str, max_bytes: int | None = None) -> bytes:
        """As a datastore's. Raises ContentMissing also where the gateway does not answer."""
        deadline = time.monotonic() + self.timeout
        root = self._block(cid, deadline)
        if codec_of(cid) == RAW:
            check_size(cid, len(root), max_bytes)
            return root
        content, waiting, blocks = bytearray(), [digest_of(cid)], 0
        size = self._decoded(cid, root).content_bytes
        if size is None:
            raise ContentMalformed(f"{cid} is a folder or a link, not a file")
        check_size(cid, size, max_bytes)
        # A tree whose branches meet again has more paths than content.
        most = 2 * (size // CHUNK_BYTES) + 16
        while waiting:
            digest, blocks = waiting.pop(), blocks + 1
            block = root if blocks == 1 else self._block(cid_from_digest(digest), deadline)
            node = self._decoded(cid, block)
            content += node.data
            waiting += reversed(node.links)
            if blocks > most or len(content) > size:
                raise ContentMalformed(f"{cid} is not as large as it says, {size} bytes")
        return check_content(cid, bytes(content))

    def probe(self, cid: str, draw: int) -> None:
        """As a datastore's. Raises as `get` does."""
        deadline = time.monotonic() + self.timeout
        read_drawn(cid, draw, lambda one: self._block(one, deadline))

    def close(self) -> None:
        """Ends its connections."""
        self._session.close()

    def _decoded(self, cid: str, block: bytes) -> Decoded:
        try:
            return decode(block)
        except NotUnixfs as error:
            raise ContentMalformed(f"{cid} is not a UnixFS file: {error}") from error

    def _block(self, cid: str, deadline: float) -> bytes:
        """One block, checked."""
        block = bytearray()
        try:
            with self._session.get(
                f"{self.url}/ipfs/{cid}",
                params={"format": "raw"},
                headers={"Accept": _RAW_BLOCK},
                timeout=max(deadline - time.monotonic(), 0.01),
                stream=True,
            ) as response:
                if response.status_code != 200:
                    raise ContentMissing(f"{self.url} answers {response.status_code} for {cid}")
                # As it comes: whoever sends byte by byte would keep who waits for a whole piece.
                while piece := response.raw.read1(PIECE_BYTES, decode_content=True):
                    block += piece
                    if time.monotonic() > deadline:
                        raise ContentMissing(
                            f"{cid} did not come from {self.url} within {self.timeout:g} s"
                        )
                    if len(block) > MAX_BLOCK_BYTES:
                        raise ContentCorrupted(
                            f"{self.url} answers more than a block, {MAX_BLOCK_BYTES} bytes"
                        )
        except (requests.RequestException, HTTPError, OSError) as error:
            raise ContentMissing(
                f"{cid} did not come from {self.url} ({type(error).__name__})"
            ) from error
        if hashlib.sha256(block).digest() != digest_of(cid):
            raise ContentCorrupted(f"{self.url} answers other content for {cid}")
        return bytes(block)
