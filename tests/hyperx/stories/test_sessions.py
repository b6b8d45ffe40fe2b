"""Sessions that run otherwise: interrupted, drawn on chain, paid in tokens, one after another."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

import scripts._hyperx.play as demonstration
from offchain.storage import Datastore, open_datastore
from scripts._hyperx.telling import SessionTelling
from scripts._stage.deployments import deploy, deployments_path, missing, note_what_is_there
from scripts._stage.errors import one_line_each
from scripts._stage.table import Step
from tests.hyperx.stories.played import play_for_good, play_story, small_options
from tests.kit.snapshots import undone


class Killed(BaseException):
    """The process was killed."""


class KillingTelling(SessionTelling):
    """Kills the process when the call named `last` has been told `times` times."""

    last: str
    times: int = 1
    address: str = ""

    def session(self, address: str) -> None:
        """Remembers the session."""
        self.address = address

    def step(self, step: Step) -> None:
        """Counts calls."""
        super().step(step)
        self.times -= step.receipt.call == self.last
        if self.times == 0:
            raise Killed


@pytest.fixture
def factory_file(deployer, tmp_path) -> Path:
    """A factory that is in the deployments file."""
    path = deployments_path(tmp_path / "deployments")
    for factory in missing(["TradingSessionFactory"]):
        deploy(deployer, factory, path)
    note_what_is_there(path)
    return path


@pytest.mark.parametrize(
    ("name", "settlement"), [("honest", "open"), ("honest", "sealed"), ("wrong-delivery", "sealed")]
)
def test_roles_that_forget_everything_before_each_step_end_the_same(
    played, name: str, settlement: str
) -> None:
    """Every role is killed and rebuilt from chain and secrets file before every step."""
    steady = played(name, hidden=True, settlement=settlement)
    forgetful = played(name, hidden=True, settlement=settlement, forgetful=True)
    assert forgetful.wrong == []
    assert forgetful.record.winner == steady.record.winner
    assert forgetful.gains == steady.gains
    assert len(forgetful.record.gas) == len(steady.record.gas)


@pytest.mark.parametrize(
    ("last", "times", "settlement"),
    [
        ("register", 2, "open"),
        ("submitFeatures", 3, "open"),
        ("submitReview", 1, "open"),
        ("setOptimal", 1, "sealed"),
        ("deliverKey", 1, "sealed"),
    ],
)
def test_a_session_goes_on_where_its_process_was_killed(
    factory_file, tmp_path, last: str, times: int, settlement: str
) -> None:
    """With --resume and the kept secrets the deal comes about, and the books are right."""
    telling = KillingTelling()
    telling.last, telling.times = last, times
    options, home = small_options(tmp_path, settlement=settlement), tmp_path / "home"
    with pytest.raises(Killed):
        demonstration.Demonstration("honest", options, home=home, telling=telling).run()
    resumed = play_for_good("honest", tmp_path, resume=telling.address, settlement=settlement)
    assert resumed.wrong == []
    assert resumed.record.session == telling.address
    assert resumed.record.winner == "provider 1"
    assert resumed.record.dataset_matches


def test_a_session_does_not_go_on_with_another_extractor(factory_file, tmp_path) -> None:
    """Features of the one that was published would be decoded by another one's secret."""
    telling = KillingTelling()
    telling.last, telling.times = "register", 2
    options, home = small_options(tmp_path), tmp_path / "home"
    with pytest.raises(Killed):
        demonstration.Demonstration("honest", options, home=home, telling=telling).run()
    with pytest.raises(click.ClickException, match="publishes another extractor: give --extractor"):
        play_for_good("honest", tmp_path, resume=telling.address, cut="block5_project")


