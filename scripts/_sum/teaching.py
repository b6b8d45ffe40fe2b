"""`ape run teach` and `ape run report`: an author's own texts, or another's eye, in a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

import ape
import click
from ape.api import AccountAPI

from offchain.crypto.settlement import NATIVE
from offchain.files import write_whole
from offchain.policy import TermsRefused
from offchain.report.text import amount
from offchain.storage import Datastore
from offchain.sum import events as ev
from offchain.sum.author import Author, Lesson
from offchain.sum.classifier import MAX_TOUCHED
from offchain.sum.described import Prepared, fetch_preprocessing
from offchain.sum.model import SharedModelState
from offchain.sum.reporter import Reporter
from offchain.sum.texts import LabelledTexts, TextsError, samples
from offchain.task import Task, fetch_task
from offchain.task.errors import LicenceRefused
from scripts._stage.accounts import receiver
from scripts._stage.chain import chain_home
from scripts._stage.deployments import deployed
from scripts._stage.money import currency, parse_amount
from scripts._stage.party import PartyTelling, gas_price, party_account, play_on, reachable
from scripts._stage.party_sheets import gas_sheet, task_sheet
from scripts._stage.retention import keep_on, own_datastore, play_kept
from scripts._stage.table import Seat
from scripts._sum.model import ModelOnChain
from scripts._sum.parts import FACTORY
from scripts._sum.party_options import ReportOptions, TeachOptions
from scripts._sum.table import ModelTable
from scripts._sum.terms_sheets import terms_sheet, worst_sheet

VERDICT_GAS = 240_000
"""Of an announcement and its claim, of a review of some 60 known words."""
CLAIM_GAS = 60_000
"""Of taking out rewards, from above."""


def run_teach(address: str, options: TeachOptions) -> None:
    """Teaches a model one's own texts, and plays the author until nothing is open any more.

    Nothing is signed or paid before task, terms and texts were checked and agreed to.
    """
    telling = PartyTelling(as_json=options.as_json)
    account = party_account(options.account, options.yes)
    model = ModelOnChain.resume(deployed(FACTORY, options.deployments), address)
    with telling.doing("reading the texts"):
        texts = options.load()
    home = chain_home()
    with own_datastore(options.ipfs, home, options.network) as store:
        reachable(telling, store.addresses)
        with telling.doing("fetching the task"):
            task, preprocessing = described(model, store)
        lessons = lessons_of(model, texts, task, preprocessing, options, telling)
        to = receiver(options.pay_to, str(account.address))
        seat = author_seat(account, lessons, to, options, least=least_share(model, options))
        state = model.read()
        agreed = home / "teaching" / f"{model.address}-{seat.address}-{name_of(lessons)}.agreed"
        begun = agreed.exists()
        asked = options.dry_run or not begun
        if asked and not _agreed(model, state, task, lessons, options, telling):
            return
        write_whole(agreed, b"")
        telling.event("model", address=model.address, lessons=len(lessons), begun=begun)
        table = ModelTable(model, [seat], home / "teaching")
        _tell_end(model, play_kept(table, seat, telling, store), seat, telling)
        keep_on(store, None, model.address, telling)


def run_report(address: str, options: ReportOptions) -> None:
    """Reports what is found wrong until nothing is left to find. Raises ClickException without
    good data."""
    telling = PartyTelling(as_json=options.as_json)
    account = party_account(options.account, options.yes)
    model = ModelOnChain.resume(deployed(FACTORY, options.deployments), address)
    own, state = str(account.address), model.read()
    if not state.good[own]:
        raise click.ClickException(
            f"no data of {own} proved good in {model.address}: only who has some may report, and "
            "ape run teach is the way to it"
        )
    others = [one for one in state.contributions.values() if one.author != own and one.open]
    denied = [one for one in others if not state.agrees(one)]
    coin, decimals = currency(model.terms.token)
    telling.event(
        "model",
        address=model.address,
        open=len(others),
        denied=len(denied),
        at_stake=f"{amount(sum(one.left for one in denied), decimals)} {coin}",
    )
    if options.dry_run:
        return
    if not options.yes:
        click.confirm("Announce and report these, and what else is found, for gas?", abort=True)
    to = receiver(options.pay_to, own)
    least = least_share(model, options)
    seat = Seat("reporter", account, lambda session: Reporter(own, session, to, least))
    _tell_end(model, play_on(ModelTable(model, [seat]), seat, telling), seat, telling)


def name_of(lessons: list[Lesson]) -> str:
    """What tells these lessons from others: who agreed to them is not asked again."""
    return hashlib.sha256(json.dumps(lessons).encode()).hexdigest()[:16]


def described(model: ModelOnChain, store: Datastore) -> tuple[Task, Prepared]:
    """The model's task and how a text becomes a sample.

    Raises ClickException where these and the classifier do not fit, TaskError, PreprocessingError,
    and what the datastore raises.
    """
    task = fetch_task(store, model.terms.task)
    store.connect(task.peers)
    preprocessing = fetch_preprocessing(store, task)
    features, _, classes = model.shape
    if (len(task.classes), len(preprocessing.vocabulary)) != (classes, features):
        raise click.ClickException(
            f"{model.address}: its task has {len(task.classes)} classes of {task.modality} and "
            f"{len(preprocessing.vocabulary)} features, its classifier {classes} and {features}"
        )
    return task, preprocessing


def lessons_of(
    model: ModelOnChain,
    texts: LabelledTexts,
    task: Task,
    preprocessing: Prepared,
    options: TeachOptions,
    telling: PartyTelling,
) -> list[Lesson]:
    """What is to be taught, labels as the task numbers them.

    Raises LicenceRefused, TermsRefused, ClassesUnknown, TextsError, and ClickException where
    nothing of the texts can be taught.
    """
    said = {one.casefold() for one in options.licence}
    if said and task.licence.casefold() not in said:
        raise LicenceRefused(
            f"the task's licence is {task.licence:.80}; texts are given under "
            f"{', '.join(options.licence)}"
        )
    accepted = {one.casefold() for one in options.accept_token}
    if model.terms.token != NATIVE and model.terms.token.casefold() not in accepted:
        raise TermsRefused(
            f"terms refused: the model is paid in {model.terms.token}; --accept-token takes it"
        )
    check_limits(model, options)
    own = texts.relabelled(task.classes, options.names)
    if task.modality != options.modality:
        raise TextsError(f"{texts.name}: the model learns {task.modality}, not {options.modality}")
    found = samples(own, preprocessing, model.shape[1], telling.left_out)
    if not found:
        raise click.ClickException(f"{texts.name}: none of its texts can be taught to this model")
    return [(preprocessing.bitmap(one.features), one.label) for one in found]


def check_limits(model: ModelOnChain, options: TeachOptions) -> None:
    """Raises TermsRefused for terms under which the owner's limits let nothing be taught."""
    price, limits = model.terms.price, options.limits
    coin, decimals = currency(model.terms.token)
    least = price.unit
    cost = min(price.agree_cost, price.disagree_cost)
    for name, limit, needed in (
        ("deposit", limits.deposit, least),
        ("cost", limits.cost, cost),
        ("stake", limits.stake, least + cost),
    ):
        if limit is not None and limit < needed:
            raise TermsRefused(
                f"terms refused: {name}: {amount(needed, decimals)} {coin} at least, at most "
                f"{amount(limit, decimals)} {coin} is accepted"
            )


