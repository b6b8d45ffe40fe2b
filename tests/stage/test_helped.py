"""Who helps a datastore is said on the command line of whatever command opens one."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

from offchain.storage import cid_of, pinning
from offchain.storage.helped import HELP, NO_HELP, Help
from offchain.storage.pinning import PinService
from scripts._stage import flags
from scripts.pins import cli
from tests.kit.http_endpoint import endpoints
from tests.kit.pin_server import TOKEN, PinServer


@pytest.fixture
def endpoint():
    with endpoints() as start:
        yield start


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN)
    path.chmod(0o600)
    return path


@click.command()
@flags.reading
def reads(**options):
    click.echo(f"{sorted(options)} {HELP.get()}")


def test_helpers_are_noted_for_the_command_and_no_other(token):
    given = ["--gateway", "https://one", "--gateway", "https://two"]
    given += ["--pin-service", "https://keeps", str(token)]
    said = CliRunner().invoke(reads, given).output
    expected = Help(("https://one", "https://two"), (("https://keeps", token),))
    assert str(expected) in said
    assert "gateway" not in said.partition("]")[0]
    assert str(NO_HELP) in CliRunner().invoke(reads, []).output


def test_a_token_that_is_not_there_is_refused(tmp_path):
    given = ["--pin-service", "https://keeps", str(tmp_path / "none")]
    refused = CliRunner().invoke(reads, given)
    assert refused.exit_code == 2
    assert "does not exist" in refused.output


def test_what_a_service_keeps_is_listed_awaited_and_removed(endpoint, token):
    url = endpoint(PinServer())
    cids = [cid_of(b"one"), cid_of(b"two")]
    PinService(url, TOKEN).add(cids)

    def pins(*options: str):
        return CliRunner().invoke(cli, ["--pin-service", url, str(token), *options])

    awaited = pins("--wait", "1", "--json")
    told = [json.loads(line) for line in awaited.stdout.splitlines()]
    assert {one["cid"] for one in told} == set(cids)
    assert {one["state"] for one in told} == {"pinned"}
    removed = pins("--remove", cids[0])
    assert removed.output.splitlines() == [f"1 removed: {cids[0]}", f"pinned   {cids[1]}"]
    assert TOKEN not in awaited.output + removed.output


def test_a_service_that_refuses_ends_in_one_line(endpoint, token, monkeypatch):
    monkeypatch.setattr(pinning, "BACKOFF_SECONDS", 0.01)
    token.write_text("another-token")
    url = endpoint(PinServer())
    refused = CliRunner().invoke(cli, ["--pin-service", url, str(token)])
    assert refused.exit_code == 1
    assert refused.output.strip().endswith("it does not take the token (status 401)")
    assert "Traceback" not in refused.output
    wrong = CliRunner().invoke(cli, ["--pin-service", url, str(token), "--remove", "no-cid"])
    assert "is not a CIDv1" in wrong.output
