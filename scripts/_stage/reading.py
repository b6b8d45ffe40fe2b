"""The datastore of commands that only read, while another of the same home has the node."""

from __future__ import annotations

from dataclasses import replace

from offchain.storage import DatastoreLocked, Network, Node, open_datastore
from offchain.storage.kubo_process import reached_at
from scripts._stage.chain import chain_home

READERS = 8
"""Commands at most that read at the same time."""


def reading_store(ipfs: str | None, network: Network) -> Node:
    """The party's own node; where a command that runs has it, a node beside it, which it serves.

    Raises DatastoreUnavailable, DatastoreLocked where so many read already.
    """
    own, beside = chain_home() / "ipfs", [chain_home() / f"reading-{n}" for n in range(READERS)]
    for place in (own, *beside[:-1]):
        try:
            return open_datastore(ipfs, place, network)
        except DatastoreLocked:
            network = replace(network, peers=tuple({*reached_at(own), *network.peers}))
    return open_datastore(ipfs, beside[-1], network)
