"""Rubbish under many accounts, of which the lucky ones go on: what it gains, exactly and played."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from math import comb
from pathlib import Path

import numpy as np
import pytest
import torch

from offchain.crypto.bitmap import draw, draw_further, from_bitmap
from offchain.hyperx.further import rubbish_shard
from offchain.hyperx.many_accounts import attempt, least_share, told
from tests.offchain.hyperx.small_market import make_terms

REWARD = 1_000
TENTH, QUARTER = 1_000, 2_500


def terms(sample_bps=QUARTER, penalty=500, shards=100):
    """The command's default terms in thousandths of the reward; a penalty of at most half of it."""
    burn = 2 * REWARD * sample_bps // 10_000
    deposit = max(burn, penalty)
    return replace(
        make_terms(),
        reward=REWARD,
        deposit=deposit,
        penalty_bps=10_000 * penalty // deposit,
        shard_count=shards,
        sample_bps=sample_bps,
    )


def clean(shards: int, rubbish: int, drawn: int) -> Fraction:
    """How likely `drawn` of `shards` hold none of the rubbish ones."""
    return Fraction(comb(shards - rubbish, drawn), comb(shards, drawn))


def all_accounts(session, rubbish: int, accounts: int) -> Fraction:
    """What `accounts` of one dataset gain at best: the clean ones are tried as long as that pays.

    Each may give up before it is asked; once it is, it knows what its review opens.
    """
    sample, shards = session.first_sample, session.shard_count
    enters = clean(shards, rubbish, sample)
    passes = clean(shards - sample, rubbish, session.sample_limit - sample)
    worth = [Fraction(0)]
    for _ in range(accounts):
        lost = worth[-1] - min(session.penalty, session.burn)
        worth.append(max(worth[-1], passes * session.reward + (1 - passes) * lost))
    chances = (
        comb(accounts, k) * enters**k * (1 - enters) ** (accounts - k) for k in range(accounts + 1)
    )
    return sum((p * w for p, w in zip(chances, worth, strict=True)), Fraction(0))


def test_of_the_sample_alone_three_accounts_gained_what_one_did_not():
    """What the further draw mends: a tenth of rubbish, ten shards sampled and nothing else opened,
    is 33 % for one account, 70 for three, all for many."""
    chance = clean(100, 10, 10)
    assert [round(float(1 - (1 - chance) ** m), 2) for m in (1, 3, 50)] == [0.33, 0.70, 1.0]


@pytest.mark.parametrize("penalty", [50, 200, 500])
@pytest.mark.parametrize("sample_bps", [TENTH, QUARTER, 4_000])
def test_from_the_least_share_on_no_number_of_accounts_gains_anything(sample_bps, penalty):
    """And with one rubbish shard less, more accounts gain more."""
    session = terms(sample_bps, penalty)
    rubbish = round(least_share(session) * 100)
    for more in (rubbish, rubbish + 1, 2 * rubbish):
        if more <= 100 - session.first_sample:
            assert [all_accounts(session, more, m) for m in range(1, 8)] == [0] * 7
    gains = [all_accounts(session, rubbish - 1, m) for m in (1, 2, 3)]
    assert 0 < gains[0] < gains[1] < gains[2]


def test_the_default_terms_leave_no_gain_to_a_tenth_of_rubbish():
    assert least_share(terms()) == 0.08
    assert least_share(terms(TENTH, 100)) == 0.36
    assert told(terms()) == "many accounts gain by rubbish below 8.0 % of the shards, not above"


def test_the_table_of_the_documents_is_what_is_computed():
    """In docs/security.md: opened, penalty, and the least share of 20, 100 and 1,000 shards."""
    text = (Path(__file__).parents[3] / "docs" / "security.md").read_text()
    section = text.split("### Many accounts")[1].split("###")[0]
    rows = [[float(n) for n in re.findall(r"([\d.]+) %", r)] for r in section.splitlines()]
    table = [row for row in rows if len(row) == 5]
    assert len(table) == 7
    for opened, penalty, *shares in table:
        computed = [
            100 * least_share(terms(round(100 * opened), round(10 * penalty), shards))
            for shards in (20, 100, 1_000)
        ]
        assert shares == pytest.approx(computed, abs=0.05)


