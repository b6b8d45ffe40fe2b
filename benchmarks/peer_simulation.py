"""Runs 0xDeCA10B's published simulation on given reviews; `benchmarks.sum_peer` starts it.

    PYTHON benchmarks/peer_simulation.py CHECKOUT TASK REVIEWS RESULT

It knows nothing of `offchain`, because PYTHON is of an environment with the peer's packages. The
loop, the classifier, the data handler and the incentive are the peer's, unchanged; three things
around them are not. Its data loader is ours, which hands over the reviews that were asked for.
Bokeh and Tornado, which draw its plots in a browser, are replaced by what does nothing, except
that the notes to be plotted are taken at once and so reach the peer's own log. And the thread that
it starts is run on the spot, so that its time can be taken and its errors end the program.

TASK: JSON with `agents` (keyword arguments of the peer's Agent), `initial` (how many reviews train
the first model), `seed`, `dot` (the model predicts by a dot product, not by scikit-learn's
`predict`). REVIEWS: .npz with x_train, x_test (uint8, N by words), y_train, y_test (uint8, N).
RESULT: JSON, to be written. CHECKOUT: folder that holds the peer's package `decai`. The peer
writes its log to `saved_runs` in the working directory.
"""

from __future__ import annotations

import json
import platform
import random
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any


class Inert:
    """Stands for any object of a plotting library: whatever is done with it has no effect."""

    def __call__(self, *_: Any, **__: Any) -> Inert:
        return self

    def __getattr__(self, _: str) -> Inert:
        return self

    def __getitem__(self, _: Any) -> Inert:
        return self


class NoServer(Inert):
    """Stands for Bokeh's document: runs at once what Bokeh's server would run at its next tick."""

    def add_next_tick_callback(self, callback: Any) -> None:
        callback()


class RunHere:
    """Stands for a thread: `start` does all of its work and returns."""

    def __init__(self, target: Any) -> None:
        self.start = target


def stand_in(name: str, **members: Any) -> None:
    """A module called `name`, with these members; any other is inert."""
    module = ModuleType(name)
    module.__dict__.update({"__getattr__": lambda _: Inert(), "__path__": [], **members})
    sys.modules[name] = module


def main() -> None:
    checkout, task, reviews, result = map(Path, sys.argv[1:])
    for name in ("bokeh", "bokeh.document", "bokeh.io", "bokeh.models"):
        stand_in(name)
    stand_in("bokeh.plotting", curdoc=NoServer)
    stand_in("tornado", gen=type("gen", (), {"coroutine": staticmethod(lambda f: f)}))
    sys.path.insert(0, str(checkout))
    result.write_text(json.dumps(run(json.loads(task.read_text()), reviews)))


def run(task: dict[str, Any], reviews: Path) -> dict[str, Any]:
    """Times, accuracies, balances and length of one run."""
    import numpy as np
    import sklearn
    from decai.simulation import simulate
    from decai.simulation.contract.balances import Balances
    from decai.simulation.contract.classification.perceptron import PerceptronModule
    from decai.simulation.contract.classification.scikit_classifier import SciKitClassifier
    from decai.simulation.contract.collab_trainer import DefaultCollaborativeTrainerModule
    from decai.simulation.contract.incentive.stakeable import StakeableImModule
    from decai.simulation.data.data_loader import DataLoader
    from decai.simulation.logging_module import LoggingModule
    from injector import Injector, InstanceProvider

    with np.load(reviews) as kept:  # In the type that the peer's own loader gives.
        data = {name: kept[name].astype(int) for name in kept.files}

    class Reviews(DataLoader):
        def classifications(self) -> list[str]:
            return ["NEGATIVE", "POSITIVE"]

        def load_data(self, train_size: int | None = None, test_size: int | None = None) -> Any:
            return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])

    def predict_by_dot(self: Any, sample: Any) -> int:
        return int(sample @ self._model.coef_[0] + self._model.intercept_[0] > 0)

    if task["dot"]:
        SciKitClassifier.predict = predict_by_dot
    simulate.Thread = RunHere
    injector = Injector(
        [
            DefaultCollaborativeTrainerModule,
            lambda binder: binder.bind(DataLoader, to=InstanceProvider(Reviews())),
            LoggingModule,
            PerceptronModule,
            StakeableImModule,
        ]
    )
    simulator = injector.get(simulate.Simulator)
    agents = [simulate.Agent(**agent) for agent in task["agents"]]
    random.seed(task["seed"])
    wall, cpu = time.perf_counter(), time.process_time()
    simulator.simulate(
        agents,
        # Half a review more, so that the peer's rounding gives just this number.
        init_train_data_portion=(task["initial"] + 0.5) / len(data["x_train"]),
    )
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    (log,) = Path("saved_runs").glob("*-simulation_data.json")
    accuracies = json.loads(log.read_text())["accuracies"]
    balances = injector.get(Balances)
    return {
        "cpu": cpu,
        "wall": wall,
        "before": accuracies[0]["accuracy"],
        "after": accuracies[-1]["accuracy"],
        "balances": [
            balances[agent["address"]] / agent["start_balance"] for agent in task["agents"]
        ],
        # The peer notes its last measurement 100 s after the last event.
        "days": (accuracies[-1]["t"] - 100) / 86_400,
        "versions": {
            "Python": platform.python_version(),
            "NumPy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
    }


if __name__ == "__main__":
    main()
