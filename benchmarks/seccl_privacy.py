"""What privacy costs in accuracy: of single images (DP-SGD) and of whole updates, by epsilon.

    python -m benchmarks.seccl_privacy [--dataset mnist --root DIR] [--epsilons 1 2 4 8]
                                       [--workers N]

Ten participants train one network together and elect three updates a round. Without noise; with the
gradients of single images clipped and noised; and with whole updates clipped and noised, which
hides everything that a participant holds. Epsilon is at delta 1e-5, after all rounds.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

from scipy.optimize import brentq

from benchmarks.spreading import add_spread, spread_of, told
from offchain.data.datasets import load_dataset
from offchain.data.imageset import ImageSet, split
from offchain.seccl.accountant import image_epsilon, noise_for
from offchain.seccl.comparison import play_runs
from offchain.seccl.engine import LoopEngine
from offchain.seccl.image_privacy import ImagePrivacy
from offchain.seccl.partition import partition
from offchain.seccl.privacy import UpdatePrivacy
from offchain.seccl.run import Run
from offchain.seccl.training import TrainingSettings

DELTA = 1e-5


def update_noise(epsilon: float, clip: float, rounds: int) -> float:
    """The noise, a multiple of the clip, by which whole updates cost `epsilon`."""

    def above(noise: float) -> float:
        return UpdatePrivacy(clip, noise).epsilon(rounds, DELTA) - epsilon

    return float(brentq(above, 0.1, 10_000.0))


def variants(
    base: Run, train: ImageSet, epsilons: list[float], clips: tuple[float, float], rate: float
) -> dict[str, Run]:
    """All runs by what is written beside them.

    clips: of an image's gradient and of an update. rate: of training where images are hidden,
    which stands a greater one since no step is longer than the clip.
    """
    parts = partition(train, base.participants, base.split, seed=base.seed)
    sampling = base.settings.sampling(min(len(part.training) for part in parts))
    found = {"none | - | -": base}
    for epsilon in epsilons:
        noise = noise_for(epsilon, sampling, base.rounds, DELTA)
        spent = image_epsilon(noise, sampling, base.rounds, DELTA)
        hidden = ImagePrivacy(clips[0], noise)
        private = replace(base.settings, learning_rate=rate, image_privacy=hidden)
        found[f"images | {spent:.2f} | {noise:.2f}"] = replace(base, settings=private)
    for epsilon in (epsilons[-1], 100 * epsilons[-1]):
        noise = update_noise(epsilon, clips[1], base.rounds)
        found[f"updates | {epsilon:.2f} | {noise:.2f}"] = replace(
            base, privacy=UpdatePrivacy(clips[1], noise)
        )
    return found


def main() -> None:
    """Print accuracy beside epsilon, a Markdown table with a row for each noise."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--limit", type=int, default=20_000)
    parser.add_argument("--test", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--private-rate", type=float, default=0.5)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--clip", type=float, default=1.0, help="of an image's gradient")
    parser.add_argument("--update-clip", type=float, default=1.0, help="of a whole update")
    parser.add_argument("--epsilons", type=float, nargs="+", default=[1.0, 2.0, 4.0, 8.0])
    parser.add_argument("--seed", type=int, default=0)
    add_spread(parser, "seccl_privacy")
    given = parser.parse_args()
    whole = load_dataset(given.dataset, root=given.root, limit=given.limit)
    test, train = split(whole, [given.test, len(whole) - given.test], given.seed)
    settings = TrainingSettings(given.batch, given.rate, given.epochs, given.share)
    base = Run(
        participants=10, winners=0.3, rounds=given.rounds, seed=given.seed, settings=settings
    )
    clips = given.clip, given.update_clip
    print(
        f"{whole.name}: {base.participants} participants with {len(train)} images between them, "
        f"{given.rounds} rounds of {given.epochs} epochs, batch {given.batch}, "
        f"rate {given.rate:g} and {given.private_rate:g} where images are hidden, "
        f"{given.share:.0%} of the parameters uploaded; gradients of images clipped to "
        f"{clips[0]:g}, updates to {clips[1]:g}; accuracy on {given.test} images\n"
    )
    print("| hidden | epsilon | noise | accuracy halfway | accuracy |")
    print("| --- | ---: | ---: | ---: | ---: |")
    runs = variants(base, train, given.epsilons, clips, given.private_rate)
    results = play_runs(
        list(runs.values()),
        train,
        test,
        given.kept,
        make_engine=partial(LoopEngine, channels_last=True),
        spread=spread_of(given),
        progress=told,
    )
    for name, result in zip(runs, results, strict=True):
        curve = result.accuracy
        half = curve[len(curve) // 2 - 1]
        print(f"| {name} | {half:.4f} | {curve[-1]:.4f} |")


if __name__ == "__main__":
    main()
