"""What `ape run federate` and `ape run audit` print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from rich.console import Console

from offchain.data.imageset import Progress
from offchain.data.leftout import LeftOut
from offchain.report.sheets import Row, Sheet
from offchain.report.tables import render
from offchain.report.text import amount, percent, whole
from offchain.seccl.audit import Findings
from offchain.seccl.session import FAULTS, RoundClosed, ServerFaulty
from offchain.seccl.similarity import Copied
from offchain.seccl.training import Task
from scripts._seccl.chain import FederationChain
from scripts._seccl.options import FederateOptions
from scripts._seccl.report import Record, described
from scripts._stage.chain import Receipt
from scripts._stage.gas import calls_sheet
from scripts._stage.waiting import doing

_RELAY = "A relay carries the ballots of all members."


class FederateTelling:
    """Prints to a console of its own."""

    def __init__(self) -> None:
        self._console = Console()

    def doing(self, what: str) -> AbstractContextManager[Progress]:
        """See `doing`."""
        return doing(self._console, what, say=False)

    def say(self, line: str, style: str = "") -> None:
        """One line."""
        self._console.print(line, style=style, highlight=False, soft_wrap=True)

    def left_out(self, what: LeftOut) -> None:
        """Of the data."""
        self.say(str(what))

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
        """What is played."""
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
        if options.liar:
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
                self.convicted(fault, who, amount(fault.share))

        return tell

    def convicted(self, fault: ServerFaulty, accuser: str, share: str) -> None:
        """The server was caught."""
        self.say(
            f"!! {accuser} convicts the server: it {FAULTS[fault.fault]}, round {fault.key.round}, "
            f"member {fault.key.author}; each member gets {share} ETH of its stake. Training goes "
            "on by the members' own posts and ballots.",
            "bold red",
        )

    def end(self, record: Record, findings: Findings, files: list[Path]) -> None:
        """The tables, and where it is all written."""
        self._console.print(
            render(members_sheet(record)),
            render(calls_sheet(record.calls, record.gas_price_gwei, _RELAY)),
        )
        self.audited(findings)
        self.say(
            f"accuracy {percent(record.first_accuracy)} before, "
            f"{percent(record.rounds[-1].accuracy)} after {len(record.rounds)} rounds"
        )
        for line in record.conclusions:
            self.say(line)
        for file in files:
            self.say(str(file))

    def audited(self, findings: Findings) -> None:
        """What was checked."""
        self._console.print(render(findings_sheet(findings)))
        for line in findings.refused:
            self.say(f"not used: {line}")
        for line in findings.lenient:
            self.say(f"against the screen: {line}")


def members_sheet(record: Record) -> Sheet:
    """Who was elected how often, and the Borda points of each; who was screened out; what was spent
    of privacy."""
    screen = bool(record.options["screen"])
    names = ["member", "plays", "elected", "points", "since the attack", "gas"]
    names += ["screened out"] * screen + ["epsilon"] * (record.image_privacy is not None)
    rows = [
        Row(
            (
                member.name,
                "attacker" if member.hostile else "honest",
                str(member.elected),
                whole(member.points),
                whole(member.points_attacked) if record.attack != "none" else "-",
                whole(member.gas),
                *[str(member.screened)] * screen,
                *([] if member.epsilon is None else [f"{member.epsilon:.3f}"]),
            )
        )
        for member in record.members
    ]
    note = f"Of {len(record.rounds)} rounds, {record.elected} seats each; Borda points over all."
    if record.image_privacy is not None:
        note += (
            f" Epsilon at delta {record.options['delta']:g}: spent by each image trained on; the "
            "images that members evaluate by are not covered."
        )
    return Sheet("Members", tuple(names), 2, tuple(rows), note=note)


def findings_sheet(findings: Findings) -> Sheet:
    """What an audit compared."""
    counts = {
        "messages, hash on the board": findings.messages,
        "of these posted by their authors": findings.own_posts,
        "leaves of batches": findings.leaves,
        "receipts, signature": findings.receipts,
        "evaluations": findings.evaluations,
        "ballots, against the evaluation": findings.ballots,
        "results, counted again": len(findings.results),
        "global models, computed again": len(findings.digests),
    }
    if any(findings.copied):
        counts["copies, screened out again"] = sum(map(len, findings.copied))
    rows = tuple(Row((name, whole(count))) for name, count in counts.items())
    note = f"All right. The last model's SHA-256 is {findings.digests[-1]}."
    return Sheet("Audit: what was checked", ("what", "number"), 1, rows, note=note)
