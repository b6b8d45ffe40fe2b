"""The manifest: what a provider publishes about its registered dataset (section 3.1.3).

A small JSON document; the lists that grow with the shards are files of their own, of 32-byte
words, so that the manifest stays one small block of the datastore.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from offchain.crypto.commitments import Party, root_of
from offchain.data.shards import MAX_SHARD_BYTES
from offchain.errors import SoukError
from offchain.hyperx.terms import Terms
from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical
from offchain.storage import Datastore, InvalidCid, cid_from_digest, digest_of

FORMAT = "souk.manifest.v3"
MAX_SIDE = 4096
MAX_MANIFEST_BYTES = 256 << 10
"""Largest manifest written or read: one block of the datastore."""


class ManifestError(SoukError):
    """A manifest that is broken, or does not fit the terms or the registration."""


@dataclass(frozen=True)
class Manifest:
    """What a dataset is, and where its shards are.

    Attributes:
        name: for people.
        task: CID of the task document, whose classes the labels index.
        licence: under which the data is sold, as the task says it.
        shape: (C, H, W) in which pictures are decoded for features, whatever size their files have;
            (columns,) of a table, () of texts.
        shard_count, shard_size: as the terms ask.
        shard_bytes: of the largest shard, not encrypted.
        total_bytes: of all of them.
        key_leaves: CID of the leaves of the key tree, 32 bytes each.
        addresses: CID of the shards' addresses, 32 bytes each; None where they are hidden.
    """

    name: str
    task: str
    licence: str
    shape: tuple[int, ...]
    shard_count: int
    shard_size: int
    shard_bytes: int
    total_bytes: int
    key_leaves: str
    addresses: str | None

    def to_bytes(self) -> bytes:
        """The document. Raises ManifestError if it does not fit one block."""
        data = to_canonical({"format": FORMAT, **asdict(self)})
        if len(data) > MAX_MANIFEST_BYTES:
            raise ManifestError(
                f"the manifest of {self.name!r:.60} has {len(data)} bytes, "
                f"at most {MAX_MANIFEST_BYTES}"
            )
        return data

    @classmethod
    def from_bytes(cls, data: bytes, terms: Terms) -> Manifest:
        """Reads an untrusted manifest. Raises ManifestError unless it fits `terms`."""
        try:
            document = from_canonical(data, "manifest", MAX_MANIFEST_BYTES)
            given, name, task, licence, shape, count, size, most, total, leaves, addresses = take(
                document,
                "manifest",
                format=str,
                name=str,
                task=str,
                licence=str,
                shape=list,
                shard_count=int,
                shard_size=int,
                shard_bytes=int,
                total_bytes=int,
                key_leaves=str,
                addresses=(str, type(None)),
            )
        except DocumentError as error:
            raise ManifestError(str(error)) from error
        if given != FORMAT:
            raise ManifestError(f"manifest: format is {FORMAT}, not {given!r:.60}")
        if len(shape) > 3 or not all(type(side) is int for side in shape):
            raise ManifestError(f"manifest: shape is at most 3 integers, not {shape!r:.60}")
        manifest = cls(
            name, task, licence, tuple(shape), count, size, most, total, leaves, addresses
        )
        manifest._check(terms)
        return manifest

    def _check(self, terms: Terms) -> None:
        found, asked = (self.shard_count, self.shard_size), (terms.shard_count, terms.shard_size)
        if found != asked:
            raise ManifestError(f"{found!s:.60} shards and samples, the terms ask for {asked}")
        channels, *sides = self.shape or (1,)
        if len(sides) == 2 and channels not in (1, 3):
            raise ManifestError(f"shape {self.shape!s:.60}: needs 1 or 3 channels")
        if len(sides) == 1 or not all(1 <= side <= MAX_SIDE for side in (channels, *sides)):
            raise ManifestError(
                f"shape {self.shape!s:.60}: needs none, 1 or 3 sides of 1 to {MAX_SIDE}"
            )
        if not 1 <= self.shard_bytes <= MAX_SHARD_BYTES:
            raise ManifestError(
                f"a shard has 1 to {MAX_SHARD_BYTES} bytes, not {self.shard_bytes!s:.60}"
            )
        if not self.shard_bytes <= self.total_bytes <= self.shard_count * self.shard_bytes:
            raise ManifestError(
                f"{self.shard_count} shards of at most {self.shard_bytes} bytes have not "
                f"{self.total_bytes!s:.60} in all"
            )
        if self.task != (asked_task := cid_from_digest(terms.task)):
            raise ManifestError(f"the task is {asked_task}, not {self.task!r:.70}")
        if (self.addresses is not None) != terms.published_addresses:
            raise ManifestError(
                "the terms want addresses " + ("shown" if terms.published_addresses else "hidden")
            )
        try:
            digest_of(self.key_leaves)
            if self.addresses is not None:
                digest_of(self.addresses)
        except InvalidCid as error:
            raise ManifestError(str(error)) from error


def publish_manifest(store: Datastore, manifest: Manifest) -> bytes:
    """Stores a manifest and returns the digest in its CID, under which it is registered."""
    return digest_of(store.put(manifest.to_bytes()))


def fetch_manifest(store: Datastore, digest: bytes, terms: Terms) -> Manifest:
    """The manifest at a registered digest. Raises ManifestError or DatastoreError."""
    return Manifest.from_bytes(store.get(cid_from_digest(digest), MAX_MANIFEST_BYTES), terms)


def put_words(store: Datastore, words: Sequence[bytes]) -> str:
    """Stores 32-byte words as one file and returns its CID."""
    return store.put(b"".join(words))


def fetch_words(store: Datastore, cid: str, count: int) -> list[bytes]:
    """The `count` words of a file. Raises ManifestError on another length."""
    data = store.get(cid, 32 * count)
    if len(data) != 32 * count:
        raise ManifestError(f"{cid} has {len(data)} bytes, needs {count} words of 32")
    return [data[i : i + 32] for i in range(0, len(data), 32)]


def fetch_key_leaves(store: Datastore, manifest: Manifest, key_root: bytes) -> list[bytes]:
    """The leaves of the key tree. Raises ManifestError unless they make the registered root."""
    leaves = fetch_words(store, manifest.key_leaves, manifest.shard_count)
    if root_of(leaves) != key_root:
        raise ManifestError("the manifest's key leaves do not make the registered root")
    return leaves


def fetch_addresses(
    store: Datastore, manifest: Manifest, party: Party, address_root: bytes
) -> list[bytes]:
    """The published addresses. Raises ManifestError unless they make the registered root.

    The root binds the provider, so another's root copied at registration fails here.
    """
    if manifest.addresses is None:
        raise ManifestError("the manifest hides the shards' addresses")
    addresses = fetch_words(store, manifest.addresses, manifest.shard_count)
    if root_of(party.address_leaves(addresses)) != address_root:
        raise ManifestError(
            "the manifest's addresses do not make the address root this provider registered"
        )
    return addresses
