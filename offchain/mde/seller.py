"""The seller's role: it commits to its data, quotes by itself, and shows nothing before it is paid.

It holds no connection. `next_action` says what to do next given what chain and letters have told
its session; all that must not be made twice is in its stock before anything rests on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from offchain.crypto.errors import CryptoError
from offchain.crypto.sealing import Point, seal_keys
from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import Settlement, delivery_margin
from offchain.data.imageset import Progress
from offchain.mde.artefact import artefact_digest
from offchain.mde.artefact_reading import MAX_ARTEFACT_BYTES
from offchain.mde.asked import artefact_named
from offchain.mde.coarse import QUOTES, fair, step_of
from offchain.mde.correspondence import Correspondence
from offchain.mde.deals import PAD_INDEX, Deal, DealState, Order, Quote
from offchain.mde.errors import FeatureMismatch, MdeError
from offchain.mde.letters import (
    Answer,
    Invitation,
    Letter,
    Message,
    Offer,
    Proposal,
    Tell,
)
from offchain.mde.objections import Objections
from offchain.mde.quoting import NO_WORD, Pricing, asked
from offchain.mde.report import EfficacyReport
from offchain.mde.samples import Samples
from offchain.mde.session import DealSession, Sale
from offchain.mde.stall import Stall
from offchain.mde.stock import Stock
from offchain.mde.vault import SEALED_BYTES
from offchain.mde.verifiable.encoding import Encoding
from offchain.mde.verifiable.quotes import verifiable_quote
from offchain.mde.verifiable.scores import ScoreLeaves
from offchain.policy import Limit, Policy, TermsRefused
from offchain.roles import Action, Clock, Dropping, Recover, Wallet
from offchain.storage import ContentError, Datastore
from offchain.task import Task, TaskError, fetch_task

BAD_ORDER = (MdeError, TaskError, ContentError, TermsRefused)
"""What an order raises under which its owner does not sell."""

BAD_INVITATION = (*BAD_ORDER, CryptoError)
"""What an artefact raises that is not what the buyer should have handed over."""


LIMITED = ("stake", "delivery time", "time locked", "price", "quotes")
"""What its owner's limits are on."""

CAREFUL = {"price": Limit(least=1, unit="wei"), "quotes": Limit(most=QUOTES)}
"""What holds where the owner says nothing else."""


