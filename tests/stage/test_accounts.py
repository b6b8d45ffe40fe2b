"""Whose accounts sign: the keystore's and hardware wallets', and nobody's whose key all know."""

from __future__ import annotations

from types import SimpleNamespace

import click
import pytest

from scripts._stage import accounts


@pytest.fixture
def wallets(monkeypatch) -> SimpleNamespace:
    """Accounts by alias, on a chain that is not local."""
    found = SimpleNamespace(by_alias={}, test_accounts=[SimpleNamespace(address="0xTest")])
    found.load = found.by_alias.__getitem__
    monkeypatch.setattr(accounts, "is_local", lambda: False)
    network = SimpleNamespace(name="sepolia")
    chain = SimpleNamespace(provider=SimpleNamespace(network=network))
    monkeypatch.setattr(accounts, "ape", SimpleNamespace(accounts=found, chain=chain))
    return found


@pytest.mark.parametrize("unasked", [False, True])
def test_a_hardware_wallet_plays_unasked_or_not(wallets, unasked):
    """Its plugin's account signs on the device alone, and has no way to be told otherwise."""
    wallets.by_alias["ledger"] = SimpleNamespace(address="0xLedger")
    assert accounts.load("ledger", unasked).address == "0xLedger"


@pytest.mark.parametrize("unasked", [False, True])
def test_a_keystores_account_signs_unasked_where_that_is_wanted(wallets, unasked):
    said = []
    anna = SimpleNamespace(address="0xAnna", set_autosign=said.append)
    wallets.by_alias["anna"] = anna
    assert accounts.load("anna", unasked) is anna
    assert said == [True] * unasked


@pytest.mark.parametrize("alias", ["TEST::0", "known"])
def test_nobody_plays_off_a_local_chain_with_a_key_that_everybody_knows(wallets, alias):
    wallets.by_alias["known"] = wallets.test_accounts[0]
    said = "whose key everybody knows: not on sepolia|no keystore account called 'TEST::0'"
    with pytest.raises(click.ClickException, match=said):
        accounts.load(alias, True)
