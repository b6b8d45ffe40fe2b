"""The measurement as Markdown: benchmarks/gas.md, and what ``make gas`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from offchain.hyperx.report import published as paper
from tests.gas.floors import DEEDS, floor, raised_floor
from tests.gas.measure import (
    COLLECTOR,
    LOSER,
    PLAIN_WINNER,
    WINNER,
    WINNER_IS_PAID,
    Measurement,
    Session,
    total,
)

PAPER_CALLS = {row.function: row for row in paper.TABLE_1}
GROWING = (
    "register",
    "submitFeatures",
    "setCandidate",
    "sampleData",
    "submitReview",
    "claimReward",
)
SEALED_CALLS = ("deliverKey", "proveWrongDelivery", "settle", WINNER_IS_PAID)
NONE = "-"

INTRODUCTION = """\
# Gas

Made by `make gas UPDATE=1`; a test fails when a call drifts by more than 1 % from these figures.
Gas is what the receipt says: intrinsic gas and calldata included, rules of Prague, optimizer on.

- **plain**: `tests/gas/PlainSession.sol`, Figure 3 line by line, storing what the figure stores, in
  the same run. It keeps an address in one word; the text of a CID would take three.
- **paper**: Table 1 of the paper, on the rules of 2020.
- **floor**: what any code must pay: 21,000, calldata (EIP-7623), slots that must change, code that
  must be created, money that must move (`tests/gas/floors.py`).
"""

SEALED = """\
These calls take the place of claimReward; all others cost what they cost under open settlement. The
winner's claimDeposit, made when nobody has settled the delivery, settles it and pays reward and
deposit. The dispute is about the last shard.
"""

TOTALS = f"""\
createSession stands beside the deployment of the plain contract; the paper's contract took
{paper.DEPLOYMENT_GAS:,} to deploy besides. The collector's total is for one provider and one closed
deal, without creation. In the paper and in the plain contract the winner fetches its deposit by a
claimDeposit of its own, which its total includes.
"""


LARGEST = """\
Nodes take no transaction of more than 131,072 bytes or 16,777,216 gas (EIP-7825) into their pools.
Bytes are those of the signed transaction. The last column is what a call would cost if calldata
rose to 64 gas a byte (EIP-7976).
"""


def render(measured: Measurement) -> str:
    """The whole report."""
    hidden, published, plain = (
        sessions[paper.SHARDS] for sessions in (measured.hidden, measured.published, measured.plain)
    )
    parts = [
        INTRODUCTION,
        f"## One session: {paper.SHARDS} shards, {paper.SAMPLE_BPS / 100:.0f} % sampled\n",
        _session_table(hidden, plain),
        TOTALS,
        "## The same with published addresses\n",
        _published_table(published),
        "## Growth with the number of shards (the paper's Figure 5)\n",
        "Figure 5 is a plot without numbers in the text; the paper's columns give Table 1.\n",
        _growth_table(measured),
        "## Call by call, addresses hidden\n",
        _calls_table(measured.hidden, GROWING),
        "## Call by call, addresses published\n",
        _calls_table(measured.published, GROWING),
        "## Sealed settlement\n",
        SEALED,
        "Addresses hidden:\n",
        _calls_table(measured.sealed_hidden, SEALED_CALLS),
        "Addresses published:\n",
        _calls_table(measured.sealed_published, SEALED_CALLS),
        "## The largest sizes allowed\n",
        LARGEST,
        _table(
            ("call, addresses, shards opened of all", "gas", "bytes", "gas at 64 a byte"),
            (
                (
                    name,
                    _gas(call.gas),
                    _gas(call.signed_bytes),
                    _gas(max(call.gas, raised_floor(call.calldata))),
                )
                for name, call in measured.largest.items()
            ),
        ),
        "drawSample, 2,000 of 4,000, costs about "
        f"{measured.draw.gas / 1e6:.0f} million: the hash of a block decides how long it takes.\n",
    ]
    return "\n".join(parts)


def _session_table(ours: Session, plain: Session) -> str:
    rows = [
        (
            name,
            PAPER_CALLS[name].role,
            ours[name].gas,
            plain[name].gas,
            PAPER_CALLS[name].gas,
            _floor(ours, (name,)),
        )
        for name in PAPER_CALLS
    ]
    rows += [
        (
            f"**{title}**",
            payer,
            total(ours, role),
            total(plain, plain_role),
            sum(PAPER_CALLS[name].gas for name in plain_role),
            _floor(ours, role),
        )
        for title, payer, role, plain_role in (
            ("losing provider", "provider", LOSER, LOSER),
            ("winning provider", "provider", WINNER, PLAIN_WINNER),
            ("collector", "collector", COLLECTOR, COLLECTOR),
        )
    ]
    return _table(
        ("call", "by", "ours", "plain", "paper", "floor", "plain / ours", "ours / floor"),
        (
            (
                name,
                by,
                *map(_gas, figures),
                _ratio(figures[1], figures[0]),
                _ratio(figures[0], figures[3]),
            )
            for name, by, *figures in rows
        ),
    )


def _published_table(ours: Session) -> str:
    rows = [(name, (name,)) for name in PAPER_CALLS]
    rows += [
        ("**losing provider**", LOSER),
        ("**winning provider**", WINNER),
        ("**collector**", COLLECTOR),
    ]
    return _table(
        ("call", "ours", "floor", "ours / floor"),
        (
            (
                name,
                _gas(total(ours, role)),
                _gas(_floor(ours, role)),
                _ratio(total(ours, role), _floor(ours, role)),
            )
            for name, role in rows
        ),
    )


def _growth_table(measured: Measurement) -> str:
    def row(shards: int) -> tuple[str, ...]:
        plain, hidden = measured.plain.get(shards), measured.hidden.get(shards, {})
        published = measured.published.get(shards, {})
        cited = shards == paper.SHARDS
        return (
            f"{shards:,}",
            _gas(total(published or hidden, LOSER)),
            _gas(total(plain, LOSER)) if plain else NONE,
            _gas(paper.LOSING_PROVIDER_TOTAL) if cited else NONE,
            _gas(total(hidden, WINNER)) if hidden else NONE,
            _gas(total(published, WINNER)) if published else NONE,
            _gas(total(plain, PLAIN_WINNER)) if plain else NONE,
            _gas(paper.WINNING_PROVIDER_TOTAL) if cited else NONE,
        )

    return _table(
        (
            "shards",
            "loser, ours",
            "loser, plain",
            "loser, paper",
            "winner, hidden",
            "winner, published",
            "winner, plain",
            "winner, paper",
        ),
        map(row, sorted({*measured.hidden, *measured.published})),
    )


def _calls_table(sessions: Mapping[int, Session], calls: Sequence[str]) -> str:
    return _table(
        ("call", *(f"{shards:,} shards" for shards in sessions)),
        ((name, *(_gas(session[name].gas) for session in sessions.values())) for name in calls),
    )


def _floor(session: Session, role: Sequence[str]) -> int:
    return sum(floor(session[name].calldata, DEEDS[name]) for name in role)


def _gas(value: int) -> str:
    return f"{value:,}"


def _ratio(a: int, b: int) -> str:
    return f"{a / b:.2f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose first column is text and the others figures."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
