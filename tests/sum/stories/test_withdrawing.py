"""What a shared model owes beside deposits is taken out by a command, to whichever account."""

from __future__ import annotations

import json

import click
import pytest
from eth_account import Account

from offchain.crypto.settlement import NATIVE
from scripts._stage.deployments import deployments_path, note_what_is_there
from scripts._stage.money import balance_of
from scripts._stage.party import WithdrawOptions
from scripts._sum import withdrawing
from tests.sum.stories.made_texts import write_csv
from tests.sum.stories.rehearsal import Rehearsal


def test_what_was_paid_too_much_is_taken_out_once(
    project, tmp_path, accounts, monkeypatch, capsys
) -> None:
    texts = write_csv(tmp_path / "few.csv", [("lovely", "positive"), ("awful", "negative")])
    made = Rehearsal(tmp_path, accounts[1], texts=texts, epochs=1)
    note_what_is_there(deployments_path(tmp_path / "deployments"))
    sample = made.preprocessing.bitmap(made.preprocessing.features("lovely"))
    anna, most = accounts[2], 10**18
    made.model.contract.addData(sample, 1, most, most, sender=anna, value=most)
    owed = made.model.owed(str(anna.address))
    assert owed > 0

    purse = str(Account.from_key(b"\5" * 32).address)
    options = WithdrawOptions("", True, purse, tmp_path / "deployments", as_json=True)
    monkeypatch.setattr(withdrawing, "party_account", lambda *_: anna)
    capsys.readouterr()
    withdrawing.run_withdraw(made.model.address, options)
    told = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert told == ["sent", "paid"]
    assert balance_of(NATIVE, purse) == owed
    with pytest.raises(click.ClickException, match="deposits come back by ape run teach"):
        withdrawing.run_withdraw(made.model.address, options)
