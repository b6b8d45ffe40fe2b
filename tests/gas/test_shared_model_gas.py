"""The bars for teaching a shared model, beside 0xDeCA10B, and the guard against growth."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from rich.console import Console
from rich.markdown import Markdown

from tests.gas.node import quiet_node
from tests.gas.peer import PEER
from tests.gas.shared_model import ACTIVE, FEATURES, KINDS, measure_model

SNAPSHOT = Path(__file__).with_name("shared_model.json")
REPORT = Path(__file__).parents[2] / "benchmarks" / "gas_shared_model.md"
SHARE_OF_PEER = 0.40
DRIFT = 0.01


HEAD = f"""\
# Gas of a shared model

Made by `make gas UPDATE=1`; a test fails when a call drifts by more than 1 % from these figures.
Sparse perceptron, {FEATURES:,} binary features, stake incentive; receipts, rules of Prague.

- **peer**: 0xDeCA10B's contracts, measured by us on the same rules.
- **floor**: 21,000, calldata, slots that must be written or read, money that must move.
- `words` samples are distributed as the words of reviews are, `spread` ones touch the most words
  of the model.

| sample | active | call | words touched | ours | peer | ours / peer | floor | a feature |
| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"""


@pytest.fixture(scope="module")
def measured(project, accounts):
    """All calls, on a chain of their own; with UPDATE=1 kept as the new figures."""
    with quiet_node():
        calls, initialisation = measure_model(project, accounts)
    report = render(calls, initialisation)
    Console(width=120).print(Markdown(report))
    if os.environ.get("UPDATE") == "1":
        SNAPSHOT.write_text(json.dumps(flat(calls, initialisation), indent=2) + "\n")
        REPORT.write_text(report)
    return calls, initialisation


def flat(calls, initialisation):
    """Gas by name, as the snapshot keeps it."""
    figures = {
        f"{kind}, {active} active: {name}": call.gas
        for kind, sizes in calls.items()
        for active, names in sizes.items()
        for name, call in names.items()
    }
    return figures | {"initialise all weights": initialisation.gas}


def render(calls, initialisation):
    """benchmarks/gas_shared_model.md."""
    lines = [HEAD]
    for kind, sizes in calls.items():
        for active, names in sizes.items():
            for name, call in names.items():
                peer = PEER[active][name]
                lines.append(
                    f"| {kind} | {active} | {name} | {call.words} | {call.gas:,} | {peer:,} "
                    f"| {call.gas / peer:.2f} | {call.floor:,} | {call.gas / active:,.0f} |"
                )
    lines += ["", f"Initialising all weights in one call: {initialisation.gas:,}.", ""]
    return "\n".join(lines)


@pytest.mark.parametrize(("kind", "active"), [("words", 60), ("words", 120), ("spread", 120)])
@pytest.mark.parametrize("name", PEER[60])
def test_a_review_costs_at_most_four_tenths_of_the_peers(measured, kind, active, name):
    assert measured[0][kind][active][name].gas <= SHARE_OF_PEER * PEER[active][name]


@pytest.mark.parametrize("name", PEER[60])
def test_even_the_worst_spread_stays_below_six_tenths_of_the_peers(measured, name):
    """60 features that lie in 47 of the 48 words, which no review's do; the floor alone is half."""
    assert measured[0]["spread"][60][name].gas <= 0.60 * PEER[60][name]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("active", ACTIVE)
def test_no_call_undercuts_its_floor(measured, kind, active):
    """A floor above the measurement would be no floor."""
    for name, call in measured[0][kind][active].items():
        assert call.floor <= call.gas, name


def test_no_call_drifts_from_the_committed_figures_unnoticed(measured):
    kept = json.loads(SNAPSHOT.read_text())
    now = flat(*measured)
    assert kept.keys() == now.keys()
    drifted = {n: (kept[n], now[n]) for n in now if abs(now[n] - kept[n]) > DRIFT * kept[n]}
    assert not drifted, "measure again with `make gas UPDATE=1` if this is meant"
