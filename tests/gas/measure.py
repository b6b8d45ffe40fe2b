"""Plays whole sessions, ours and the plain transcription of Figure 3, and keeps what calls cost.

Gas comes from receipts. Everything a call carries follows from fixed seeds, accounts, contract
addresses and times, so the same code costs the same gas to the unit whenever it is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ape
from ape.api import ReceiptAPI
from eth_hash.auto import keccak

from offchain.crypto import sealing
from offchain.crypto.bitmap import BPS, choose
from offchain.hyperx.delivery import SESSION_KEY_INDEX
from tests.gas import floors
from tests.hyperx.session_driver import OPEN, SEALED, Entry, SessionDriver, open_session

TERMS = {"reward": 10**18, "deposit": 6 * 10**17, "penaltyBps": 5_000}
SAMPLE_BPS = 1_000
SHARDS = (10, 100, 1_000, 10_000)
HIDDEN_SHARDS = (10, 100, 1_000, 4_000)
LARGEST = {"hidden": (4_000, 1_000), "published": (10_000, 2_000)}
"""Shards and sampled shards of the largest session, by what becomes of the addresses."""
# At 1,000 shards its registration and claim no longer fit in a transaction.
PLAIN_SHARDS = (10, 100)

LOSER = ("register", "submitFeatures", "claimDeposit")
WINNER = ("register", "submitFeatures", "submitReview", "claimReward")
# In Figure 3 the winner fetches its deposit by a call of its own; ours comes with the reward.
PLAIN_WINNER = (*WINNER, "claimDeposit")
# Under sealed settlement the reward comes with the deposit.
WINNER_IS_PAID = "claimDeposit, winner"
COLLECTOR = ("sampleData", "setCandidate", "setOptimal")


@dataclass(frozen=True)
class Call:
    """One transaction: its gas as in the receipt, its calldata, and its bytes when signed."""

    gas: int
    calldata: bytes
    signed_bytes: int

    @classmethod
    def of(cls, receipt: ReceiptAPI) -> Call:
        """The call that a receipt tells of."""
        signed = receipt.transaction.serialize_transaction()
        return cls(receipt.gas_used, bytes(receipt.data), len(signed))

    @property
    def work(self) -> int:
        """Gas without the plain price of calldata, in which zero bytes of hashes are cheaper."""
        return self.gas - floors.intrinsic(self.calldata)


Session = Mapping[str, Call]


@dataclass(frozen=True)
class Measurement:
    """Everything measured in one run.

    Attributes:
        hidden: our session by number of shards, addresses hidden until the claim.
        published: the same, addresses known from the start.
        sealed_hidden: what sealed settlement adds, by number of shards, addresses hidden.
        sealed_published: the same, addresses known from the start.
        plain: the plain transcription of Figure 3 by number of shards.
        largest: the calls that grow, at the largest sizes allowed.
        draw: the longest random draw. A block's hash decides how long it takes, and any byte of any
            contract decides the hash, so the snapshot leaves it out.
    """

    hidden: Mapping[int, Session]
    published: Mapping[int, Session]
    sealed_hidden: Mapping[int, Session]
    sealed_published: Mapping[int, Session]
    plain: Mapping[int, Session]
    largest: Session
    draw: Call

    def flat(self) -> dict[str, int]:
        """Gas by ``kind/shards/call``: what the snapshot keeps."""
        kinds = {
            "hidden": self.hidden,
            "published": self.published,
            "sealed hidden": self.sealed_hidden,
            "sealed published": self.sealed_published,
            "plain": self.plain,
        }
        gas = {
            f"{kind}/{shards}/{name}": call.gas
            for kind, sessions in kinds.items()
            for shards, session in sessions.items()
            for name, call in session.items()
        }
        return gas | {f"largest/{name}": call.gas for name, call in self.largest.items()}


@dataclass(frozen=True)
class People:
    """Who plays."""

    collector: Any
    winner: Any
    loser: Any


def total(session: Session, role: Sequence[str]) -> int:
    """What the calls of a role cost together."""
    return sum(session[name].gas for name in role)


def measure(factory: Any, plain: Any, people: People) -> Measurement:
    """Plays all sessions.

    Args:
        factory: a TradingSessionFactory on a chain where nothing else happened.
        plain: the container of PlainSession.
        people: who plays.
    """
    return Measurement(
        hidden={n: play(factory, people, n, published=False) for n in HIDDEN_SHARDS},
        published={n: play(factory, people, n, published=True) for n in SHARDS},
        sealed_hidden={n: play_sealed(factory, people, n, published=False) for n in HIDDEN_SHARDS},
        sealed_published={n: play_sealed(factory, people, n, published=True) for n in SHARDS},
        plain={n: play_plain(plain, people, n) for n in PLAIN_SHARDS},
        largest=extremes(factory, people),
        draw=longest_draw(factory, people),
    )


def play(
    factory: Any,
    people: People,
    shards: int,
    *,
    published: bool,
    sample_bps: int = SAMPLE_BPS,
    indices: Sequence[int] | None = None,
) -> dict[str, Call]:
    """A session with two providers that closes with a deal, from creation to the loser's deposit.

    Register, sample and features are the winner's; the collector pays for one provider.

    Args:
        factory: the TradingSessionFactory.
        people: who plays.
        shards: shards per dataset.
        published: whether the shards' addresses are known from the start.
        sample_bps: share of the shards that is sampled, in 1/10,000.
        indices: the sampled shards; a fixed random choice unless given.
    """
    with _isolated():
        driver = _new_session(factory, people, shards, published, sample_bps)
        calls = {"createSession": Call.of(driver.created)}
        for provider in (people.loser, people.winner):
            calls["register"] = Call.of(driver.register(provider))
            calls["sampleData"] = Call.of(driver.sample(provider, indices))
            calls["submitFeatures"] = Call.of(driver.submit_features(provider))
        calls["setCandidate"] = Call.of(driver.set_candidate(people.winner))
        _seal(driver.entry(people.winner))
        calls["submitReview"] = Call.of(driver.submit_review(people.winner))
        calls["setOptimal"] = Call.of(driver.set_optimal(people.winner))
        calls["claimReward"] = Call.of(driver.claim_reward(people.winner))
        calls["claimDeposit"] = Call.of(driver.claim_deposit(people.loser))
    return calls


def play_sealed(factory: Any, people: People, shards: int, *, published: bool) -> dict[str, Call]:
    """The calls of sealed settlement, each from where it can be made.

    The dispute is about the last shard. The winner is paid by claimDeposit, which settles what
    nobody else has settled.
    """
    winner = people.winner
    with _isolated():
        driver = _new_session(factory, people, shards, published, SAMPLE_BPS, settlement=SEALED)
        driver.register(winner)
        driver.sample(winner)
        driver.submit_features(winner)
        driver.set_candidate(winner)
        _seal(driver.entry(winner))
        driver.submit_review(winner)
        driver.set_optimal(winner)
        with _isolated():
            _seal_session_key(driver.entry(winner), keccak(b"some other key"))
            driver.deliver_key(winner)
            disputed = Call.of(driver.prove_wrong_delivery(winner, shards - 1))
        _seal_session_key(driver.entry(winner), driver.entry(winner).commitment.session_key)
        calls = {"deliverKey": Call.of(driver.deliver_key(winner)), "proveWrongDelivery": disputed}
        driver.go_to(driver.deadline)
        with _isolated():
            calls["settle"] = Call.of(driver.settle())
        calls[WINNER_IS_PAID] = Call.of(driver.claim_deposit(winner))
    return calls


def play_plain(container: Any, people: People, shards: int) -> dict[str, Call]:
    """The same session on PlainSession, under the names of our calls."""
    with _isolated():
        indices = choose(shards, SAMPLE_BPS, seed=1)
        session = people.collector.deploy(
            container,
            TERMS["reward"],
            TERMS["deposit"],
            SAMPLE_BPS,
            ape.chain.pending_timestamp + 10_000,
            _word("extractor"),
            value=TERMS["reward"],
        )
        calls = {"createSession": Call.of(session.creation_metadata.receipt)}
        for provider in (people.loser, people.winner):
            plain = [_word(f"{provider.address}/{i}") for i in range(shards)]
            hashed = [keccak(address) for address in plain]
            calls["register"] = Call.of(
                session.registration(hashed, sender=provider, value=TERMS["deposit"])
            )
            calls["sampleData"] = Call.of(
                session.sampleData(provider, [hashed[i] for i in indices], sender=people.collector)
            )
            calls["submitFeatures"] = Call.of(
                session.submitFeatures(_word("features"), sender=provider)
            )
        sample = [plain[i] for i in indices]
        calls["setCandidate"] = Call.of(
            session.setCandidate(people.winner, sender=people.collector)
        )
        calls["submitReview"] = Call.of(
            session.submitReview(sample, _word("session key"), sender=people.winner)
        )
        calls["setOptimal"] = Call.of(session.setOptimal(people.winner, sender=people.collector))
        calls["claimReward"] = Call.of(session.claimReward(plain, sender=people.winner))
        calls["claimDeposit"] = Call.of(session.claimDeposit(sender=people.loser))
    return calls


def extremes(factory: Any, people: People) -> dict[str, Call]:
    """The calls that grow, at the largest sizes the factory allows, each at its dearest."""
    return {
        f"{name}, {kind}, {sampled:,} of {shards:,}": call
        for kind, (shards, sampled) in LARGEST.items()
        for name, call in _largest(factory, people, shards, sampled, kind == "published").items()
    }


def _largest(
    factory: Any, people: People, shards: int, sampled: int, published: bool
) -> dict[str, Call]:
    # Evenly spread, hence with the fewest shared siblings: the longest proof.
    spread = range(0, shards, shards // sampled)
    bps, winner = BPS * sampled // shards, people.winner
    calls = play(factory, people, shards, published=published, sample_bps=bps, indices=spread)
    largest = {name: calls[name] for name in ("sampleData", "submitReview", "claimReward")}
    with _isolated():
        driver = _new_session(factory, people, shards, published, bps, SEALED)
        driver.register(winner)
        driver.sample(winner, spread)
        driver.submit_features(winner)
        driver.set_candidate(winner)
        with _isolated():
            _seal(driver.entry(winner), lambda _: keccak(b"some other key"))
            driver.submit_review(winner)
            accused = driver.prove_wrong_key(winner, spread[-1])
            largest["proveWrongKey"] = Call.of(accused)
        _seal(driver.entry(winner))
        driver.submit_review(winner)
        driver.set_optimal(winner)
        _seal_session_key(driver.entry(winner), driver.entry(winner).commitment.session_key)
        largest["deliverKey"] = Call.of(driver.deliver_key(winner))
    return largest


def longest_draw(factory: Any, people: People) -> Call:
    """drawSample of the largest sample that is half of the shards: the most draws in vain."""
    sampled = 2_000
    with _isolated():
        driver = _new_session(factory, people, 2 * sampled, True, BPS // 2)
        driver.register(people.winner)
        driver.request_draw(people.winner)
        return Call.of(driver.draw(people.winner))


@contextmanager
def _isolated() -> Iterator[None]:
    """Undoes what happens on the chain. Ape's own ``chain.isolate`` swallows exceptions."""
    snapshot = ape.chain.snapshot()
    try:
        yield
    finally:
        ape.chain.restore(snapshot)


def _word(label: str) -> bytes:
    return keccak(label.encode())


def _new_session(
    factory: Any,
    people: People,
    shards: int,
    published: bool,
    sample_bps: int,
    settlement: int = OPEN,
) -> SessionDriver:
    return open_session(
        factory,
        people.collector,
        shardCount=shards,
        publishedAddresses=published,
        sampleBps=sample_bps,
        settlement=settlement,
        **TERMS,
    )


def _seal(entry: Entry, key_of: Callable[[int], bytes] | None = None) -> None:
    """Seals the sampled keys under an ephemeral secret that is always the same."""
    key_of = key_of or (lambda i: entry.commitment.keys[i])
    entry.sealed = _sealed(entry, {i: key_of(i) for i in entry.sampled}, 1)


def _seal_session_key(entry: Entry, key: bytes) -> None:
    """Seals what is delivered, likewise, under another ephemeral secret."""
    entry.delivered = _sealed(entry, {SESSION_KEY_INDEX: key}, 1_000)


def _sealed(entry: Entry, keys: Mapping[int, bytes], secret: int) -> sealing.SealedKeys:
    """The keys, sealed under the first ephemeral secret from `secret` on that will do."""
    while (ephemeral := sealing.point_of(secret)).y % 2 or ephemeral.x >= sealing.ORDER:
        secret += 1
    shared = sealing.shared_x(secret, entry.one_time_key)
    sealed = tuple(
        bytes(a ^ b for a, b in zip(key, sealing.pad(shared, i), strict=True))
        for i, key in keys.items()
    )
    return sealing.SealedKeys(ephemeral.x, sealed)
