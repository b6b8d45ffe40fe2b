"""What is sold and what it is worth: the family of masks, counter-measures, what buyers learn."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch

from offchain.data.datasets import DATASETS, load_dataset, split
from offchain.data.imageset import ImageSet, Progress
from offchain.data.leftout import Note
from offchain.hide.countermeasures import Countermeasure, Regained, countermeasures, regained
from offchain.hide.family import Secret
from offchain.hide.inference import guessed_by_buyer, pooled, share_known, still_masked, stripped
from offchain.hide.judging import Split, with_test_set
from offchain.hide.making import VERSION, MadeFamily, Plan, make_family
from offchain.hide.networks import NETWORKS, factory
from offchain.hide.training import train
from offchain.runs.finished import Finished
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
        return load_dataset(
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


class Workshop:
    """Makes families and measures accuracies; what was measured is kept under `home`."""

    def __init__(
        self, split_: Split, plan: Plan, home: Path, device: torch.device, telling: Telling
    ) -> None:
        self.split, self.plan, self.device, self.telling = split_, plan, device, telling
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._kept = Finished(home / "points", VERSION)
        # Who sells for real draws it, as `ape run hide` does; here a run must be repeatable.
        words = f"souk.sell.v1 {plan.seed} {split_.data.digest()}"
        self._secret = hashlib.sha256(words.encode()).digest()

    def family(self) -> MadeFamily:
        """The masked dataset and its levels; raises LevelError when none can be reached."""
        return make_family(
            self.split,
            self.plan,
            Secret(self._secret),
            device=self.device,
            kept=self._kept,
            telling=self.telling.turn_to,
        )

    def free(self, masked: ImageSet) -> list[Regained]:
        """What each free counter-measure regains on the masked data, with the buyers' network."""
        rows = []
        other = next(name for name in (self.plan.network, *NETWORKS) if name != self.plan.held_out)
        every = countermeasures(self.plan.masks.epsilon, other)
        for number, one in enumerate(every, 1):
            self.telling.turn_to(f"counter-measure {number} of {len(every)}, {one.name}")
            rows.append(Regained(one.name, self._regained(masked, one)))
        return rows

    def reached(self, data: ImageSet, who: str, seed: int) -> float:
        """The accuracy that `who` reaches with what it has, on the network of the check."""
        key = self._key(data, seed) | {"network": self.plan.held_out}

        def trained() -> float:
            make = factory(self.plan.held_out, len(data.classes), data.shape)
            return train(
                make,
                data,
                self.plan.training,
                seed,
                device=self.device,
                progress=self.telling.turn_to(f"{who} trains"),
            ).accuracy(self.split.test)

        return self._kept.once(key, trained)

    def pool(self, made: MadeFamily, one: ImageSet, other: ImageSet, seed: int) -> Pool:
        """What two buyers reach together, by simply sharing and by inferring more."""
        family = made.family
        both = pooled(family.masked, one, other)
        guess = guessed_by_buyer(family.masked, both, family.masks.epsilon)
        hidden = still_masked(family.masked, both)
        known = share_known(guess, family.masks, family.masked.labels, hidden)
        more = stripped(both, hidden, guess)
        return Pool(
            self.reached(both, "the pool", seed),
            self.reached(more, "the pool, with guessed masks", seed),
            known,
        )

    def _regained(self, masked: ImageSet, one: Countermeasure) -> float:
        key = self._key(masked, self.plan.seed) | {
            "counter-measure": one.name,
            "network": self.plan.held_out,
        }

        def measured() -> float:
            (found,) = regained(
                masked,
                self.split.test,
                [one],
                self.plan.held_out,
                self.plan.training,
                self.plan.seed,
                device=self.device,
            )
            return found.accuracy

        return self._kept.once(key, measured)

    def _key(self, data: ImageSet, seed: int) -> dict[str, object]:
        return {
            "learned": data.digest(),
            "test": self.split.test.digest(),
            "training": self.plan.training,
            "seed": seed,
        }
