"""Buyer and sellers without a chain: they go to the same end whoever is killed, and find faults."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.crypto.errors import SealError
from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import Settlement
from offchain.mde import adversaries
from offchain.mde.buyer import Buyer
from offchain.mde.coarse import coarse
from offchain.mde.correspondence import Correspondence
from offchain.mde.deals import DealState
from offchain.mde.events import Posted, QuoteWithdrawn
from offchain.mde.letters import (
    Agreement,
    Answer,
    Invitation,
    Letter,
    Proposal,
    Question,
)
from offchain.mde.seller import Seller
from offchain.mde.stock import first_places
from offchain.policy import Limit, Policy
from tests.kit.wallets import KeyWallet, recover
from tests.offchain.mde.deals_in_memory import PLACE
from tests.offchain.mde.market_in_memory import (
    PATIENCE,
    PRICE,
    SETTINGS,
    STAKE,
    Asked,
    MarketInMemory,
)
from tests.offchain.mde.small import drawn, small_task


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_seller_knows_where_the_sign_of_its_score_is_undecided(files, tmp_path, kind):
    """As of data that the buyer has; no letter says it."""
    redundant = small_task().train.subset(list(range(10)))
    for name, samples in (("useful", drawn(200, 9)), ("redundant", redundant)):
        (tmp_path / name).mkdir()
        market = MarketInMemory(tmp_path / name, files[kind], Seller, samples=samples).run()
        proposals = [one.message for one in market.session.letters if _proposes(one)]
        (seller,) = market.roles[1:]
        assert [seller.is_undecided(one.order) for one in proposals] == [name == "redundant"]


def _proposes(letter: Letter) -> bool:
    return isinstance(letter.message, Proposal)


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("settlement", Settlement)
def test_an_honest_seller_is_never_accused_and_its_samples_arrive_whole(
    files, tmp_path, kind, settlement
):
    market = MarketInMemory(tmp_path, files[kind], Seller, settlement=settlement).run()
    (sale,) = market.session.sales.values()
    assert sale.state is DealState.SETTLED
    assert market.gains() == [-sale.price, sale.price]
    (got,) = market.buyer.vault.bought().values()
    assert got.hashes() == market.sold[0].hashes()
    quoted = market.buyer.vault.pricing(sale.order).artefact.quote(market.sold[0]).price
    assert PRICE.floor < sale.price == coarse(PRICE, quoted)


@pytest.mark.parametrize(
    ("role", "call"),
    [
        (adversaries.SwapsData, "proveSpoiltChunk"),
        (adversaries.FalseScore, "proveWrongScore"),
        (adversaries.FalsePrice, "proveWrongPrice"),
        (adversaries.WrongKey, "proveWrongKey"),
    ],
)
def test_each_cheat_passes_until_the_delivery_and_is_then_found_out(files, tmp_path, role, call):
    market = MarketInMemory(tmp_path, files["tree"], role).run()
    assert market.gains() == [STAKE, -STAKE]
    assert call in market.deals.calls
    assert market.buyer.vault.bought() == {}


def test_who_delivers_nothing_is_paid_nothing_and_loses_nothing(files, tmp_path):
    market = MarketInMemory(tmp_path, files["tree"], adversaries.NeverDelivers).run()
    assert market.gains() == [0, 0]
    assert "settle" in market.deals.calls


def test_roles_that_are_built_anew_before_each_step_go_the_same_way(files, tmp_path):
    """Calls, letters, money and data are the same; no key and no artefact is made twice."""
    both = []
    for forgetful in (False, True):
        folder = tmp_path / str(forgetful)
        parties = Seller, Seller
        market = MarketInMemory(folder, files["tree"], *parties, forgetful=forgetful).run()
        got = [samples.hashes() for samples in market.buyer.vault.bought().values()]
        letters = [type(letter.message) for letter in market.deals.letters]
        both.append((market.deals.calls, letters, market.gains(), got))
        assert len(market.made) <= 1 + len(got)
    assert both[0] == both[1]
    assert len(both[0][3]) == 2


def test_a_buyer_that_dies_after_a_sealed_delivery_opens_what_it_paid_for(files, tmp_path):
    market = MarketInMemory(tmp_path, files["tree"], Seller)
    while "sealKey" not in market.deals.calls:
        if not market.round(0, 1):
            market.deals.now += PATIENCE // 2
        market.roles[0] = market._make(0)
    (sale,) = market.session.sales.values()
    received = market._make(0).vault.received(sale)
    assert received.fault is None
    assert received.samples.hashes() == market.sold[0].hashes()


def test_what_a_set_would_still_add_is_asked_after_each_purchase_and_said_once(files, tmp_path):
    """Only for purchases that were really made: a question too many is not answered."""
    market = MarketInMemory(tmp_path, files["tree"], Seller, Seller).run()
    said = [letter.message for letter in market.deals.letters]
    assert [one.bought for one in said if isinstance(one, Question)] == [1]
    assert [one.bought for one in said if isinstance(one, Answer)] == [1]
    (asked,) = (one for one in said if isinstance(one, Question))
    strange = replace(asked, bought=7, until=market.deals.now + 10**6)
    late = Letter(market.buyer.account, market.roles[2].account, strange)
    market.deals.letters.append(late)
    assert not market.round(1, 2)


def test_a_buyer_that_moves_on_buys_nothing_by_an_old_quote_and_no_seller_reads_its_new_artefact(
    files, tmp_path
):
    market = MarketInMemory(tmp_path, files["tree"], Seller, Seller, buyer=adversaries.MovesOn)
    others = iter([files["tree"], files["influence"]])
    market.buyer.vault.publish = lambda owner: next(others)
    market.run()
    assert market.refused == ["AccountIsClosed"]
    assert len(market.session.orders) == 2
    assert sum(market.gains()) == 0
    first = market.buyer.vault.orders()[0]
    shown = [Correspondence(market.session, first, role.id) for role in market.roles[1:]]
    assert max(len(about.by_buyer(Invitation)) for about in shown) > 1
    assert {len(about.by_seller(Proposal)) for about in shown} == {1}


def test_a_late_buyer_and_a_second_quote_are_refused_once(files, tmp_path):
    late = MarketInMemory(tmp_path / "a", files["tree"], Seller, buyer=adversaries.LateBuyer).run()
    assert (late.refused, late.gains()) == (["QuoteExpired"], [0, 0])
    twice = MarketInMemory(
        tmp_path / "b", files["tree"], adversaries.AsksTwice, forgetful=True
    ).run()
    assert twice.refused == ["AlreadyQuoted"]
    assert twice.gains()[1] > 0


def test_an_honest_seller_sells_a_sample_that_it_has_twice_once(files, tmp_path):
    samples = drawn(20, 9)
    twice = samples.joined(samples.subset([3, 4]))
    assert twice.subset(first_places(twice)).hashes() == samples.hashes()
    market = MarketInMemory(tmp_path, files["tree"], Seller, samples=twice).run()
    (dataset,) = market.session.datasets.values()
    assert dataset.count == 20
    assert "accept" in market.deals.calls


def test_only_the_seller_that_was_invited_can_read_the_artefact(files, tmp_path):
    asked = Asked(tmp_path, files["tree"])
    (invitation,) = asked.found(Invitation)
    assert asked.roles[1].read(asked.order_id, invitation.artefact).artefact.digest
    secrets = SecretsFile(tmp_path / "other.json")
    other = Seller(
        KeyWallet("1"), recover, asked.session, drawn(5, 1), asked.stall, asked.store, secrets
    )
    with pytest.raises(SealError):
        other.read(asked.order_id, invitation.artefact)


def test_a_withdrawn_quote_is_neither_recorded_nor_bought(files, tmp_path):
    """Whether it was taken back before its record or after."""
    market = Asked(tmp_path, files["tree"])
    while not market.found(Agreement):
        assert market.round(0)
    buyer, seller = market.roles
    seller.session = market.session
    before = [*market.deals.log]
    market.deals.do(seller.record(market.deals.clock), seller.account)
    quoted = market.deals.log[-1]
    gone = (QuoteWithdrawn(quoted[0].pair, seller.account), market.deals.now)
    for log, offered in ((before, 0), ([*before, quoted], 1)):
        market.deals.log = log
        buyer.session = seller.session = market.session
        assert len(buyer._offered(market.order_id, market.deals.clock)) == offered
        market.deals.log = [*log, gone]
        buyer.session = seller.session = market.session
        assert seller.record(market.deals.clock) is None
        assert not buyer._offered(market.order_id, market.deals.clock)


def test_a_quote_that_the_contract_refuses_keeps_no_seller_from_anything_else(files, tmp_path):
    """A buyer's account may have code, which the contract asks where the role knows its key."""
    market = Asked(tmp_path, files["tree"])
    while not market.found(Agreement):
        assert market.round(0)
    seller, clock = market.roles[1], market.deals.clock
    seller.session = market.session
    quote = seller.next_action(clock)
    assert quote.call == "quote"
    assert seller.drop(quote)
    assert seller.next_action(clock) is None
    market.deals.now = market.stall.until
    assert seller.next_action(market.deals.clock).call == "withdraw"
    assert not seller.drop(seller.withdraw())


