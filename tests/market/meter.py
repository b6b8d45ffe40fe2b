"""What the market takes: processes, memory, and the time from a block to its answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil
from web3 import HTTPProvider, Web3


@dataclass
class Meter:
    """Looks at this process and all that came of it, and at the chain, whenever it is asked to.

    Attributes:
        peaks: of each process, in bytes, by its name. all_: of all at a time. processes: most.
        arrived: when each block was seen first, by its number, in seconds of the wall.
    """

    node: str
    peaks: dict[str, int] = field(default_factory=dict)
    all_: int = 0
    processes: int = 0
    arrived: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._web3 = Web3(HTTPProvider(self.node))
        self._own = psutil.Process()
        self._measured = 0.0

    def look(self, names: Mapping[int, str]) -> None:
        """names: of processes, by their id. Memory is measured once a second at most."""
        height = self._web3.eth.block_number
        for number in range(max(self.arrived, default=height - 1) + 1, height + 1):
            self.arrived[number] = time.monotonic()
        if time.monotonic() - self._measured < 1:
            return
        self._measured = time.monotonic()
        total, processes = 0, [self._own, *self._own.children(recursive=True)]
        self.processes = max(self.processes, len(processes))
        for one in processes:
            try:
                memory = one.memory_full_info().pss
                name = names.get(one.pid) or (
                    "the market" if one.pid == self._own.pid else one.name()
                )
            except psutil.Error:  # it ended just now
                continue
            total += memory
            self.peaks[name] = max(self.peaks.get(name, 0), memory)
        self.all_ = max(self.all_, total)

    def reactions(self, said: list[dict[str, Any]]) -> list[float]:
        """Seconds from the block at which a party looked to the block with its answer.

        said: lines of its bots about transactions.
        """
        found = []
        for one in said:
            mined = self._web3.eth.get_transaction_receipt(one["transaction"])["blockNumber"]
            if one.get("seen") in self.arrived and mined in self.arrived:
                found.append(self.arrived[mined] - self.arrived[one["seen"]])
        return found
