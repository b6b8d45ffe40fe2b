"""What the command lines of a sale's parties come to, and what is kept of a listing begun."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import click
import pytest
import torch
from click.testing import CliRunner

from offchain.crypto.settlement import Settlement
from offchain.data.datasets import load_dataset
from offchain.data.folder import in_folder_order, write_folder
from offchain.hide.errors import HideError
from offchain.hide.sale.wares import task_for
from offchain.policy import TermsRefused
from offchain.task import TaskError
from scripts import buy
from scripts import list as listing
from scripts._hide import listing as listing_module
from scripts._hide import offering
from scripts._hide.begun import Begun, Kept
from scripts._hide.masked_folder import AS_THEY_ARE, load_masked
from scripts._hide.party_options import BuyOptions, ListOptions
from tests.hide.stories.sold import small_options
from tests.hide.stories.test_strangers import masked
from tests.kit.options import options_of
from tests.kit.units import ETHER

SELLER = "0x" + "5e" * 20
GIVEN = {"account": "sara", "licence": "MIT", "prices": "1 ether,2 ether", "dataset": "digits"}


def selling(**changes: Any) -> ListOptions:
    """The command line's defaults, with these."""
    context = click.Context(listing.cli)
    defaults = {
        one.name: one.type_cast_value(context, one.get_default(context))
        for one in listing.cli.params
        if one.name not in ("network", "help", "verbosity", "most_fee", "provider_settings")
    }
    return ListOptions.parse(**(defaults | GIVEN | changes))


def buying(**changes: Any) -> BuyOptions:
    given: dict[str, Any] = {"account": "anna", "level": 1, "class_name": ()}
    return options_of(buy.cli, BuyOptions, **(given | changes))


@pytest.mark.parametrize("command", [listing, buy])
def test_every_option_has_a_word_on_it(command) -> None:
    text = CliRunner().invoke(command.cli, ["--help"]).output
    for option in command.cli.params:
        if isinstance(option, click.Option):
            assert option.opts[0] in text
            assert option.help, option.opts[0]


def test_a_listing_is_of_pictures_to_mask_or_of_masked_ones(tmp_path) -> None:
    for changes in ({"dataset": None}, {"masked": tmp_path}):
        with pytest.raises(click.ClickException, match="either --dataset, to be masked, or"):
            selling(**changes)
    assert selling(dataset=None, masked=tmp_path).masking is None


