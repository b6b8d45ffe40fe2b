"""A party is asked before each step that binds it or moves its money, and no is no harm."""

from __future__ import annotations

import click
import pytest

from offchain.mde.letters import Agreement, Letter, Offer, Proposal, Tell
from offchain.mde.report import UNDECIDED
from offchain.post import FolderPost, PostFull
from offchain.roles import Action
from offchain.storage import cid_of
from scripts._mde.mail import Mail
from scripts._mde.party import PartyDeals, Voice
from scripts._mde.seats import Begun, id_of
from scripts._stage.deployments import Deployed
from scripts._stage.party import PartyTelling
from tests.mde.deal_driver import make_deal


class Nobody:
    """A party without a role, of one order."""

    def __init__(self, order: bytes) -> None:
        self.id = order

    def order(self, session):
        return self.id if self.id in session.orders else None

    def is_over(self, session, clock):
        return False

    def ends(self, session):
        return []

    def admitted(self, session):
        return set()

    def objections(self):
        return {}

    def doubt(self, proposal):
        return UNDECIDED if proposal.price == 1 else ""

    def hush(self):
        self.hushed = True


@pytest.fixture
def sale(contract, buyer, seller):
    """An order and a dataset, quoted."""
    deal = make_deal(contract, buyer, seller)
    deal.post()
    deal.register()
    deal.quote()
    return deal


@pytest.fixture
def table(sale, buyer, seller, tmp_path):
    """The buyer's, which is asked; and the letters that both see."""
    order = sale.order.account.id(sale.place)

    def post(_, admits):
        return Mail(buyer.address, post=lambda account: FolderPost(tmp_path, account))

    voice = Voice(PartyTelling(), "ETH", 18, yes=False)
    deployed = Deployed(sale.contract, 0)
    table = PartyDeals(deployed, sale.order.token, Nobody(order), voice, post)
    table.read()
    return table


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """What was asked; the answer is no."""
    questions: list[str] = []

    def no(question, **options):
        questions.append(question)
        raise click.Abort

    monkeypatch.setattr(click, "confirm", no)
    return questions


def said_no(table, action, account, asked) -> str:
    nonce = account.nonce
    with pytest.raises(click.Abort):
        table.send(action, account)
    assert account.nonce == nonce
    assert table.receipts == []
    return asked.pop()


def test_no_money_moves_unasked(sale, table, buyer, asked):
    """The question names dataset and price."""
    dataset = sale.dataset.account.id(sale.place).hex()
    purchase = Action("purchase", (sale.deal.args(), 0, 0), about=1)
    question = said_no(table, purchase, buyer, asked)
    assert question.startswith(f"Buy dataset 0x{dataset} for ")
    withdraw = Action("withdraw", (sale.order.account.args(), 5 * 10**18, buyer.address))
    assert said_no(table, withdraw, buyer, asked) == "Take out 5 ETH?"
    table.voice.yes = True
    with pytest.raises(click.ClickException):  # sealed or not, the chain was asked this time
        table.send(Action("purchase", (sale.deal.args(), 1, 1), about=1), buyer)
    assert asked == []


def test_no_quote_is_countersigned_unasked(sale, table, buyer, seller, asked, tmp_path):
    """No letter is written; a letter of the seller's that is none stops nobody, and the price that
    is asked about is the seller's, whatever another proposed before."""
    order, dataset = (one.account.id(sale.place) for one in (sale.order, sale.dataset))
    theirs, stranger = (FolderPost(tmp_path, one) for one in (seller.address, "0x" + 20 * "99"))
    cheap = Proposal(order, dataset, cid_of(b"it"), 1, 1, bytes(32), "")
    stranger.send(Letter(stranger.address, buyer.address, cheap).body())
    theirs.send(b"\xff no letter")
    said = Proposal(order, dataset, cid_of(b"it"), 3 * 10**17, 1, bytes(32), "")
    theirs.send(Letter(seller.address, buyer.address, said).body())
    agreed = Agreement(order, dataset, bytes(32), bytes(65))
    tell = Tell((Letter(buyer.address, seller.address, agreed),))
    question = said_no(table, tell, buyer, asked)
    assert question == f"Countersign 0.3 ETH for dataset 0x{dataset.hex()}?"
    assert [letter.message for letter in table.read().letters] == [cheap, said]
    table.voice.yes = True
    assert table.send(tell, buyer) is None
    assert [letter.message for letter in table.read().letters] == [cheap, said, agreed]


def test_a_seller_is_told_that_its_scores_sign_is_undecided_before_it_proposes(
    sale, table, buyer, seller, asked, capsys
):
    """And where nothing is asked it is told as the letter goes."""
    order, dataset = (one.account.id(sale.place) for one in (sale.order, sale.dataset))
    for price, doubt in ((1, UNDECIDED), (10**17, "")):
        said = Proposal(order, dataset, cid_of(b"it"), price, 1, bytes(32), "")
        tell = Tell((Letter(buyer.address, seller.address, said),))
        table.voice.yes = False
        question = said_no(table, tell, buyer, asked)
        assert question.partition(" to the buyer? ")[2] == (f"But {doubt}." if doubt else "")
        table.voice.yes = True
        table.send(tell, buyer)
        assert (UNDECIDED in " ".join(capsys.readouterr().out.split())) is bool(doubt)


def test_a_full_post_ends_no_party(sale, table, buyer, seller, monkeypatch):
    """What cannot be written is left out, and the party writes no more."""
    monkeypatch.setattr(table.mail, "carry", lambda letter: _full())
    table.voice.yes = True
    dataset = sale.dataset.account.id(sale.place)
    offer = Offer(dataset, cid_of(b"it"))
    assert table.send(Tell((Letter(buyer.address, seller.address, offer),)), buyer) is None
    assert table.party.hushed


def _full():
    raise PostFull("as many letters as are kept")


def test_one_command_has_one_order_until_it_is_over(tmp_path):
    def begun(name: str) -> Begun:
        return Begun(tmp_path, "0xc", "0xa", name)

    first = begun("one").scope()
    assert begun("one").scope() == first != begun("two").scope()
    begun("one").over()
    assert begun("one").scope() != first


@pytest.mark.parametrize("text", ["", "0x12", "12" * 32, "0x" + "1g" * 32, "0x" + "12" * 33])
def test_what_is_no_id_is_none(text):
    assert id_of(text) is None
    assert id_of("0x" + "1F" * 32) == b"\x1f" * 32
