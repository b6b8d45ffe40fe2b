"""What an `ape run hide` leaves behind: files to publish, and files for the owner's eyes alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from offchain.data.folder import write_folder
from offchain.data.imageset import Progress
from offchain.files import write_whole
from offchain.hide.cleaner import Cleaner, apply, encode_cleaner
from offchain.hide.countermeasures import Regained
from offchain.hide.family_file import encode_family
from offchain.hide.figures import contact_sheet, levels_figure
from offchain.hide.judging import Split
from offchain.hide.making import MadeFamily
from offchain.hide.preservation import Likeness, mean_likeness
from offchain.hide.published import encode_dataset
from offchain.report.figures import png
from offchain.report.page import Page, Picture, Section
from offchain.report.sheets import Sheet
from offchain.report.text import percent
from scripts._hide.mask_sheets import made_levels_sheet
from scripts._hide.sheets import counters_sheet
from scripts._stage.report import Report

_OWN = 0o600


@dataclass(frozen=True)
class Masked:
    """A dataset that was masked.

    alike: likeness to the original, of the published data, then of each level. counters: what
    counter-measures regain on `network`, empty where that was not asked. options: as given.
    """

    made: MadeFamily
    split: Split
    cleaners: tuple[Cleaner, ...]
    alike: tuple[Likeness, ...]
    counters: tuple[Regained, ...]
    network: str
    options: dict[str, object]

    @classmethod
    def of(
        cls,
        made: MadeFamily,
        split: Split,
        counters: Sequence[Regained],
        network: str,
        options: dict[str, object],
    ) -> Masked:
        """Makes the cleaners and compares what each gives with the original."""
        family = made.family
        cleaners = tuple(family.cleaner(k) for k in range(1, len(family.levels) + 1))
        shown = [family.masked, *(apply(family.masked, cleaner) for cleaner in cleaners)]
        alike = tuple(mean_likeness(split.data, one) for one in shown)
        return cls(made, split, cleaners, alike, tuple(counters), network, options)

    def sheets(self) -> tuple[Sheet, ...]:
        """Levels, and counter-measures where they were measured."""
        levels = made_levels_sheet(self.made, self.alike)
        return (levels, counters_sheet(self.counters, self.network)) if self.counters else (levels,)

    def record(self) -> str:
        """What was measured, as JSON text; it tells nothing of the masks."""
        made, family = self.made, self.made.family
        content = {
            "dataset": family.masked.digest(),
            "epsilon": family.masks.epsilon,
            "masks": family.kind,
            "network": self.options["check"],
            "masked_accuracy": made.masked,
            "clean_accuracy": made.clean,
            "levels": [asdict(one) for one in family.levels],
            "unreachable": [asdict(one) for one in made.found if not one.within],
            "likeness": [asdict(one) for one in self.alike],
            "counter_measures": [asdict(one) for one in self.counters],
        }
        return json.dumps(content, indent=2) + "\n"

    def report(self) -> Report:
        """For the owner: the pictures show the data without masks."""
        family = self.made.family
        pictures = {
            "sheet.png": png(contact_sheet(self.split.data, family)),
            "levels.png": png(levels_figure(self.made)),
        }
        page = Page(
            title="hide",
            headline=f"{len(family.levels)} levels of {len(family.masked)} images; published "
            f"alone they teach {percent(self.made.masked)}, without masks "
            f"{percent(self.made.clean)}.",
            verdict="Keep this page to yourself: it shows images without their masks.",
            good=None,
            sections=(
                Section("Levels", (Picture(pictures["levels.png"], "Search of the levels."),)),
                *(Section(sheet.title, sheets=(sheet,)) for sheet in self.sheets()),
                Section(
                    "Pictures",
                    (Picture(pictures["sheet.png"], "Images as they are, and at each level."),),
                ),
                Section(
                    "Settings", facts=tuple((name, str(v)) for name, v in self.options.items())
                ),
            ),
        )
        return Report(page, self.record(), pictures)

    def write(self, out: Path, progress: Progress) -> None:
        """Everything; the published folder last, since it says that all is there."""
        family, private = self.made.family, out / "private"
        for number, cleaner in enumerate(self.cleaners, 1):
            write_whole(private / f"cleaner-{number}.safetensors", encode_cleaner(cleaner), _OWN)
        write_whole(private / "family.safetensors", encode_family(family), _OWN)
        self.report().write(private, _OWN)
        write_whole(out / "levels.json", self.record().encode())
        write_whole(out / "published.safetensors", encode_dataset(family.masked))
        write_folder(family.masked, out / "published", progress)
