"""Copies of the sale with one defence taken out, against which an attack must succeed."""

from __future__ import annotations

from ape.contracts import ContractContainer

from tests.kit.weakened import compile_copies

_SALE = "contracts/hide/CleanerSale.sol"
_LISTINGS = "contracts/hide/Listings.sol"
_CHUNKS = "contracts/exchange/ChunkDispute.sol"
_FILE = "contracts/exchange/ChunkedFile.sol"
_KEYS = "contracts/exchange/KeyDispute.sol"
# Name of the copy -> the change that makes it: file, text that is there, text instead.
WEAKENINGS: dict[str, tuple[str, str, str]] = {
    "sells without funds": (
        _SALE,
        "_books[id] = book.hold(_hold(terms, paid));",
        "book;",
    ),
    "lets anybody seal": (
        _SALE,
        "        _onlySeller(listing);\n        SaleStatus status = _deliverable",
        "        SaleStatus status = _deliverable",
    ),
    "believes any delivery": (
        _SALE,
        "require(delivery == sale.delivery, WrongDelivery(sale.delivery, delivery));",
        "delivery;",
    ),
    "asks for a shared point always": (
        _KEYS,
        "if (product == address(0)) return;",
        "",
    ),
    "believes any shared point": (
        _KEYS,
        "SealedKey.isAccountOf(product, evidence.sharedX, evidence.sharedY),",
        "product != address(0),",
    ),
    "believes any root": (_CHUNKS, "require(given == file, NotInFile(file, given));", ""),
    "believes any key": (_CHUNKS, "require(given == keyHash, NotTheKey(keyHash, given));", ""),
    "files belong to nobody": (
        _FILE,
        "block.chainid, address(this), seller, label",
        "block.chainid, label",
    ),
    "refunds while the key may come": (
        _SALE,
        "require(block.timestamp >= status.deadline(),"
        " TooEarly(block.timestamp, status.deadline()));",
        "",
    ),
    "believes any sale": (
        _SALE,
        "require(status.content() == given, WrongSale(status.content(), given));",
        "given;",
    ),
}


def compile_weakened() -> dict[str, ContractContainer]:
    """The weakened sales by name."""
    return compile_copies({name: (change,) for name, change in WEAKENINGS.items()}, _SALE)
