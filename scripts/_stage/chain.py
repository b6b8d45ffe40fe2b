"""The connected chain: transactions sent, each with its receipt, logs read, time passed."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import ape
import click
from ape.api import AccountAPI, BlockAPI, ReceiptAPI, TransactionAPI
from ape.contracts import ContractInstance
from ape.exceptions import ContractLogicError, CustomError
from ape.types import ContractLog
from eth_utils.address import is_hex_address, to_checksum_address
from requests import RequestException
from web3.exceptions import TransactionNotFound

from offchain.report.text import amount
from offchain.roles import Clock
from scripts._stage.errors import PEOPLES_ERRORS, reason_of
from scripts._stage.index import LAG_SECONDS, Index, NodeRefused, Query
from scripts._stage.node import AccountSigner, ConnectedNode, ConnectedPool
from scripts._stage.outbox import Look, LookAgain, Outbox, Patience
from scripts._stage.pool import GWEI, Call, NodeBusy
from scripts._stage.pulse import PULSE, STANDING
from scripts._stage.reorganisations import outlast, waits_for_what_it_answers, why_not

POLL_SECONDS = 15
"""How often a chain that is not local is asked what others did."""
LOCAL_POLL_SECONDS = 0.5
"""The same of a local one that others share."""
HOME = "SOUK_HOME"
"""Environment variable: where secrets, content, index and outbox lie instead of the project's
.souk/, so that several parties live on one machine."""

MOST_GAS = 16_777_216
"""Of a transaction (EIP-7825)."""

SHOWING = frozenset({"publishKey", "sealKey", "deliverKey", "claimReward", "submitReview"})
"""Calls that show somebody a key, also where a chain refuses them."""

MOST_FEE = ContextVar("MOST_FEE", default=200 * GWEI)
"""Wei for a unit of gas at most, on a chain that is not local; the user's choice."""

_LOOK: ContextVar[Look | None] = ContextVar("_LOOK", default=None)
"""What of the chain was known when what is sent next was decided on."""


def alone() -> bool:
    """Whether the chain stands still but for this process, which then may move its time.

    So does a local one that mines when it is sent something; one whose blocks come by themselves
    is shared, and nobody moves its time.
    """
    return bool(ape.chain.provider.network.is_local) and _mines_at_once(ape.chain.provider.uri)


def node_told() -> str:
    """Which local node is meant, for an error that another node would not have; of others nothing,
    as keys are in their addresses."""
    if not ape.chain.provider.network.is_local:
        return ""
    return f" at {getattr(ape.chain.provider, 'uri', '')} (APE_FOUNDRY_HOST names another)"


@cache
def _mines_at_once(uri: str) -> bool:
    """Whether the local node at `uri` mines a block for each transaction."""
    return bool(ape.chain.provider.make_request("anvil_getAutomine", []))


class ActionRefused(click.ClickException):
    """The chain would not do it; one line that says who wanted what and why not.

    Attributes:
        receipt: of the transaction, where one was sent all the same and paid for.
        by_contract: whether a contract refused it; else node, fee or line stood in the way.
    """

    def __init__(
        self,
        message: str,
        failed: TransactionAPI | ReceiptAPI | None = None,
        *,
        by_contract: bool = False,
    ) -> None:
        super().__init__(message)
        self.receipt = failed.receipt if isinstance(failed, TransactionAPI) else failed
        self.by_contract = by_contract


class Waited(ActionRefused):
    """Nobody refused it: it was not sent, as time passed since it was decided on."""


@dataclass(frozen=True)
class Receipt:
    """One transaction: who, which call, what it cost, and where to find it."""

    account: str
    call: str
    gas: int
    fees: int
    tx: str


def clock() -> Clock:
    """Time and height of the next block.

    Of the newest one where gas is estimated: nodes estimate there, and refuse what would be right
    in the next block alone. Raises NodeBusy.
    """
    if alone() and ape.chain.provider.network.gas_limit == "max":
        return Clock(ape.chain.pending_timestamp, ape.chain.blocks.height + 1)
    newest = _newest()
    return Clock(int(newest.timestamp), int(newest.number))


def look() -> None:
    """What is sent from now on is decided by what the chain is now, and not before.

    Whoever decides by what it reads looks first: an equal call that was sent before stands for one
    that is wanted since it is not there, and not for one that is wanted though it is. Raises
    NodeBusy, NodeRefused.
    """
    if not alone():
        newest = ConnectedNode().block(None)
        _LOOK.set(Look(newest) if newest else None)


def poll_seconds() -> float:
    """How often the connected chain is asked what others did."""
    return LOCAL_POLL_SECONDS if ape.chain.provider.network.is_local else POLL_SECONDS


