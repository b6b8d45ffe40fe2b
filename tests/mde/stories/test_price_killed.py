"""A process that plays a deal is killed after every write and every send, and the deal goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ape
import pytest

from tests.kit.killed import Life, live
from tests.kit.snapshots import undone
from tests.mde.stories.small_deal import BUYER, SELLER, WINDOW, deal, kinds
from tests.offchain.mde.small import drawn

CALLS = ["Posted", "Registered", "Quoted", "Purchased", "KeySealed", "Settled"]
CALLS += ["Withdrawn", "Withdrawn"]


@dataclass(frozen=True)
class Ended:
    """What a deal left behind. gained: balances of the parties less what they had, gas set aside;
    sent: transactions of each; events: their names, in order; bought: hashes of samples."""

    gained: list[int]
    sent: list[int]
    events: list[str]
    bought: list[str]


class Dealing:
    """A deal on a fresh contract, whose processes are all killed but the last."""

    def __init__(self, contract: Any, home: Path) -> None:
        self.contract, self.home = contract, home
        self.accounts = [ape.accounts.test_accounts[number] for number in (BUYER, SELLER)]
        self.first = ape.chain.blocks.height
        until = int(ape.chain.pending_timestamp) + 20 * WINDOW
        self.arguments = (contract.address, self.first, until, home)
        self.before = [(account.balance, account.nonce) for account in self.accounts]

    def live(self, kill_after: int | None = None) -> Life:
        """One process."""
        return live(deal, *self.arguments, kinds=kinds, kill_after=kill_after)

    def secrets(self) -> dict[str, str]:
        """All that is in secrets files."""
        return {
            name: value
            for path in self.home.glob("*.json")
            if path.name in ("buyer.json", "seller.json")
            for name, value in json.loads(path.read_text()).items()
        }

    def stands(self) -> tuple[int, int, int]:
        """How far it is: transactions, letters and secrets."""
        sent = sum(account.nonce for account in self.accounts)
        return sent, len(list(self.home.glob("letters/*"))), len(self.secrets())

    def ended(self) -> Ended:
        """What it left behind."""
        receipts = [
            ape.chain.provider.get_receipt(transaction.txn_hash.to_0x_hex())
            for number in range(self.first + 1, ape.chain.blocks.height + 1)
            for transaction in ape.chain.provider.get_transactions_by_block(number)
        ]
        fees = [
            sum(one.total_fees_paid for one in receipts if one.sender == account.address)
            for account in self.accounts
        ]
        return Ended(
            [
                account.balance - balance + paid
                for account, (balance, _), paid in zip(
                    self.accounts, self.before, fees, strict=True
                )
            ],
            [
                account.nonce - nonce
                for account, (_, nonce) in zip(self.accounts, self.before, strict=True)
            ],
            [log.event_name for receipt in receipts for log in receipt.decode_logs()],
            json.loads((self.home / "bought.json").read_text()),
        )


@pytest.fixture
def dealing(project, deployer, tmp_path):
    """Makes a deal in a folder."""
    return lambda name: Dealing(deployer.deploy(project.DatasetSale), tmp_path / name)


def test_a_deal_whose_processes_are_killed_after_every_write_and_send_ends_the_same(dealing):
    """Nothing is sent twice, no key is made anew, money and data are those of a quiet life."""
    with undone():
        quiet = dealing("quiet")
        life = quiet.live()
        expected = quiet.ended()
    assert expected.events == CALLS
    assert life.steps.count("send_transaction") == len(CALLS)
    assert expected.bought == [one.hex() for one in drawn(8, 9).hashes()]
    assert expected.gained[0] == -expected.gained[1] < 0
    with undone():
        killed = dealing("killed")
        deaths, kill_after = 0, 1
        while True:
            stood, secrets = killed.stands(), killed.secrets()
            if not killed.live(kill_after).killed:
                break
            deaths += 1
            assert deaths < 3 * len(life.steps), "what was done is done again and again"
            assert secrets.items() <= killed.secrets().items()
            # What was written again, as it was before, is no progress: the next one lives longer.
            kill_after = 1 if killed.stands() != stood else kill_after + 1
        assert killed.ended() == expected
    assert deaths >= len(life.steps)
