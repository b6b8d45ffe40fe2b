"""What an order asks for stands in its task: classes are told by name, and nobody registers what is
not asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from offchain.data.datasets import load_dataset
from offchain.data.imageset import ImageSet, split
from offchain.mde import events as ev
from offchain.mde.artefact import artefact_bytes, artefact_digest, load_artefact
from offchain.mde.asked import artefact_named, naming, require_kind, require_sizes
from offchain.mde.deals import DealState
from offchain.mde.errors import ArtefactMismatch, FeatureMismatch
from offchain.mde.extraction import ExtractionSettings
from offchain.mde.letters import Invitation, Offer
from offchain.mde.objections import FIRST_SECONDS, MOST_SECONDS, Objections
from offchain.mde.owner import Owner
from offchain.mde.publishing import Purse
from offchain.mde.samples import Kind, Samples, Task
from offchain.mde.seller import Seller
from offchain.mde.training import Trainer
from offchain.roles import Clock
from offchain.storage import ContentMalformed, ContentMissing, cid_from_digest
from offchain.task import ClassNames, Least, TaskError, publish_task
from offchain.task.images import relabelled
from tests.offchain.mde.deals_in_memory import START
from tests.offchain.mde.market_in_memory import PRICE, SETTINGS, STAKE, MarketInMemory
from tests.offchain.mde.small import fitted, linear, small_asked, small_task

DIGEST = b"\7" * 32


@pytest.fixture(scope="module")
def file():
    task = small_task()
    owner = Owner(task, task.validation, Trainer(), linear(fitted(task)))
    return artefact_bytes(owner.oracle(SETTINGS["tree"]), PRICE)


def test_a_task_names_its_artefact_by_the_files_digest():
    task = naming(small_asked(), DIGEST)
    assert artefact_named(task) == DIGEST
    with pytest.raises(TaskError, match="there is no document 'artefact'"):
        artefact_named(small_asked())
    other = replace(task, documents={"artefact": cid_from_digest(DIGEST)})
    with pytest.raises(TaskError, match="no digest of a file"):
        artefact_named(other)


@pytest.mark.parametrize("words", [(8, 1), (7, 4)])
def test_an_order_for_other_samples_than_its_task_is_refused(words):
    require_sizes(small_asked(), 8, 4)
    with pytest.raises(FeatureMismatch, match="the order is for"):
        require_sizes(small_asked(), *words)


@pytest.mark.parametrize(
    "kind", [Kind((8,), False, 4), Kind((7,), False, 3), Kind((1, 8, 1), True, 3)]
)
def test_an_artefact_for_other_samples_than_the_task_is_refused(kind):
    require_kind(small_asked(), Kind((8,), False, 3))
    with pytest.raises(ArtefactMismatch, match="the artefact prices"):
        require_kind(small_asked(), kind)


# ---------------------------------------------------------------- classes by name


@pytest.fixture(scope="module")
def priced():
    """What prices digits for an owner that lacks three of them, and such digits to sell."""
    digits = relabelled(load_dataset("digits", size=8))
    own, judged, more = split(digits, [200, 200, 400], seed=1)
    kept = own.subset((own.labels < 7).nonzero().flatten())
    samples = Samples.of(kept), Samples.of(judged)
    trainer = Trainer(steps=50)
    task = Task(*samples, 10, trainer.l2)
    owner = Owner(task, samples[1], trainer, trainer.fit(samples[0], 10))
    oracle = owner.oracle(ExtractionSettings(points=400))
    rule = Purse(10**6, 10).function(oracle, owner, 40)
    data = artefact_bytes(oracle, rule)
    sold = more.subset((more.labels >= 7).nonzero().flatten()[:40])
    return load_artefact(data, artefact_digest(data)), digits.classes, sold


def as_owned(sold: ImageSet, names: tuple[str, ...]) -> ImageSet:
    """The same pictures as a folder has them whose classes are called so: 7, 8 and 9 alone."""
    labels = torch.tensor([{7: 0, 8: 1, 9: 2}[int(label)] for label in sold.labels])
    order = sorted(range(3), key=lambda i: names[i])
    place = torch.empty(3, dtype=torch.int64)
    place[torch.tensor(order)] = torch.arange(3)
    return replace(sold, labels=place[labels], classes=tuple(names[i] for i in order))


@pytest.mark.parametrize(
    "names", [("7", "8", "9"), ("seven", "eight", "nine"), ("c - 7", "b - 8", "a - 9")]
)
def test_other_names_another_order_and_lacking_classes_fetch_the_same_price(priced, names):
    """The twin counts classes as its folder has them: good data fetches nothing by that."""
    artefact, classes, sold = priced
    wanted = artefact.quote(Samples.of(sold)).price
    owned = as_owned(sold, names)
    said = ClassNames(
        {name: digit for name, digit in zip(names, "789", strict=True) if name != digit}
    )
    mapped = relabelled(owned, classes, said)
    assert artefact.quote(Samples.of(mapped)).price == wanted > 10**5
    assert artefact.quote(Samples.of(owned)).price == 0


# ---------------------------------------------------------------- before anything is registered


class Missing:
    """A task that turns up late."""

    def __init__(self, market: MarketInMemory) -> None:
        self.away, self.get = True, market.store.get
        market.store.get = self

    def __call__(self, cid, max_bytes=None):
        if self.away:
            raise ContentMissing(f"{cid} is away")
        return self.get(cid, max_bytes)


def asking(folder, file, **task) -> MarketInMemory:
    """A market whose buyer asks for something else."""
    market = MarketInMemory(folder, file, Seller)
    market.buyer.vault.asks = replace(market.buyer.vault.asks, **task)
    return market


@pytest.mark.parametrize(
    ("task", "why"),
    [
        ({"classes": ("a", "b", "d")}, "classes are others"),
        ({"least": Least(samples=21)}, "samples: 20, at least 21 are asked for"),
        ({"least": Least(per_class=8)}, "at least 8 are asked for"),
        ({"licence": "MIT"}, "licence: the task asks for 'MIT', given is CC0-1.0"),
        ({"shape": (9,)}, "its task for table of 9"),
    ],
)
def test_nothing_is_registered_for_a_task_that_one_cannot_meet(file, tmp_path, task, why):
    market = asking(tmp_path, file, **task)
    market.stall = replace(market.stall, licences=("CC0-1.0",))
    market.roles[1] = market._make(1)
    market.run()
    assert market.deals.calls == ["post", "withdraw"]
    (said,) = market.roles[1].objections.values()
    assert why in said


def test_a_task_that_is_missing_is_looked_for_again(file, tmp_path):
    market = MarketInMemory(tmp_path, file, Seller)
    assert market.round(0)
    store = Missing(market)
    seller = market.roles[1]
    assert not market.round(1)
    assert "is away" in next(iter(seller.objections.values()))
    store.away = False
    assert not market.round(1)
    market.deals.now += FIRST_SECONDS
    assert market.round(1)
    assert market.deals.calls == ["post", "register"]
    assert not seller.objections


def test_what_is_missing_is_waited_for_ever_longer_and_all_else_is_final():
    objections: Objections[str] = Objections()
    now, waits = 0, []
    for _ in range(8):
        objections.note("a", ContentMissing("away"), now)
        begun = now
        while objections.hold("a", now):
            now += 1
        waits.append(now - begun)
    assert waits[:3] == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS]
    assert waits[-1] == MOST_SECONDS
    objections.note("a", ContentMalformed("a folder"), now)
    assert objections.hold("a", now + 10**9)
    objections.lift("a")
    assert not objections.hold("a", now)


# ---------------------------------------------------------------- one order


def test_a_seller_under_one_order_adds_what_its_stake_lacks_and_goes_home(file, tmp_path):
    market = MarketInMemory(tmp_path, file, Seller)
    assert market.round(0)
    (order,) = market.session.orders
    market.stall = replace(market.stall, order=order, funds=100)
    seller = market.roles[1] = market._make(1)
    assert market.round(1)
    seller.session = session = market.session
    action = seller.next_action(market.deals.clock)
    assert (action.call, action.pays) == ("fund", session.orders[order].stake - 100)
    session.apply(ev.Funded(seller.id, action.pays), START)
    assert seller.next_action(market.deals.clock).letters
    assert seller.is_wanted(Clock(START, 1))
    session.apply(ev.Withdrawn(order, session.books[order].funds), START)
    assert not seller.is_wanted(Clock(START, 1))
    assert seller.next_action(market.deals.clock).call == "withdraw"


def test_who_took_its_budget_home_shows_its_artefact_to_nobody(file, tmp_path):
    """A seller that comes after it is not invited."""
    market = MarketInMemory(tmp_path, file, Seller)
    assert market.round(0)
    while not any(isinstance(one.message, Offer) for one in market.session.letters):
        assert market.round(1)
    buyer = market.buyer
    buyer.session = session = market.session
    (order,) = session.orders
    session.apply(ev.Withdrawn(order, session.books[order].free), START)
    assert buyer.next_action(market.deals.clock) is None
    buyer.session = market.session
    (letter,) = buyer.next_action(market.deals.clock).letters
    assert isinstance(letter.message, Invitation)


def test_a_set_whose_stake_is_not_all_there_is_neither_fetched_nor_asked_about(file, tmp_path):
    """It could not be bought from, and registering many costs little."""
    market = MarketInMemory(tmp_path, file, Seller)
    market.stall = replace(market.stall, funds=STAKE - 1)
    market.roles[1] = market._make(1)
    while market.round():
        pass
    (offered,) = market.session.letters
    assert isinstance(offered.message, Offer)
    assert market.buyer.objections == {}


def test_what_a_buyer_wants_not_is_not_bought_though_it_was_countersigned(file, tmp_path):
    market = MarketInMemory(tmp_path, file, Seller, Seller)
    while len(market.session.sales) < 2:
        assert market.round()
    unwanted = market.roles[1].id
    market.buyer.wants = replace(market.buyer.wants, without=frozenset({unwanted}))
    market.run()
    states = {one.dataset: one.state for one in market.session.sales.values()}
    assert states == {unwanted: DealState.QUOTED, market.roles[2].id: DealState.SETTLED}


def test_another_order_than_its_own_is_none_of_a_sellers_business(file, tmp_path):
    market = MarketInMemory(tmp_path, file, Seller)
    assert market.round(0)
    market.stall = replace(market.stall, order=b"o" * 32)
    market.roles[1] = market._make(1)
    assert not market.round(1)


def test_orders_of_one_account_are_kept_apart_by_their_scope(file, tmp_path):
    """A second command neither answers for the first one's order nor takes it for its own, though
    it asks for the same under the same artefact and the same terms."""
    market = MarketInMemory(tmp_path, file, Seller)
    assert market.round(0)
    first = market.buyer
    first.session = market.session
    assert len(first.vault.orders()) == 1
    other = market._make(0)
    other.vault.scope = "another"
    other.wants = replace(other.wants, scope="another")
    assert other.vault.orders() == []
    market.deals.do(other.next_action(market.deals.clock), other.account)
    first.session = other.session = market.session
    assert len({*first.vault.orders(), *other.vault.orders()}) == 2


def test_an_order_is_the_same_though_its_contacts_changed_meanwhile(file, tmp_path):
    """The task is published once: a command begun again on another node posts nothing new."""
    market = MarketInMemory(tmp_path, file, Seller)
    first = market.buyer.next_action(market.deals.clock)
    again = market._make(0)
    again.vault.asks = replace(again.vault.asks, contact=("/ip4/1.2.3.4/tcp/1",))
    assert again.next_action(market.deals.clock).arguments == first.arguments


def test_a_stranger_who_writes_no_task_is_not_sold_to(file, tmp_path):
    market = MarketInMemory(tmp_path, file, Seller)
    assert market.round(0)
    ((id_, order),) = market.session.orders.items()
    seller = market.roles[1]
    plain = publish_task(market.store, small_asked())
    seller.session.orders = {id_: replace(order, artefact=plain)}
    seller.session.books = market.session.books
    assert seller.next_action(market.deals.clock) is None
    assert "there is no document 'artefact'" in seller.objections[id_.hex()]