def author_seat(
    account: AccountAPI,
    lessons: list[Lesson],
    to: str,
    options: TeachOptions,
    name: str = "author",
    least: int = 0,
) -> Seat:
    """An author's. to: who is paid. least: that a report must bring."""
    own = str(account.address)
    make: Callable[[Any], Author] = lambda session: Author(  # noqa: E731
        own, session, to, lessons, options.limits, reports=options.reports, least=least
    )
    return Seat(name, account, make)


def _agreed(
    model: ModelOnChain,
    state: SharedModelState,
    task: Task,
    lessons: list[Lesson],
    options: TeachOptions,
    telling: PartyTelling,
) -> bool:
    """Shows what is to be agreed to; whether it is."""
    price = gas_price(options.gas_price)
    count, gas = len(lessons), sum(map(lesson_gas, lessons))
    calls = {
        f"addData, {count:,} times": gas,
        "announce, as often": gas,
        "refund, as often": gas,
        "claimRewards": CLAIM_GAS,
    }
    telling.sheets(
        (
            task_sheet(task),
            terms_sheet(model.terms, state, model.kind),
            gas_sheet(calls, price, "all", "Answers to attacks and reports come on top."),
            worst_sheet(model.terms, count, options.limits),
        )
    )
    if options.dry_run:
        telling.event("dry_run", address=model.address, lessons=count, accepted=True)
        return False
    if not options.yes:
        click.confirm(f"Teach this model {count:,} texts under these terms?", abort=True)
    return True


def least_share(model: ModelOnChain, options: ReportOptions) -> int:
    """What a report must bring: what is said, or else what an announcement and a claim cost.

    What gas is worth in a token nobody says here; then any share is taken.
    """
    if options.least_share is not None:
        return parse_amount("least-share", options.least_share)
    price = int(ape.chain.provider.gas_price)
    return VERDICT_GAS * price if model.terms.token == NATIVE else 0


def lesson_gas(lesson: Lesson) -> int:
    """Gas of one contribution, from above: it may change all words that its features are in."""
    features, _ = lesson
    active = sum(word.bit_count() for word in features)
    return 200_000 + 24_000 * min(active, MAX_TOUCHED) + 700 * len(features)


def _tell_end(
    model: ModelOnChain, state: SharedModelState, seat: Seat, telling: PartyTelling
) -> None:
    """What came of it, by the events."""
    coin, decimals = currency(model.terms.token)
    own = seat.address
    paid, back = paid_and_back((event for event, _ in model.events()), own)
    telling.event(
        "over",
        good=state.good[own],
        paid=f"{amount(paid, decimals)} {coin}",
        back=f"{amount(back, decimals)} {coin}",
    )


def paid_and_back(events: Iterable[ev.Event], account: str) -> tuple[int, int]:
    """What an account paid for its contributions, and what it got out of the model, smallest unit.

    What one paid too much is credited, and comes out with the rewards: it counts on both sides.
    """
    paid = back = 0
    for event in events:
        match event:
            case ev.DataAdded() if event.author == account:
                paid += event.deposit + event.cost
            case ev.Credited() if event.account == account:
                paid += event.amount
            case (
                ev.Refunded(author=who, amount=amount)
                | ev.Reported(reporter=who, amount=amount)
                | ev.TakenOver(taker=who, amount=amount)
                | ev.RewardsClaimed(account=who, amount=amount)
            ) if who == account:
                back += amount
            case _:
                pass
    return paid, back
