"""What a buyer's decisions rest on: its artefacts, its one-time keys, and what sellers gave it.

Artefacts and keys are made once: a buyer that was killed finds them again by its secrets file. All
else is read again from chain, letters and datastore, whenever it is asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from secrets import token_bytes

from offchain.crypto.disputable import EncryptedFile
from offchain.crypto.sealing import new_secret, public_key_of, seal, unseal
from offchain.crypto.secrets_file import SecretsFile
from offchain.mde.artefact import artefact_digest
from offchain.mde.artefact_reading import MAX_ARTEFACT_BYTES
from offchain.mde.asked import naming
from offchain.mde.checking import MOST_BYTES, Received, fetch_file, receive
from offchain.mde.correspondence import Correspondence
from offchain.mde.deals import Deal, Place
from offchain.mde.errors import MdeError
from offchain.mde.letters import Offer, Proposal
from offchain.mde.owner import Owner
from offchain.mde.quoting import Pricing
from offchain.mde.reach import within_reach
from offchain.mde.samples import Samples
from offchain.mde.session import DealSession, Delivery, Sale
from offchain.mde.verifiable.scores import ScoreLeaves
from offchain.storage import Datastore, cid_from_digest, digest_of
from offchain.task import Task, publish_task

SEALED_BYTES = 48
"""What a sealed box adds to a message."""


class Vault:
    """Of the buyer at `account`, a 0x address.

    owner: its model before any purchase. publish: makes the artefact file of a model. asks: what
    its orders ask for; the artefact is left out. most_bytes: of a file that it fetches. scope: what
    keeps its orders apart from others of the same account.
    """

    def __init__(
        self,
        account: str,
        session: DealSession,
        owner: Owner,
        publish: Callable[[Owner], bytes],
        asks: Task,
        store: Datastore,
        secrets_file: SecretsFile,
        most_bytes: int = MOST_BYTES,
        scope: str = "",
    ) -> None:
        self.account = account
        self.session = session
        self.owner = owner
        self.publish = publish
        self.asks = asks
        self.store = store
        self.secrets_file = secrets_file
        self.most_bytes = most_bytes
        self.scope = scope
        self._artefacts: dict[int, bytes] = {}
        self._pricings: dict[bytes, Pricing] = {}
        self._received: dict[tuple[bytes, Delivery], Received] = {}
        self._owners: dict[tuple[bytes, ...], Owner] = {}

    # ---------------------------------------------------------------- made once

    def artefact(self, number: int) -> bytes:
        """The file that its order called `number` names, from 0.

        It lies in the datastore sealed to the buyer itself, and the secrets file knows where.
        """
        if number not in self._artefacts:
            own = self._secret("own key", lambda: token_bytes(32))
            digest = self._secret(
                self._numbered("artefact", number),
                lambda: digest_of(self.store.put(seal(public_key_of(own), self.artefact_now()))),
            )
            sealed = self.store.get(cid_from_digest(digest), MAX_ARTEFACT_BYTES + SEALED_BYTES)
            self._artefacts[number] = unseal(own, sealed)
        return self._artefacts[number]

    def task(self, number: int) -> bytes:
        """Digest of the task of its order called `number`, which lies in the datastore."""
        # Made before its digest is remembered, which no other secret can be meanwhile.
        mark = self._secret(self._numbered("mark", number), lambda: token_bytes(32))
        asked = naming(self.asks, artefact_digest(self.artefact(number)), mark)
        return self._secret(self._numbered("task", number), lambda: publish_task(self.store, asked))

    def one_time_secret(self, deal: Deal) -> int:
        """The private one-time key of a purchase."""
        name = one_time_name(deal, self.session.place)
        made = self.secrets_file.remember(name, lambda: new_secret().to_bytes(32, "big"))
        return int.from_bytes(made, "big")

    # ---------------------------------------------------------------- read again

    def orders(self) -> list[bytes]:
        """Ids of its orders that are posted, the latest last."""
        ids = self.session.orders_of(self.account)
        posted = {self.session.orders[id_].artefact: id_ for id_ in ids}
        names = (self._name(self._numbered("task", number)) for number in itertools.count())
        made = itertools.takewhile(lambda name: name in self.secrets_file, names)
        return [posted[task] for task in map(self.secrets_file.get, made) if task in posted]

    def pricing(self, order: bytes) -> Pricing:
        """What is in the artefact that an order of its own names."""
        if order not in self._pricings:
            file = self.artefact(self.orders().index(order))
            self._pricings[order] = Pricing.read(file, artefact_digest(file))
        return self._pricings[order]

    def file(self, order: bytes, dataset: bytes) -> EncryptedFile | None:
        """The encrypted samples as offered, held against their commitment and pinned.

        None where nothing was offered; of several offers the first counts. It is read anew each
        time: memory would hold what many strangers offer. Raises FileError, QuoteRefused or what
        the datastore raises for another file.
        """
        found, place = self.session.datasets[dataset], self.session.place
        said = self.session.said(Offer, found.seller, self.account)
        offer = next((one for one in said if one.dataset == dataset), None)
        if offer is None:
            return None
        pricing = self.pricing(order)
        file = fetch_file(self.store, place, found, offer.file, pricing, self.most_bytes)
        self.store.pin(offer.file)
        return file

    def leaves(self, proposal: Proposal) -> ScoreLeaves | None:
        """The leaves that came with a proposal, pinned; None where none came."""
        if not proposal.leaves:
            return None
        count = self.session.datasets[proposal.dataset].count
        leaves = ScoreLeaves.from_bytes(self.store.get(proposal.leaves, 32 * count))
        self.store.pin(proposal.leaves)
        return leaves

    def received(self, sale: Sale) -> Received:
        """What was delivered, opened and checked. Raises MdeError for samples of another kind."""
        delivery = sale.delivery
        if delivery is None:
            raise MdeError(f"nothing was delivered of dataset 0x{sale.dataset.hex()}")
        key = (sale.deal.pair, delivery)
        if key not in self._received:
            file = self.file(sale.order, sale.dataset)
            signed = Correspondence(self.session, sale.order, sale.dataset).signed()
            if file is None or signed is None:
                raise MdeError(f"the letters about dataset 0x{sale.dataset.hex()} are lost")
            self._received[key] = receive(
                self.session.place,
                self.pricing(sale.order),
                sale.deal,
                self.leaves(signed),
                file,
                delivery,
                self.one_time_secret(sale.deal) if delivery.sealed else 0,
            )
        return self._received[key]

    def bought(self) -> dict[bytes, Samples]:
        """What it paid for and can use, by pair, in the order of the purchases."""
        found = {}
        for order in self.orders():
            for sale in self.session.bought(order):
                try:
                    samples = self.received(sale).samples
                except MdeError:  # of no use; the buyer says so when it judges
                    continue
                if samples is not None:
                    found[sale.deal.pair] = samples
        return found

    def owner_now(self) -> Owner:
        """The model owner, trained on what it bought, but for what lies out of its reach."""
        bought = self.bought()
        key = tuple(bought)
        if key not in self._owners:
            found = (within_reach(self.owner.task.train, one) for one in bought.values())
            self._owners[key] = self.owner.with_bought([one for one in found if one is not None])
        return self._owners[key]

    def artefact_now(self) -> bytes:
        """An artefact of the model as it is."""
        return self.publish(self.owner_now())

    def _numbered(self, what: str, number: int) -> str:
        return f"{what} {number}{self.scope and f' under {self.scope}'}"

    def _secret(self, what: str, make: Callable[[], bytes]) -> bytes:
        return self.secrets_file.remember(self._name(what), make)

    def _name(self, what: str) -> str:
        return _named(what, self.account, self.session.place)


def one_time_name(deal: Deal, place: Place) -> str:
    """What a purchase's one-time key is called in its buyer's secrets file."""
    return _named(f"one-time key for pair {deal.pair.hex()}", deal.order.buyer, place)


def _named(what: str, account: str, place: Place) -> str:
    return f"{what} of {account} at {place.contract} on chain {place.chain_id}"