def unnoticed(size: int, right: float, trials: int = 100) -> np.ndarray:
    """How often a review passes at the default terms, by the number of its rubbish shards."""
    sample, further = 13, 12
    passed = np.ones(further + 1)
    for rubbish in range(1, further + 1):
        verdicts = []
        for trial in range(trials):
            random = torch.Generator().manual_seed(1_000 * rubbish + trial)
            rates = torch.full((sample + further, 1), right)
            rates[sample : sample + rubbish] = 0.1
            opened = torch.rand(sample + further, size, generator=random) < rates
            verdicts.append(rubbish_shard(opened[:sample].flatten(), opened[sample:], 0.01))
        passed[rubbish] = verdicts.count(None) / trials
    return passed


@pytest.mark.parametrize("size", [7, 20])
def test_what_the_collectors_own_head_finds_is_what_the_documents_say(size):
    text = (Path(__file__).parents[3] / "docs" / "security.md").read_text()
    cells = r" (\d+) % \|" * 3
    (row,) = re.findall(rf"^\| {size} \|{cells}$", text, re.MULTILINE)
    for share, right in zip(row, (0.95, 0.85, 0.7), strict=True):
        assert 100 * least_share(terms(), unnoticed(size, right)) == pytest.approx(
            int(share), abs=2
        )


def test_silence_is_a_way_out_that_costs_the_penalty_alone():
    """A candidate sees what its review would open: a burn beyond the penalty threatens nobody."""
    assert attempt(terms(penalty=100), 10) > 0 > attempt(terms(), 10)
    assert attempt(terms(penalty=500), 10) == attempt(replace(terms(), reward=1_000), 10)


@pytest.mark.parametrize("rubbish", [1, 7, 10, 30, 87])
def test_an_attempt_is_worth_what_the_exact_chances_say(rubbish):
    session = terms()
    passes = clean(87, rubbish, 12)
    worth = passes * REWARD - (1 - passes) * 500
    assert attempt(session, rubbish) == pytest.approx(float(worth), abs=1e-9)


def test_a_collector_that_misses_rubbish_is_paid_in_rubbish():
    """Where half of the opened rubbish goes unnoticed, more of it pays; where all does, any."""
    assert least_share(terms()) < least_share(terms(), missed=0.5) < least_share(terms(), 0.9)
    assert attempt(terms(), 50, missed=1.0) == pytest.approx(REWARD)


def test_nothing_is_gained_where_more_is_rubbish_than_could_stay_unsampled():
    """A single shard that is all sampled leaves no further draw: only then nobody goes on."""
    session = terms(shards=4)
    assert (session.first_sample, session.sample_limit) == (1, 1)
    assert least_share(session) == 1.0


def test_accounts_that_play_by_the_contracts_draws_gain_as_computed():
    """1,000 sessions of three accounts, by the draws of the contract's twin."""
    session, rubbish, games = terms(), 5, 1_000
    bad, limit, sample = set(range(rubbish)), session.sample_limit, session.first_sample
    numbers = iter(range(100 * games))
    seed = lambda: next(numbers).to_bytes(32, "big")  # noqa: E731
    gains = np.zeros(games)
    for game in range(games):
        for _ in range(3):
            known = from_bitmap(draw(seed(), 100, sample))
            if bad & set(known):
                continue
            opened = from_bitmap(draw_further(seed(), known, 100, limit - sample))
            if not bad & set(opened):
                gains[game] += session.reward
                break
            gains[game] -= min(session.penalty, session.burn)
    computed = float(all_accounts(session, rubbish, 3))
    assert computed > 0
    assert abs(gains.mean() - computed) < 4 * gains.std() / games**0.5
