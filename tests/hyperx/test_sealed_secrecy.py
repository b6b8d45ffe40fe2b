"""After a sealed deal the public holds neither key nor plain data; after an open one it does."""

from __future__ import annotations

from collections.abc import Iterator

import ape
import pytest
from eth_hash.auto import keccak

from offchain.crypto.errors import ShardCipherError
from offchain.crypto.shard_cipher import decrypt_shard, encrypt_shard
from tests.hyperx.session_driver import OPEN, SEALED, open_session

SLOTS = 8


@pytest.fixture
def traded(factory, collector, provider, rival, published):
    """Plays an honest deal under a settlement, and keeps all that was public about it."""

    def play(settlement):
        first = ape.chain.blocks.height + 1
        driver = open_session(
            factory, collector, settlement=settlement, publishedAddresses=published
        )
        driver.enter(provider, rival)
        driver.set_candidate(provider)
        driver.submit_review(provider)
        driver.set_optimal(provider)
        driver.strike_deal(provider)
        driver.claim_deposit(rival)
        return driver, public_record(driver, first, (collector, provider, rival))

    return play


def public_record(driver, first: int, parties) -> bytes:
    """Calldata and logs of every transaction since block `first`, code and storage now."""
    web3, session = ape.chain.provider.web3, driver.session.address
    parts = []
    for number in range(first, ape.chain.blocks.height + 1):
        for transaction in web3.eth.get_block(number, True)["transactions"]:
            parts.append(bytes(transaction["input"]))
            for log in web3.eth.get_transaction_receipt(transaction["hash"])["logs"]:
                parts += [*map(bytes, log["topics"]), bytes(log["data"])]
    mapping = [
        int.from_bytes(keccak(bytes.fromhex(p.address[2:]).rjust(32, b"\0") + slot), "big")
        for p in parties
        for slot in (n.to_bytes(32, "big") for n in range(SLOTS))
    ]
    parts += [bytes(web3.eth.get_storage_at(session, slot)) for slot in (*range(SLOTS), *mapping)]
    parts.append(bytes(web3.eth.get_code(session)))
    return b"".join(parts)


def words_in(record: bytes) -> Iterator[bytes]:
    """Every 32 bytes in a row, at whatever offset they begin."""
    return iter({record[i : i + 32] for i in range(len(record) - 31)})


def shards_opened(driver, provider, words) -> set[int]:
    """The shards that decrypt under one of the words, taken as shard key or as session key."""
    commitment = driver.entry(provider).commitment
    count = driver.terms.shardCount
    sealed = [encrypt_shard(commitment.keys[i], i, b"plain %d" % i) for i in range(count)]
    opened = set()
    for word in words:
        for i in set(range(count)) - opened:
            for key in (word, commitment.party.shard_key(word, i)):
                try:
                    decrypt_shard(key, i, sealed[i])
                except ShardCipherError:
                    continue
                opened.add(i)
    return opened


def test_the_public_opens_no_shard_after_a_sealed_deal(traded, provider):
    """No 32 bytes of calldata, logs, code or storage are a key; the collector's own key is."""
    driver, record = traded(SEALED)
    key = driver.entry(provider).commitment.session_key
    assert key not in record
    assert shards_opened(driver, provider, words_in(record)) == set()
    assert driver.received_key(provider) == key
    assert shards_opened(driver, provider, [key]) == set(range(driver.terms.shardCount))


def test_the_same_search_opens_every_shard_after_an_open_deal(traded, provider):
    """So that finding nothing means something."""
    driver, record = traded(OPEN)
    assert driver.entry(provider).commitment.session_key in record
    opened = shards_opened(driver, provider, words_in(record))
    assert opened == set(range(driver.terms.shardCount))


def test_a_review_key_does_not_open_a_delivery_without_the_secret(traded, provider):
    """The two are sealed under different points, so what the pads of the one are, if they ever
    became known, says nothing about the other."""
    driver, _ = traded(SEALED)
    entry = driver.entry(provider)
    assert entry.delivered.ephemeral_x != entry.sealed.ephemeral_x
    pads = [
        bytes(a ^ b for a, b in zip(word, entry.commitment.keys[i], strict=True))
        for i, word in zip(driver.opened(provider), entry.sealed.sealed, strict=True)
    ]
    guesses = [
        bytes(a ^ b for a, b in zip(pad, entry.delivered.sealed[0], strict=True)) for pad in pads
    ]
    assert entry.commitment.session_key not in guesses
