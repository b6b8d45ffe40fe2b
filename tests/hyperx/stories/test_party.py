"""What single parties' commands refuse before anything is sent, and where they keep things."""

from __future__ import annotations

from dataclasses import replace

import click
import pytest

from scripts import provide
from scripts._hyperx import collecting, providing
from scripts._hyperx.options import OpenOptions, ProvideOptions
from scripts._stage.accounts import load
from scripts._stage.chain import HOME, alone, chain_home
from scripts._stage.party import party_account
from scripts._stage.party_options import name_of
from scripts.open import cli
from tests.kit.options import options_of


def test_other_terms_are_another_session_and_other_ways_to_say_it_are_not(project) -> None:
    plain = {"class_name": (), "peer": (), "contact": (), "account": "carol"}
    options = options_of(cli, OpenOptions, **plain)
    name = name_of(options)
    assert name_of(replace(options, yes=True, peer=("/ip4/1.2.3.4",))) == name
    assert name_of(replace(options, pay_to="TEST::4"), "pay_to") == name_of(options, "pay_to")
    assert name_of(replace(options, reward="2 ether")) != name


@pytest.mark.parametrize("command", ["open", "provide"])
def test_who_is_paid_in_ones_place_is_an_account(project, monkeypatch, command) -> None:
    """Told before anything is loaded, let alone paid."""
    module = {"open": collecting, "provide": providing}[command]
    monkeypatch.setattr(module, "party_account", lambda *_: load("TEST::1", True))
    run = {"open": collecting.run_open, "provide": lambda one: providing.run_provide("0x", one)}
    plain = {"class_name": (), "peer": (), "pay_to": "nobody", "as_json": True}
    kind, options = {"open": (OpenOptions, cli), "provide": (ProvideOptions, provide.cli)}[command]
    more = {"open": {"contact": ()}, "provide": {}}[command]
    with pytest.raises(click.ClickException, match="pay-to: 'nobody' is no account"):
        run[command](options_of(options, kind, **plain, **more))


def test_a_chain_whose_time_stands_still_has_no_room_for_strangers(project) -> None:
    """Nobody would ever see a window end."""
    assert alone()
    with pytest.raises(click.ClickException, match="anvil --block-time 1"):
        party_account("TEST::1", True)


@pytest.mark.parametrize("alias", ["TEST::30", "TEST::x", "TEST::-1"])
def test_a_test_account_that_does_not_exist_is_named(project, alias) -> None:
    with pytest.raises(click.ClickException, match=f"there is no {alias}: they go from 0 to 29"):
        load(alias, True)


def test_each_party_and_each_local_chain_has_a_place_of_its_own(
    project, tmp_path, monkeypatch
) -> None:
    here = chain_home()
    monkeypatch.setenv(HOME, str(tmp_path))
    assert chain_home().parent == tmp_path
    assert chain_home().name == here.name
    assert len(here.name.split("-")[1]) == 8
