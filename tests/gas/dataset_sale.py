"""What the sale of datasets costs: every call under both settlements, proofs by kind of sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import ape
from ape.api import ReceiptAPI
from eth_hash.auto import keccak

from offchain.crypto import commitments as cm
from offchain.crypto.disputable import FILE_TYPE
from offchain.crypto.settlement import Settlement
from offchain.mde.deals import dataset_domain
from offchain.mde.pricing import Piecewise, PriceFunction
from offchain.mde.verifiable.encoding import Encoding
from offchain.mde.verifiable.rules import price_rule
from offchain.mde.verifiable.scores import score_leaf
from offchain.mde.verifiable.tree import CommittedTree
from tests.gas.floors import Deed, floor
from tests.gas.stock_tree import StockTree
from tests.kit.sale import OPEN, SEALED
from tests.mde.deal_driver import DealDriver, chunk_of, make_deal, place_of

DEPTH = 12
CLASSES = 10
COUNT = 2**16
"""Samples of the dataset that proofs are about: paths of 16."""
STAKE = 2 * 10**17
BUDGET = 10**20
PRICE = 37 * 10**15
RULE = PriceFunction(
    Piecewise(tuple((i * 10**8, i * 11 * 10**15) for i in range(1, 9))), budget=10**17, floor=10**15
)
# What a proof shows of a sample: MNIST and CIFAR-10 as pixels, and features of a small network.
SAMPLES = {
    "784 pixels": Encoding(784, 1),
    "3,072 pixels": Encoding(3_072, 1),
    "64 features": Encoding(64, 4),
}
BAR_SAMPLE = "784 pixels"

# What each call has to leave behind or look up, whatever the code: a slot per order, dataset and
# pair, as budget and stakes must answer for all sales at once and no pair may be quoted twice.
DEEDS = {
    "post": Deed(new_slots=1),
    "register": Deed(new_slots=1),
    "quote": Deed(new_slots=1, read_slots=2),
    "purchase": Deed(changed_slots=3),
    "publishKey": Deed(changed_slots=1),
    "sealKey": Deed(changed_slots=1),
    "accept": Deed(changed_slots=3),
    "settle": Deed(changed_slots=3),
    "settle, overdue": Deed(changed_slots=3),
    "proveWrongKey": Deed(changed_slots=3),
    "proveSpoiltChunk": Deed(changed_slots=3),
    "proveWrongScore": Deed(changed_slots=3),
    "proveRepeatedSample": Deed(changed_slots=3),
    "proveWrongPrice": Deed(changed_slots=3),
    "fund": Deed(changed_slots=1),
    "withdraw": Deed(changed_slots=1, payments=1),
    "close": Deed(changed_slots=1),
}


@dataclass(frozen=True)
class Call:
    """Gas of one transaction, and its floor."""

    gas: int
    floor: int


@dataclass(frozen=True)
class Measured:
    """Calls by name under each settlement, and proofs by name for each kind of sample."""

    open: dict[str, Call]
    sealed: dict[str, Call]
    proofs: dict[str, dict[str, Call]]

    @property
    def parts(self) -> dict[str, dict[str, Call]]:
        """Calls by name, by what they were measured on."""
        return {"open": self.open, "sealed": self.sealed, **self.proofs}

    @property
    def figures(self) -> dict[str, int]:
        """Gas by name, as the snapshot keeps it."""
        return {
            f"{p}: {n}": call.gas for p, calls in self.parts.items() for n, call in calls.items()
        }


def measure_dataset_sale(project: Any, accounts: Any) -> Measured:
    """Every call of a fresh contract."""
    contract = project.DatasetSale.deploy(sender=accounts[0])
    calls = {kind: _calls(contract, accounts, kind) for kind in (OPEN, SEALED)}
    proofs = {name: _proofs(contract, accounts, one) for name, one in SAMPLES.items()}
    return Measured(calls[OPEN], calls[SEALED], proofs)


def _call(name: str, receipt: ReceiptAPI) -> Call:
    return Call(receipt.gas_used, floor(bytes(receipt.data), DEEDS[name]))


def _market(contract: Any, accounts: Any, name: str, settlement: Settlement) -> DealDriver:
    return make_deal(
        contract, accounts[2], accounts[1],
        artefact=keccak(name.encode()), name=keccak(name.encode()), settlement=settlement,
        stake=STAKE, price=PRICE, expiry=ape.chain.blocks.head.timestamp + 10_000,
    )  # fmt: skip


def _bought(contract: Any, accounts: Any, name: str, settlement: Settlement) -> DealDriver:
    sale = _market(contract, accounts, name, settlement)
    sale.post(BUDGET)
    sale.register(BUDGET)
    sale.quote()
    sale.buy()
    return sale


def _calls(contract: Any, accounts: Any, settlement: Settlement) -> dict[str, Call]:
    """One deal from order to settlement; others are accepted, overdue, or cheated."""
    kind = settlement.name
    sale = _market(contract, accounts, f"{kind} whole", settlement)
    receipts = {"post": sale.post(BUDGET), "register": sale.register(BUDGET)}
    receipts["quote"] = sale.quote(sender=accounts[3])
    receipts["purchase"] = sale.buy()
    receipts["sealKey" if sale.sealed else "publishKey"] = sale.deliver()
    sale.lapse()
    receipts["settle"] = sale.settle()
    accepted = _bought(contract, accounts, f"{kind} accepted", settlement)
    accepted.deliver()
    receipts["accept"] = accepted.accept()
    overdue = _bought(contract, accounts, f"{kind} overdue", settlement)
    overdue.lapse()
    receipts["settle, overdue"] = overdue.settle()
    if sale.sealed:
        cheated = _bought(contract, accounts, "cheated", settlement)
        proof = cheated.key_proof(cheated.deliver(bytes(range(32))))
        receipts["proveWrongKey"] = contract.proveWrongKey(*proof, sender=cheated.buyer)
    account = sale.order.account
    receipts["fund"] = contract.fund(account.args(), 5, value=5, sender=sale.buyer)
    receipts["withdraw"] = sale.withdraw(account, 10**18)
    receipts["close"] = contract.close(account.args(), sender=sale.buyer)
    return {name: _call(name, receipt) for name, receipt in receipts.items()}


def deep_tree(encoding: Encoding) -> CommittedTree:
    """A comb of twelve comparisons with scores for ten classes, as an extracted tree has them."""
    inner, leaves = DEPTH, DEPTH + 1
    most = 256**encoding.value_bytes
    feature = [(i * 61 + 7) % encoding.features for i in range(inner)] + [-1] * leaves
    threshold = [int.from_bytes(keccak(bytes([i]))[:4], "big") % most for i in range(inner)]
    return CommittedTree(
        encoding,
        tuple(feature),
        (*threshold, *([0] * leaves)),
        # Comparison i has leaf i on its left, the next comparison on its right; two leaves end it.
        tuple([inner + i for i in range(inner)] + list(range(leaves))),
        tuple([i + 1 for i in range(inner - 1)] + [inner + inner] + [-1] * leaves),
        tuple(_leaf_scores(leaf) for leaf in range(leaves)),
        keccak(b"artefact"),
    )


def _leaf_scores(leaf: int) -> tuple[int, ...]:
    return tuple((-1) ** c * (123_456 + 7 * leaf + c) for c in range(CLASSES))


def _proofs(contract: Any, accounts: Any, encoding: Encoding) -> dict[str, Call]:
    """Every proof about samples of that kind, each against a liar of its own."""
    calls = {}
    for name in ("proveSpoiltChunk", "proveWrongScore", "proveRepeatedSample", "proveWrongPrice"):
        sale, args = _liar(contract, accounts, encoding, name)
        sale.post(BUDGET)
        sale.register(BUDGET)
        sale.quote()
        sale.buy()
        sale.deliver()
        args = (*sale.both, sale.key, *args)
        receipt = getattr(contract, name)(*args, sender=sale.buyer)
        calls[name] = _call(name, receipt)
    return calls


def _liar(
    contract: Any, accounts: Any, encoding: Encoding, proof: str
) -> tuple[DealDriver, tuple[Any, ...]]:
    """A deal about a large dataset, of which two samples exist, and the evidence against it.

    The other leaves are random, which no gas depends on.
    """
    first, last = COUNT // 2, COUNT - 1
    tree = deep_tree(encoding)
    most = 256**encoding.value_bytes - 1
    # All values the largest: the sample goes right at every comparison.
    chunk = chunk_of(3, [most] * encoding.features, encoding)
    name = keccak(f"{proof} {encoding}".encode())
    sale = make_deal(
        contract, accounts[2], accounts[1], tree=tree, rule=RULE, chunks=[chunk] * 2, name=name,
        artefact=name, settlement=OPEN, stake=STAKE, totals=[0, 0], price=PRICE,
        expiry=ape.chain.blocks.head.timestamp + 10_000,
    )  # fmt: skip
    domain = dataset_domain(place_of(contract), sale.seller.address, name)
    order = sale.order.account.id(sale.place)
    total = 123_456_789
    plain = StockTree(
        b"plain", COUNT, {i: domain.plain_leaf(sale.key, i, chunk) for i in (first, last)}
    )
    cipher = StockTree(b"cipher", COUNT, {first: domain.cipher_leaf(first, chunk)})
    score = StockTree(
        b"score", COUNT, {i: score_leaf(order, sale.key, i, total) for i in (first - 1, last)}
    )
    length = COUNT * encoding.chunk_bytes
    head = FILE_TYPE + domain.digest + cm.word(length) + cm.word(encoding.chunk_bytes)
    sale.deal = replace(
        sale.deal,
        dataset=replace(
            sale.dataset, file=keccak(head + cipher.root + plain.root), count=COUNT, chunks=COUNT
        ),
        quote=replace(sale.deal.quote, scores=score.root),
    )
    paths = {i: plain.path(i) for i in (first, last)}
    shown = {i: (i, chunk, paths[i]) for i in paths}
    evidence: dict[str, tuple[Any, ...]] = {
        "proveSpoiltChunk": (
            (
                length, encoding.chunk_bytes, first, chunk,
                plain.leaf(first), cipher.path(first), paths[first],
            ),
        ),
        "proveWrongScore": (
            (
                cipher.root, shown[first], tree.path(chunk), total, score.path(first - 1),
                score.leaf(first), score.path(first),
            ),
        ),
        "proveRepeatedSample": (cipher.root, shown[first], shown[last]),
        "proveWrongPrice": ((total, score.path(last)), price_rule(RULE)),
    }  # fmt: skip
    return sale, evidence[proof]
