"""A listing as tests use it: its seller, its buyers, their files, keys and purchases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import ape
from ape.api import ReceiptAPI
from ape.contracts import ContractInstance
from eth_hash.auto import keccak

from offchain.crypto.disputable import EncryptedFile, FileDomain, encrypt_file
from offchain.crypto.evidence import chunk_evidence
from offchain.crypto.settlement import NATIVE, Settlement
from offchain.hide.sale.listings import Level, Listing, Sale, SaleState, cleaner_domain, due
from tests.kit.refusals import Refusal
from tests.kit.sale import (
    DELIVERY_TIME,
    DISPUTE_TIME,
    OPEN,
    PLENTY,
    SOME_KEY,
    STAKE,
    SaleDriver,
    key_words,
    seal,
    spoil,
)

PRICES = (1_000, 2_500, 7_000)
ACCURACIES = (3_000, 5_000, 9_000)
TASK = b"\x0d" * 32
CATALOGUE = b"\x0c" * 32
CHUNK_BYTES = 64
CONTENT_BYTES = 300


def content_of(level: int, size: int = CONTENT_BYTES) -> bytes:
    """The cleaner of a level, as far as tests care."""
    return bytes((level * 7 + i) % 256 for i in range(size))


def key_of(level: int, seller: str) -> bytes:
    """A seller's key for a level."""
    return keccak(b"key of level %d of " % level + seller.encode())


@dataclass
class ListingDriver(SaleDriver):
    """One listing."""

    contract: ContractInstance
    listing: Listing
    seller: Any
    files: tuple[EncryptedFile, ...]
    keys: tuple[bytes, ...]
    token: ContractInstance | None = None
    secrets: dict[str, int] = field(default_factory=dict)
    sales: dict[str, Sale] = field(default_factory=dict)

    # ---------------------------------------------------------------- what is so

    @property
    def id(self) -> bytes:
        """The listing's id, by the twin."""
        return self.listing.id(ape.chain.chain_id, self.contract.address)

    @property
    def settlement(self) -> Settlement:
        """How keys are delivered."""
        return self.listing.settlement

    @property
    def args(self) -> tuple[Any, ...]:
        """The listing as calls take it."""
        return self.listing.args()

    @property
    def funds(self) -> int:
        """What the contract holds of the seller's."""
        return self.contract.bookOf(self.id)[2]

    @property
    def held(self) -> int:
        """How much of it answers for sales."""
        return self.contract.bookOf(self.id)[3]

    @property
    def balance(self) -> int:
        """What the contract holds of everybody's."""
        return self.money(self.contract)

    def domain(self, level: int) -> FileDomain:
        """The domain of a level's cleaner."""
        return self.listing.domain(ape.chain.chain_id, self.contract.address, level)

    def status(self, buyer: Any) -> tuple[SaleState, int, int, int, bytes]:
        """Where a buyer stands: state, level, owned, deadline, content."""
        state, level, owned, deadline, content = self.contract.saleOf(self.id, buyer.address)
        return SaleState(state), level, owned, deadline, bytes(content)

    def state(self, buyer: Any) -> SaleState:
        """The state alone."""
        return self.status(buyer)[0]

    def deadline(self, buyer: Any) -> int:
        """When the running window ends."""
        return self.status(buyer)[3]

    def sale(self, buyer: Any) -> Sale:
        """The buyer's present sale, or its last one."""
        return self.sales[buyer.address]

    def secret(self, buyer: Any) -> int:
        """The private key of the buyer's one-time key."""
        return self.secrets[buyer.address]

    # ---------------------------------------------------------------- calls

    def lapse(self, buyer: Any) -> None:
        """Goes to the first second after the buyer's window."""
        self.go_to(self.deadline(buyer))

    def credit(self, buyer: Any) -> int:
        """The price of the best level the buyer owns."""
        state, _, _, _, content = self.status(buyer)
        return int.from_bytes(content, "big") if state is SaleState.OWNED else 0

    def buy_args(self, level: int, one_time_key: int) -> tuple[Any, ...]:
        """The arguments of ``buy``."""
        path, key = self.listing.path(level), key_words(one_time_key)
        return (self.listing.terms(), level, self.listing.offer(level), path, *key)

    def buy(self, buyer: Any, level: int = 0) -> ReceiptAPI:
        """Buys a level, for the difference to what the buyer owns."""
        secret, key = self.one_time_key()
        sale = Sale.of(self.listing, level, self.credit(buyer), key)
        receipt = self.contract.buy(*self.buy_args(level, key), **self.pay(sale.paid, buyer))
        self.sales[buyer.address] = sale
        self.secrets[buyer.address] = secret
        return receipt

    def seal_args(self, buyer: Any, level: int, key: bytes | None = None) -> tuple[int, bytes]:
        """A key sealed to the buyer: the right one, or ``key``."""
        return seal(self.sale(buyer).one_time_key, level, self.keys[level] if key is None else key)

    def deliver(self, buyer: Any, key: bytes | None = None) -> ReceiptAPI:
        """The seller delivers the key, or under sealed settlement another one."""
        level = self.status(buyer)[1]
        if self.sealed:
            return self.deliver_words(buyer, *self.seal_args(buyer, level, key))
        return self.contract.publishKey(*self.publish_args(buyer), sender=self.seller)

    def publish_args(self, buyer: Any) -> tuple[Any, ...]:
        """The arguments of ``publishKey``."""
        level = self.status(buyer)[1]
        goods = self.listing.goods(level)
        return (self.args, buyer.address, self.sale(buyer).args(), goods, self.keys[level])

    def deliver_words(self, buyer: Any, ephemeral_x: int, sealed_key: bytes) -> ReceiptAPI:
        """The seller delivers these two words."""
        sale = self.sale(buyer)
        receipt = self.contract.sealKey(
            self.args, buyer.address, sale.args(), ephemeral_x, sealed_key, sender=self.seller
        )
        self.sales[buyer.address] = sale.delivered(ephemeral_x, sealed_key)
        return receipt

    def received(self, buyer: Any, receipt: ReceiptAPI) -> bytes:
        """The key that a delivery gave its buyer."""
        return self.delivered_key(receipt, self.secret(buyer), self.status(buyer)[1])

    def accept(self, buyer: Any) -> ReceiptAPI:
        """The buyer settles at once."""
        return self.contract.accept(self.args, self.sale(buyer).args(), sender=buyer)

    def settle(self, *buyers: Any, sender: Any = None) -> ReceiptAPI:
        """Settles or lets lapse what is due of these buyers."""
        sales = due([(b.address, self.sale(b)) for b in buyers])
        return self.contract.settle(self.args, sales, sender=sender or self.seller)

    def refund_args(self, buyer: Any, to: Any = None) -> tuple[Any, ...]:
        """The arguments of ``refund``; the buyer itself is paid unless `to` is."""
        return (self.args, self.sale(buyer).args(), (to or buyer).address)

    def refund(self, buyer: Any, to: Any = None) -> ReceiptAPI:
        """The buyer takes its money back, or has it paid to another account."""
        return self.contract.refund(*self.refund_args(buyer, to), sender=buyer)

    def key_proof(self, buyer: Any, delivery: ReceiptAPI) -> tuple[Any, ...]:
        """The arguments of ``proveWrongKey``."""
        evidence = self.key_evidence(delivery, self.secret(buyer))
        goods = self.listing.goods(self.status(buyer)[1])
        return (self.args, self.sale(buyer).args(), goods, evidence)

    def chunk_proof(self, buyer: Any, chunk: int) -> tuple[Any, ...]:
        """The arguments of ``proveSpoiltChunk``."""
        level = self.status(buyer)[1]
        evidence = chunk_evidence(self.domain(level), self.files[level], chunk)
        goods = self.listing.goods(level)
        return (self.args, self.sale(buyer).args(), goods, self.keys[level], evidence)

    def withdraw(self, amount: int, to: Any = None) -> ReceiptAPI:
        """The seller takes out funds, or has them paid to another account."""
        to = (to or self.seller).address
        return self.contract.withdraw(self.args, amount, to, sender=self.seller)

    def refusal_of_buy(self, buyer: Any, level: int = 0) -> Refusal | None:
        """How a purchase at the right price would be refused now."""
        key = SOME_KEY if self.sealed else 0
        paid = max(self.listing.levels[level].price - self.credit(buyer), 0)
        value = self.pay(paid, buyer).get("value", 0)
        return self.refusal("buy", *self.buy_args(level, key), sender=buyer, value=value)


