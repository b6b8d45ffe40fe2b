"""What is kept of an `ape run federate` and of an `ape run audit`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ape.api import AccountAPI

from offchain.report.text import amount
from offchain.seccl.audit import Findings
from offchain.seccl.image_privacy import ImagePrivacy
from offchain.seccl.session import FAULTS, Session
from offchain.seccl.similarity import Copied
from scripts._seccl.chain import FederationChain
from scripts._seccl.options import FederateOptions
from scripts._stage.chain import Receipt
from scripts._stage.gas import CallRecord, calls_of
from scripts._stage.money import currency


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
    fault, round, victim and accuser where it was; lenient: who evaluated copies above 0; faults:
    what was done against the rules besides; seconds of wall clock."""

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
    faults: tuple[str, ...]
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
        checked=checked(findings),
        refused=tuple(findings.refused),
        lenient=tuple(findings.lenient),
        faults=tuple(findings.faults),
        conclusions=conclusions(options, session),
        gas_price_gwei=options.gas_price,
        seconds=seconds,
    )


def checked(findings: Findings) -> dict[str, int]:
    """How many of each an audit found right."""
    counts = ("messages", "own_posts", "leaves", "receipts", "evaluations", "ballots")
    return {name: getattr(findings, name) for name in counts}


@dataclass(frozen=True)
class AuditRecord:
    """An audit of a session: rounds that it is agreed to have, winners and totals of those that are
    closed, and the digests of the global model before the first and after each."""

    session: str
    board: str
    consensus: str
    chain_id: int
    rounds: int
    winners: tuple[tuple[int, ...], ...]
    totals: tuple[tuple[int, ...], ...]
    digests: tuple[str, ...]
    checked: dict[str, int]
    convicted: dict[str, object] | None
    refused: tuple[str, ...]
    lenient: tuple[str, ...]
    faults: tuple[str, ...]


def audit_record(chain: FederationChain, findings: Findings) -> AuditRecord:
    """What an audit of that session found."""
    session = chain.session
    return AuditRecord(
        session=f"0x{session.id.hex()}",
        board=session.board.address,
        consensus=str(chain.consensus.address),
        chain_id=session.board.chain_id,
        rounds=session.terms.rounds,
        winners=tuple(result.winners for result in findings.results),
        totals=tuple(result.totals for result in findings.results),
        digests=tuple(findings.digests),
        checked=checked(findings),
        convicted=_conviction(session),
        refused=tuple(findings.refused),
        lenient=tuple(findings.lenient),
        faults=tuple(findings.faults),
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
    """A sentence on what came of the attack, and one on the lie, where there was one."""
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
        coin, decimals = currency(session.terms.token)
        said.append(
            f"The server {FAULTS[fault.fault]} in round {fault.key.round}; its stake went to the "
            f"members, {amount(fault.share, decimals)} {coin} each, and they went on without it."
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
