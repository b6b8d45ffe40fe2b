"""What `ape run federate` and `ape run audit` print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from offchain.report.text import amount, percent, whole
from offchain.seccl.audit import Findings
from offchain.seccl.session import FAULTS, RoundClosed, ServerFaulty
from offchain.seccl.similarity import Copied
from offchain.seccl.training import Task
from scripts._seccl.chain import FederationChain
from scripts._seccl.options import FederateOptions
from scripts._seccl.record import Record, described
from scripts._seccl.report import headline
from scripts._seccl.sheets import findings_sheet, gas_sheet, members_sheet
from scripts._stage.chain import Receipt
from scripts._stage.money import currency
from scripts._stage.telling import Telling


class FederateTelling(Telling):
    """Tells of a session of members and their server."""

    def say(self, line: str, style: str = "") -> None:
        """One line that is kept, too, and broken nowhere: it holds ids and digests."""
        self.log.append(line)
        self.show(line, style, whole=True)

    def round(
        self,
        number: int,
        accuracy: float,
        closed: RoundClosed,
        hostile: tuple[int, ...],
        sent: tuple[int, ...],
        copied: tuple[Copied, ...],
        gas: int,
    ) -> None:
        """What came of a round: who was elected, with how many points; ! marks attackers."""
        chosen = ", ".join(
            f"{winner}{'!' if winner in hostile else ''} ({points} points)"
            for winner, points in zip(closed.winners, closed.points, strict=True)
        )
        self.say(
            f"round {number:>2}  accuracy {percent(accuracy):>6}  elected {chosen}; "
            f"{sum(sent) / len(sent) / 1000:.1f} kB an update, {whole(gas)} gas"
        )
        for copy in copied:
            who = f"{copy.author}{'!' if copy.author in hostile else ''}"
            self.say(f"          member {who} was screened out: {described(copy)}")

    def begin(
        self, options: FederateOptions, chain: FederationChain, engine: Sequence[str], task: Task
    ) -> None:
        """Tells what is about to be trained, by how many and on which engine."""
        for line in engine:
            self.say(line)
        self.say(
            f"{options.participants} members, {options.elected} elected a round, "
            f"{chain.session.description.parameters:,} parameters of which "
            f"{100 * options.share:g} % are uploaded"
        )
        privacy = task.settings.image_privacy
        if privacy is not None:
            self.say(
                f"images are hidden: gradients of at most {privacy.clip:g}, noise of "
                f"{privacy.noise:.3g} times that, for an epsilon of {options.privacy:g} at delta "
                f"{options.delta:g} after {options.rounds} rounds"
            )
        if options.hostile and options.attack != "none":
            who = ", ".join(map(str, options.hostile))
            self.say(f"attack {options.attack} by members {who} from round {options.attack_from}")
        if options.lie != "none":
            lie = options.server_lie
            self.say(f"the server {options.lie} in round {lie.round}, about member {lie.victim}")
        self.say(f"-- session 0x{chain.session.id.hex()}", "bold")

    def faults(self, chain: FederationChain) -> Callable[[str, Receipt], None]:
        """What to call after every transaction, with who sent it: says once who caught a server."""
        told = chain.session.fault is not None

        def tell(who: str, receipt: Receipt) -> None:
            nonlocal told
            fault = chain.session.fault
            if fault is not None and not told:
                told = True
                coin, decimals = currency(chain.session.terms.token)
                self.convicted(fault, who, f"{amount(fault.share, decimals)} {coin}")

        return tell

    def convicted(self, fault: ServerFaulty, accuser: str, share: str) -> None:
        """Tells of what the server was convicted, and what each member gets of its stake."""
        self.say(
            f"!! {accuser} convicts the server: it {FAULTS[fault.fault]}, round {fault.key.round}, "
            f"member {fault.key.author}; each member gets {share} of its stake. Training goes "
            "on by the members' own posts and ballots.",
            "bold red",
        )

    def end(self, record: Record, findings: Findings, files: Sequence[Path]) -> None:
        """The tables, and where it is all written."""
        self.sheets([members_sheet(record), gas_sheet(record)])
        self.audited(findings)
        self.show(headline(record))
        for line in record.conclusions:
            self.show(line, whole=True)
        self.wrote(files)

    def audited(self, findings: Findings) -> None:
        """Tells what the audit compared, and which messages were not used."""
        self.sheets([findings_sheet(findings)])
        for line in findings.refused:
            self.say(f"not used: {line}")
        for line in findings.lenient:
            self.say(f"against the screen: {line}")
        for line in findings.faults:
            self.say(f"against the rules: {line}")
