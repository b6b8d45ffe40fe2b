"""The report's sections on crowds and their maps."""

from __future__ import annotations

import numpy as np

from offchain.report.text import markdown
from offchain.sum.study import crowds
from offchain.sum.study.crowds import MAP_SEEDS, Crowd, Map
from offchain.sum.study.results import Results
from offchain.sum.study.statistics import Values
from offchain.sum.study.study import Findings
from offchain.sum.study.text import value, with_half
from offchain.sum.study.verdicts import POINT

_CROWD = """## Crowds

{crowd} agents with equal means ({coins} coins, a wait of 5,000 ± 2,500 s: together as frequent and
as rich for each review as Table I's two), {stream} reviews, no submission cost. Accuracy after less
the accuracy after the same run without the malicious agents, in points:
"""

_MONEY = """
Balances at the end, in per cent of the start: honest agents' mean / malicious agents' mean.
"""

_MAP = """## The region in which the model stays within a point of its clean accuracy

The same crowd with a submission cost (kept), and with other sizes of the first training; {seeds}
seeds a cell. Strategies: flipped, and {worst}, which of the others costs the crowd most accuracy
while half of it or more is honest. Each row: accuracy after less clean accuracy, mean in points;
**bold** within one point. The last column: up to how many malicious agents of {crowd} all cells
stay within.
"""


def crowd_section(findings: Findings) -> str:
    """Accuracy lost and money by strategy and number of malicious agents."""
    results = findings.results
    counts = [str(c.malicious) for c in next(iter(findings.crowds.values()))]
    lost, money = [], []
    for strategy, group in findings.crowds.items():
        differences = [results.difference(c.case, c.clean, results.seeds) for c in group]
        lost.append((strategy, *(with_half(d, 1) for d in differences)))
        money.append((strategy, *(_money(c, results) for c in group)))
    member = next(iter(findings.crowds.values()))[0].case.setting.agents[0]
    head = _CROWD.format(
        crowd=crowds.CROWD, coins=f"{member.start_balance:,}", stream=f"{crowds.CROWD_STREAM:,}"
    )
    headers = ("malicious agents", *counts)
    return f"{head}\n{markdown(headers, lost)}\n{_MONEY}\n{markdown(headers, money)}\n"


def _money(crowd: Crowd, results: Results) -> str:
    honest = crowds.CROWD - crowd.malicious
    balances = np.array(
        [results.measured(crowd.case, seed).balances for seed in range(results.seeds)]
    )
    return f"{100 * balances[:, :honest].mean():.0f} / {100 * balances[:, honest:].mean():.0f}"


def cells(one: Map, results: Results) -> Values:
    """Mean difference from the clean accuracy, (rows, columns), as shares."""
    seeds = min(results.seeds, MAP_SEEDS)
    means = [
        [
            results.difference(crowd.case, crowd.clean, seeds).mean()
            for crowd in (one.crowd(row, count) for count in one.columns)
        ]
        for row in one.rows
    ]
    return np.array(means)


def map_section(findings: Findings) -> str:
    """A table for each map: points of accuracy lost by malicious agents and second parameter."""
    head = _MAP.format(
        seeds=min(findings.results.seeds, MAP_SEEDS), worst=findings.worst, crowd=crowds.CROWD
    )
    tables = [head]
    for one in findings.maps:
        rows = []
        for row, line in zip(one.rows, cells(one, findings.results), strict=True):
            within = line >= -POINT
            shown = [
                f"**{100 * cell:.1f}**" if inside else f"{100 * cell:.1f}"
                for cell, inside in zip(line, within, strict=True)
            ]
            most = [0, *one.columns][len(line) if within.all() else int(within.argmin())]
            rows.append((value(row), *shown, str(most)))
        parameter = "cost [coins]" if one.parameter == "cost" else "train_size [%]"
        headers = (parameter, *(f"{n} malicious" for n in one.columns), "within up to")
        tables.append(f"### {one.strategy}, {one.parameter}\n\n{markdown(headers, rows)}\n")
    return "\n".join(tables)
