"""Tables of trials: the paper's statements beside ours, levels, and what resists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, stdev

from offchain.hide.countermeasures import best
from offchain.hide.trial_results import Inferred, LevelResult, Resistance, TrialResult
from offchain.report.sheets import Row, Sheet
from offchain.report.text import percent, whole

PAPER_MSE, PAPER_SSIM = 1e-2, 0.99
"""Bounds that the paper states for all levels of all three datasets ("10e-3" and 0.99)."""


def paper_sheet(results: Sequence[TrialResult], classes: int, tolerance: float) -> Sheet:
    """What the paper states in words of its Figures 4 to 8, beside ours; it prints no numbers."""
    reached = [one for result in results for one in result.levels if one.achieved is not None]
    gaps = [abs((one.achieved or 0) - one.wanted) for one in reached]
    off = [abs((one.elsewhere or 0) - one.wanted) for one in reached]
    own = [abs(one.reached - one.wanted) for one in reached]
    lost = sorted({one.wanted for result in results for one in result.levels if one.why})
    mse = max(result.mse for result in results)
    ssim = min(result.ssim for result in results)
    rows = [
        (
            "published data teaches",
            f"as much as guessing ({percent(1 / classes)})",
            spread(result.masked for result in results),
        ),
        ("unmasked data teaches", "-", spread(result.clean for result in results)),
        (
            "Figure 4: accuracy as masks grow",
            "falls, steepest in the middle",
            _falls(results),
        ),
        (
            "Figure 5: a model on D_k, from the level designed",
            "stabilised at it",
            f"within {percent(max(own))}" if own else "-",
        ),
        (
            "Figure 5: a fresh model on D'_k, from the level designed",
            "very close",
            f"{percent(fmean(gaps))} mean, {percent(max(gaps))} most" if gaps else "-",
        ),
        (
            "Figure 5: another architecture on D'_k, from the level designed",
            "not tested",
            f"{percent(fmean(off))} mean, {percent(max(off))} most" if off else "-",
        ),
        (
            "levels out of reach",
            "70 to 80 % on SVHN, no other",
            ", ".join(map(percent, lost)) or "none of those asked for",
        ),
        ("Figures 6 to 8: MSE, most", f"at most {PAPER_MSE:g}", f"{mse:.1e}"),
        ("Figures 6 to 8: SSIM, least", f"at least {PAPER_SSIM:g}", f"{ssim:.3f}"),
    ]
    return Sheet(
        "Paper and ours",
        ("", "paper", "ours"),
        3,
        tuple(Row(row) for row in rows),
        note=f"{_seeds(results)}. Our search stops within {percent(tolerance)} of a level.",
    )


def levels_sheet(results: Sequence[TrialResult]) -> Sheet:
    """Figure 5 as numbers, a row for each level asked for, out of reach or not."""
    rows = [
        Row(
            (
                *("published", "-", "-", spread(r.masked for r in results), "-"),
                *(spread(r.masked_elsewhere for r in results), "0"),
                *(_scientific(r.mse for r in results), _plain(r.ssim for r in results)),
            )
        )
    ]
    for wanted in sorted({one.wanted for result in results for one in result.levels}):
        every = [one for result in results for one in result.levels if one.wanted == wanted]
        found = [one for one in every if not one.why]
        achieved = [one.achieved for one in found if one.achieved is not None]
        gap = fmean(achieved) - wanted if achieved else None
        rows.append(
            Row(
                (
                    percent(wanted),
                    f"{len(found)} of {len(every)}",
                    spread(one.reached for one in found),
                    spread(achieved),
                    "-" if gap is None else f"{100 * gap:+.1f} %",
                    spread(one.elsewhere for one in found if one.elsewhere is not None),
                    _mean_free(found),
                    _scientific(one.mse for one in found if one.mse is not None),
                    _plain(one.ssim for one in found if one.ssim is not None),
                )
            )
        )
    clean = (spread(r.clean for r in results), "-", spread(r.clean_elsewhere for r in results))
    rows.append(Row(("no masks", "-", "-", *clean, "-", "-", "-")))
    return Sheet(
        "Levels: designed and achieved (Figure 5), and likeness (Figures 6 to 8)",
        (
            *("designed", "seeds that reach it", "on D_k", "achieved on D'_k", "gap"),
            *(f"achieved by {results[0].other}", "images freed", "MSE", "SSIM"),
        ),
        1,
        tuple(rows),
        note="On D_k: by the models of the search. Achieved: by fresh models under another seed on "
        "what the published data and the cleaner give, which is D_k bit for bit. MSE with full "
        "scale 1.",
    )


def unreachable_sheet(results: Sequence[TrialResult]) -> Sheet | None:
    """Levels that were asked for and are not sold, and why; None when all are reached."""
    rows = [
        Row((percent(one.wanted), str(result.seed), one.why))
        for result in results
        for one in result.levels
        if one.why
    ]
    if not rows:
        return None
    return Sheet("Levels out of reach", ("designed", "seed", "why"), 3, tuple(rows))


def resistance_sheet(results: Sequence[Resistance]) -> Sheet:
    """Accuracy by counter-measure, a column for the published data and each level measured."""
    levels = sorted({one.level for one in results})
    names = [row.name for row in results[0].rows]
    rows = []
    for name in names:
        cells = [
            spread(_accuracy(one, name) for one in results if one.level == level)
            for level in levels
        ]
        rows.append(Row((name, *cells)))
    rows.append(Row(("best", *(_best(r for r in results if r.level == x) for x in levels)), True))
    return Sheet(
        "What counter-measures regain",
        ("counter-measure", *(f"level {level}" if level else "published" for level in levels)),
        1,
        tuple(rows),
        note=f"{_seeds(results)}. Published: without paying. Level: on what its buyer has.",
    )


def worth_sheet(trials: Sequence[TrialResult], published: Sequence[Resistance]) -> Sheet:
    """Each level beside the best free counter-measure: a level is worth the gap."""
    free = {one.seed: best(one.rows) for one in published if one.level == 0}
    rows = []
    for wanted in sorted({one.wanted for trial in trials for one in trial.levels}):
        pairs = [
            (one.achieved, free[trial.seed].accuracy)
            for trial in trials
            for one in trial.levels
            if one.wanted == wanted and one.achieved is not None and trial.seed in free
        ]
        gained = [achieved - regained for achieved, regained in pairs]
        rows.append(
            Row(
                (
                    percent(wanted),
                    spread(achieved for achieved, _ in pairs),
                    spread(regained for _, regained in pairs),
                    spread(gained),
                )
            )
        )
    names = ", ".join(sorted({one.name for one in free.values()}))
    return Sheet(
        "What a level is worth",
        ("level", "achieved", "best free counter-measure", "gap"),
        1,
        tuple(rows),
        note=f"Best on the published data: {names}. A level whose gap is not above 0 sells nothing "
        "that is not free.",
    )


def settings_sheet(results: Sequence[Resistance]) -> Sheet:
    """Accuracy regained from the published data, a row for each setting of the masks."""
    base = results[0]
    names = [_short(row.name) for row in base.rows]
    rows = []
    for setting in dict.fromkeys(one.setting for one in results):
        own = [one for one in results if one.setting == setting]
        # By place: the network that judges bears the same name everywhere, but be sure.
        cells = [spread(one.rows[i].accuracy for one in own) for i in range(len(names))]
        likes = (_scientific(one.mse for one in own), _plain(one.ssim for one in own))
        rows.append((fmean(best(one.rows).accuracy for one in own), (setting, *cells, *likes), own))
    lowest = min(mean for mean, _, _ in rows)
    return Sheet(
        "Settings of masks: what is regained from the published data",
        ("masks", "best for a crawler", *names, "MSE", "SSIM"),
        1,
        tuple(Row((cells[0], _best(own), *cells[1:]), mean == lowest) for mean, cells, own in rows),
        note=f"{_seeds(results)}. The less is regained by the best counter-measure, the better.",
    )


def inference_sheet(results: Sequence[Inferred]) -> Sheet:
    """What buyers can tell of the masks that they did not pay for."""
    rows = []
    for masks, who in dict.fromkeys((one.setting, one.who) for one in results):
        own = [one for one in results if (one.setting, one.who) == (masks, who)]
        cells = (
            spread(one.by_means for one in own),
            spread(one.by_cleaner for one in own),
            spread(one.bought for one in own),
            spread(one.stripped for one in own),
        )
        rows.append(Row((masks, who, str(len(own)), *cells)))
    return Sheet(
        "What a buyer infers of c_max",
        (
            *("masks", "who", "seeds", "known by means", "known by cleaner"),
            *("bought", "after stripping"),
        ),
        2,
        tuple(rows),
        note="Known: 1 - |m - guess|^2 / |m|^2 over the images that are still "
        "masked, the guess being the difference of the class means of masked and freed images, or "
        "the mean of the masks in the cleaner; 0 and below is worth nothing. Bought, and after "
        "stripping: accuracy, without and with the better guess taken off. Levels are nested: what "
        "colluders have is the better of their levels.",
    )


def spread(values: Iterable[float]) -> str:
    """Mean and standard deviation of shares, as `41.0 ± 1.2 %`."""
    found = list(values)
    if len(found) < 2:
        return percent(found[0] if found else None)
    return f"{100 * fmean(found):.1f} ± {100 * stdev(found):.1f} %"


def _falls(results: Sequence[TrialResult]) -> str:
    """At how many masked images half of what is lost is lost."""
    shares = []
    for result in results:
        middle = (result.points[0][1] + result.points[-1][1]) / 2
        shares.append(next(share for share, accuracy in result.points if accuracy >= middle))
    return f"half of the fall lies above {percent(fmean(shares))} of images masked"


def _accuracy(one: Resistance, name: str) -> float:
    return next(row.accuracy for row in one.rows if row.name == name)


def _best(results: Iterable[Resistance]) -> str:
    found = [best(one.rows) for one in results]
    names = " or ".join(dict.fromkeys(_short(one.name) for one in found))
    return f"{spread(one.accuracy for one in found)} ({names})"


def _short(name: str) -> str:
    return name.replace("network ", "").replace("adversarial training", "adversarial")


def _mean_free(levels: Sequence[LevelResult]) -> str:
    found = [one.free for one in levels if one.free is not None]
    return whole(round(fmean(found))) if found else "-"


def _scientific(values: Iterable[float]) -> str:
    return _mean(values, lambda mean: f"{mean:.1e}")


def _plain(values: Iterable[float]) -> str:
    return _mean(values, lambda mean: f"{mean:.3f}")


def _mean(values: Iterable[float], text: Callable[[float], str]) -> str:
    found = list(values)
    return text(fmean(found)) if found else "-"


def _seeds(results: Sequence[TrialResult | Resistance | Inferred]) -> str:
    count = len({one.seed for one in results})
    return f"{count} seed{'s' * (count != 1)}"