REFUSED = {
    "fall": ("2 ether,1 ether", "must rise with the levels"),
    "too many": ("1 ether,2 ether,3 ether", "prices: 3 for 2 levels"),
    "words": ("1 ether,plenty", "'plenty' is no amount"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_prices_that_do_not_fit_are_refused_before_anything_is_masked(project, what) -> None:
    prices, words = REFUSED[what]
    with pytest.raises(click.ClickException, match=words):
        selling(prices=prices).amounts()


@pytest.mark.parametrize("settlement", Settlement)
def test_funds_answer_for_so_many_sales_at_once(project, settlement) -> None:
    """Of the best level: under open settlement a sale holds its price, too."""
    options = selling(settlement=settlement.name.lower(), stake="1 gwei", sales=3)
    conditions = options.conditions(SELLER, options.amounts())
    held = 10**9 + (2 * ETHER if settlement is Settlement.OPEN else 0)
    assert conditions.funds == 3 * held
    with pytest.raises(click.ClickException, match=r"below 2\^96 fit"):
        selling(stake="70000000000 ether", sales=2).conditions(SELLER, options.amounts())


def test_the_same_is_kept_under_one_name_however_it_is_asked_for() -> None:
    """Other terms are another listing; other looks or another node are not."""
    name = selling().name
    assert selling(yes=True, as_json=True, listen="/ip4/0.0.0.0/tcp/4001").name == name
    assert selling(pay_to=SELLER, gas_price=1.0).name == name
    assert selling(device="cpu", workers=7).name == name
    for other in ({"prices": "1 ether,3 ether"}, {"hours": 2.0}, {"seed": 1}, {"account": "eve"}):
        assert selling(**other).name != name
    assert selling(workers=7).mask_name == selling(prices="3 ether,4 ether").mask_name


def test_what_was_begun_is_read_back_and_forgotten(tmp_path) -> None:
    kept = Kept(tmp_path / "listings" / "one.json")
    assert kept.read() is None
    task = task_for(load_dataset("digits", limit=20), "MIT", ("/ip4/127.0.0.1/tcp/9/p2p/x",))
    kept.write(Begun(task, 1_000, 7))
    assert kept.read() == Begun(task, 1_000, 7)
    kept.forget()
    kept.forget()
    assert kept.read() is None
    (tmp_path / "listings" / "one.json").write_text("{}")
    with pytest.raises(click.ClickException, match="is no listing"):
        kept.read()


def test_a_masked_folder_has_what_is_sold_and_what_was_measured(tmp_path) -> None:
    """A level out of reach takes its price with it."""
    masked(small_options(tmp_path), tmp_path / "masked")
    found = load_masked(tmp_path / "masked")
    assert found.wares.claimed == pytest.approx((0.1, 0.2, 0.3))
    assert (found.wares.free.name, found.wares.alone) == (AS_THEY_ARE, 0.1)
    assert found.of_reached((5, 6, 7)) == (5, 6, 7)
    with pytest.raises(HideError, match="prices: 2 for 3 levels"):
        found.of_reached((5, 6))

    levels = tmp_path / "masked" / "levels.json"
    said = json.loads(levels.read_text())
    said["unreachable"] = [{"wanted": 0.15}]
    levels.write_text(json.dumps(said))
    assert load_masked(tmp_path / "masked").of_reached((5, 6, 7, 8)) == (5, 7, 8)
    del said["network"]
    levels.write_text(json.dumps(said))
    with pytest.raises(HideError, match="is not what ape run hide writes today"):
        load_masked(tmp_path / "masked")


def test_a_buyers_limits_are_its_owners(project) -> None:
    policy = buying(most_price="1 ether", most_wait=1.0).policy()
    policy.check({"delivery time": 3_600, "price": ETHER})
    with pytest.raises(TermsRefused, match="delivery time: 3601 s, at most 3600 s"):
        policy.check({"delivery time": 3_601, "price": ETHER})
    with pytest.raises(TermsRefused, match="price: "):
        policy.check({"delivery time": 1, "price": ETHER + 1})


def test_own_pictures_are_told_by_name_and_made_grey_as_the_task_has_them(tmp_path) -> None:
    digits = in_folder_order(load_dataset("digits", limit=40))
    write_folder(digits, tmp_path / "own")
    task = task_for(digits, "MIT")
    own = buying(test=str(tmp_path / "own")).own_test(task, print, None)
    assert own is not None
    assert torch.equal(own.images, digits.images)
    assert torch.equal(own.labels, digits.labels)
    (tmp_path / "own" / "3").rename(tmp_path / "own" / "three")
    with pytest.raises(TaskError, match="classes that the task does not have: 'three'"):
        buying(test=str(tmp_path / "own")).own_test(task, print, None)
    mapped = buying(test=str(tmp_path / "own"), class_name=("three=3",))
    own = mapped.own_test(task, print, None)
    assert own is not None
    assert sorted(own.labels.tolist()) == sorted(digits.labels.tolist())
    assert buying().own_test(task, print, None) is None
    # What a stranger's task leaves open, or is not of pictures at all.
    own = mapped.own_test(replace(task, shape=(1, 0, 0)), print, None)
    assert own is not None
    assert own.shape == digits.shape
    with pytest.raises(TaskError, match="the listing is of table; pictures are what can be tried"):
        mapped.own_test(replace(task, modality="table", shape=(784,)), print, None)


def test_help_loads_no_library_that_takes_seconds() -> None:
    """`--help` answers at once."""
    code = "import json, sys, scripts.list, scripts.buy; print(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "matplotlib", "torchvision"} & set(json.loads(done.stdout))


def test_a_listing_that_is_mined_after_its_time_is_not_left_with_its_funds(monkeypatch) -> None:
    """It waits in the pool, above a fee cap or since its sender was killed."""
    listed, blocks = SimpleNamespace(listing=None), []
    played = []

    def play_kept(*_):
        played.append(listed.listing)
        return SimpleNamespace(listing=listed.listing)

    def next_block() -> None:
        blocks.append(1)
        if len(blocks) == 3:
            listed.listing = "mined"

    monkeypatch.setattr(listing_module, "play_kept", play_kept)
    monkeypatch.setattr(listing_module, "next_block", next_block)
    monkeypatch.setattr(listing_module, "waits", lambda account: True)
    seat = SimpleNamespace(account="seller")
    assert listing_module._played(None, seat, None, None, None).listing == "mined"
    assert played == [None, None, None, "mined"]
    listed.listing = None
    monkeypatch.setattr(listing_module, "waits", lambda account: False)
    assert listing_module._played(None, seat, None, None, None).listing is None


def test_a_listing_that_is_mined_as_it_is_looked_for_is_played(monkeypatch) -> None:
    """Between a look at the chain and one at what waits: else nobody would deliver or close it."""
    pool, told = ["list"], []

    def play_kept(*_):
        told.append("none" if pool else "mined")
        pool.clear()
        return SimpleNamespace(listing=None if told[-1] == "none" else "mined")

    monkeypatch.setattr(listing_module, "play_kept", play_kept)
    monkeypatch.setattr(listing_module, "next_block", lambda: None)
    monkeypatch.setattr(listing_module, "waits", lambda account: bool(pool))
    seat = SimpleNamespace(account="seller")
    assert listing_module._played(None, seat, None, None, None).listing == "mined"
    assert told == ["none", "mined"]


def test_the_same_listing_again_is_refused_in_words(monkeypatch) -> None:
    """A node that keeps its address makes the same task, and so the same id, again."""
    kept = SimpleNamespace(forgotten=0)
    kept.forget = lambda: setattr(kept, "forgotten", kept.forgotten + 1)
    chain = SimpleNamespace(reference="0xid", read=lambda: SimpleNamespace(listing=None))
    monkeypatch.setattr(listing_module, "clock", lambda: SimpleNamespace(now=10))
    monkeypatch.setattr(listing_module, "was_made", lambda sale, id_: id_ == "0xid")
    with pytest.raises(click.ClickException, match="listing 0xid was made before"):
        listing_module._check_new(chain, None, 20, False, kept.forget)
    with pytest.raises(click.ClickException, match="was never sent, and its time is over"):
        listing_module._check_new(chain, None, 10, False, kept.forget)
    assert kept.forgotten == 2
    listing_module._check_new(chain, None, 20, True, kept.forget)  # it may still be mined
    chain.read = lambda: SimpleNamespace(listing="mined")
    listing_module._check_new(chain, None, 20, False, kept.forget)


def test_pictures_that_were_changed_are_masked_anew(tmp_path, monkeypatch) -> None:
    """What was withdrawn since is not sold; another account, or other pictures of that name in
    another place, have a folder of their own."""
    monkeypatch.setattr(offering, "chain_home", lambda: tmp_path / "home" / "1")
    places = [tmp_path / name / "pictures" for name in ("one", "two")]
    for place in places:
        (place / "cats").mkdir(parents=True)
        (place / "cats" / "1.png").write_bytes(place.parent.name.encode())
    options = selling(dataset=str(places[0]))
    first = offering._folder(options, SELLER)
    assert offering._folder(options, SELLER) == first
    others = [
        offering._folder(selling(dataset=str(places[1])), SELLER),
        offering._folder(options, "0x" + "77" * 20),
    ]
    (places[0] / "cats" / "1.png").unlink()
    others.append(offering._folder(options, SELLER))
    assert len({first, *others}) == 4
