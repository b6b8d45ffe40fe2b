"""The adapter between roles and chain: events in, transactions out, each with its receipt."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from types import ModuleType
from typing import Any

import ape
import click
from ape.api import AccountAPI, ReceiptAPI, TransactionAPI
from ape.contracts import ContractInstance
from ape.exceptions import ApeException, ContractLogicError, CustomError
from ape.types import ContractLog

from offchain.hyperx import actions as do
from offchain.hyperx import events as ev
from offchain.hyperx.session import Clock, Session
from offchain.hyperx.terms import NATIVE, Settlement, Terms
from scripts._stage.money import erc20

POLL_SECONDS = 15
"""How often a chain that is not local is asked what others did."""


class ActionRefused(click.ClickException):
    """The chain would not do it; one line that says who wanted what and why not.

    Attributes:
        receipt: of the transaction, where one was sent all the same and paid for.
    """

    def __init__(self, message: str, failed: TransactionAPI | ReceiptAPI | None = None) -> None:
        super().__init__(message)
        self.receipt = failed.receipt if isinstance(failed, TransactionAPI) else failed


@dataclass(frozen=True)
class Receipt:
    """One transaction: who, which call, what it cost, and where to find it."""

    account: str
    call: str
    gas: int
    fees: int
    tx: str


class ChainSession:
    """One TradingSession on the connected chain.

    Attributes:
        contract: the session. created: block in which it was made. terms: its terms.
        receipts: of all transactions sent, those that failed included.
        refused: calls that the chain would not take.
    """

    def __init__(self, contract: ContractInstance, created: int) -> None:
        self.contract = contract
        self.created = created
        self.receipts: list[Receipt] = []
        self.refused: list[str] = []
        self.terms = read_terms(contract)

    @classmethod
    def create(cls, factory: ContractInstance, terms: Terms, collector: AccountAPI) -> ChainSession:
        """Creates a session under `terms` and pays its escrow."""
        arguments = _plain(terms)
        escrow = factory.escrowOf(arguments)
        receipts = approve(terms.token, collector, factory.address, escrow)
        value = escrow if terms.token == NATIVE else 0
        receipt = transact(factory.createSession, (arguments,), collector, value)
        (event,) = factory.SessionCreated.from_receipt(receipt)
        session = cls(ape.project.TradingSession.at(event.session), receipt.block_number)
        session.receipts += [*receipts, entry_of("createSession", receipt)]
        return session

    @classmethod
    def resume(cls, factory: ContractInstance, address: str) -> ChainSession:
        """A session made before. Raises ActionRefused if this factory did not make it."""
        for log in _logs(factory, 0):
            created = log.event_arguments["session"]
            if created.lower() == address.lower():
                return cls(ape.project.TradingSession.at(created), log.block_number)
        raise ActionRefused(f"{address} is no session of the factory at {factory.address}")

    @property
    def address(self) -> str:
        """0x address of the session."""
        return str(self.contract.address)

    def fees(self) -> dict[str, int]:
        """Fees by account, in wei."""
        totals: dict[str, int] = defaultdict(int)
        for receipt in self.receipts:
            totals[receipt.account] += receipt.fees
        return dict(totals)

    def read(self) -> Session:
        """The session as its events tell it, read anew: a reorganisation changes what they say."""
        session = Session(ape.chain.chain_id, self.address, self.terms)
        for event in self.events():
            session.apply(event)
        return session

    def events(self) -> list[ev.Event]:
        """All events so far, in order."""
        return [event_of(log, ev) for log in _logs(self.contract, self.created)]

    def send(self, action: do.Action, account: AccountAPI) -> Receipt:
        """Does what a role wants done. Raises ActionRefused with the contract's reason."""
        name = type(action).__name__
        call = name[0].lower() + name[1:]
        value = 0
        if isinstance(action, do.Register):
            if self.terms.token == NATIVE:
                value = self.terms.deposit
            else:
                self.receipts += approve(
                    self.terms.token, account, self.address, self.terms.deposit
                )
        try:
            receipt = transact(getattr(self.contract, call), _plain(action), account, value)
        except ActionRefused as error:
            self.refused.append(call)
            if error.receipt:
                self.receipts.append(entry_of(call, error.receipt))
            raise
        self.receipts.append(entry_of(call, receipt))
        return self.receipts[-1]


