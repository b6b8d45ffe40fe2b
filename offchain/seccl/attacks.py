"""What dishonest participants train, submit and vote, by name.

An attack is written as tricks joined by "+", each with a level after ":" where it has one:
`flip`, `scaled:10`, `backdoor+scaled:5+ballots`. The paper's adversaries, who "collude to feed fake
labels" and "may upload fake ranks", are `flip+ballots`. What a server can do (alter, drop, replay)
shows on the bulletin board and is no attack of this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from offchain.data.seeds import generator
from offchain.errors import SoukError
from offchain.seccl.training import LocalData
from offchain.seccl.updates import SparseUpdate, largest_changes

TARGET_CLASS = 0
"""What a backdoored model calls every image that bears the trigger."""

TRIGGER_SIDE = 4
"""Side, in pixels, of the trigger, a white square in the lower right corner."""


class AttackError(SoukError):
    """An attack that does not exist or cannot act; the message is one line for people."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What attackers know when they submit: all that is public, and what the others just sent.

    number: of the round, from 0. updates: one a participant; an attacker's comes of honest
    training, on its poisoned images where the attack has some. share: part of the parameters that
    is uploaded. previous, winners, last_change: the last round's updates, the participants whose
    updates entered the model, and by how much it moved, float32 (P,); all empty in round 0.
    """

    number: int
    seed: int
    attackers: tuple[int, ...]
    updates: tuple[SparseUpdate, ...]
    share: float
    previous: tuple[SparseUpdate, ...] = ()
    winners: tuple[int, ...] = ()
    last_change: torch.Tensor | None = None


def stamped(images: torch.Tensor) -> torch.Tensor:
    """`images`, uint8 (S, C, H, W), with the trigger on each, copied."""
    marked = images.clone()
    marked[..., -TRIGGER_SIDE:, -TRIGGER_SIDE:] = 255
    return marked


def flipped(samples: LocalData, class_count: int, level: float, seed: int) -> LocalData:
    """The images of class c called class_count - 1 - c."""
    return replace(samples, labels=class_count - 1 - samples.labels)


def backdoored(samples: LocalData, class_count: int, level: float, seed: int) -> LocalData:
    """A random share `level` of the images with the trigger, called TARGET_CLASS."""
    rng = generator(seed, f"seccl backdoor {samples.owner}")
    count = max(1, round(level * len(samples)))
    chosen = torch.from_numpy(rng.permutation(len(samples))[:count]).to(samples.labels.device)
    images, labels = samples.images.clone(), samples.labels.clone()
    images[chosen] = stamped(images[chosen])
    labels[chosen] = TARGET_CLASS
    return replace(samples, images=images, labels=labels)


def blurred(update: SparseUpdate, level: float, rng: np.random.Generator) -> SparseUpdate:
    """`update` plus Gaussian noise on its own indices, of `level` times its L2 norm on average."""
    noise = torch.from_numpy(rng.standard_normal(len(update))).to(update.values)
    spread = level * float(update.values.norm()) / len(update) ** 0.5
    return replace(update, values=update.values + spread * noise)


def _times(factor: float) -> Forge:
    return lambda scene, who, level, rng: replace(
        scene.updates[who], values=scene.updates[who].values * factor * level
    )


def _copy(scene: Scene, who: int, level: float, rng: np.random.Generator) -> SparseUpdate:
    honest = [i for i in range(len(scene.updates)) if i not in scene.attackers]
    if not honest:
        raise AttackError("copy needs a participant that is not an attacker")
    return blurred(scene.updates[honest[rng.integers(len(honest))]], level, rng)


def _copy_previous(scene: Scene, who: int, level: float, rng: np.random.Generator) -> SparseUpdate:
    everyone = range(len(scene.previous))
    others = [winner for winner in scene.winners if winner != who]
    # Where it won alone, as it may with Krum, or nobody did.
    others = others or [other for other in everyone if other != who]
    if not others:
        raise AttackError(f"copy-previous needs another's update of a round before {scene.number}")
    return blurred(scene.previous[others[rng.integers(len(others))]], level, rng)


def _noise(scene: Scene, who: int, level: float, rng: np.random.Generator) -> SparseUpdate:
    if scene.last_change is None:
        raise AttackError("noise needs a change of the model before round 0")
    return blurred(largest_changes(scene.last_change[None], scene.share)[0], level, rng)


Poison = Callable[[LocalData, int, float, int], LocalData]
"""(private images, classes, level, seed) -> the images an attacker trains on instead."""

Forge = Callable[[Scene, int, float, np.random.Generator], SparseUpdate]
"""(scene, attacker, level, randomness) -> what it submits in place of its update."""


@dataclass(frozen=True)
class _Kind:
    what: str
    default: float | None = None  # None: takes no level
    low: float = 0.0
    high: float = 0.0
    poison: Poison | None = None
    forge: Forge | None = None


_KINDS = {
    "flip": _Kind("class c is called classes - 1 - c", poison=flipped),
    "backdoor": _Kind("share of images that bear the trigger", 0.5, 0.01, 1, poison=backdoored),
    "sign-flip": _Kind("factor on the reversed change", 1, 0.001, 1000, forge=_times(-1)),
    "scaled": _Kind("factor on the change", 10, 0.001, 1000, forge=_times(1)),
    "copy": _Kind("noise, relative, on another's update of this round", 0, 0, 10, forge=_copy),
    "copy-previous": _Kind(
        "noise, relative, on another winner of the last round", 0, 0, 10, forge=_copy_previous
    ),
    "noise": _Kind("noise, relative, on the last change of the model", 0.5, 0, 10, forge=_noise),
    "ballots": _Kind("attackers rank each other first, the best others last"),
}

TRICKS = {name: kind.what for name, kind in _KINDS.items()}
"""The tricks that attacks are made of, and what their levels mean."""


@dataclass(frozen=True)
class Attack:
    """Tricks played together by all attackers, as (trick, level), in the order they act."""

    tricks: tuple[tuple[str, float], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Attack:
        """Read tricks joined by "+", or "none"; the inverse of `str`.

        Raises AttackError naming the unknown trick or the level out of range.
        """
        if text == "none":
            return cls()
        tricks = tuple(_trick(part) for part in text.split("+"))
        names = [name for name, _ in tricks]
        if len(set(names)) < len(names):
            raise AttackError(f"{text!r} names a trick twice")
        if sum(_KINDS[name].poison is not None for name in names) > 1:
            raise AttackError(f"{text!r}: attackers train on one kind of poisoned images")
        return cls(tricks)

    def __str__(self) -> str:
        return "+".join(_written(name, level) for name, level in self.tricks) or "none"

    @property
    def poison_name(self) -> str | None:
        """The trick that changes what attackers train on, with its level; equal names, equal
        images. None when they train on their true images."""
        found = [_written(n, level) for n, level in self.tricks if _KINDS[n].poison is not None]
        return found[0] if found else None

    def poisoned(self, samples: LocalData, class_count: int, seed: int) -> LocalData:
        """What the owner of `samples` trains on as an attacker."""
        for name, level in self.tricks:
            poison = _KINDS[name].poison
            if poison is not None:
                samples = poison(samples, class_count, level, seed)
        return samples

    def submitted(self, scene: Scene) -> tuple[SparseUpdate, ...]:
        """What every participant submits; the honest ones' updates are as in `scene`.

        Raises AttackError when the attackers lack what they would copy.
        """
        for name, level in self.tricks:
            forge = _KINDS[name].forge
            if forge is None:
                continue
            updates = list(scene.updates)
            for who in scene.attackers:
                rng = generator(scene.seed, f"seccl {name} {scene.number} {who}")
                updates[who] = forge(scene, who, level, rng)
            scene = replace(scene, updates=tuple(updates))
        return scene.updates

    def ballots(self, scores: torch.Tensor, attackers: Sequence[int]) -> torch.Tensor:
        """The evaluations as they are submitted, float64 (N, N), [voter, candidate], in [0, 1].

        Colluding attackers all give each other, in one order, above 1/2, and everybody else
        half of 1 minus the true score: the best come last.
        """
        if not any(name == "ballots" for name, _ in self.tricks):
            return scores
        cast, liars = scores.clone(), list(attackers)
        cast[liars] = (1 - scores[liars]) / 2
        for place, friend in enumerate(liars):
            cast[liars, friend] = 1 - place / (2 * len(liars))
        return cast


def choose_attackers(participants: int, share: float, seed: int) -> tuple[int, ...]:
    """Who attacks: `share` of the participants, rounded, drawn at random, in that order.

    The attackers of a smaller share are among those of a larger one. Raises AttackError when the
    share is not in [0, 1).
    """
    if not 0 <= share < 1:
        raise AttackError(f"the share of attackers must be 0 or more and below 1, not {share}")
    order = generator(seed, "seccl attackers").permutation(participants)
    return tuple(int(who) for who in order[: round(share * participants)])


def _trick(text: str) -> tuple[str, float]:
    name, colon, level = text.strip().partition(":")
    kind = _KINDS.get(name)
    if kind is None:
        raise AttackError(f"{name!r} is no trick of an attack: one of {', '.join(_KINDS)}")
    if kind.default is None:
        if colon:
            raise AttackError(f"{name} takes no level: {text.strip()!r}")
        return name, 0.0
    try:
        amount = float(level) if colon else kind.default
    except ValueError as error:
        raise AttackError(f"the level in {text.strip()!r} is not a number") from error
    if not kind.low <= amount <= kind.high:  # refuses NaN too
        raise AttackError(
            f"the level of {name} ({kind.what}) must be {kind.low:g} to {kind.high:g}, "
            f"not {amount:g}"
        )
    return name, amount


def _written(name: str, level: float) -> str:
    return name if level == (_KINDS[name].default or 0.0) else f"{name}:{level:g}"
