"""One family made to be measured: what the paper's Figures 4 to 8 show, and what resists them.

A trial's masks come from its seed, so that anybody can make them again. Never sell such a family.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import torch

from offchain.data.imageset import ImageSet, Progress
from offchain.hide.cleaner import apply
from offchain.hide.countermeasures import Countermeasure, Regained, countermeasures, regained
from offchain.hide.errors import HideError
from offchain.hide.family import Family, Secret, dressed
from offchain.hide.inference import (
    guessed_by_buyer,
    guessed_from_cleaner,
    pooled,
    share_known,
    still_masked,
    stripped,
)
from offchain.hide.judging import Split
from offchain.hide.making import MadeFamily, Plan, make_family, strongest_of
from offchain.hide.mask_choices import BASE, SMALL, Setting
from offchain.hide.masks import Masks
from offchain.hide.preservation import mean_likeness
from offchain.hide.slices import free_images
from offchain.hide.strongest import strongest
from offchain.hide.trial_results import Inferred, LevelResult, Resistance, TrialResult
from offchain.runs.finished import Finished

Tell = Callable[[str], Progress]


class Trial:
    """Measures one family.

    plan: its seed is the trial's. finished: accuracies and masks that need not be made again. tell:
    called with what begins, gives what takes its progress.
    """

    def __init__(
        self,
        split: Split,
        plan: Plan,
        finished: Finished,
        *,
        device: torch.device | None = None,
        tell: Tell | None = None,
    ) -> None:
        self.split, self.plan = split, plan
        self.device = device
        self.tell: Tell = tell or (lambda what: lambda done, total: None)
        self.secret = Secret(hashlib.sha256(f"trial {plan.seed}".encode()).digest())
        self._finished = finished

    @property
    def images(self) -> int:
        """The number of images that are published."""
        return len(self.split.data)

    @cached_property
    def made(self) -> MadeFamily:
        """The family; no training is done twice. Raises LevelError when no level can be reached."""
        return self._made(self.plan)

    @property
    def other(self) -> str:
        """An architecture that does not verify the plan's levels."""
        return next(name for name in SMALL if name != self.plan.held_out)

    def resistance(self, level: int) -> Resistance:
        """What free counter-measures regain of the plan's masks, at a level, 0 as published."""
        masked = bought(self.made.family, level)
        return self._resistance(BASE, level, masked, self.plan.masks.epsilon)

    def resistance_of(self, setting: Setting) -> Resistance:
        """The same of the data as it would be published with the masks of `setting`."""
        masked = self._family_of(setting).masked
        return self._resistance(setting.name, 0, masked, setting.masks.epsilon)

    def inferred(
        self, level: int, with_level: int | None = None, setting: Setting | None = None
    ) -> Inferred:
        """What the buyer of `level` infers, alone or together with the buyer of another level.

        setting: of the masks; the plan's unless given. Raises HideError for masks by sample.
        """
        if setting is None:
            return self._infer(BASE, self.made.family, level, with_level)
        return self._infer(setting.name, self._family_of(setting), level, with_level)

    def _made(self, plan: Plan) -> MadeFamily:
        def masks() -> Masks:
            progress = self.tell(f"seed {plan.seed}: masks")
            return strongest_of(self.split, plan, self.secret, self.device, progress)

        about = ["masks", plan.masks, plan.made_on, plan.groups, plan.seed, self.split.digests()]
        return make_family(
            self.split,
            plan,
            self.secret,
            device=self.device,
            kept=self._finished,
            strong=self._finished.once(about, masks),
            telling=self.tell,
        )

    def result(self) -> TrialResult:
        """Designed and achieved accuracy of each level, and the curve they were found on."""
        made, data = self.made, self.split.data
        family = made.family
        # The same family, since its search is kept: it is only verified anew.
        elsewhere = self._made(replace(self.plan, held_out=self.other))
        by_wanted = {one.wanted: (k, one) for k, one in enumerate(family.levels, 1)}
        levels = []
        for found in made.found:
            if found.wanted not in by_wanted:
                none = (None, None, None, None, None)
                levels.append(LevelResult(found.wanted, found.reached, *none, found.why))
                continue
            number, level = by_wanted[found.wanted]
            # `apply` refuses unless the published data and the cleaner give D_k bit for bit, so
            # that what was verified on D_k holds for D'_k.
            like = mean_likeness(data, apply(family.masked, family.cleaner(number)))
            levels.append(
                LevelResult(
                    *(level.wanted, level.reached, level.verified),
                    elsewhere.family.levels[number - 1].verified,
                    *(level.free, like.mse, like.ssim),
                )
            )
        like = mean_likeness(data, family.masked)
        return TrialResult(
            self.plan.seed,
            tuple(levels),
            tuple((self._masked_share(dial), made.points[dial]) for dial in sorted(made.points)),
            *(made.clean, made.masked, self.other, elsewhere.clean, elsewhere.masked),
            *(like.mse, like.ssim),
            made.cost.trainings + made.cost.kept,
        )

    def _other_than_made_on(self) -> str:
        return next(name for name in SMALL if name != self.plan.network)

    def _masked_share(self, dial: float) -> float:
        return 1 - free_images(dial, self.images, self.plan.order) / self.images

    def _family_of(self, setting: Setting) -> Family:
        """The plan's family as it would be with the masks of `setting`; levels as they were."""
        family = self.made.family
        masks = strongest(
            self.split.data,
            setting.masks,
            (self.plan.network, *setting.joint),
            self.plan.groups,
            self.secret,
            device=self.device,
            progress=self.tell(f"seed {self.plan.seed}, {setting.name}: masks"),
        )
        masked, worn = dressed(self.split.data, masks.values, setting.masks, family.slices)
        return Family(masked, worn, setting.masks.kind, family.slices, family.levels)

    def _resistance(self, name: str, level: int, data: ImageSet, epsilon: int) -> Resistance:
        rows = self._regained(
            data,
            countermeasures(epsilon, self._other_than_made_on()),
            f"seed {self.plan.seed}, {name}, {f'level {level}' if level else 'published'}",
        )
        like = mean_likeness(self.split.data, data)
        return Resistance(self.plan.seed, name, level, tuple(rows), like.mse, like.ssim)

    def _infer(self, name: str, family: Family, level: int, other: int | None) -> Inferred:
        masked, epsilon = family.masked, family.masks.epsilon
        cleaned = bought(family, level)
        who = f"buyer of level {level}"
        if other is not None:
            cleaned = pooled(masked, cleaned, bought(family, other))
            who = f"buyers of levels {level} and {other}"
        still = still_masked(masked, cleaned)
        if not bool(still.any()):
            raise HideError(f"level {level} has no image left that wears a mask")
        guesses = [
            guessed_by_buyer(masked, cleaned, epsilon),
            # Levels are nested, so that the best cleaner among colluders holds every other.
            guessed_from_cleaner(family.cleaner(max(level, other or 0))),
        ]
        known = [share_known(one, family.masks, masked.labels, still) for one in guesses]
        guess = guesses[known.index(max(known))]
        found = [
            self._regained(data, [Countermeasure("none")], f"{who}: inference")[0].accuracy
            for data in (cleaned, stripped(cleaned, still, guess))
        ]
        return Inferred(self.plan.seed, name, who, level, *known, *found)

    def _regained(
        self, data: ImageSet, measures: list[Countermeasure] | tuple[Countermeasure, ...], what: str
    ) -> list[Regained]:
        return regained(
            data.subset(self.split.learned),
            self.split.test,
            measures,
            self.plan.network,
            self.plan.training,
            self.plan.seed,
            device=self.device,
            progress=self.tell(what),
        )


def bought(family: Family, level: int) -> ImageSet:
    """What the buyer of `level` has; 0 is what is published."""
    return apply(family.masked, family.cleaner(level)) if level else family.masked
