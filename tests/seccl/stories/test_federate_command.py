"""`ape run federate` and `ape run audit`: help, refusals, small runs to the end, and on again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import ape
import click
import pytest
from click.testing import CliRunner, Result
from eth_utils.address import to_checksum_address

from offchain.crypto.settlement import NATIVE
from offchain.report.text import percent
from offchain.seccl.attacks import TRICKS, AttackError
from offchain.seccl.description import BALLOTS
from offchain.storage import cid_from_digest, open_datastore
from scripts import audit, federate
from scripts._seccl import flags
from scripts._seccl.chain import FederationChain
from scripts._seccl.conductor import Conductor
from scripts._seccl.options import LIES, FederateOptions
from tests.kit.mock_contracts import deploy_token

SMALL = ("--participants", "4", "--rounds", "3", "--images", "300", "--test", "50")
NOWHERE = "0x" + "ab" * 32
NOBODY = to_checksum_address("0x" + "ab" * 20)

REFUSED = {
    "unknown attack": (["--attack", "flop"], "'flop' is no trick of an attack: one of flip,"),
    "share of attackers": (["--epsilon", "1"], "1.0 is not in the range 0<=x<1"),
    "too few members": (["--participants", "2"], "2 is not in the range x>=3"),
    "too many members": (["--participants", "29"], "29 participants, but only 28 test accounts"),
    "no winners": (["--lambda", "0"], "0.0 is not in the range 0<x<1"),
    "no rounds": (["--rounds", "0"], "0 is not in the range 1<=x<=1023"),
    "dataset missing": (["--dataset", "no/such/folder"], "'no/such/folder' is no directory"),
    "too little data": (["--test", "290"], "4 participants need 40 images"),
    "nothing to train on": (["--test", "300"], "300 of 300 images leave none to train on"),
    "split": (["--split", "halves"], "a split is one of equal, classes:<count>"),
    "lie": (["--lie", "often"], "'often' is not one of 'none', 'alters'"),
    "stake": (["--stake", "plenty"], "stake: 'plenty' is no amount"),
    "token nowhere": (["--token", NOBODY], f"token: no contract lives at {NOBODY}"),
    "no account": (["--pay-to", "somebody"], "pay-to: 'somebody' is no account"),
    "nobody's account": (["--pay-to", NATIVE], "pay-to: nobody has the account of zero"),
    "learning rate": (["--learning-rate", "0"], "0.0 is not in the range 0<x<=10"),
    "device": (["--device", "tpu"], "'tpu'"),
    "ballots": (["--ballots", "secret"], "'secret' is not one of 'open', 'hidden', 'scores'"),
    "privacy": (["--privacy", "0"], "0.0 is not in the range x>0"),
    "too much privacy": (["--privacy", "1e-6", "--delta", "1e-30"], "however much the noise"),
    "delta": (["--delta", "1"], "1.0 is not in the range 0<x<1"),
    "clip": (["--clip", "0"], "0.0 is not in the range x>0"),
    "unknown model": (["--model", "resnet"], "'resnet' is no model: small, module:function"),
    "model of statistics": (["--model", "resnet18"], "resnet18: model.bn1 is BatchNorm2d, whose"),
    "ipfs": (["--ipfs", "http://127.0.0.1:9"], "127.0.0.1:9"),
    "resume": (["--resume", NOWHERE], f"resume: no session {NOWHERE} was begun here"),
}
"""Refused by the command."""

CHECKED = {
    "level of an attack": (["--attack", "backdoor:2"], "the level of backdoor"),
    "nobody attacks": (
        ["--attack", "flip", "--attackers", "0.1"],
        "0.1 of 4 participants is nobody to play flip",
    ),
    "attack without a past": (
        ["--attack", "copy-previous", "--attack-from", "0", "--epsilon", "0.3"],
        "copy-previous needs a round before",
    ),
    "too many winners": (["--lambda", "0.9"], "elects 4, must be below 4"),
    "lie too late": (["--lie", "drops", "--lie-round", "3"], "3 is none of the rounds 0 to 2"),
    "new key too late": (["--new-key", "3"], "new-key: 3 is none of the rounds 0 to 2"),
    "replay of nothing": (["--lie", "replays", "--lie-round", "0"], "replays needs a round before"),
    "withheld singly": (["--lie", "withholds", "--posts", "single"], "withholds is about a batch"),
    "stake negative": (["--stake", "-1"], "stake: '-1' is no amount"),
    "stake above all": (["--stake", "1e11 ether"], "must be 0 to 2^96 - 1 wei"),
}
"""Refused by the options' own check, which the command makes first."""


@pytest.fixture
def invoke(project, tmp_path, monkeypatch) -> Callable[..., Result]:
    """Runs federate on the tests' chain, with few digits, in an empty folder."""
    monkeypatch.setenv("APE_FOUNDRY_HOST", ape.chain.provider.uri)

    def run(*options: str) -> Result:
        folders = (("--" + name, str(tmp_path / name)) for name in ("reports", "keep", "data-root"))
        places = [word for pair in folders for word in pair]
        return CliRunner().invoke(federate.cli, [*SMALL, *places, *options])

    return run


