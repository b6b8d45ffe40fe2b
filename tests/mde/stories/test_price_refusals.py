"""What the contract refuses, as one line for people: by name, with what was given and needed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import ape
import pytest
from click import ClickException
from eth_account import Account

from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import NATIVE, Settlement
from offchain.mde.artefact import artefact_bytes
from offchain.mde.buyer import Buyer, Wants
from offchain.mde.correspondence import Correspondence
from offchain.mde.deals import Purchase
from offchain.mde.extraction import ExtractionSettings
from offchain.mde.letters import Letter, Offer, Proposal, Question, Tell
from offchain.mde.owner import Owner
from offchain.mde.pricing import Piecewise, PriceFunction
from offchain.mde.quoting import OrderTerms
from offchain.mde.seller import Seller
from offchain.mde.session import Sale
from offchain.mde.stall import Stall
from offchain.mde.training import Trainer
from offchain.post import FolderPost
from offchain.roles import Action
from scripts._mde import withdrawing
from scripts._mde.chain import DealChain, windows
from scripts._mde.mail import Mail
from scripts._stage.chain import ActionRefused, clock
from scripts._stage.deployments import Deployed
from scripts._stage.money import balance_of
from scripts._stage.party import WithdrawOptions
from scripts._stage.wallet import AccountWallet, recover
from tests.kit.memory_store import MemoryStore
from tests.kit.snapshots import undone
from tests.offchain.mde.small import drawn, fitted, linear, small_asked, small_task

PRICE = PriceFunction(Piecewise(((0, 10), (10**6, 10**6))), 10**6, 10, useful=10)


class Agreed:
    """A posted order, a registered dataset, and a quote that both signed and nobody recorded."""

    def __init__(self, contract, buyer, seller, home) -> None:
        task = small_task()
        owner = Owner(task, task.validation, Trainer(), linear(fitted(task)))
        file = artefact_bytes(owner.oracle(ExtractionSettings(leaves=8, points=200)), PRICE)
        until = clock().now + 7_200
        self.parties = buyer, seller
        mail = Mail(buyer.address, seller.address, post=partial(FolderPost, home / "letters"))
        self.chain = DealChain(contract, NATIVE, mail, ape.chain.blocks.height, 60, until)
        terms = OrderTerms(NATIVE, 400, Settlement.OPEN, 600, 600)
        asked = small_asked()
        wants = Wants(terms, 10**6, lambda _: file, asked, 60)
        stall = Stall(NATIVE, 400, 3_600, until, asked.classes)
        session, store = self.chain.read(), MemoryStore({})
        secrets = [SecretsFile(home / f"{name}.json") for name in ("buyer", "seller")]
        wallets = [AccountWallet(account) for account in self.parties]
        sold = drawn(20, 9)
        self.seller = Seller(wallets[1], recover, session, sold, stall, store, secrets[1])
        roles = Buyer(wallets[0], session, owner, wants, store, secrets[0]), self.seller
        while True:
            for role, account in zip(roles, self.parties, strict=True):
                role.session = self.chain.read()
                action = role.next_action(clock())
                if isinstance(action, Action) and action.call == "quote":
                    self.action = action
                    return
                if action is not None:
                    self.chain.send(action, account)

    def do(self, call: str, *arguments, by):
        """One call."""
        return self.chain.send(Action(call, arguments), by)

    def sale(self) -> Sale:
        """The recorded one."""
        (found,) = self.chain.read().sales.values()
        return found

    def signed(self, **quote):
        """The deal with another quote, and both signatures of it."""
        session = self.chain.read()
        (said,) = (one.message for one in session.letters if isinstance(one.message, Proposal))
        deal = Correspondence(session, said.order, said.dataset).deal(said)
        deal = replace(deal, quote=replace(deal.quote, **quote))
        typed = deal.typed_data(self.chain.place)
        return deal, [AccountWallet(party).sign(typed) for party in self.parties]


@pytest.fixture
def agreed(project, deployer, accounts, tmp_path):
    with undone():
        contract = deployer.deploy(project.DatasetSale)
        yield Agreed(contract, accounts[1], accounts[2], tmp_path)


def refused(act) -> str:
    """The one line."""
    with pytest.raises(ActionRefused) as refusal:
        act()
    assert "\n" not in refusal.value.message
    return refusal.value.message


def test_a_quote_is_recorded_once_for_both_signatures_and_before_it_expires(agreed):
    """Wrong signer, expired, unknown dataset, second quote: each by its name."""
    seller = agreed.parties[1]

    def quote(deal, signatures):
        return agreed.do("quote", deal.args(), *signatures, by=seller)

    deal, both = agreed.signed()
    assert "WrongSigner" in refused(lambda: quote(deal, both[::-1]))
    old, signatures = agreed.signed(expiry=1)
    assert "QuoteExpired" in refused(lambda: quote(old, signatures))
    other = replace(deal, dataset=replace(deal.dataset, count=19))
    assert "UnknownAccount" in refused(lambda: quote(other, both))
    agreed.chain.send(agreed.action, seller)
    better, signatures = agreed.signed(price=deal.quote.price + 1)
    assert "AlreadyQuoted (pair 0x" in refused(lambda: quote(better, signatures))
    assert agreed.chain.refused == ["quote"] * 4


@pytest.fixture
def take_out(agreed, monkeypatch, tmp_path):
    """Takes out, by the command, what the order or a dataset owes to an account."""
    known = Deployed(agreed.chain.contract, 0)
    monkeypatch.setattr(withdrawing, "deployed", lambda *_: known)

    def take(id_: bytes, account, to: str | None = None) -> None:
        monkeypatch.setattr(withdrawing, "party_account", lambda *_: account)
        options = WithdrawOptions("", True, to, tmp_path, as_json=True)
        withdrawing.run_withdraw(f"0x{id_.hex()}", options)

    return take


def test_only_the_buyer_buys_and_only_the_committed_key_is_delivered(agreed, take_out):
    """Nobody else's purchase, no other key, no second settlement; all that is free is taken out, by
    the seller under the order's name as well."""
    buyer, seller = agreed.parties
    agreed.chain.send(agreed.action, seller)
    told = agreed.sale().deal.args()
    assert "NotBuyer" in refused(lambda: agreed.do("purchase", told, 0, 0, by=seller))
    assert "KeyNotWanted" in refused(lambda: agreed.do("purchase", told, 7, 0, by=buyer))
    agreed.do("purchase", told, 0, 0, by=buyer)
    words, other = (told, Purchase().args()), b"another key".ljust(32, b"\0")
    assert "WrongKey" in refused(lambda: agreed.do("publishKey", *words, other, by=seller))
    agreed.do("publishKey", *words, agreed.seller.delivered_key(), by=seller)
    agreed.do("accept", *words, by=buyer)
    assert "WrongState" in refused(lambda: agreed.do("accept", *words, by=buyer))
    order = agreed.sale().deal.order.account.id(agreed.chain.place)
    for owner in (buyer, seller):
        take_out(order, owner)
        with pytest.raises(ClickException, match=f"owes nothing to {owner.address}$"):
            take_out(order, owner)
    assert agreed.chain.held() == 0


