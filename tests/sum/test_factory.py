"""Shared models that the factory makes."""

from __future__ import annotations

import ape
import pytest
from ape.utils import ZERO_ADDRESS

from scripts._stage.created import created_at, creation
from tests.kit.refusals import refusal, refused
from tests.sum.model_driver import TASK


@pytest.fixture
def maker(project, deployer):
    return project.SharedModelFactory.deploy(sender=deployer)


@pytest.fixture
def parts(make_classifier, stake):
    """Classifier, incentive, currency and task."""
    return make_classifier(), stake, ZERO_ADDRESS, TASK


def test_the_caller_owns_what_the_factory_tells_of(maker, project, parts, alice, bob):
    """Each caller has a model of its own of the same parts."""
    for caller in (alice, bob):
        receipt = maker.createModel(*parts, sender=caller)
        (told,) = maker.SharedModelCreated.from_receipt(receipt)
        model = project.SharedModel.at(told.model)
        assert (told.owner, bytes(told.task)) == (caller, TASK)
        assert (model.owner(), bytes(model.task()), model.token()) == (caller, TASK, ZERO_ADDRESS)
        assert (model.classifier(), model.incentive()) == tuple(parts[:2])
        assert model.lastUpdate() == ape.chain.blocks.head.timestamp
        assert model.totalGoodData() == model.pot() == model.sharesFrom() == 0


def test_an_address_follows_from_the_parts_and_the_caller(maker, parts, alice):
    """So a foreign contract cannot have it, and the same is made once."""
    receipt = maker.createModel(*parts, sender=alice)
    (told,) = maker.SharedModelCreated.from_receipt(receipt)
    *three, task = (getattr(one, "address", one) for one in parts)
    code = creation("SharedModel", *three, str(alice.address), task)
    assert told.model == created_at(code, maker=str(maker.address))
    assert refusal(maker.createModel, *parts, sender=alice) == refused("")


def test_what_a_model_refuses_the_factory_refuses(maker, parts, alice):
    """By the model's own names."""
    classifier, stake, token, task = parts
    for wrong, outcome in (
        ((alice, stake, token, task), refused("NoCode", alice)),
        ((classifier, alice, token, task), refused("NoCode", alice)),
        ((classifier, stake, alice, task), refused("NoCode", alice)),
        ((classifier, stake, token, bytes(32)), refused("NoTask")),
    ):
        assert refusal(maker.createModel, *wrong, sender=alice) == outcome


def test_a_factory_tells_its_version(maker):
    """Who reads another version's events notices."""
    assert maker.version() == 1
