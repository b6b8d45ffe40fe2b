"""The report's section on attacks on the verdict."""

from __future__ import annotations

import numpy as np

from offchain.report.text import markdown
from offchain.sum.study.attacks import DEAREST_DEPOSIT, GRID_SEEDS, Attack
from offchain.sum.study.case import Case
from offchain.sum.study.measure import Measured
from offchain.sum.study.results import Results
from offchain.sum.study.statistics import Values, mean_interval
from offchain.sum.study.study import Findings
from offchain.sum.study.text import with_half

_HEAD = """## Attacks on the verdict

A month of four honest agents with 1,000 coins each, one contribution in ten minutes, and one
attacker with 800 coins. The attacker echoes the model until half of all good data is its own. A
holder then lives on that. A flipper teaches the opposite of what others have at stake, to report
it. A launderer lies, and teaches its lies again until the model believes them. Both come every five
minutes. A staller is a flipper that comes every 55 seconds: it turns what is answered back before
it has been quiet for a minute, so that nobody can object, and lets it be quiet where it announces
or claims itself. *Gain* is what the attack brings in coins beyond what a holder with the same seed
has, who comes as often. *At once*: the model at the instant of the claim, as in the paper.
*Announced*: the contracts' rule with its customary waits. Who answers teaches again what it
announced as good and the model denies, and by that upholds it, so that no report of it stands; who
trusts does not. Liars uphold what they teach again, too. *Income* is what the four honest agents
gain or lose together while nobody attacks, *wait* the mean days from their contribution to its
refund, both without and with the attack.
"""

_GRID = """
The same against those who answer, by the contracts' rule, with other shares of all good data and
other capital, in deposits of {deposit} coins; {seeds} seeds.
"""


def attacks_section(findings: Findings) -> str:
    """The gain of each attack, and what the rule costs honest agents."""
    results, rows = findings.results, []
    for attack in findings.attacks:
        rows.append(
            (
                attack.strategy,
                "announced" if attack.announced else "at once",
                "answer" if attack.announced and attack.defender == "honest" else "trust",
                f"{attack.largest_weight:,}",
                _interval(gain(results, attack)),
                _interval(_income(results, attack.holder)),
                _interval(_income(results, attack.case)),
                _days(results, attack.holder),
                _days(results, attack.case),
                with_half(results.values([attack.case], "after")[:, 0]),
            )
        )
    headers = (
        *("attacker", "verdict", "the honest", "largest weight", "gain [coins]"),
        *("income, no attack", "attacked", "wait, no attack [days]", "attacked", "after [%]"),
    )
    return f"{_HEAD}\n{markdown(headers, rows, texts=3)}\n{_grid(findings)}"


def gain(results: Results, attack: Attack, seeds: int | None = None) -> Values:
    """What the attack brings beyond holding, in coins, by seed; of all seeds or the first ones."""
    ours, held = (_runs(results, case, seeds) for case in (attack.case, attack.holder))
    shares = [a.balances[-1] - b.balances[-1] for a, b in zip(ours, held, strict=True)]
    return np.array(shares, dtype=np.float64) * float(attack.coins)


def _grid(findings: Findings) -> str:
    seeds = min(GRID_SEEDS, findings.results.seeds)
    rows = [
        (
            attack.strategy,
            f"{attack.largest_weight:,}",
            f"{attack.share:.0%}",
            f"{attack.deposits}",
            _interval(gain(findings.results, attack, seeds)),
        )
        for attack in findings.grid
    ]
    headers = "attacker", "largest weight", "good data held", "capital", "gain [coins]"
    head = _GRID.format(deposit=DEAREST_DEPOSIT, seeds=seeds)
    return f"{head}\n{markdown(headers, rows, texts=1)}\n"


def _income(results: Results, case: Case) -> Values:
    agents = case.setting.agents[:-1]
    return np.array(
        [
            sum((b - 1) * a.start_balance for b, a in zip(one.balances, agents, strict=False))
            for one in _runs(results, case)
        ]
    )


def _days(results: Results, case: Case) -> str:
    waits = [
        [wait for wait in one.awaited[:-1] if wait is not None] for one in _runs(results, case)
    ]
    return f"{np.mean([np.mean(some) for some in waits]):.2f}"


def _runs(results: Results, case: Case, seeds: int | None = None) -> list[Measured]:
    return [results.measured(case, seed) for seed in range(seeds or results.seeds)]


def _interval(values: Values) -> str:
    one = mean_interval(values)
    return f"{one.at:+,.0f} [{one.low:+,.0f}, {one.high:+,.0f}]"
