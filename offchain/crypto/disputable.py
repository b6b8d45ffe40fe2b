"""Files for sale whose every chunk can be disputed: the twin of ``contracts/exchange``.

A seller publishes an :class:`EncryptedFile` and commits to it and to its key. Who buys first holds
the file against the commitment (``EncryptedFile.require_committed``): then each path that a dispute
may need is at hand. With the key, ``open_file`` yields the content, or names a chunk that can be
proved spoilt (``evidence.chunk_evidence``).

Two layers. Inside, the content lies in a box of libsodium (XSalsa20-Poly1305), which keeps it
secret and authentic; its key derives from the file's key and domain, so a box does not open
elsewhere. Around it lies the cipher that a contract can evaluate (``keccak_stream``), chunk by
chunk. The box is inside, since the chunks that the contract judges must be open to whoever checks
them before it pays.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from eth_hash.backends.pysha3 import keccak256
from nacl.exceptions import CryptoError as NaclError
from nacl.secret import SecretBox

from offchain.crypto import commitments as cm
from offchain.crypto.commitments import word
from offchain.crypto.errors import FileError, SpoiltChunkError
from offchain.crypto.keccak_stream import crypt, nonce

if TYPE_CHECKING:
    from offchain.data.imageset import Progress

DOMAIN_TYPE = keccak256(b"souk.file.domain.v1")
KEY_TYPE = keccak256(b"souk.file.key.v1")
FILE_TYPE = keccak256(b"souk.file.v1")
CIPHER_TYPE = keccak256(b"souk.file.cipher.v1")
PLAIN_TYPE = keccak256(b"souk.file.plain.v1")
_BOX_TYPE = keccak256(b"souk.file.box.v1")
_BOX_NONCE_TYPE = keccak256(b"souk.file.box.nonce.v1")

DEFAULT_CHUNK_BYTES = 1024
MAX_CHUNK_BYTES = 16_384
MAX_CHUNKS = 2**20

_MAGIC = b"soukfile1"
_HEAD = struct.Struct(">9sIQ")


@dataclass(frozen=True)
class FileDomain:
    """Which file of which seller in which contract on which chain.

    Attributes:
        chain_id: the chain's id.
        contract: 0x address of the contract that judges disputes.
        seller: 0x address.
        label: 32 bytes, what the contract calls the file among the seller's.
    """

    chain_id: int
    contract: str
    seller: str
    label: bytes

    @cached_property
    def digest(self) -> bytes:
        """What separates this file's commitments from all others."""
        party = word(self.chain_id) + word(self.contract) + word(self.seller)
        return keccak256(DOMAIN_TYPE + party + word(self.label))

    def key_hash(self, key: bytes) -> bytes:
        """The commitment to the file's 32-byte key."""
        return keccak256(KEY_TYPE + self.digest + word(key))

    def cipher_leaf(self, index: int, chunk: bytes | memoryview) -> bytes:
        """Leaf ``index`` of the cipher tree, from the encrypted chunk."""
        return self._leaf(CIPHER_TYPE, index, keccak256(bytes(chunk)))

    def plain_leaf(self, key: bytes, index: int, chunk: bytes | memoryview) -> bytes:
        """Leaf ``index`` of the plain tree, from the decrypted chunk."""
        value = keccak256(PLAIN_TYPE + word(key) + keccak256(bytes(chunk)))
        return self._leaf(PLAIN_TYPE, index, value)

    def _leaf(self, kind: bytes, index: int, value: bytes) -> bytes:
        tree = keccak256(kind + self.digest)
        return keccak256(keccak256(tree + word(index) + value))