def approve(token: str, owner: AccountAPI, spender: str, amount: int) -> list[Receipt]:
    """Lets `spender` draw `amount` of an ERC-20; nothing to do for the native coin."""
    if token == NATIVE:
        return []
    receipt = transact(erc20(token).approve, (spender, amount), owner, 0)
    return [entry_of("approve", receipt)]


def balance_of(token: str, account: str) -> int:
    """What `account` holds of the coin that pays."""
    if token == NATIVE:
        return int(ape.chain.provider.get_balance(account))
    return int(erc20(token).balanceOf(account))


def read_terms(contract: ContractInstance) -> Terms:
    """The terms of a session, in one call."""
    # Traced, as `ape test --gas` does with views, a call that returns a struct yields nothing.
    values = contract.terms(skip_trace=True)
    names = [_snake(name) for name in values.__dataclass_fields__] if is_dataclass(values) else []
    if not names:
        names = [field.name for field in fields(Terms)]
    fields_ = {n: _native(v) for n, v in zip(names, values, strict=True)}
    return Terms(**fields_ | {"settlement": Settlement(fields_["settlement"])})


def clock() -> Clock:
    """Time and height of the next block."""
    return Clock(ape.chain.pending_timestamp, ape.chain.blocks.height + 1)


def wait_until(timestamp: int) -> None:
    """Lets time pass: to `timestamp` on a local chain, elsewhere a little, since others act."""
    if ape.chain.provider.network.is_local:
        ape.chain.pending_timestamp = timestamp
        ape.chain.mine()
        return
    time.sleep(min(POLL_SECONDS, max(1, timestamp - ape.chain.blocks.head.timestamp)))


def next_block() -> None:
    """Lets one block pass."""
    if ape.chain.provider.network.is_local:
        ape.chain.mine()
        return
    height = ape.chain.blocks.height
    while ape.chain.blocks.height == height:
        time.sleep(1)


def _logs(contract: ContractInstance, first: int) -> Iterable[ContractLog]:
    """All events of a contract since block `first`, in order."""
    query = {"address": str(contract.address), "fromBlock": hex(first), "toBlock": "latest"}
    logs = ape.chain.provider.make_request("eth_getLogs", [query])
    ecosystem = ape.chain.provider.network.ecosystem
    return ecosystem.decode_logs(logs, *contract.contract_type.events)


def transact(
    method: Any, arguments: Any, account: AccountAPI, value: int = 0, note: bytes = b""
) -> ReceiptAPI:
    """One call, with `note` behind its arguments. Raises ActionRefused with the reason."""
    call = str(method).partition("(")[0]
    try:
        if not note:
            return method(*arguments, sender=account, value=value)
        transaction = method.as_transaction(*arguments, sender=account, value=value)
        transaction.data = type(transaction.data)(bytes(transaction.data) + note)
        return account.call(transaction)
    except CustomError as error:
        values = ", ".join(f"{name} {_shown(value)}" for name, value in error.inputs.items())
        raise ActionRefused(
            f"{call} by {account.address} refused: {error.name}{values and f' ({values})'}",
            error.txn,
        ) from error
    except ContractLogicError as error:
        raise ActionRefused(f"{call} by {account.address} refused: {error}", error.txn) from error
    except ApeException as error:
        raise ActionRefused(f"{call} by {account.address} failed: {error}") from error


def _shown(value: Any) -> str:
    """An error's argument, for people."""
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def entry_of(call: str, receipt: ReceiptAPI) -> Receipt:
    """What is kept of a transaction."""
    return Receipt(
        str(receipt.sender), call, receipt.gas_used, receipt.total_fees_paid, receipt.txn_hash
    )


def event_of(log: ContractLog, kinds: ModuleType) -> Any:
    """A log as the class of its name in `kinds`."""
    kind = getattr(kinds, log.event_name)
    return kind(**{_snake(name): _native(v) for name, v in log.event_arguments.items()})


def _plain(value: Any) -> Any:
    """Dataclasses as the tuples of their fields, all the way down, as the ABI wants them."""
    if is_dataclass(value):
        return tuple(_plain(getattr(value, field.name)) for field in fields(value))
    return list(value) if isinstance(value, tuple) else value


def _native(value: Any) -> Any:
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, (list, tuple)):
        return tuple(_native(v) for v in value)
    if isinstance(value, (bool, int)):
        return value
    return str(value)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
