"""What a buyer bought, opened again: from chain, datastore and its own secrets."""

from __future__ import annotations

from offchain.crypto.disputable import EncryptedFile, encrypt_chunks, open_chunks
from offchain.crypto.errors import CryptoError, SpoiltChunkError
from offchain.crypto.secrets_file import SecretsFile
from offchain.mde.asked import require_sizes
from offchain.mde.checking import MOST_BYTES, opened_key
from offchain.mde.deals import DealState
from offchain.mde.errors import MdeError
from offchain.mde.letters import Letter, Offer
from offchain.mde.samples import Kind, Samples
from offchain.mde.session import DealSession, Sale
from offchain.mde.vault import one_time_name
from offchain.mde.verifiable.encoding import Encoding
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


def fetch_bought(
    session: DealSession, sale: Sale, task: Task, store: Datastore, cids: list[str], key: bytes
) -> tuple[Samples, str]:
    """The samples, labelled as the task has its classes, and which of `cids` they lie under.

    Raises MdeError or FileError where none leads to what was registered, and what the datastore
    raises.
    """
    order = sale.deal.order
    require_sizes(task, order.features, order.value_bytes)
    kind = _kind(task)
    file, cid = _registered(session, sale, store, cids)
    try:
        data = open_chunks(session.domain(sale.dataset), key, file)
    except SpoiltChunkError as error:
        raise MdeError(
            f"chunk {error.index} is not what was quoted, which can be proved"
        ) from error
    return Encoding.of(kind).unpack(data, kind), cid


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
    file = EncryptedFile.from_bytes(store.get(cid, MOST_BYTES))
    require_registered(sale.deal.dataset, session.place, file)
    return file


def is_what_was_sold(session: DealSession, sale: Sale, samples: Samples, key: bytes) -> bool:
    """Whether samples, in their order, are those that were registered and bought."""
    domain = session.domain(sale.dataset)
    images = samples.inputs.ndim > 2
    encoding = Encoding.of(Kind(samples.shape, images, int(samples.labels.max()) + 1))
    file = encrypt_chunks(domain, key, encoding.pack(samples), encoding.chunk_bytes)
    return file.commitment(domain) == sale.deal.dataset.file


def _kind(task: Task) -> Kind:
    """Of the task's samples. Raises MdeError where it leaves their shape open."""
    if not all(task.shape):
        raise MdeError("the task leaves the shape of its samples open")
    return Kind(task.shape, len(task.shape) > 1, len(task.classes))