@dataclass(frozen=True)
class Shape:
    """How a file is cut: ``length`` bytes in chunks of ``chunk_bytes``, the last may be shorter.

    Raises FileError outside the bounds that the contracts state.
    """

    length: int
    chunk_bytes: int = DEFAULT_CHUNK_BYTES

    def __post_init__(self) -> None:
        if not 32 <= self.chunk_bytes <= MAX_CHUNK_BYTES or self.chunk_bytes % 32:
            raise FileError(
                f"chunks of {self.chunk_bytes} bytes: "
                f"needs a multiple of 32 from 32 to {MAX_CHUNK_BYTES}"
            )
        if not 1 <= self.length <= MAX_CHUNKS * self.chunk_bytes:
            raise FileError(
                f"file of {self.length} bytes: "
                f"needs 1 to {MAX_CHUNKS} chunks of {self.chunk_bytes} bytes"
            )

    @property
    def count(self) -> int:
        """The number of chunks, 1 or more; the last may be shorter."""
        return -(-self.length // self.chunk_bytes)

    def cut(self, data: bytes) -> Iterator[memoryview]:
        """The chunks of ``data`` in their order."""
        view = memoryview(data)
        return (
            view[i : min(i + self.chunk_bytes, self.length)]
            for i in range(0, self.length, self.chunk_bytes)
        )


@dataclass(frozen=True)
class EncryptedFile:
    """What a seller publishes of a file.

    Attributes:
        shape: how it is cut.
        ciphertext: all encrypted chunks, ``shape.length`` bytes.
        plain_leaves: one leaf of the plain tree per chunk, 32 bytes each.
    """

    shape: Shape
    ciphertext: bytes
    plain_leaves: tuple[bytes, ...]

    def cipher_leaves(self, domain: FileDomain) -> list[bytes]:
        """One leaf of the cipher tree per chunk."""
        return [domain.cipher_leaf(i, c) for i, c in enumerate(self.shape.cut(self.ciphertext))]

    def commitment(self, domain: FileDomain) -> bytes:
        """The 32 bytes that the seller commits to: domain, shape and the roots of both trees."""
        roots = cm.root_of(self.cipher_leaves(domain)), cm.root_of(self.plain_leaves)
        return file_commitment(domain, self.shape, *roots)

    def require_committed(self, domain: FileDomain, commitment: bytes) -> None:
        """Raises FileError unless this is the committed file. A buyer asks before it pays."""
        own = self.commitment(domain)
        if own != commitment:
            raise FileError(f"file is {own.hex()}, committed is {commitment.hex()}")

    def to_bytes(self) -> bytes:
        """The file as it goes into the datastore."""
        head = _HEAD.pack(_MAGIC, self.shape.chunk_bytes, self.shape.length)
        return head + b"".join(self.plain_leaves) + self.ciphertext

    @classmethod
    def from_bytes(cls, blob: bytes) -> EncryptedFile:
        """The file that :meth:`to_bytes` wrote. Raises FileError if ``blob`` is none."""
        if len(blob) < _HEAD.size or not blob.startswith(_MAGIC):
            raise FileError(f"{len(blob)} bytes that are no encrypted file")
        _, chunk_bytes, length = _HEAD.unpack_from(blob)
        shape = Shape(length, chunk_bytes)
        start = _HEAD.size + 32 * shape.count
        if len(blob) != start + length:
            raise FileError(f"encrypted file has {len(blob)} bytes, needs {start + length}")
        leaves = tuple(blob[i : i + 32] for i in range(_HEAD.size, start, 32))
        return cls(shape, blob[start:], leaves)


def file_commitment(
    domain: FileDomain, shape: Shape, cipher_root: bytes, plain_root: bytes
) -> bytes:
    """The 32 bytes that stand for a file of that shape with these roots."""
    sizes = word(shape.length) + word(shape.chunk_bytes)
    return keccak256(FILE_TYPE + domain.digest + sizes + cipher_root + plain_root)


def encrypt_file(
    domain: FileDomain,
    key: bytes,
    content: bytes,
    chunk_bytes: int = DEFAULT_CHUNK_BYTES,
    progress: Progress | None = None,
) -> EncryptedFile:
    """``content`` (any length) under a random 32-byte ``key``; the same bytes each time.

    ``progress`` is called in chunks.

    Raises FileError if the chunks are too small, too large or too many.
    """
    box = _box(domain, key).encrypt(content, _box_nonce(domain, key, content))
    return encrypt_chunks(domain, key, bytes(box), chunk_bytes, progress)


def encrypt_chunks(
    domain: FileDomain,
    key: bytes,
    data: bytes,
    chunk_bytes: int = DEFAULT_CHUNK_BYTES,
    progress: Progress | None = None,
) -> EncryptedFile:
    """The outer layer alone, over ``data`` that should be a box."""
    shape = Shape(len(data), chunk_bytes)
    leaves = tuple(domain.plain_leaf(key, i, c) for i, c in enumerate(shape.cut(data)))
    stream = nonce(domain.digest, cm.root_of(leaves))
    encrypted = []
    for i, chunk in enumerate(shape.cut(data)):
        encrypted.append(crypt(key, stream, i, chunk))
        if progress:
            progress(i + 1, shape.count)
    return EncryptedFile(shape, b"".join(encrypted), leaves)


def open_file(
    domain: FileDomain,
    key: bytes,
    file: EncryptedFile,
    progress: Progress | None = None,
) -> bytes:
    """The content of a file that was checked against its commitment, by the key that was, too.

    Raises:
        SpoiltChunkError: names the first chunk that does not decrypt to the committed one.
        FileError: all chunks are as committed, but the box in them does not open.
    """
    box = open_chunks(domain, key, file, progress)
    try:
        return bytes(_box(domain, key).decrypt(box))
    except (NaclError, ValueError) as error:
        raise FileError(
            f"box of {file.shape.length} bytes does not open: it was made for another file"
        ) from error


def open_chunks(
    domain: FileDomain,
    key: bytes,
    file: EncryptedFile,
    progress: Progress | None = None,
) -> bytes:
    """What lies under the outer layer, as ``encrypt_chunks`` took it.

    Raises SpoiltChunkError, which names the first chunk that does not decrypt to the committed one.
    """
    stream = nonce(domain.digest, cm.root_of(file.plain_leaves))
    plain = []
    for i, (chunk, leaf) in enumerate(
        zip(file.shape.cut(file.ciphertext), file.plain_leaves, strict=True)
    ):
        plain.append(crypt(key, stream, i, chunk))
        if domain.plain_leaf(key, i, plain[-1]) != leaf:
            raise SpoiltChunkError(i)
        if progress:
            progress(i + 1, file.shape.count)
    return b"".join(plain)


def _box(domain: FileDomain, key: bytes) -> SecretBox:
    return SecretBox(keccak256(_BOX_TYPE + domain.digest + word(key)))


def _box_nonce(domain: FileDomain, key: bytes, content: bytes) -> bytes:
    """Another for other content under the same key, the same for the same."""
    digest = keccak256(_BOX_NONCE_TYPE + domain.digest + word(key) + keccak256(content))
    return digest[: SecretBox.NONCE_SIZE]
