"""The buyer's role: a model owner that signs what it can check, and checks all that it signed for.

It holds no connection. `next_action` says what to do next given what chain and letters have told
its session; being killed before or after any action is harmless, since all that must not be made
twice is in its vault before anything rests on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from offchain.crypto.errors import CryptoError
from offchain.crypto.sealing import NO_POINT, point_of, seal
from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import Settlement
from offchain.mde.artefact import artefact_digest
from offchain.mde.budget import next_best
from offchain.mde.checking import MOST_BYTES, require_sound
from offchain.mde.coarse import STEPS, step_of
from offchain.mde.correspondence import Correspondence
from offchain.mde.deals import Dataset, DealState
from offchain.mde.errors import MdeError, QuoteRefused
from offchain.mde.letters import (
    Agreement,
    Invitation,
    Letter,
    Message,
    Proposal,
    Question,
    Tell,
)
from offchain.mde.objections import Objections
from offchain.mde.owner import Owner
from offchain.mde.quoting import OrderTerms, Pricing
from offchain.mde.session import DealSession, Sale
from offchain.mde.vault import Vault
from offchain.roles import Action, Clock, Dropping, Wallet
from offchain.storage import ContentError, Datastore
from offchain.task import Task

BAD_OFFER = (MdeError, CryptoError, ContentError)
"""What files and quotes raise that are not what a seller should have handed over."""


@dataclass(frozen=True)
class Wants:
    """What a buyer is out for.

    Attributes:
        terms: of its orders. budget: put up with the first, smallest unit.
        publish: makes the artefact file of a model.
        task: what they ask for; the artefact is left out.
        patience: seconds that it waits for quotes after it posted.
        answer_time: and for each answer; None for as long.
        most_bytes: of the largest dataset that it fetches.
        scope: keeps its orders apart from others of the same account.
        without: ids of datasets that it neither asks about nor buys.
        pay_to: 0x account that gets what is left of the budget; None for its own.
    """

    terms: OrderTerms
    budget: int
    publish: Callable[[Owner], bytes]
    task: Task
    patience: int
    most_bytes: int = MOST_BYTES
    scope: str = ""
    pay_to: str | None = None
    answer_time: int | None = None
    without: frozenset[bytes] = frozenset()


class Buyer(Dropping):
    """Buys data for the model of `owner`.

    Attributes:
        vault: what it rests on.
        objections: why it asks a seller for no quote, does not sign it, or cannot use what it
            bought, by dataset; why it buys no more, by order; one line each.
        mute: whether its post is full: it writes no letters any more, and does all else.
    """

    may_drop = frozenset(
        {
            *("purchase", "settle", "accept", "proveWrongKey", "proveSpoiltChunk"),
            *("proveWrongScore", "proveRepeatedSample", "proveWrongPrice"),
        }
    )

    def __init__(
        self,
        wallet: Wallet,
        session: DealSession,
        owner: Owner,
        wants: Wants,
        store: Datastore,
        secrets_file: SecretsFile,
    ) -> None:
        self.wallet = wallet
        self.account = wallet.address
        self.wants = wants
        self.store = store
        self.vault = Vault(
            self.account,
            session,
            owner,
            wants.publish,
            wants.task,
            store,
            secrets_file,
            wants.most_bytes,
            wants.scope,
        )
        self.objections: Objections[bytes] = Objections()
        self.mute = False

    @property
    def session(self) -> DealSession:
        """What chain and letters told."""
        return self.vault.session

    @session.setter
    def session(self, session: DealSession) -> None:
        self.vault.session = session

    def next_action(self, clock: Clock) -> Action | Tell | None:
        """What to do now, or None while it is others' turn."""
        posted = self.vault.orders()
        if not posted:
            return self.post(0, self.wants.budget)
        order = posted[-1]
        return (
            self._answer_deliveries(clock)
            or self._write(islice(self._invitations(order, clock), 1))
            or self._write(islice(self._agreements(order, clock), 1))
            or self._spend(order, clock)
        )

    # ------------------------------------------------------------------ the steps

    def post(self, number: int, budget: int) -> Action:
        """The order called `number` among its orders, which names the artefact of its model now."""
        file = self.vault.artefact(number)
        pricing = Pricing.read(file, artefact_digest(file))
        order = pricing.order(self.account, self.wants.terms, self.vault.task(number))
        return Action("post", (order.args(), budget), budget)

    def spend(self, order: bytes, clock: Clock) -> Action | Tell | None:
        """Buys what adds most for its price, set after set; then takes the rest home.

        So it does where its model cannot be published any more: nobody can be asked.
        """
        offered = self._offered(order, clock)
        number = len(self.session.bought(order))
        said = {id_: self._worth(order, sale, number) for id_, sale in offered.items()}
        silent = [id_ for id_, worth in said.items() if worth is None]
        # Others' quotes would expire while it waits again for who was silent once.
        if awaited := [id_ for id_ in silent if not self._was_silent(order, id_, clock)]:
            asked = {id_: self._about(order, id_).question(number) for id_ in awaited}
            unasked = [id_ for id_, question in asked.items() if question is None]
            if unasked and not self.mute:
                until = clock.now + (self.wants.answer_time or self.wants.patience)
                try:
                    return self._write(self._questions(order, unasked, number, until))
                except MdeError as error:
                    self.objections[order] = f"nothing more is bought: {error}"
                    return self.withdraw(order)
            if any(question and clock.now < question.until for question in asked.values()):
                return None
        ids = [id_ for id_ in offered if id_ not in silent]
        found = next_best(
            [offered[id_].price for id_ in ids],
            self.session.books[order].free,
            lambda _, i: said[ids[i]] or 0,
            chosen=(),
        )
        return self.withdraw(order) if found is None else self.purchase(offered[ids[found]])

    def purchase(self, sale: Sale) -> Action:
        """Accepts a quote."""
        key = NO_POINT
        if sale.deal.order.settlement is Settlement.SEALED:
            key = point_of(self.vault.one_time_secret(sale.deal))
        return Action("purchase", (sale.deal.args(), key.x, key.y), about=1)

    def judge(self, sale: Sale) -> Action | None:
        """Accepts a delivery, or proves it wrong; None where no contract can tell what is wrong."""
        try:
            fault = self.vault.received(sale).fault
        except MdeError as error:
            self.objections[sale.dataset] = f"what was sold is of no use: {error}"
            return None
        if fault is None:
            return Action("accept", sale.args())
        return Action(fault.call, (*sale.args(), *fault.evidence))

    def withdraw(self, order: bytes) -> Action | None:
        """Takes out what is left; None where nothing is."""
        account, free = self.session.orders[order].account, self.session.books[order].free
        to = self.wants.pay_to or account.owner
        return Action("withdraw", (account.args(), free, to)) if free else None

    def _worth(self, order: bytes, sale: Sale, number: int) -> int | None:
        """Steps above the floor that a set fetches after `number` purchases; None for no answer.

        At first that is what its price says. What cannot be is taken for nothing.
        """
        if not number:
            return step_of(self.vault.pricing(order).price, sale.price)
        answer = self._about(order, sale.dataset).answer(number)
        if answer is None:
            return None
        return answer.steps if 0 <= answer.steps <= STEPS else 0

    def _was_silent(self, order: bytes, dataset: bytes, clock: Clock) -> bool:
        """Whether a seller let the time for an answer pass, after this purchase or an earlier."""
        about = self._about(order, dataset)
        return any(
            clock.now >= one.until and about.answer(one.bought) is None
            for one in about.by_buyer(Question)
        )

    def _answer_deliveries(self, clock: Clock) -> Action | None:
        own = set(self.vault.orders())
        for sale in self.session.sales.values():
            if sale.order not in own:
                continue
            action = None
            if sale.state is DealState.PAID and clock.now >= sale.deadline:
                action = Action("settle", sale.args())
            if sale.state is DealState.DELIVERED and clock.now < sale.deadline:
                action = self.judge(sale)
            if self.still(action):
                return action
        return None

    def _spend(self, order: bytes, clock: Clock) -> Action | Tell | None:
        decides = self.session.books[order].opened + self.wants.patience
        running = any(sale.running for sale in self.session.sales_under(order).values())
        return None if running or clock.now < decides else self.spend(order, clock)

    def _offered(self, order: bytes, clock: Clock) -> dict[bytes, Sale]:
        """What can still be bought under an order, by dataset."""
        left, stake = self.session.books[order].free, self.wants.terms.stake
        return {
            id_: sale
            for id_, sale in self.session.sales_under(order).items()
            if sale.state is DealState.QUOTED
            and id_ not in self.wants.without
            and clock.now < sale.deadline
            and 0 < sale.price <= left
            and self.session.is_open(id_)
            and self.session.books[id_].free >= stake
            and not self.dropped("purchase", sale.deal.args())
        }

    # ------------------------------------------------------------------ letters

    def invitation(self, order: bytes, dataset: bytes, artefact: bytes) -> Invitation:
        """An artefact that the seller of `dataset` alone can read: its name is its key.

        It crosses once the dataset is registered, which must not be made to please.
        """
        sealed = seal(self.session.datasets[dataset].name, artefact)
        return Invitation(order, dataset, self.store.put(sealed))

    def agreement(self, proposal: Proposal, clock: Clock) -> Agreement:
        """Its signature. Raises one of BAD_OFFER for a quote that it does not sign."""
        id_, dataset = proposal.order, proposal.dataset
        deal = self._about(id_, dataset).deal(proposal)
        require_sound(
            deal,
            self.vault.leaves(proposal),
            self.session.orders[id_],
            self.session.datasets[dataset],
            self.vault.pricing(id_),
            clock.now,
        )
        place = self.session.place
        signature = self.wallet.sign(deal.typed_data(place))
        return Agreement(id_, dataset, deal.digest(place), signature)

    def _invitations(self, order: bytes, clock: Clock) -> Iterator[Message]:
        """To all whose offered data it can use and has not paid for before, while it can pay.

        Each invitation shows the artefact to one more seller. After one set that was fetched in
        vain it ends: to look for many that are nowhere would take longer than a dispute.
        """
        if not self.session.is_open(order) or not self.session.books[order].free:
            return
        number = self.vault.orders().index(order)
        for id_ in self._unpaid(clock):
            if self._about(order, id_).by_buyer(Invitation):
                continue
            try:
                self._require_enough(self.session.datasets[id_])
                if self.vault.file(order, id_) is not None:
                    self.objections.lift(id_)
                    yield self.invitation(order, id_, self.vault.artefact(number))
            except BAD_OFFER as error:
                self.objections.note(id_, error, clock.now)
                if isinstance(error, ContentError):
                    return

    def _require_enough(self, dataset: Dataset) -> None:
        """Raises QuoteRefused for fewer samples than are asked for."""
        least = max(self.wants.task.least.samples, self.wants.task.least.distinct)
        if dataset.count < least:
            raise QuoteRefused(f"{dataset.count} samples, at least {least} are asked for")

    def _unpaid(self, clock: Clock) -> list[bytes]:
        """Datasets that it may buy under a new order."""
        paid = {
            sale.dataset
            for sale in self.session.sales.values()
            if sale.deal.order.buyer == self.account and sale.state is not DealState.QUOTED
        }
        # Whose stake is not there could not be bought from: nothing of it is fetched.
        found = [
            id_
            for id_, dataset in self.session.datasets.items()
            if id_ not in paid
            and id_ not in self.wants.without
            and not self.objections.hold(id_, clock.now)
            and self.session.is_open(id_)
            and dataset.token == self.wants.terms.token
            and self.session.books[id_].free >= self.wants.terms.stake
        ]
        return sorted(found, key=self.objections.turn)

    def _agreements(self, order: bytes, clock: Clock) -> Iterator[Message]:
        """Signatures of sound proposals, one for each pair; it ends as invitations do."""
        for id_ in self._unpaid(clock):
            about = self._about(order, id_)
            if about.by_buyer(Agreement):
                continue
            for proposal in about.by_seller(Proposal)[:1]:
                try:
                    signed = self.agreement(proposal, clock)
                    self.objections.lift(id_)
                    yield signed
                except BAD_OFFER as error:
                    self.objections.note(id_, error, clock.now)
                    if isinstance(error, ContentError):
                        return

    def _questions(
        self, order: bytes, datasets: Iterable[bytes], number: int, until: int
    ) -> Iterator[Message]:
        """What each would add to the model as it is after `number` purchases."""
        artefact = self.vault.artefact_now()
        for id_ in datasets:
            sealed = self.invitation(order, id_, artefact).artefact
            yield Question(order, id_, number, sealed, until)

    def _about(self, order: bytes, dataset: bytes) -> Correspondence:
        return Correspondence(self.session, order, dataset)

    def _write(self, messages: Iterator[Message]) -> Tell | None:
        """Letters to the sellers of the datasets that the messages are about."""
        if self.mute:
            return None
        letters = tuple(
            Letter(self.account, self.session.datasets[message.dataset].seller, message)
            for message in messages
        )
        return Tell(letters) if letters else None
