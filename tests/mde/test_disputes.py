"""What a cheated buyer proves, and what nobody proves against an honest seller."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offchain.crypto.evidence import key_evidence
from offchain.crypto.sealing import FIELD, new_secret
from offchain.mde.deals import DealState
from offchain.mde.pricing import Binary, Menu, PriceFunction
from offchain.mde.verifiable.rules import price_rule
from offchain.mde.verifiable.scores import running_totals, score_leaf
from tests.kit.refusals import refused
from tests.kit.sale import SEALED, STAKE
from tests.kit.snapshots import undone
from tests.mde.deal_driver import (
    CHUNKS,
    ENCODING,
    RULE,
    TREE,
    chunk_of,
    make_deal,
    open_deal,
    sold_deal,
)

FUZZ = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SCORES = [TREE.score(chunk) for chunk in CHUNKS]
TOTALS = running_totals(SCORES, [True] * 5)


def prove(sale, name, args):
    """A proof: the budget has price and stake, to the unit, and nothing is held any more."""
    budget, funds = sale.budget[0], sale.funds[0]
    receipt = getattr(sale.contract, name)(*args, sender=sale.buyer)
    assert sale.state is DealState.CHEATED
    assert sale.budget == (budget + STAKE, 0)
    assert sale.funds == (funds - STAKE, 0)
    sale.withdraw(sale.order.account, budget + STAKE)
    for again in ("settle", "accept"):
        outcome = sale.refusal(again, *sale.both)
        assert outcome == refused("WrongState", int(DealState.CHEATED), int(DealState.DELIVERED))
    return receipt


def honest_proofs(sale):
    """Every proof but that of the key, with evidence that is right in all but the accusation."""
    return {
        "proveSpoiltChunk": sale.chunk_proof(1),
        "proveWrongScore": sale.score_proof(1),
        "proveRepeatedSample": sale.repeated_proof(0, 1),
        "proveWrongPrice": sale.price_proof(),
    }


# ---------------------------------------------------------------- the cheated buyer


@pytest.mark.parametrize("x", [None, 0, 5, FIELD])
def test_a_wrong_key_or_a_point_that_is_none_costs_the_stake(
    contract, buyer, seller, stablecoin, x
):
    sale = open_deal(contract, buyer, seller, settlement=SEALED, token=stablecoin)
    sale.quote()
    sale.buy()
    delivery = sale.deliver(bytes(32)) if x is None else sale.deliver_words(x, b"\1" * 32)
    receipt = prove(sale, "proveWrongKey", sale.key_proof(delivery))
    (log,) = contract.WrongKeyProved.from_receipt(receipt)
    assert bytes(log.pair) == sale.deal.pair


@pytest.mark.parametrize("chunk", [0, 2, 4])
def test_data_that_is_not_what_was_quoted_costs_the_stake(
    contract, buyer, seller, settlement, currency, chunk
):
    sale = sold_deal(contract, buyer, seller, settlement=settlement, token=currency, spoilt=chunk)
    receipt = prove(sale, "proveSpoiltChunk", sale.chunk_proof(chunk))
    (log,) = contract.SpoiltChunkProved.from_receipt(receipt)
    assert (bytes(log.pair), log.chunk) == (sale.deal.pair, chunk)


@pytest.mark.parametrize("index", [0, 2, 4])
@pytest.mark.parametrize("by", [-1, 2**200])
def test_a_misreported_score_costs_the_stake(contract, buyer, seller, index, by):
    """Too high or too low, at any place; the totals after it may be what they like."""
    totals = [t + (by if i >= index else 0) for i, t in enumerate(TOTALS)]
    sale = sold_deal(contract, buyer, seller, totals=totals, price=700)
    assert sale.opened().wrong == index
    receipt = prove(sale, "proveWrongScore", sale.score_proof())
    (log,) = contract.WrongScoreProved.from_receipt(receipt)
    assert (bytes(log.pair), log.sample) == (sale.deal.pair, index)


def test_harm_that_was_left_out_costs_the_stake(contract, buyer, seller, settlement):
    """Sample 2 is worth -70 units, and the quote passes over it."""
    totals = [300, 800, 800, 860, 870]
    sale = sold_deal(
        contract, buyer, seller, settlement=settlement, totals=totals, price=RULE.price(870)
    )
    prove(sale, "proveWrongScore", sale.score_proof(2))


def test_right_scores_and_a_wrong_sum_cost_the_stake(contract, buyer, seller):
    """The last total is raised, which is the one the price follows from."""
    totals = [*TOTALS[:-1], TOTALS[-1] + 500]
    price = RULE.price(totals[-1])
    sale = sold_deal(contract, buyer, seller, totals=totals, price=price)
    assert price > RULE.price(TOTALS[-1])
    assert sale.refusal("proveWrongPrice", *sale.price_proof(totals[-1])) == refused(
        "PriceIsRight", price, price
    )
    prove(sale, "proveWrongScore", sale.score_proof())


def test_a_label_that_the_tree_has_not_costs_the_stake(contract, buyer, seller):
    """Whatever the quote says of such a sample."""
    chunks = (*CHUNKS[:3], chunk_of(3, (1, 2, 3, 4)), CHUNKS[4])
    sale = sold_deal(contract, buyer, seller, chunks=chunks, totals=TOTALS, price=700)
    assert sale.opened().wrong == 3
    prove(sale, "proveWrongScore", sale.score_proof())


@pytest.mark.parametrize(("first", "second"), [(1, 5), (5, 1)])
def test_a_sample_sold_twice_costs_the_stake(contract, buyer, seller, first, second):
    """In whichever order they are shown, and whatever fills up the chunk."""
    copy = CHUNKS[1][:6] + b"\1" * (ENCODING.chunk_bytes - 6)
    sale = sold_deal(contract, buyer, seller, chunks=(*CHUNKS, copy))
    receipt = prove(sale, "proveRepeatedSample", sale.repeated_proof(first, second))
    (log,) = contract.RepeatedSampleProved.from_receipt(receipt)
    assert (bytes(log.pair), log.first, log.second) == (sale.deal.pair, first, second)


def test_a_price_above_the_rules_costs_the_stake(contract, buyer, seller, settlement):
    due = RULE.price(TOTALS[-1])
    sale = sold_deal(contract, buyer, seller, settlement=settlement, price=due + 1)
    receipt = prove(sale, "proveWrongPrice", sale.price_proof())
    (log,) = contract.WrongPriceProved.from_receipt(receipt)
    assert (bytes(log.pair), log.price) == (sale.deal.pair, due)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9, 17])
def test_a_true_complaint_succeeds_at_any_size(contract, buyer, seller, count):
    """Each place of each shape of tree, also where the paths of two neighbours differ in length."""
    chunks = [chunk_of(i % 3, (i, 2 * i, 3 * i, 7)) for i in range(count)]
    totals = running_totals([TREE.score(chunk) for chunk in chunks], [True] * count)
    wrong = sold_deal(
        contract, buyer, seller, chunks=chunks, totals=[t + 2**100 for t in totals], price=5
    )
    assert wrong.refusal("proveWrongScore", *wrong.score_proof(0)) is None
    for index in {1, count // 2, count - 1} & set(range(1, count)):
        lied = [t + (1 if i >= index else 0) for i, t in enumerate(totals)]
        name = bytes([index]) * 32
        sale = make_deal(contract, buyer, seller, chunks=chunks, totals=lied, price=5, name=name)
        evidence = sale.score_evidence(index, totals[index - 1])
        with undone():
            sale.register()
            sale.quote()
            sale.buy()
            sale.deliver()
            args = (*sale.both, sale.key, evidence)
            assert sale.refusal("proveWrongScore", *args) is None


# ---------------------------------------------------------------- when and by whom


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_a_proof_comes_before_the_deadline_or_not_at_all(contract, buyer, seller, late):
    sale = sold_deal(contract, buyer, seller, spoilt=1)
    proof = sale.chunk_proof(1)
    end = sale.deadline
    sale.go_to(end + late)
    outcome = sale.refusal("proveSpoiltChunk", *proof)
    assert outcome == (None if late < 0 else refused("TooLate", end + late, end))


def test_only_the_buyer_complains_and_only_after_the_delivery(contract, buyer, seller, stranger):
    sale = open_deal(contract, buyer, seller)
    sale.quote()
    sale.buy()
    early = refused("WrongState", int(DealState.PAID), int(DealState.DELIVERED))
    for name, proof in honest_proofs(sale).items():
        assert sale.refusal(name, *proof) == early, name
        for thief in (stranger, seller):
            expected = refused("NotBuyer", thief, buyer)
            assert sale.refusal(name, *proof, sender=thief) == expected, name


def test_an_open_sale_knows_no_sealed_key(contract, buyer, seller):
    sale = sold_deal(contract, buyer, seller)
    outcome = sale.refusal("proveWrongKey", *sale.both, (1, 0, 5, bytes(32), 0, 0))
    assert outcome == refused("WrongSettlement", 0, 1)


# ---------------------------------------------------------------- the honest seller


def test_no_true_evidence_convicts_an_honest_seller(sale):
    sale.quote()
    sale.buy()
    delivery = sale.deliver()
    for i in range(5):
        chunk, score = sale.chunk_proof(i), sale.score_proof(i)
        assert sale.refusal("proveSpoiltChunk", *chunk) == refused("ChunkIsRight", i)
        assert sale.refusal("proveWrongScore", *score) == refused("ScoreIsRight", i)
        same = sale.repeated_proof(i, i)
        assert sale.refusal("proveRepeatedSample", *same) == refused("SamePlace", i)
    assert sale.refusal("proveRepeatedSample", *sale.repeated_proof(0, 4)).name == ("SamplesDiffer")
    assert sale.refusal("proveWrongPrice", *sale.price_proof()) == refused(
        "PriceIsRight", sale.price, sale.price
    )
    if sale.sealed:
        proof = sale.key_proof(delivery)
        assert sale.refusal("proveWrongKey", *proof).name == "KeyIsRight"


def test_a_seller_may_leave_out_good_and_ask_less(contract, buyer, seller):
    """Samples that its own check finds redundant; and a price below the rule's harms nobody."""
    counted = [True, False, True, False, True]
    sale = sold_deal(contract, buyer, seller, counted=counted, price=1)
    assert sale.opened().wrong is None
    for i in range(5):
        assert sale.refusal("proveWrongScore", *sale.score_proof(i)).name == "ScoreIsRight"
    assert sale.refusal("proveWrongPrice", *sale.price_proof()).name == "PriceIsRight"


