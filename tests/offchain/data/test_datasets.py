"""Datasets are read by name, from files of the true layout."""

import functools
import gzip
import hashlib
import pickle
import struct
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch
from torchvision import datasets as tv

from offchain.data import datasets
from offchain.data.datasets import DataError, load_dataset
from offchain.data.imagefolder import evenly_spaced


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def random_pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(256, size=shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


# Out of the box


def test_the_digits_are_five_thousand_500_of_each_28_by_28_grey(digits):
    assert digits.shape == (1, 28, 28)
    assert torch.bincount(digits.labels).tolist() == [500] * 10
    assert digits.classes == tuple("0123456789")
    assert digits.images.max() == 255
    assert digits.images.min() == 0


def test_the_digits_are_the_same_on_every_machine(digits):
    known = "e9590a9421a1b0b2de728ff748e096fd16cbba8c3bbb0beeb65c8df4d524f39a"
    assert digits.digest() == known


def test_a_limit_takes_from_all_classes_of_a_sorted_set_and_size_resizes(digits):
    few = load_dataset("digits", limit=40, size=14)
    assert torch.bincount(few.labels).tolist() == [4] * 10
    assert few.shape == (1, 14, 14)
    # Halving with anti-aliasing keeps the mean brightness.
    mean = digits.subset(evenly_spaced(5000, 40)).images.float().mean()
    assert few.images.float().mean() == pytest.approx(float(mean), rel=0.02)


@pytest.mark.parametrize(("available", "wanted"), [(10, 3), (10, 10), (10, 99), (7, 5), (1, 1)])
def test_evenly_spaced_picks_are_distinct_and_equally_far_apart(available, wanted):
    picks = evenly_spaced(available, wanted)
    assert len(picks) == min(available, wanted)
    assert picks[0] == 0
    assert picks[-1] < available
    gaps = np.diff(picks)
    assert len(gaps) == 0 or (gaps.min() >= 1 and gaps.max() - gaps.min() <= 1)


# torchvision's sets, from tiny files of the true layout


def write_idx(path: Path, array: np.ndarray) -> None:
    header = struct.pack(f">I{array.ndim}I", 0x0800 + array.ndim, *array.shape)
    path.write_bytes(header + array.tobytes())


def make_mnist(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    folder.mkdir(parents=True)
    truth = {}
    for split, prefix, count in (("train", "train", 6), ("test", "t10k", 4)):
        images, labels = random_pixels(count, 28, 28), np.arange(count, dtype=np.uint8)
        write_idx(folder / f"{prefix}-images-idx3-ubyte", images)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte", labels)
        truth[split] = images[:, None], labels
    return truth


@pytest.mark.parametrize(
    ("spec", "folder", "third"),
    [("mnist", "MNIST", "2 - two"), ("fashion-mnist", "FashionMNIST", "Pullover")],
)
def test_mnist_and_fashion_mnist_are_read_from_idx_files(tmp_path, spec, folder, third):
    truth = make_mnist(tmp_path / folder / "raw")
    for split, (images, labels) in truth.items():
        loaded = load_dataset(spec, root=tmp_path, split=split)
        assert np.array_equal(loaded.images.numpy(), images)
        assert loaded.labels.tolist() == labels.tolist()
        assert loaded.classes[2] == third
        assert loaded.name == f"{spec}/{split}"


def write_pickle(path: Path, value: dict[str, object]) -> list[str]:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pickle.dumps(value))
    return [path.name, md5(path)]


def test_cifar10_is_read_from_its_batches(tmp_path, monkeypatch):
    folder = tmp_path / "cifar-10-batches-py"
    pixels = random_pixels(3, 2, 3072)  # three batches of two images
    train = [
        write_pickle(folder / f"data_batch_{i + 1}", {"data": pixels[i], "labels": [i, 9 - i]})
        for i in range(3)
    ]
    test = write_pickle(folder / "test_batch", {"data": pixels[0][:1], "labels": [5]})
    names = [f"thing {c}" for c in range(10)]
    meta = write_pickle(folder / "batches.meta", {"label_names": names})
    monkeypatch.setattr(tv.CIFAR10, "train_list", train)
    monkeypatch.setattr(tv.CIFAR10, "test_list", [test])
    monkeypatch.setattr(tv.CIFAR10, "meta", tv.CIFAR10.meta | {"md5": meta[1]})

    loaded = load_dataset("cifar10", root=tmp_path)
    assert np.array_equal(loaded.images.numpy(), pixels.reshape(6, 3, 32, 32))
    assert loaded.images.is_contiguous()
    assert loaded.labels.tolist() == [0, 9, 1, 8, 2, 7]
    assert loaded.classes == tuple(names)
    assert load_dataset("cifar10", root=tmp_path, split="test").labels.tolist() == [5]

    with (folder / "data_batch_2").open("ab") as batch:
        batch.write(b"tampered")  # a pickle, so it must not be opened
    with pytest.raises(DataError, match=r"cifar10 cannot be read from .*corrupted"):
        load_dataset("cifar10", root=tmp_path)


def test_cifar100_is_read_with_its_fine_labels(tmp_path, monkeypatch):
    folder = tmp_path / "cifar-100-python"
    pixels = random_pixels(2, 3072)
    batch = {"data": pixels, "fine_labels": [42, 99], "coarse_labels": [1, 2]}
    train = write_pickle(folder / "train", batch)
    test = write_pickle(folder / "test", batch)
    names = [f"thing {c}" for c in range(100)]
    meta = write_pickle(folder / "meta", {"fine_label_names": names})
    monkeypatch.setattr(tv.CIFAR100, "train_list", [train])
    monkeypatch.setattr(tv.CIFAR100, "test_list", [test])
    monkeypatch.setattr(tv.CIFAR100, "meta", tv.CIFAR100.meta | {"md5": meta[1]})
    loaded = load_dataset("cifar100", root=tmp_path)
    assert np.array_equal(loaded.images.numpy(), pixels.reshape(2, 3, 32, 32))
    assert loaded.labels.tolist() == [42, 99]
    assert len(loaded.classes) == 100


@pytest.mark.parametrize("split", ["train", "test", "extra"])
def test_svhn_is_read_from_mat_files_with_ten_meaning_zero(tmp_path, monkeypatch, split):
    pixels = random_pixels(32, 32, 3, 4)
    path = tmp_path / f"{split}_32x32.mat"
    scipy.io.savemat(path, {"X": pixels, "y": np.array([[1], [10], [9], [10]], dtype=np.uint8)})
    monkeypatch.setitem(tv.SVHN.split_list, split, ["no address", path.name, md5(path)])
    loaded = load_dataset("svhn", root=tmp_path, split=split)
    assert np.array_equal(loaded.images.numpy(), pixels.transpose(3, 2, 0, 1))
    assert loaded.labels.tolist() == [1, 0, 9, 0]
    assert loaded.classes == tuple("0123456789")


@pytest.fixture
def web(tmp_path, monkeypatch):
    """The address of a web server on this machine whose files lie in tmp_path/server."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    files = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path / "server")
    with ThreadingHTTPServer(("127.0.0.1", 0), files) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_download_goes_through_torchvision_and_is_checked(tmp_path, monkeypatch, web):
    truth = make_mnist(tmp_path / "server")
    resources = []
    for file in sorted((tmp_path / "server").iterdir()):
        packed = file.with_suffix(".gz")
        packed.write_bytes(gzip.compress(file.read_bytes()))
        resources.append((packed.name, md5(packed)))
    monkeypatch.setattr(tv.MNIST, "mirrors", [web])
    monkeypatch.setattr(tv.MNIST, "resources", resources)
    loaded = load_dataset("mnist", root=tmp_path / "here", split="test", download=True)
    assert np.array_equal(loaded.images.numpy(), truth["test"][0])

    wrong = [(name, "0" * 32) for name, _ in resources]
    monkeypatch.setattr(tv.MNIST, "resources", wrong)
    with pytest.raises(DataError, match="mnist could not be downloaded to") as error:
        load_dataset("mnist", root=tmp_path / "elsewhere", download=True)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("spec", [name for name in datasets.DATASETS if name != "digits"])
def test_missing_files_give_one_line_that_says_where_they_belong(tmp_path, spec):
    with pytest.raises(
        DataError, match=f"{spec} cannot be read from {tmp_path}.*download"
    ) as error:
        load_dataset(spec, root=tmp_path)
    assert "\n" not in str(error.value)


def test_a_truncated_file_is_named_by_its_folder(tmp_path):
    make_mnist(tmp_path / "MNIST" / "raw")
    path = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"mnist cannot be read from .*raw"):
        load_dataset("mnist", root=tmp_path)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"spec": "mnist-c"}, "'mnist-c' is no directory and none of digits, mnist, "),
        ({"spec": "digits", "split": "test"}, "digits has the splits train, not 'test'"),
        ({"spec": "mnist", "split": "extra"}, "mnist has the splits train, test, not 'extra'"),
        ({"spec": "digits", "size": 0}, "1 to 4096 pixels, not 0"),
        ({"spec": "digits", "size": 4097}, "1 to 4096 pixels, not 4097"),
        ({"spec": "digits", "limit": 0}, "1 sample or more, not 0"),
    ],
)
def test_requests_out_of_bounds_are_refused_by_value_and_bound(request_, message):
    with pytest.raises(DataError, match=message):
        load_dataset(**request_)
