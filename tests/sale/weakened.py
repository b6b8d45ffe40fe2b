"""Copies of the sale with one defence taken out, against which an attack must succeed.

The copies are made from the contracts as they are now, by replacing text that must be there, so a
copy never outlives a change of the original.
"""

from __future__ import annotations

import ape
from ape.contracts import ContractContainer

from tests.hyperx.solidity import compile_contracts

_SALE = "contracts/sale/CleanerSale.sol"
_LISTINGS = "contracts/sale/Listings.sol"
_CHUNKS = "contracts/exchange/ChunkDispute.sol"
_FILE = "contracts/exchange/ChunkedFile.sol"
_KEYS = "contracts/exchange/KeyDispute.sol"
_FILES = (
    _SALE,
    _LISTINGS,
    "contracts/sale/Book.sol",
    "contracts/sale/Levels.sol",
    "contracts/sale/Status.sol",
    _CHUNKS,
    "contracts/exchange/ChunkCipher.sol",
    _FILE,
    _KEYS,
    "contracts/exchange/Payment.sol",
    "contracts/exchange/SealedKey.sol",
    "contracts/hyperx/Shards.sol",
    "contracts/interfaces/ICleanerSale.sol",
    "contracts/interfaces/ITradingSession.sol",
)

# Name of the copy -> the change that makes it: file, text that is there, text instead.
WEAKENINGS: dict[str, tuple[str, str, str]] = {
    "sells without funds": (
        _SALE,
        "_books[id] = book.hold(_hold(terms, paid));",
        "book;",
    ),
    "lets anybody seal": (
        _SALE,
        "        _onlySeller(listing);\n        Status status = _deliverable",
        "        Status status = _deliverable",
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
    """The weakened sales by name, all from one run of the compiler."""
    root = ape.project.path
    own = {path: (root / path).read_text() for path in _FILES}
    sources: dict[str, str] = {}
    wanted: dict[str, str] = {}
    for number, (name, (path, there, instead)) in enumerate(WEAKENINGS.items()):
        if own[path].count(there) != 1:
            raise AssertionError(f"{name}: not exactly once in {path}: {there!r}")
        copy = own | {path: own[path].replace(there, instead)}
        # Each copy has its own contract name, as a compiler's output is asked for by name.
        contract = f"WeakSale{number}"
        copy[_SALE] = copy[_SALE].replace("contract CleanerSale is", f"contract {contract} is")
        sources |= {f"weak{number}/{file}": text for file, text in copy.items()}
        wanted[contract] = f"weak{number}/{_SALE}"
    compiled = compile_contracts(wanted, sources)
    return {name: compiled[f"WeakSale{number}"] for number, name in enumerate(WEAKENINGS)}
