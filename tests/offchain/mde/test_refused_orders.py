"""What buyers and sellers refuse of one another, before anything rests on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.crypto.errors import FileError
from offchain.crypto.settlement import LONGEST_WINDOW
from offchain.mde.checking import fetch_file, require_sound
from offchain.mde.errors import ArtefactMismatch, QuoteRefused, SessionError
from offchain.mde.events import Purchased
from offchain.mde.letters import (
    Agreement,
    Invitation,
    Letter,
    Offer,
    Proposal,
    Tell,
    readable,
)
from offchain.mde.owner import Owner
from offchain.mde.publishing import Purse
from offchain.mde.quoting import NO_WORD
from offchain.mde.samples import Samples
from offchain.mde.seller import Seller
from offchain.mde.training import Trainer
from offchain.mde.verifiable.scores import ScoreLeaves
from offchain.models.canonical import DocumentError
from offchain.policy import Limit, Policy
from offchain.post import Letter as Carried
from offchain.storage import ContentTooLarge, cid_of
from tests.kit.wallets import KeyWallet
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
