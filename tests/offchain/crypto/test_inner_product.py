"""Encrypted inner products: right within their error, and attacked from both sides.

Each attack has a twin that succeeds on a weakened copy.
"""

from __future__ import annotations

import cmath
import hashlib
import sys

import numpy as np
import pytest

from offchain.crypto import inner_product
from offchain.crypto.inner_product import (
    BITS,
    DEGREE,
    MODULUS_BITS,
    EncryptedVector,
    InnerProductError,
    Masked,
    Opener,
    encrypted,
    least_range,
    masked_product,
    modulus,
    public_polynomial,
)
from tests.kit.exact_opening import phase

Q = modulus()
SEED = bytes(range(32))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def secret(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(4)).digest()


def as_slots(words: np.ndarray) -> np.ndarray:
    """The numbers that a polynomial encodes, two to a slot."""
    scheme = inner_product._scheme()
    secret = scheme.seal.KeyGenerator(scheme.context).secret_key()
    plain = scheme.seal.Plaintext()
    nothing = np.zeros(DEGREE, dtype=np.uint64)
    cipher = scheme.loaded(scheme.seal.Ciphertext, words, nothing)
    scheme.seal.Decryptor(scheme.context, secret).decrypt(cipher, plain)
    return np.array(scheme.encoder.decode_complex(plain)).view(np.float64)


def no_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inner_product, "_noise", lambda secret, q: 0)


weakened = pytest.mark.parametrize("weak", [False, True], ids=["as it is", "weakened"])


@pytest.mark.parametrize("count", [1, 7, DEGREE, DEGREE + 1])
def test_the_answer_is_right_within_its_error(count, rng):
    vector, other = rng.normal(size=count), rng.normal(size=count) * 100
    truth = float(vector @ other)
    length = 2 * float(np.linalg.norm(other))
    opener, sent = encrypted(vector, 1.5 * abs(truth), length, SEED)
    found = opener.open(masked_product(sent, other, secret(count)))
    assert abs(found - truth) <= opener.error
    assert opener.error < abs(truth) / 20


def test_the_error_holds_at_both_limits():
    """The least range and nearly the longest vector that are taken."""
    vector, other = np.array([1.0, 0]), np.array([0, 7.0])
    least = least_range(vector, 7.0)
    opener, sent = encrypted(vector, least, 7.0, SEED)
    for number in range(10):
        off = phase(opener, masked_product(sent, other, secret(number))) / (Q / 2**BITS)
        assert abs(off) <= 0.57
    with pytest.raises(InnerProductError, match="longer than 7"):
        masked_product(sent, other * 1.001, secret(0))
    with pytest.raises(InnerProductError, match="takes a range of"):
        encrypted(vector, 0.999 * least, 7.0, SEED)


def test_what_is_beyond_the_range_comes_back_modulo_it():
    opener, sent = encrypted(np.array([1.0]), 1.0, 2.0, SEED)
    found = opener.open(masked_product(sent, np.array([1.5]), secret(0)))
    assert abs(found + 0.5) <= opener.error


def test_the_parameters_have_256_bits_of_security_by_the_standard():
    seal = inner_product._scheme().seal
    assert seal.CoeffModulus.MaxBitCount(DEGREE, seal.SEC_LEVEL_TYPE.TC256) == MODULUS_BITS
    assert Q.bit_length() == MODULUS_BITS


def test_without_tenseal_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "tenseal.sealapi", None)
    inner_product._scheme.cache_clear()
    try:
        with pytest.raises(InnerProductError, match="needs TenSEAL, which is not installed"):
            modulus()
    finally:
        inner_product._scheme.cache_clear()


@pytest.mark.parametrize("name", ["key", "parts"])
def test_words_that_are_none_are_refused(name):
    _, sent = encrypted(np.ones(3), 10.0, 5.0, SEED)
    words = getattr(sent, name).copy()
    words.flat[-1] = Q
    for wrong in (words, getattr(sent, name)[..., :-1], getattr(sent, name).astype(np.int64)):
        broken = EncryptedVector(**{**vars(sent), name: wrong})
        with pytest.raises(InnerProductError, match="are no words"):
            masked_product(broken, np.ones(3), secret(0))


def test_nobody_chooses_second_polynomials():
    """Words of all ciphertexts and seeds differ, and are spread evenly below the modulus."""
    drawn = [public_polynomial(secret(seed), number) for seed in (0, 1) for number in (0, 1)]
    words = np.stack(drawn).astype(float) / Q
    assert len(np.unique(np.stack(drawn))) == 4 * DEGREE
    assert words.max() < 1
    assert np.abs(np.histogram(words, 16, (0, 1))[0] / (DEGREE / 4) - 1).max() < 0.15


@weakened
def test_the_query_does_not_show_its_vector(weak, monkeypatch, rng):
    """The seller decodes the ciphertext. Twin: no secret key is in it."""
    if weak:
        monkeypatch.setattr(inner_product, "_minus", lambda one, other: one)
    vector = rng.normal(size=DEGREE)
    _, sent = encrypted(vector, 1.0, 100.0, SEED)
    shown = np.corrcoef(as_slots(sent.parts[0]), vector)[0, 1]
    assert shown > 0.999 if weak else abs(shown) < 0.1


