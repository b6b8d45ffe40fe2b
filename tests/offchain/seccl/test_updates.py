"""Updates: the largest changes, the same bytes for the same update, and nothing else is read."""

import json

import pytest
import torch
from safetensors.torch import save

from offchain.seccl.updates import (
    MalformedUpdate,
    NonFiniteValues,
    OversizedUpdate,
    SparseUpdate,
    UpdateError,
    UpdateHeader,
    WrongDtype,
    WrongHeader,
    WrongIndices,
    WrongShape,
    applied,
    decode_update,
    encode_update,
    largest_changes,
    max_update_bytes,
    mean_update,
)

TOTAL, SHARE = 100, 0.1
HEADER = UpdateHeader(3, "7", "ab" * 32)
KEY = "souk.seccl.update.v1"


def update():
    change = torch.randn(1, TOTAL, generator=torch.Generator().manual_seed(1))
    return largest_changes(change, SHARE)[0]


def message(indices=None, values=None, said=None, key=KEY, **more):
    """What a stranger might send: a safetensors file with some of its parts replaced."""
    good = update()
    told = {"round": 3, "author": "7", "model": "ab" * 32, "total": TOTAL, **(said or {})}
    tensors = {
        "indices": good.indices if indices is None else indices,
        "values": good.values if values is None else values,
        **more,
    }
    return save(tensors, {key: json.dumps(told, separators=(",", ":"))})


def read(data):
    return decode_update(data, HEADER, TOTAL, SHARE)


def test_an_update_comes_back_from_its_bytes():
    sent = update()
    got = read(encode_update(sent, HEADER))
    assert torch.equal(got.indices, sent.indices)
    assert torch.equal(got.values, sent.values)
    assert encode_update(got, HEADER) == encode_update(sent, HEADER) == message()


def test_the_largest_changes_over_all_parameters_are_shared():
    changes = torch.randn(3, 500, generator=torch.Generator().manual_seed(0))
    for change, shared in zip(changes, largest_changes(changes, 0.1), strict=True):
        assert len(shared) == 50
        order = change.abs().argsort(descending=True)
        assert set(shared.indices.tolist()) == set(order[:50].tolist())
        assert torch.equal(shared.dense()[order[:50]], change[order[:50]])
        assert not shared.dense()[order[50:]].any()


def test_of_equal_changes_the_first_are_shared():
    changes = torch.tensor([[1.0, -2.0, 2.0, 2.0, -2.0, 0.5, 3.0, 2.0, 0.0, 0.0]])
    assert largest_changes(changes, 0.3)[0].indices.tolist() == [1, 2, 6]


def test_at_least_one_parameter_is_shared():
    assert len(largest_changes(torch.rand(1, 10), 0.001)[0]) == 1


def test_training_that_diverged_shares_nothing():
    changes = torch.zeros(3, 10)
    changes[1, 4] = float("nan")
    with pytest.raises(NonFiniteValues, match=r"\[1\]"):
        largest_changes(changes, 0.5)


def test_winners_move_the_model_by_their_mean():
    a = SparseUpdate(torch.tensor([0, 2], dtype=torch.int32), torch.tensor([2.0, 4.0]), 4)
    b = SparseUpdate(torch.tensor([2], dtype=torch.int32), torch.tensor([-1.0]), 4)
    assert mean_update([a, b]).tolist() == [1.0, 0.0, 1.5, 0.0]
    assert applied(torch.ones(4), [a, b]).tolist() == [[3, 1, 5, 1], [1, 1, 0, 1]]


def test_the_size_of_a_message_is_bounded_by_what_it_shares():
    assert len(message()) <= max_update_bytes(TOTAL, SHARE)
    longest = UpdateHeader(2**32 - 1, "f" * 64, "ab" * 32)
    assert len(encode_update(update(), longest)) <= max_update_bytes(TOTAL, SHARE)


ints = torch.arange(10, dtype=torch.int32)


STRANGE = [
    (message(values=torch.full((10,), float("nan"))), NonFiniteValues),
    (message(values=torch.tensor([float("inf")] + [1.0] * 9)), NonFiniteValues),
    (message(values=torch.ones(10, dtype=torch.float64)), WrongDtype),
    (message(values=torch.ones(10, dtype=torch.float16)), WrongDtype),
    (message(indices=ints.long()), WrongDtype),
    (message(indices=ints.flip(0)), WrongIndices),
    (message(indices=ints // 2), WrongIndices),
    (message(indices=ints + 91), WrongIndices),
    (message(indices=ints - 1), WrongIndices),
    (message(indices=ints[:9]), WrongShape),
    (message(indices=ints.view(2, 5), values=torch.ones(2, 5)), WrongShape),
    (message(indices=ints[:0], values=torch.ones(0)), WrongShape),
    (message(said={"total": 101}), WrongShape),
    (message(said={"round": 4}), WrongHeader),
    (message(said={"round": True}), WrongHeader),
    (message(said={"author": "8"}), WrongHeader),
    (message(said={"model": "cd" * 32}), WrongHeader),
    (message(said={"note": "more"}), MalformedUpdate),
    (message(key="else"), MalformedUpdate),
    (message(extra=torch.ones(1)), MalformedUpdate),
    (save({"indices": ints}, {KEY: "{}"}), MalformedUpdate),
    (save({"indices": ints, "values": torch.ones(10)}), MalformedUpdate),
    (save({"indices": ints, "values": torch.ones(10)}, {KEY: "[" * 700}), MalformedUpdate),
    (
        message(indices=torch.arange(11, dtype=torch.int32), values=torch.ones(11)),
        OversizedUpdate,
    ),
    (message() + bytes(5000), OversizedUpdate),
    (message() + b"\0", MalformedUpdate),
    (message()[:-1], MalformedUpdate),
    (b"", MalformedUpdate),
    (b"\xff" * 8, MalformedUpdate),
    (b"\x80\x04cos\nsystem\n", MalformedUpdate),
]


@pytest.mark.parametrize(
    ("data", "error"), STRANGE, ids=[f"{e.__name__}{i}" for i, (_, e) in enumerate(STRANGE)]
)
def test_what_is_no_update_of_this_round_has_its_own_error(data, error):
    with pytest.raises(UpdateError) as refused:
        read(data)
    assert type(refused.value) is error, refused.value
    assert "\n" not in str(refused.value)


def test_a_changed_byte_is_refused_by_name_or_is_another_value():
    good = bytearray(message())
    for place in range(len(good)):
        bad = good.copy()
        bad[place] ^= 0xFF
        try:
            read(bytes(bad))
        except UpdateError:
            continue
        assert len(good) - 80 <= place < len(good) - 40, place  # the values come first


@pytest.mark.parametrize(
    "header", [(-1, "7", "ab" * 32), (0, "", "ab" * 32), (0, "a b", "ab" * 32)]
)
def test_a_header_names_a_round_an_author_and_a_model(header):
    with pytest.raises(WrongHeader):
        UpdateHeader(*header)
    with pytest.raises(WrongHeader):
        UpdateHeader(0, "7", "xy" * 32)