def test_a_buyer_buys_another_set_where_one_is_refused(files, tmp_path):
    market = MarketInMemory(tmp_path, files["tree"], Seller, Seller)
    while len(market.session.sales) < 2:
        assert market.round()
    market.deals.now += PATIENCE
    buyer, tried = market.buyer, []
    buyer.session = market.session
    while (action := buyer.next_action(market.deals.clock)).call == "purchase":
        tried.append(action.arguments[0][1])
        assert buyer.drop(action)
    assert len(tried) == len(set(tried)) == 2
    assert action.call == "withdraw"


class Unlimited(Seller):
    """The twin: it puts up what any order asks for."""

    def _fitting(self, clock):
        yield from self._orders()


@pytest.mark.parametrize("role", [Seller, Unlimited])
def test_a_registered_dataset_is_topped_up_under_no_order_that_its_owner_refuses(
    files, tmp_path, role
):
    """Data was registered for one order; another asks for a stake beyond the owner's limit."""
    market = Asked(tmp_path, files["tree"])
    greedy = replace(market.order, buyer=KeyWallet("mallory").address, stake=10**9)
    id_ = greedy.account.id(PLACE)
    market.deals.log.append((Posted(id_, greedy.buyer, greedy.args(), 10**6), market.deals.now))
    seller = market.roles[1]
    seller.__class__ = role
    seller.policy = Policy({"stake": Limit(most=STAKE, unit="wei")})
    seller.stall = replace(seller.stall, order=id_)
    seller.session = market.session
    action = seller.next_action(market.deals.clock)
    funded = action is not None and action.call == "fund"
    assert funded == (role is Unlimited)