@weakened
def test_the_second_polynomial_does_not_show_the_other_vector(weak, monkeypatch, rng):
    """A buyer whose key is 0 and whose ciphertext is a number decodes the answer's.

    Twin: it chooses the second polynomials itself.
    """
    large = 2**12
    if weak:
        chosen = [np.zeros(DEGREE, np.uint64), np.full(DEGREE, large, np.uint64)]
        monkeypatch.setattr(inner_product, "public_polynomial", lambda seed, number: chosen[number])
    other = rng.normal(size=DEGREE) * 100
    length = 2 * float(np.linalg.norm(other))
    nothing = np.zeros(DEGREE, np.uint64)
    sent = EncryptedVector(SEED, length, nothing, nothing[None])
    rest = masked_product(sent, other, secret(0)).rest
    shown = (
        as_slots(rest).view(np.complex128).conj() / (large * inner_product._others_scale(length))
    ).view(np.float64)
    off = np.linalg.norm(shown - other) / np.linalg.norm(other)
    assert off < 1e-3 if weak else off > 10


@weakened
def test_a_vector_of_powers_does_not_list_the_other(weak, monkeypatch, rng):
    """A buyer whose numbers are powers of 128 reads one number after another in one exact answer.

    Twin: no noise is on it.
    """
    if weak:
        no_noise(monkeypatch)
    powers = 128.0 ** np.arange(3)
    opener, sent = encrypted(powers, 2.0**21, 256.0, SEED)
    read = 0
    for number in range(12):
        data = rng.integers(0, 128, 3)
        found = phase(opener, masked_product(sent, data.astype(float), secret(number)))
        read += round(found * 2.0**22 / Q) == data @ powers
    assert read == (12 if weak else 0)


@weakened
def test_errors_of_encryption_do_not_tell_vectors_apart(weak, monkeypatch, rng):
    """A buyer knows the errors in its ciphertext, which the seller's vector multiplies. It encrypts
    zeros, so that these errors are all that the answer has. Twin: no noise floods them."""
    if weak:
        no_noise(monkeypatch)
    scheme = inner_product._scheme()
    opener, sent = encrypted(np.zeros(20), 1.0, 16.0, SEED)
    cipher = scheme.loaded(scheme.seal.Ciphertext, sent.parts[0], public_polynomial(SEED, 1))
    errors = scheme.phase(opener._decryptor, cipher)
    candidates, expected = rng.normal(size=(2, 20)), []
    for one in candidates:
        (block,) = inner_product._blocks(one * inner_product._others_scale(16.0))
        plain = inner_product._words(scheme.encoded(block.conj()), DEGREE)
        product = [a * b % Q for a, b in zip(errors.tolist(), plain.tolist(), strict=True)]
        constant = sum(product) * pow(DEGREE, -1, Q) % Q
        expected.append(constant - Q if 2 * constant > Q else constant)
    right = 0
    for number in range(24):
        found = phase(opener, masked_product(sent, candidates[number % 2], secret(number)))
        right += int(abs(found - expected[1]) < abs(found - expected[0])) == number % 2
    assert right == 24 if weak else 0 < right < 24


def test_the_noise_is_as_wide_as_an_answer_may_tell():
    """Uniform over q / 2^BITS: the channel's capacity is BITS, whatever is asked."""
    width = Q >> BITS
    drawn = np.array([inner_product._noise(secret(n), Q) for n in range(4000)]) / width
    assert -0.5 <= drawn.min() < -0.49
    assert 0.49 < drawn.max() <= 0.5
    assert np.abs(np.histogram(drawn, 8, (-0.5, 0.5))[0] / 500 - 1).max() < 0.2


def monomial(place: int, factor: int) -> np.ndarray:
    """The words of factor * X^place."""
    small = 2**20
    scheme = inner_product._scheme()
    turn = [pow(3, slot, 2 * DEGREE) * place % (2 * DEGREE) for slot in range(DEGREE // 2)]
    slots = np.array([small * cmath.exp(1j * cmath.pi * angle / DEGREE) for angle in turn])
    words = inner_product._words(scheme.encoded(slots), DEGREE).tolist()
    scale = pow(small, -1, Q) * factor
    return np.array([word * scale % Q for word in words], dtype=np.uint64)


@weakened
def test_made_up_answers_do_not_read_the_key(weak, monkeypatch):
    """A seller that is told opened scores asks for the key, coefficient by coefficient.

    Twin: a key opens as often as it is asked; then even one of 2^BITS values tells all of it.
    """
    opener, _ = encrypted(np.ones(2), 1.0, 1.0, SEED)
    fine = [phase(opener, Masked(0, monomial(DEGREE - n, 2**40))) for n in range(1, 13)]
    key = [round(-one / 2**40) for one in fine]
    assert len(set(key)) > 1
    assert set(key) <= {-1, 0, 1}
    read = []
    for place in range(1, 13):
        again = Opener(opener._decryptor, 1.0) if weak else opener
        try:
            told = again.open(Masked(0, monomial(DEGREE - place, Q // 3)))
        except InnerProductError:
            break
        read.append(round(-told / (2 / 3)))
    assert read == (key if weak else key[:1])


def test_an_opened_answer_is_one_of_few_values(rng):
    """Whatever the seller sent: nothing approximate is left to give back."""
    half = float(1 << (BITS - 1))
    asked, _ = encrypted(np.ones(2), half, 1.0, SEED)
    told = set()
    for number in range(30):
        opener = Opener(asked._decryptor, half)
        told.add(opener.open(Masked(int(rng.integers(Q)), public_polynomial(SEED, number))))
    assert all(value == round(value) and -half <= value < half for value in told)
