"""A server and three members that train together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ape
import pytest
from eth_account import Account
from eth_hash.auto import keccak

from offchain.seccl.choose import EnginePicker
from offchain.seccl.partition import divided
from scripts._seccl.options import FederateOptions
from scripts._seccl.party_options import VALIDATION
from scripts._seccl.play import federate
from scripts.federate import cli
from tests.kit.options import options_of
from tests.kit.strangers import fees, write_pictures
from tests.market.plays import LICENCE, SECCL
from tests.seccl.stories.test_strangers import data, rgb


def members() -> list[str]:
    """In the order of their addresses, which is the session's."""

    def number(party: str) -> int:
        key = keccak(SECCL.alias(party).encode())
        return int(Account.from_key(key).address, 16)

    return sorted(SECCL.joining, key=number)


def looped(made: Any) -> Any:
    """Makes a picker that measures nothing: on two busy cores that takes long."""

    def make(self: EnginePicker, rounds: int) -> None:
        made(self, rounds)
        self.name = "loop"

    return make


def equip(folder: Path) -> None:
    """Writes everybody's pictures."""
    test, parts = data()
    for party, own in zip([SECCL.first, *members()], [test, *parts], strict=True):
        write_pictures(folder / party / "pictures", own)


def rehearse(folder: Path) -> dict[str, int]:
    """What each gains, in wei."""
    test, parts = data()
    options = options_of(
        cli,
        FederateOptions,
        participants=3,
        rounds=2,
        winners=0.67,
        batch=8,
        epochs=4,
        hours=0.7,
        licence=LICENCE,
    )
    held = [divided(rgb(part), VALIDATION, options.seed) for part in parts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FederateOptions, "data", lambda *_: (held, rgb(test)))
        patch.setattr(EnginePicker, "__init__", looped(EnginePicker.__init__))
        _, server, *accounts = ape.accounts.test_accounts[:5]
        accounts = [server, *sorted(accounts, key=lambda one: int(one.address, 16))]
        before = [one.balance for one in accounts]
        federate(options, folder / "reports", folder / "kept", None, None)
    uri = ape.chain.provider.uri
    return {
        party: one.balance - was + fees(uri, str(one.address))
        for party, one, was in zip([SECCL.first, *members()], accounts, before, strict=True)
    }
