"""Whose content is looked at: of what browse tells, by whoever told of it first."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import click
import pytest

from offchain.crypto.settlement import NATIVE
from scripts._market import mechanisms
from scripts._stage import content
from scripts._stage.market import Open

OWN, OTHER = (bytes([number]) * 32 for number in (1, 2))


def told(address: str, task: bytes) -> Open:
    return Open("some", address, 1, "0x1", task, 0, 0, NATIVE, None, 0)


@pytest.fixture
def watched(monkeypatch, tmp_path):
    """Watches a reference, with content; the task that is looked at."""
    seen: list[Open] = []
    listed = [told("0xAb", OWN), told("0xCd", OWN), told("0xAb", OTHER)]
    room = SimpleNamespace(
        listed=lambda _: listed, knows=lambda *_: True, run_watch=lambda *_: None
    )

    def opened(one, *_):
        seen.append(one)
        return nullcontext()

    monkeypatch.setattr(mechanisms, "_module", lambda *_: room)
    monkeypatch.setattr(content, "watched_content", opened)

    def watch(reference: str) -> bytes:
        nowhere = {"listen": "", "peer": (), "ipfs": None, "deployments": tmp_path}
        mechanisms.run_watch(reference, once=True, content=True, as_json=True, **nowhere)
        return seen[-1].task

    return watch


@pytest.mark.parametrize("reference", ["0xAb", "0xab"])
def test_who_announces_the_same_again_is_not_looked_at(watched, reference):
    assert watched(reference) == OWN


def test_what_browse_does_not_tell_has_no_content_to_look_at(watched):
    """A session by its own id, or a dataset: they are known, and nobody lists them."""
    with pytest.raises(click.ClickException, match="as browse tells it: 0xef is none"):
        watched("0xef")
