"""pyDVL's values, for benchmarks/mde_valuation.py: python -m benchmarks.mde_pydvl_values FOLDER.

Runs where pydvl[dask], zarr and what `offchain` needs are. Prints one line of JSON: by method the
values, of which more is better, and seconds of the CPU, fitting included. Its Banzhaf and Shapley
values by sampling train a model for each subset, too many for this benchmark, and are left out.
KNN-Shapley is asked once more through our oracle for pyDVL's methods, each half of the data as a
candidate of who has the other.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydvl.influence.torch import CgInfluence, EkfacInfluence
from pydvl.valuation import (
    DataOOBValuation,
    Dataset,
    KNNShapleyValuation,
    LOOValuation,
    ModelUtility,
    SupervisedScorer,
)
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from offchain.mde.pydvl_methods import PydvlSettings, pydvl_efficacy
from offchain.mde.samples import Samples, Task


def main() -> None:
    torch.set_num_threads(1)
    kept = np.load(Path(sys.argv[1]) / "case.npz")
    x, y, vx, vy = (kept[name] for name in ("x", "y", "vx", "vy"))
    players, judged, seed = Dataset(x, y), Dataset(vx, vy), int(kept["seed"])
    neighbours = KNeighborsClassifier(int(kept["neighbours"]))

    def valued(method: Any) -> Any:
        found = np.empty(len(y))
        result = method.fit(players).result
        found[result.indices] = result.values
        return found

    def bagged(learners: int) -> Any:
        model = BaggingClassifier(DecisionTreeClassifier(), learners, random_state=seed)
        return valued(DataOOBValuation(model.fit(x, y)))

    def utility() -> Any:
        model = LogisticRegression(C=1 / (float(kept["l2"]) * len(y)), max_iter=500)
        return ModelUtility(model, SupervisedScorer("accuracy", judged, 0.0, (0, 1)))

    found: dict[str, Any] = {}

    def timed(name: str, work: Callable[[], Any]) -> None:
        began = time.process_time()
        values = work()
        found[name] = {"cpu": time.process_time() - began, "values": values.tolist()}
        print(f"{name}: {found[name]['cpu']:.1f} s", file=sys.stderr, flush=True)

    if bool(kept["budgets"]):
        for count in kept["learners"].tolist():
            timed(f"Data-OOB, {count} trees", lambda n=count: bagged(n))  # type: ignore[misc]
        print(json.dumps(found), flush=True)
        return

    timed("KNN-Shapley", lambda: valued(KNNShapleyValuation(neighbours, judged, progress=False)))
    timed(f"Data-OOB, {int(kept['learners'])} trees", lambda: bagged(int(kept["learners"])))
    timed("leave one out", lambda: valued(LOOValuation(utility(), progress=False)))
    for name, make in influences(kept).items():
        tensors = [torch.from_numpy(part) for part in (vx, vy, x, y)]
        loader = DataLoader(TensorDataset(*tensors[2:]), batch_size=256)
        began = time.process_time()
        pairs = make().fit(loader).influences(*tensors).T.double()  # (N, V)
        cpu = time.process_time() - began
        found[name] = {"cpu": cpu, "values": pairs.mean(1).tolist(), "pairs": pairs.tolist()}
    timed("KNN-Shapley, as an oracle of ours", lambda: wrapped(kept, neighbours))
    print(json.dumps(found), flush=True)


def influences(kept: Any) -> dict[str, Callable[[], Any]]:
    """As in benchmarks/mde_pydvl.py, the solvers that end in seconds."""
    classes, width = kept["weight"].shape
    l2, loss = float(kept["l2"]), nn.functional.cross_entropy

    def model() -> nn.Module:
        layer = nn.Linear(width, classes)
        layer.weight.data.copy_(torch.from_numpy(kept["weight"]))
        layer.bias.data.copy_(torch.from_numpy(kept["bias"]))
        return nn.Sequential(layer)

    return {
        "influence, CG": lambda: CgInfluence(
            model(), loss, regularization=l2, rtol=1e-5, maxiter=500, solve_simultaneously=True
        ),
        "influence, EK-FAC": lambda: EkfacInfluence(
            model(), update_diagonal=True, hessian_regularization=l2
        ),
    }


def wrapped(kept: Any, neighbours: Any) -> Any:
    """pyDVL's values of all samples through our oracle: each half among the other's."""
    x, y, vx, vy = (torch.from_numpy(kept[name]) for name in ("x", "y", "vx", "vy"))
    half = len(y) // 2
    parts = Samples(x[:half], y[:half]), Samples(x[half:], y[half:])
    settings = PydvlSettings(
        lambda players, judged: KNNShapleyValuation(neighbours, judged, progress=False)
    )

    def guess(inputs: Any) -> Any:
        return np.full((len(inputs), int(kept["classes"])), 1 / int(kept["classes"]))

    found = []
    for own, candidate in (parts, parts[::-1]):
        task = Task(own, Samples(vx, vy), int(kept["classes"]))
        found.append(pydvl_efficacy(guess, task, settings).report(candidate).scores)
    return np.concatenate(found[::-1])


if __name__ == "__main__":
    main()
