"""What a seller sells: its samples and the files that they were encoded from, the keys that lock
them, and what it commits to on chain.

Both keys are on disk before anything rests on them; the file follows from keys and samples, and is
the same each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from secrets import token_bytes

from offchain.crypto.disputable import EncryptedFile, FileDomain, encrypt_chunks
from offchain.crypto.sealing import public_key_of, unseal
from offchain.crypto.secrets_file import SecretsFile
from offchain.mde.counted import count_artefact, sketch
from offchain.mde.deals import Dataset, Place, dataset_domain
from offchain.mde.samples import Kind, Samples
from offchain.mde.verifiable.encoding import Encoding
from offchain.mde.verifiable.originals import chunks_with, with_originals


class Stock:
    """The `samples` that `account` sells at `place` for `token`; of exact duplicates the first.

    originals: the file that each was encoded from, b"" for none; or none at all.
    """

    def __init__(
        self,
        account: str,
        place: Place,
        samples: Samples,
        token: str,
        secrets_file: SecretsFile,
        originals: Sequence[bytes] = (),
    ) -> None:
        self.account = account
        self.place = place
        kept = first_places(samples)
        self.samples = samples.subset(kept)
        self.originals = [originals[i] for i in kept] if originals else []
        self.token = token
        self.secrets_file = secrets_file

    @cached_property
    def encoding(self) -> Encoding:
        """How its samples lie in their chunks."""
        images = self.samples.inputs.ndim > 2
        return Encoding.of(Kind(self.samples.shape, images, int(self.samples.labels.max()) + 1))

    @cached_property
    def file(self) -> EncryptedFile:
        """Its samples, encrypted, one to a chunk, and their originals."""
        return self.encrypted(self.samples)

    @cached_property
    def dataset(self) -> Dataset:
        """What it registers. Its name is the key to which artefacts are sealed."""
        return Dataset(
            seller=self.account,
            token=self.token,
            name=self.name,
            file=self.file.commitment(self.domain),
            key_hash=self.domain.key_hash(self.key),
            count=len(self.samples),
            chunk_bytes=self.encoding.chunk_bytes,
            chunks=chunks_with(self.encoding, self.originals, len(self.samples)),
        )

    @cached_property
    def id(self) -> bytes:
        """Of its dataset, whether it is registered or not."""
        return self.dataset.account.id(self.place)

    @cached_property
    def domain(self) -> FileDomain:
        """That of its file."""
        return dataset_domain(self.place, self.account, self.name)

    @cached_property
    def name(self) -> bytes:
        """32 bytes: its X25519 key."""
        return public_key_of(self._private)

    @cached_property
    def key(self) -> bytes:
        """The file's key, 32 bytes."""
        return self._secret("key")

    def unsealed(self, sealed: bytes) -> bytes:
        """What was sealed to its name. Raises SealError."""
        return unseal(self._private, sealed)

    def count(self, artefact: bytes, allow: Callable[[int], object]) -> None:
        """Counts an artefact that its samples are held against, before they are, by its digest.

        allow: is asked whether there may be so many, and raises if not. Counted is on disk, for
        these data wherever they are sold (`count_artefact`).
        """
        count_artefact(self.secrets_file, self._sketch, artefact, allow)

    def encrypted(self, samples: Samples) -> EncryptedFile:
        """So many samples, one to a chunk, and the originals, under its key."""
        packed = with_originals(self.encoding, self.encoding.pack(samples), self.originals)
        return encrypt_chunks(self.domain, self.key, packed, self.encoding.chunk_bytes)

    @cached_property
    def _sketch(self) -> bytes:
        return sketch(self.samples)

    @cached_property
    def _content(self) -> str:
        """What tells these data from others."""
        files = [hashlib.sha256(one).digest() for one in self.originals]
        return hashlib.sha256(b"".join(self.samples.hashes() + files)).hexdigest()

    @cached_property
    def _private(self) -> bytes:
        return self._secret("X25519 key")

    def _secret(self, what: str) -> bytes:
        """Of this very data: other data of the same account have other keys."""
        name = (
            f"{what} of data {self._content} of {self.account} at {self.place.contract} "
            f"on chain {self.place.chain_id}"
        )
        return self.secrets_file.remember(name, lambda: token_bytes(32))


def first_places(samples: Samples) -> list[int]:
    """Which samples are no exact duplicates of earlier ones, which a buyer could prove."""
    first = {digest: row for row, digest in reversed(list(enumerate(samples.hashes())))}
    return sorted(first.values())
