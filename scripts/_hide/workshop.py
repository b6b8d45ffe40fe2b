"""What is sold and what it is worth: the family of masks, counter-measures, what buyers learn."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from offchain.data.datasets import DATASETS, load_dataset, split
from offchain.data.imageset import ImageSet, Progress
from offchain.data.leftout import Note
from offchain.hide.countermeasures import Regained, countermeasures, regained
from offchain.hide.family import Secret
from offchain.hide.inference import guessed_by_buyer, pooled, share_known, still_masked, stripped
from offchain.hide.judging import Split, with_test_set
from offchain.hide.making import VERSION, MadeFamily, Plan, make_family
from offchain.hide.networks import NETWORKS, factory
from offchain.hide.training import train
from offchain.runs.finish import finish
from offchain.runs.finished import Finished
from offchain.runs.spread import Spread
from offchain.task.images import relabelled
from scripts._stage.telling import Telling


def load_split(
    dataset: str,
    images: int | None,
    test: int,
    seed: int,
    root: Path | None,
    download: bool,
    size: int | None,
    skip_broken: bool,
    note: Note,
    progress: Progress,
) -> Split:
    """What is sold, at most `images`, and `test` others that buyers judge by and nobody publishes.

    Torchvision's datasets have a test split; of digits and directories some images are set aside.
    """

    def load(part: str, limit: int | None) -> ImageSet:
        loaded = load_dataset(
            dataset,
            root=root,
            split=part,
            download=download,
            size=size,
            limit=limit,
            skip_broken=skip_broken,
            note=note,
            progress=progress,
        )
        return relabelled(loaded)

    if dataset in DATASETS and dataset != "digits":
        return with_test_set(load("train", images), load("test", test))
    whole = load("train", None)
    left = max(1, len(whole) - test)
    aside, sold = split(whole, [test, min(images or left, left)], seed)
    return with_test_set(sold, aside)


@dataclass(frozen=True)
class Pool:
    """What two colluders have. pooled: accuracy on the better of their levels, which is all that
    their union is. stripped: after they took off what they guess of the masks they did not buy.
    known: how much of those masks the guess explains; 1 is all, 0 or less nothing."""

    pooled: float
    stripped: float
    known: float


@dataclass(frozen=True, eq=False)
class Lesson:
    """What one party trains on, and its seed."""

    data: ImageSet
    seed: int


class Workshop:
    """Makes families and measures accuracies; what was measured is kept under `home`.

    spread: over which processes trainings that do not wait for one another are spread. secret: of
    the masks; without one a run can be repeated.
    """

    def __init__(
        self,
        split_: Split,
        plan: Plan,
        home: Path,
        device: torch.device,
        spread: Spread,
        telling: Telling,
        secret: Secret | None = None,
    ) -> None:
        self.split, self.plan, self.device, self.telling = split_, plan, device, telling
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._kept, self._spread = Finished(home / "points", VERSION), spread
        self._secret = secret or repeatable_secret(plan, split_)

    def family(self) -> MadeFamily:
        """The masked dataset and its levels; raises LevelError when none can be reached."""
        return make_family(
            self.split,
            self.plan,
            self._secret,
            device=self.device,
            kept=self._kept,
            telling=self.telling.turn_to,
        )

    def free(self, masked: ImageSet) -> list[Regained]:
        """What each free counter-measure regains on the masked data, with the buyers' network."""
        other = next(name for name in (self.plan.network, *NETWORKS) if name != self.plan.held_out)
        return regained(
            masked,
            self.split.test,
            countermeasures(self.plan.masks.epsilon, other),
            self.plan.held_out,
            self.plan.training,
            self.plan.seed,
            device=self.device,
            progress=self.telling.progress,
            finished=self._kept,
            spread=self._spread,
        )

    def reached(self, lessons: Sequence[Lesson]) -> list[float]:
        """The accuracies that the parties reach, in order, on the network of the check."""
        return finish(
            # Not a method: what shows the progress cannot go to another process.
            partial(_taught, self.plan, self.split.test, self.device),
            lessons,
            self._about,
            self._kept,
            self._spread,
            self.telling.progress,
        )

    def pool(self, made: MadeFamily, one: ImageSet, other: ImageSet, seed: int) -> Pool:
        """What two buyers reach together, by simply sharing and by inferring more."""
        family = made.family
        both = pooled(family.masked, one, other)
        guess = guessed_by_buyer(family.masked, both, family.masks.epsilon)
        hidden = still_masked(family.masked, both)
        known = share_known(guess, family.masks, family.masked.labels, hidden)
        more = stripped(both, hidden, guess)
        plain, guessing = self.reached([Lesson(both, seed), Lesson(more, seed)])
        return Pool(plain, guessing, known)

    def _about(self, lesson: Lesson) -> dict[str, object]:
        return {
            "learned": lesson.data.digest(),
            "test": self.split.test.digest(),
            "training": self.plan.training,
            "seed": lesson.seed,
            "network": self.plan.held_out,
        }


def repeatable_secret(plan: Plan, split_: Split) -> Secret:
    """What masks of a rehearsal draw from. Who sells for real draws it, as `ape run hide` does."""
    words = f"souk.sell.v1 {plan.seed} {split_.data.digest()}"
    return Secret(hashlib.sha256(words.encode()).digest())


def _taught(plan: Plan, test: ImageSet, device: torch.device, lesson: Lesson) -> float:
    make = factory(plan.held_out, len(lesson.data.classes), lesson.data.shape)
    return train(make, lesson.data, plan.training, lesson.seed, device=device).accuracy(test)