@pytest.fixture
def check(invoke, tmp_path) -> Callable[..., Result]:
    """Runs audit on what federate left behind."""
    places = "--keep", str(tmp_path / "keep"), "--reports", str(tmp_path / "reports")
    return lambda id_, *more: CliRunner().invoke(audit.cli, [id_, *places, *more])


def message_of(result: Result) -> str:
    """What follows "Error:", which must be all of one line."""
    assert result.exit_code != 0
    message = result.output.partition("Error: ")[2].rstrip("\n")
    assert "\n" not in message
    return message


def record_in(folder: Path) -> dict:
    return json.loads((folder / "reports" / "federate" / "record.json").read_text())


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_is_said_in_one_line(invoke, tmp_path, what: str) -> None:
    """The line names value and bound; chain and files stay as they were."""
    options, words = REFUSED[what]
    height = ape.chain.blocks.height
    assert words in message_of(invoke(*options))
    assert ape.chain.blocks.height == height
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("what", CHECKED)
def test_options_that_do_not_fit_each_other_are_refused(project, what: str) -> None:
    """One line that names value and bound."""
    given, words = CHECKED[what]
    context = federate.cli.make_context("federate", [*SMALL, *given])
    options = FederateOptions(**{f.name: context.params[f.name] for f in fields(FederateOptions)})
    with pytest.raises((click.ClickException, AttackError)) as refusal:
        options.check()
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("command", [federate.cli, audit.cli], ids=["federate", "audit"])
def test_help_explains_every_option(command) -> None:
    text = CliRunner().invoke(command, ["--help"]).output
    for option in command.params:
        if option.param_type_name == "option":
            assert option.opts[0] in text
            assert getattr(option, "help", None), option.opts[0]
    assert command.help


def test_help_names_what_can_be_chosen() -> None:
    """Every trick of an attack and every lie there is, and no other."""
    text = "".join(CliRunner().invoke(federate.cli, ["--help"]).output.split())
    for name in TRICKS:
        assert name in text
    assert ("none", *LIES) == federate.LIES
    assert BALLOTS == flags.BALLOTS


def test_help_loads_no_library_that_takes_seconds() -> None:
    code = "import json, sys, scripts.federate, scripts.audit; print(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "matplotlib", "torchvision"} & set(json.loads(done.stdout))


def test_a_run_ends_with_tables_plots_and_a_record_that_anybody_can_audit(
    invoke, check, tmp_path
) -> None:
    """An attacker and a lie; whoever has chain and datastore comes to the same model, and notices
    when a single message is gone: what elected nobody is named, what is missing of the model ends
    the audit."""
    result = invoke("--lie", "alters", "--lie-round", "1", "--attack", "flip", "--epsilon", "0.25",
                    "--attack-from", "1")  # fmt: skip
    assert result.exit_code == 0, result.output
    files = {file.name for file in (tmp_path / "reports" / "federate").iterdir()}
    assert files == {"report.html", "record.json", "accuracy.png", "points.png"}
    record = record_in(tmp_path)
    assert record["convicted"] | {"accuser": ""} == {
        "fault": "altered a message", "round": 1, "author": record["convicted"]["author"],
        "accuser": "", "share": 10**17, "claimed": 4,
    }  # fmt: skip
    assert [member["hostile"] for member in record["members"]].count(True) == 1
    assert [one["number"] for one in record["rounds"]] == [0, 1, 2]
    for one in record["rounds"]:
        assert 0 <= one["accuracy"] <= 1
        assert len(one["winners"]) == record["elected"] == 1
        assert sum(one["totals"]) == 4
        assert all(37_000 < size < 39_000 for size in one["sent"]), "a tenth of 46,730 parameters"
    assert record["checked"]["ballots"] == 12
    calls = {call["name"]: call for call in record["calls"]}
    assert {"postBatch", "batch", "proveAlteredInBatch", "postOwn", "vote", "claimShare"} <= {
        *calls
    }
    paid = sum(one["gas"] for one in record["rounds"])
    assert paid == sum(
        call["mean"] * call["count"]
        for name, call in calls.items()
        if not name.startswith(("createSession", "claimShare"))
    )

    audited = check(record["session"])
    assert audited.exit_code == 0, audited.output
    assert record["rounds"][-1]["digest"] in "".join(audited.output.split())
    reported = tmp_path / "reports" / "audit"
    assert {file.name for file in reported.iterdir()} == {
        "report.html",
        "record.json",
        "points.png",
    }
    found = json.loads((reported / "record.json").read_text())
    assert found["digests"][1:] == [one["digest"] for one in record["rounds"]]
    for name in ("checked", "convicted", "session"):
        assert found[name] == record[name]
    (winner,) = record["rounds"][2]["winners"]
    loser = (winner + 1) % 4

    def lost(author: int) -> Result:
        """An audit after an upload of the last round has gone."""
        with open_datastore(None, tmp_path / "keep" / "ipfs") as store:
            session = FederationChain.find(record["session"], store).session
            own = session.posted(2, 0, own=True)[author]
            store.remove(cid_from_digest(own.document))
        return check(record["session"])

    named = lost(loser)
    assert message_of(named) == "results and models are right, the rules were broken 1 times"
    assert f"against the rules: round 2, uploads, member {loser}:" in named.output
    page = (reported / "report.html").read_text()
    assert "elected update of member" in message_of(lost(winner))
    assert (reported / "report.html").read_text() == page, (
        "no report of a session that is not right"
    )


