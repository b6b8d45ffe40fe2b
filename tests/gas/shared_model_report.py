"""The measurement of shared models as Markdown: benchmarks/gas_shared_model.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.gas.peer import PEER, PEER_INITIALISE
from tests.gas.samples import FEATURES
from tests.gas.shared_model import Call, Measured, Setup

NONE = "-"

INTRODUCTION = f"""\
# Gas of a shared model

Made by `make gas UPDATE=1`; a test fails when a call drifts by more than 1 % from these figures.
{FEATURES:,} binary features, two classes, models taught by the 8 % of the reviews that the paper
begins with; receipts, rules of Prague.

How to read a row:

- **sample**: `review` is a real review of that many active features, typical of its length in how
  many words of the model it touches; `spread` lies evenly over all features and touches the most.
- **words**: words of the model that the call touches. Each is read once, and written at most once,
  however many of its features are active.
- **peer**: 0xDeCA10B's contracts with their stake incentive, measured by us on the same rules. They
  cost the same for any sample of that size (`tests/gas/peer.py`).
- **floor**: 21,000, calldata, slots that must be written or read, money that must move
  (`tests/gas/floors.py`). Each contribution here pays too much, and is credited the rest, which is
  not in the floor.
- **a feature**: gas divided by active features; for `initialise`, by all {FEATURES:,}.
- `predict` is what the classifier's view takes to execute, as a contract that asks it pays, without
  a transaction's 21,000 and calldata; off the chain it is free.
- `announce`, `object` and `uphold` are ours alone: a refund or a report is announced once, and
  objected to where the model denies it; an author who contributed the same again upholds it, which
  asks no model. That contribution comes on top.
- `pay for a prediction` is a transaction; the peer has nothing like it.
- `initialise` sets all words in one call; the peer needs four for the perceptron, eight for others.
- The perceptron learns only where it was wrong. The other two learn from every sample, so that all
  their lessons write.
"""

HEAD = """\
| sample | active | call | words | ours | peer | ours / peer | floor | a feature |
| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"""


def render(measured: Mapping[Setup, Measured]) -> str:
    """The whole report."""
    parts = [INTRODUCTION]
    for setup, one in measured.items():
        parts += [f"## {setup.classifier}, {setup.incentive}\n", HEAD, *_rows(setup, one), ""]
    return "\n".join(parts)


def flat(measured: Mapping[Setup, Measured]) -> dict[str, int]:
    """Gas by name, as the snapshot keeps it."""
    figures = {}
    for setup, one in measured.items():
        name = f"{setup.classifier}, {setup.incentive}"
        for kind, active, call, spent in each(one):
            figures[f"{name}, {kind}, {active} active: {call}"] = spent.gas
        figures[f"{name}: initialise"] = one.initialise.gas
    return figures


def each(measured: Measured) -> Iterator[tuple[str, int, str, Call]]:
    """Every call: kind of sample, active features, name, what it took."""
    for kind, sizes in measured.calls.items():
        for active, calls in sizes.items():
            for name, call in calls.items():
                yield kind, active, name, call


def _rows(setup: Setup, measured: Measured) -> Iterator[str]:
    peers = PEER[setup.classifier]
    for kind, active, name, call in each(measured):
        yield _row(kind, active, name, call, peers[active].get(name))
    yield _row(NONE, FEATURES, "initialise", measured.initialise, PEER_INITIALISE[setup.classifier])


def _row(kind: str, active: int, name: str, call: Call, peer: int | None) -> str:
    beside = (NONE, NONE) if peer is None else (f"{peer:,}", f"{call.gas / peer:.2f}")
    cells = (
        *(kind, f"{active:,}", name, str(call.words), f"{call.gas:,}", *beside),
        *(f"{call.floor:,}", f"{call.gas / active:,.0f}"),
    )
    return f"| {' | '.join(cells)} |"
