"""Copies of the sale with one defence taken out, against which an attack must succeed."""

from __future__ import annotations

from offchain.crypto.sealing import point_of
from tests.kit.weakened import NOBODYS_FILES, OWN_PERMIT, Weakenings

SALE = "contracts/hide/CleanerSale.sol"
_LISTINGS = "contracts/hide/Listings.sol"
_WINDOW = "contracts/exchange/Window.sol"
_CHUNKS = "contracts/exchange/ChunkDispute.sol"
_KEYS = "contracts/exchange/KeyDispute.sol"
_BOUNDS = (
    "require(window >= SHORTEST && window <= LONGEST, WindowOutOfRange(window, SHORTEST, LONGEST));"
)
_GENERATOR_X = f"{point_of(1).x:#x}"
WEAKENINGS: Weakenings = {
    "windows of any length": (_WINDOW, _BOUNDS, "window;"),
    "windows of no length": (
        _WINDOW,
        _BOUNDS,
        "require(window <= LONGEST, WindowOutOfRange(window, SHORTEST, LONGEST));",
    ),
    "sells without funds": (
        SALE,
        "_books[id] = book.hold(_hold(terms, paid));",
        "book;",
    ),
    "believes any one-time key": (
        SALE,
        "require(SealedKey.isOnCurve(oneTimeKey, oneTimeY), KeyNotOnCurve(oneTimeKey, oneTimeY));",
        "oneTimeY;",
    ),
    "lets anybody seal": (
        SALE,
        "_onlySeller(listing);",
        "",
    ),
    "believes any delivery": (
        SALE,
        "require(delivery == sale.delivery, WrongDelivery(sale.delivery, delivery));",
        "delivery;",
    ),
    "asks for a shared point always": (
        _KEYS,
        "if (product == address(0)) return false;",
        "",
    ),
    "compares accounts": (
        # As a check of the account of a point would do, with 16 bits in the place of its 160.
        _KEYS,
        "SealedKey.isSecretOf(oneTimeSecret, oneTimeKey)",
        "uint16(uint160(SealedKey.productAccount(oneTimeSecret, " + _GENERATOR_X + ")))"
        " == uint16(uint160(SealedKey.productAccount(1, oneTimeKey)))",
    ),
    "believes any shared point": (
        _KEYS,
        "SealedKey.isAccountOf(product, sharedX, sharedY)",
        "product != address(0)",
    ),
    "believes any root": (_CHUNKS, "require(given == file, NotInFile(file, given));", ""),
    "believes any key": (_CHUNKS, "require(given == keyHash, NotTheKey(keyHash, given));", ""),
    "files belong to nobody": NOBODYS_FILES,
    "refunds while the key may come": (
        SALE,
        "require(block.timestamp >= status.deadline(),"
        " TooEarly(block.timestamp, status.deadline()));",
        "",
    ),
    "lets anybody fund": (
        _LISTINGS,
        "_onlySeller(listing);\n        _books[id] = book.add(amount);",
        "_books[id] = book.add(amount);",
    ),
    "pays the caller alone": (
        SALE,
        "Payment.pay(listing.terms.token, to, amount);",
        "Payment.pay(listing.terms.token, to == msg.sender ? to : msg.sender, amount);",
    ),
    "needs its own permit": OWN_PERMIT,
    "believes any sale": (
        SALE,
        "require(status.content() == given, WrongSale(status.content(), given));",
        "given;",
    ),
}
