"""The adapter between a shared model's roles and the chain: events in, transactions out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any

import ape
import click
import numpy as np
from ape.api import AccountAPI
from ape.contracts import ContractInstance
from eth_utils.address import is_hex_address

from offchain.roles import Action
from offchain.sum import events as ev
from offchain.sum.classifiers import CLASSIFIERS, Classifier
from offchain.sum.model import ModelTerms, SharedModelState
from scripts._stage.chain import Receipt, decoded, event_of, logs_of, native
from scripts._stage.deployments import Deployed
from scripts._stage.node import ask
from scripts._stage.pool import NodeBusy
from scripts._stage.sender import Sender
from scripts._sum.parts import PERCEPTRON, known_classifier, known_incentive, refuse

WORDS_A_CALL = 1_024
"""Of a classifier's storage that one call reads."""


class ModelOnChain(Sender):
    """A shared model of this version on the connected chain.

    Attributes:
        created: block in which it was made. terms: what was fixed then.
        kind, classifier: what is taught: its contract's name, and it.
    """

    def __init__(self, address: str, created: int) -> None:
        """Raises ClickException where a part of it is of foreign code, or it takes no lessons."""
        model = ape.project.SharedModel.at(address)
        asked = ("owner", "task", "token", "classifier", "incentive")
        owner, task, token, classifier, incentive = (
            native(getattr(model, one)(skip_trace=True)) for one in asked
        )
        super().__init__(model, token)
        found = known_classifier(classifier, owner, task)
        if found is None:
            raise refuse(address, "classifier")
        self.kind, self.classifier = found
        if (rules := known_incentive(incentive, classifier)) is None:
            raise refuse(address, "incentive")
        if native(self.classifier.trainer(skip_trace=True)) != self.address:
            raise click.ClickException(f"{address} is not open: its classifier takes no lessons")
        self.created = created
        self.terms = ModelTerms(
            owner, task, token, int(ape.chain.blocks[created].timestamp), *rules
        )
        self._known: dict[tuple[str, str], tuple[ev.Event, int]] = {}

    @classmethod
    def resume(cls, factory: Deployed, address: str) -> ModelOnChain:
        """A model that the factory made. Raises ClickException for another, and as above."""
        block = made_in(factory, address)
        if block is None:
            raise click.ClickException(
                f"{address} is no model of the factory at {factory.contract.address}"
            )
        return cls(str(ape.convert(address, ape.types.AddressType)), block)

    def events(self) -> list[tuple[ev.Event, int]]:
        """All events of the model so far, in the order of the chain, each with its time."""
        return [self._event(log) for log in logs_of(self.address, self.created, [])]

    def read(self) -> SharedModelState:
        """The model as its events tell it, read anew, with its word as it is now."""
        twin: list[Classifier] = []

        def predict(bitmap: tuple[int, ...]) -> int:
            if not twin:
                twin.append(self.twin())
            return twin[0].predict(unpacked(bitmap, twin[0].feature_count))

        state = SharedModelState(
            int(ape.chain.chain_id), self.address, self.terms, cache(predict), cache(self.owed)
        )
        for event, at in self.events():
            state.apply(event, at)
        return state

    def owed(self, account: str) -> int:
        """What an account can take out, beside deposits."""
        return int(self.contract.claimable(account, skip_trace=True))

    def twin(self, block: int | None = None) -> Classifier:
        """The classifier, computed here. block: as it was then; where the node still knows."""
        features, most, classes = self.shape
        sizes = (features, most) if self.kind == PERCEPTRON else (features, most, classes)
        made = CLASSIFIERS[self.kind](*sizes)
        made.initialise(0, self.words(made.word_count, block))
        return made

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """How many features there are, how many may be active, and how many classes there are."""
        one = self.classifier
        views = one.featureCount, one.maxActive, one.classCount
        features, most, classes = (int(view(skip_trace=True)) for view in views)
        return features, most, classes

    def words(self, count: int, block: int | None = None) -> list[int]:
        """The classifier's words."""
        return words_of(self.classifier, 0, count, block)

    def send(self, action: Action, account: AccountAPI) -> Receipt:
        """Does what a role wants done. Raises ActionRefused with the contract's reason."""
        self.call(action.call, action.arguments, account, action.pays)
        return self.receipts[-1]

    def _event(self, log: dict[str, Any]) -> tuple[ev.Event, int]:
        """Decoded once: what a block of this hash holds does not change."""
        key = _text(log["blockHash"]), str(log["logIndex"])
        if key not in self._known:
            (one,) = decoded(self.contract, [log])
            self._known[key] = event_of(one, ev), _time_of(key[0])
        return self._known[key]


def made_in(factory: Deployed, address: str) -> int | None:
    """The block in which the factory made a model; None if it did not."""
    if not is_hex_address(address):
        return None
    topics = [None, "0x" + address[2:].lower().rjust(64, "0")]
    for log in decoded(
        factory.contract, logs_of(str(factory.contract.address), factory.block, topics)
    ):
        return int(log.block_number)
    return None


def words_of(
    classifier: ContractInstance, first: int, count: int, block: int | None = None
) -> list[int]:
    """Words of a classifier's storage, in calls that a node answers."""
    words: list[int] = []
    at: dict[str, Any] = {} if block is None else {"block_id": block}
    while len(words) < count:
        part = min(WORDS_A_CALL, count - len(words))
        words += map(int, classifier.exportWords(first + len(words), part, skip_trace=True, **at))
    return words


def unpacked(bitmap: Sequence[int], features: int) -> Any:
    """uint8 (F,) of a bitmap's words."""
    data = b"".join(word.to_bytes(32, "little") for word in bitmap)
    return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[:features]


@cache
def _time_of(block: str) -> int:
    """When a block was made, by its hash, of which there is one.

    Raises NodeBusy where the node has it no more, or not yet: the chain is read again then.
    """
    found = ask("eth_getBlockByHash", [block, False])
    if found is None:
        raise NodeBusy(f"the node has no block {block}")
    return int(found["timestamp"], 16)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "0x" + bytes(value).hex()
