"""A SecCL round on Flower's simulation engine (Ray), for benchmarks/seccl_speed.py.

    python -c 'from benchmarks.seccl_flower import main; main()' SETS ROUNDS CHANNELS_LAST

Runs where the package flwr[simulation] is, beside this repository and what `offchain` needs. Not as
a module of its own: Ray could not hand its functions to the actors. SETS is a directory written by
seccl_speed, CHANNELS_LAST is 0 or 1. Every client runs the very code of the plain loop; one client
has one core, an actor keeps its data and its model between messages, and a client evaluates one
model on all validation sets, so that no model travels twice. Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MessageType, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.simulation import run_simulation

from benchmarks.seccl_rounds import measured_rounds, read_sets
from offchain.data.imageset import Progress
from offchain.runs.processes import cores
from offchain.seccl.engine import LoopEngine


@lru_cache
def _loop(where: str, channels_last: bool) -> LoopEngine:
    task, training, validation, _ = read_sets(Path(where))
    torch.set_num_threads(1)
    return LoopEngine(task, training, validation, channels_last)


class FlowerEngine:
    """An engine whose work is done by Flower's clients, one message each."""

    def __init__(self, grid: Grid, where: str, channels_last: bool, participants: int) -> None:
        self.name = "Flower" + (", channels last" if channels_last else "")
        self._grid, self._where, self._last = grid, where, channels_last
        while len(list(grid.get_node_ids())) < participants:
            time.sleep(0.05)
        self._nodes = list(grid.get_node_ids())

    def train(
        self,
        start: torch.Tensor,
        round_: int,
        sets: Sequence[int] | None = None,
        progress: Progress | None = None,
    ) -> torch.Tensor:
        chosen = range(len(self._nodes)) if sets is None else sets
        return self._sent(MessageType.TRAIN, [start] * len(chosen), round_, chosen)

    def confusions(self, models: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        columns = self._sent(MessageType.EVALUATE, list(models), 0, range(len(models)))
        return columns.transpose(0, 1)

    def close(self) -> None:
        """Do nothing: Flower's simulation ends with its run."""

    def _sent(
        self, kind: str, models: list[torch.Tensor], round_: int, numbers: Sequence[int]
    ) -> torch.Tensor:
        messages = [
            Message(
                RecordDict(
                    {
                        "arrays": ArrayRecord([model.numpy()]),
                        "what": ConfigRecord(
                            {
                                "round": round_,
                                "number": number,
                                "where": self._where,
                                "last": self._last,
                            }
                        ),
                    }
                ),
                dst_node_id=node,
                message_type=kind,
            )
            for model, number, node in zip(models, numbers, self._nodes, strict=False)
        ]
        results = {}
        for reply in self._grid.send_and_receive(messages):
            if reply.has_error():
                raise RuntimeError(f"a Flower client failed: {reply.error.reason}")
            (array,) = reply.content["arrays"].to_numpy_ndarrays()
            results[reply.content["what"]["number"]] = torch.from_numpy(array.copy())
        return torch.stack([results[number] for number in numbers])


def _answer(message: Message, array: npt.NDArray[Any]) -> Message:
    number = message.content["what"]["number"]
    content = {"arrays": ArrayRecord([array]), "what": ConfigRecord({"number": number})}
    return Message(RecordDict(content), reply_to=message)


client = ClientApp()


def _asked(message: Message) -> tuple[LoopEngine, torch.Tensor, int, int]:
    (model,) = message.content["arrays"].to_numpy_ndarrays()
    what = message.content["what"]
    loop = _loop(what["where"], what["last"])
    return loop, torch.from_numpy(model.copy()), what["round"], what["number"]


@client.train()
def train(message: Message, context: Context) -> Message:
    """Train one participant's model for a round, as Flower asks a client for it."""
    loop, model, round_, number = _asked(message)
    return _answer(message, loop.train_one(model, round_, number).numpy())


@client.evaluate()
def evaluate(message: Message, context: Context) -> Message:
    """Count a model's confusions on all validation sets at once, as Flower asks a client for it."""
    loop, model, *_ = _asked(message)
    return _answer(message, loop.confusions_together(model.unsqueeze(0)).squeeze(1).numpy())


def main() -> None:
    where, rounds, channels_last = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1"
    task, training, _, test = read_sets(Path(where))
    began = time.perf_counter()
    server = ServerApp()

    @server.main()
    def serve(grid: Grid, context: Context) -> None:
        engine = FlowerEngine(grid, where, channels_last, len(training))
        timed = measured_rounds(engine, task, test, rounds, began)
        print(json.dumps(asdict(timed)), flush=True)

    run_simulation(
        server,
        client,
        num_supernodes=len(training),
        backend_config={
            "init_args": {"num_cpus": cores()},
            "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
        },
    )
