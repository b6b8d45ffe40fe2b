"""A datastore in memory, for parties that need no network."""

from __future__ import annotations

from offchain.storage import ContentMissing, ContentTooLarge, cid_of
from offchain.storage.checks import check_content


class MemoryStore:
    """A datastore of one party in a network that is a dict; what is pinned stays its own."""

    def __init__(self, network: dict[str, bytes]) -> None:
        self.network = network
        self.pinned: dict[str, bytes] = {}

    addresses: tuple[str, ...] = ()

    def connect(self, peers):
        pass

    def put(self, data):
        self.network[cid_of(data)] = self.pinned[cid_of(data)] = bytes(data)
        return cid_of(data)

    def put_many(self, items, progress=None):
        return [self.put(item) for item in items]

    def get(self, cid, max_bytes=None):
        content = self.pinned.get(cid, self.network.get(cid))
        if content is None:
            raise ContentMissing(f"{cid} is not there")
        if max_bytes is not None and len(content) > max_bytes:
            raise ContentTooLarge(f"{cid} has more than the {max_bytes} bytes allowed")
        return check_content(cid, content)

    def get_many(self, cids, max_bytes=None):
        return (self.get(cid, max_bytes) for cid in cids)

    def pin(self, cid):
        self.pinned[cid] = self.get(cid)

    def probe(self, cid, draw):
        self.get(cid)

    def lost(self, cids, draw):
        return [cid for cid in cids if cid not in self.pinned]

    def remove(self, cid):
        self.network.pop(cid, None)
        self.pinned.pop(cid, None)

    def corrupt(self, cid):
        """Flips a bit of what everybody is answered who has not pinned it."""
        self.network[cid] = bytes([self.network[cid][0] ^ 1]) + self.network[cid][1:]

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass
