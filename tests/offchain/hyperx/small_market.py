"""A market small enough for unit tests: its terms, its roles, and how they play a session.

Every provider's dataset is of one digit and the stub scorer scores the digit, so that a test says
who is best by naming digits. The extractor is a real one, cut early, on images of 32 pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from nacl.signing import SigningKey

from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import NATIVE, Settlement
from offchain.data.datasets import load_dataset
from offchain.data.imageset import ImageSet
from offchain.data.originals import Originals, originals_of
from offchain.data.shards import PackedShards
from offchain.hyperx import actions as do
from offchain.hyperx.collector import Collector
from offchain.hyperx.documents import EXTRACTOR
from offchain.hyperx.evaluation import Evaluation
from offchain.hyperx.obfuscation import Obfuscation
from offchain.hyperx.policy import Policy
from offchain.hyperx.provider import Provider
from offchain.hyperx.quality import QualityScore
from offchain.hyperx.session import Session
from offchain.hyperx.terms import Terms
from offchain.models.backbones import default_preprocessing
from offchain.models.extractor import Extractor
from offchain.models.preprocessing import Preprocessing
from offchain.roles import Clock
from offchain.storage import cid_of, digest_of
from offchain.task import Task, publish_task
from tests.kit.memory_store import MemoryStore
from tests.kit.random_networks import random_extractor
from tests.offchain.hyperx.session_in_memory import CHAIN_ID, SESSION, SessionInMemory

CPU = torch.device("cpu")
COLLECTOR, ANNA, BERT, CARL = ("0x" + byte * 20 for byte in ("c0", "a1", "b2", "c3"))
SHARDS, SHARD_SIZE = 12, 3
START = Clock(0, 1)
SEEDED = Policy(sample_seed=3, least_accuracy=0)


@cache
def digits() -> ImageSet:
    """The 5,000 digits, sorted by class."""
    return load_dataset("digits")


@cache
def digits_of(digit: int, count: int = SHARDS * SHARD_SIZE) -> ImageSet:
    """The first `count` images of one digit."""
    places = (digits().labels == digit).nonzero().flatten()[:count]
    return digits().subset(places, f"digit {digit}")


@cache
def of_digit(digit: int, count: int = SHARDS * SHARD_SIZE) -> Originals:
    """The same as files."""
    return originals_of(digits_of(digit, count))


@cache
def sold(digit: int) -> str:
    """The digest of what a provider of that digit sells."""
    return PackedShards(of_digit(digit), SHARDS, SHARD_SIZE).digest()


@cache
def extractor() -> Extractor:
    """Random weights, features (C, 2, 2) of images of 32 pixels."""
    return random_extractor("efficientnet-lite0", "block5_project", 32, seed=1)


@dataclass
class DigitScorer:
    """The score of a provider is its mean label over ten."""

    calls: int = 0
    name: str = "mean label"

    def score(self, providers, validation, class_count, *, seed, device="cpu", progress=None):
        self.calls += 1
        return [
            QualityScore(float(labels.double().mean()) / 10, 0.0, 0.0, 1.0, len(validation[1]))
            for _, labels in providers
        ]


@cache
def evaluation(
    own: Extractor | None = None,
    preprocessing: Preprocessing | None = None,
    obfuscation: Obfuscation | None = None,
) -> Evaluation:
    """The collector's, with fixed secrets."""
    own = own or extractor()
    return Evaluation(
        extractor=own,
        preprocessing=preprocessing or default_preprocessing(own.backbone, own.size),
        obfuscation=obfuscation or Obfuscation.draw(own.output_shape[0], seed=2),
        private_key=bytes([7]) * 32,
        signing_key=SigningKey(bytes([8]) * 32),
        validation=digits().subset(range(0, 5000, 500)),
        scorer=DigitScorer(),
        pool=2,
        seed=0,
        device=CPU,
    )


LICENCE = "CC-BY-4.0"


@cache
def published() -> tuple[Task, dict[str, bytes]]:
    """The collector's task, and the network in which it and its documents lie."""
    network: dict[str, bytes] = {}
    store = MemoryStore(network)
    documents = evaluation().publish(store)
    task = Task("images", evaluation().classes, (1, 28, 28), LICENCE, documents)
    publish_task(store, task)
    return task, network


def other_task(market: SmallMarket, **changes) -> bytes:
    """The digest of a task with `changes`, which the collector publishes in `market`."""
    return publish_task(market.store(COLLECTOR), replace(published()[0], **changes))


def make_terms(**changes) -> Terms:
    """Terms of a market that samples 3 of 12 shards of 3; `changes` by field."""
    terms = Terms(
        collector=COLLECTOR,
        token=NATIVE,
        reward=1000,
        deposit=600,
        sample_bps=2500,
        penalty_bps=500,
        shard_count=SHARDS,
        shard_size=SHARD_SIZE,
        further_reviews=0,
        published_addresses=True,
        settlement=Settlement.OPEN,
        registration_end=1000,
        submission_end=2000,
        expiry=3000,
        response_time=100,
        task=digest_of(cid_of(published()[0].to_bytes())),
        encryption_key=evaluation().encryption_key,
    )
    return replace(terms, **changes)


@dataclass(frozen=True)
class SeatInMemory:
    """One party: its account, and how its role comes to life from what is on disk."""

    account: str
    make: Callable[[Session], Collector | Provider]


@dataclass(frozen=True)
class StepInMemory:
    """An action that the chain took, and the blocks before it."""

    account: str
    action: do.Action
    height: int


class SmallMarket:
    """A chain, a network and parties with a secrets file each, under `folder`."""

    def __init__(self, folder: Path, **changes) -> None:
        self.folder = folder
        self.chain = SessionInMemory(make_terms(**changes))
        self.network = dict(published()[1])
        self.stores: dict[str, MemoryStore] = {}
        self.seats: dict[str, SeatInMemory] = {}
        self.roles: dict[str, Collector | Provider] = {}
        self.steps: list[StepInMemory] = []
        # Its weights are random: owners say that they take it.
        self.accepted = {published()[0].document(EXTRACTOR)}

    def store(self, account: str) -> MemoryStore:
        """The datastore of a party."""
        return self.stores.setdefault(account, MemoryStore(self.network))

    def secrets(self, account: str) -> SecretsFile:
        """The secrets file of a party, read from disk."""
        return SecretsFile(self.folder / account / "secrets.json")

    def provider(
        self, account: str, digit: int | Originals, kind: type[Provider] = Provider, **more
    ) -> None:
        """Seats a provider that sells pictures of `digit`, or these."""
        self.seats[account] = SeatInMemory(
            account,
            lambda session: kind(
                account,
                session,
                of_digit(digit) if isinstance(digit, int) else digit,
                self.store(account),
                self.secrets(account),
                CPU,
                **{"extractors": tuple(self.accepted)} | more,
            ),
        )

    def collector(
        self,
        policy: Policy = SEEDED,
        kind: type[Collector] = Collector,
        how: Evaluation | None = None,
    ) -> None:
        """Seats the collector."""
        self.seats[COLLECTOR] = SeatInMemory(
            COLLECTOR,
            lambda session: kind(
                session,
                how or evaluation(),
                self.store(COLLECTOR),
                self.secrets(COLLECTOR),
                policy,
            ),
        )

    def role(self, account: str, *, restart: bool = False) -> Collector | Provider:
        """The party's role, told of the chain as it is; `restart`: killed and brought up again."""
        session = self.chain.session()
        if restart or account not in self.roles:
            self.roles[account] = self.seats[account].make(session)
        self.roles[account].session = session
        return self.roles[account]

    def act(self, account: str, *, restart: bool = False) -> do.Action | None:
        """Lets one party take its next step; `restart`: it is killed before deciding and again
        between deciding and sending, so that it decides twice."""
        if restart:
            self.role(account, restart=True).next_action(self.chain.clock)
        action = self.role(account, restart=restart).next_action(self.chain.clock)
        if action is not None:
            self.steps.append(StepInMemory(account, action, len(self.chain.blocks)))
            self.chain.send(action, account)
        return action

    def rest(self, *, restart: bool = False) -> None:
        """Everybody acts until nobody has anything to do at this time."""
        acted = True
        while acted:
            acted = any([self.act(account, restart=restart) for account in self.seats])  # noqa: C419

    def edges(self) -> list[int]:
        """The times at which a window opens or closes, ascending."""
        terms, session = self.chain.terms, self.chain.session()
        ends = (terms.registration_end, terms.sampling_end, terms.submission_end)
        fixed = [*ends, terms.selection_end, terms.expiry]
        moving = (session.last_look, session.deadline)
        return sorted({*fixed, *(edge for edge in moving if edge)})

    def advance(self) -> bool:
        """Goes to the next edge; False after the last."""
        later = [edge for edge in self.edges() if edge > self.chain.now]
        if later:
            self.chain.now = later[0]
        return bool(later)

    def play(self, *, restart: bool = False, until: int | None = None) -> Session:
        """Plays until nobody has anything left to do, or the chain's time is `until`."""
        self.rest(restart=restart)
        while (until is None or self.chain.now < until) and self.advance():
            self.rest(restart=restart)
            self._complete_draws(restart)
        return self.chain.session()

    def _complete_draws(self, restart: bool) -> None:
        while any(m.draw_pending(self.chain.block) for m in self.chain.session().members.values()):
            self.chain.block += 1
            self.rest(restart=restart)


def honest(folder: Path, **changes) -> SmallMarket:
    """Anna (digit 4), Bert (9, the best) and Carl (6) before a collector; nobody has acted."""
    market = SmallMarket(folder, **changes)
    for account, digit in ((ANNA, 4), (BERT, 9), (CARL, 6)):
        market.provider(account, digit)
    market.collector()
    return market


def candidates(market: SmallMarket) -> list[str]:
    """Who was asked, in order."""
    return [s.action.provider for s in market.steps if isinstance(s.action, do.SetCandidate)]


def of_collector(market: SmallMarket) -> list[type]:
    """Kinds of what the collector did, in order."""
    return [type(step.action) for step in market.steps if step.account == COLLECTOR]


def deal(market: SmallMarket) -> str | None:
    """Whose dataset was bought."""
    claimed = market.chain.session().deal
    return claimed.provider if claimed else None


def anna(
    market: SmallMarket,
    session: Session,
    data: Originals | None = None,
    policy: Policy | None = None,
    **more,
) -> Provider:
    """Anna's role in some session, with her secrets and datastore; she sells fours."""
    store, secrets_file = market.store(ANNA), market.secrets(ANNA)
    more = {"extractors": tuple(market.accepted)} | more
    return Provider(ANNA, session, data or of_digit(4), store, secrets_file, CPU, policy, **more)


def session(**changes) -> Session:
    """One in which nothing has happened yet."""
    return Session(CHAIN_ID, SESSION, make_terms(**changes))
