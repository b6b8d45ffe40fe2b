"""A dataset and an order for it as tests use them: both parties, their files, quotes and proofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import ape
from ape.api import ReceiptAPI
from ape.contracts import ContractInstance
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

from offchain.crypto import commitments as cm
from offchain.crypto.disputable import EncryptedFile, FileDomain, encrypt_chunks
from offchain.crypto.evidence import chunk_evidence
from offchain.crypto.settlement import NATIVE, Settlement
from offchain.mde.deals import (
    PAD_INDEX,
    Account,
    Dataset,
    Deal,
    DealState,
    Order,
    Place,
    Purchase,
    Quote,
    dataset_domain,
)
from offchain.mde.pricing import Piecewise, PriceFunction
from offchain.mde.verifiable.encoding import Encoding
from offchain.mde.verifiable.originals import with_originals
from offchain.mde.verifiable.quotes import cut
from offchain.mde.verifiable.rules import price_rule, rule_hash
from offchain.mde.verifiable.scores import Opened, ScoreLeaves, open_scores, running_totals
from offchain.mde.verifiable.tree import CommittedTree
from tests.kit.sale import (
    DELIVERY_TIME,
    DISPUTE_TIME,
    OPEN,
    PLENTY,
    STAKE,
    SaleDriver,
    key_words,
    seal,
    spoil,
)

QUOTE_TIME = 50
ARTEFACT = keccak(b"artefact")
NAME = keccak(b"dataset")
ENCODING = Encoding(features=4, value_bytes=1)

# Value 2 against 100, then value 0 against 50 or value 3 against 7: four leaves, three classes.
TREE = CommittedTree(
    ENCODING,
    feature=(2, 0, 3, -1, -1, -1, -1),
    threshold=(100, 50, 7, 0, 0, 0, 0),
    left=(1, 3, 5, 0, 1, 2, 3),
    right=(2, 4, 6, -1, -1, -1, -1),
    scores=((300, -200, 10), (40, 500, 0), (-70, 25, 90), (120, -15, 60)),
    secret=keccak(b"artefact file"),
)
RULE = PriceFunction(
    Piecewise(((0, 100), (500, 600), (2_000, 9_000))), budget=10_000, floor=50, harmful=-100
)
# Label and values: of leaves 0, 1, 2, 3, 0, worth 300, 500, -70, 60 and 10 units.
SAMPLES = (
    (0, (50, 1, 100, 0)),
    (1, (51, 9, 0, 255)),
    (0, (0, 0, 101, 7)),
    (2, (0, 0, 255, 8)),
    (2, (10, 3, 99, 4)),
)


def chunk_of(label: int, values: Sequence[int], encoding: Encoding = ENCODING) -> bytes:
    """A sample in its chunk."""
    packed = b"".join(v.to_bytes(encoding.value_bytes, "big") for v in values)
    return (label.to_bytes(2, "big") + packed).ljust(encoding.chunk_bytes, b"\0")


CHUNKS = tuple(chunk_of(*sample) for sample in SAMPLES)


def place_of(contract: ContractInstance) -> Place:
    """The contract on the connected chain."""
    return Place(ape.chain.chain_id, contract.address)


def sign(account: Any, deal: Deal, place: Place) -> bytes:
    """An account's signature of a quote."""
    return account.sign_message(encode_typed_data(full_message=deal.typed_data(place))).encode_rsv()


