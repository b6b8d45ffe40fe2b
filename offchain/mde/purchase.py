"""What a buyer bought, opened again: from chain, datastore and its own secrets."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.crypto import commitments as cm
from offchain.crypto.disputable import (
    EncryptedFile,
    Shape,
    encrypt_chunks,
    file_commitment,
    open_chunks,
)
from offchain.crypto.errors import CryptoError, SpoiltChunkError
from offchain.crypto.secrets_file import SecretsFile
from offchain.mde.asked import require_sizes, values_of
from offchain.mde.checking import file_bytes, opened_key
from offchain.mde.deals import DealState
from offchain.mde.errors import MdeError
from offchain.mde.letters import Letter, Offer
from offchain.mde.samples import Kind, Samples
from offchain.mde.session import DealSession, Sale
from offchain.mde.vault import one_time_name
from offchain.mde.verifiable.encoding import Encoding
from offchain.mde.verifiable.originals import originals_in
from offchain.mde.verifiable.quotes import require_registered
from offchain.storage import ContentError, Datastore
from offchain.task import Task

NOT_THE_FILE = (MdeError, CryptoError, ContentError)
"""What a CID raises that leads to something else than what was registered."""

BOUGHT = (DealState.DELIVERED, DealState.SETTLED)
"""Where the buyer has a key."""


def bought_key(session: DealSession, sale: Sale, secrets_file: SecretsFile) -> bytes:
    """The key of a dataset that was bought: public, or opened by its buyer. Raises MdeError."""
    name = f"dataset 0x{sale.dataset.hex()}"
    if sale.state not in BOUGHT or sale.delivery is None:
        raise MdeError(f"{name} was not bought under order 0x{sale.order.hex()}")
    key: bytes | None = sale.delivery.key
    if sale.delivery.sealed:
        secret = one_time_name(sale.deal, session.place)
        if secret not in secrets_file:
            raise MdeError(f"the key of {name} is sealed to {sale.deal.order.buyer}, not to you")
        key = opened_key(int.from_bytes(secrets_file.get(secret), "big"), sale.delivery)
    if key is None or session.domain(sale.dataset).key_hash(key) != sale.deal.dataset.key_hash:
        raise MdeError(f"{name} was sold under a wrong key, which can be proved")
    return key


def offered_at(sale: Sale, letters: list[Letter]) -> list[str]:
    """CIDs under which the seller told the buyer that the encrypted samples lie, the first first.

    Whatever it told others is no matter. Raises MdeError where it told of none.
    """
    seller, buyer = sale.deal.dataset.seller, sale.deal.order.buyer
    to_buyer = (one.message for one in letters if (one.sender, one.to) == (seller, buyer))
    offers = (said for said in to_buyer if isinstance(said, Offer))
    cids = [said.file for said in offers if said.dataset == sale.dataset]
    if not cids:
        raise MdeError(f"no letter here says where dataset 0x{sale.dataset.hex()} lies")
    return list(dict.fromkeys(cids))


@dataclass(frozen=True, eq=False)
class Bought:
    """A dataset, opened.

    Attributes:
        samples: as they were priced, labelled as the task has its classes.
        originals: the file of each that its chunk binds, None where there is none; no entries
            where none were sold.
        chunks: the samples' chunks in the clear. leaves: of the plain tree. cipher_root: of the
            other. With them anybody can hold sample and original against the commitment.
        cid: where it lay.
    """

    samples: Samples
    originals: list[bytes | None]
    chunks: bytes
    leaves: tuple[bytes, ...]
    cipher_root: bytes
    cid: str


def fetch_bought(
    session: DealSession, sale: Sale, task: Task, store: Datastore, cids: list[str], key: bytes
) -> Bought:
    """What was bought, which lies under one of `cids`.

    Raises MdeError or FileError where none leads to what was registered, and what the datastore
    raises.
    """
    order = sale.deal.order
    require_sizes(task, order.features, order.value_bytes)
    kind = kind_of(task)
    file, cid = _registered(session, sale, store, cids)
    try:
        data = open_chunks(session.domain(sale.dataset), key, file)
    except SpoiltChunkError as error:
        raise MdeError(
            f"chunk {error.index} is not what was quoted, which can be proved"
        ) from error
    encoding, dataset = Encoding.of(kind), sale.deal.dataset
    chunks = data[: dataset.count * encoding.chunk_bytes]
    return Bought(
        encoding.unpack(chunks, kind),
        list(originals_in(encoding, data, dataset.count)) if has_originals(sale) else [],
        chunks,
        file.plain_leaves,
        cm.root_of(file.cipher_leaves(session.domain(sale.dataset))),
        cid,
    )


def has_originals(sale: Sale) -> bool:
    """Whether files are sold with what is priced; else it is what was priced."""
    return sale.deal.dataset.chunks > sale.deal.dataset.count


def require_sold(
    session: DealSession,
    sale: Sale,
    key: bytes,
    chunks: bytes,
    leaves: tuple[bytes, ...],
    cipher_root: bytes,
) -> None:
    """Raises MdeError unless these are the samples' chunks that were registered and bought."""
    domain, dataset = session.domain(sale.dataset), sale.deal.dataset
    shape = Shape(dataset.chunks * dataset.chunk_bytes, dataset.chunk_bytes)
    own = Shape(max(len(chunks), 1), dataset.chunk_bytes).cut(chunks)
    given = [domain.plain_leaf(key, i, chunk) for i, chunk in enumerate(own)]
    if (
        len(leaves) != dataset.chunks
        or given != list(leaves[: dataset.count])
        or file_commitment(domain, shape, cipher_root, cm.root_of(leaves)) != dataset.file
    ):
        raise MdeError(f"these are not the samples that were sold as 0x{sale.dataset.hex()}")


def _registered(
    session: DealSession, sale: Sale, store: Datastore, cids: list[str]
) -> tuple[EncryptedFile, str]:
    """The first file that was registered, and its CID. Raises what the last one raises."""
    *others, last = cids
    for cid in others:
        try:
            return _file_at(session, sale, store, cid), cid
        except NOT_THE_FILE:
            continue
    return _file_at(session, sale, store, last), last


def _file_at(session: DealSession, sale: Sale, store: Datastore, cid: str) -> EncryptedFile:
    file = EncryptedFile.from_bytes(store.get(cid, file_bytes(sale.deal.dataset)))
    require_registered(sale.deal.dataset, session.place, file)
    return file


def is_what_was_sold(session: DealSession, sale: Sale, samples: Samples, key: bytes) -> bool:
    """Whether samples without originals, in their order, are those that were bought."""
    domain = session.domain(sale.dataset)
    images = samples.inputs.ndim > 2
    encoding = Encoding.of(Kind(samples.shape, images, int(samples.labels.max()) + 1))
    file = encrypt_chunks(domain, key, encoding.pack(samples), encoding.chunk_bytes)
    return file.commitment(domain) == sale.deal.dataset.file


def kind_of(task: Task) -> Kind:
    """Of the task's samples. Raises MdeError where it leaves their shape open."""
    shape = values_of(task)
    if not shape or not all(shape):
        raise MdeError("the task leaves the shape of its samples open")
    return Kind(shape, len(shape) > 1, len(task.classes))
