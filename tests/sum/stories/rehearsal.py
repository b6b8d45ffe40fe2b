"""A model and its authors in one process, on a chain whose time stands still."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ape

from offchain.sum.preprocessing import Preprocessing
from offchain.sum.texts import read_texts
from scripts._stage.deployments import Deployed, ready
from scripts._stage.party import PartyTelling
from scripts._stage.table import Seat, play
from scripts._sum.model import ModelOnChain
from scripts._sum.parts import FACTORY
from scripts._sum.party_options import TeachOptions
from scripts._sum.publishing import drafted, put_on_chain, task_for, trained
from scripts._sum.table import ModelTable
from scripts._sum.teaching import author_seat, lessons_of
from tests.sum.stories.made_texts import publish_options


class Rehearsal:
    """A published model, with its task and vocabulary, and who plays on it."""

    def __init__(self, folder: Path, owner: Any, **more: Any) -> None:
        options = publish_options(folder, **more)
        telling = PartyTelling(as_json=True)
        self.owner = owner
        self.factory = Deployed(ready(owner, FACTORY)[0], 0)
        texts = read_texts(options.texts).relabelled()
        self.preprocessing = Preprocessing.of(texts.texts, options.words)
        self.twin = trained(options, texts, self.preprocessing, telling)
        self.task = task_for(options, texts, self.preprocessing, (), folder / "models")
        self.draft = drafted(options, str(owner.address), self.task, self.twin, self.factory)
        put_on_chain(self.draft, owner, self.factory, telling)
        self.model = ModelOnChain.resume(self.factory, self.draft.model)

    def seat(self, name: str, account: Any, options: TeachOptions) -> Seat:
        """An author's, with its texts."""
        telling = PartyTelling(as_json=True)
        found = lessons_of(
            self.model, options.load(), self.task, self.preprocessing, options, telling
        )
        return author_seat(account, found, str(account.address), options, name)

    def play(self, *seats: Seat, forgetful: bool = False) -> dict[str, int]:
        """Plays until nobody has anything to do; what each gained, gas set aside."""
        before = {seat.name: seat.account.balance for seat in seats}
        sent = len(self.model.receipts)
        table = ModelTable(self.model, seats)
        play(table, seats, lambda _: None, forgetful=forgetful)
        fees = {seat.name: 0 for seat in seats}
        names = {seat.address: seat.name for seat in seats}
        for receipt in self.model.receipts[sent:]:
            if receipt.account in names:
                fees[names[receipt.account]] += receipt.fees
        return {
            seat.name: seat.account.balance - before[seat.name] + fees[seat.name] for seat in seats
        }


def now() -> int:
    """The newest block's time."""
    return int(ape.chain.blocks.head.timestamp)
