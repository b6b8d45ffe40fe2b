"""Who writes the artefact writes the question: what strangers read off quotes, and that it ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from offchain.crypto.sealing import seal
from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import NATIVE
from offchain.mde.coarse import OUTCOMES, QUOTES, STEPS, coarse, fair, step_of
from offchain.mde.letters import Answer, Invitation, Letter, Proposal
from offchain.mde.pricing import Binary, Menu, Piecewise, PriceFunction
from offchain.mde.quoting import Pricing
from offchain.mde.samples import Kind
from offchain.mde.seller import Seller
from offchain.mde.session import DealSession
from offchain.mde.stall import Stall
from offchain.mde.verifiable.quotes import verifiable_quote
from offchain.policy import Limit, Policy, TermsRefused
from offchain.roles import Clock
from tests.kit.memory_store import MemoryStore
from tests.kit.wallets import KeyWallet, recover
from tests.offchain.mde.deals_in_memory import PLACE, START
from tests.offchain.mde.small import drawn, small_asked
from tests.offchain.mde.stranger import IDENTITY, Stranger, made_up, read_off

COUNT, KIND = 6, Kind((2,), False, 3)
SAMPLES = drawn(COUNT, 9, width=2)
RULES = [
    IDENTITY,
    PriceFunction(Binary(700), 1_000, 3),
    PriceFunction(Menu(tuple((at, at) for at in range(1, 200))), 1_000, 1, useful=1),
    PriceFunction(Piecewise(((0, 10), (10**9, 10**6))), 10**6, 10, harmful=-5, useful=10),
    PriceFunction(Piecewise(((0, 0), (9, 9))), 9),
]


class Exact(Seller):
    """Says the price to the last digit, to whoever asks, as often as it is asked."""

    def _quoted(self, pricing, order):
        exact = verifiable_quote(pricing.verifiable, self.samples, order, self.stock.key)
        return exact.price, exact.leaves

    def _hold_against(self, pricing):
        pass


def seller(folder, role=Seller, policy=None) -> Seller:
    stall, secrets = (
        Stall(NATIVE, 400, 600, START + 10**6, small_asked().classes),
        SecretsFile(folder / "seller.json"),
    )
    session, store = DealSession(PLACE), MemoryStore({})
    return role(
        KeyWallet("seller"), recover, session, SAMPLES, stall, store, secrets, policy=policy
    )


def truth():
    order = SAMPLES.inputs[:, 0].argsort()
    return SAMPLES.inputs[order], SAMPLES.labels[order].tolist()


def test_a_stranger_has_its_questions_counted_whoever_posts_them_and_over_restarts(tmp_path):
    """It is told 77 bits at most of the 393 that six samples have, where it read them whole."""
    stranger = Stranger(seller(tmp_path), KIND, IDENTITY.most)
    rows, _ = read_off(stranger, COUNT)
    assert stranger.asked > 30
    assert stranger.answered <= QUOTES
    assert not torch.equal(torch.tensor(rows), truth()[0])
    assert QUOTES * math.log2(OUTCOMES) < 77 < 393 < COUNT * (2 * 32 + math.log2(3))
    again = Stranger(seller(tmp_path), KIND, IDENTITY.most)
    again.wallet = KeyWallet("another account")
    assert again.ask([1, 1, 1]) == again.answered == 0
    (why,) = again.seller.objections.values()
    assert why == f"terms refused: quotes: {QUOTES + 1}, at most {QUOTES} is accepted"


def test_a_seller_that_says_its_price_exactly_and_always_gives_all_away(tmp_path):
    """The twin: not a bit of the data is missing, and nothing was signed or paid."""
    stranger = Stranger(seller(tmp_path, Exact), KIND, IDENTITY.most)
    rows, labels = read_off(stranger, COUNT)
    inputs, true = truth()
    assert torch.equal(torch.tensor(rows), inputs)
    assert labels == true
    assert stranger.answered == stranger.asked


def test_the_same_question_is_counted_once(tmp_path):
    """By another order, and after a restart: it has the same answer."""
    one = Stranger(seller(tmp_path, policy=Policy({"quotes": Limit(most=1)})), KIND, IDENTITY.most)
    for _ in range(3):
        assert one.ask([2**47] * 3) == one.ask([2**47] * 3) > 0
        one = Stranger(one.seller, KIND, IDENTITY.most)
        one.seller = seller(tmp_path, policy=one.seller.policy)
    assert one.ask([2**46] * 3) == 0


def test_an_order_that_cannot_pay_is_told_nothing_and_uses_up_no_quote(tmp_path):
    """Neither without a budget nor by a rule below the owner's least price; nor is it counted."""
    limits = {"price": Limit(least=1_000, unit="wei"), "quotes": Limit(most=1)}
    for budget, rule, why in (
        (0, IDENTITY, "price: 0 wei, at least 1000 wei is accepted"),
        (999, IDENTITY, "price: 999 wei, at least 1000 wei is accepted"),
        (2**60, PriceFunction(Binary(1), 1), "price: 1 wei, at least 1000 wei is accepted"),
    ):
        poor = Stranger(seller(tmp_path, policy=Policy(limits)), KIND, budget)
        assert poor.ask([2**47] * 3, rule) == 0
        assert [why in said for said in poor.seller.objections.values()] == [True]
    able = Stranger(seller(tmp_path, policy=Policy(limits)), KIND, 2**60)
    assert able.ask([2**47] * 3) > 0
    short = Stranger(seller(tmp_path, policy=Policy(limits)), KIND, 2**40)
    assert short.ask([2**47] * 3) == 0
    (why,) = short.seller.objections.values()
    assert why == f"the order's budget of {2**40} wei does not pay the price"


