"""Sealing: messages to the collector's X25519 key, and shard keys to a one-time secp256k1 key.

Messages use libsodium's sealed boxes. Shard keys must be disputable on chain, so they use ECDH on
secp256k1 and a pad the contract can evaluate: the twin of ``contracts/exchange/SealedKey.sol``.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import coincurve
from eth_hash.auto import keccak
from nacl.exceptions import CryptoError as NaclError
from nacl.public import PrivateKey, PublicKey, SealedBox

from offchain.crypto.commitments import word
from offchain.crypto.errors import SealError

FIELD = 2**256 - 2**32 - 977
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def seal(public_key: bytes, message: bytes) -> bytes:
    """``message`` readable only by the owner of the 32-byte X25519 ``public_key``.

    Raises SealError on a key to which nothing can be sealed, such as zero.
    """
    try:
        return bytes(SealedBox(PublicKey(public_key)).encrypt(message))
    except (NaclError, ValueError, TypeError) as error:
        raise SealError(f"nothing can be sealed to the key {public_key.hex()}: {error}") from error


def unseal(private_key: bytes, sealed: bytes) -> bytes:
    """What was sealed to the owner of ``private_key``. Raises SealError if it does not open."""
    try:
        return bytes(SealedBox(PrivateKey(private_key)).decrypt(sealed))
    except (NaclError, ValueError, TypeError) as error:
        raise SealError(f"sealed message of {len(sealed)} bytes does not open: {error}") from error


def public_key_of(private_key: bytes) -> bytes:
    """The X25519 public key of a 32-byte private key."""
    return bytes(PrivateKey(private_key).public_key)


@dataclass(frozen=True)
class Point:
    """A point of secp256k1 by its affine coordinates."""

    x: int
    y: int

    @property
    def account(self) -> str:
        """0x account of the point, keccak256(x, y)[12:]."""
        return "0x" + keccak(word(self.x) + word(self.y))[12:].hex()

    @classmethod
    def with_even_y(cls, x: int) -> Point:
        """The point at ``x`` whose y is even. Raises SealError if ``x`` is on no point."""
        square = (pow(x, 3, FIELD) + 7) % FIELD
        y = pow(square, (FIELD + 1) // 4, FIELD)
        if not 0 < x < FIELD or y * y % FIELD != square:
            raise SealError(f"x = {x:#x} lies on no point of secp256k1")
        return cls(x, y if y % 2 == 0 else FIELD - y)


NO_POINT = Point(0, 0)
"""What stands where there is no point to show: no product in evidence, no one-time key under open
settlement. It is not on the curve."""


def new_secret() -> int:
    """A fresh private key of secp256k1, in ``[1, ORDER)``."""
    return secrets.randbelow(ORDER - 1) + 1


def point_of(secret: int) -> Point:
    """``secret`` times the generator."""
    if not 0 < secret < ORDER:
        raise SealError("private key out of range [1, order)")
    return Point(*coincurve.PrivateKey.from_int(secret).public_key.point())


def even_secret(secret: int) -> int:
    """The secret, or its negative: the one whose point has an even y. Both have one x.

    Evidence shows this one, since a contract takes a point by its x alone.
    """
    return secret if point_of(secret).y % 2 == 0 else ORDER - secret


def shared_x(secret: int, other: Point) -> int:
    """x-coordinate of ``secret * other``."""
    try:
        peer = coincurve.PublicKey.from_point(other.x, other.y)
    except ValueError as error:
        raise SealError(f"({other.x:#x}, {other.y:#x}) is not on secp256k1") from error
    product: int = peer.multiply(secret.to_bytes(32, "big")).point()[0]
    return product


def pad(shared: int, index: int) -> bytes:
    """What the key at ``index`` is xor-ed with."""
    return keccak(word(shared) + word(index))


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


@dataclass(frozen=True)
class SealedKeys:
    """Shard keys sealed to a one-time key.

    Attributes:
        ephemeral_x: x of the sender's point, whose y is even.
        sealed: one 32-byte word per key, in the order of the indices.
    """

    ephemeral_x: int
    sealed: tuple[bytes, ...]


def seal_keys(one_time_key: Point, keys: Mapping[int, bytes]) -> SealedKeys:
    """Seals ``keys`` (shard index -> 32-byte key), ascending by index, to ``one_time_key``."""
    while True:
        secret = new_secret()
        ephemeral = point_of(secret)
        # The contract takes x alone: even y by convention, below the order as ecrecover asks.
        if ephemeral.y % 2 == 0 and ephemeral.x < ORDER:
            break
    shared = shared_x(secret, one_time_key)
    sealed = tuple(_xor(word(keys[i]), pad(shared, i)) for i in sorted(keys))
    return SealedKeys(ephemeral.x, sealed)


def open_keys(secret: int, sealed: SealedKeys, indices: Sequence[int]) -> dict[int, bytes]:
    """The keys at ``indices`` (ascending). Raises SealError if the sender's point is none."""
    if len(indices) != len(sealed.sealed):
        raise SealError(f"{len(sealed.sealed)} sealed keys for {len(indices)} shards")
    shared = shared_x(secret, Point.with_even_y(sealed.ephemeral_x))
    return {i: _xor(s, pad(shared, i)) for i, s in zip(indices, sealed.sealed, strict=True)}


def product(secret: int, ephemeral_x: int) -> Point:
    """Evidence that a delivered key was wrong: ``secret`` times the sender's point.

    The sign of y is open: ECDH does not tell it and the contract does not ask for it. NO_POINT
    where ``ephemeral_x`` is on no point of the curve; the contract sees that for itself.
    """
    try:
        sent = Point.with_even_y(ephemeral_x)
    except SealError:
        return NO_POINT
    return Point.with_even_y(shared_x(secret, sent))
