"""What `ape run hide` does, and what it prints meanwhile."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from offchain.crypto.secrets_file import SecretsFile
from offchain.data.datasets import DATASETS, load_dataset
from offchain.data.imageset import ImageSet, Progress
from offchain.data.leftout import Note
from offchain.files import write_whole
from offchain.hide.cleaner import apply, encode_cleaner
from offchain.hide.countermeasures import Regained, countermeasures, regained
from offchain.hide.errors import HideError, LevelError
from offchain.hide.family import SECRET_BYTES, Secret
from offchain.hide.family_file import encode_family
from offchain.hide.figures import contact_sheet, levels_figure
from offchain.hide.judging import Split, with_held_out, with_test_set
from offchain.hide.making import VERSION, Made, Plan, make_family
from offchain.hide.masks import MaskSettings
from offchain.hide.preservation import Likeness, mean_likeness
from offchain.hide.published import encode_dataset, write_folder
from offchain.hide.training import TrainingSettings
from offchain.models.device import pick_device
from offchain.report.figures import png
from offchain.runs.finished import Finished
from scripts._hide.mask_sheets import counter_table, levels_table
from scripts._stage.telling import Telling


@dataclass(frozen=True)
class MaskOptions:
    """See `ape run hide --help`."""

    dataset: str
    levels: str
    epsilon: int
    kind: str
    patch: int
    grey: bool
    apart: bool
    order: str
    tolerance: float
    network: str
    also: tuple[str, ...]
    check: str
    epochs: int
    batch: int
    holdout: float
    counter: bool
    data_root: Path | None
    download: bool
    skip_broken: bool
    image_size: int | None
    images: int | None
    seed: int
    device: str | None

    def plan(self) -> Plan:
        """Raises LevelError, EpsilonError or HideError for what is out of range."""
        return Plan(
            levels_of(self.levels),
            self.tolerance,
            MaskSettings.fitting(self.kind, self.epsilon, self.patch, self.grey, self.apart),
            TrainingSettings(self.epochs, self.batch),
            self.network,
            self.check,
            self.order,
            self.seed,
            joint=tuple(name for name in dict.fromkeys(self.also) if name != self.network),
        )

    def split(self, note: Note, progress: Progress) -> Split:
        """The data, and what models are tested on: torchvision's test split where there is one."""

        def load(part: str) -> ImageSet:
            return load_dataset(
                self.dataset,
                root=self.data_root,
                split=part,
                download=self.download,
                size=self.image_size,
                limit=self.images if part == "train" else None,
                skip_broken=self.skip_broken,
                note=note,
                progress=progress,
            )

        if self.dataset in DATASETS and self.dataset != "digits":
            return with_test_set(load("train"), load("test"))
        return with_held_out(load("train"), self.holdout, self.seed)


def levels_of(text: str) -> tuple[float, ...]:
    """Accuracies by commas. Raises LevelError for what is no number."""
    try:
        return tuple(float(level) for level in text.split(","))
    except ValueError as error:
        raise LevelError(f"levels are numbers by commas, not {text!r}") from error


def hide(options: MaskOptions, out: Path) -> None:
    """Makes the family of a dataset and writes it to `out`; see `ape run hide --help`.

    Nothing is written before the request and the data are known to be usable.
    """
    plan, device = options.plan(), pick_device(options.device)
    if (out / "published").exists():
        raise HideError(f"{out / 'published'} exists: name another folder")
    telling = Telling(Console(width=120))
    with telling.doing("reading images") as progress:
        split = options.split(telling.left_out, progress)
    private = out / "private"
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = SecretsFile(private / "secret.json").remember(
        "family", lambda: os.urandom(SECRET_BYTES)
    )
    with telling.doing("making masks and searching levels"):
        made = make_family(
            split,
            plan,
            Secret(secret),
            device=device,
            kept=Finished(private / "points", VERSION),
            telling=telling.turn_to,
        )
    counters: list[Regained] = []
    if options.counter:
        with telling.doing("trying free counter-measures") as progress:
            counters = regained(
                made.family.masked.subset(split.learned),
                split.test,
                countermeasures(plan.masks.epsilon, plan.held_out),
                plan.network,
                plan.training,
                plan.seed,
                device=device,
                progress=progress,
            )
    with telling.doing("writing") as progress:
        alike = _write(made, split, counters, out, progress)
    telling.console.print(levels_table(made, alike))
    if counters:
        telling.console.print(counter_table(counters))
    for one in made.found:
        if not one.within:
            telling.console.print(f"level {one.wanted:g} is out of reach: {one.why}")
    cost = made.cost
    telling.console.print(
        f"{cost.trainings} trainings in {cost.training_seconds:.0f} s, {cost.kept} were kept; "
        f"masks in {cost.mask_seconds:.1f} s",
        highlight=False,
    )
    telling.console.print(
        f"publish {out / 'published'}; keep {private} to yourself", soft_wrap=True
    )


def _write(
    made: Made, split: Split, counters: list[Regained], out: Path, progress: Progress
) -> list[Likeness]:
    """Writes everything; the published folder last, since it says that all is there."""
    family, private = made.family, out / "private"
    cleaners = [family.cleaner(k) for k in range(1, len(family.levels) + 1)]
    shown = [family.masked, *(apply(family.masked, cleaner) for cleaner in cleaners)]
    alike = [mean_likeness(split.data, one) for one in shown]
    for number, cleaner in enumerate(cleaners, 1):
        write_whole(private / f"cleaner-{number}.safetensors", encode_cleaner(cleaner), 0o600)
    write_whole(private / "family.safetensors", encode_family(family), 0o600)
    write_whole(private / "sheet.png", png(contact_sheet(split.data, family)), 0o600)
    write_whole(private / "levels.png", png(levels_figure(made)), 0o600)
    record = {
        "dataset": family.masked.digest(),
        "epsilon": family.masks.epsilon,
        "masks": family.kind,
        "masked_accuracy": made.masked,
        "clean_accuracy": made.clean,
        "levels": [asdict(one) for one in family.levels],
        "unreachable": [asdict(one) for one in made.found if not one.within],
        "likeness": [asdict(one) for one in alike],
        "counter_measures": [asdict(one) for one in counters],
    }
    (out / "levels.json").write_text(json.dumps(record, indent=2) + "\n")
    (out / "published.safetensors").write_bytes(encode_dataset(family.masked))
    write_folder(family.masked, out / "published", progress)
    return alike
