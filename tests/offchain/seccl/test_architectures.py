"""Networks by name: who can be trained together is taken, who cannot is refused in one line."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch import nn

from offchain.models.canonical import DocumentError
from offchain.seccl.architectures import SMALL, factory_named
from offchain.seccl.audit import AuditError, FirstModel, audit
from offchain.seccl.batched import BatchedEngine
from offchain.seccl.description import Description
from offchain.seccl.engine import LoopEngine
from offchain.seccl.image_privacy import ImagePrivacy
from offchain.seccl.likeness import Likeness
from offchain.seccl.networks import SmallCnn
from offchain.seccl.parameters import Layout, ModelError, initial_model, model_digest
from tests.kit.wallets import recover
from tests.offchain.seccl.session_in_memory import Yard, description
from tests.offchain.seccl.small import small, tiny_task

HERE = "tests.offchain.seccl.test_architectures"
GREY = (1, 28, 28)


def linear(classes: int, shape: tuple[int, int, int]) -> nn.Module:
    """One layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], classes))


def normalised(classes: int, shape: tuple[int, int, int]) -> nn.Module:
    """With running statistics."""
    return nn.Sequential(nn.BatchNorm2d(shape[0]), linear(classes, shape))


def counting(classes: int, shape: tuple[int, int, int]) -> nn.Module:
    """With a buffer that training changes."""
    return nn.Sequential(nn.InstanceNorm2d(shape[0], track_running_stats=True),
                         linear(classes, shape))  # fmt: skip


def unseeded(classes: int, shape: tuple[int, int, int]) -> nn.Module:
    """Drawn from another generator than torch's own."""
    model = linear(classes, shape)
    with torch.no_grad():
        model[1].bias.copy_(torch.rand(classes, generator=torch.Generator().manual_seed(NEXT())))
    return model


class _Counter:
    at = 0

    def __call__(self) -> int:
        self.at += 1
        return self.at


NEXT = _Counter()


def narrow(classes: int, shape: tuple[int, int, int]) -> nn.Module:
    """For other images."""
    return linear(classes, (1, 2, 2))


def too_few(classes: int, shape: tuple[int, int, int]) -> nn.Module:
    """One class short."""
    return linear(classes - 1, shape)


def nothing(classes: int, shape: tuple[int, int, int]) -> None:
    """No network at all."""


def own(name: str) -> tuple[str, str]:
    return (f"{HERE}:{name}",) * 2


def test_networks_of_ones_own_are_trained_by_every_engine_and_sent_to_others() -> None:
    name, trusted = own("linear")
    factory = factory_named(name, 10, GREY, trusted)
    assert len(initial_model(pickle.loads(pickle.dumps(factory)), 0)) == 7_850
    task, start = tiny_task(factory=factory), initial_model(factory, 0)
    one, other = (make(task, *small()).train(start, 0) for make in (LoopEngine, BatchedEngine))
    assert (one - other).norm() < 1e-3 * one.norm()
    assert one.norm() > 0


def test_a_network_of_torchvisions_takes_grey_images() -> None:
    factory = factory_named("squeezenet1_1", 10, (1, 32, 32))
    model = factory()
    assert Layout.of(model).total == 727_626
    assert model(torch.rand(2, 1, 32, 32)).shape == (2, 10)
    assert isinstance(factory_named(SMALL, 10, GREY)(), SmallCnn)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("resnet", "'resnet' is no model: small, module:function, or one of torchvision's"),
        ("fcn_resnet50", "'fcn_resnet50' is no model"),
        ("resnet18", "resnet18: model.bn1 is BatchNorm2d, whose statistics no update carries"),
        (f"{HERE}:narrow", "narrow cannot tell 10 classes of images .1, 28, 28. apart: .*mat2"),
        ("no.such:thing", "no.such:thing cannot be imported: No module named 'no'"),
        (f"{HERE}:absent", "absent cannot be imported: module .* has no attribute 'absent'"),
        (f"{HERE}:HERE", "HERE is no function, but str"),
        (f"{HERE}:normalised", "normalised: 0 is BatchNorm2d"),
        (f"{HERE}:counting", "counting: training changes the buffer 0.running_mean, which no"),
        (f"{HERE}:unseeded", "unseeded has other weights each time"),
        (f"{HERE}:too_few", r"too_few makes \(2, 9\) of two images, not \(2, 10\)"),
        (f"{HERE}:nothing", "nothing makes no torch.nn.Module, but NoneType"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_together_is_refused_by_name(name: str, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        factory_named(name, 10, GREY, trusted=name)


def test_code_that_a_stranger_names_is_not_run() -> None:
    """A description is written by whoever opened the session."""
    with pytest.raises(ModelError, match="the model is antigravity:geohash, whose code runs once"):
        factory_named("antigravity:geohash", 10, GREY)
    with pytest.raises(ModelError, match="whose code runs once it is named as trusted"):
        factory_named(own("linear")[0], 10, GREY, trusted=f"{HERE}:too_few")


def test_an_auditor_makes_the_model_that_the_description_names() -> None:
    name, trusted = own("linear")
    factory = factory_named(name, 2, (1, 16, 16), trusted)
    first = initial_model(factory, 5)
    about = description(network=name, parameters=len(first),
                        model=model_digest(Layout.of(factory()), first))  # fmt: skip
    session = Yard.new(about=about).session
    assert torch.equal(FirstModel(session, trusted).flat, first)
    with pytest.raises(ModelError, match="named as trusted"):
        audit(session, Yard.new().store, recover)
    other = Yard.new(about=description(network=name)).session
    with pytest.raises(AuditError, match="the first model has 514 parameters"):
        FirstModel(other, trusted)


def test_a_description_says_all_that_was_agreed_on() -> None:
    about = description(screen=Likeness(0.9, 0.8), ballots="hidden", network="alexnet",
                        image_privacy=ImagePrivacy(1.5, 0.7))  # fmt: skip
    assert Description.from_bytes(about.to_bytes()) == about


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b'"ballots":"open"', b'"ballots":"secret"', "ballots are open, hidden, scores, not 'sec"),
        (b'"screen":[]', b'"screen":[0.9]', r"screen cannot be \[0.9\]: it is nothing, or two"),
        (b'"screen":[]', b'"screen":[0.9,1.5]', "overlap must be above 0, at most 1, not 1.5"),
        (b'"image_privacy":[]', b'"image_privacy":[1,true]', "it is nothing, or two numbers"),
        (b'"image_privacy":[]', b'"image_privacy":[0,1]', "clip must be above 0 and finite"),
        (b"session.v4", b"session.v3", "has the type souk.seccl.session.v4"),
        (b'"batch":32', b'"batch":0', "batch must be above 0"),
        (b'"task":"7a', b'"task":"', "task is 64 hex digits"),
    ],
)
def test_a_description_that_is_none_is_refused(old: bytes, new: bytes, why: str) -> None:
    data = description().to_bytes()
    assert old in data
    with pytest.raises(DocumentError, match=why):
        Description.from_bytes(data.replace(old, new))