class Mute(Seller):
    """Quotes, and answers no question."""

    def _answers(self, clock):
        return iter(())


class Patient(Buyer):
    """The twin: waits for the silent one after every purchase."""

    def _was_silent(self, order, dataset, clock):
        return False


@pytest.mark.parametrize(("buyer", "sold"), [(Buyer, 3), (Patient, 2)])
def test_who_was_silent_once_makes_nobody_elses_quote_expire(files, tmp_path, buyer, sold):
    """Quotes stand longer than it takes to wait for one answer, and less long than for two."""
    parties = Seller, Seller, Seller, Mute
    market = MarketInMemory(tmp_path, files["influence"], *parties, buyer=buyer)
    wants = replace(market.buyer.wants, budget=10**7, answer_time=2 * PATIENCE)
    market.buyer.wants = wants
    for role in market.roles[1:]:
        role.stall = replace(role.stall, quote_time=5 * PATIENCE)
    market.run()
    states = [sale.state for sale in market.session.sales.values()]
    assert states.count(DealState.SETTLED) == sold


class Stuck(Buyer):
    """The twin: takes letters that it cannot write for others' silence."""

    def _spend(self, order, clock):
        return None if self.mute else super()._spend(order, clock)


@pytest.mark.parametrize("buyer", [Buyer, Stuck])
def test_a_buyer_that_can_write_no_more_buys_by_what_it_signed_and_goes_home(
    files, tmp_path, buyer
):
    """It asks nobody what a second set would add, and takes the rest of its budget home."""
    market = MarketInMemory(tmp_path, files["influence"], Seller, Seller, buyer=buyer)
    while len(market.session.sales) < 2:
        assert market.round()
    market.buyer.mute = True
    if buyer is Stuck:
        with pytest.raises(AssertionError, match="nobody ends it"):
            market.run()
        return
    market.run()
    states = [sale.state for sale in market.session.sales.values()]
    assert sorted(states) == [DealState.QUOTED, DealState.SETTLED]
