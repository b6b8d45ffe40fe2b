"""What is kept of an `ape run federate`: a JSON record and two plots."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from ape.api import AccountAPI
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from offchain.report.figures import png
from offchain.report.text import amount
from offchain.seccl.audit import Findings
from offchain.seccl.image_privacy import ImagePrivacy
from offchain.seccl.session import FAULTS, Session
from offchain.seccl.similarity import Copied
from scripts._seccl.chain import FederationChain
from scripts._seccl.options import FederateOptions
from scripts._stage.chain import Receipt
from scripts._stage.gas import CallRecord, calls_of

_BLUE, _ORANGE, _RED = "#0072B2", "#D55E00", "#CC0000"


@dataclass(frozen=True)
class RoundRecord:
    """One round, counted from 0. winners, points: the highest first. totals: Borda points by
    member. sent: bytes of each update. copied: what the screen took for copies. gas: of all its
    calls; None where a run before this one made them. digest: of the global model after it."""

    number: int
    accuracy: float
    winners: tuple[int, ...]
    points: tuple[int, ...]
    totals: tuple[int, ...]
    sent: tuple[int, ...]
    copied: tuple[Copied, ...]
    gas: int | None
    digest: str


@dataclass(frozen=True)
class MemberRecord:
    """One member: rounds in which it was elected and in which it was screened out as a copy, points
    in all and since the attack began, and the epsilon that its images have spent, if they are
    hidden."""

    name: str
    account: str
    hostile: bool
    elected: int
    screened: int
    points: int
    points_attacked: int
    gas: int
    epsilon: float | None


@dataclass(frozen=True)
class Record:
    """A run. Accuracies are shares of the test set; lie: what the server does wrong; convicted:
    fault, round, victim and accuser where it was; lenient: who evaluated copies above 0; seconds of
    wall clock."""

    session: str
    board: str
    consensus: str
    chain_id: int
    options: dict[str, object]
    engine: tuple[str, ...]
    elected: int
    image_privacy: ImagePrivacy | None
    attack: str
    attack_from: int
    lie: str
    convicted: dict[str, object] | None
    first_accuracy: float
    rounds: tuple[RoundRecord, ...]
    members: tuple[MemberRecord, ...]
    calls: tuple[CallRecord, ...]
    checked: dict[str, int]
    refused: tuple[str, ...]
    lenient: tuple[str, ...]
    conclusions: tuple[str, ...]
    gas_price_gwei: float
    seconds: float


def make_record(
    options: FederateOptions,
    chain: FederationChain,
    accounts: Sequence[AccountAPI],
    findings: Findings,
    accuracies: Sequence[float],
    gas: Sequence[int | None],
    engine: Sequence[str],
    epsilons: Sequence[float] | None,
    seconds: float,
) -> Record:
    """accounts: of the members. accuracies: before the first round and after each. epsilons: spent
    by each member; None where images are not hidden."""
    session = chain.session
    rounds = tuple(
        RoundRecord(
            number=number,
            accuracy=accuracies[number + 1],
            winners=result.winners,
            points=result.points,
            totals=result.totals,
            sent=tuple(findings.sizes[number].get(i, 0) for i in range(session.members)),
            copied=findings.copied[number],
            gas=gas[number],
            digest=findings.digests[number + 1],
        )
        for number, result in enumerate(findings.results)
    )
    counts = ("messages", "own_posts", "leaves", "receipts", "evaluations", "ballots")
    return Record(
        session=f"0x{session.id.hex()}",
        board=session.board.address,
        consensus=str(chain.consensus.address),
        chain_id=session.board.chain_id,
        options=asdict(options),
        engine=tuple(engine),
        elected=options.elected,
        image_privacy=session.description.image_privacy,
        attack=options.attack,
        attack_from=options.attack_from,
        lie=options.lie,
        convicted=_conviction(session),
        first_accuracy=accuracies[0],
        rounds=rounds,
        members=tuple(
            _member(
                i,
                str(account.address),
                options,
                rounds,
                chain.receipts,
                None if epsilons is None else epsilons[i],
            )
            for i, account in enumerate(accounts)
        ),
        calls=calls_of(chain.receipts),
        checked={name: getattr(findings, name) for name in counts},
        refused=tuple(findings.refused),
        lenient=tuple(findings.lenient),
        conclusions=conclusions(options, session),
        gas_price_gwei=options.gas_price,
        seconds=seconds,
    )


def _conviction(session: Session) -> dict[str, object] | None:
    fault = session.fault
    if fault is None:
        return None
    return {
        "fault": FAULTS[fault.fault],
        "round": fault.key.round,
        "author": fault.key.author,
        "accuser": fault.accuser,
        "share": fault.share,
        "claimed": len(session.shares),
    }


def _member(
    index: int,
    account: str,
    options: FederateOptions,
    rounds: Sequence[RoundRecord],
    receipts: Sequence[Receipt],
    epsilon: float | None,
) -> MemberRecord:
    late = [one for one in rounds if one.number >= options.attack_from]
    return MemberRecord(
        name=f"member {index}",
        account=account,
        hostile=options.attack != "none" and index in options.hostile,
        elected=sum(index in one.winners for one in rounds),
        screened=sum(copy.author == index for one in rounds for copy in one.copied),
        points=sum(one.totals[index] for one in rounds),
        points_attacked=sum(one.totals[index] for one in late),
        gas=sum(receipt.gas for receipt in receipts if receipt.account == account),
        epsilon=epsilon,
    )


def conclusions(options: FederateOptions, session: Session) -> tuple[str, ...]:
    """What came of attack and lie."""
    said = []
    if options.attack != "none" and options.attack_from < options.rounds:
        late = [session.closed[r] for r in range(options.attack_from, options.rounds)]
        seats = [winner for closed in late for winner in closed.winners]
        taken = sum(winner in options.hostile for winner in seats) / len(seats)
        share = len(options.hostile) / options.participants
        said.append(
            f"The attackers, {share:.0%} of the members, took {taken:.0%} of the seats since "
            f"round {options.attack_from}."
        )
    fault = session.fault
    if fault is not None:
        said.append(
            f"The server {FAULTS[fault.fault]} in round {fault.key.round}; its stake went to "
            f"the members, {amount(fault.share)} ETH each, and they went on without it."
        )
    elif options.lie != "none":
        said.append(f"The server {options.lie}, and nobody could convict it.")
    else:
        said.append("The server kept its word and has its stake back.")
    return tuple(said)


def described(copy: Copied) -> str:
    """What an update was made of, by the screen."""
    if copy.of is None:
        source = "the model's last change"
    else:
        source = f"member {copy.of}'s update" + (" of the round before" if copy.earlier else "")
    return (
        f"mostly of {source}, {copy.overlap:.0%} of the parameters the same, {copy.explained:.0%} "
        "explained by what was posted before"
    )


def write(record: Record, folder: Path) -> list[Path]:
    """Writes record and plots; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / "accuracy.png", folder / "points.png", folder / "federate.json"]
    files[0].write_bytes(png(accuracy_figure(record)))
    files[1].write_bytes(png(points_figure(record)))
    files[2].write_text(json.dumps(asdict(record), indent=2) + "\n")
    return files


