"""Every story of `ape run price`: who cheats pays its stake, who does not loses gas alone."""

from __future__ import annotations

import pytest
from eth_account import Account

from scripts._mde.stories import STORIES
from tests.kit.mock_contracts import deploy_token
from tests.mde.stories.played import Played, play

STAKE = 2 * 10**17
SEALED = ("honest", "false-score", "wrong-key")
"""Stories that are played under sealed settlement; all others under open settlement alone."""
PLAYED = [(name, "open") for name, story in STORIES.items() if story.settlement != "sealed"]
PLAYED += [(name, "sealed") for name in SEALED]


@pytest.fixture(scope="module")
def market_of(project, tmp_path_factory):
    """Plays a story, or says again what came of it."""
    done: dict[tuple[str, str], Played] = {}

    def again(name: str, settlement: str) -> Played:
        key = (name, settlement)
        if key not in done:
            folder = tmp_path_factory.mktemp(f"{name}-{settlement}")
            done[key] = play(name, folder, settlement=settlement)
        return done[key]

    return again


@pytest.mark.parametrize(("name", "settlement"), PLAYED)
def test_the_story_ends_justly_and_no_coin_is_made_or_lost(market_of, name, settlement):
    """The run's own checks found nothing, and all gains together are nothing."""
    one = market_of(name, settlement)
    assert one.wrong == []
    assert sum(party["gain"] for party in one.record["money"]) == 0
    for party in one.record["money"]:
        spent = party["before"] - party["after"]
        assert spent == party["fees"] - party["gain"], party["party"]
    story = STORIES[name]
    culprit = 1 if story.proof else None
    for number in range(1, 5):
        expected = -STAKE if number == culprit else one.seller(number)["paid"]
        assert one.gain(f"seller {number}") == expected


def test_all_money_goes_to_one_account_where_that_is_wanted(project, tmp_path):
    """Each party is judged by what was paid for it."""
    purse = Account.from_key(b"\1" * 32).address
    one = play("honest", tmp_path, pay_to=purse, sellers="useful,redundant", orders=1)
    assert one.wrong == []
    assert one.gain("paid to") == one.record["budget"] + 2 * STAKE
    assert sum(party["gain"] for party in one.record["money"]) == 0


def test_an_honest_market_ends_with_table_plots_and_a_positive_correlation(market_of):
    """Prices follow the truth, the budget is kept, and the model is better for it."""
    one = market_of("honest", "open")
    names = {"report.html", "gains.png", "ways.png", "record.json"}
    assert {file.name for file in one.folder.iterdir()} == names
    record = one.record
    assert record["rho"] > 0
    assert sum(seller["paid"] for seller in record["sellers"]) <= record["budget"]
    assert record["loss"][1] < record["loss"][0]
    assert record["accuracy"][1] > record["accuracy"][0]
    assert one.seller(1)["price"] > one.seller(2)["price"] > one.seller(4)["price"] == 0
    assert one.seller(4)["paid"] == 0
    ways = {way["name"].split()[0]: way for way in record["ways"]}
    assert set(ways) == {"by", "at", "best,"}
    assert all(way["gain_loss"] <= ways["best,"]["gain_loss"] for way in ways.values())
    page = (one.folder / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert "ended justly" in page


@pytest.mark.parametrize(
    ("name", "call"),
    [
        (name, f"prove{story.proof.__name__.removesuffix('Proved')}")
        for name, story in STORIES.items()
        if story.proof
    ],
)
def test_a_cheat_is_convicted_by_its_very_fault_and_the_buyer_has_price_and_stake(
    market_of, name, call
):
    """The buyer ends with the stake more than it paid others."""
    settlement = STORIES[name].settlement or "open"
    one = market_of(name, settlement)
    assert one.seller(1)["outcome"].startswith("convicted: ")
    assert call in {entry["name"] for entry in one.record["calls"]}
    others = sum(seller["paid"] for seller in one.record["sellers"])
    assert one.gain("buyer") == STAKE - others


def test_a_second_quote_and_a_late_purchase_are_refused_by_name(market_of):
    """The contract names why; the quote that was made first stands."""
    twice, late = market_of("asks-twice", "open"), market_of("refuses-to-pay", "open")
    assert any("AlreadyQuoted" in line for line in twice.seller(1)["remarks"])
    assert any("QuoteExpired" in line for line in late.record["remarks"])
    assert twice.record["refused"] == ["quote"]
    assert late.record["refused"] == ["purchase"]
    assert all(party["gain"] == 0 for party in late.record["money"])


def test_a_stale_artefact_is_refused_and_a_new_one_is_quoted_anew(market_of):
    """Under an order that has its quote no seller looks at another artefact; the closed order sells
    nothing; what is left costs less."""
    one = market_of("stale-model", "open")
    assert one.seller(1)["remarks"] == one.seller(2)["remarks"] == []
    assert any("AccountIsClosed" in line for line in one.record["remarks"])
    assert one.record["orders"] == 2


def test_an_erc20_pays_as_the_native_coin_does(project, mocks, deployer, accounts, tmp_path):
    """Prices, stakes and the budget are in the token, fees in the native coin."""
    holders = [accounts[i] for i in range(1, 6)]
    token = deploy_token(mocks["PlainToken"], deployer, holders)
    units = {"budget": "1000000", "most": "1000000", "floor": "10000", "stake": "200000"}
    one = play("false-score", tmp_path, token=str(token.address), **units)
    assert one.wrong == []
    assert one.gain("seller 1") == -200_000
    assert one.record["token"] == token.address
    assert sum(party["gain"] for party in one.record["money"]) == 0


@pytest.mark.parametrize("method", ["student", "influence"])
def test_artefacts_that_no_contract_can_check_sell_all_the_same(project, tmp_path, method):
    """Quotes without scores on chain; keys and chunks can be disputed as ever."""
    honest = play("honest", tmp_path, method=method)
    assert honest.wrong == []
    assert honest.record["rho"] > 0


@pytest.mark.parametrize(
    ("name", "settlement"), [("stale-model", "sealed"), ("wrong-key", "sealed")]
)
def test_roles_that_are_killed_before_every_step_end_the_same(
    market_of, tmp_path, name, settlement
):
    """All that a role must remember is on chain, in letters or in its secrets file."""
    steady = market_of(name, settlement)
    forgetful = play(name, tmp_path, settlement=settlement, forgetful=True)
    assert forgetful.wrong == []
    for one, other in zip(steady.record["money"], forgetful.record["money"], strict=True):
        assert (one["party"], one["gain"]) == (other["party"], other["gain"])
    counts = [
        {call["name"]: call["count"] for call in one.record["calls"]} for one in (steady, forgetful)
    ]
    assert counts[0] == counts[1]
