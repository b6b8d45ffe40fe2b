"""The inner product of one party's encrypted vector with another's plain one (CKKS, by TenSEAL).

The asker encrypts a vector under a key that serves once. The answerer multiplies the ciphertexts
with its own vector, adds a fresh encryption of zero, and sends the part of the sum that opens to
the inner product alone: one coefficient of the first polynomial, which it hides in noise, and the
second polynomial. What this tells, whoever cheats:

- *The asker* learns at most `BITS` bits, whatever it encrypted and whatever its key is. All that
  it does not get pseudorandomly hidden is one number modulo q, and uniform noise that is q / 2^BITS
  wide lies on it: a channel of that capacity. Where the other vector is too long the asker learns
  that alone. The noise also floods what is left of the errors in
  the asker's ciphertexts, which it knows, and which would tell the other vector. The second
  polynomial is hidden by the encryption of zero, which a made-up key would undo: so the key's and
  all ciphertexts' second polynomials follow from a seed by SHAKE-256, and nobody chooses them.
- *The answerer* learns nothing by the ciphertexts. What the asker says of an opened answer tells
  about key and vector (Li and Micciancio, 2021), more if the answer is made up. So a key opens one
  answer, to one of 2^BITS values, none of them approximate.

Ring learning with errors in dimension `DEGREE`, with one modulus of `MODULUS_BITS` bits and ternary
secrets: 256 bits of classical security by the homomorphic encryption standard of 2018, which SEAL
checks. Nothing is rotated, relinearised or rescaled, so there are no further keys.
"""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from offchain.crypto.errors import CryptoError

DEGREE = 4096
"""Coefficients of a polynomial; numbers of a vector to a ciphertext, two to a complex slot."""

MODULUS_BITS = 58
BITS = 10
"""Most that an answer tells: it is one of 2^BITS."""

SEED_BYTES = 32
ERROR_STEPS = 1.07
"""Most by which an honest answer is off, in steps of the range / 2^BITS: half of one by noise, half
by rounding, and what encoding and encryption make."""

_ERROR, _ROUNDING = 6 * 3.2, 6 * 0.29
"""Six standard deviations of an error of encryption, and of rounding."""
_STEP = math.ldexp(1, MODULUS_BITS - BITS)
"""As words have it."""
_FLOODED, _ROUNDED = _STEP / (1 << 14), _STEP / 16
"""Most that errors of encryption make, which the other's vector multiplies, and that rounding does.
So noise floods the former, and the scales leave room for vectors that are nearly orthogonal."""
_SHRINK = math.sqrt(2 / DEGREE)
"""Length of a polynomial's coefficients to that of the numbers it encodes."""
_FILL = math.ldexp(DEGREE / 2, MODULUS_BITS - 1)
"""What both vectors' scales multiply to, so that the range fills the modulus."""

Words = npt.NDArray[np.uint64]
"""A polynomial (DEGREE,) by its values at the roots, or more of them, each below the modulus."""
Floats = npt.NDArray[np.float64]


class InnerProductError(CryptoError):
    """Vectors or words that do not fit, or an answer where there can be none."""


@dataclass(frozen=True, eq=False)
class EncryptedVector:
    """What the asker sends.

    seed: 32 bytes, of all second polynomials. key: (DEGREE,), the first polynomial of a public key.
    parts: (K, DEGREE), those of the ciphertexts, DEGREE numbers to each. length: Euclidean, above 0
    and finite, at most of the other's vector: beyond, errors of encryption would show.
    """

    seed: bytes
    length: float
    key: Words
    parts: Words


@dataclass(frozen=True, eq=False)
class Masked:
    """What the answerer sends. constant: below the modulus; rest: (DEGREE,)."""

    constant: int
    rest: Words


