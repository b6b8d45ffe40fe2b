"""Networks by name: ours, torchvision's, and those of anybody's own module."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from offchain.seccl.networks import ModelFactory, default_factory
from offchain.seccl.parameters import Buffers, Layout, ModelError, initial_model

SMALL = "small"
"""The name of `SmallCnn`."""

Shape = tuple[int, int, int]


def factory_named(
    name: str, classes: int, shape: Shape, trusted: str | None = None
) -> ModelFactory:
    """The factory of the network called `name` for images of `shape` (C, H, W).

    name: SMALL, one of torchvision's classifiers, such as squeezenet1_1, or module:function, which
    is called with (classes, shape) and gives a `torch.nn.Module` whose weights are drawn from
    torch's default generator. trusted: the one module:function that may be imported, which runs the
    module's code; names come from strangers too. Raises ModelError, one line, when there is none,
    it is not trusted, does not take such images, or cannot be trained together.
    """
    import torchvision  # type: ignore[import-untyped, unused-ignore]

    factory: ModelFactory
    if name == SMALL:
        factory = default_factory(classes, shape)
    elif ":" not in name:
        if name not in torchvision.models.list_models(module=torchvision.models):
            raise ModelError(
                f"{name!r} is no model: {SMALL}, module:function, or one of torchvision's "
                "classifiers, such as squeezenet1_1"
            )
        factory = partial(_torchvisions, name, classes, shape)
    elif name == trusted:
        factory = partial(_imported(name), classes, shape)
    else:
        raise ModelError(f"the model is {name}, whose code runs once it is named as trusted")
    _check(name, factory, classes, shape)
    return factory


class Grey(nn.Module):
    """A network for images of three channels that takes those of one."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What the network makes of the channel three times."""
        logits: torch.Tensor = self.model(x.expand(-1, 3, -1, -1))
        return logits


def _torchvisions(name: str, classes: int, shape: Shape) -> nn.Module:
    import torchvision  # type: ignore[import-untyped, unused-ignore]

    model: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=classes)
    return Grey(model) if shape[0] == 1 else model


def _imported(name: str) -> Callable[[int, Shape], nn.Module]:
    module, _, function = name.partition(":")
    try:
        found: Callable[[int, Shape], nn.Module] = getattr(
            importlib.import_module(module), function
        )
    # What a module raises when it is imported is its own affair.
    except Exception as error:
        raise ModelError(f"{name} cannot be imported: {error}") from error
    if not callable(found):
        raise ModelError(f"{name} is no function, but {type(found).__name__}")
    return found


def _check(name: str, factory: ModelFactory, classes: int, shape: Shape) -> None:
    """Try it on two made images, as training will use it."""
    with torch.random.fork_rng(devices=[]):
        try:
            model = factory()
            if not isinstance(model, nn.Module):
                raise ModelError(f"{name} makes no torch.nn.Module, but {type(model).__name__}")
            Layout.of(model)
            buffers = Buffers(model)
            logits = model.train()(torch.rand(2, *shape))
            buffers.check(model)
            again = torch.equal(initial_model(factory, 0), initial_model(factory, 0))
        except ModelError as error:
            raise ModelError(f"{name}: {error}") from error
        # What a network raises on images or classes that it cannot take is its own affair.
        except Exception as error:
            raise ModelError(
                f"{name} cannot tell {classes} classes of images {shape} apart: {error}"
            ) from error
    if not isinstance(logits, torch.Tensor) or tuple(logits.shape) != (2, classes):
        made = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise ModelError(f"{name} makes {made} of two images, not (2, {classes})")
    if not again:
        raise ModelError(
            f"{name} has other weights each time: they must be drawn from torch's generator"
        )
