"""A session's address says which terms stand there, whatever becomes of the chain's order."""

from __future__ import annotations

import ape
import pytest

from tests.hyperx.session_driver import event_in, open_session
from tests.hyperx.terms import FIELDS, make_terms
from tests.hyperx.weakened import FACTORY, FACTORY_WEAKENINGS
from tests.kit.refusals import refusal, refused
from tests.kit.snapshots import undone
from tests.kit.weakened import compile_switched

TIMES = {"registrationEnd": 1_000, "submissionEnd": 2_000, "expiry": 10_000}
WEAK = "addresses follow from the order"


@pytest.fixture(scope="module")
def careless_factory(deployer):
    """A factory whose sessions' addresses follow from how many it made before."""
    copies = compile_switched(FACTORY_WEAKENINGS, FACTORY, large=True)
    return deployer.deploy(copies[WEAK])


def test_the_address_is_known_before_and_binds_every_term_and_the_nonce(factory, collector):
    """Each field by itself, the collector included."""
    now = ape.chain.blocks.head.timestamp
    terms = make_terms(now, collector.address)
    address = factory.sessionOf(terms, 0)
    addresses = {address, factory.sessionOf(terms, 1)}
    for place, value in enumerate(terms):
        changed = (*terms[:place], _other(value), *terms[place + 1 :])
        addresses.add(factory.sessionOf(changed, 0))
    assert len(addresses) == 2 + len(FIELDS)
    escrow = factory.escrowOf(terms)
    receipt = factory.createSession(terms, 0, sender=collector, value=escrow)
    assert event_in(receipt, factory.SessionCreated)["session"] == address
    outcome = refusal(factory.createSession, terms, 0, sender=collector, value=escrow)
    assert outcome == refused("FailedDeployment")
    assert refusal(factory.createSession, terms, 1, sender=collector, value=escrow) is None


def _other(value):
    """Another value of the same kind; addresses are those of zero and one."""
    if isinstance(value, str):
        return "0x" + "11" * 20
    if isinstance(value, bytes):
        return value[::-1]
    if isinstance(value, bool):
        return not value
    return 1 - value if value in (0, 1) else value + 1


def test_a_reorganisation_puts_no_other_terms_under_a_signed_deposit(
    factory, careless_factory, collector, provider
):
    """Two creations change places; the deposit that was signed for the first address lands.

    Where the address follows from the order it lands in the session of the harsh terms. Here it
    finds the terms that were read, or nothing.
    """

    def attack(factory):
        now = ape.chain.blocks.head.timestamp
        common = {name: now + ahead for name, ahead in TIMES.items()}
        fair, harsh = common | {"penaltyBps": 1}, common | {"penaltyBps": 5_000}
        with undone():
            address = open_session(factory, collector, nonce=0, **fair).session.address
        with undone():
            other = open_session(factory, collector, nonce=0, **harsh)
            landed = other.session.address == address
            if landed:
                other.register(provider)
                landed = other.session.profileOf(provider).flags == 1
            else:
                assert not ape.chain.provider.get_code(address)
            again = open_session(factory, collector, nonce=0, **fair).session.address
        return landed, again == address

    assert attack(factory) == (False, True)
    assert attack(careless_factory) == (True, False)
