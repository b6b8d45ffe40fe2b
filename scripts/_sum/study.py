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
from offchain.sum.study.plots import write_plots
from offchain.sum.study.report import report, summary
from offchain.sum.study.study import Study
from scripts._stage.waiting import doing


@dataclass(frozen=True)
class Options:
    """See `ape run study --help`."""

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


def study(options: Options, folder: Path) -> None:
    """Runs what is not done yet and writes report and plots to `folder`."""
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(width=120)
    source = Packaged() if options.keras is None else KerasFile(options.keras.absolute())
    whole = Study(source, options.seeds, options.only, folder / "runs")
    with doing(console, "reading reviews") as progress:
        source.load(progress)  # What it tokenises is kept, and the workers need not.
    with doing(console, "running") as progress:
        findings = whole.run(Spread.of(options.workers, options.ray), progress)
    with doing(console, "writing"):
        files = [folder / "study.md", *write_plots(findings, folder)]
        files[0].write_text(report(findings, options.command))
    console.print(Markdown(summary(findings)))
    seconds = time.monotonic() - started
    console.print(f"{whole.ran} runs in {seconds:.0f} s, others were kept", highlight=False)
    for file in files:
        console.print(str(file), highlight=False)
