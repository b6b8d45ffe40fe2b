"""The report's section on submission costs that follow the entropy of a label."""

from __future__ import annotations

from offchain.report.text import markdown
from offchain.sum.rules import surprise_costs
from offchain.sum.setting import COIN
from offchain.sum.study.entropy import STATED_ACCURACY
from offchain.sum.study.statistics import Values, mean_interval
from offchain.sum.study.study import Findings
from offchain.sum.study.text import days, value, with_half

_ENTROPY = """## A cost by the information in the label

Table I's two agents. A constant cost takes the same of every contribution. The entropy cost takes
the cost times the bits that the label carries by the model's own stated accuracy of
{accuracy:.0%}, by their mean, so that to contradict the model is dear and to agree is cheap
({costs} coins).
Who offers less than that and the deposit cannot submit: Table I's good agent offers 50 ± 10 coins,
its malicious one 100 ± 3.
"""


def entropy_section(findings: Findings) -> str:
    """Constant against entropy cost, side by side, with the difference paired by seed."""
    results, rows = findings.results, []
    for constant, informed in zip(findings.priced[::2], findings.priced[1::2], strict=True):
        kinds = []
        for kind, priced in (("constant", constant), ("entropy", informed)):
            table = {
                m: results.values([priced.case], m)[:, 0]
                for m in ("after", "good", "bad", "half", "broke")
            }
            kinds.append(table["after"])
            rows.append(
                (
                    priced.strategy,
                    value(priced.cost),
                    kind,
                    with_half(table["after"]),
                    with_half(table["good"], 0),
                    with_half(table["bad"], 0),
                    days(table["half"]),
                    days(table["broke"]),
                    "" if kind == "constant" else _difference(kinds[1] - kinds[0]),
                )
            )
    headers = (
        "malicious agent",
        "cost [coins]",
        "kind",
        "after [%]",
        "good [%]",
        "bad [%]",
        "bad lost half [day]",
        "bad broke [day]",
        "entropy - constant, after",
    )
    head = _ENTROPY.format(accuracy=STATED_ACCURACY / 10_000, costs=_costs(findings))
    return f"{head}\n{markdown(headers, rows, texts=3)}\n"


def _costs(findings: Findings) -> str:
    """What contradicting and agreeing cost for each mean cost, in coins."""
    told = []
    for cost in sorted({priced.cost for priced in findings.priced}):
        contradict, agree = surprise_costs(cost * COIN, STATED_ACCURACY)
        told.append(f"for {cost}, {contradict / COIN:.2f} and {agree / COIN:.2f}")
    return "; ".join(told)


def _difference(values: Values) -> str:
    one = mean_interval(100 * values)
    return f"{one.at:+.2f} [{one.low:+.2f}, {one.high:+.2f}]"
