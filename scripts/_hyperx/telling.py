"""What `ape run trade` prints while it runs and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from offchain.hyperx.many_accounts import told
from offchain.hyperx.report import sheets
from offchain.hyperx.report.record import SessionRecord
from offchain.hyperx.terms import Terms
from offchain.report.money import money_sheet
from scripts._stage.telling import Telling


class SessionTelling(Telling):
    """Tells of a trading session."""

    def session(self, address: str) -> None:
        """Where the session lives; off a local chain what --resume wants."""
        self.say(f"-- session {address}", "bold")

    def terms(self, terms: Terms) -> None:
        """From which share on rubbish does not pay under them."""
        self.say(f"-- {told(terms)}", "bold")

    def conclude(self, record: SessionRecord, wrong: list[str], files: Sequence[Path]) -> None:
        """The tables, whether it is as it should be, and where it is written."""
        scores = [sheets.scores_sheet(record)] if record.baselines or record.efficacy else []
        self.sheets(
            (
                sheets.providers_sheet(record),
                *scores,
                sheets.gas_by_party_sheet(record),
                sheets.gas_by_call_sheet(record),
                money_sheet(record.money, record.currency, record.decimals),
            )
        )
        if record.dataset_matches:
            self.show(
                f"{record.winner} wins. The collector's decrypted dataset equals the winner's:\n"
                f"sha256 {record.digest_received}"
            )
        self.verdict(wrong)
        self.wrote(files)
