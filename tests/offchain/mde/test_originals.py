"""Priced is an encoded sample, sold is the original file, and one leaf binds both."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from PIL import Image

from offchain.crypto.disputable import EncryptedFile, encrypt_chunks
from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import NATIVE, Settlement
from offchain.data.folder import as_png
from offchain.data.imageset import DataError
from offchain.data.pictures import decoded
from offchain.mde import events as ev
from offchain.mde import original_folder
from offchain.mde.adversaries import ExchangedStock
from offchain.mde.checking import receive
from offchain.mde.deals import Deal, Order, Quote
from offchain.mde.errors import FeatureMismatch, MdeError, TooLarge
from offchain.mde.original_folder import (
    SAMPLES,
    read_samples,
    require_originals,
    write_originals,
)
from offchain.mde.purchase import Bought, bought_key, fetch_bought, kind_of, require_sold
from offchain.mde.samples import Samples
from offchain.mde.session import DealSession, Delivery
from offchain.mde.stock import Stock
from offchain.mde.verifiable.encoding import Encoding
from offchain.mde.verifiable.originals import Lying, chunks_with, originals_in, with_originals
from offchain.task import Task, publish_task
from tests.kit.memory_store import MemoryStore
from tests.offchain.mde.deals_in_memory import PLACE

CLASSES = ("cat", "dog")
TASK = Task("images", CLASSES, (3, 8, 8), "CC0-1.0")
KIND = kind_of(TASK)
ENCODING = Encoding.of(KIND)
SELLER, BUYER = "0x" + "aa" * 20, "0x" + "bb" * 20


def picture(seed: int, form: str = "JPEG") -> bytes:
    """A photograph's file, 48 by 32 pixels in four colours."""
    pixels = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).resize((48, 32), Image.Resampling.BICUBIC).save(file, form)
    return file.getvalue()


ORIGINALS = [picture(0), picture(1, "PNG"), picture(2), picture(3)]


def encoded(originals) -> Samples:
    """What is priced of them."""
    pixels = torch.stack([decoded(one, "it", TASK.shape) for one in originals])
    return Samples(pixels, torch.arange(len(originals)) % 2)


def stock_of(folder, originals, kind=Stock) -> Stock:
    """What the seller offers: the samples of `ORIGINALS`, with these files."""
    secrets = SecretsFile(folder / "seller.json")
    return kind(SELLER, PLACE, encoded(ORIGINALS), NATIVE, secrets, originals)


def sold(stock: Stock, store: MemoryStore) -> DealSession:
    """A session in which it was bought, and its key published."""
    session = DealSession(PLACE)
    task = publish_task(store, TASK)
    order = Order(
        *(BUYER, 10, NATIVE, 600, 600, ENCODING.features, task, b"r" * 32, b"t" * 32, 3),
        *(ENCODING.value_bytes, Settlement.OPEN),
    )
    deal = Deal(order, stock.dataset, Quote(5, 10_000, b"s" * 32))
    ids = order.account.id(PLACE), stock.id
    for event in (
        ev.Posted(ids[0], BUYER, order.args(), 100),
        ev.Registered(ids[1], SELLER, stock.dataset.args(), 100),
        ev.Quoted(deal.pair, *ids, deal.quote.args()),
        ev.Purchased(deal.pair, 0, 2_000),
        ev.KeyPublished(deal.pair, stock.key, 3_000),
        ev.Settled(deal.pair),
    ):
        session.apply(event, 1_000)
    return session


@dataclass
class Purchased:
    """What a buyer opened and wrote to `folder`."""

    session: DealSession
    bought: Bought
    key: bytes
    odd: tuple[int, ...]

    def check(self, folder) -> int:
        """As `ape run export --check` does."""
        (sale,) = self.session.sales.values()
        chunks, leaves = read_samples(folder)
        args = (self.session, sale, self.key, chunks, leaves, self.bought.cipher_root)
        require_sold(*args)
        return require_originals(folder, KIND, CLASSES, self.odd)