def test_money_may_be_a_token_and_go_to_somebody_else(invoke, accounts, deployer, mocks) -> None:
    """The stake is drawn by a signed allowance, and all shares go to the account that is named."""
    token = deploy_token(mocks["PermitToken"], deployer, [])
    options = "--rounds", "1", "--token", token.address, "--pay-to", NOBODY
    poor = message_of(invoke(*options))
    assert poor.endswith("has 0 PLN, 0.4 are wanted")
    for account in accounts[1:6]:
        token.mint(account, 10**18, sender=deployer)
    result = invoke(*options, "--lie", "drops", "--lie-round", "0")
    assert result.exit_code == 0, result.output
    assert token.balanceOf(NOBODY) == 4 * 10**17
    assert "its stake went to the members, 0.1 PLN each" in " ".join(result.output.split())
    assert "approve" not in result.output


def test_audit_names_what_it_cannot_find(check) -> None:
    assert message_of(check(NOWHERE)) == f"no board on this chain has a session {NOWHERE}"
    assert message_of(check("7")) == "a session is 0x and 64 hex digits, not '7'"


def test_a_run_with_every_option_goes_on_after_an_interruption_and_is_audited(
    invoke, check, tmp_path, monkeypatch
) -> None:
    """Hidden ballots, hidden images, a model of one's own, and a screen that a copycat meets."""
    close = Conductor._close

    def dies(self, round_):
        if round_ == 1:
            raise KeyboardInterrupt
        close(self, round_)

    own = "--model", "tests.offchain.seccl.test_architectures:linear"
    with monkeypatch.context() as patch:
        patch.setattr(Conductor, "_close", dies)
        begun = invoke("--ballots", "hidden", "--privacy", "20", *own, "--screen", "--attack",
                       "copy", "--epsilon", "0.25", "--attack-from", "1")  # fmt: skip
        assert begun.exit_code == 1
    (secrets,) = (tmp_path / "keep").glob("*.json")
    session = f"0x{secrets.stem}"
    result = invoke("--resume", session)
    assert result.exit_code == 0, result.output
    record = record_in(tmp_path)
    (attacker,) = (one for one in record["members"] if one["hostile"])
    assert [one["screened"] for one in record["members"] if not one["hostile"]] == [0, 0, 0]
    assert attacker["screened"] == 2
    assert attacker["points_attacked"] == 0
    assert record["lenient"] == []
    assert f"member {attacker['name'].split()[1]}! was screened out" in result.output
    assert all(15 < one["epsilon"] <= 20 for one in record["members"])
    assert record["image_privacy"]["noise"] > 0.3
    assert "epsilon of 20 at delta 1e-05 after 3 rounds" in result.output
    assert all(size < 10_000 for one in record["rounds"] for size in one["sent"])

    assert message_of(check(session)).endswith("whose code runs once it is named as trusted")
    audited = check(session, *own)
    assert audited.exit_code == 0, audited.output
    assert record["rounds"][-1]["digest"] in "".join(audited.output.split())
    assert "screened out again" in audited.output


def test_an_interrupted_run_goes_on(invoke, check, tmp_path, monkeypatch) -> None:
    """From chain, datastore and one secrets file of mode 0600, whatever options are given now."""
    play = Conductor.play

    def dies(self, round_, *rest):
        if round_ == 2:
            raise KeyboardInterrupt
        return play(self, round_, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Conductor, "play", dies)
        begun = invoke("--seed", "3")
        assert begun.exit_code == 1
    (secrets,) = (tmp_path / "keep").glob("*.json")
    assert secrets.stat().st_mode & 0o777 == 0o600
    session = f"0x{secrets.stem}"
    assert message_of(check(session)).startswith("2 of 3 rounds are done")
    result = invoke("--resume", session, "--rounds", "9")
    assert result.exit_code == 0, result.output
    assert "2 rounds were done before" in result.output
    record = record_in(tmp_path)
    assert [one["gas"] is None for one in record["rounds"]] == [True, True, False]
    assert record["options"]["seed"] == 3
    for one in record["rounds"][:2]:
        told = f"round  {one['number']}  accuracy {percent(one['accuracy']):>6}"
        assert told in begun.output, "what is judged again is what was judged then"
    assert check(session).exit_code == 0
