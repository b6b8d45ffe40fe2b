"""How well evaluation heads choose the best of five datasets, and how accurate they look doing it.

    python -m benchmarks.head_selection [--seeds 5] [--samples 70,200] > head_selection.md

Ten providers hold disjoint digits, corrupted in ten mild levels of one kind; each head scores what
a sample of each gives, and the share of all groups of five in which it picks the least corrupted
is its selection rate (section 5.1.2). Levels are mild on purpose: coarse ones any head gets right.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from statistics import fmean, stdev

import torch

from offchain.data.corruptions import CorruptionPlan
from offchain.data.datasets import load_dataset
from offchain.data.imageset import ImageSet, split
from offchain.hyperx.features import extract, to_inputs
from offchain.hyperx.heads import PRESETS, HeadScorer
from offchain.hyperx.quality import selection_rate
from offchain.models.backbones import default_preprocessing
from offchain.models.extractor import pretrained_extractor

STEPS = {"mislabel": 0.05, "noise": 0.02, "remove": 0.05}
LEVELS = 10
VALIDATION = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--samples", default="70,200", help="per provider, separated by commas")
    parser.add_argument("--heads", default="fast,paper-mnist,paper-cifar10", help="presets")
    given = parser.parse_args()
    counts = [int(n) for n in given.samples.split(",")]
    heads = given.heads.split(",")
    extractor = pretrained_extractor()
    preprocessing = default_preprocessing(extractor.backbone, extractor.size)
    digits = load_dataset("digits")

    def inputs(images: ImageSet) -> torch.Tensor:
        return to_inputs(
            extract(extractor, preprocessing, images.images), None, extractor.activation
        )

    rates: dict[tuple[int, str, str], list[float]] = defaultdict(list)
    clean: dict[tuple[int, str], list[float]] = defaultdict(list)
    seconds: dict[tuple[int, str], list[float]] = defaultdict(list)
    for seed in range(given.seeds):
        validation, *parts = split(digits, [VALIDATION, *[max(counts)] * LEVELS], seed)
        judge = inputs(validation), validation.labels
        for kind, step in STEPS.items():
            levels = [i * step for i in range(LEVELS)]
            plan = ",".join(["clean", *(f"{kind}:{level:.2f}" for level in levels[1:])])
            datasets = [
                (inputs(d), d.labels) for d in CorruptionPlan.parse(plan).apply(parts, seed)
            ]
            for count in counts:
                samples = [(x[:count], y[:count]) for x, y in datasets]
                for head in heads:
                    began = time.perf_counter()
                    scores = HeadScorer(PRESETS[head]).score(samples, judge, 10, seed=seed)
                    seconds[count, head].append(time.perf_counter() - began)
                    rates[count, head, kind].append(selection_rate(scores, levels))
                    clean[count, head].append(scores[0].accuracy)

    print("# Choosing the best of five\n")
    print(f"Made by `python -m benchmarks.head_selection --seeds {given.seeds}`: MNIST digits,")
    print(
        f"{extractor.backbone} at {extractor.cut}, {LEVELS} providers with disjoint data, mean and"
    )
    print(f"deviation over {given.seeds} seeds, {torch.get_num_threads()} thread(s).\n")
    print("| samples | head |", " | ".join(STEPS), "| clean accuracy | seconds |")
    print("| ---: | --- |", " | ".join("---:" for _ in STEPS), "| ---: | ---: |")
    for count in counts:
        for head in heads:
            cells = [_cell(rates[count, head, kind]) for kind in STEPS]
            print(
                f"| {count} | {head} |",
                " | ".join(cells),
                f"| {_cell(clean[count, head])} | {fmean(seconds[count, head]):.2f} |",
            )


def _cell(values: list[float]) -> str:
    return f"{fmean(values):.2f} ± {stdev(values):.2f}" if len(values) > 1 else f"{values[0]:.2f}"


if __name__ == "__main__":
    main()