def buy(folder, originals) -> Purchased:
    """A seller offers these files, and the buyer exports what it bought to `folder`/bought."""
    store, stock = MemoryStore({}), stock_of(folder, originals)
    session = sold(stock, store)
    (sale,) = session.sales.values()
    key = bought_key(session, sale, SecretsFile(folder / "buyer.json"))
    cid = store.put(stock.file.to_bytes())
    bought = fetch_bought(session, sale, TASK, store, [cid], key)
    shown = write_originals(bought, CLASSES, folder / "bought")
    return Purchased(session, bought, key, shown.odd)


def test_the_sellers_own_files_arrive_by_class_and_are_bound_to_what_was_priced(tmp_path):
    found = buy(tmp_path, ORIGINALS)
    out = tmp_path / "bought"
    assert torch.equal(found.bought.samples.inputs, encoded(ORIGINALS).inputs)
    files = [out / "cat/0.jpg", out / "dog/1.png", out / "cat/2.jpg", out / "dog/3.jpg"]
    assert [one.read_bytes() for one in files] == ORIGINALS
    assert (found.odd, found.check(out)) == ((), 4)
    assert not list(tmp_path.glob(".*"))


def test_another_file_in_an_originals_place_is_told_and_not_taken_for_a_picture(tmp_path):
    """The seller binds another picture, or none at all: the buyer has the pixels that it paid for,
    and the file, which leaf and digest show to be the seller's."""
    rubbish = b"no picture " * 50
    found = buy(tmp_path, [ORIGINALS[0], picture(9), rubbish, b""])
    out = tmp_path / "bought"
    assert found.odd == (1, 2, 3)
    for i, class_ in ((1, "dog"), (2, "cat"), (3, "dog")):
        pixels = decoded(out / class_ / f"{i}.png", "it", TASK.shape)
        assert torch.equal(pixels, encoded(ORIGINALS).inputs[i])
    assert (out / "2.bin").read_bytes() == rubbish
    assert not (out / "3.bin").exists()
    assert found.check(out) == 1


def test_a_class_may_be_called_as_what_lies_beside_it(tmp_path):
    """What was bought can be exported whatever its classes are called."""
    bought = buy(tmp_path, [ORIGINALS[0], b"no picture", *ORIGINALS[2:]]).bought
    classes, out = (SAMPLES, "1.bin"), tmp_path / "odd names"
    assert write_originals(bought, classes, out).odd == (1,)
    assert require_originals(out, KIND, classes, (1,)) == 3


def test_a_picture_that_differs_in_one_stroke_is_another():
    """A seven is a one but for ten of its pixels, which is little in the mean."""
    one = torch.zeros((1, 28, 28), dtype=torch.uint8)
    one[:, 4:24, 14] = 255
    seven = one.clone()
    seven[:, 4, 4:14] = 255
    assert float((seven.float() - one.float()).mean()) < 4
    assert original_folder.shows(as_png(one), one)
    assert not original_folder.shows(as_png(one), seven)


@pytest.mark.parametrize("exchanged", ["original", "pixels", "sample", "further", "class"])
def test_a_folder_with_something_else_is_not_what_was_sold(tmp_path, exchanged, monkeypatch):
    found = buy(tmp_path, [*ORIGINALS[:3], b""])
    out = tmp_path / "bought"
    assert found.check(out) == 3
    if exchanged == "original":
        (out / "cat/0.jpg").write_bytes(picture(9))
    elif exchanged == "pixels":
        (out / "dog/3.png").write_bytes(picture(9, "PNG"))
    elif exchanged == "further":
        (out / "dog/more.png").write_bytes(picture(9, "PNG"))
    elif exchanged == "class":
        (out / "cat/0.jpg").rename(out / "dog/0.jpg")
    else:
        chunks = bytearray((out / SAMPLES).read_bytes())
        chunks[ENCODING.sample_bytes + 8] ^= 1  # of the digest of the first original
        (out / SAMPLES).write_bytes(chunks)
    with pytest.raises((DataError, MdeError)):
        found.check(out)
    if exchanged == "original":  # the twin: believes any file
        monkeypatch.setattr(original_folder, "is_bound", lambda said, file: True)
        assert found.check(out) == 3


