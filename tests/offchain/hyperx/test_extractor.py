"""Publishing an extractor, and loading one that a stranger published."""

import hashlib
import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from nacl.signing import SigningKey
from safetensors.torch import load, save

from offchain.hyperx.extractor import (
    MAX_DESCRIPTION_BYTES,
    ExtractorError,
    load_extractor,
    publish,
    read_description,
)
from offchain.models.canonical import to_canonical
from tests.kit.random_networks import random_extractor

CPU = torch.device("cpu")
KEY = SigningKey(bytes(range(32)))
CONTEXT = b"souk extractor description v1\n"


class Store(dict):
    """A datastore in memory: address by hash, reads bounded."""

    def put(self, data):
        address = f"mem:{hashlib.sha256(data).hexdigest()}"
        self[address] = data
        return address

    def get(self, address, limit):
        assert len(self[address]) <= limit
        return self[address]


@pytest.fixture(scope="module")
def extractor():
    return random_extractor("efficientnet-lite0", "block5_project", 32, seed=5)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def document(extractor, store):
    return publish(extractor, KEY, store.put)


def resigned(document, key=KEY, **changes):
    """The description with `changes`, properly signed by `key`: what a liar would publish."""
    signed = json.loads(document)["description"] | changes
    return to_canonical(
        {
            "description": signed,
            "signer": bytes(key.verify_key).hex(),
            "signature": key.sign(CONTEXT + to_canonical(signed)).signature.hex(),
        }
    )


def with_weights(document, store, data):
    """The description with these bytes as its weights, hashed and signed."""
    file = {
        "address": store.put(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
    }
    return resigned(document, weights=file)


def refusal(document, store):
    with pytest.raises(ExtractorError) as caught:
        load_extractor(document, store.get, CPU)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


def test_what_is_loaded_computes_what_was_published(extractor, store, document):
    loaded = load_extractor(document, store.get, CPU)
    inputs = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(loaded.module(inputs), extractor.module(inputs))
    assert (loaded.backbone, loaded.cut, loaded.size) == (
        "efficientnet-lite0",
        "block5_project",
        32,
    )
    assert not any(p.requires_grad for p in loaded.module.parameters())


def test_the_description_is_one_small_document_that_says_it_all(store, document):
    found = read_description(document)
    assert len(document) < 1024
    assert found.signer == bytes(KEY.verify_key)
    one = found.description
    assert (one.input_shape, one.output_shape, one.activation) == ((3, 32, 32), (80, 2, 2), "none")
    weights = store[one.address]
    assert (one.length, one.sha256) == (len(weights), hashlib.sha256(weights).hexdigest())


def test_an_extractor_that_gives_less_is_published_as_that(store):
    """The first channels, averaged; no activation of the network's follows an average."""
    whole = random_extractor("efficientnet-lite0", "block9_expand", 64, seed=5)
    less = replace(whole, reduced=(20, 1, 2))
    document = publish(less, KEY, store.put)
    loaded = load_extractor(document, store.get, CPU)
    assert (loaded.output_shape, loaded.activation) == ((20, 1, 2), "none")
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    made = whole.features(inputs)[:, :20]
    halves = torch.stack([made[..., :2].mean((2, 3)), made[..., 2:].mean((2, 3))], 2)
    torch.testing.assert_close(loaded.features(inputs), halves[:, :, None])
    with pytest.raises(ExtractorError, match="activation after block9_expand is none, not 'relu6'"):
        read_description(resigned(document, activation="relu6"))
    assert load_extractor(publish(whole, KEY, store.put), store.get, CPU).activation == "relu6"


def test_only_the_layers_up_to_the_cut_are_published(store, document):
    names = load(store[read_description(document).description.address])
    blocks = {name.split(".")[1] for name in names if name.startswith("_blocks")}
    assert blocks == set("012345")
    assert not any("_fc" in name or "_head" in name for name in names)


def test_publishing_twice_gives_the_same_bytes(extractor, store, document):
    assert publish(extractor, KEY, store.put) == document
    assert len(store) == 1


def test_a_changed_description_needs_another_signature(document, store):
    outer = json.loads(document)
    outer["description"]["cut"] = "block8_project"
    assert "signature" in refusal(to_canonical(outer), store)
    outer = json.loads(document) | {"signer": bytes(SigningKey.generate().verify_key).hex()}
    assert "signature" in refusal(to_canonical(outer), store)
    other = SigningKey(bytes(32))
    assert read_description(resigned(document, other)).signer == bytes(other.verify_key)


def test_a_signature_made_for_something_else_does_not_count(document, store):
    """The signing key may sign other documents: the context keeps them apart."""
    outer = json.loads(document)
    bare = KEY.sign(to_canonical(outer["description"])).signature.hex()
    assert "signature" in refusal(to_canonical(outer | {"signature": bare}), store)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": "os.system"}, "backbone is one of"),
        ({"backbone": "__import__('os').system('true')"}, "backbone is one of"),
        ({"cut": "__class__"}, "is cut at"),
        ({"cut": ["block9_expand"]}, "cut cannot be"),
        ({"format": "souk.extractor.v9"}, "format is"),
        ({"input": [3, 33, 33]}, "multiple of 32"),
        ({"input": [3, 32, 64]}, "input is"),
        ({"input": [1, 32, 32]}, "input is"),
        ({"input": [3, 1 << 60, 1 << 60]}, "at most 512 px"),
        ({"input": [3, "32", "32"]}, "input is"),
        ({"input": [3.0, 32.0, 32.0]}, "input is"),
        ({"input": []}, "input is"),
        ({"output": [80, 4, 4]}, r"gives \[80, 2, 2\]"),
        ({"output": [0, 1, 1]}, "or less, not"),
        ({"output": [80, 2]}, "or less, not"),
        ({"output": [80, 2, True]}, "or less, not"),
        ({"output": [80, 2, 1.0]}, "or less, not"),
        ({"output": 80}, "output cannot be"),
        ({"activation": "relu6"}, "activation after block5_project is none"),
        ({"code": "print(1)"}, "wrong or missing: .'code'."),
        ({"weights": {"address": "x"}}, "wrong or missing"),
        ({"weights": {"address": "x", "sha256": "0", "bytes": 1 << 50}}, "bytes and a header"),
        ({"weights": {"address": "x", "sha256": "0", "bytes": 0}}, "bytes and a header"),
        ({"weights": {"address": "x", "sha256": "0", "bytes": True}}, "bytes cannot be True"),
    ],
)
def test_lies_in_a_description_are_named_before_anything_is_fetched(changes, message, document):
    def never(_address, _limit):
        raise AssertionError("fetched")

    with pytest.raises(ExtractorError, match=message) as caught:
        load_extractor(resigned(document, **changes), never, CPU)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"null",
        b"\x80\x04\x95",
        b"[" * MAX_DESCRIPTION_BYTES,
        b" " * (MAX_DESCRIPTION_BYTES + 1),
    ],
)
def test_bytes_that_are_no_description_are_refused(data, store):
    assert refusal(data, store).startswith("extractor description")


