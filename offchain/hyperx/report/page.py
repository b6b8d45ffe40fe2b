"""The page of a session: who won, what it paid, and all that happened."""

from __future__ import annotations

from offchain.hyperx.report import sheets
from offchain.hyperx.report.record import SessionRecord
from offchain.report.money import money_sheet
from offchain.report.page import Page, Picture, Section
from offchain.report.text import amount, percent, plain


def session_page(record: SessionRecord, scores: bytes, gas: bytes) -> Page:
    """The page, with the PNG files `scores` and `gas` on it."""
    scored = Picture(
        scores, "Score of each provider against its true corruption; the table has the numbers."
    )
    spent = Picture(gas, "Mean gas of each call, here and in the paper; the table has the numbers.")
    return Page(
        title=record.story,
        headline=headline(record),
        verdict=verdict(record),
        good=record.dataset_matches,
        sections=(
            Section("Providers", sheets=(sheets.providers_sheet(record),)),
            Section("Scores", (scored,), (sheets.scores_sheet(record),)),
            Section("Money", sheets=(money_sheet(record.money, record.currency, record.decimals),)),
            Section(
                "Gas",
                (spent,),
                (sheets.gas_by_call_sheet(record), sheets.gas_by_party_sheet(record)),
            ),
            Section("Session", facts=facts(record)),
            Section("Settings", facts=tuple(record.settings.items())),
            Section("Events", lines=record.events),
        ),
    )


def headline(record: SessionRecord) -> str:
    """Who sold its dataset, or that nobody did, in one sentence."""
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


def facts(record: SessionRecord) -> tuple[tuple[str, str], ...]:
    """The session's terms and circumstances, as names and values."""
    coin = plain(record.currency)
    return (
        ("Story", record.story),
        ("Dataset", record.dataset),
        ("Extractor", record.extractor),
        ("Reward", f"{amount(record.reward, record.decimals)} {coin}"),
        ("Paid in", "the native coin" if record.token is None else f"token {record.token}"),
        ("Shards", f"{record.shard_count} of {record.shard_size} samples each"),
        ("Opened", f"at most {record.sample_bps / 100:g} %"),
        ("Settlement", record.settlement),
        ("Seed", str(record.seed)),
        ("Chain", str(record.chain_id)),
        ("Session", record.session),
        ("Factory", record.factory),
        ("Collector", record.collector),
        ("Started", record.started),
        ("Finished", record.finished),
    )
