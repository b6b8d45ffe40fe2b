"""Sealed messages, and shard keys sealed so that a wrong one can be shown to a contract."""

import secrets

import pytest

from offchain.crypto import sealing
from offchain.crypto.errors import SealError
from offchain.crypto.sealing import FIELD, ORDER, Point

GENERATOR = Point(
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
MULTIPLES = {
    1: GENERATOR,
    2: Point(
        0xC6047F9441ED7D6D3045406E95C07CD85C778E4B8CEF3CA7ABAC09B95C709EE5,
        0x1AE168FEA63DC339A3C58419466CEAEEF7F632653266D0E1236431A950CFE52A,
    ),
    3: Point(
        0xF9308A019258C31049344F85F89D5229B531C845836F99B08601F113BCE036F9,
        0x388F7B0F632DE8140FE337E62A37F3566500A99934C2231B6CB9FD7584B8E672,
    ),
    7: Point(
        0x5CBDF0646E5DB4EAA398F365F2EA7A0E3D419B7E0330E39CE92BDDEDCAC4F9BC,
        0x6AEBCA40BA255960A3178D6D861A54DBA813D0B813FDE7B5A5082628087264DA,
    ),
    ORDER - 1: Point(GENERATOR.x, FIELD - GENERATOR.y),
}
"""Published multiples of secp256k1's generator."""

SECRET = 0xC0FFEE
KEYS = {i: bytes([i + 1]) * 32 for i in (0, 3, 11)}


def naive_multiple(scalar, point):
    """`scalar` times `point` by doubling and adding in the schoolbook formulas."""
    total, step = None, (point.x, point.y)
    while scalar:
        if scalar & 1:
            total = step if total is None else naive_sum(total, step)
        step = naive_sum(step, step)
        scalar >>= 1
    return Point(*total)


def naive_sum(a, b):
    if a == b:
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, FIELD)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, FIELD)
    x = (slope * slope - a[0] - b[0]) % FIELD
    return x, (slope * (a[0] - x) - a[1]) % FIELD


def test_only_the_owner_opens_a_sealed_message():
    private, stranger = bytes([1]) * 32, bytes([2]) * 32
    for message in (b"", b"features" * 1000):
        sealed = sealing.seal(sealing.public_key_of(private), message)
        assert sealing.unseal(private, sealed) == message
        with pytest.raises(SealError, match=f"{len(sealed)} bytes does not open"):
            sealing.unseal(stranger, sealed)


@pytest.mark.parametrize("place", [0, 31, 32, 48, -1])
def test_a_message_changed_in_one_bit_does_not_open(place):
    private = bytes([1]) * 32
    sealed = bytearray(sealing.seal(sealing.public_key_of(private), b"features"))
    sealed[place] ^= 1
    with pytest.raises(SealError):
        sealing.unseal(private, bytes(sealed))


@pytest.mark.parametrize("rubbish", [b"", b"short", bytes(48), bytes(1000)])
def test_rubbish_is_refused_in_one_line(rubbish):
    with pytest.raises(SealError) as caught:
        sealing.unseal(bytes([1]) * 32, rubbish)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", [bytes(32), bytes(31), b"\1" + bytes(31)])
def test_a_public_key_that_is_none_is_named(key):
    """Zero and one are points of small order: a shared secret with them is known to everybody."""
    with pytest.raises(SealError, match=f"nothing can be sealed to the key {key.hex()}"):
        sealing.seal(key, b"features")


def test_equal_messages_are_sealed_differently():
    """An onlooker cannot tell that two providers submitted the same."""
    public = sealing.public_key_of(bytes([1]) * 32)
    assert sealing.seal(public, b"same") != sealing.seal(public, b"same")


@pytest.mark.parametrize("scalar", MULTIPLES)
def test_points_are_the_published_multiples_of_the_generator(scalar):
    assert sealing.point_of(scalar) == MULTIPLES[scalar]


def test_the_account_of_a_private_key_is_ethereums():
    assert sealing.point_of(1).account == "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
    assert sealing.point_of(2).account == "0x2b5ad5c4795c026514f8317c7a215e218dccd6cf"


@pytest.mark.parametrize("secret", [1, 2, SECRET, ORDER - SECRET, ORDER - 2, ORDER - 1])
def test_the_even_secret_is_of_the_same_x(secret):
    even = sealing.even_secret(secret)
    assert sealing.point_of(even) == sealing.Point.with_even_y(sealing.point_of(secret).x)
    assert sealing.even_secret(ORDER - secret) == even


@pytest.mark.parametrize("secret", [0, ORDER, ORDER + 1, -1])
def test_a_private_key_out_of_range_is_refused(secret):
    with pytest.raises(SealError, match="out of range"):
        sealing.point_of(secret)


