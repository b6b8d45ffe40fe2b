"""What the sale of cleaners costs: every call under both settlements, proofs at two sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ape
from ape.api import ReceiptAPI
from eth_hash.auto import keccak

from offchain.crypto import commitments as cm
from offchain.crypto.disputable import FILE_TYPE, FileDomain, Shape
from offchain.crypto.evidence import ChunkEvidence
from offchain.crypto.keccak_stream import crypt, nonce
from offchain.crypto.settlement import Settlement
from offchain.hide.sale.listings import Level, Listing
from tests.gas.floors import Deed, floor
from tests.hide.listing_driver import ListingDriver, key_of, list_args, make_listing
from tests.kit.sale import DELIVERY_TIME, DISPUTE_TIME, OPEN, SEALED

LEVELS = 8
BATCH = 8
"""As many buyers as the node has funded accounts left."""
STAKE = 2 * 10**17
FUNDS = 10**20
PRICES = tuple((i + 1) * 37 * 10**15 for i in range(LEVELS))
ACCURACIES = tuple(1_500 + 1_000 * i for i in range(LEVELS))
TASK = keccak(b"task")
# Bytes of a file and of its chunks: the bar's, and what FairSwap was measured with.
LARGE = Shape(64 * 2**20, 1024)
FAIRSWAP = Shape(2**20, 64)
PROOFS = {"64 MiB in chunks of 1,024": LARGE, "1 MiB in chunks of 64": FAIRSWAP}

# What each call has to leave behind or look up, whatever the code: a slot per buyer and listing, as
# no level may be bought twice, and one per listing, as its funds must answer for all sales at once.
DEEDS = {
    "list": Deed(new_slots=1),
    "buy": Deed(new_slots=1, changed_slots=1),
    "buy, upgrade": Deed(changed_slots=2),
    "publishKey": Deed(changed_slots=2),
    "sealKey": Deed(changed_slots=1),
    "accept": Deed(changed_slots=2),
    "settle": Deed(changed_slots=2),
    "settle many": Deed(changed_slots=1 + BATCH),
    "proveWrongKey": Deed(changed_slots=2),
    "proveSpoiltChunk": Deed(changed_slots=2),
    "refund, overdue": Deed(cleared_slots=1, changed_slots=1, payments=1),
    "refund, proved": Deed(cleared_slots=1, read_slots=1, payments=1),
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
    """Calls by name under each settlement, and proofs of a spoilt chunk by the file's size."""

    open: dict[str, Call]
    sealed: dict[str, Call]
    proofs: dict[str, Call]

    @property
    def figures(self) -> dict[str, int]:
        """Gas by name, as the snapshot keeps it."""
        parts = {"open": self.open, "sealed": self.sealed, "spoilt chunk": self.proofs}
        return {f"{p}: {n}": call.gas for p, calls in parts.items() for n, call in calls.items()}


def measure_sale(project: Any, accounts: Any) -> Measured:
    """Every call of a fresh contract."""
    contract = project.CleanerSale.deploy(sender=accounts[0])
    calls = {kind: _calls(contract, accounts, kind) for kind in (OPEN, SEALED)}
    proofs = {name: _spoilt(contract, accounts, shape) for name, shape in PROOFS.items()}
    return Measured(calls[OPEN], calls[SEALED], proofs)


def _call(name: str, receipt: ReceiptAPI) -> Call:
    return Call(receipt.gas_used, floor(bytes(receipt.data), DEEDS[name]))


def _shop(contract: Any, accounts: Any, settlement: Settlement) -> tuple[ListingDriver, ReceiptAPI]:
    """A listing with eight levels, and what listing it cost."""
    seller = accounts[1]
    listing, files, keys = make_listing(
        contract, seller,
        prices=PRICES, accuracies=ACCURACIES, stake=STAKE, task=TASK, settlement=settlement,
    )  # fmt: skip
    receipt = contract.list(*list_args(listing, FUNDS), value=FUNDS, sender=seller)
    return ListingDriver(contract, listing, seller, files, keys), receipt


