"""OpenDataVal's values, for benchmarks/mde_valuation.py:
python -m benchmarks.mde_opendataval_values FOLDER.

Runs where opendataval is. Prints one line of JSON: by method the values, of which more is better,
seconds of the CPU, and the F1 that OpenDataVal's own `noisy_detection` prints.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from opendataval.dataval import DataBanzhaf, DataOob, KNNShapley, LavaEvaluator
from opendataval.experiment.exper_methods import noisy_detection
from opendataval.metrics import Metrics
from opendataval.model import ClassifierSkLearnWrapper
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier


def main() -> None:
    torch.set_num_threads(1)
    kept = np.load(Path(sys.argv[1]) / "case.npz")
    classes, seed = int(kept["classes"]), int(kept["seed"])
    x, vx = (torch.from_numpy(kept[name]) for name in ("x", "vx"))
    y, vy = (
        torch.nn.functional.one_hot(torch.from_numpy(kept[name]), classes).float()
        for name in ("y", "vy")
    )
    strength = 1 / (float(kept["l2"]) * len(y))
    tree = ClassifierSkLearnWrapper(DecisionTreeClassifier, classes)
    linear = ClassifierSkLearnWrapper(LogisticRegression, classes, C=strength, max_iter=500)
    if bool(kept["budgets"]):
        methods: dict[str, tuple[Any, Any]] = {
            f"Data-OOB, {count} trees": (DataOob(count, random_state=seed), tree)
            for count in kept["learners"].tolist()
        }
    else:
        count = int(kept["learners"])
        methods = {
            "KNN-Shapley": (KNNShapley(int(kept["neighbours"])), None),
            f"Data-OOB, {count} trees": (DataOob(count, random_state=seed), tree),
            "Data Banzhaf, 300 subsets": (DataBanzhaf(300, random_state=seed), linear),
            "LAVA": (LavaEvaluator(random_state=seed), None),
        }
    found = {}
    for name, (evaluator, model) in methods.items():
        began = time.process_time()
        evaluator.input_data(x, y, vx, vy)
        if model is not None:
            evaluator.input_model_metric(model, Metrics.ACCURACY)
        values = np.asarray(evaluator.train_data_values().data_values, dtype=np.float64)
        cpu = time.process_time() - began
        f1 = noisy_detection(evaluator, indices=kept["wrong"])["kmeans_f1"]
        found[name] = {"cpu": cpu, "values": values.tolist(), "f1": f1}
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
