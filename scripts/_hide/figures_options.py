"""What the command line of `ape run figures hide` says, and how large it is unless told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from offchain.hide.errors import LevelError
from offchain.hide.making import Plan
from offchain.hide.masks import MaskSettings
from offchain.hide.training import TrainingSettings
from offchain.models.device import pick_device


@dataclass(frozen=True)
class Scale:
    """How large a reproduction is unless told otherwise; None is all there is."""

    images: int | None
    test_images: int | None
    epochs: int
    network: str
    check: str
    levels: str
    countered: int | None


FULL = Scale(None, None, 30, "resnet18", "resnet18", "0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9", None)
REDUCED = Scale(2_000, 2_000, 8, "small-resnet", "small-resnet", "0.2,0.25,0.3,0.35,0.4", 1)


@dataclass(frozen=True)
class HideFiguresOptions:
    """The options of `ape run figures hide`, checked; its help says what each means."""

    dataset: str
    data_root: Path | None
    download: bool
    only: tuple[str, ...]
    seeds: int
    setting_seeds: int
    reduced: bool
    levels: tuple[float, ...]
    tolerance: float
    order: str
    images: int | None
    test_images: int | None
    epochs: int
    network: str
    check: str
    mask_steps: int
    countered: int | None
    device: str | None
    skip_broken: bool
    workers: int | None

    @classmethod
    def of(cls, **given: object) -> HideFiguresOptions:
        """`given` with what was not said filled in. Raises LevelError for levels that are none."""
        if given["reduced"] is None:
            given["reduced"] = pick_device(given["device"]).type == "cpu"  # type: ignore[arg-type]
        scale = REDUCED if given["reduced"] else FULL
        for name in ("images", "test_images", "epochs", "network", "check", "levels", "countered"):
            given[name] = getattr(scale, name) if given[name] is None else given[name]
        try:
            given["levels"] = tuple(float(one) for one in str(given["levels"]).split(","))
        except ValueError as error:
            raise LevelError(f"levels are numbers by commas, not {given['levels']!r}") from error
        return cls(**given)  # type: ignore[arg-type]

    @property
    def command(self) -> str:
        """What gives the same report again, where the data lies apart."""
        parts = [f"ape run figures hide --dataset {self.dataset}"]
        parts += ["--skip-broken"] if self.skip_broken else []
        parts += [f"--only {part}" for part in self.only] if len(self.only) == 1 else []
        parts.append(f"--seeds {self.seeds}")
        if "robustness" in self.only:
            parts.append(f"--setting-seeds {self.setting_seeds}")
        parts.append("--reduced" if self.reduced else "--full")
        parts.append(f"--levels {','.join(f'{level:g}' for level in self.levels)}")
        parts.append(f"--tolerance {self.tolerance:g} --free {self.order}")
        for name in ("images", "test_images", "countered"):
            value = getattr(self, name)
            parts += [] if value is None else [f"--{name.replace('_', '-')} {value}"]
        parts.append(f"--epochs {self.epochs} --network {self.network} --check {self.check}")
        parts.append(f"--mask-steps {self.mask_steps}")
        return " ".join(parts)

    def plan(self, seed: int) -> Plan:
        """Raises what `Plan` and its parts do for what is out of range."""
        return Plan(
            self.levels,
            self.tolerance,
            MaskSettings(steps=self.mask_steps),
            TrainingSettings(self.epochs),
            self.network,
            self.check,
            self.order,
            seed,
        )