def test_fresh_secrets_are_valid_and_differ():
    drawn = {sealing.new_secret() for _ in range(50)}
    assert len(drawn) == 50
    assert all(0 < secret < ORDER for secret in drawn)


@pytest.mark.parametrize("scalar", MULTIPLES)
def test_the_point_at_an_x_is_the_one_with_even_y(scalar):
    known = MULTIPLES[scalar]
    found = Point.with_even_y(known.x)
    assert found.y % 2 == 0
    assert found.y in (known.y, FIELD - known.y)


@pytest.mark.parametrize("x", [0, 5, FIELD, FIELD + 1, GENERATOR.x + FIELD])
def test_an_x_of_no_point_is_refused(x):
    """x = 5 is the smallest for which x**3 + 7 is no square."""
    with pytest.raises(SealError, match="no point of secp256k1"):
        Point.with_even_y(x)


def test_a_point_off_the_curve_gives_no_shared_secret():
    """Else the other side could learn the secret bit by bit (invalid-curve attack)."""
    with pytest.raises(SealError, match="not on secp256k1"):
        sealing.shared_x(SECRET, Point(GENERATOR.x, GENERATOR.y + 1))


def test_both_sides_compute_the_same_point_as_the_schoolbook():
    a, b = 0x1234567, 0x89ABCDEF
    ours = sealing.shared_x(a, sealing.point_of(b))
    assert ours == sealing.shared_x(b, sealing.point_of(a))
    assert ours == naive_multiple(a, naive_multiple(b, GENERATOR)).x


def test_the_evidence_is_the_product_up_to_its_sign():
    """What the contract recomputes by ecrecover: secret times the point with even y."""
    for scalar in (2, 3, 7):
        ephemeral = Point.with_even_y(MULTIPLES[scalar].x)
        expected = naive_multiple(SECRET, ephemeral)
        found = sealing.product(SECRET, ephemeral.x)
        assert found.x == expected.x
        assert found.y in (expected.y, FIELD - expected.y)


def test_sealed_keys_open_to_what_they_were():
    for _ in range(5):
        sealed = sealing.seal_keys(sealing.point_of(SECRET), KEYS)
        assert sealing.open_keys(SECRET, sealed, sorted(KEYS)) == KEYS


def test_keys_are_sealed_in_the_order_of_their_indices():
    """The contract pairs them with the sampled bitmap in ascending order."""
    sealed = sealing.seal_keys(sealing.point_of(SECRET), dict(reversed(KEYS.items())))
    assert sealing.open_keys(SECRET, sealed, sorted(KEYS)) == KEYS


def test_another_secret_opens_to_other_keys():
    """There is no tag: what shows a wrong key is the commitment, not the seal."""
    sealed = sealing.seal_keys(sealing.point_of(SECRET), KEYS)
    opened = sealing.open_keys(SECRET + 1, sealed, sorted(KEYS))
    assert all(opened[i] != KEYS[i] for i in KEYS)


def test_the_senders_point_fits_the_contract_whatever_is_drawn(monkeypatch):
    """Even y, by which alone the contract knows the point; an odd one is drawn again."""
    odd = next(s for s in range(1, 50) if sealing.point_of(s).y % 2)
    even = next(s for s in range(1, 50) if sealing.point_of(s).y % 2 == 0)
    drawn = iter([odd, odd, even])
    monkeypatch.setattr(sealing, "new_secret", lambda: next(drawn))
    sealed = sealing.seal_keys(sealing.point_of(SECRET), KEYS)
    assert sealed.ephemeral_x == sealing.point_of(even).x
    assert sealing.open_keys(SECRET, sealed, sorted(KEYS)) == KEYS


def test_each_index_has_its_own_pad():
    """Equal keys at two places look different, and no sealed word tells of another."""
    assert len({sealing.pad(7, i) for i in range(100)} | {sealing.pad(8, 0)}) == 101
    sealed = sealing.seal_keys(sealing.point_of(SECRET), {i: bytes(32) for i in range(10)})
    assert len(set(sealed.sealed)) == 10


def test_the_same_keys_are_sealed_afresh_each_time():
    one_time = sealing.point_of(SECRET)
    first, second = (sealing.seal_keys(one_time, KEYS) for _ in range(2))
    assert first.ephemeral_x != second.ephemeral_x
    assert not set(first.sealed) & set(second.sealed)


def test_a_review_with_keys_missing_or_a_point_that_is_none_is_refused():
    sealed = sealing.seal_keys(sealing.point_of(SECRET), KEYS)
    with pytest.raises(SealError, match="3 sealed keys for 2 shards"):
        sealing.open_keys(SECRET, sealed, [0, 3])
    with pytest.raises(SealError, match="no point"):
        sealing.open_keys(SECRET, sealing.SealedKeys(5, (secrets.token_bytes(32),)), [0])
