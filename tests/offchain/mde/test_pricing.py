"""What a set fetches: the properties that a data owner and a buyer rely on."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.mde.errors import NotFinite, NotMonotone, PriceError
from offchain.mde.pricing import MAX_WEI, Binary, Menu, Piecewise, PriceFunction, units
from offchain.mde.report import Findings, compose, make_report
from tests.kit.units import ETHER

FUNCTIONS = [
    PriceFunction(Binary(ETHER), budget=2 * ETHER, floor=10**15, harmful=-5, useful=10),
    PriceFunction(
        Piecewise(((0, 10**15), (10**6, ETHER), (10**9, 5 * ETHER))),
        budget=3 * ETHER,
        floor=10**15,
        cap=2 * ETHER,
        harmful=-100,
        useful=100,
    ),
    PriceFunction(Menu(((10, 7), (20, 7), (10**8, 30))), budget=20, floor=3, useful=5),
]
functions = pytest.mark.parametrize("function", FUNCTIONS, ids=["binary", "piecewise", "menu"])
scores = st.integers(-(2**62), 2**62)


@st.composite
def price_functions(draw):
    """Any price function that can be made."""
    floor = draw(st.integers(0, 1000))
    steps = draw(st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**6)), min_size=1))
    steps = steps[:20]
    at = np.cumsum([score for score, _ in steps]) - 10**6
    prices = floor + np.cumsum([price for _, price in steps])
    points = tuple((int(a), int(p)) for a, p in zip(at, prices, strict=True))
    kind = draw(st.sampled_from([Piecewise, Menu, None]))
    curve = Binary(points[0][1]) if kind is None else kind(points)
    cap = draw(st.integers(floor + 1, 10**8))
    return PriceFunction(
        curve,
        budget=cap + draw(st.integers(0, 100)),
        floor=floor,
        cap=cap,
        harmful=-draw(st.integers(0, 50)),
        useful=draw(st.integers(0, 50)),
    )


def findings(groups, redundant=(), out=(), repeated=()):
    count = len(groups)
    flag = lambda rows: np.isin(np.arange(count), list(rows))  # noqa: E731
    return Findings(
        np.array(groups, dtype=np.int64),
        flag(repeated),
        flag(redundant),
        flag(()),
        flag(()),
        flag(out),
    )


def report(values, found):
    folds = np.stack([np.asarray(values, dtype=float)] * 2, axis=1)
    return make_report("m", "u", folds, np.ones(2), found, {})


@functions
def test_redundant_data_fetches_the_floor_harmful_nothing_useful_more(function):
    useful = report([0.5, 0.2], findings([0, 1]))
    redundant = report([0.5, 0.2], findings([0, 1], redundant=[0, 1]))
    harmful = report([-0.5, 0.2], findings([0, 1]))
    assert function.price_of(harmful) == 0
    assert function.price_of(redundant) == function.floor > 0
    assert function.price_of(useful) > function.floor


@given(price_functions(), scores, scores)
@settings(max_examples=100, deadline=None)
def test_a_price_keeps_within_the_budget_and_never_falls_as_scores_rise(function, a, b):
    low, high = sorted((a, b))
    assert 0 <= function.price(low) <= function.price(high) <= function.most <= function.budget
    assert function.price(function.harmful - 1) == 0
    assert function.price(0) == function.floor
    assert function.price(function.useful + 1) > function.floor


SAMPLES = st.lists(
    st.tuples(
        st.integers(0, 3),  # which near-duplicates it belongs to
        st.floats(-1, 1, allow_nan=False),
        st.sampled_from(["plain", "plain", "redundant", "out"]),
    ),
    min_size=1,
    max_size=12,
)


def report_of(samples, contents=None):
    """Exact duplicates: equal contents, which are the samples themselves unless given."""
    contents = samples if contents is None else contents
    found = findings(
        [group for group, _, _ in samples],
        [i for i, s in enumerate(samples) if s[2] == "redundant"],
        [i for i, s in enumerate(samples) if s[2] == "out"],
        [i for i, content in enumerate(contents) if content in contents[:i]],
    )
    return report([score for _, score, _ in samples], found)


@given(SAMPLES, st.data())
@settings(max_examples=120, deadline=None)
def test_adding_a_duplicate_exact_or_near_never_raises_the_total(samples, data):
    group, score, kind = data.draw(st.sampled_from(samples))
    other = data.draw(st.floats(-1, 1, allow_nan=False))
    before = report_of(samples).total
    assert report_of([*samples, (group, score, kind)]).total == before
    assert report_of([*samples, (group, other, kind)]).total <= before + 1e-12


@given(SAMPLES)
@settings(max_examples=100, deadline=None)
def test_a_sample_that_joins_two_groups_never_raises_the_total(samples):
    bridged = [(0 if group == 1 else group, score, kind) for group, score, kind in samples]
    assert report_of(bridged, samples).total <= report_of(samples).total + 1e-12


@given(SAMPLES, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_samples_does_not_matter(samples, random):
    mixed = random.sample(samples, len(samples))
    before, after = report_of(samples), report_of(mixed)
    assert before.total == after.total
    assert all(f.price_of(before) == f.price_of(after) for f in FUNCTIONS)


def test_of_near_duplicates_the_least_good_and_all_harm_counts():
    one = compose(np.array([3.0, 2.0, 5.0]), findings([0, 0, 1]))
    assert one.tolist() == [0, 1, 1]
    mixed = compose(np.array([3.0, -2.0, -1.0, 5.0]), findings([0, 0, 0, 1]))
    assert mixed.tolist() == [0, 1, 1, 1]


def test_prices_between_points_lie_on_the_line_rounded_down():
    line = PriceFunction(Piecewise(((0, 10), (3, 20))), budget=100)
    assert [line.price(score) for score in (-1, 0, 1, 2, 3, 9)] == [0, 0, 13, 16, 20, 20]


def test_a_menu_pays_for_the_item_that_is_reached():
    menu = FUNCTIONS[2]
    assert [menu.price(score) for score in (5, 6, 10, 19, 10**8)] == [3, 4, 7, 7, 20]


def test_units_are_whole_and_rounded_down():
    assert [units(x) for x in (0.0, 1.0, 1.5e-9, -1e-12, 1e300)] == [0, 10**9, 1, -1, 2**62]
    with pytest.raises(NotFinite):
        units(float("nan"))


@given(price_functions())
@settings(max_examples=100, deadline=None)
def test_the_document_is_the_whole_function(function):
    again = PriceFunction.from_bytes(function.to_bytes())
    assert again.to_bytes() == function.to_bytes()
    assert [again.price(s) for s in range(-60, 10**6, 9973)] == [
        function.price(s) for s in range(-60, 10**6, 9973)
    ]


def test_every_parameter_is_in_the_digest():
    whole = FUNCTIONS[1]
    changed = [
        dataclasses.replace(whole, budget=whole.budget + 1),
        dataclasses.replace(whole, floor=whole.floor - 1),
        dataclasses.replace(whole, cap=whole.cap - 1),
        dataclasses.replace(whole, harmful=-99),
        dataclasses.replace(whole, useful=99),
        dataclasses.replace(whole, curve=Menu(whole.curve.knots)),
        dataclasses.replace(whole, curve=Piecewise(whole.curve.knots[:2])),
    ]
    digests = {f.digest() for f in [whole, *changed]}
    assert len(digests) == len(changed) + 1
    assert all(len(digest) == 32 for digest in digests)


@pytest.mark.parametrize(
    ("error", "words", "make"),
    [
        (NotMonotone, "prices must not fall: 9 wei", lambda: Piecewise(((0, 9), (1, 8)))),
        (NotMonotone, "scores must increase: 5 is followed", lambda: Menu(((5, 1), (5, 2)))),
        (PriceError, "1 to 256 points", lambda: Menu(())),
        (PriceError, "integers", lambda: Binary(1.5)),
        (PriceError, "not -1", lambda: Binary(-1)),
        (PriceError, str(MAX_WEI + 1), lambda: Binary(MAX_WEI + 1)),
    ],
)
def test_a_curve_that_is_no_price_function_is_refused(error, words, make):
    with pytest.raises(error, match=words):
        PriceFunction(make(), budget=100)


@pytest.mark.parametrize(
    ("error", "words", "change"),
    [
        (PriceError, "floor < cap <= budget", {"cap": 101}),
        (PriceError, "floor < cap <= budget", {"floor": 100}),
        (NotMonotone, "above the first price", {"floor": 60}),
        (PriceError, "harmful is at most 0", {"harmful": 1}),
        (PriceError, "harmful is at most 0", {"useful": -1}),
    ],
)
def test_parameters_out_of_bounds_are_refused(error, words, change):
    with pytest.raises(error, match=words):
        PriceFunction(Binary(50), budget=100, **change)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.replace(b'"budget"', b'"Budget"'),
        lambda data: data.replace(b'"binary"', b'"secret"'),
        lambda data: data.replace(b'"floor":"1', b'"floor":"01'),
        lambda data: data.replace(b'"floor":"1', b'"floor":"-1'),
        lambda data: data.replace(b"v1", b"v2"),
        lambda data: data + b" ",
        lambda data: b"[" * 10_000,
        lambda data: b"",
    ],
)
def test_another_document_is_refused_in_one_line(spoil):
    with pytest.raises(PriceError) as refused:
        PriceFunction.from_bytes(spoil(FUNCTIONS[0].to_bytes()))
    assert "\n" not in str(refused.value)
