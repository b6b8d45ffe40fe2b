"""What the command lines of MDE's parties come to, and what strangers' tasks make of them."""

from __future__ import annotations

from typing import Any

import pytest

from offchain.storage.places import MAX_PEERS
from offchain.task import Task, TaskError
from scripts import order
from scripts._mde.party_options import OrderOptions
from scripts._mde.quoting import MOST_SIDE, side_of
from tests.kit.options import options_of

NODE = "/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


def ordering(**changes: Any) -> OrderOptions:
    given: dict[str, Any] = {"account": "anna", "dataset": "digits", "class_name": ()}
    return options_of(order.cli, OrderOptions, **(given | changes))


def pictures(side: int) -> Task:
    return Task("images", ("a", "b"), (1, side, side), "CC0-1.0")


def test_no_stranger_has_ones_pictures_enlarged_beyond_a_bound():
    """Nothing was shown or agreed to yet; how much memory it takes is the stranger's word."""
    assert side_of(pictures(MOST_SIDE)) == MOST_SIDE
    assert side_of(pictures(0)) is None
    with pytest.raises(TaskError, match=f"{MOST_SIDE + 1} pixels.*--image-size {MOST_SIDE + 1}"):
        side_of(pictures(MOST_SIDE + 1))


def test_a_node_with_twenty_addresses_is_named_by_some():
    """A usual daemon has as many, and a task has room for sixteen contacts."""
    addresses = tuple(f"/ip4/10.0.0.{number}/tcp/4001{NODE}" for number in range(20))
    options = ordering(licence="MIT", contact=("anna@example.org",))
    (own, _) = options.parts(lambda _: None, None)
    task = options.asked(own, addresses)
    assert len(task.contact) == 1 + MAX_PEERS


def test_a_class_name_that_nobody_has_is_refused_with_a_second_set_too():
    options = ordering(judged_by="digits", class_name=("dgo=wolf",))
    with pytest.raises(TaskError, match="there is no class 'dgo' in this data"):
        options.parts(lambda _: None, None)
    named = ordering(judged_by="digits", class_name=("0=zero",))
    train, judged = named.parts(lambda _: None, None)
    assert "zero" in train.classes
    assert train.classes == judged.classes


def test_an_order_is_kept_under_one_name_however_it_is_played():
    """Who says another gas price, or where the money goes in the end, posts no second order."""
    name = ordering().name
    passing: list[dict[str, Any]] = [
        {"yes": True, "as_json": True, "listen": "/ip4/0.0.0.0/tcp/4001", "ipfs": "http://a"},
        {"gas_price": 3.0, "pay_to": "0x" + "5e" * 20},
        {"dry_run": True, "most_size": 7, "without": ("0x" + "12" * 32,), "peer": (NODE,)},
    ]
    for changes in passing:
        assert ordering(**changes).name == name
    for other in ({"budget": "2 ether"}, {"seed": 1}, {"licence": "MIT"}, {"account": "eve"}):
        assert ordering(**other).name != name