def make_listing(
    contract: ContractInstance,
    seller: Any,
    files: Sequence[EncryptedFile] | None = None,
    keys: Sequence[bytes] | None = None,
    prices: Sequence[int] = PRICES,
    accuracies: Sequence[int] = ACCURACIES,
    chunk_bytes: int = CHUNK_BYTES,
    spoilt: tuple[int, int] | None = None,
    **changes: Any,
) -> tuple[Listing, tuple[EncryptedFile, ...], tuple[bytes, ...]]:
    """A listing that nobody listed yet, its files and keys; `changes` by field name."""
    address = getattr(seller, "address", seller)
    task = changes.get("task", TASK)
    count = len(prices)
    keys = tuple(keys or [key_of(i, address) for i in range(count)])
    domains = [
        cleaner_domain(ape.chain.chain_id, contract.address, address, task, i) for i in range(count)
    ]
    if files is None:
        files = [
            encrypt_file(domains[i], keys[i], content_of(i), chunk_bytes) for i in range(count)
        ]
    files = list(files)
    if spoilt:
        files[spoilt[0]] = spoil(files[spoilt[0]], spoilt[1])
    levels = tuple(
        Level(
            accuracies[i], prices[i], files[i].commitment(domains[i]), domains[i].key_hash(keys[i])
        )
        for i in range(count)
    )
    fields: dict[str, Any] = {
        "seller": address,
        "token": NATIVE,
        "stake": STAKE,
        "settlement": OPEN,
        "delivery_time": DELIVERY_TIME,
        "dispute_time": DISPUTE_TIME,
        "task": TASK,
        "levels": levels,
    }
    return Listing(**fields | changes), tuple(files), keys


def list_args(listing: Listing, funds: int) -> tuple[Any, ...]:
    """The arguments of ``list``."""
    levels = [level.args() for level in listing.levels]
    return (listing.terms(), listing.task, CATALOGUE, levels, funds)


def open_shop(
    contract: ContractInstance,
    seller: Any,
    funds: int = PLENTY,
    token: ContractInstance | None = None,
    **changes: Any,
) -> ListingDriver:
    """Lists levels."""
    if token:
        changes["token"] = token.address
    listing, files, keys = make_listing(contract, seller, **changes)
    shop = ListingDriver(contract, listing, seller, files, keys, token)
    contract.list(*list_args(listing, funds), **shop.pay(funds, seller))
    return shop
