"""What an encrypted evaluation costs and tells, by samples and features.

    python -m benchmarks.mde_encrypted > benchmarks/mde_encrypted.md

Softmax regression and ridge regression of ten classes on 400 made-up samples, Gaussian about one
centre per class, and influence on them. A seller has other samples of the kind. The range of scores
is `Bounds.of` the buyer's validation samples. One thread; seconds of the CPU; three seeds, of which
the least and the largest figure are printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from offchain.crypto.inner_product import BITS, ERROR_STEPS, modulus
from offchain.crypto.secrets_file import SecretsFile
from offchain.data.seeds import generator
from offchain.mde.encrypted import Bounds, answer, ask
from offchain.mde.influence import GradientEfficacy, InfluenceSettings, influence
from offchain.mde.samples import LOSSES, Samples, Task
from offchain.mde.training import Trainer

FEATURES = (64, 320, 1280)
SAMPLES = (10, 100, 1_000, 10_000)
SEEDS = (0, 1, 2)
CLASSES = 10
OWNED = 400
L2 = 1e-2
Found = TypeVar("Found")


@dataclass(frozen=True)
class Run:
    """One evaluation: CPU seconds, bytes, error and what it tells of single samples."""

    ask: float
    answer: float
    open: float
    plain: float
    query_bytes: int
    answer_bytes: int
    error: float
    steps: float
    told: float

    @classmethod
    def of(cls, oracle: GradientEfficacy, own: Samples, offered: Samples, folder: Path) -> Run:
        bounds = Bounds.of(oracle, own, len(offered))
        asked, ask_seconds = timed(lambda: ask(oracle, bounds))
        secrets = SecretsFile(folder / "seller.json")
        said, answer_seconds = timed(lambda: answer(asked.query, offered, secrets, lambda n: None))
        found, open_seconds = timed(lambda: asked.open(said))
        share = oracle.fold_sizes / oracle.fold_sizes.sum()
        scores, plain_seconds = timed(lambda: oracle.fold_scores(offered) @ share)
        plain = float(scores.sum())
        off, step = abs(found.score - plain), 2 * bounds.most / (1 << BITS)
        if off > found.error:
            sys.exit(f"an answer is off by {off:g}, more than the stated {found.error:g}")
        # Uniform noise moved by a sample's score overlaps with itself but for this share.
        single = np.abs(scores) / step
        return cls(
            ask_seconds,
            answer_seconds,
            open_seconds,
            plain_seconds,
            len(asked.query),
            len(said),
            off / abs(plain),
            off / step,
            float(np.minimum(single, 1).mean()),
        )


def timed(work: Callable[[], Found]) -> tuple[Found, float]:
    began = time.process_time()
    done = work()
    return done, time.process_time() - began


def made_up(count: int, features: int, seed: int, what: str) -> Samples:
    """Samples about centres that follow from the seed."""
    centres = generator(seed, "encrypted centres").normal(size=(CLASSES, features))
    rng = generator(seed, f"encrypted {what}")
    classes = np.arange(count) % CLASSES
    spread = features**0.5 / 4  # the classes overlap alike, however many features there are
    inputs = centres[classes] + spread * rng.normal(size=(count, features))
    return Samples.taken(inputs, classes)


def softmax(task: Task) -> nn.Module:
    return Trainer(l2=L2).fit(task.train, CLASSES)


def ridge(task: Task) -> nn.Module:
    """The optimum of the squared loss; the bias is shrunk, too."""
    x = torch.cat([task.train.inputs, torch.ones(len(task.train), 1)], 1).double()
    target = nn.functional.one_hot(task.train.labels, CLASSES).double()
    square = x.T @ x / len(x) + task.l2 * torch.eye(x.shape[1])
    weights = torch.linalg.solve(square, x.T @ target / len(x)).float()
    model = nn.Linear(x.shape[1] - 1, CLASSES).requires_grad_(False)
    model.weight.copy_(weights[:-1].T)
    model.bias.copy_(weights[-1])
    return model


def row(loss: str, features: int, samples: int, runs: list[Run]) -> str:
    def both(values: list[float], digits: int) -> str:
        return f"{min(values):.{digits}f}-{max(values):.{digits}f}"

    cells = [
        loss,
        f"{features:,}",
        f"{samples:,}",
        f"{runs[0].query_bytes:,}",
        f"{runs[0].answer_bytes:,}",
        both([run.ask for run in runs], 3),
        both([run.answer for run in runs], 3),
        both([run.open for run in runs], 3),
        both([run.plain for run in runs], 3),
        both([run.steps for run in runs], 2),
        both([100 * run.error for run in runs], 1),
        both([run.told for run in runs], 3),
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    torch.set_num_threads(1)
    modulus()  # imports TenSEAL, which is not counted
    print("What an encrypted evaluation costs and tells.\n")
    print("Written by `python -m benchmarks.mde_encrypted`; see there.\n")
    print(
        "query, answer: bytes. ask, answer, open: the buyer's key and ciphertexts, the seller's "
        "part, the buyer's decryption; plain: each sample's score without encryption; CPU seconds "
        "on one thread. off: by how much the opened score differs from the plain one, in steps of "
        f"which the range has {1 << BITS:,} (the stated bound is {ERROR_STEPS}), and in per cent "
        "of the score. told: mean advantage (hits less false alarms) in telling whether one sample "
        "is in, for a buyer that knows all others. Of a squared loss not even the layer is shown. "
        "Least and largest of seeds 0, 1, 2.\n"
    )
    print(
        "| loss | features | samples | query | answer | ask, s | answer, s | open, s | plain, s "
        "| off, steps | off, % | told |"
    )
    print("| --- |" + " ---: |" * 11)
    for loss in LOSSES:
        for features in FEATURES:
            runs: dict[int, list[Run]] = {samples: [] for samples in SAMPLES}
            for seed in SEEDS:
                print(f"{loss}, {features} features, seed {seed}", file=sys.stderr)
                task = Task(
                    made_up(OWNED, features, seed, "train"),
                    made_up(OWNED, features, seed, "judged"),
                    CLASSES,
                    L2,
                    loss,
                )
                fit = ridge if loss == "squared" else softmax
                oracle = influence(fit(task), task, InfluenceSettings())
                for samples in SAMPLES:
                    offered = made_up(samples, features, seed, f"offered {samples}")
                    with tempfile.TemporaryDirectory() as folder:
                        runs[samples].append(Run.of(oracle, task.validation, offered, Path(folder)))
            for samples in SAMPLES:
                print(row(loss, features, samples, runs[samples]), flush=True)


if __name__ == "__main__":
    main()
