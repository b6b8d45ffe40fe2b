"""The bars for the bulletin board, and the guard against growth."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from rich.console import Console
from rich.markdown import Markdown

from tests.gas.board import FLAT_AT, MEMBERS, measure_board
from tests.kit.node import quiet_node

SNAPSHOT = Path(__file__).with_name("board.json")
REPORT = Path(__file__).parents[2] / "benchmarks" / "gas_board.md"
DRIFT = 0.01

HEAD = f"""\
# Gas of the bulletin board

Made by `make gas UPDATE=1`; a test fails when a call drifts by more than 1 % from these figures.
Receipts, rules of Prague.

- **floor**: 21,000, calldata, slots that must be written or read, money that must move, and the
  digest that an event must tell.

## Calls that cost the same at any number of members

Measured with {FLAT_AT}. A post by the server is one new slot: 28 bytes of the hash and the time.

| call | ours | floor | ours / floor |
| --- | ---: | ---: | ---: |"""

GROWING = """
## Calls by number of members

A path has a word for every level of the tree, which is paid as calldata.

| call | members | ours | floor | ours / floor |
| --- | ---: | ---: | ---: | ---: |"""

ROUNDS = """
## A round: the uploads and the evaluations of all

| members | posted singly | as two batches | a message, singly | a message, in batches |
| ---: | ---: | ---: | ---: | ---: |"""


@pytest.fixture(scope="module")
def measured(project, accounts):
    """All calls, on a chain of their own; with UPDATE=1 kept as the new figures."""
    with quiet_node():
        measurement = measure_board(project, accounts)
    report = render(measurement)
    Console(width=120).print(Markdown(report))
    if os.environ.get("UPDATE") == "1":
        SNAPSHOT.write_text(json.dumps(measurement.figures, indent=2) + "\n")
        REPORT.write_text(report)
    return measurement


def render(measured):
    """benchmarks/gas_board.md."""
    lines = [HEAD]
    for name, call in measured.flat.items():
        lines.append(f"| {name} | {_figures(call)} |")
    lines.append(GROWING)
    for name in measured.growing[FLAT_AT]:
        for members in MEMBERS:
            lines.append(f"| {name} | {members:,} | {_figures(measured.growing[members][name])} |")
    lines.append(ROUNDS)
    single = measured.flat["post"].gas
    for members in MEMBERS:
        batches = 2 * measured.growing[members]["postBatch"].gas
        lines.append(
            f"| {members:,} | {2 * members * single:,} | {batches:,} | {single:,} "
            f"| {batches / members / 2:,.0f} |"
        )
    return "\n".join([*lines, ""])


def _figures(call):
    return f"{call.gas:,} | {call.floor:,} | {call.gas / call.floor:.2f}"


def test_a_post_is_one_new_slot_and_little_else(measured):
    """At most a tenth above what any code must pay for it, singly and as a batch."""
    for call in (measured.flat["post"], *(at["postBatch"] for at in measured.growing.values())):
        assert call.gas <= 1.10 * call.floor


def test_a_batch_costs_the_same_for_a_thousand_members_as_for_twenty(measured):
    """But for the zeros among the bytes of a root."""
    costs = [measured.growing[members]["postBatch"].gas for members in MEMBERS]
    assert max(costs) - min(costs) < 100


def test_no_call_grows_faster_than_the_tree(measured):
    """From 20 to 1,000 members the trees grow by five levels: at most 1,300 gas for each."""
    for name, call in measured.growing[MEMBERS[0]].items():
        trees = 2 if name == "challenge" else 1
        assert measured.growing[MEMBERS[-1]][name].gas - call.gas <= trees * 5 * 1_300, name


def test_no_call_undercuts_its_floor(measured):
    """A floor above the measurement would be no floor."""
    for calls in (measured.flat, *measured.growing.values()):
        for name, call in calls.items():
            assert call.floor <= call.gas, name


def test_no_call_drifts_from_the_committed_figures_unnoticed(measured):
    kept = json.loads(SNAPSHOT.read_text())
    now = measured.figures
    assert kept.keys() == now.keys()
    drifted = {n: (kept[n], now[n]) for n in now if abs(now[n] - kept[n]) > DRIFT * kept[n]}
    assert not drifted, "measure again with `make gas UPDATE=1` if this is meant"
