"""A shared model and what it answers; on Anvil, driven as fast as the node answers: one block for
each call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import ape
import click
from ape.utils import ZERO_ADDRESS
from eth_utils.abi import function_abi_to_4byte_selector

from offchain.sum.model import Waits
from offchain.sum.perceptron import SparsePerceptron
from offchain.sum.rules import StakeTerms
from scripts._stage.node import ask

_NO_TASK = b"a rehearsal asks for nothing".ljust(32, b"\0")
_GAS_LIMIT = 5_000_000
_POLL_SECONDS = 0.001
_RECEIPT_SECONDS = 30


class CallRefused(click.ClickException):
    """The chain refused a call; its message, one line, says why."""


@dataclass(frozen=True)
class Sent:
    """What came of a call.

    fees: in wei. events: (name, arguments), in order. at: of its block, in seconds after the model
    was made.
    """

    gas: int
    fees: int
    events: tuple[tuple[str, dict[str, Any]], ...]
    at: int


def of_contracts(terms: StakeTerms) -> tuple[int, Waits]:
    """The submission cost in units, and the waits, as incentives take them.

    Raises ClickException for terms that no contract has.
    """
    cost, rest = divmod(terms.submission_cost, terms.unit)
    if rest:
        raise click.ClickException(
            f"the submission cost, {terms.submission_cost} wei, must be whole units of "
            f"{terms.unit} wei"
        )
    verdict = terms.verdict
    if verdict is None:
        raise click.ClickException("the contracts decide no verdict at one instant")
    if not verdict.upholding:
        raise click.ClickException("the contracts let every author uphold what it contributed")
    takeover = terms.takeover_wait_s
    return cost, Waits(
        terms.refund_wait_s, verdict.author_s, verdict.wait_s, takeover, takeover, verdict.quiet_s
    )


class ModelViews:
    """What a SharedModel answers, asked past Ape, which takes longer.

    Attributes:
        accounts: of the participants. model: as web3 knows it. created_at: Unix seconds.
    """

    created_at: int

    def __init__(
        self, model: Any, classifier: Any, twin: SparsePerceptron, accounts: list[str]
    ) -> None:
        """model, classifier: as Ape knows them."""
        self.accounts = accounts
        self.model = self._contract(model)
        self._classifier = self._contract(classifier)
        # Put together once: web3 does so for each call.
        self._events_by_topic = {event().topic: event() for event in self.model.events}
        self._codecs: dict[tuple[str, str], tuple[bytes, list[str], list[str]]] = {}
        self._words = twin.word_count

    @property
    def replaying(self) -> bool:
        """Whether what happens has happened in an earlier life, so that views are ahead of it."""
        return False

    def ask(self, view: str, *arguments: Any) -> Any:
        """The answer of the model's view of this name."""
        return self._view(self.model, view, arguments)

    def balance(self, participant: int | None = None) -> int:
        """What a participant, or else the model, holds, in wei."""
        who = self.model.address if participant is None else self.accounts[participant]
        return int(ask("eth_getBalance", [who, "latest"]), 16)

    def held_at_first(self, participant: int) -> int:
        """What a participant held when the model was made, in wei."""
        return self.balance(participant)

    def words(self) -> list[int]:
        """The classifier's words as they stand."""
        return list(self._view(self._classifier, "exportWords", (0, self._words)))

    def _view(self, contract: Any, view: str, arguments: Sequence[Any]) -> Any:
        # web3's own way asks for the chain's number before and after every call.
        data = self._encoded(contract, view, arguments)
        answer = ask("eth_call", [{"to": contract.address, "data": data}, "latest"])
        *_, types = self._codec(contract, view)
        values = ape.chain.provider.web3.codec.decode(types, bytes.fromhex(answer[2:]))
        return values[0] if len(values) == 1 else values

    def _encoded(self, contract: Any, call: str, arguments: Sequence[Any]) -> str:
        selector, types, _ = self._codec(contract, call)
        data: bytes = selector + ape.chain.provider.web3.codec.encode(types, list(arguments))
        return "0x" + data.hex()

    def _codec(self, contract: Any, call: str) -> tuple[bytes, list[str], list[str]]:
        """The selector of a call, and the types of its arguments and of its answer."""
        key = contract.address, call
        if key not in self._codecs:
            abi = contract.get_function_by_name(call).abi
            inputs, outputs = ([one["type"] for one in abi[side]] for side in ("inputs", "outputs"))
            self._codecs[key] = function_abi_to_4byte_selector(abi), inputs, outputs
        return self._codecs[key]

    def _contract(self, instance: Any) -> Any:
        abi = instance.contract_type.model_dump(mode="json", by_alias=True)["abi"]
        return ape.chain.provider.web3.eth.contract(address=instance.address, abi=abi)

    def events_of(self, logs: Sequence[Any]) -> Any:
        """The model's own events among logs as web3 has them, (name, arguments)."""
        for log in logs:
            if log["address"] == self.model.address:
                topic = "0x" + bytes(log["topics"][0]).hex()
                told = self._events_by_topic[topic].process_log(log)
                yield told["event"], dict(told["args"])


