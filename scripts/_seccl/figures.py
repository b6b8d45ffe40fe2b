"""What `ape run figures seccl` does and writes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from rich.console import Console

from offchain.data.datasets import DATASETS, load_dataset
from offchain.data.imagefolder import evenly_spaced
from offchain.data.imageset import ImageSet, split
from offchain.data.leftout import Note
from offchain.files import write_together
from offchain.models.device import pick_device
from offchain.report.figures import png
from offchain.report.sheets import Sheet
from offchain.report.tables import as_markdown
from offchain.runs.spread import Spread
from offchain.seccl.comparison import play_runs
from offchain.seccl.figure_sheets import (
    backdoors_sheet,
    breaking_sheet,
    defences_sheet,
    paper_sheet,
    seats_sheet,
)
from offchain.seccl.figures import figure_4, figure_5
from offchain.seccl.grids import (
    ATTACKS,
    COMPARED,
    PAPER_PARTICIPANTS,
    comparison_runs,
    figure_4_runs,
    figure_5_runs,
)
from offchain.seccl.run import Run, RunResult
from offchain.seccl.training import TrainingSettings
from scripts._stage.telling import Telling

COMPARED_SHARES = (0.2, 0.4)

FIRST_ATTACK = 4
"""The fifth round, counted from 0."""


@dataclass(frozen=True)
class SecclFiguresOptions:
    """The options of `ape run figures seccl`, checked; its help says what each means."""

    dataset: str
    data_root: Path | None
    download: bool
    skip_broken: bool
    only: tuple[str, ...]
    seeds: int
    rounds: int
    epochs: int
    compared_images: int
    compared_seeds: int
    device: str | None
    workers: int | None
    ray: str | None

    @property
    def command(self) -> str:
        """What gives the same report again, where the data lies apart."""
        parts = [f"ape run figures seccl --dataset {self.dataset}"]
        parts += ["--skip-broken"] if self.skip_broken else []
        parts += [f"--only {part}" for part in self.only] if len(self.only) == 1 else []
        parts += [f"--seeds {self.seeds} --rounds {self.rounds} --epochs {self.epochs}"]
        if "attacks" in self.only:
            parts.append(f"--compared-images {self.compared_images}")
            parts.append(f"--compared-seeds {self.compared_seeds}")
        return " ".join(parts)


def reproduce(options: SecclFiguresOptions, folder: Path) -> None:
    """Plays the runs that are missing and writes tables and plots to `folder`."""
    began = time.monotonic()
    telling = Telling(Console(width=120))
    with telling.doing("reading images"):
        train, test = _data(options, telling.left_out)
    settings = TrainingSettings(epochs=options.epochs)
    sheets: list[Sheet] = []
    plots: dict[str, Figure] = {}
    if "paper" in options.only:
        seeds = range(options.seeds)
        fourth = figure_4_runs(options.rounds, seeds, settings)
        fifth = figure_5_runs(options.rounds, seeds, settings)
        played = _play(telling, "figures 4 and 5", [*fourth, *fifth], train, test, options, folder)
        before, after = played[: len(fourth)], played[len(fourth) :]
        sheets.append(paper_sheet(before, after))
        for letter, people in zip("ab", PAPER_PARTICIPANTS, strict=True):
            plots[f"figure_4{letter}"] = figure_4(before, people)
        plots["figure_5"] = figure_5(after)
    if "attacks" in options.only:
        fewer = train.subset(evenly_spaced(len(train), min(len(train), options.compared_images)))
        base = Run(attack_round=FIRST_ATTACK, rounds=options.rounds, settings=settings)
        runs = comparison_runs(
            base, ATTACKS, COMPARED_SHARES, COMPARED, range(options.compared_seeds)
        )
        played = _play(telling, "attacks and defences", runs, fewer, test, options, folder)
        sheets += [make(played) for make in (defences_sheet, backdoors_sheet, breaking_sheet)]
        sheets.append(seats_sheet(played))
    drawn = {f"{name}.png": png(figure) for name, figure in plots.items()}
    document = _document(options, train, test, sheets).encode()
    files = write_together(folder, {"figures.md": document, **drawn})
    telling.sheets(sheets)
    telling.show(f"done in {time.monotonic() - began:.0f} s")
    telling.wrote(files)


def _data(options: SecclFiguresOptions, note: Note) -> tuple[ImageSet, ImageSet]:
    """What participants share out and what nobody trains on."""

    def load(part: str) -> ImageSet:
        return load_dataset(
            options.dataset,
            root=options.data_root,
            split=part,
            download=options.download,
            skip_broken=options.skip_broken,
            note=note,
        )

    train = load("train")
    if options.dataset in DATASETS and options.dataset != "digits":
        return train, load("test")
    kept = len(train) // 5
    test, rest = split(train, [kept, len(train) - kept], 0)
    return rest, test


def _play(
    telling: Telling,
    what: str,
    runs: Sequence[Run],
    train: ImageSet,
    test: ImageSet,
    options: SecclFiguresOptions,
    folder: Path,
) -> list[RunResult]:
    with telling.doing(what) as progress:
        device = pick_device(options.device)
        return play_runs(
            runs,
            train,
            test,
            folder / "runs",
            device=device,
            spread=Spread.of(options.workers, options.ray, gpu=device.type == "cuda"),
            progress=progress,
        )


def _document(
    options: SecclFiguresOptions, train: ImageSet, test: ImageSet, sheets: Sequence[Sheet]
) -> str:
    head = (
        "# SecCL: the paper's figures, and attacks against defences\n\n"
        f"`{options.command}`\n\n"
        f"{train.name}: {len(train):,} images to share out and to judge by, "
        f"{len(test):,} to test on; digests {train.digest()[:16]} and {test.digest()[:16]}. "
        f"{options.rounds} rounds of {options.epochs} local epochs; attacks begin in the fifth "
        "round.\n"
    )
    return "\n".join([head, *map(as_markdown, sheets)])