@pytest.mark.parametrize(
    ("place", "value", "name"),
    [
        ("cipher", bytes(32), "NotInDataset"),
        ("index", 5, "SampleOutOfRange"),
        ("index", 2**256 - 1, "SampleOutOfRange"),
        ("index", 2, "NotInDataset"),
        ("chunk", CHUNKS[1][:-1], "WrongChunkLength"),
        ("chunk", CHUNKS[1] + b"\0", "WrongChunkLength"),
        ("chunk", CHUNKS[0], "NotInDataset"),
        ("path", [], "ProofLength"),
        ("splits", [], "NotInTree"),
        ("splits", [(0, 0, bytes(32))] * 3, "TreeTooDeep"),
        ("splits", [(4, 0, bytes(32))], "FeatureOutOfRange"),
        ("salt", bytes(32), "NotInTree"),
        ("scores", bytes(24), "NotInTree"),
        ("before", 0, "NotInScores"),
        ("before path", [], "ProofLength"),
        ("leaf", bytes(32), "NotInScores"),
        ("leaf path", [bytes(32)] * 3, "NotInScores"),
        ("leaf path", [bytes(32)] * 4, "ProofLength"),
    ],
)
def test_bad_evidence_of_a_score_is_refused_by_name(contract, buyer, seller, place, value, name):
    sale = sold_deal(contract, buyer, seller)
    *head, evidence = sale.score_proof(1)
    assert sale.refusal("proveWrongScore", *head, _with(evidence, place, value)).name == name