def accuracy_figure(record: Record) -> Figure:
    """Accuracy of the global model by round; where the attack begins and the server is caught."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    shares = [record.first_accuracy, *(one.accuracy for one in record.rounds)]
    axes.plot(
        range(len(shares)), [100 * share for share in shares], marker="o", color=_BLUE, markersize=4
    )
    if record.attack != "none":
        axes.axvline(record.attack_from, color=_ORANGE, linestyle=":", label="attack begins")
    if record.convicted:
        caught = int(str(record.convicted["round"])) + 0.5
        axes.axvline(caught, color=_RED, linestyle="--", label="server convicted")
    axes.set_xlabel("rounds done")
    axes.set_ylabel("accuracy on the test set [%]")
    axes.set_ylim(0, 100)
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right")
    return figure


def points_figure(record: Record) -> Figure:
    """Borda points of each member in each round; a cross marks who was elected."""
    figure = Figure(figsize=(8, 1.2 + 0.3 * len(record.members)), layout="constrained")
    axes = figure.subplots()
    points = np.array([one.totals for one in record.rounds]).T  # (members, rounds)
    image = axes.imshow(points, aspect="auto", cmap="Blues")
    figure.colorbar(image, ax=axes, label="points")
    for one in record.rounds:
        axes.plot([one.number] * len(one.winners), one.winners, "x", color=_RED, markersize=5)
    names = [f"{one.name}{' (attacker)' if one.hostile else ''}" for one in record.members]
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("round")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure
