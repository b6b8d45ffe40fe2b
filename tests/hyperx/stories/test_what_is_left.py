"""What a session leaves behind: a record, a page, and no secret where it does not belong."""

from __future__ import annotations

import base64

import pytest

from offchain.hyperx.report.record import SessionRecord
from tests.hyperx.stories.played import Played


@pytest.fixture(
    params=[("honest", "open"), ("silent-candidate", "open"), ("honest", "sealed")],
    ids="-".join,
)
def outcome(request, played) -> Played:
    """A session with published and one without a deal for its best provider."""
    name, settlement = request.param
    return played(name, hidden=False, settlement=settlement)


def test_the_record_is_the_one_that_was_printed(outcome) -> None:
    """The JSON reads back as what the demonstration held."""
    text = (outcome.folder / "record.json").read_text()
    assert SessionRecord.from_json(text) == outcome.record


def test_the_page_names_the_winner_and_holds_both_pictures(outcome) -> None:
    """One file is all that has to be sent to somebody."""
    page = (outcome.folder / "report.html").read_text()
    assert f"{outcome.record.winner} won among 3 providers" in page
    for name in ("scores.png", "gas.png"):
        picture = (outcome.folder / name).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert base64.b64encode(picture).decode() in page


def test_the_console_tells_a_newcomer_what_happened(outcome) -> None:
    """Phases by name, who got what, and no line wider than a terminal of 80 columns."""
    for words in ("registration ends", "submission ends", "Money, in ETH", "wins.", "ended justly"):
        assert words in outcome.printed
    lines = [line for line in outcome.printed.splitlines() if not line.startswith("/")]
    assert max(map(len, lines)) <= 80


def test_no_secret_is_told(outcome) -> None:
    """Neither record nor page nor console holds a secret; the chain holds the winner's key only,
    and under sealed settlement not even that."""
    told = outcome.printed + "".join(
        file.read_text() for file in outcome.folder.iterdir() if file.suffix in (".json", ".html")
    )
    winner = outcome.record.winning
    assert winner is not None
    on_chain = []
    values = {(f, n): v for f, secrets in outcome.secrets.items() for n, v in secrets.items()}
    # Obfuscation, two keys and a one-time key of the collector, a session key of each provider.
    assert len(values) >= 7
    for (_, name), value in values.items():
        raw = bytes.fromhex(value)
        assert value not in told, name
        assert base64.b64encode(raw).decode() not in told, name
        if value in outcome.calldata:
            on_chain.append(name)
    if outcome.record.settlement == "sealed":
        assert on_chain == []
        return
    (opened,) = on_chain
    assert opened.startswith(f"session key of {winner.account} in {outcome.record.session}")


def test_secrets_are_their_owners_alone(outcome) -> None:
    """One file a party, readable by nobody else."""
    assert set(outcome.modes) == {"collector.json", *(f"provider-{i}.json" for i in (1, 2, 3))}
    assert set(outcome.modes.values()) == {0o600}