def test_no_other_leaf_of_the_tree_speaks_for_a_sample(contract, buyer, seller):
    """Its own thresholds send it one way; nor does a comparison pass for a leaf."""
    sale = sold_deal(contract, buyer, seller)
    *head, evidence = sale.score_proof(1)
    for chunk in (CHUNKS[0], CHUNKS[2], CHUNKS[3]):
        forged = (*evidence[:2], sale.tree.path(chunk), *evidence[3:])
        assert sale.refusal("proveWrongScore", *head, forged).name == "NotInTree"
    shorter = _with(evidence, "splits", evidence[2][0][:1])
    assert sale.refusal("proveWrongScore", *head, shorter).name == "NotInTree"


def test_bad_evidence_of_a_repeated_sample_or_a_price_is_refused_by_name(contract, buyer, seller):
    sale = sold_deal(contract, buyer, seller)
    *head, root, first, second = sale.repeated_proof(0, 4)
    for changed, name in (
        ((bytes(32), first, second), "NotInDataset"),
        ((root, (5, *first[1:]), second), "SampleOutOfRange"),
        ((root, first, (4, CHUNKS[0], second[2])), "NotInDataset"),
        ((root, first, (4, CHUNKS[0][:-1], second[2])), "WrongChunkLength"),
        ((root, first, (*second[:2], [])), "ProofLength"),
    ):
        assert sale.refusal("proveRepeatedSample", *head, *changed).name == name
    *head, (total, path), rule = sale.price_proof()
    for changed, name in (
        (((total - 1, path), rule), "NotInScores"),
        (((total, path[:-1]), rule), "ProofLength"),
        (((total, path), price_rule(replace(RULE, floor=51))), "WrongRule"),
    ):
        assert sale.refusal("proveWrongPrice", *head, *changed).name == name