def test_who_was_brought_no_key_takes_all_out_once_the_time_is_over(agreed, take_out):
    """To whichever account: what no sale holds at once, the rest by the same command, which settles
    the sale. The stake is the seller's again."""
    buyer, seller = agreed.parties
    agreed.chain.send(agreed.action, seller)
    deal = agreed.sale().deal
    order, dataset = (one.account.id(agreed.chain.place) for one in (deal.order, deal.dataset))
    agreed.do("purchase", deal.args(), 0, 0, by=buyer)
    books = agreed.chain.read().books
    assert min(books[order].free, books[order].held, books[dataset].held) > 0
    purse = str(Account.from_key(b"\4" * 32).address)
    take_out(order, buyer, purse)
    assert balance_of(NATIVE, purse) == books[order].free
    with pytest.raises(ClickException, match=r"sales hold .* ETH until .* at the latest"):
        take_out(order, buyer)
    ape.chain.pending_timestamp = agreed.sale().deadline
    ape.chain.mine()
    take_out(order, buyer, purse)
    assert balance_of(NATIVE, purse) == books[order].free + books[order].held
    take_out(dataset, seller)
    assert agreed.chain.held() == 0


def test_nobody_writes_letters_in_anothers_name(agreed):
    buyer, seller = (str(party.address) for party in agreed.parties)
    letter = Letter(seller, buyer, Offer(b"d" * 32, "cid"))
    with pytest.raises(ActionRefused, match=f"{buyer} signs a letter as {seller}"):
        agreed.chain.send(Tell((letter,)), agreed.parties[0])


def test_a_question_about_no_order_of_its_sender_is_waited_for_by_nobody(agreed):
    """Whatever its id: there is none, or it is another's."""
    buyer, seller = (str(party.address) for party in agreed.parties)
    session = agreed.chain.read()
    (order,), orders = session.orders, set(session.orders)
    ends = windows(session, orders)
    for sender, asked in ((buyer, b"o" * 32), (seller, order)):
        question = Question(asked, b"d" * 32, 1, "cid", 10**12)
        session.hear(Letter(sender, seller, question))
        assert windows(session, orders) == ends
    session.hear(Letter(buyer, seller, Question(order, b"d" * 32, 1, "cid", 10**12)))
    assert (10**12, "answers are due") in windows(session, orders)


def test_the_session_counts_money_as_the_contract_does(agreed):
    """Free and held of order and dataset, while a sale holds both and after it."""
    buyer, seller = agreed.parties
    agreed.chain.send(agreed.action, seller)
    told = agreed.sale().deal.args()

    def same():
        session = agreed.chain.read()
        for id_, book in session.books.items():
            known = agreed.chain.contract.accountOf(id_, skip_trace=True)
            assert tuple(known) == (True, book.closed, book.funds, book.held)

    for call, arguments, by in (
        ("purchase", (told, 0, 0), buyer),
        ("publishKey", (told, Purchase().args(), agreed.seller.delivered_key()), seller),
        ("accept", (told, Purchase().args()), buyer),
    ):
        same()
        agreed.do(call, *arguments, by=by)
    same()
