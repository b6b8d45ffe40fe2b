"""The bars for choosing the best uploads of a round, and the guard against growth."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from rich.console import Console
from rich.markdown import Markdown

from tests.gas import borda
from tests.kit.node import quiet_node

SNAPSHOT = Path(__file__).with_name("borda.json")
REPORT = Path(__file__).parents[2] / "benchmarks" / "gas_borda.md"
DRIFT = 0.01
BALLOT_BAR = 60_000
CLOSE_BAR = 250_000
CALL_CAP = 15_000_000
ALL = {
    f"{members} members, {borda.winners_of(members, share)} winners": (members, share)
    for members in borda.MEMBERS
    for share in borda.SHARES
}
MANY = f"{borda.MANY:,} members, {borda.MANY_WINNERS} winners"

HEAD = """\
# Gas of a Borda round

Made by `make gas UPDATE=1`; a test fails when a call drifts by more than 1 % from these figures.
Receipts, rules of Prague, members that rank the others at random, second round of a session.

- **vote**: the voter casts its packed ranking. **voteSigned**: anybody carries it with a signature;
  with scores, the contract sorts them. **in a batch**: one ballot's share of a transaction that
  carries all others.
- **floor**: 21,000, calldata, code that must be created, a slot that must change for each voter
  (for all of them in a batch), recovered signatures, and in a closing the result's slot and the
  points to be read.
- Whole rounds are an opening, a ballot of every member, and a closing.

| members | winners | call | gas | floor | gas / floor |
| ---: | ---: | --- | ---: | ---: | ---: |"""


@pytest.fixture(scope="module")
def measured(project, accounts):
    """All calls, on a chain of their own; with UPDATE=1 kept as the new figures."""
    people = list(accounts)[: borda.FUNDED]
    with quiet_node():
        board = project.BulletinBoard.deploy(sender=people[0])
        factory = project.BordaConsensusFactory.deploy(board, sender=people[0])
        rounds = {
            name: borda.measure_round(factory, people, members, borda.winners_of(members, share))
            for name, (members, share) in ALL.items()
        }
        hidden = borda.measure_hidden(factory, people, 30, 6)
        absent = borda.measure_absent(factory, people, 30, 6)
        many = borda.measure_many(factory, people)
    report = render(rounds, hidden, absent, many)
    Console(width=120).print(Markdown(report))
    if os.environ.get("UPDATE") == "1":
        SNAPSHOT.write_text(json.dumps(flat(rounds, hidden, absent, many), indent=2) + "\n")
        REPORT.write_text(report)
    return rounds, hidden, absent, many


def flat(rounds, hidden, absent, many):
    """Gas by name, as the snapshot keeps it."""
    sizes = rounds | {
        "hidden, 30 members, 6 winners": hidden,
        "absent, 30 members, 6 winners": absent,
        MANY: many,
    }
    return {
        f"{size}: {name}": call.gas for size, calls in sizes.items() for name, call in calls.items()
    }


def render(rounds, hidden, absent, many):
    """benchmarks/gas_borda.md."""
    lines = [HEAD]
    for name, (members, share) in ALL.items():
        lines += _rows(members, borda.winners_of(members, share), rounds[name])
    lines += [
        "",
        "## Hidden ballots",
        "",
        "| members | winners | call | gas | floor | gas / floor |",
        "| ---: | ---: | --- | ---: | ---: | ---: |",
        *_rows(30, 6, hidden),
        "",
        "## Members that uploaded nothing",
        "",
        "Uploads are batched. **reportAbsent**: the first report of a round; the others change the",
        "same slot.",
        "",
        "| members | winners | call | gas | floor | gas / floor |",
        "| ---: | ---: | --- | ---: | ---: | ---: |",
        *_rows(30, 6, absent),
        "",
        f"## A first round with {borda.MANY:,} members and {borda.MANY_WINNERS} winners",
        "",
        "A closing looks at no more than 256 candidates in a call. Of each kind the dearest call.",
        "",
        "| call | gas |",
        "| --- | ---: |",
        *(f"| {name} | {call.gas:,} |" for name, call in many.items()),
        "",
    ]
    return "\n".join(lines)


def _rows(members, winners, calls):
    return [
        f"| {members} | {winners} | {name} | {call.gas:,} | {call.floor:,} "
        f"| {call.gas / call.floor:.2f} |"
        for name, call in calls.items()
    ]


@pytest.mark.parametrize("name", ["vote", "voteSigned", "in a batch"])
@pytest.mark.parametrize("size", [name for name, (members, _) in ALL.items() if members <= 30])
def test_a_packed_ballot_costs_at_most_60_000_up_to_30_members(measured, size, name):
    assert measured[0][size][name].gas <= BALLOT_BAR


@pytest.mark.parametrize("size", [name for name, (members, _) in ALL.items() if members <= 30])
def test_a_closing_costs_at_most_250_000_up_to_30_members(measured, size):
    assert measured[0][size]["close"].gas <= CLOSE_BAR


def test_with_1_000_members_every_call_fits_into_a_transaction(measured):
    """Creation, opening, a ballot, a batch of a hundred, and each step of the closing."""
    calls = {name: call.gas for name, call in measured[3].items() if name != "close, all steps"}
    assert max(calls.values()) <= CALL_CAP, calls


def test_a_batch_is_cheaper_than_members_who_vote_each_by_itself(measured):
    for calls in measured[0].values():
        assert calls["round, batch"].gas < 0.6 * calls["round, each by itself"].gas


@pytest.mark.parametrize("size", ALL)
def test_no_call_undercuts_its_floor(measured, size):
    """A floor above the measurement would be no floor."""
    for name, call in (measured[0][size] | measured[1] | measured[2]).items():
        assert call.floor <= call.gas, name


def test_no_call_drifts_from_the_committed_figures_unnoticed(measured):
    kept = json.loads(SNAPSHOT.read_text())
    now = flat(*measured)
    assert kept.keys() == now.keys()
    drifted = {n: (kept[n], now[n]) for n in now if abs(now[n] - kept[n]) > DRIFT * kept[n]}
    assert not drifted, "measure again with `make gas UPDATE=1` if this is meant"
