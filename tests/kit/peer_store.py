"""Datastores of parties that serve each other, or do not: who is asked decides what is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.kit.memory_store import MemoryStore


class PeerStore(MemoryStore):
    """The node of the party `name` among `peers`; it serves what it holds to whom it likes.

    serves: of a party's name and a CID, whether this node shows it; all to all unless set. up:
    whether it can be asked at all.
    """

    def __init__(self, name: str, peers: list[PeerStore]) -> None:
        super().__init__({})
        self.name, self.peers = name, peers
        self.serves: Callable[[str, str], bool] = lambda reader, cid: True
        self.up = True
        peers.append(self)

    def get(self, cid, max_bytes=None):
        held = [
            peer.pinned[cid]
            for peer in self.peers
            if peer.up and cid in peer.pinned and peer.serves(self.name, cid)
        ]
        self.network = {cid: held[0]} if held else {}
        return super().get(cid, max_bytes)


def peer_stores(names: Sequence[str]) -> dict[str, PeerStore]:
    """A node for each party, by its name; all know each other."""
    peers: list[PeerStore] = []
    return {name: PeerStore(name, peers) for name in names}