def test_an_original_exchanged_after_it_was_committed_to_is_proved_like_any_chunk(tmp_path):
    """The encrypted chunks of the samples are the very ones that were quoted."""
    stock = stock_of(tmp_path, ORIGINALS, ExchangedStock)
    deal = Deal(
        Order(*(BUYER, 10, NATIVE, 600, 600, 192, b"a" * 32, b"r" * 32, b"t" * 32, 3, 1, 0)),
        stock.dataset,
        Quote(5, 10_000, b"s" * 32),
    )
    stock.file.require_committed(stock.domain, stock.dataset.file)
    found = receive(PLACE, None, deal, None, stock.file, Delivery(key=stock.key), 0)
    assert found.fault is not None
    assert found.fault.call == "proveSpoiltChunk"
    assert found.fault.evidence[1][2] == len(ORIGINALS)  # the first chunk after the samples'


def test_no_byte_is_looked_at_twice_whatever_the_chunks_say():
    """A thousand samples that name one large original would take hours: one of them has it."""
    packed = ENCODING.pack(encoded(ORIGINALS))
    data = bytearray(with_originals(ENCODING, packed, [b"", bytes(10_000), b"", b""]))
    size, start = ENCODING.chunk_bytes, ENCODING.sample_bytes
    said = data[size + start : size + start + 40]
    for i in range(4):
        data[i * size + start : i * size + start + 40] = said
    assert list(originals_in(ENCODING, bytes(data), 4)) == [bytes(10_000), None, None, None]


@pytest.mark.parametrize(
    ("chunk", "length"), [(0, 8), (3, 8), (5, 8), (2**32 - 1, 8), (4, 2**32 - 1), (4, 10**6)]
)
def test_what_lies_elsewhere_is_not_there(chunk, length):
    packed = ENCODING.pack(encoded(ORIGINALS))
    data = bytearray(with_originals(ENCODING, packed, [b"original", b"", b"", b""]))
    start = ENCODING.sample_bytes
    assert Lying.of(ENCODING, data[: ENCODING.chunk_bytes]).chunk == 4
    data[start : start + 8] = chunk.to_bytes(4, "big") + length.to_bytes(4, "big")
    assert list(originals_in(ENCODING, bytes(data), 4)) == [None] * 4


def test_what_cannot_be_sold_is_refused_in_one_line():
    with pytest.raises(TooLarge, match="at most 1048576 can be sold"):
        chunks_with(ENCODING, [range(ENCODING.chunk_bytes << 20)], 1)
    with pytest.raises(FeatureMismatch, match="no original files"):
        with_originals(Encoding(8, 4), bytes(64), [b"original"])


def test_other_originals_are_other_data_with_another_key(tmp_path):
    """Or one key would lock two files, and what differs could be told."""
    one, same = stock_of(tmp_path, ORIGINALS), stock_of(tmp_path, ORIGINALS)
    other = stock_of(tmp_path, [*ORIGINALS[:3], picture(9)])
    assert (one.key, one.id) == (same.key, same.id)
    assert one.key != other.key
    plain = encrypt_chunks(one.domain, one.key, ENCODING.pack(one.samples), ENCODING.chunk_bytes)
    assert isinstance(one.file, EncryptedFile)
    assert plain.shape.count == 4 < one.file.shape.count == one.dataset.chunks


def test_a_picture_bomb_is_no_original():
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    assert not original_folder.shows(file.getvalue(), encoded(ORIGINALS).inputs[0])
