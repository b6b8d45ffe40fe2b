"""Buyer and sellers without a chain: they go to the same end whoever is killed, and find faults."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.crypto.errors import FileError, SealError
from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import LONGEST_WINDOW, Settlement
from offchain.mde import adversaries
from offchain.mde.artefact import artefact_bytes
from offchain.mde.buyer import Buyer
from offchain.mde.checking import fetch_file, require_sound
from offchain.mde.coarse import coarse
from offchain.mde.correspondence import Correspondence
from offchain.mde.deals import DealState
from offchain.mde.errors import ArtefactMismatch, QuoteRefused, SessionError
from offchain.mde.events import Posted, Purchased, QuoteWithdrawn
from offchain.mde.letters import (
    Agreement,
    Answer,
    Invitation,
    Letter,
    Offer,
    Proposal,
    Question,
    Tell,
    readable,
)
from offchain.mde.owner import Owner
from offchain.mde.publishing import Purse
from offchain.mde.quoting import NO_WORD
from offchain.mde.samples import Samples
from offchain.mde.seller import Seller
from offchain.mde.stock import first_places
from offchain.mde.training import Trainer
from offchain.mde.verifiable.scores import ScoreLeaves
from offchain.models.canonical import DocumentError
from offchain.policy import Limit, Policy
from offchain.post import Letter as Carried
from offchain.storage import ContentTooLarge, cid_of
from tests.kit.wallets import KeyWallet, recover
from tests.offchain.mde.deals_in_memory import PLACE, START, Deals
from tests.offchain.mde.market_in_memory import (
    PATIENCE,
    PRICE,
    SETTINGS,
    STAKE,
    Asked,
    MarketInMemory,
)
from tests.offchain.mde.small import drawn, fitted, linear, small_task


@pytest.fixture(scope="module")
def files():
    """Artefacts of one model: an extracted tree, which a contract can check, and influence."""
    task = small_task()
    owner = Owner(task, task.validation, Trainer(), linear(fitted(task)))
    return {kind: artefact_bytes(owner.oracle(one), PRICE) for kind, one in SETTINGS.items()}


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


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"stake": Limit(most=STAKE - 1, unit="wei")}, f"stake: {STAKE} wei, at most {STAKE - 1}"),
        ({"delivery time": Limit(least=PATIENCE + 1)}, f"delivery time: {PATIENCE}, at least"),
        ({"time locked": Limit(most=2 * PATIENCE - 1)}, f"time locked: {2 * PATIENCE}, at most"),
    ],
)
def test_a_seller_quotes_to_no_order_outside_its_owners_limits(files, tmp_path, limits, reason):
    """It registers nothing for it; invited all the same, it reads no artefact and proposes none."""
    market = Asked(tmp_path / "asked", files["tree"])
    letters = market.deals.letters
    market.deals.letters = [one for one in letters if not isinstance(one.message, Proposal)]
    seller, session = market.roles[1], market.session
    seller.session = session
    for policy, proposes in (
        (Policy({"stake": Limit(STAKE, STAKE)}), True),
        (Policy(limits), False),
    ):
        seller.policy = policy
        assert bool([*seller._proposals(market.deals.clock)]) == proposes
    assert [said for said in seller.objections.values() if reason in said]
    fresh = MarketInMemory(tmp_path / "fresh", files["tree"], Seller)
    fresh.roles[1].policy = Policy(limits)
    fresh.run()
    assert "register" not in fresh.deals.calls
    assert [said for said in fresh.roles[1].objections.values() if reason in said]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("tree", {"rule": b"r" * 32}),
        ("tree", {"tree": b"t" * 32}),
        ("tree", {"depth": 31}),
        ("influence", {"rule": b"r" * 32}),
        ("influence", {"tree": b"t" * 32}),
    ],
)
def test_a_seller_refuses_an_order_that_does_not_follow_from_the_artefact(
    files, tmp_path, kind, change
):
    asked = Asked(tmp_path, files[kind])
    (invitation,) = asked.found(Invitation)
    seller = asked.roles[1]
    seller.session.orders[asked.order_id] = replace(asked.order, **change)
    with pytest.raises(ArtefactMismatch):
        seller.read(asked.order_id, invitation.artefact)


def test_a_buyer_signs_only_what_it_can_check(files, tmp_path):
    asked = Asked(tmp_path, files["tree"])
    (proposal,) = asked.found(Proposal)
    buyer, clock = asked.buyer, asked.deals.clock

    def refused(says, error=QuoteRefused, **changes):
        with pytest.raises(error, match=says):
            buyer.agreement(replace(proposal, **changes), clock)

    assert isinstance(buyer.agreement(proposal, clock), Agreement)
    refused(f"expired at {clock.now}, it is {clock.now}", expiry=clock.now)
    latest = clock.now + LONGEST_WINDOW
    refused(f"expires at {latest + 1}, must by {latest}", expiry=latest + 1)
    refused("1000001 are asked, the rule gives 0 to 1000000", price=PRICE.most + 1)
    refused("-1 are asked, the rule gives 0 to 1000000", price=-1)
    refused("scores with root", FileError, scores=b"s" * 32)
    refused("without the leaves", leaves="")
    deal = asked.buyer._about(asked.order_id, asked.dataset_id).deal(proposal)
    pricing = buyer.vault.pricing(asked.order_id)
    leaves, other = buyer.vault.leaves(proposal), replace(asked.order, stake=1)
    with pytest.raises(QuoteRefused, match="another order or another dataset"):
        require_sound(deal, leaves, other, asked.dataset, pricing, 0)
    assert ScoreLeaves.from_bytes(leaves.to_bytes()).root == proposal.scores


def test_scores_that_no_tree_gives_are_not_signed(files, tmp_path):
    asked = Asked(tmp_path, files["influence"])
    (proposal,) = asked.found(Proposal)
    assert (proposal.scores, proposal.leaves) == (NO_WORD, "")
    with pytest.raises(QuoteRefused, match="scores that no tree gives"):
        asked.buyer.agreement(replace(proposal, scores=b"s" * 32), asked.deals.clock)


def test_a_quote_that_no_call_takes_is_agreed_to_by_nobody(files, tmp_path):
    asked = Asked(tmp_path, files["tree"])
    (proposal,) = asked.found(Proposal)
    about = asked.buyer._about(asked.order_id, asked.dataset_id)
    assert about.deal(proposal).quote.fits
    for change in ({"price": -1}, {"price": 2**96}, {"expiry": 2**40}, {"scores": b"s" * 31}):
        odd = replace(proposal, **change)
        assert not about.deal(odd).quote.fits
        assert about.agreement(odd) is None


def test_a_signature_that_is_not_the_buyers_records_nothing(files, tmp_path):
    """An agreement in the buyer's name by another key leads to no call that must fail."""
    asked = Asked(tmp_path, files["tree"])
    (proposal,) = asked.found(Proposal)
    true = asked.buyer.agreement(proposal, asked.deals.clock)
    typed = asked.buyer._about(asked.order_id, asked.dataset_id).deal(proposal).typed_data(PLACE)
    false = replace(true, signature=KeyWallet("stranger").sign(typed))
    seller = asked.roles[1]
    asked.deals.letters.append(Letter(asked.buyer.account, seller.account, false))
    seller.session = asked.session
    assert seller.record(asked.deals.clock) is None