def test_another_key_proves_nothing(contract, buyer, seller):
    sale = sold_deal(contract, buyer, seller)
    names = ("NotTheKey", "NotInDataset", "NotInDataset", "NotInScores")
    for (call, proof), name in zip(honest_proofs(sale).items(), names, strict=True):
        forged = (*proof[:2], bytes(32), *proof[3:])
        assert sale.refusal(call, *forged).name == name, call


def test_somebody_elses_delivery_proves_nothing(contract, buyer, seller):
    sale = open_deal(contract, buyer, seller, settlement=SEALED)
    sale.quote()
    sale.buy()
    *head, evidence = sale.key_proof(sale.deliver())
    forged = key_evidence(sale.secret, *sale.seal_args(bytes(32)))
    assert sale.refusal("proveWrongKey", *head, forged).name == "WrongDelivery"
    foreign = key_evidence(new_secret(), *evidence[1:3])
    assert sale.refusal("proveWrongKey", *head, foreign).name == "NotTheSecret"
    point = (*evidence[:3], 1, 1)
    assert sale.refusal("proveWrongKey", *head, point).name == "SharedPointMismatch"


def test_evidence_from_a_sibling_contract_is_worth_nothing(
    contract, project, deployer, buyer, seller
):
    """The same parties, file, key and order at another contract of the same code."""
    cheat = sold_deal(contract, buyer, seller, spoilt=2, totals=[301, 801, 731, 791, 801])
    honest = sold_deal(project.DatasetSale.deploy(sender=deployer), buyer, seller)
    assert cheat.key == honest.key
    for call, proof, name in (
        ("proveSpoiltChunk", cheat.chunk_proof(2), "NotInFile"),
        ("proveWrongScore", cheat.score_proof(0), "NotInDataset"),
    ):
        assert cheat.refusal(call, *proof) is None
        assert honest.refusal(call, *honest.both, *proof[2:]).name == name


def test_an_artefact_without_a_tree_is_sold_without_proofs_of_scores(contract, buyer, seller):
    """As scores by gradients are: what was delivered can still be disputed, whatever it is."""
    sale = make_deal(contract, buyer, seller, chunks=(*CHUNKS, CHUNKS[0]), price=600)
    order = replace(sale.order, tree=bytes(32), depth=0)
    quote = replace(sale.deal.quote, scores=bytes(32))
    sale.deal = replace(sale.deal, order=order, quote=quote)
    sale.post()
    sale.register()
    sale.quote()
    sale.buy()
    sale.deliver()
    assert sale.refusal("proveWrongScore", *sale.score_proof(0)).name == "TreeTooDeep"
    assert sale.refusal("proveWrongPrice", *sale.price_proof(5)).name == "NotInScores"
    assert sale.refusal("proveRepeatedSample", *sale.repeated_proof(0, 5)).name == "TreeMissing"
    assert sale.refusal("proveSpoiltChunk", *sale.chunk_proof(0)).name == "ChunkIsRight"
    sale.accept()