@pytest.mark.parametrize("rule", RULES)
def test_a_quote_says_one_of_27_prices_and_never_more_than_the_rule(rule):
    """With no quote that makes 28 answers; a price is at most one step below the rule's."""
    scores = {-(10**6), 0, *np.geomspace(1, 2**48, 4_000).astype(int).tolist(), *range(1_000)}
    prices = {rule.price(score) for score in scores}
    told = {price: coarse(rule, price) for price in prices}
    assert len(set(told.values())) <= STEPS + 2 == OUTCOMES - 1
    step = (rule.most - rule.floor) / STEPS
    for price, said in told.items():
        assert said <= price < said + step + 1
        assert (said == 0) == (price == 0 or price < rule.floor or said == rule.floor == 0)
        if rule.most - rule.floor >= STEPS:
            assert step_of(rule, said) == step_of(rule, price)


def test_a_rule_whose_most_nobody_reaches_buys_nothing_at_the_floor():
    """Its steps are so high that the price of all real data falls below the first."""
    points = ((0, 1), (10**9, 10**18), (2**60, 10**21))
    rule = PriceFunction(Piecewise(points), 10**21, 1, useful=1)
    price = rule.price(9 * 10**8)
    assert coarse(rule, price) == 1 < price == 9 * 10**17
    with pytest.raises(TermsRefused, match=f"it gives {price} wei, and the step below is 1"):
        fair(rule, price)


def test_a_step_that_leaves_half_is_taken_and_one_below_it_is_not():
    rule = PriceFunction(Piecewise(((0, 2), (100, 102))), 102, 2, useful=1)
    assert [fair(rule, price) for price in (2, 4, 6)] == [2, 2, 6]
    with pytest.raises(TermsRefused, match="it gives 5 wei, and the step below is 2"):
        fair(rule, 5)


@pytest.mark.parametrize("rule", RULES)
def test_a_seller_loses_no_more_than_half_by_what_it_leaves_unsaid(rule):
    for score in range(0, 1_000, 7):
        price = rule.price(score)
        try:
            asked = fair(rule, price)
        except TermsRefused:
            assert 2 * coarse(rule, price) < price
        else:
            assert asked == 0 or 2 * asked >= price


def test_what_needs_no_answer_is_not_read(tmp_path, monkeypatch):
    """Fifty more invitations under one order, by whoever wants a seller busy for gas."""
    one = Stranger(seller(tmp_path), KIND, IDENTITY.most)
    assert one.ask([2**47] * 3) > 0
    (order,) = one.seller.session.orders
    file = made_up([2**47] * 3, KIND)
    for _ in range(50):
        sealed = seal(one.seller.session.datasets[one.seller.id].name, file)
        more = Invitation(order, one.seller.id, one.seller.store.put(sealed))
        one.seller.session.hear(Letter(one.wallet.address, one.seller.account, more))
    monkeypatch.setattr(Pricing, "read", None)
    for now in range(5):
        assert one.seller.next_action(Clock(START + now, 1)) is None


def test_what_a_seller_says_before_it_is_paid_is_the_price_alone():
    """No letter holds an efficacy; an answer is a number of steps."""
    assert "efficacy" not in Proposal.__dataclass_fields__
    assert Answer.__dataclass_fields__["steps"].type == "int"