def test_a_description_has_one_form(document, store):
    assert "canonical" in refusal(document + b"\n", store)
    assert "canonical" in refusal(json.dumps(json.loads(document)).encode(), store)


def test_other_bytes_than_described_are_refused(document, store):
    address = read_description(document).description.address
    good = store[address]
    store[address] = good[:-1] + bytes([good[-1] ^ 1])
    assert "not the" in refusal(document, store)
    store[address] = good[:-1]
    assert "not the" in refusal(document, store)


class Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", ["pickle", "torch"])
def test_a_pickle_is_refused_and_not_run(kind, document, store, tmp_path):
    """Right length, right hash, right signature: still no code runs."""
    trap = tmp_path / "ran"
    length = read_description(document).description.length
    if kind == "pickle":
        data = pickle.dumps(Bomb(trap))
    else:
        torch.save({"weight": Bomb(trap)}, tmp_path / "bomb.pt")
        data = (tmp_path / "bomb.pt").read_bytes()
    hostile = with_weights(document, store, data.ljust(length, b"\0"))
    assert "no safetensors file" in refusal(hostile, store)
    assert not trap.exists()


def change(document, store, edit):
    """The published tensors, edited, as a new signed extractor."""
    tensors = load(store[read_description(document).description.address])
    edit(tensors)
    return with_weights(document, store, save(tensors))


def test_weights_of_wrong_name_shape_type_or_value_are_named(document, store):
    name = "_conv_stem.weight"

    def rename(tensors):
        tensors["other"] = tensors.pop(name)

    def reshape(tensors):
        tensors[name] = tensors[name].flatten()

    def retype(tensors):
        tensors[name] = tensors[name].view(torch.int32)

    def poison(tensors):
        tensors[name][0, 0, 0, 0] = float("nan")

    def overflow(tensors):
        tensors[name][0, 0, 0, 0] = float("inf")

    assert f"['{name}', 'other']" in refusal(change(document, store, rename), store)
    assert f"{name} is float32 (32, 3, 3, 3), not" in refusal(
        change(document, store, reshape), store
    )
    assert f"{name} is float32" in refusal(change(document, store, retype), store)
    for edit in (poison, overflow):
        assert f"{name} has values that are not finite" in refusal(
            change(document, store, edit), store
        )


def test_a_header_that_lies_about_sizes_is_refused(document, store):
    """Headers that claim more, or overlapping, tensors than the file holds."""
    data = store[read_description(document).description.address]
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header["_conv_stem.weight"]["data_offsets"] = [0, 1 << 62]
    text = json.dumps(header).encode().ljust(size + 64)
    lying = len(text).to_bytes(8, "little") + text + data[8 + size :]
    assert "no safetensors file" in refusal(with_weights(document, store, lying), store)
    huge = (1 << 40).to_bytes(8, "little") + data[8:]
    assert "no safetensors file" in refusal(with_weights(document, store, huge), store)


def test_weights_that_are_not_finite_are_not_published(store):
    broken = random_extractor(size=32, seed=0)
    with torch.no_grad():
        broken.module.get_parameter("_conv_stem.weight")[0] = float("inf")
    with pytest.raises(ExtractorError, match=r"_conv_stem\.weight has values that are not finite"):
        publish(broken, KEY, store.put)
    assert not store
