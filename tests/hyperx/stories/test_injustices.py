"""The check that a story ended justly notices when one did not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from eth_account import Account

import scripts._hyperx.play as demonstration
from offchain.hyperx.session import Session
from scripts._hyperx.scene import Scene, injustices
from scripts._hyperx.stories import Story
from tests.hyperx.stories.played import play_story

Judge = Callable[[Scene, Session, Story, str], list[str]]


PAYEE = Account.from_key(b"\2" * 32).address


def _payee_poorer(scene: Scene, session: Session, story: Story, got: str) -> list[str]:
    poorer = replace(scene, before={**scene.before, PAYEE: scene.before[PAYEE] + 1})
    return injustices(poorer, session, story, got)


def _books_cooked(scene: Scene, session: Session, story: Story, got: str) -> list[str]:
    account = scene.contenders[2].seat.address
    cooked = replace(scene, before={**scene.before, account: scene.before[account] + 1})
    return injustices(cooked, session, story, got)


def _culprit_paid(scene: Scene, session: Session, story: Story, got: str) -> list[str]:
    contenders = tuple(replace(one, culprit=not one.culprit) for one in scene.contenders)
    return injustices(replace(scene, contenders=contenders), session, story, got)


TAMPERED: dict[str, tuple[Judge, str]] = {
    "no deal wanted": (
        lambda m, s, y, d: injustices(m, s, replace(y, deal=False), d),
        "there should be no deal",
    ),
    "culprit unpunished": (
        lambda m, s, y, d: injustices(m, s, replace(y, culprit_gains=lambda terms: 0), d),
        "provider 1 gained -400000000000000000 wei besides gas, should have 0",
    ),
    "culprit not to be asked": (
        lambda m, s, y, d: injustices(m, s, replace(y, asked=lambda terms: False), d),
        "provider 1 was asked for a review",
    ),
    "nothing received": (
        lambda m, s, y, d: injustices(m, s, y, None),
        "the collector's dataset is not the one that was sold",
    ),
    "another received": (
        lambda m, s, y, d: injustices(m, s, y, d[::-1]),
        "the collector's dataset is not the one that was sold",
    ),
    "one wei missing": (
        _books_cooked,
        "provider 3 gained -1 wei besides gas, should have 0",
    ),
    "a wei of the payee missing": (_payee_poorer, f"{PAYEE} has -1 wei that is nobody's"),
    "culprit paid": (_culprit_paid, "provider 2 was paid"),
}


@pytest.fixture(scope="module")
def judged(project, tmp_path_factory) -> Mapping[str, list[str]]:
    """What is said of one just session, in which another is paid, when something is told
    otherwise."""
    found: dict[str, list[str]] = {}

    def judge(scene: Scene, session: Session, story: Story, got: str) -> list[str]:
        found.update({n: j(scene, session, story, got) for n, (j, _) in TAMPERED.items()})
        return injustices(scene, session, story, got)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demonstration, "injustices", judge)
        folder = tmp_path_factory.mktemp("judged")
        found["as it is"] = play_story("silent-candidate", folder, pay_to=PAYEE).wrong
    return found


@pytest.mark.parametrize("what", TAMPERED)
def test_what_is_unjust_is_found(judged, what: str) -> None:
    """Each thing that could be wrong with an ending is named."""
    assert TAMPERED[what][1] in judged[what]


def test_what_is_just_is_not(judged) -> None:
    """The same session as it really went gives no complaint."""
    assert judged["as it is"] == []
