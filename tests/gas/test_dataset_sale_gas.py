"""The bars for selling datasets, and the guard against growth."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from rich.console import Console
from rich.markdown import Markdown

from tests.gas.dataset_sale import BAR_SAMPLE, CLASSES, COUNT, DEPTH, SAMPLES, measure_dataset_sale
from tests.kit.node import quiet_node

SNAPSHOT = Path(__file__).with_name("dataset_sale.json")
REPORT = Path(__file__).parents[2] / "benchmarks" / "gas_dataset_sale.md"
DRIFT = 0.01

BARS = {
    "open: quote": 90_000,
    "sealed: quote": 90_000,
    "open: purchase": 80_000,
    "sealed: purchase": 80_000,
    f"{BAR_SAMPLE}: proveWrongScore": 300_000,
}

HEAD = """\
# Gas of the sale of datasets

Made by `make gas UPDATE=1`; a test fails when a call drifts by more than 1 % from these figures.
Receipts, rules of Prague, native coin, both parties accounts without code.

- **floor**: 21,000, calldata (EIP-7623), slots that must be written or read, money that must move.
  The two signatures of a quote are not in it.
- A proof moves price and stake into the buyer's budget; `withdraw` pays them out.

| settlement | call | ours | bar | floor | ours / floor |
| --- | --- | ---: | ---: | ---: | ---: |"""

PROOF_HEAD = f"""
## Proofs, by what a sample is

A dataset of {COUNT:,} samples, one to a chunk; a tree of depth {DEPTH} with {CLASSES} classes, and
a sample that goes the whole way; a price rule of eight points. Where the floor decides, a proof
costs what its calldata does: the sample, twice where two are shown, and the paths.

| sample | call | ours | bar | floor | ours / floor |
| --- | --- | ---: | ---: | ---: | ---: |"""


@pytest.fixture(scope="module")
def measured(project, accounts):
    """All calls, on a chain of their own; with UPDATE=1 kept as the new figures."""
    with quiet_node():
        measurement = measure_dataset_sale(project, accounts)
    report = render(measurement)
    Console(width=120).print(Markdown(report))
    if os.environ.get("UPDATE") == "1":
        SNAPSHOT.write_text(json.dumps(measurement.figures, indent=2) + "\n")
        REPORT.write_text(report)
    return measurement


def render(measured):
    """benchmarks/gas_dataset_sale.md."""
    lines = [HEAD]
    for part, calls in measured.parts.items():
        if part == next(iter(SAMPLES)):
            lines.append(PROOF_HEAD)
        for name, call in calls.items():
            bar = BARS.get(f"{part}: {name}")
            shown = f"{bar:,}" if bar else ""
            ratio = call.gas / call.floor
            lines.append(
                f"| {part} | {name} | {call.gas:,} | {shown} | {call.floor:,} | {ratio:.2f} |"
            )
    return "\n".join([*lines, ""])


@pytest.mark.parametrize("name", BARS)
def test_a_call_keeps_to_its_bar(measured, name):
    assert measured.figures[name] <= BARS[name]


def test_no_call_undercuts_its_floor(measured):
    """A floor above the measurement would be no floor."""
    for calls in measured.parts.values():
        for name, call in calls.items():
            assert call.floor <= call.gas, name


def test_no_call_drifts_from_the_committed_figures_unnoticed(measured):
    kept = json.loads(SNAPSHOT.read_text())
    now = measured.figures
    assert kept.keys() == now.keys()
    drifted = {n: (kept[n], now[n]) for n in now if abs(now[n] - kept[n]) > DRIFT * kept[n]}
    assert not drifted, "measure again with `make gas UPDATE=1` if this is meant"