def test_a_datastore_that_fails_midway_costs_nobody_anything(
    factory_file, tmp_path, monkeypatch
) -> None:
    """One line says what failed; when the node is back the session goes on to its deal."""
    stores: list[Datastore] = []

    def open_and_keep(url: str | None, repo: Path) -> Datastore:
        stores.append(open_datastore(url, repo))
        return stores[-1]

    class ClosingTelling(KillingTelling):
        def step(self, step: Step) -> None:
            try:
                super().step(step)
            except Killed:
                stores[-1].close()

    monkeypatch.setattr(demonstration, "open_datastore", open_and_keep)
    telling = ClosingTelling()
    telling.last, telling.times = "submitFeatures", 1
    broken = demonstration.Demonstration(
        "honest", small_options(tmp_path), home=tmp_path / "home", telling=telling
    )
    with pytest.raises(click.ClickException) as refusal, one_line_each():
        broken.run()
    assert refusal.value.message == f"the IPFS repository {tmp_path / 'home' / 'ipfs'} is closed"
    assert play_for_good("honest", tmp_path, resume=telling.address).wrong == []


def test_the_node_is_closed_however_the_run_ends(tmp_path, monkeypatch) -> None:
    """Ctrl-C leaves no IPFS node behind, and no secrets of a local chain."""
    folders: list[Path] = []

    def open_and_keep(url: str | None, repo: Path) -> Datastore:
        folders.append(repo)
        return open_datastore(url, repo)

    class Interrupting(SessionTelling):
        def step(self, step: Step) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(demonstration, "open_datastore", open_and_keep)
    with undone(), pytest.raises(KeyboardInterrupt):
        demonstration.Demonstration("honest", small_options(tmp_path), telling=Interrupting()).run()
    (folder,) = folders
    assert not folder.parent.exists()
    commands = [
        path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.is_file()
    ]
    assert not [command for command in commands if str(folder).encode() in command]


def test_samples_drawn_on_chain(tmp_path) -> None:
    """The chain picks the samples, within the percentage, and the best dataset still wins."""
    drawn = play_story(
        "honest",
        tmp_path,
        draw=True,
        plan="clean,mislabel:1,noise:1",
        sample=50.0,
        deposit="1 ether",
    )
    assert drawn.wrong == []
    assert drawn.record.winner == "provider 1"
    assert [entry.call for entry in drawn.record.gas].count("drawSample") == 3
    for member in drawn.session.members.values():
        assert member.sample is not None
        assert 0 < len(member.sample) <= 10


def test_payment_in_an_erc20(token, tmp_path) -> None:
    """Deposits, reward and tables are in the token; ether pays for gas alone."""
    paid = play_story("silent-candidate", tmp_path, token=str(token.address))
    assert paid.wrong == []
    assert paid.record.token == token.address
    assert (paid.record.currency, paid.record.decimals) == ("PLN", 18)
    assert paid.gains["provider 1"] == -4 * 10**17
    assert paid.gains["provider 2"] == 10**18
    assert "Money, in PLN" in paid.printed
    assert "-0.4" in paid.printed
    approvals = [entry.party for entry in paid.record.gas if entry.call == "approve"]
    assert sorted(approvals) == ["collector", "provider 1", "provider 2", "provider 3"]


def test_a_silent_candidate_is_told_of_as_such_even_if_it_loses_its_whole_deposit(tmp_path) -> None:
    """What it lost says nothing of what it did: it opened no review, and had nothing to claim."""
    terms = {"penalty": 100.0, "sample": 20.0, "deposit": "0.4 ether", "least_accuracy": 0.0}
    outcome = play_story("silent-candidate", tmp_path, plan="clean,noise:1,mislabel:1", **terms)
    assert outcome.wrong == []
    assert outcome.gains["provider 1"] == -4 * 10**17
    silent = next(one for one in outcome.record.providers if one.name == "provider 1")
    assert silent.outcome == "lost its deposit: opened no review in time"


def test_a_second_session_on_the_same_chain(factory_file, tmp_path) -> None:
    """Sessions of one factory and the same parties do not touch each other."""
    first = play_for_good("honest", tmp_path / "first", deployments=factory_file.parent)
    second = play_for_good("no-claim", tmp_path / "second", deployments=factory_file.parent)
    assert first.wrong == second.wrong == []
    assert first.record.factory == second.record.factory
    assert first.record.session != second.record.session


def test_a_session_that_this_factory_did_not_make(factory_file, tmp_path) -> None:
    """Nobody goes on with a session whose contract was never checked."""
    stranger = "0x000000000000000000000000000000000000dEaD"
    with pytest.raises(click.ClickException, match=f"{stranger} is no session of the factory"):
        play_for_good("honest", tmp_path, resume=stranger)
