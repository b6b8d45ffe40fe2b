"""The report of a session: a page in one file, its pictures, and the record they are made from."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from offchain.files import write_whole
from offchain.hyperx.report import sheets
from offchain.hyperx.report.figures import gas_figure, scores_figure
from offchain.hyperx.report.record import SessionRecord
from offchain.report.figures import png
from offchain.report.files import environment
from offchain.report.text import amount, percent, plain

_EVENT_CHARS = 400


@dataclass(frozen=True)
class Paths:
    """The files of one report."""

    record: Path
    scores: Path
    gas: Path
    html: Path


def write_report(record: SessionRecord, folder: Path) -> Paths:
    """Write record.json, scores.png, gas.png and report.html into `folder`, made if missing.

    Each file appears whole or not at all; files of these names are replaced. Everything is
    rendered before the first is written. Raises OSError when the folder cannot be written.
    """
    paths = Paths(
        folder / "record.json", folder / "scores.png", folder / "gas.png", folder / "report.html"
    )
    scores, gas = png(scores_figure(record)), png(gas_figure(record))
    page = render_html(record, scores, gas)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(paths.record, record.to_json().encode())
    write_whole(paths.scores, scores)
    write_whole(paths.gas, gas)
    write_whole(paths.html, page.encode())
    return paths


def render_html(record: SessionRecord, scores: bytes, gas: bytes) -> str:
    """The page, with the PNG files `scores` and `gas` inside it.

    It loads nothing and runs nothing: no script, no address, and a policy that forbids both.
    All texts of the record are escaped.
    """
    return (
        environment(Path(__file__).parent)
        .get_template("report.html.j2")
        .render(
            headline=headline(record),
            verdict=verdict(record),
            matches=record.dataset_matches,
            facts=facts(record),
            story=plain(record.story),
            providers=sheets.providers_sheet(record),
            scores_sheet=sheets.scores_sheet(record),
            by_call=sheets.gas_by_call_sheet(record),
            by_party=sheets.gas_by_party_sheet(record),
            ledger=sheets.ledger_sheet(record),
            scores=base64.b64encode(scores).decode(),
            gas=base64.b64encode(gas).decode(),
            events=[plain(line, _EVENT_CHARS) for line in record.events],
            settings=[(plain(k), plain(v, _EVENT_CHARS)) for k, v in record.settings.items()],
        )
    )


def headline(record: SessionRecord) -> str:
    """Who won, in one sentence."""
    winner = record.winning
    if winner is None:
        return f"No deal: none of {len(record.providers)} providers was paid the reward."
    return (
        f"{plain(winner.name)} won among {len(record.providers)} providers: "
        f"{plain(winner.corruption)}, scored {percent(winner.score)}."
    )


def verdict(record: SessionRecord) -> str:
    """Whether the collector holds the data it paid for, in one sentence."""
    match record.dataset_matches:
        case None:
            return "The collector received no dataset."
        case True:
            return (
                "The collector's decrypted dataset equals the winner's: "
                f"both have SHA-256 {plain(str(record.digest_received))}."
            )
        case False:
            return (
                "The collector's decrypted dataset DIFFERS from the winner's: SHA-256 "
                f"{plain(str(record.digest_received))}, not {plain(str(record.digest_winner))}."
            )


def facts(record: SessionRecord) -> list[tuple[str, str]]:
    """The session's terms and circumstances, as names and values."""
    coin = plain(record.currency)
    rows = (
        ("Story", record.story),
        ("Dataset", record.dataset),
        ("Extractor", record.extractor),
        ("Reward", f"{amount(record.reward, record.decimals)} {coin}"),
        ("Paid in", "the native coin" if record.token is None else f"token {record.token}"),
        ("Shards", f"{record.shard_count} of {record.shard_size} samples each"),
        ("Sampled", f"at most {record.sample_bps / 100:g} %"),
        ("Settlement", record.settlement),
        ("Seed", str(record.seed)),
        ("Chain", str(record.chain_id)),
        ("Session", record.session),
        ("Factory", record.factory),
        ("Collector", record.collector),
        ("Started", record.started),
        ("Finished", record.finished),
    )
    return [(name, plain(value)) for name, value in rows]