@dataclass
class DealDriver(SaleDriver):
    """One order, one dataset, and the deal between them."""

    contract: ContractInstance
    buyer: Any
    seller: Any
    tree: CommittedTree
    rule: PriceFunction
    chunks: tuple[bytes, ...]
    """The samples'; those of originals follow in the file."""
    file: EncryptedFile
    key: bytes
    leaves: ScoreLeaves
    deal: Deal
    token: ContractInstance | None = None
    purchase: Purchase = field(default_factory=Purchase)
    secret: int = 0

    # ---------------------------------------------------------------- what is so

    @property
    def place(self) -> Place:
        """The contract on the connected chain."""
        return place_of(self.contract)

    @property
    def order(self) -> Order:
        """What the buyer asks for."""
        return self.deal.order

    @property
    def dataset(self) -> Dataset:
        """What the seller offers."""
        return self.deal.dataset

    @property
    def price(self) -> int:
        """What is quoted."""
        return self.deal.quote.price

    @property
    def settlement(self) -> Settlement:
        """How the key is delivered."""
        return self.order.settlement

    @property
    def usual(self) -> Any:
        """The buyer calls unless a test says who does."""
        return self.buyer

    @property
    def domain(self) -> FileDomain:
        """That of the dataset's file."""
        return dataset_domain(self.place, self.seller.address, self.dataset.name)

    @property
    def args(self) -> tuple[Any, ...]:
        """The deal as calls take it."""
        return self.deal.args()

    @property
    def both(self) -> tuple[Any, ...]:
        """Deal and purchase as calls take them."""
        return (self.deal.args(), self.purchase.args())

    def account(self, account: Account) -> tuple[bool, bool, int, int]:
        """Whether an account is known and closed, what is in it, and how much of that is held."""
        return tuple(self.contract.accountOf(account.id(self.place)))

    @property
    def budget(self) -> tuple[int, int]:
        """The buyer's money in the contract, and how much of it is held."""
        return self.account(self.order.account)[2:]

    @property
    def funds(self) -> tuple[int, int]:
        """The seller's money in the contract, and how much of it is held."""
        return self.account(self.dataset.account)[2:]

    def status(self) -> tuple[DealState, int, bytes]:
        """Where the pair stands: state, deadline, content."""
        state, deadline, content = self.contract.dealOf(self.deal.pair)
        return DealState(state), deadline, bytes(content)

    @property
    def state(self) -> DealState:
        """The state alone."""
        return self.status()[0]

    @property
    def deadline(self) -> int:
        """When the running window ends."""
        return self.status()[1]

    # ---------------------------------------------------------------- calls

    def lapse(self) -> None:
        """Goes to the first second after the running window."""
        self.go_to(self.deadline)

    def post(self, budget: int = PLENTY) -> ReceiptAPI:
        """The buyer posts its order."""
        return self.contract.post(self.order.args(), budget, **self.pay(budget, self.buyer))

    def register(self, funds: int = PLENTY) -> ReceiptAPI:
        """The seller registers its dataset."""
        return self.contract.register(self.dataset.args(), funds, **self.pay(funds, self.seller))

    def signatures(self) -> tuple[bytes, bytes]:
        """The buyer's and the seller's."""
        return sign(self.buyer, self.deal, self.place), sign(self.seller, self.deal, self.place)

    def quote_args(self) -> tuple[Any, ...]:
        """The arguments of ``quote``."""
        return (self.args, *self.signatures())

    def quote(self, sender: Any = None) -> ReceiptAPI:
        """The quote is recorded."""
        return self.contract.quote(*self.quote_args(), sender=sender or self.seller)

    def buy_args(self, one_time_key: int) -> tuple[Any, ...]:
        """The arguments of ``purchase``."""
        return (self.args, *key_words(one_time_key))

    def buy(self) -> ReceiptAPI:
        """The buyer accepts the quote."""
        self.secret, key = self.one_time_key()
        receipt = self.contract.purchase(*self.buy_args(key), sender=self.buyer)
        self.purchase = Purchase(key)
        return receipt

    def seal_args(self, key: bytes | None = None) -> tuple[int, bytes]:
        """A key sealed to the buyer: the right one, or ``key``."""
        return seal(self.purchase.one_time_key, PAD_INDEX, self.key if key is None else key)

    def deliver(self, key: bytes | None = None) -> ReceiptAPI:
        """The seller delivers the key, or under sealed settlement another one."""
        if self.sealed:
            return self.deliver_words(*self.seal_args(key))
        return self.contract.publishKey(*self.both, self.key, sender=self.seller)

    def deliver_words(self, ephemeral_x: int, sealed_key: bytes) -> ReceiptAPI:
        """The seller delivers these two words."""
        receipt = self.contract.sealKey(*self.both, ephemeral_x, sealed_key, sender=self.seller)
        self.purchase = self.purchase.delivered(ephemeral_x, sealed_key)
        return receipt

    def received(self, receipt: ReceiptAPI) -> bytes:
        """The key that a delivery gave the buyer."""
        return self.delivered_key(receipt, self.secret, PAD_INDEX)

    def accept(self) -> ReceiptAPI:
        """The buyer settles at once."""
        return self.contract.accept(*self.both, sender=self.buyer)

    def settle(self, sender: Any = None) -> ReceiptAPI:
        """Settles what is due, or lets it lapse."""
        return self.contract.settle(*self.both, sender=sender or self.seller)

    def withdraw(self, account: Account, amount: int, to: Any = None) -> ReceiptAPI:
        """The owner takes money out, or has it paid to another account."""
        owner = self.buyer if account == self.order.account else self.seller
        return self.contract.withdraw(account.args(), amount, (to or owner).address, sender=owner)

    # ---------------------------------------------------------------- proofs

    def key_proof(self, delivery: ReceiptAPI) -> tuple[Any, ...]:
        """The arguments of ``proveWrongKey``."""
        return (*self.both, self.key_evidence(delivery, self.secret))

    def chunk_proof(self, index: int) -> tuple[Any, ...]:
        """The arguments of ``proveSpoiltChunk``."""
        return (*self.both, self.key, chunk_evidence(self.domain, self.file, index))

    @property
    def cipher_root(self) -> bytes:
        """Root over the encrypted chunks."""
        return cm.root_of(self.file.cipher_leaves(self.domain))

    def sample(self, index: int) -> tuple[Any, ...]:
        """A sample, and where it lies."""
        return (index, self.chunks[index], cm.path(self.file.plain_leaves, index))

    def opened(self) -> Opened:
        """What the buyer finds in the quote by the key."""
        classes = len(self.tree.scores[0])
        known = [int.from_bytes(chunk[:2], "big") < classes for chunk in self.chunks]
        scores = [
            self.tree.score(chunk) if ok else None
            for ok, chunk in zip(known, self.chunks, strict=True)
        ]
        return open_scores(self.order.account.id(self.place), self.key, self.leaves, scores)

    def score_evidence(self, index: int, before: int) -> tuple[Any, ...]:
        """What shows the score of a sample, whose predecessors' total is ``before``."""
        return (
            self.cipher_root,
            self.sample(index),
            self.tree.path(self.chunks[index]),
            before,
            self.leaves.path(index - 1) if index else [],
            self.leaves.leaves[index],
            self.leaves.path(index),
        )

    def score_proof(self, index: int | None = None) -> tuple[Any, ...]:
        """The arguments of ``proveWrongScore``: of the first wrong sample, or of ``index``."""
        opened = self.opened()
        index = opened.wrong if index is None else index
        assert index is not None, "all scores are right"
        return (*self.both, self.key, self.score_evidence(index, opened.before(index)))

    def repeated_proof(self, first: int, second: int) -> tuple[Any, ...]:
        """The arguments of ``proveRepeatedSample``."""
        samples = (self.sample(first), self.sample(second))
        return (*self.both, self.key, self.cipher_root, *samples)

    def price_proof(self, total: int | None = None) -> tuple[Any, ...]:
        """The arguments of ``proveWrongPrice``."""
        total = self.opened().totals[-1] if total is None else total
        evidence = (total, self.leaves.path(len(self.chunks) - 1))
        return (*self.both, self.key, evidence, price_rule(self.rule))


