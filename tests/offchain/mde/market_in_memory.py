"""A buyer and its sellers without a chain, who act in turn until everybody has its money home."""

from __future__ import annotations

from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import NATIVE, Settlement
from offchain.mde.buyer import Buyer, Wants
from offchain.mde.extraction import ExtractionSettings
from offchain.mde.influence import InfluenceSettings
from offchain.mde.letters import Proposal
from offchain.mde.owner import Owner
from offchain.mde.pricing import Piecewise, PriceFunction
from offchain.mde.quoting import OrderTerms
from offchain.mde.samples import Samples
from offchain.mde.seller import Seller
from offchain.mde.stall import Stall
from offchain.mde.training import Trainer
from tests.kit.memory_store import MemoryStore
from tests.kit.wallets import KeyWallet, recover
from tests.offchain.mde.deals_in_memory import START, Deals, Refused
from tests.offchain.mde.small import drawn, fitted, linear, small_asked, small_task

BUDGET, STAKE, PATIENCE = 2 * 10**6, 400, 60
PRICE = PriceFunction(Piecewise(((0, 10), (10**6, 10**6))), 10**6, 10, useful=10)
SETTINGS = {
    "tree": ExtractionSettings(leaves=8, points=200),
    "influence": InfluenceSettings(),
}


class MarketInMemory:
    """One buyer and sellers of these classes, who act in turn until nobody has anything to do.

    forgetful: every role is built anew before each step.
    """

    def __init__(
        self,
        folder,
        file: bytes,
        *roles: type[Seller],
        buyer: type[Buyer] = Buyer,
        settlement: Settlement = Settlement.SEALED,
        samples: Samples | None = None,
        forgetful: bool = False,
    ) -> None:
        self.deals, self.store, self.folder = Deals(), MemoryStore({}), folder
        self.file, self.forgetful = file, forgetful
        self.terms = OrderTerms(NATIVE, STAKE, settlement, PATIENCE, PATIENCE)
        self.stall = Stall(
            NATIVE, STAKE, 10 * PATIENCE, START + 20 * PATIENCE, small_asked().classes
        )
        self.sold = [samples or drawn(20, 9 + number) for number in range(len(roles))]
        self.made: list[int] = []
        self.refused: list[str] = []
        self._classes = (buyer, *roles)
        self.roles = [self._make(number) for number in range(1 + len(roles))]

    @property
    def buyer(self) -> Buyer:
        return self.roles[0]

    @property
    def session(self):
        return self.deals.read()

    def publish(self, owner: Owner) -> bytes:
        """The artefact of a model; here always the same, and counted."""
        self.made.append(len(owner.task.train))
        return self.file

    def _make(self, number: int):
        wallet, secrets = KeyWallet(f"{number}"), SecretsFile(self.folder / f"{number}.json")
        role = self._classes[number]
        if number:
            stall, sold = self.stall, self.sold[number - 1]
            return role(wallet, recover, self.session, sold, stall, self.store, secrets)
        task = small_task()
        owner = Owner(task, task.validation, Trainer(steps=3), linear(fitted(task)))
        wants = Wants(self.terms, BUDGET, self.publish, small_asked(), PATIENCE)
        return role(wallet, self.session, owner, wants, self.store, secrets)

    def step(self, number: int) -> bool:
        """One action of one role; whether it had one."""
        if self.forgetful:
            self.roles[number] = self._make(number)
        role = self.roles[number]
        role.session = self.session
        action = role.next_action(self.deals.clock)
        if action is None:
            return False
        try:
            self.deals.do(action, role.account)
        except Refused as error:
            self.refused.append(str(error))
            assert len(self.refused) < 3, self.refused
        return True

    def round(self, *numbers: int) -> bool:
        """One step of each of these roles, of all without numbers; whether any had one."""
        done = [self.step(number) for number in numbers or range(len(self.roles))]
        return any(done)

    def run(self) -> MarketInMemory:
        """All steps until everybody took its money home; time passes where nobody acts."""
        books = {}
        while not books or any(book.funds for book in books.values()):
            if not self.round():
                self.deals.now += PATIENCE // 2
                assert self.deals.now < START + 30 * PATIENCE, "nobody ends it"
            books = self.session.books
        for number, role in enumerate(self.roles):
            if self.forgetful:
                self.roles[number] = role = self._make(number)
            role.session = self.session
        return self

    def gains(self) -> list[int]:
        """What each took home less what it put up."""
        gains = [0] * len(self.roles)
        accounts = [role.account for role in self.roles]
        books = self.session.books
        owners = {id_: order.buyer for id_, order in self.session.orders.items()}
        owners |= {id_: dataset.seller for id_, dataset in self.session.datasets.items()}
        for event, _ in self.deals.log:
            if hasattr(event, "budget") or hasattr(event, "funds"):
                put_up = getattr(event, "budget", None) or getattr(event, "funds", 0)
                gains[accounts.index(owners[event.id])] -= put_up
        for id_, book in books.items():
            gains[accounts.index(owners[id_])] += book.withdrawn
        assert all(book.funds == book.held == 0 for book in books.values())
        return gains


class Asked(MarketInMemory):
    """A market in which one seller was asked and has proposed."""

    def __init__(self, folder, file: bytes, **options) -> None:
        super().__init__(folder, file, Seller, **options)
        while not self.found(Proposal):
            assert self.round(0, 1)
        self.roles[0].session = self.roles[1].session = self.session
        ((self.order_id, self.order),) = self.session.orders.items()
        ((self.dataset_id, self.dataset),) = self.session.datasets.items()

    def found(self, kind):
        """Messages of one kind."""
        said = (letter.message for letter in self.deals.letters)
        return [one for one in said if isinstance(one, kind)]
