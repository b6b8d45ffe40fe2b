"""The engine of a run: chosen by measurement, and the same again when the run is resumed."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.seccl.choose import choose_engine, engine_named
from offchain.seccl.engine import Engine
from offchain.seccl.training import Samples, Task


class EngineChoice:
    """Makes the engine; engines differ in the last bits, so a resumed run names the one it had.

    name: of the engine, chosen when it is made unless it is set before. report: why that one.
    """

    def __init__(self, rounds: int) -> None:
        self.name = ""
        self.report: tuple[str, ...] = ()
        self._rounds = rounds

    def __call__(
        self, task: Task, training: Sequence[Samples], validation: Sequence[Samples]
    ) -> Engine:
        """The engine of that task and these sets."""
        if self.name:
            self.report = (f"engine as before: {self.name}",)
            return engine_named(self.name, task, training, validation)
        choice = choose_engine(task, training, validation, self._rounds)
        self.name = choice.engine.name
        self.report = tuple(choice.report().splitlines())
        return choice.engine
