"""Influence by pyDVL, for benchmarks/mde_speed.py: python -m benchmarks.mde_pydvl FOLDER.

Runs where pydvl[dask] and zarr are. Prints one line of JSON: by solver the scores, negated where
need be so that a positive one lowers the validation loss, and seconds, fitting included.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from pydvl.influence.torch import CgInfluence, DirectInfluence, EkfacInfluence
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def main() -> None:
    torch.set_num_threads(1)
    kept = np.load(Path(sys.argv[1]) / "case.npz")
    x, y, vx, vy = (torch.from_numpy(kept[name]) for name in ("x", "y", "vx", "vy"))
    l2, tolerance = float(kept["l2"]), float(kept["tolerance"])
    classes, width = kept["weight"].shape

    def model() -> nn.Module:
        layer = nn.Linear(width, classes)
        layer.weight.data.copy_(torch.from_numpy(kept["weight"]))
        layer.bias.data.copy_(torch.from_numpy(kept["bias"]))
        return nn.Sequential(layer)

    loader = DataLoader(TensorDataset(x, y), batch_size=256)
    loss = nn.functional.cross_entropy
    methods = {
        "CG": lambda: CgInfluence(model(), loss, regularization=l2, rtol=tolerance, maxiter=500),
        "CG, all right-hand sides at once": lambda: CgInfluence(
            model(), loss, regularization=l2, rtol=tolerance, maxiter=500, solve_simultaneously=True
        ),
        "exact": lambda: DirectInfluence(model(), loss, regularization=l2),
        "EK-FAC": lambda: EkfacInfluence(model(), update_diagonal=True, hessian_regularization=l2),
    }
    found = {}
    for name, make in methods.items():
        began = time.perf_counter(), time.process_time()
        influence = make().fit(loader)
        values = influence.influences(vx, vy, x, y)  # (V, N)
        found[name] = {
            "scores": values.mean(0).tolist(),
            "wall": time.perf_counter() - began[0],
            "cpu": time.process_time() - began[1],
        }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
