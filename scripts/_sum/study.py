"""What `ape run study` does, and what it prints meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from offchain.runs.spread import Spread
from offchain.sum.study.data import KerasFile, Packaged
from offchain.sum.study.names import PARTS
from offchain.sum.study.plots import plots
from offchain.sum.study.report import claims_sheet, report, summary
from offchain.sum.study.study import Findings, Study
from scripts._stage.report import Report, of_figures
from scripts._stage.telling import Telling


@dataclass(frozen=True)
class StudyOptions:
    """The options of `ape run study`, checked; its help says what each means."""

    seeds: int
    workers: int | None
    ray: str | None
    only: tuple[str, ...]
    keras: Path | None

    @property
    def command(self) -> str:
        """What gives the same report again; where it ran makes no difference."""
        parts = [f"ape run study --seeds {self.seeds}"]
        if set(self.only) != set(PARTS):
            parts += [f"--only {name}" for name in self.only]
        if self.keras is not None:
            parts.append(f"--keras {self.keras.name}")
        return " ".join(parts)


def study(options: StudyOptions, folder: Path) -> None:
    """Runs what is not done yet and writes the report to `folder`."""
    started = time.monotonic()
    telling = Telling(Console(width=120))
    source = Packaged() if options.keras is None else KerasFile(options.keras.absolute())
    whole = Study(source, options.seeds, options.only, folder / "runs")
    with telling.doing("reading reviews") as progress:
        source.load(progress)  # What it tokenises is kept, and the workers need not.
    with telling.doing("running") as progress:
        findings = whole.run(Spread.of(options.workers, options.ray), progress)
    with telling.doing("writing the report"):
        files = report_of(findings, options.command).write(folder)
    telling.console.print(Markdown(summary(findings)))
    seconds = time.monotonic() - started
    telling.show(f"{whole.ran} runs in {seconds:.0f} s, others were kept")
    telling.wrote(files)


def report_of(findings: Findings, command: str) -> Report:
    """The report of the study, drawn and ready to be written."""
    return of_figures(
        title="study",
        headline="The SUM paper's study, run again, and what goes beyond it",
        command=command,
        sheets=[claims_sheet(findings)] if findings.sweeps else [],
        pictures=plots(findings),
        documents={"study.md": report(findings, command)},
    )
