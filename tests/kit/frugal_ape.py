"""What Ape asks its node anew for every call, asked once.

Ape is made for chains that change behind its back, and asks a dozen things for each transaction.
Here nobody but the tests changes the chain. What is left out below cannot differ from one call to
the next, or shows in nothing that a test sees; it took a quarter of a test's processor time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partialmethod
from tempfile import TemporaryDirectory
from typing import Any

import ape
import ape.utils.abi
import ape_ethereum.provider
import ape_foundry.provider
import pytest
import requests.sessions
from ape.api import NetworkAPI, ReceiptAPI
from ape.api.address import BaseAddress
from ape_foundry import FoundryProvider
from web3.eth import Eth

from tests.kit.addresses import is_contract
from tests.kit.one_connection import OneConnection

# Of every Anvil that Ape or a test starts, and as long as it runs.
_CONSTANT = ("auto_mine", "chain_id", "base_fee", "priority_fee", "max_gas")


def _settings_once() -> Callable[[FoundryProvider], Any]:
    """A node's settings, put together once for each kind of node."""
    read, known = FoundryProvider.settings.fget, {}

    def settings(provider: FoundryProvider) -> Any:
        told = repr(provider.provider_settings)
        if told not in known:
            known[told] = read(provider)
        return known[told]

    return settings


def _configurations_once() -> Callable[[NetworkAPI], Any]:
    """A network's configuration, which Ape reads anew for each of the network's properties."""
    read, known = NetworkAPI.config.fget, {}

    def config(network: NetworkAPI) -> Any:
        place = network.ecosystem.name, network.name
        if place not in known:
            known[place] = read(network)
        return known[place]

    return config


def _struct_classes_once() -> Callable[..., type]:
    """The class of a decoded struct, made once for each name and fields."""
    make, known = ape.utils.abi.make_dataclass, {}

    def make_once(name: str, fields: list[str], *, namespace: dict[str, Any], bases: Any) -> type:
        if (name, *fields) not in known:
            # A copy is made of the struct's values, not of those that it was first made of.
            build, (_, types, _) = namespace["__reduce__"](None)
            namespace["__reduce__"] = lambda one: (
                build,
                (name, types, [getattr(one, field) for field in fields]),
            )
            known[name, *fields] = make(name, fields, namespace=namespace, bases=bases)
        return known[name, *fields]

    return make_once


def _resolving_no_names(connect: Callable[[FoundryProvider], None]) -> Callable[..., None]:
    """web3 looks for names of ENS in whatever is sent; on Anvil there are none."""

    def connected(provider: FoundryProvider) -> None:
        connect(provider)
        if provider._web3 is not None:
            provider._web3.middleware_onion.remove("ens_name_to_address")

    return connected


def frugal_nodes() -> None:
    """From now on Ape talks to Anvil over one connection, Anvil keeps no step of a transaction and
    leaves nothing behind, and its settings are put together once.

    Ape wants the steps for traces, and no test looks at one. The settings it puts together anew for
    every node that it ever started and did not end itself, when it ends another.
    """
    build = FoundryProvider.build_command
    states = TemporaryDirectory(prefix="souk-anvil-")  # of earlier blocks; in its user's home else

    def without_steps(provider: FoundryProvider) -> list[str]:
        words = [word for word in build(provider) if word != "--steps-tracing"]
        return [*words, "--cache-path", states.name]

    ape_foundry.provider.HTTPProvider = OneConnection
    FoundryProvider._set_web3 = _resolving_no_names(FoundryProvider._set_web3)
    FoundryProvider.build_command = without_steps
    FoundryProvider.settings = property(_settings_once())


@contextmanager
def frugal_ape() -> Iterator[None]:
    """Inside, Ape asks no more than it must of the connected Anvil, and of others of its kind."""
    provider = ape.chain.provider
    ecosystem = provider.network.ecosystem
    with pytest.MonkeyPatch.context() as patch:
        # A node of the tests' own is behind no proxy: requests need not search the environment.
        patch.setattr(requests.sessions, "get_environ_proxies", lambda *_, **__: {})
        kind = ecosystem.default_transaction_type
        patch.setattr(type(ecosystem), "default_transaction_type", kind)
        for name in _CONSTANT:
            patch.setattr(FoundryProvider, name, getattr(provider, name))
        # Every transaction is mined at once: who has its receipt need not wait for its nonce.
        patch.setattr(ReceiptAPI, "_await_sender_nonce_increment", lambda _: None)
        # And is mined within milliseconds: one in ten is not when it is first asked for.
        wait = partialmethod(Eth.wait_for_transaction_receipt, poll_latency=0.002)
        patch.setattr(Eth, "wait_for_transaction_receipt", wait)
        # After each transaction Ape traces it in search of a contract's `console.log`.
        patch.setattr(ape_ethereum.provider, "_post_send_transaction", lambda *_: None)
        patch.setattr(BaseAddress, "is_contract", property(is_contract))
        patch.setattr(ape.utils.abi, "make_dataclass", _struct_classes_once())
        patch.setattr(NetworkAPI, "config", property(_configurations_once()))
        yield