class Seller(Dropping):
    """Sells `samples`, of exact duplicates the first, under orders that `policy` accepts.

    Limits are on the quantities of `asked` (offchain/mde/quoting.py); on "price", the smallest unit
    of a quote that is not 0; and on "quotes", artefacts that the samples are held against in all.

    Attributes:
        originals: the files that the samples were encoded from, which are what is sold; or none.
        objections: why it does not quote, by the artefact's CID or the order's id in hex; one line
            each.
        undecided: digests of artefacts by which its data's score may as well have the other sign
            (`EfficacyReport.undecided`): its owner's to know, and in no letter.
        mute: whether its post is full: it writes no letters any more, and does all else.
    """

    may_drop = frozenset({"quote", "publishKey", "sealKey", "settle"})

    def __init__(
        self,
        wallet: Wallet,
        recover: Recover,
        session: DealSession,
        samples: Samples,
        stall: Stall,
        store: Datastore,
        secrets_file: SecretsFile,
        progress: Progress | None = None,
        policy: Policy | None = None,
        originals: Sequence[bytes] = (),
    ) -> None:
        self.wallet = wallet
        self.account = wallet.address
        self.recover = recover
        self.session = session
        self.stall = stall
        self.originals = originals
        self.stock = self.stock_of(samples, stall.token, secrets_file)
        self.store = store
        self.secrets_file = secrets_file
        self.progress = progress
        self.policy = policy or Policy()
        self.policy.require_known(LIMITED)
        self.objections: Objections[str] = Objections()
        self.undecided: set[bytes] = set()
        self.mute = False
        self._tasks: dict[bytes, Task] = {}

    def stock_of(self, samples: Samples, token: str, secrets_file: SecretsFile) -> Stock:
        """What it sells."""
        place = self.session.place
        return Stock(self.account, place, samples, token, secrets_file, self.originals)

    @property
    def samples(self) -> Samples:
        """What it sells, without exact duplicates."""
        return self.stock.samples

    @property
    def id(self) -> bytes:
        """Of its dataset, whether it is registered or not."""
        return self.stock.id

    @cached_property
    def stored(self) -> str:
        """CID of its encrypted samples, once they are in the datastore: put there once."""
        return self.store.put(self.stock.file.to_bytes())

    def next_action(self, clock: Clock) -> Action | Tell | None:
        """What to do now, or None while it is others' turn."""
        selling = clock.now < self.stall.until and self.is_wanted(clock)
        if self.id not in self.session.datasets:
            return self.register() if selling and any(self._fitting(clock)) else None
        # What is fetched comes after what has a deadline.
        return (
            self._deliver(clock)
            or self._settle(clock)
            or (self.top_up(clock) if selling else None)
            or (self._write(self._offers(clock)) if selling else None)
            or (self._write(self._proposals(clock)) if selling else None)
            or (self._write(self._answers(clock)) if selling else None)
            or self.record(clock)
            or (None if selling else self.withdraw())
        )

    def is_wanted(self, clock: Clock) -> bool:
        """Whether something may still come of its one order; of many something always may."""
        order = self.stall.order
        if order is None or order not in self.session.orders:
            return True
        under = [sale for sale in self.session.sales_from(self.id) if sale.order == order]
        if any(sale.state is DealState.QUOTED and clock.now < sale.deadline for sale in under):
            return self.session.books[order].funds > 0
        if under or self._pair_withdrawn(order):
            return any(sale.running for sale in under)
        return self.session.is_open(order) and self.session.books[order].funds > 0

    def _pair_withdrawn(self, order: bytes) -> bool:
        deal = Deal(self.session.orders[order], self.stock.dataset, Quote(0, 0, NO_WORD))
        return deal.pair in self.session.withdrawn

    # ------------------------------------------------------------------ the steps

    def check_task(self, order: bytes) -> Task:
        """The task of an order if its samples are what that asks for; nothing is stored or paid.

        Raises TaskError, FeatureMismatch, and what the datastore raises.
        """
        asked = self.session.orders[order]
        if asked.artefact not in self._tasks:
            self._tasks[asked.artefact] = fetch_task(self.store, asked.artefact)
        self.stall.check(self._tasks[asked.artefact], asked, self.samples)
        return self._tasks[asked.artefact]

    def register(self) -> Action:
        """Stores the encrypted samples, one to a chunk, and commits to them."""
        _ = self.stored
        return Action("register", (self.stock.dataset.args(), self.stall.funds), self.stall.funds)

    def record(self, clock: Clock) -> Action | None:
        """Has a quote recorded that the buyer signed."""
        for order in self._orders():
            about = Correspondence(self.session, order, self.id)
            if not self.session.is_open(order) or not self.session.is_open(self.id):
                continue
            for proposal in about.by_seller(Proposal):
                deal, agreement = about.deal(proposal), about.agreement(proposal)
                if agreement is None or deal.pair in self.session.pairs:
                    continue
                typed = deal.typed_data(self.session.place)
                if clock.now < proposal.expiry and (
                    self.recover(typed, agreement.signature) == about.buyer
                ):
                    signatures = (agreement.signature, self.wallet.sign(typed))
                    action = Action("quote", (deal.args(), *signatures), about=1)
                    if self.still(action):
                        return action
        return None

    def deliver(self, sale: Sale) -> Action | None:
        """The key of a dataset that was paid; None for none."""
        if sale.deal.order.settlement is Settlement.OPEN:
            return Action("publishKey", (*sale.args(), self.delivered_key()))
        to = Point.with_even_y(sale.purchase.one_time_key)
        sealed = seal_keys(to, {PAD_INDEX: self.delivered_key()})
        words = (*sale.args(), sealed.ephemeral_x, sealed.sealed[0])
        return Action("sealKey", words, about=2)

    def delivered_key(self) -> bytes:
        """The dataset's key."""
        return self.stock.key

    def withdraw(self) -> Action | None:
        """Takes out what no sale holds; None where nothing is free."""
        account, free = self.stock.dataset.account, self.session.books[self.id].free
        to = self.stall.pay_to or account.owner
        return Action("withdraw", (account.args(), free, to)) if free else None

    def top_up(self, clock: Clock) -> Action | None:
        """What its funds lack of the stake of its one order, which its owner takes, before anything
        is bought."""
        order = self.stall.order
        if order is None or any(sale.running for sale in self.session.sales_from(self.id)):
            return None
        if order not in self._fitting(clock):
            return None
        lacking = self.session.orders[order].stake - self.session.books[self.id].free
        account = self.stock.dataset.account
        return Action("fund", (account.args(), lacking), lacking) if lacking > 0 else None

    def _deliver(self, clock: Clock) -> Action | None:
        for sale in self.session.sales_from(self.id):
            late = delivery_margin(sale.deal.order.delivery_time)
            if sale.state is DealState.PAID and clock.now < sale.deadline - late:
                action = self.still(self.deliver(sale))
                if action is not None:
                    return action
        return None

    def _settle(self, clock: Clock) -> Action | None:
        """Ends sales whose time is over: for its price, or for its stake that they hold."""
        for sale in self.session.sales_from(self.id):
            action = Action("settle", sale.args())
            if sale.running and clock.now >= sale.deadline and self.still(action):
                return action
        return None

    # ------------------------------------------------------------------ letters

    def propose(self, order: bytes, cid: str, pricing: Pricing, clock: Clock) -> Proposal:
        """What its data fetch under an order, computed here."""
        budget = self.session.books[order].free
        self._require_price(min(pricing.price.most, budget))
        self._hold_against(pricing)
        price, leaves = self._quoted(pricing, order)
        if price > budget:
            raise TermsRefused(f"the order's budget of {budget} wei does not pay the price")
        if price:
            self._require_price(price)
        return Proposal(
            order=order,
            dataset=self.id,
            artefact=cid,
            price=price,
            expiry=clock.now + self.stall.quote_time,
            scores=NO_WORD if leaves is None else leaves.root,
            leaves="" if leaves is None else self.store.put(leaves.to_bytes()),
        )

    def efficacy(self, pricing: Pricing) -> EfficacyReport:
        """What the set does to a model of the buyer's, in nats; no letter says it."""
        return pricing.artefact.efficacy.report(self.samples)

    def is_undecided(self, order: bytes) -> bool:
        """Whether the score that it priced its data by under an order may have either sign."""
        task = self._tasks.get(self.session.orders[order].artefact)
        return task is not None and artefact_named(task) in self.undecided

    def check_terms(self, order: bytes) -> None:
        """Raises TermsRefused for an order under which its owner does not sell."""
        self._require_terms(self.session.orders[order])

    def price(self, order: bytes, cid: str) -> int:
        """What its data fetch under an order, by the artefact under a CID.

        Raises what `read` raises, and TermsRefused where they were held against enough artefacts.
        """
        pricing = self.read(order, cid)
        self._hold_against(pricing)
        return self._quoted(pricing, order)[0]

    def read(self, order: bytes, cid: str) -> Pricing:
        """The artefact that was sealed to it, which must be the one that its order names.

        Raises ArtefactMismatch or ArtefactError, and what `check_task`, the datastore and the seal
        raise.
        """
        task = self.check_task(order)
        pricing = Pricing.read(self._unsealed(cid), artefact_named(task))
        pricing.require_named(self.session.orders[order], task)
        return pricing

    def _orders(self) -> Iterator[bytes]:
        """Under which it sells, if they fit."""
        return (id_ for id_ in self.session.orders if self.stall.order in (None, id_))

    def _fitting(self, clock: Clock) -> Iterator[bytes]:
        """Open orders for what it has, in its token, within its owner's limits.

        Once the task of one was fetched in vain it ends, and comes back to that one last.
        """
        encoding = self.stock.encoding
        for id_ in sorted(self._orders(), key=lambda one: self.objections.turn(one.hex())):
            order, name = self.session.orders[id_], id_.hex()
            if not self.session.is_open(id_) or order.token != self.stall.token:
                continue
            wanted = Encoding(order.features, order.value_bytes)
            if wanted != encoding:
                self.objections[name] = self._other_kind(wanted)
            elif not self.objections.hold(name, clock.now):
                try:
                    self._require_terms(order)
                    self.check_task(id_)
                except BAD_ORDER as error:
                    self.objections.note(name, error, clock.now)
                    if isinstance(error, ContentError):
                        return
                    continue
                self.objections.lift(name)
                yield id_

    def _offers(self, clock: Clock) -> Iterator[tuple[Message, str]]:
        """To each buyer whose orders it fits."""
        buyers = {self.session.orders[id_].buyer: None for id_ in self._fitting(clock)}
        for buyer in buyers:
            said = self.session.said(Offer, self.account, buyer)
            if not any(offer.dataset == self.id for offer in said):
                yield Offer(self.id, self.stored), buyer

    def _proposals(self, clock: Clock) -> Iterator[tuple[Message, str]]:
        """A quote for each order that it was invited to, once.

        Of each buyer's invitations the newest counts, and after one that was fetched in vain it
        ends: a sale that is running has a deadline.
        """
        for order in self._orders():
            about = Correspondence(self.session, order, self.id)
            if about.by_seller(Proposal) or not self.session.is_open(order):
                continue
            for invitation in about.by_buyer(Invitation)[-1:]:
                cid = invitation.artefact
                if self.objections.hold(cid, clock.now):
                    continue
                try:
                    self._require_terms(self.session.orders[order])
                    pricing = self.read(order, cid)
                    self.objections.lift(cid)
                    yield self.propose(order, cid, pricing, clock), about.buyer
                except BAD_INVITATION as error:
                    self.objections.note(cid, error, clock.now)
                    if isinstance(error, ContentError):
                        return

    def _answers(self, clock: Clock) -> Iterator[tuple[Message, str]]:
        """What its data would still fetch, once for each purchase that the buyer really made."""
        for order in self._orders():
            about = Correspondence(self.session, order, self.id)
            bought = len(self.session.bought(order))
            question = about.question(bought) if bought else None
            if question is None or about.answer(bought) is not None:
                continue
            barred = self.objections.hold(question.artefact, clock.now)
            if barred or clock.now >= question.until:
                continue
            try:
                file = self._unsealed(question.artefact)
                pricing = Pricing.read(file, artefact_digest(file))
                yield Answer(order, self.id, bought, self._steps(pricing)), about.buyer
            except BAD_INVITATION as error:
                self.objections.note(question.artefact, error, clock.now)
                if isinstance(error, ContentError):
                    return

    def _write(self, messages: Iterator[tuple[Message, str]]) -> Tell | None:
        if self.mute:
            return None
        letters = tuple(Letter(self.account, to, message) for message, to in messages)
        return Tell(letters) if letters else None

    def _unsealed(self, cid: str) -> bytes:
        return self.stock.unsealed(self.store.get(cid, MAX_ARTEFACT_BYTES + SEALED_BYTES))

    def _other_kind(self, wanted: Encoding) -> str:
        own = self.stock.encoding
        return (
            f"samples have {own.features} values of {own.value_bytes} bytes, "
            f"wanted are {wanted.features} of {wanted.value_bytes}"
        )

    @property
    def _limits(self) -> Policy:
        """Its owner's, and what holds where the owner says nothing."""
        return Policy({**CAREFUL, **self.policy.limits})

    def _require_terms(self, order: Order) -> None:
        terms = asked(order)
        self.policy.about(*terms).check(terms)

    def _require_price(self, price: int) -> None:
        self._limits.about("price").check({"price": price})

    def _hold_against(self, pricing: Pricing) -> None:
        """Raises TermsRefused where its samples were held against enough artefacts.

        All that an artefact can be refused for without a look at them comes before.
        """
        if pricing.encoding != self.stock.encoding:
            raise FeatureMismatch(self._other_kind(pricing.encoding))
        pricing.require_room(len(self.samples))
        limits = self._limits.about("quotes")
        self.stock.count(pricing.artefact.digest, lambda number: limits.check({"quotes": number}))

    def _steps(self, pricing: Pricing) -> int:
        self._hold_against(pricing)
        return step_of(pricing.price, pricing.artefact.quote(self.samples, self.progress).price)

    def _quoted(self, pricing: Pricing, order: bytes) -> tuple[int, ScoreLeaves | None]:
        """Coarse price, and leaves where the contract can check them. order: its id."""
        if pricing.verifiable is None:
            exact = pricing.artefact.quote(self.samples, self.progress)
            self._note(pricing, exact.report.undecided)
            return fair(pricing.price, exact.price), None
        quoted = verifiable_quote(
            pricing.verifiable, self.samples, order, self.stock.key, self.progress
        )
        self._note(pricing, quoted.undecided)
        return fair(pricing.price, quoted.price), quoted.leaves

    def _note(self, pricing: Pricing, undecided: bool) -> None:
        if undecided:
            self.undecided.add(pricing.artefact.digest)
