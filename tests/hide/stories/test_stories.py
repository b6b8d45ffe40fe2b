"""Every story of a sale ends justly, under both settlements."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import ape
import pytest
from eth_account import Account

from scripts._hide import play as played
from scripts._hide.scene import Scene, injustices
from scripts._hide.stories import STORIES, Story
from tests.hide.stories.sold import PRICES, STAKE, Sold, play, with_a_gap
from tests.kit.mock_contracts import deploy_token

FILES = ["accuracy.png", "prices.png", "record.json", "report.html"]


@dataclass(frozen=True)
class Ending:
    """What must come of a story: levels that buyers own, stakes that they got, refused calls."""

    owned: tuple[int, ...]
    stakes: tuple[int, ...] = (0, 0, 0, 0)
    refused: tuple[str, ...] = ()
    paid_back: int = 0

    @property
    def gains(self) -> list[int]:
        """Of the seller, then of the buyers, besides gas."""
        prices = (0, *PRICES)
        buyers = [
            stakes * STAKE - prices[owned]
            for owned, stakes in zip(self.owned, self.stakes, strict=True)
        ]
        return [-sum(buyers), *buyers]


# Buyer 1 buys level 1 and then level 3; buyers 2, 3 and 4 buy levels 2, 3 and 2.
ALL = (3, 2, 3, 2)
ENDINGS = {
    "honest": Ending(ALL),
    "never-delivers": Ending((3, 2, 3, 0), paid_back=1),
    "wrong-key": Ending((3, 2, 3, 0), (0, 0, 0, 1), paid_back=1),
    "spoilt-chunk": Ending((3, 0, 3, 0), (0, 1, 0, 1), paid_back=2),
    "false-dispute": Ending(ALL, refused=("proveWrongKey",)),
    "pays-after-closing": Ending((3, 2, 3, 0), refused=("buy",)),
    "collusion": Ending((1, 2, 3, 2)),
}
OPEN_ENDINGS = ENDINGS | {"false-dispute": Ending(ALL, refused=("proveSpoiltChunk",))}
CASES = [
    (name, settlement)
    for settlement in ("open", "sealed")
    for name, story in STORIES.items()
    if story.fits(settlement)
]


@ape.fixture(chain_isolation=False, scope="session")
def sold(has_chain, project, tmp_path_factory) -> Callable[..., Sold]:
    """Plays a story, or says again what came of it."""
    done: dict[tuple[Any, ...], Sold] = {}
    folder = tmp_path_factory.mktemp("sold")

    def get(name: str, settlement: str = "sealed", **changes: Any) -> Sold:
        key = (name, settlement, *sorted(changes.items()))
        if key not in done:
            own = folder / f"{len(done)}"
            options = {"keep": folder / "keep", "settlement": settlement} | changes
            done[key] = play(name, own, **options)
        return done[key]

    return get


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case))
def story(request, sold) -> tuple[Sold, Ending]:
    """A story that was played, and what must have come of it."""
    name, settlement = request.param
    endings = OPEN_ENDINGS if settlement == "open" else ENDINGS
    return sold(name, settlement), endings[name]


def test_every_story_has_an_ending():
    """A story that is added without one would go unchecked."""
    assert STORIES.keys() == ENDINGS.keys()


def test_everybody_ends_with_what_it_paid_for_or_its_money(story):
    """Who owns what, and who gained what besides gas: nobody honest loses more than that."""
    outcome, ending = story
    assert outcome.wrong == []
    assert tuple(outcome.owned) == ending.owned
    assert list(outcome.gains.values()) == ending.gains
    assert outcome.record.refused == ending.refused
    assert sum("paid back" in one.outcome for one in outcome.record.buyers) == ending.paid_back


def test_no_money_is_made_or_lost(story):
    """All gains add up to nothing, and nothing is left in the contract."""
    outcome, _ = story
    assert sum(outcome.gains.values()) == 0
    assert outcome.book == (True, True, 0, 0)
    assert outcome.scene.session.funds == outcome.scene.session.held == 0


def test_what_is_reported_is_on_disk_and_on_the_screen(story):
    """Record, plots and page are there; the record's figures are those of the tables."""
    outcome, _ = story
    assert sorted(path.name for path in outcome.folder.iterdir()) == FILES
    kept = json.loads((outcome.folder / "record.json").read_text())
    assert [one["gain"] for one in kept["money"]] == list(outcome.gains.values())
    assert kept["counters"][0]["name"] == "none"
    page = (outcome.folder / "report.html").read_text()
    for text in ("Accuracy bought and reached", "best free", "Money, in ETH"):
        assert text in page
        assert text.split()[-1] in outcome.printed
    assert "The story ended justly" in outcome.printed


def test_who_owns_a_level_trains_with_it(story):
    """Accuracy reached stands beside accuracy bought for those who own a level, and no others."""
    outcome, _ = story
    for one in outcome.record.buyers:
        levels = [got.level for got in one.learned]
        assert levels == [level for level in one.wanted if level <= one.owned]


def test_under_sealed_settlement_the_public_sees_no_key(sold):
    """No cleaner's key is in any call of an honest sale; under open settlement each is."""
    keys = {
        settlement: [
            value in outcome.calldata
            for name, value in outcome.secrets.items()
            if name.startswith("seller")
        ]
        for settlement in ("open", "sealed")
        for outcome in [sold("honest", settlement)]
    }
    assert keys == {"open": [True] * 3, "sealed": [False] * 3}


