"""Letters that no honest party writes: they cost their writer the deal, and stop nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi.exceptions import ValueOutOfBounds

from offchain.mde.artefact import artefact_bytes
from offchain.mde.buyer import Buyer
from offchain.mde.coarse import STEPS
from offchain.mde.deals import DealState
from offchain.mde.letters import (
    Agreement,
    Invitation,
    Letter,
    Offer,
    Proposal,
    Question,
    Reading,
    readable,
)
from offchain.mde.owner import Owner
from offchain.mde.seller import Seller
from offchain.mde.training import Trainer
from offchain.models.canonical import DocumentError
from offchain.post import Letter as Carried
from offchain.storage import cid_of
from tests.offchain.mde.market_in_memory import PRICE, SETTINGS, MarketInMemory
from tests.offchain.mde.small import fitted, linear, small_task


@pytest.fixture(scope="module")
def files():
    """Artefacts of one model, by kind."""
    task = small_task()
    owner = Owner(task, task.validation, Trainer(), linear(fitted(task)))
    return {kind: artefact_bytes(owner.oracle(one), PRICE) for kind, one in SETTINGS.items()}


class Negative(Seller):
    """Asks less than nothing."""

    def propose(self, order, cid, pricing, clock):
        return replace(super().propose(order, cid, pricing, clock), price=-1)


class Boaster(Seller):
    """Says that its set would add more than there is."""

    def _steps(self, pricing):
        return 10**400


class Trusting(Buyer):
    """Signs what it is shown, and believes what it is told."""

    def agreement(self, proposal, clock):
        deal = self._about(proposal.order, proposal.dataset).deal(proposal)
        signature = self.wallet.sign(deal.typed_data(self.session.place))
        digest = deal.digest(self.session.place)
        return Agreement(proposal.order, proposal.dataset, digest, signature)

    def _worth(self, order, sale, number):
        answer = self._about(order, sale.dataset).answer(number)
        return super()._worth(order, sale, number) if answer is None else answer.steps


def states(market: MarketInMemory) -> list[DealState]:
    return [sale.state for sale in market.session.sales.values()]


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_negative_price_is_not_signed_and_the_other_set_is_bought(files, tmp_path, kind):
    """The twin that signs what it is shown dies of it, with its budget in the contract."""
    market = MarketInMemory(tmp_path / "mended", files[kind], Negative, Seller).run()
    assert states(market) == [DealState.SETTLED]
    assert "-1 are asked" in market.buyer.objections[market.roles[1].id]
    twin = MarketInMemory(tmp_path / "twin", files[kind], Negative, Seller, buyer=Trusting)
    with pytest.raises(ValueOutOfBounds, match="-1"):
        twin.run()
    (order,) = twin.session.orders
    assert twin.session.books[order].free > 0


def test_more_steps_than_there_are_count_for_nothing(files, tmp_path):
    """An answer beyond the bound is no answer; the twin that believes it dies of it."""
    parties = Boaster, Boaster
    market = MarketInMemory(tmp_path / "mended", files["tree"], *parties).run()
    assert STEPS < 10**400
    assert states(market).count(DealState.SETTLED) == 1
    twin = MarketInMemory(tmp_path / "twin", files["tree"], *parties, buyer=Trusting)
    with pytest.raises(OverflowError):
        twin.run()


def test_each_letter_is_read_once_however_often_one_looks(monkeypatch):
    """What strangers wrote costs one look in all; the twin reads it all again."""
    letter = Letter("0x1", "0x2", Offer(b"d" * 32, cid_of(b"it")))
    carried = [Carried("0x1", number, letter.body()) for number in range(9)]
    carried += [Carried("0x3", number, b"[" * 4_096) for number in range(9)]
    looks, read = [], Letter.read.__func__
    counted = classmethod(lambda cls, *said: looks.append(said) or read(cls, *said))
    monkeypatch.setattr(Letter, "read", counted)
    reading = Reading()
    for _ in range(5):
        assert reading.letters(carried) == [letter] * 9
    assert len(looks) == 18
    for _ in range(5):
        assert readable(carried) == [letter] * 9
    assert len(looks) == 18 + 5 * 18


NO_CIDS = ("\ud800", "\x1b[2J\x1b[1;1Hyour price is 5 ETH", "../x", "", "b" * 3_000)


@pytest.mark.parametrize("text", NO_CIDS)
@pytest.mark.parametrize("kind", [Offer, Invitation, Proposal, Question])
def test_a_letter_whose_cid_is_none_is_no_letter(kind, text):
    """Nobody is told of it, which ended commands for good, and no node is asked for it."""
    cid = cid_of(b"it")
    said = {
        Offer: Offer(b"d" * 32, text),
        Invitation: Invitation(b"o" * 32, b"d" * 32, text),
        Proposal: Proposal(b"o" * 32, b"d" * 32, cid, 1, 1, bytes(32), text or "no leaves"),
        Question: Question(b"o" * 32, b"d" * 32, 1, text, 1),
    }[kind]
    with pytest.raises(DocumentError, match=f"{kind.__name__}: "):
        Letter.read("0x1", Letter("0x1", "0x2", said).body())


def test_a_proposal_without_leaves_is_a_letter():
    said = Proposal(b"o" * 32, b"d" * 32, cid_of(b"it"), 1, 1, bytes(32), "")
    letter = Letter("0x1", "0x2", said)
    assert Letter.read("0x1", letter.body()) == letter
