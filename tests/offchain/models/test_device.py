"""The device asked for is the device used, or a clear refusal."""

import pytest
import torch

from offchain.models.device import DeviceError, pick_device


def test_auto_takes_the_card_if_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device() == pick_device("auto") == torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device() == pick_device("auto") == torch.device("cpu")


def test_what_is_asked_for_by_name_is_not_replaced(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("cpu") == torch.device("cpu")
    with pytest.raises(DeviceError, match="cuda was asked for, this machine has 0"):
        pick_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(DeviceError, match="cuda:2 was asked for, this machine has 2"):
        pick_device("cuda:2")


@pytest.mark.parametrize("name", ["", "gpu", "cpu:1", "cuda:", "cuda:x", "CUDA", "cuda:-1"])
def test_an_unknown_name_is_refused_with_the_known_ones(name):
    with pytest.raises(DeviceError, match="auto, cpu, cuda"):
        pick_device(name)