def test_an_upgrade_pays_the_difference(sold):
    """The first buyer's two payments add up to the price of the better level."""
    outcome = sold("honest")
    calls = {call.name: call.count for call in outcome.record.calls}
    assert calls == {
        "list": 1, "buy": 5, "sealKey": 5, "accept": 1, "settle": 1, "close": 1, "withdraw": 1,
    }  # fmt: skip
    assert outcome.gains["buyer 1"] == -PRICES[2]


def test_a_level_out_of_reach_is_not_sold_and_the_others_keep_their_prices(sold):
    """It is said why; buyers are those of the levels that are left."""
    outcome = sold("honest", make=with_a_gap)
    assert outcome.wrong == []
    assert [level.price for level in outcome.record.levels] == [PRICES[0], PRICES[2]]
    assert "level 0.2 is out of reach: too far" in outcome.printed
    assert outcome.owned == [2, 2, 2]


def test_colluders_have_the_better_of_their_levels_and_what_they_guess_is_told(sold):
    """The pool is no third level; how much of the other masks it explains is on the screen."""
    outcome = sold("collusion")
    pool = outcome.record.pool
    assert pool is not None
    assert pool.known <= 0.5  # random masks of every slice tell nothing of the others
    one, other = (role.dataset() for role in outcome.scene.buyers[:2])
    assert one.digest() != other.digest()
    assert "pool levels 1 and 2" in outcome.printed
    assert all(sold(name).record.pool is None for name in ("honest", "wrong-key"))


def test_a_token_pays_as_well(project, mocks, accounts, deployer, sold):
    """Prices, stakes and refunds in an ERC-20; the native coin pays gas alone."""
    token = deploy_token(mocks["PlainToken"], deployer, accounts[1:6])
    outcome = sold("wrong-key", token=str(token.address))
    assert outcome.wrong == []
    assert list(outcome.gains.values()) == ENDINGS["wrong-key"].gains
    assert outcome.record.currency != "ETH"


def test_roles_that_are_killed_before_every_step_end_the_same(sold):
    """All that a role must remember is on chain, in the datastore or in its secrets file."""
    outcome = sold("spoilt-chunk", forgetful=True)
    assert outcome.wrong == []
    assert tuple(outcome.owned) == ENDINGS["spoilt-chunk"].owned


PAYEE = Account.from_key(b"\2" * 32).address


def _poorer(scene: Scene, account: str | None = None) -> Scene:
    account = account or scene.seats[2].address
    return replace(scene, before={**scene.before, account: scene.before[account] + 1})


TAMPERED: dict[str, tuple[Callable[[Scene], Scene], str, str]] = {
    "a wei is missing": (_poorer, "honest", "buyer 2 gained -300000000000000001 besides gas"),
    "a wei of the payee is missing": (
        lambda scene: _poorer(scene, PAYEE),
        "honest",
        f"{PAYEE} has -1 that is nobody's",
    ),
    "a level is missing": (
        lambda scene: replace(scene, wants=((0,), *scene.wants[1:])),
        "honest",
        "buyer 1 owns 3, should 1",
    ),
    "goods too many": (lambda scene: scene, "wrong-key", "does not hold what it paid for"),
    "no stake": (lambda scene: scene, "wrong-key", "buyer 4 gained -300000000000000000"),
    "nothing refused": (lambda scene: scene, "false-dispute", "refused were [], should be"),
}


@pytest.fixture(scope="module")
def judged(project, tmp_path_factory) -> dict[str, list[str]]:
    """What is said of an honest sale that pays another, when something is told otherwise."""
    found: dict[str, list[str]] = {}

    def judge(scene: Scene, story: Story) -> list[str]:
        for name, (change, told, _) in TAMPERED.items():
            found[name] = injustices(change(scene), STORIES[told])
        return injustices(scene, story)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(played, "injustices", judge)
        found["as it is"] = play("honest", tmp_path_factory.mktemp("judged"), pay_to=PAYEE).wrong
    return found


@pytest.mark.parametrize("what", TAMPERED)
def test_what_is_unjust_is_found(judged, what):
    """The check notices a wei, a level, goods, a stake and a refusal that are missing."""
    words = TAMPERED[what][2]
    assert any(words in line for line in judged[what]), judged[what]


def test_what_is_just_is_not(judged):
    """The same sale as it really went gives no complaint."""
    assert judged["as it is"] == []


@pytest.mark.parametrize("owner", ["nobody", "a buyer"])
def test_another_account_may_be_paid_for_all_and_justice_follows_it(sold, accounts, owner):
    """What is paid out goes there, to the unit; a buyer that is paid has no more by it."""
    payee = str(accounts[2].address) if owner == "a buyer" else PAYEE
    outcome = sold("wrong-key", pay_to=payee)
    assert outcome.wrong == []
    assert list(outcome.gains.values()) == ENDINGS["wrong-key"].gains
    away = outcome.scene.chain.away
    assert sum(away.values()) == 0
    assert -away[payee] == sum(amount for one, amount in away.items() if one != payee) > 0