def wait_until(timestamp: int) -> None:
    """Lets time pass: to `timestamp` on a local chain, elsewhere a little, since others act.

    Meanwhile what the party has sent stays in the chain, whatever is taken back of that.
    """
    if alone():
        if timestamp > now():
            ape.chain.pending_timestamp = timestamp
        ape.chain.mine()
        return
    if STANDING.account:
        with suppress(NodeBusy, NodeRefused):  # then at the next look
            _outbox().keep(STANDING.account)
    left = max(1, timestamp - now())
    PULSE.rest(min(poll_seconds(), left))


def outlast_reorganisations() -> None:
    """Before a party leaves: what it sent comes to lie so deep that nothing takes it back. Not
    where the node does not answer. A local chain takes nothing back."""
    if STANDING.account and not ape.chain.provider.network.is_local:
        with suppress(NodeBusy, NodeRefused):
            outlast(_outbox(), STANDING.account, poll_seconds())


def next_block() -> None:
    """Lets one block pass: mined at once on a local chain, else waited for."""
    if alone():
        ape.chain.mine()
        return
    height = _newest().number
    while _newest().number == height:
        PULSE.rest(LOCAL_POLL_SECONDS if ape.chain.provider.network.is_local else 1)


def transact(method: Any, arguments: Any, account: AccountAPI, value: int = 0) -> ReceiptAPI:
    """One call. Raises ActionRefused with the reason.

    On a chain that is not local it is simulated first, so that a refusal costs nothing, and sent
    by way of the outbox.
    """
    call = str(method).partition("(")[0]
    try:
        if not alone():
            return _sent(call, method, arguments, account, value)
        return method(*arguments, sender=account, value=value)
    except CustomError as error:
        values = ", ".join(f"{name} {_shown(value)}" for name, value in error.inputs.items())
        raise ActionRefused(
            f"{call} by {account.address} refused: {error.name}{values and f' ({values})'}",
            error.txn,
            by_contract=True,
        ) from error
    except ContractLogicError as error:
        raise ActionRefused(
            f"{call} by {account.address} refused: {error}", error.txn, by_contract=True
        ) from error
    except PEOPLES_ERRORS as error:
        raise ActionRefused(f"{call} by {account.address} failed: {reason_of(error)}") from error


def _sent(name: str, method: Any, arguments: Any, account: AccountAPI, value: int) -> ReceiptAPI:
    """A call by way of the outbox: simulated, sent once, waited for."""
    _check_funds(account, value)
    transaction = method.as_transaction(*arguments, sender=account, value=value)
    receiver = str(transaction.receiver)
    if why := why_not(receiver, value, poll_seconds()):
        raise ActionRefused(f"{account.address} to {receiver}: {why}")
    data = bytes(transaction.data)
    if name in SHOWING and not ape.chain.provider.network.is_local:
        call = {"from": str(account.address), "to": receiver, "data": f"0x{data.hex()}"}
        if waits_for_what_it_answers(call, poll_seconds()):
            raise Waited(
                f"{name} by {account.address} waited: whether it is due is to be read again"
            )
    return _post(account, receiver, data, value)


def send_data(account: AccountAPI, to: str, data: bytes) -> ReceiptAPI:
    """Data to an address that is no contract of ours. Raises ActionRefused with the reason."""
    try:
        if alone():
            return account.transfer(to, 0, data=data)
        _check_funds(account, 0)
        return _post(account, to, data, 0)
    except PEOPLES_ERRORS as error:
        raise ActionRefused(f"{account.address} to {to} failed: {reason_of(error)}") from error


def _check_funds(account: AccountAPI, value: int) -> None:
    """Raises ActionRefused where an account cannot pay; nodes say it each in its own way."""
    held = ape.chain.provider.get_balance(account.address)
    if held <= value:
        has, needs = amount(held, 18), amount(value, 18)
        raise ActionRefused(f"{account.address} has {has} ETH, {needs} ETH and gas are needed")


