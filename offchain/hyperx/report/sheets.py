"""The tables of a session as text, written once for the terminal and for the page."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from offchain.hyperx.report import published
from offchain.hyperx.report.record import GasEntry, ProviderResult, SessionRecord
from offchain.report.sheets import Row, Sheet
from offchain.report.text import amount, ether, gas_cost, interval, percent, plain, whole


@dataclass(frozen=True)
class GasLine:
    """Gas of one call or of one party's calls. ours: the mean over `count`, None if never made."""

    name: str
    count: int
    ours: int | None
    paper: int | None


def ranking(record: SessionRecord) -> list[ProviderResult]:
    """The providers, best score first, those without a score last."""
    return sorted(record.providers, key=lambda one: (one.score is None, -(one.score or 0)))


def providers_sheet(record: SessionRecord) -> Sheet:
    """Each provider's true corruption, outcome, score, deposit and payout."""
    coin = plain(record.currency)

    def cells(one: ProviderResult) -> tuple[str, ...]:
        return (
            plain(one.name),
            plain(one.corruption),
            plain(one.outcome),
            percent(one.score),
            interval(one.low, one.high),
            amount(one.deposit, record.decimals),
            amount(one.payout, record.decimals),
        )

    return Sheet(
        "Providers",
        (
            *("Provider", "Corruption", "Outcome", "Score", "95 % interval"),
            *(f"Deposit ({coin})", f"Payout ({coin})"),
        ),
        3,
        tuple(Row(cells(one), one.name == record.winner) for one in ranking(record)),
        (
            *("Total", "", "", "", ""),
            amount(sum(one.deposit for one in record.providers), record.decimals),
            amount(sum(one.payout for one in record.providers), record.decimals),
        ),
        "Best score first. A payout is all that a provider got back, its deposit included.",
    )


def scores_sheet(record: SessionRecord) -> Sheet:
    """Each provider's score with its interval, macro F1, and what the baselines score it."""

    def cells(one: ProviderResult) -> tuple[str, ...]:
        return (
            plain(one.name),
            plain(one.corruption),
            percent(one.score),
            interval(one.low, one.high),
            percent(one.macro_f1),
            *(percent(baseline.get(one.name)) for baseline in record.baselines.values()),
            *([_price(record, one.name)] if record.efficacy else []),
        )

    baselines = map(plain, record.baselines)
    opinion = [f"Efficacy price ({plain(record.currency)})"] if record.efficacy else []
    return Sheet(
        "Scores",
        ("Provider", "Corruption", "Score", "95 % interval", "Macro F1", *baselines, *opinion),
        2,
        tuple(Row(cells(one), one.name == record.winner) for one in ranking(record)),
        None,
        "The score is the accuracy, on the collector's validation set, of a head trained on the "
        "provider's sampled features."
        + (
            " The efficacy price is a second opinion: what the sampled features would change in a "
            "model of the collector's, the reward at most."
            if record.efficacy
            else ""
        ),
    )


def _price(record: SessionRecord, name: str) -> str:
    """What the second opinion gives for a provider's features, to six places."""
    units = record.efficacy.get(name)
    if units is None:
        return "-"
    grain = 10 ** max(0, record.decimals - 6)
    return amount(units // grain * grain, record.decimals)


def gas_by_party_sheet(record: SessionRecord) -> Sheet:
    """What each party paid, in gas and in ether at the record's price."""
    parties = list(dict.fromkeys(entry.party for entry in record.gas))

    def cells(name: str, entries: list[GasEntry]) -> tuple[str, ...]:
        gas = sum(entry.gas for entry in entries)
        cost = ether(gas_cost(gas, record.gas_price_gwei))
        return (name, str(len(entries)), whole(gas), cost)

    return Sheet(
        "Gas by party",
        ("Party", "Transactions", "Gas", f"Ether at {record.gas_price_gwei:g} gwei"),
        1,
        tuple(
            Row(cells(plain(party), [entry for entry in record.gas if entry.party == party]))
            for party in parties
        ),
        cells("Total", list(record.gas)),
        "Gas as in the receipts. Ether is rounded to six places.",
    )


def gas_lines(record: SessionRecord) -> list[GasLine]:
    """Every call of the paper's Table 1, then the calls that only this session made."""
    by_call: dict[str, list[int]] = {row.function: [] for row in published.TABLE_1}
    for entry in record.gas:
        by_call.setdefault(entry.call, []).append(entry.gas)
    paper = {row.function: row.gas for row in published.TABLE_1}
    return [GasLine(call, len(gas), _mean(gas), paper.get(call)) for call, gas in by_call.items()]


def total_lines(record: SessionRecord) -> list[GasLine]:
    """What whole lives cost, beside the totals of Table 1, as far as this session has them.

    The winner is the provider whose data was bought; a loser made the calls of a regular
    provider and no others. The collector's line adds up the mean of each of its calls in
    Table 1, as for a session with one provider.
    """
    calls: dict[str, set[str]] = {}
    paid: dict[str, int] = {}
    for entry in record.gas:
        calls.setdefault(entry.party, set()).add(entry.call)
        paid[entry.party] = paid.get(entry.party, 0) + entry.gas
    regular = {
        row.function for row in published.TABLE_1 if row.role == "provider" and not row.optimal_only
    }
    winning = [paid[party] for party in paid if party == record.winner]
    losing = [paid[party] for party in paid if calls[party] == regular]
    own = [row.function for row in published.TABLE_1 if row.role == "collector"]
    means = [line.ours for line in gas_lines(record) if line.name in own]
    closing = [sum(gas for gas in means if gas is not None)] if None not in means else []
    return [
        GasLine(name, len(gas), _mean(gas), paper)
        for name, gas, paper in (
            ("winner in all", winning, published.WINNING_PROVIDER_TOTAL),
            ("loser in all", losing, published.LOSING_PROVIDER_TOTAL),
            ("collector, one provider", closing, published.COLLECTOR_TOTAL),
        )
    ]


def gas_by_call_sheet(record: SessionRecord) -> Sheet:
    """Mean gas of each call beside the paper's Table 1."""

    def row(line: GasLine, strong: bool) -> Row:
        ratio = f"{line.paper / line.ours:.1f}" if line.paper and line.ours else "-"
        ours, paper = (whole(g) if g is not None else "-" for g in (line.ours, line.paper))
        return Row((plain(line.name), str(line.count), ours, paper, ratio), strong)

    same = (record.shard_count, record.sample_bps) == (published.SHARDS, published.SAMPLE_BPS)
    return Sheet(
        "Gas by call",
        ("Call", "Times", "Mean gas", "Paper", "Paper / ours"),
        1,
        tuple(row(line, False) for line in gas_lines(record))
        + tuple(row(line, True) for line in total_lines(record)),
        None,
        f"Here {record.shard_count} shards with up to {record.sample_bps / 100:g} % opened; "
        f"the paper's Table 1 is for {published.SHARDS} shards with "
        f"{published.SAMPLE_BPS // 100} % sampled"
        + (", on the gas rules of 2020." if same else ": read the ratio with that in mind."),
    )


def _mean(gas: list[int]) -> int | None:
    return round(fmean(gas)) if gas else None