class SharedModelChain(ModelViews):
    """A fresh SharedModel of a SparsePerceptron under the terms, on the connected Anvil.

    Goes past Ape for all that comes after the deployment: Anvil signs for the accounts it
    unlocked, so that a call takes milliseconds. Every block has the time of the one before until
    `go_to`; `close` hands the clock back.
    """

    def __init__(self, twin: SparsePerceptron, terms: StakeTerms, people: Sequence[Any]) -> None:
        """twin: the first model. terms: in wei. people: the owner, then the participants."""
        cost, waits = of_contracts(terms)
        owner, *participants = people
        deploy = {"sender": owner}
        project = ape.project
        classifier = project.SparsePerceptron.deploy(
            owner, twin.feature_count, twin.max_active, **deploy
        )
        classifier.initialise(0, twin.words(), **deploy)
        stake = terms.cost_weight, cost, terms.unit, astuple(waits)
        if terms.stated_accuracy is None:
            incentive = project.StakeIncentive.deploy(*stake, **deploy)
        else:
            incentive = project.EntropyIncentive.deploy(
                *stake, classifier, terms.stated_accuracy, **deploy
            )
        self._request("anvil_setBlockTimestampInterval", 0)
        model = project.SharedModel.deploy(
            classifier, incentive, ZERO_ADDRESS, owner, _NO_TASK, **deploy
        )
        classifier.open(model, **deploy)
        super().__init__(model, classifier, twin, [str(one.address) for one in participants])
        self.created_at = int(model.lastUpdate())
        self._at = self.created_at

    def close(self) -> None:
        """From now on the chain's clock runs as usual."""
        self._request("anvil_removeBlockTimestampInterval")

    def go_to(self, seconds: int) -> None:
        """The next block is so many seconds after the model was made."""
        if self.created_at + seconds != self._at:
            self._at = self.created_at + seconds
            self._request("evm_setNextBlockTimestamp", self._at)

    def send(self, call: str, arguments: Sequence[Any], participant: int, value: int = 0) -> Sent:
        """Calls the model. Raises CallRefused where the transaction fails."""
        who = self.accounts[participant]
        transaction = {
            "from": who,
            "to": self.model.address,
            "data": self._encoded(self.model, call, arguments),
            "value": hex(value),
            "gas": hex(_GAS_LIMIT),
        }
        sent = self._request("eth_sendTransaction", transaction)
        receipt = ape.chain.provider.web3.eth.wait_for_transaction_receipt(
            sent, timeout=_RECEIPT_SECONDS, poll_latency=_POLL_SECONDS
        )
        if not receipt["status"]:
            raise CallRefused(f"{call} by {who} was refused, {self._at - self.created_at} s on")
        block = ape.chain.provider.web3.eth.get_block(receipt["blockNumber"])
        if block["timestamp"] != self._at:
            raise CallRefused(f"{call} came at {block['timestamp']} instead of {self._at}")
        fees = receipt["gasUsed"] * receipt["effectiveGasPrice"]
        events = tuple(self.events_of(receipt["logs"]))
        return Sent(receipt["gasUsed"], fees, events, self._at - self.created_at)

    def _request(self, method: str, *arguments: Any) -> Any:
        answer = ape.chain.provider.web3.provider.make_request(method, list(arguments))
        if "error" in answer:
            raise CallRefused(f"{method}: {answer['error'].get('message', answer['error'])}")
        return answer["result"]
