"""What anybody may do for parties that are away: steps that are due, and bring nobody anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import click
from ape.api import AccountAPI

from offchain.roles import PutOff
from offchain.storage import DatastoreUnavailable
from scripts._stage.chain import ActionRefused, clock, look, next_block, transact
from scripts._stage.errors import PEOPLES_ERRORS, reason_of
from scripts._stage.party import PartyTelling
from scripts._stage.pulse import STANDING


@dataclass(frozen=True)
class Duty:
    """One call that is due and that anybody may make, free of charge but for gas.

    Attributes:
        reference: of what it is about, as browse tells it. what: in words.
        method: of a contract. arguments: of the call.
    """

    reference: str
    what: str
    method: Any
    arguments: tuple[Any, ...] = ()

    @property
    def wish(self) -> tuple[Any, ...]:
        """What makes it this one and no other."""
        return self.reference, str(self.method), self.arguments


def keep(
    duties: Sequence[Callable[[], Iterable[Duty]]],
    account: AccountAPI,
    telling: PartyTelling,
    *,
    once: bool = False,
) -> None:
    """Does what is due at each block, until Stopped; `once`: what is due now.

    duties: of each mechanism; what was told before one's cannot be read is done, and the others'
    all the same.
    Others may be faster, and what is refused is due no more or tried again later.
    """
    put_off = PutOff()
    STANDING.account = str(account.address)
    while True:
        look()
        put_off.now = clock().now
        for of_one in duties:
            try:
                for duty in of_one():
                    if duty.wish not in put_off:
                        _do(duty, account, telling, put_off)
            except DatastoreUnavailable as error:
                STANDING.errors += 1
                telling.event("datastore_silent", reason=str(error))
            except (*PEOPLES_ERRORS, click.ClickException) as error:
                STANDING.errors += 1
                telling.event("chain_silent", reason=reason_of(error))
        if once:
            return
        next_block()


def _do(duty: Duty, account: AccountAPI, telling: PartyTelling, put_off: PutOff) -> None:
    try:
        receipt = transact(duty.method, duty.arguments, account)
    except (ActionRefused, click.ClickException) as error:
        STANDING.errors += 1
        put_off.add(duty.wish)
        telling.refused("keeper", error)
        return
    STANDING.sent += 1
    telling.event(
        "kept",
        about=duty.reference,
        done=duty.what,
        gas=int(receipt.gas_used),
        transaction=str(receipt.txn_hash),
    )