def test_a_file_that_is_not_the_registered_one_is_refused_before_anything_is_signed(
    files, tmp_path
):
    asked = Asked(tmp_path, files["tree"])
    (offer,) = asked.found(Offer)
    pricing = asked.buyer.vault.pricing(asked.order_id)

    def fetched(**changes):
        dataset = replace(asked.dataset, **changes)
        return fetch_file(asked.store, PLACE, dataset, offer.file, pricing)

    assert fetched().shape.count == 20
    with pytest.raises(FileError, match="committed is"):
        fetched(file=b"f" * 32)
    for chunks, error in ((19, ContentTooLarge), (21, FileError)):
        with pytest.raises(error):
            fetched(chunks=chunks)


def test_samples_of_another_size_or_other_classes_are_not_registered_for_an_order(files, tmp_path):
    """The seller says why; nobody sends anything that must fail."""
    narrow = MarketInMemory(
        tmp_path / "a", files["tree"], Seller, samples=drawn(5, 1, width=7)
    ).run()
    assert narrow.deals.calls == ["post", "withdraw"]
    (why,) = narrow.roles[1].objections.values()
    assert why == "samples have 7 values of 4 bytes, wanted are 8 of 4"
    strange = Samples(drawn(5, 1).inputs, drawn(5, 1).labels + 7)
    market = MarketInMemory(tmp_path / "b", files["tree"], Seller, samples=strange).run()
    assert market.deals.calls == ["post", "withdraw"]
    (why,) = market.roles[1].objections.values()
    assert "label 9 is unknown: the task has 3 classes" in why


def test_events_that_cannot_be_are_refused_and_letters_are_read_strictly():
    deals = Deals()
    deals.log.append((Purchased(b"p" * 32, 0, 5), START))
    with pytest.raises(SessionError, match="was never quoted"):
        deals.read()
    letter = Letter("0x1", "0x2", Offer(b"d" * 32, cid_of(b"it")))
    assert Letter.read("0x1", letter.body()) == letter
    bad = (b"{}", letter.body().replace(b"Offer", b"Order"), b"x" * 5000)
    for data in bad:
        with pytest.raises(DocumentError):
            Letter.read("0x1", data)
    carried = [Carried("0x1", number, data) for number, data in enumerate((*bad, letter.body()))]
    assert readable(carried) == [letter]
    assert Tell((letter,)).letters == (letter,)


def test_a_price_function_of_the_owner_is_fixed_by_its_own_data():
    task = small_task()
    owner = Owner(task, task.validation, Trainer(), linear(fitted(task)))
    oracle = owner.oracle(SETTINGS["tree"])
    function = Purse(10**6, 10).function(oracle, owner, 20)
    assert function.most == 10**6
    assert function.harmful < 0 < function.useful
    assert function.price(0) == 10
    again = Purse(10**6, 10).function(oracle, owner, 20)
    assert function.digest() == again.digest()


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
