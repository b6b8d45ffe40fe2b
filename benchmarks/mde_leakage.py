"""What quotes give away: the price function to sellers, the data to the buyer.

    python -m benchmarks.mde_leakage [--seed 0] > benchmarks/mde_leakage.md

The market of `ape run price`: 356 real digits of 8x8 pixels that lack three classes, softmax
regression, an extracted tree. Sets of 50 samples with between none and all labels wrong, and
between none and all of the classes that are lacking, are quoted. Once the seller's side: how well
a ridge regression on what sellers know of their own sets predicts the prices of 60 further sets,
by the number of quotes seen. Then the buyer's side, for three ways to report a set: how often it
finds the very sample behind a score, and by how much it can tell whether one sample is in the set.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
import torch

from offchain.data.datasets import load_dataset
from offchain.data.seeds import generator
from offchain.mde.artefact import artefact_digest, load_artefact
from offchain.mde.leakage import Membership, NoisyTotal, membership, price_extraction, reidentified
from offchain.mde.owner import Owner
from offchain.mde.partition import Owned, Plan, lay_out
from offchain.mde.publishing import METHODS, Purse, publish
from offchain.mde.report import EfficacyReport
from offchain.mde.samples import Bools, Floats, Samples
from offchain.report.text import markdown

SET = 50
QUOTED, UNSEEN = 160, 60
COUNTS = (1, 2, 5, 10, 20, 40, 80, 160)
NOISES = (0.5, 1.0, 2.0, 5.0)
DELTA = 1e-5
TRIALS = 20_000


def sets(pool: Samples, lacking: Bools, classes: int, seed: int) -> list[Samples]:
    """Sets of SET samples that differ in how much is useful and how much is wrong."""
    made = []
    for number in range(QUOTED + UNSEEN):
        rng = generator(seed, f"mde leakage {number}")
        useful = rng.integers(SET + 1)
        rows = np.concatenate(
            [
                rng.choice(np.flatnonzero(lacking), useful, replace=False),
                rng.choice(np.flatnonzero(~lacking), SET - useful, replace=False),
            ]
        )
        chosen = pool.subset(rows.astype(np.int64))
        wrong = torch.from_numpy(rng.random(SET) < rng.random() / 2)
        shift = torch.from_numpy(rng.integers(1, classes, size=SET))
        labels = torch.where(wrong, (chosen.labels + shift) % classes, chosen.labels)
        made.append(Samples(chosen.inputs, labels))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.set_num_threads(1)
    began = time.process_time()
    owned = Owned()
    plan = (Plan("useful", 600), Plan("ordinary", 600))
    data = lay_out(load_dataset("digits", size=8), plan, owned, seed)
    owner = Owner.of(data)
    file = publish(owner, METHODS["tree"], Purse(10**18, 10**16), SET)
    artefact = load_artefact(file, artefact_digest(file))
    pool = data.holdings[0].samples.joined(data.holdings[1].samples)
    lacking = (pool.labels >= data.classes - owned.classes).numpy()
    print("set-level prices", file=sys.stderr)
    quoted = sets(pool, lacking, data.classes, seed)
    curve = price_extraction(
        lambda one: artefact.quote(one).price,
        quoted[:QUOTED],
        quoted[QUOTED:],
        data.classes,
        COUNTS,
        seed=seed,
    )
    print(f"{__doc__.splitlines()[0]}\n")
    print(f"Written by `python -m benchmarks.mde_leakage --seed {seed}`; see there.\n")
    print("## The seller's side: how well quotes teach the price function\n")
    print("rho: Spearman's, of predicted and true prices of 60 sets that were not quoted.\n")
    print(markdown(("quotes seen", "rho"), [(str(n), f"{rho:.2f}") for n, rho in curve], 0))
    print(
        "\nA seller gets one quote for one dataset; further ones take that many sellers, or "
        "datasets, together.\n"
    )
    buyer_side(artefact.efficacy.report(pool), seed)
    print(f"\n{time.process_time() - began:.0f} s of the CPU, one thread.")


def buyer_side(report: EfficacyReport, seed: int) -> None:
    """Scores of the pool's samples, alone and in sets drawn from it."""
    scores = report.scores
    rng = generator(seed, "mde leakage sold")
    order = rng.permutation(len(scores))
    scores = scores[order]
    rows = [
        (
            "the set's score alone",
            "-",
            "0.00",
            *told(membership(scores, SET, trials=TRIALS, seed=seed)),
        ),
        (
            "a score per sample",
            "-",
            f"{reidentified(scores[:SET], scores):.2f}",
            "1.00",
            f"{presence(scores, seed):.2f}",
        ),
    ]
    clip = float(np.quantile(np.abs(scores), 0.9))
    clipped = np.clip(scores, -clip, clip)
    for noise in NOISES:
        noisy = NoisyTotal(clip, noise)
        rows.append(
            (
                f"the set's score, Gaussian noise of {noise:g} clips",
                f"{noisy.epsilon(1, DELTA):.1f}",
                "0.00",
                *told(membership(clipped, SET, noise=noise * clip, trials=TRIALS, seed=seed)),
            )
        )
    print(f"## The buyer's side: how well scores give away a set of {SET}\n")
    print(
        f"Pool: the {len(scores)} samples that sets are drawn from. Clip: the 90th percentile of "
        f"scores' sizes, {clip:.4f} nats; the noise of a set's score has that many clips. epsilon: "
        f"of one quote, at delta {DELTA:g}. found: share of the sold samples picked out of the "
        "pool by their scores. told: advantage (hits less false alarms) in telling whether one "
        "sample is in, for a buyer that knows all other samples, and for one that knows the pool "
        f"alone; from {TRIALS:,} sets.\n"
    )
    heads = ("what leaves", "epsilon", "found", "told, rest known", "told, pool known")
    print(markdown(heads, rows))
    distinct = len(np.unique(scores))
    print(
        f"\nA tree gives many samples one score: the {len(scores)} have {distinct} different "
        "ones, which is what keeps scores per sample from naming every sample."
    )


def told(found: Membership) -> tuple[str, str]:
    return f"{found.informed:.2f}", f"{found.uninformed:.2f}"


def presence(scores: Floats, seed: int, trials: int = TRIALS) -> float:
    """Advantage in telling by scores per sample whether one sample is in: is its score there."""
    rng = generator(seed, "mde leakage presence")
    hits = alarms = 0
    for trial in range(trials):
        order = rng.permutation(len(scores))[: SET + 1]
        inside = trial % 2 == 0
        shown = scores[order[:SET]] if inside else scores[order[1:]]
        if (shown == scores[order[0]]).any():
            hits += inside
            alarms += not inside
    return 2 * (hits - alarms) / trials


if __name__ == "__main__":
    main()