def parts_of(count: int) -> int:
    """Ciphertexts of a vector of so many numbers."""
    return -(-count // DEGREE)


def modulus() -> int:
    """q, to which words are below. Raises InnerProductError without TenSEAL."""
    return _scheme().modulus


def least_range(vector: Floats, length: float) -> float:
    """The least range that `encrypted` takes: below, the vector's rounding would show."""
    own = _FILL / _others_scale(length)
    return float(np.linalg.norm(vector)) * own * _ROUNDING * _SHRINK / _ROUNDED


class Opener:
    """What opens one answer, in this process alone: the secret key is never written."""

    def __init__(self, decryptor: Any, most: float) -> None:
        self._decryptor = decryptor
        self._step = 2 * most / (1 << BITS)

    @property
    def error(self) -> float:
        """Most by which an honest answer is off."""
        return ERROR_STEPS * self._step

    def open(self, masked: Masked) -> float:
        """The inner product, one of 2^BITS values from -most on; modulo 2 * most.

        Raises InnerProductError when an answer was opened before.
        """
        if self._decryptor is None:
            raise InnerProductError("this key opened an answer: each opens one")
        decryptor, self._decryptor = self._decryptor, None
        scheme = _scheme()
        first = np.full(DEGREE, masked.constant, dtype=np.uint64)
        found = _constant(scheme.opened(decryptor, first, masked.rest))
        centred = found - scheme.modulus if 2 * found > scheme.modulus else found
        half = 1 << (BITS - 1)
        step = round(centred * (1 << BITS) / scheme.modulus)
        return ((step + half) % (2 * half) - half) * self._step


def encrypted(
    vector: Floats, most: float, length: float, seed: bytes
) -> tuple[Opener, EncryptedVector]:
    """Encrypts `vector`, float64 (P,), under a new key.

    most: inner products within -most..most are told from one another. length: of the other's
    vector, at most; both above 0 and finite. seed: 32 random bytes.
    Raises InnerProductError when `most` is too small for the vector.
    """
    if not (0 < length < math.inf and 0 < most < math.inf):
        raise InnerProductError(
            f"range and length are above 0 and finite, not {most:g}, {length:g}"
        )
    if not least_range(vector, length) <= most:
        raise InnerProductError(
            f"a vector of length {np.linalg.norm(vector):.3g} takes a range of "
            f"{least_range(vector, length):.3g} or more, not {most:g}"
        )
    scheme = _scheme()
    secret = scheme.seal.KeyGenerator(scheme.context).secret_key()
    encryptor = scheme.seal.Encryptor(scheme.context, secret)
    decryptor = scheme.seal.Decryptor(scheme.context, secret)
    nothing = np.zeros(DEGREE, dtype=np.uint64)

    def based(fresh: Any, number: int) -> Words:
        """The first polynomial of what opens to the same as `fresh`, over the seed's second."""
        second = scheme.opened(decryptor, nothing, public_polynomial(seed, number))
        return _minus(scheme.phase(decryptor, fresh), second)

    own = _FILL / _others_scale(length)
    zero = scheme.seal.Ciphertext()
    encryptor.encrypt_zero_symmetric(zero)
    parts = []
    for number, block in enumerate(_blocks(vector / most * own), 1):
        fresh = scheme.seal.Ciphertext()
        encryptor.encrypt_symmetric(scheme.encoded(block), fresh)
        parts.append(based(fresh, number))
    key = based(zero, 0)
    return Opener(decryptor, most), EncryptedVector(seed, length, key, np.stack(parts))


def masked_product(vector: EncryptedVector, other: Floats, noise: bytes) -> Masked:
    """The inner product of an untrusted encrypted vector with `other`, float64 (P,).

    noise: 32 secret bytes from which the noise follows; the same for another question would
    tell their difference. Raises InnerProductError for words or lengths that do not fit, and for
    numbers so large that errors would show.
    """
    scheme = _scheme()
    _check(vector, parts_of(len(other)), scheme.modulus)
    if not float(np.linalg.norm(other)) <= vector.length:
        # How long it is would tell whoever asked more than an answer does.
        raise InnerProductError(f"the other vector is longer than {vector.length:.3g}")
    seal, evaluator = scheme.seal, scheme.seal.Evaluator(scheme.context)
    key = scheme.loaded(seal.PublicKey, vector.key, public_polynomial(vector.seed, 0))
    total = seal.Ciphertext()
    seal.Encryptor(scheme.context, key).encrypt_zero(total)
    for number, block in enumerate(_blocks(other * _others_scale(vector.length))):
        plain = scheme.encoded(block.conj())
        # SEAL refuses products that nobody need decrypt.
        if not plain.is_zero():
            second = public_polynomial(vector.seed, number + 1)
            part = scheme.loaded(seal.Ciphertext, vector.parts[number], second)
            evaluator.multiply_plain_inplace(part, plain)
            evaluator.add_inplace(total, part)
    words = _words(total, 2 * DEGREE)
    constant = _constant(words[:DEGREE]) + _noise(noise, scheme.modulus)
    return Masked(constant % scheme.modulus, words[DEGREE:])


def public_polynomial(seed: bytes, number: int) -> Words:
    """The second polynomial of the public key (0) or of a ciphertext (1 on): nobody's choice."""
    name = b"souk.inner-product.v1" + seed + number.to_bytes(4, "little")
    # One word in some 2^38 is not below the modulus.
    drawn = np.frombuffer(hashlib.shake_256(name).digest(8 * (DEGREE + 64)), dtype="<u8")
    drawn = drawn & np.uint64(2**MODULUS_BITS - 1)
    words: Words = drawn[drawn < np.uint64(modulus())][:DEGREE].astype(np.uint64)
    return words


def _others_scale(length: float) -> float:
    """What the other's numbers are multiplied with before they are rounded."""
    return _FLOODED / (_ERROR * _SHRINK * length)


def _noise(secret: bytes, q: int) -> int:
    width = q >> BITS
    drawn = int.from_bytes(hashlib.shake_256(b"souk.noise.v1" + secret).digest(32), "little")
    return drawn % width - width // 2


def _check(vector: EncryptedVector, parts: int, q: int) -> None:
    for name, words, shape in (
        ("key", vector.key, (DEGREE,)),
        ("ciphertexts", vector.parts, (parts, DEGREE)),
    ):
        if words.shape != shape or words.dtype != np.uint64 or int(words.max()) >= q:
            raise InnerProductError(f"the {name} are no words {shape} below {q}")
    if len(vector.seed) != SEED_BYTES or not 0 < vector.length < math.inf:
        raise InnerProductError(
            f"a seed has {SEED_BYTES} bytes and a length is above 0, not {len(vector.seed)} and "
            f"{vector.length:g}"
        )


def _blocks(vector: Floats) -> list[npt.NDArray[np.complex128]]:
    """Pairs of numbers as complex ones, DEGREE numbers at a time: Re(u conj(g)) has both products.

    The sum over all slots is DEGREE / 2 times the constant coefficient.
    """
    padded = np.zeros(parts_of(len(vector)) * DEGREE)
    padded[: len(vector)] = vector
    return list(padded.view(np.complex128).reshape(-1, DEGREE // 2))


def _words(polynomials: Any, count: int) -> Words:
    return np.fromiter(map(polynomials.__getitem__, range(count)), dtype=np.uint64, count=count)


def _minus(one: Words, other: Words) -> Words:
    q = np.uint64(modulus())
    return (one + (q - other)) % q


def _constant(words: Words) -> int:
    """The constant coefficient of a polynomial: the mean of its values at the roots."""
    q = modulus()
    return int(sum(words.tolist()) * pow(DEGREE, -1, q) % q)


@dataclass(frozen=True, eq=False)
class _Scheme:
    """SEAL's module, a context of these parameters, and what its bindings lack."""

    seal: Any
    context: Any
    encoder: Any
    modulus: int

    def encoded(self, slots: npt.NDArray[np.complex128]) -> Any:
        plain = self.seal.Plaintext()
        self.encoder.encode(slots.tolist(), self.context.first_parms_id(), 1.0, plain)
        return plain

    def phase(self, decryptor: Any, ciphertext: Any) -> Words:
        """What a ciphertext opens to, with its errors."""
        plain = self.seal.Plaintext()
        decryptor.decrypt(ciphertext, plain)
        return _words(plain, DEGREE)

    def opened(self, decryptor: Any, first: Words, second: Words) -> Words:
        return self.phase(decryptor, self.loaded(self.seal.Ciphertext, first, second))

    def loaded(self, kind: Any, first: Words, second: Words) -> Any:
        """A ciphertext or public key of these polynomials.

        SEAL reads files alone. A stranger's words are checked and put into a file of ours, so that
        no stranger's header, length or compression is read. No secret is in such a file.
        """
        raw = np.concatenate([first, second]).astype("<u8").tobytes()
        array = _framed(struct.pack("<Q", 2 * DEGREE) + raw)
        shape = struct.pack("<BQQQdQ", 1, 2, DEGREE, 1, 1.0, 1)
        made = kind()
        with TemporaryDirectory() as folder:
            path = Path(folder) / "polynomials"
            path.write_bytes(
                _framed(struct.pack("<4Q", *self.context.first_parms_id()) + shape + array)
            )
            made.load(self.context, str(path))
        return made


def _framed(content: bytes) -> bytes:
    """SEAL 4's header: magic number, its length, version, no compression, length in all."""
    return struct.pack("<HBBBBHQ", 0xA15E, 16, 4, 3, 0, 0, 16 + len(content)) + content


@cache
def _scheme() -> _Scheme:
    try:
        import tenseal.sealapi as seal
    except ImportError as error:
        raise InnerProductError(
            "encrypted evaluation needs TenSEAL, which is not installed: pip install tenseal"
        ) from error
    parameters = seal.EncryptionParameters(seal.SCHEME_TYPE.CKKS)
    parameters.set_poly_modulus_degree(DEGREE)
    moduli = seal.CoeffModulus.Create(DEGREE, [MODULUS_BITS])
    parameters.set_coeff_modulus(moduli)
    context = seal.SEALContext(parameters, True, seal.SEC_LEVEL_TYPE.TC256)
    if not context.parameters_set():
        raise InnerProductError(context.parameters_error_message())
    return _Scheme(seal, context, seal.CKKSEncoder(context), moduli[0].value())
