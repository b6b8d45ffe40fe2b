"""What is asked of trials: independent measurements, spread over processes and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import torch

from offchain.hide.judging import Split
from offchain.hide.making import VERSION, Plan
from offchain.hide.mask_choices import Setting
from offchain.hide.trial import Tell, Trial
from offchain.hide.trial_results import Inferred, Resistance, TrialResult
from offchain.runs.finish import finish
from offchain.runs.finished import Finished
from offchain.runs.spread import Spread

R = TypeVar("R", covariant=True)


@dataclass(frozen=True)
class Achieved:
    """Which accuracy each level of a plan's family was designed for, and which it has."""

    plan: Plan

    def answer(self, trial: Trial) -> TrialResult:
        """What is asked, measured on `trial`; trainings that were kept are not run again."""
        return trial.result()


@dataclass(frozen=True)
class Resisted:
    """What counter-measures regain: at a level of the plan, 0 as published, or of a setting."""

    plan: Plan
    level: int = 0
    setting: Setting | None = None

    def answer(self, trial: Trial) -> Resistance:
        """What is asked, measured on `trial`; trainings that were kept are not run again."""
        if self.setting is None:
            return trial.resistance(self.level)
        return trial.resistance_of(self.setting)


@dataclass(frozen=True)
class Guessed:
    """What the buyer of a level infers of other masks, alone or with the buyer of another level."""

    plan: Plan
    level: int
    with_level: int | None = None
    setting: Setting | None = None

    def answer(self, trial: Trial) -> Inferred:
        """What is asked, measured on `trial`; trainings that were kept are not run again."""
        return trial.inferred(self.level, self.with_level, self.setting)


class Question(Protocol[R]):
    """What is asked of one trial; a frozen dataclass, by which its answer is kept."""

    @property
    def plan(self) -> Plan:
        """The plan of the trial that it is asked of."""

    def answer(self, trial: Trial) -> R:
        """What is asked, measured on `trial`; trainings that were kept are not run again."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Answers questions about the families of one dataset; what is finished lies in `folder`.

    tell: called with what begins, gives what takes its progress.
    """

    split: Split
    folder: Path
    device: torch.device | None = None
    spread: Spread = field(default_factory=Spread)
    tell: Tell | None = None

    def ask(self, questions: Sequence[Question[R]], what: str) -> list[R]:
        """The answers in order; raises what trials raise. what: names the questions for `tell`."""
        finished, digests = Finished(self.folder, VERSION), self.split.digests()
        here = self.spread.workers == 1
        progress = None if here or self.tell is None else self.tell(what)
        # Of what goes on in other processes nothing is told but what is finished.
        measured = _Measured(self.split, finished, self.device, self.tell if here else None)
        return finish(
            measured.answer, questions, lambda one: (one, digests), finished, self.spread, progress
        )


@dataclass(frozen=True, eq=False)
class _Measured:
    """What every trial is measured with."""

    split: Split
    finished: Finished
    device: torch.device | None
    tell: Tell | None

    def answer(self, question: Question[R]) -> R:
        trial = Trial(self.split, question.plan, self.finished, device=self.device, tell=self.tell)
        return question.answer(trial)
