"""How much of a digit a reader gets back from its features.

    python -m benchmarks.feature_leakage

The reader learns by ridge regression, with the best of some penalties, what the features of 800
digits say of their pixels, and reads 100 others.
"""

from __future__ import annotations

import argparse

import torch
from torch.nn import functional

from offchain.data.datasets import load_dataset
from offchain.hyperx.features import extract
from offchain.models.backbones import DEFAULT_BACKBONE, default_preprocessing
from offchain.models.extractor import pretrained_extractor

KNOWN, ASKED = 800, 100
PENALTIES = (1e-8, 1e-6, 1e-4, 1e-2, 1e-1, 1.0)
CUTS = (("block9_expand", 64), ("block5_project", 64), ("block5_project", 224))
SENT = ((98, 1), (24, 2), (10, 3))
"""Channels and side of the grid: at most one number for eight of the 784 pixels."""


def main() -> None:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    digits = load_dataset("digits")
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))
    images = digits.images[order[: KNOWN + ASKED]]
    pixels = images.flatten(1).double()
    blind = float((pixels[KNOWN:] - pixels[:KNOWN].mean(0)).abs().mean())
    print("# What features leak\n")
    print(f"Made by `python -m benchmarks.feature_leakage`: {KNOWN} digits known, {ASKED} read,")
    print(f"{DEFAULT_BACKBONE}. The mean digit is off by {blind:.1f} of 255.\n")
    print("| cut | enlarged to | features | variance given back | mean error of 255 |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for cut, size in CUTS:
        preprocessing = default_preprocessing(DEFAULT_BACKBONE, size)
        raw = extract(pretrained_extractor(DEFAULT_BACKBONE, cut, size), preprocessing, images)
        told = {f"{raw[0].numel()}, all": raw}
        for channels, side in SENT:
            few = functional.adaptive_avg_pool2d(raw[:, :channels], side)
            told[f"{few[0].numel()}, {side} x {side}"] = few
        for name, features in told.items():
            variance, error = read(features.flatten(1).double(), pixels)
            print(f"| {cut} | {size} px | {name} | {variance:.2f} | {error:.1f} |", flush=True)


def read(features: torch.Tensor, pixels: torch.Tensor) -> tuple[float, float]:
    """Share of the variance that the best penalty gives back, and its mean error.

    features, pixels: float64 (KNOWN + ASKED, D).
    """
    scaled = (features - features[:KNOWN].mean(0)) / (features[:KNOWN].std(0) + 1e-12)
    known, asked = scaled[:KNOWN], scaled[KNOWN:]
    mean, hidden = pixels[:KNOWN].mean(0), pixels[KNOWN:]
    kernel, found = known @ known.T, []
    for penalty in PENALTIES:
        ridge = penalty * kernel.diagonal().mean() * torch.eye(KNOWN, dtype=torch.float64)
        guess = asked @ known.T @ torch.linalg.solve(kernel + ridge, pixels[:KNOWN] - mean) + mean
        off = guess.clamp(0, 255) - hidden
        left = off.square().sum() / (hidden - mean).square().sum()
        found.append((1 - float(left), float(off.abs().mean())))
    return max(found)


if __name__ == "__main__":
    main()