def _post(account: AccountAPI, to: str, data: bytes, value: int) -> ReceiptAPI:
    """A transaction by way of the outbox: simulated, sent once, waited for."""
    provider = ape.chain.provider
    transaction = provider.network.ecosystem.create_transaction(
        sender=account.address, receiver=to, data=data, value=value
    )
    estimate = provider.estimate_gas_cost(transaction)
    gas = max(estimate, min(estimate * 6 // 5, MOST_GAS, provider.max_gas))
    hash_ = _outbox().send(AccountSigner(account), Call(to, value, data, gas), _LOOK.get())
    try:
        receipt = provider.get_receipt(hash_)
        receipt.raise_for_status()
    except TransactionNotFound as error:
        raise LookAgain(f"{hash_} was taken back a moment after it was done: try again") from error
    return receipt


def waits(account: AccountAPI) -> bool:
    """Whether something that an account signed may still come into the chain.

    Where nobody else is nothing does: what is sent is mined at once.
    """
    return not alone() and bool(_outbox().waiting(account.address))


def _outbox() -> Outbox:
    """What was signed for the connected chain."""
    return Outbox(chain_home() / "outbox.sqlite", ConnectedPool(), patience())


def patience() -> Patience:
    """How transactions are waited for on the connected network."""
    network = ape.chain.provider.network
    block_seconds = 1 if network.is_local else network.block_time or 12
    return Patience(
        cap=MOST_FEE.get(),
        confirmations=network.required_confirmations,
        poll_seconds=min(3, block_seconds / 4),
    )


def _shown(value: Any) -> str:
    """An error's argument, for people."""
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def entry_of(call: str, receipt: ReceiptAPI) -> Receipt:
    """Sender, gas, fees and hash of a transaction, kept as its call's receipt."""
    return Receipt(
        str(receipt.sender), call, receipt.gas_used, receipt.total_fees_paid, receipt.txn_hash
    )


def event_of(log: ContractLog, kinds: ModuleType) -> Any:
    """A log as the class of its name in `kinds`."""
    kind = getattr(kinds, log.event_name)
    return kind(**{snake(name): native(v) for name, v in log.event_arguments.items()})


def plain(value: Any) -> Any:
    """Dataclasses as the tuples of their fields, all the way down, as the ABI wants them."""
    if is_dataclass(value):
        return tuple(plain(getattr(value, field.name)) for field in fields(value))
    return list(value) if isinstance(value, tuple) else value


def native(value: Any) -> Any:
    """What the ABI gave as plain Python: bytes, tuples, numbers, texts."""
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, (list, tuple)):
        return tuple(native(v) for v in value)
    if isinstance(value, (bool, int)):
        return value
    # Within structs Ape leaves addresses in lower case.
    return to_checksum_address(value) if is_hex_address(value) else str(value)


def snake(name: str) -> str:
    """A name in camel case as Python writes it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def now() -> int:
    """Time of the newest block, in Unix seconds. Raises NodeBusy."""
    return int(_newest().timestamp)


def _newest() -> BlockAPI:
    """Read once: a moment later there may be another."""
    try:
        return ape.chain.blocks.head
    except RequestException as error:
        # What the library says has the address in it, and so the user's key.
        raise NodeBusy(f"the node does not answer ({type(error).__name__})") from None


def go_to(timestamp: int) -> None:
    """Lets time pass to `timestamp`, unless that is over: at once on a chain of one's own."""
    while now() < timestamp:
        wait_until(timestamp)


def logs_of(
    address: str | None, first: int, topics: list[str | None], last: int | None = None
) -> list[dict[str, Any]]:
    """Logs in the chain's order. address, topics: None for any. first, last: blocks.

    Of a chain that is not local what was read is kept under .souk/, and read once.
    """
    if alone():
        blocks = {"fromBlock": hex(first), "toBlock": "latest" if last is None else hex(last)}
        return ConnectedNode().logs(Query(address, tuple(topics)).over(blocks))
    index, known = _index(chain_home() / "logs.sqlite"), _LOOK.get()
    logs = index.logs(address, first, topics, last)
    if known and last is None and index.end:
        known.behind(index.end)
    return logs


def chain_home() -> Path:
    """Where what is kept of the connected chain lies; of each local one in a place of its own."""
    kept = os.environ.get(HOME)
    home, name = Path(kept) if kept else Path(ape.project.path) / ".souk", str(ape.chain.chain_id)
    if ape.chain.provider.network.is_local:
        name += f"-{bytes(ape.chain.blocks[0].hash).hex()[:8]}"
    return home / name


@cache
def _index(path: Path) -> Index:
    """The index in a file, opened once."""
    block_time = ape.chain.provider.network.block_time or 12
    return Index(path, ConnectedNode(), tip=max(16, LAG_SECONDS // block_time))


def decoded(contract: ContractInstance, logs: list[dict[str, Any]]) -> list[ContractLog]:
    """The logs that are events of `contract`, decoded."""
    ecosystem = ape.chain.provider.network.ecosystem
    return list(ecosystem.decode_logs(logs, *contract.contract_type.events))


def topic(signature: str) -> str:
    """The first topic of an event, by its signature."""
    return str(ape.chain.provider.web3.keccak(text=signature).to_0x_hex())