def make_deal(
    contract: ContractInstance,
    buyer: Any,
    seller: Any,
    *,
    token: ContractInstance | None = None,
    tree: CommittedTree = TREE,
    rule: PriceFunction = RULE,
    chunks: Sequence[bytes] = CHUNKS,
    counted: Sequence[bool] | None = None,
    totals: Sequence[int] | None = None,
    price: int | None = None,
    expiry: int | None = None,
    spoilt: int | None = None,
    name: bytes = NAME,
    originals: Sequence[bytes] = (),
    **order: Any,
) -> DealDriver:
    """Parties and a deal that nobody posted, registered or recorded yet.

    totals, price: what the seller says where it lies; spoilt: a chunk that it spoils; originals:
    files that are sold with the samples.
    order: changes of the order by field name.
    """
    place = place_of(contract)
    currency = token.address if token else NATIVE
    key = keccak(b"key of " + name + seller.address.encode())
    domain = dataset_domain(place, seller.address, name)
    size = tree.encoding.chunk_bytes
    data = with_originals(tree.encoding, b"".join(chunks), originals)
    chunks = cut(tree.encoding, data)[: len(chunks)]
    file = encrypt_chunks(domain, key, data, size)
    if spoilt is not None:
        file = spoil(file, spoilt)
    fields: dict[str, Any] = {
        "buyer": buyer.address,
        "token": currency,
        "artefact": ARTEFACT,
        "rule": rule_hash(rule),
        "tree": tree.root,
        "depth": tree.depth,
        "features": tree.encoding.features,
        "value_bytes": tree.encoding.value_bytes,
        "stake": STAKE,
        "settlement": OPEN,
        "delivery_time": DELIVERY_TIME,
        "dispute_time": DISPUTE_TIME,
    }
    asked = Order(**fields | order)
    dataset = Dataset(
        seller.address,
        currency,
        len(chunks),
        size,
        file.shape.count,
        name,
        file.commitment(domain),
        domain.key_hash(key),
    )
    if totals is None:
        totals = running_totals([tree.score(c) for c in chunks], counted or [True] * len(chunks))
    leaves = ScoreLeaves.of(asked.account.id(place), key, totals)
    fetched = rule.price(totals[-1]) if price is None else price
    expires = ape.chain.blocks.head.timestamp + QUOTE_TIME if expiry is None else expiry
    deal = Deal(asked, dataset, Quote(fetched, expires, leaves.root))
    return DealDriver(
        contract, buyer, seller, tree, rule, tuple(chunks), file, key, leaves, deal, token
    )


def open_deal(
    contract: ContractInstance,
    buyer: Any,
    seller: Any,
    budget: int = PLENTY,
    funds: int = PLENTY,
    **changes: Any,
) -> DealDriver:
    """A sale whose order is posted and whose dataset is registered; see ``make_deal``."""
    sale = make_deal(contract, buyer, seller, **changes)
    sale.post(budget)
    sale.register(funds)
    return sale


def sold_deal(contract: ContractInstance, buyer: Any, seller: Any, **changes: Any) -> DealDriver:
    """A sale that was quoted, bought and delivered; see ``make_deal``."""
    sale = open_deal(contract, buyer, seller, **changes)
    sale.quote()
    sale.buy()
    sale.deliver()
    return sale
