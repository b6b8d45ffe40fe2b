"""What `ape run figures hide` does and writes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console

from offchain.data.datasets import DATASETS, load_dataset
from offchain.data.imageset import ImageSet
from offchain.data.leftout import Note
from offchain.hide.figures import contact_sheet
from offchain.hide.judging import Split, with_held_out, with_test_set
from offchain.hide.making import VERSION, Plan
from offchain.hide.mask_choices import stronger_settings
from offchain.hide.questions import Achieved, Guessed, Resisted, Trials
from offchain.hide.trial import Trial
from offchain.hide.trial_figures import figure_4, figure_5
from offchain.hide.trial_results import TrialResult
from offchain.hide.trial_sheets import (
    inference_sheet,
    levels_sheet,
    paper_sheet,
    resistance_sheet,
    settings_sheet,
    unreachable_sheet,
    worth_sheet,
)
from offchain.models.device import pick_device
from offchain.report.figures import png
from offchain.report.sheets import Sheet
from offchain.report.tables import as_markdown
from offchain.report.text import whole
from offchain.runs.finished import Finished
from offchain.runs.spread import Spread
from scripts._hide.figures_options import HideFiguresOptions
from scripts._stage.report import of_figures
from scripts._stage.telling import Telling

_HELD_OUT = 0.2
"""Share tested on where there is no test set."""


def reproduce(options: HideFiguresOptions, folder: Path) -> None:
    """Does the trials that are missing and writes tables and plots to `folder`."""
    began = time.monotonic()
    device = pick_device(options.device)
    plans = [options.plan(seed) for seed in range(options.seeds)]
    telling = Telling(Console(width=120))
    with telling.doing("reading images"):
        split = _split(options, telling.left_out)
    with telling.doing("measuring"):
        runs, spread = folder / "runs", Spread.of(options.workers, gpu=device.type == "cuda")
        trials = Trials(split, runs, device, spread, telling.turn_to)
        results = trials.ask([Achieved(plan) for plan in plans], "families")
        sheets: list[Sheet] = []
        pictures: dict[str, bytes] = {}
        if "paper" in options.only:
            sheets += _paper(options, split, results)
            first = Trial(
                split, plans[0], Finished(runs, VERSION), device=device, tell=telling.turn_to
            )
            for name, figure in _plots(options, split, first, results).items():
                pictures[f"{name}.png"] = png(figure)
        if "robustness" in options.only:
            sheets += _robustness(options, trials, plans, results)
    with telling.doing("writing the report"):
        files = of_figures(
            title="figures hide",
            headline=f"Hide-and-Seek: the paper's figures on {options.dataset}, and what resists",
            command=options.command,
            sheets=sheets,
            pictures=pictures,
            documents={"figures.md": _document(options, split, sheets)},
        ).write(folder)
    telling.sheets(sheets)
    telling.show(f"done in {time.monotonic() - began:.0f} s")
    telling.wrote(files)


def _split(options: HideFiguresOptions, note: Note) -> Split:
    """What is published and what models are tested on."""
    folder = Path(options.dataset)
    if options.dataset in DATASETS and options.data_root is not None:
        folder = options.data_root / options.dataset
    in_folders = (folder / "train").is_dir() and (folder / "test").is_dir()

    def load(part: str, limit: int | None) -> ImageSet:
        if in_folders:
            return load_dataset(
                str(folder / part), limit=limit, skip_broken=options.skip_broken, note=note
            )
        return load_dataset(
            options.dataset,
            root=options.data_root,
            split=part,
            download=options.download,
            limit=limit,
            skip_broken=options.skip_broken,
            note=note,
        )

    if in_folders or (options.dataset in DATASETS and options.dataset != "digits"):
        return with_test_set(load("train", options.images), load("test", options.test_images))
    return with_held_out(load("train", options.images), _HELD_OUT, 0)


def _paper(
    options: HideFiguresOptions, split: Split, results: Sequence[TrialResult]
) -> list[Sheet]:
    sheets = [
        paper_sheet(results, len(split.data.classes), options.tolerance),
        levels_sheet(results),
        unreachable_sheet(results),
    ]
    return [sheet for sheet in sheets if sheet is not None]


def _plots(
    options: HideFiguresOptions, split: Split, first: Trial, results: Sequence[TrialResult]
) -> dict[str, Figure]:
    title = f"{options.dataset}{', reduced' if options.reduced else ''}"
    return {
        "figure_4": figure_4(results, title),
        "figure_5": figure_5(results, title),
        # The masks themselves are kept in no file: they are made again, without training.
        "pictures": contact_sheet(split.data, first.made.family),
    }


def _robustness(
    options: HideFiguresOptions,
    trials: Trials,
    plans: Sequence[Plan],
    results: Sequence[TrialResult],
) -> list[Sheet]:
    resisted: list[Resisted] = []
    guessed: list[Guessed] = []
    for plan, result in zip(plans, results, strict=True):
        sold = sum(not one.why for one in result.levels)
        resisted += [Resisted(plan, k) for k in (0, *_spaced(sold, options.countered))]
        # The buyer of a level that frees all images has nothing left to infer.
        images = len(trials.split.data)
        leaving = sum(one.free is not None and one.free < images for one in result.levels)
        if leaving:
            levels = sorted({1, *_spaced(leaving, options.countered)})
            guessed += [Guessed(plan, k) for k in levels]
        if leaving > 1:
            guessed.append(Guessed(plan, 1, with_level=leaving))
    compared: list[Resisted] = []
    for plan in plans[: options.setting_seeds]:
        for setting in stronger_settings(plan):
            compared.append(Resisted(plan, setting=setting))
            if setting.masks.apart:
                guessed.append(Guessed(plan, 1, setting=setting))
    resistances = trials.ask([*resisted, *compared], "counter-measures")
    of_plans, of_settings = resistances[: len(resisted)], resistances[len(resisted) :]
    published = [one for one in of_plans if one.level == 0]
    return [
        worth_sheet(results, published),
        resistance_sheet(of_plans),
        settings_sheet([*published[: options.setting_seeds], *of_settings]),
        inference_sheet(trials.ask(guessed, "inference")),
    ]


def _spaced(levels: int, wanted: int | None) -> list[int]:
    """`wanted` of the levels 1 to `levels`, evenly spaced; all when None or too many."""
    count = levels if wanted is None else min(wanted, levels)
    inner = np.linspace(0, levels + 1, count + 2)[1:-1]
    return [round(float(place)) for place in inner]


def _document(options: HideFiguresOptions, split: Split, sheets: Sequence[Sheet]) -> str:
    data = split.data
    tested = f"{whole(len(split.test))} to test on"
    label = (
        "**Reduced for a CPU**: less data, a smaller network and fewer epochs than the paper's, so "
        "that accuracies are far below those of full training; read levels against the row without "
        "masks.\n\n"
        if options.reduced
        else ""
    )
    head = (
        "# Hide-and-Seek: the paper's figures, and what resists\n\n"
        f"`{options.command}`\n\n"
        f"{label}"
        f"{options.dataset}: {whole(len(data))} images published, {whole(len(split.learned))} of "
        f"them learned, {tested}; digests {data.digest()[:16]} and {split.test.digest()[:16]}. "
        f"Masks within 8/255 made on {options.network} in {options.mask_steps} batches, levels "
        f"searched by it and verified by {options.check} under another seed, {options.epochs} "
        "epochs each. The paper trains ResNet on the whole sets, says neither its depth nor its "
        "epochs, makes the masks of each level anew and turns their strength; ours are made once, "
        "and a level frees images of them, since strength is no dial.\n"
    )
    return "\n".join([head, *map(as_markdown, sheets)])