def _calls(contract: Any, accounts: Any, settlement: Settlement) -> dict[str, Call]:
    """One buyer takes a level and a better one; others wait in vain, are cheated, and settle."""
    shop, listed = _shop(contract, accounts, settlement)
    buyers = accounts[2 : 2 + BATCH]
    receipts = {"list": listed, "buy": shop.buy(buyers[0], 2)}
    delivered = "sealKey" if shop.sealed else "publishKey"
    receipts[delivered] = shop.deliver(buyers[0])
    receipts["accept"] = shop.accept(buyers[0])
    receipts["buy, upgrade"] = shop.buy(buyers[0], 6)
    shop.deliver(buyers[0])
    shop.buy(buyers[1], 2)
    shop.lapse(buyers[1])
    receipts["refund, overdue"] = shop.refund(buyers[1])
    receipts["settle"] = shop.settle(buyers[0])
    if shop.sealed:
        shop.buy(buyers[2], 2)
        proof = shop.key_proof(buyers[2], shop.deliver(buyers[2], bytes(range(32))))
        receipts["proveWrongKey"] = contract.proveWrongKey(*proof, sender=buyers[2])
        receipts["refund, proved"] = shop.refund(buyers[2])
    for buyer in buyers[1:]:
        shop.buy(buyer, 2)
    shop.buy(buyers[0], 7)
    for buyer in buyers:
        shop.deliver(buyer)
    shop.go_to(ape.chain.blocks.head.timestamp + DISPUTE_TIME)
    receipts["settle many"] = shop.settle(*buyers)
    receipts["fund"] = contract.fund(shop.args, 5, value=5, sender=shop.seller)
    receipts["withdraw"] = shop.withdraw(10**18)
    receipts["close"] = contract.close(shop.args, sender=shop.seller)
    return {name: _call(name, receipt) for name, receipt in receipts.items()}


def _spoilt(contract: Any, accounts: Any, shape: Shape) -> Call:
    """A proof of a spoilt chunk in the middle of a file of that shape."""
    seller, buyer = accounts[1], accounts[2]
    key = key_of(0, seller.address)
    task = keccak(str(shape).encode())
    windows = (DELIVERY_TIME, DISPUTE_TIME)
    listing = Listing(seller.address, "0x" + "00" * 20, STAKE, SEALED, *windows, task, ())
    domain = listing.domain(ape.chain.chain_id, contract.address, 0)
    file, evidence = _one_chunk(domain, key, shape)
    level = Level(5_000, PRICES[0], file, domain.key_hash(key))
    listing = Listing(**vars(listing) | {"levels": (level,)})
    contract.list(*list_args(listing, FUNDS), value=FUNDS, sender=seller)
    shop = ListingDriver(contract, listing, seller, (), (key,))
    shop.buy(buyer)
    shop.deliver(buyer)
    receipt = contract.proveSpoiltChunk(
        shop.args, shop.sale(buyer).args(), listing.goods(0), key, evidence, sender=buyer
    )
    return _call("proveSpoiltChunk", receipt)


def _one_chunk(domain: FileDomain, key: bytes, shape: Shape) -> tuple[bytes, ChunkEvidence]:
    """The commitment to a file and evidence against its middle chunk.

    Only that chunk exists; the other leaves are random, which no gas depends on.
    """
    index = shape.count // 2
    leaves: list[list[bytes]] = [
        [keccak(bytes([tree]) + cm.word(i)) for i in range(shape.count)] for tree in (0, 1)
    ]
    # Where the seller lies the plain leaf is anything.
    stream = nonce(domain.digest, cm.root_of(leaves[1]))
    chunk = crypt(key, stream, index, keccak(b"content") * (shape.chunk_bytes // 32))
    leaves[0][index] = domain.cipher_leaf(index, chunk)
    roots = b"".join(map(cm.root_of, leaves))
    head = FILE_TYPE + domain.digest + cm.word(shape.length) + cm.word(shape.chunk_bytes)
    paths = [cm.path(row, index) for row in leaves]
    plain = leaves[1][index]
    return keccak(head + roots), (shape.length, shape.chunk_bytes, index, chunk, plain, *paths)