@pytest.fixture
def delivered(contract, buyer, seller):
    """A dataset of an honest seller that was delivered."""
    return sold_deal(contract, buyer, seller)


@given(st.data())
@FUZZ
def test_no_evidence_of_a_score_convicts_an_honest_seller(delivered, data):
    """Any words for any part of the evidence."""
    word = st.one_of(
        st.binary(min_size=32, max_size=32), st.sampled_from([bytes(32), TREE.root, b"\xff" * 32])
    )
    parts = {
        "cipher": word,
        "index": st.integers(0, 6),
        "chunk": st.one_of(st.sampled_from(CHUNKS), st.binary(min_size=32, max_size=32)),
        "splits": st.lists(st.tuples(st.integers(0, 5), st.integers(0, 300), word), max_size=3),
        "salt": word,
        "scores": st.binary(max_size=40),
        "before": st.integers(-(2**255), 2**255 - 1),
        "leaf": word,
        "path": st.lists(word, max_size=4),
        "before path": st.lists(word, max_size=4),
        "leaf path": st.lists(word, max_size=4),
    }
    *head, evidence = delivered.score_proof(data.draw(st.integers(0, 4)))
    for place in data.draw(st.sets(st.sampled_from(sorted(parts)), min_size=1, max_size=3)):
        evidence = _with(evidence, place, data.draw(parts[place]))
    assert delivered.refusal("proveWrongScore", *head, evidence) is not None


# ---------------------------------------------------------------- the price


RULES = (
    RULE,
    PriceFunction(Binary(700), budget=1_000, floor=3, harmful=-5, useful=10),
    PriceFunction(Menu(((20, 10), (50, 400), (51, 400), (90, 5_000))), budget=4_000, floor=2),
)


@pytest.mark.parametrize("number", range(len(RULES)))
def test_the_contract_prices_as_the_rule_does(contract, buyer, seller, number):
    """Harm, redundant data, and use of every kind: quoted at one more, it is proved."""
    rule = RULES[number]
    for total in (rule.harmful - 1, rule.useful, 60, 10**9):
        due = rule.price(total)
        sale = make_deal(
            contract, buyer, seller, rule=rule, chunks=CHUNKS[:1], totals=[total], price=due + 1
        )
        with undone():
            sale.post()
            sale.register()
            sale.quote()
            sale.buy()
            sale.deliver()
            receipt = contract.proveWrongPrice(*sale.price_proof(total), sender=buyer)
            (log,) = contract.WrongPriceProved.from_receipt(receipt)
            assert log.price == due, (total, due)


def test_no_leaf_of_another_order_opens_here(contract, buyer, seller):
    """Equal totals of two orders do not show, and one order's leaf is none of another's."""
    first = make_deal(contract, buyer, seller)
    second = make_deal(contract, buyer, seller, artefact=b"\1" * 32)
    assert not set(first.leaves.leaves) & set(second.leaves.leaves)
    order = second.order.account.id(second.place)
    assert score_leaf(order, second.key, 0, TOTALS[0]) == second.leaves.leaves[0]


def _with(evidence, place, value):
    """Evidence of a score with one part changed."""
    cipher, sample, decision, before, before_path, leaf, path = evidence
    if place in ("index", "chunk", "path"):
        at = ("index", "chunk", "path").index(place)
        sample = (*sample[:at], value, *sample[at + 1 :])
    elif place in ("splits", "salt", "scores"):
        at = ("splits", "salt", "scores").index(place)
        decision = (*decision[:at], value, *decision[at + 1 :])
    elif place == "cipher":
        cipher = value
    elif place == "before":
        before = value
    elif place == "before path":
        before_path = value
    elif place == "leaf":
        leaf = value
    else:
        path = value
    return (cipher, sample, decision, before, before_path, leaf, path)
