"""Models evaluated together are counted as each alone, or refused."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from offchain.seccl.engine import EngineError, LoopEngine
from offchain.seccl.parameters import initial_model
from tests.offchain.seccl.small import Tiny, WithDropout, small, tiny_task


class Dense(nn.Sequential):
    """Dense layers on the very pixels."""

    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(784, 32), nn.Tanh(), nn.Linear(32, 10))


class Residual(nn.Module):
    """Every kind of layer that has a stacked form, and a sum of two paths."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 8, 5, stride=2)
        self.norm = nn.GroupNorm(2, 8)
        self.grouped = nn.Conv2d(8, 8, 3, padding=1, groups=4, bias=False)
        self.pool = nn.Sequential(nn.AvgPool2d(2), nn.Dropout(0.3), nn.AdaptiveAvgPool2d(3))
        self.dense = nn.Linear(72, 10, bias=False)

    def forward(self, x):
        x = functional.max_pool2d(torch.relu(self.norm(self.first((x - 0.1) * 3))), 2)
        x = x + functional.silu(self.grouped(x))
        return self.dense(self.pool(x).flatten(1))


class Viewing(Tiny):
    def forward(self, x):
        return self.dense(torch.relu(self.conv(x)).view(len(x), -1))


class Sizing(Tiny):
    def forward(self, x):
        hidden = torch.relu(self.conv(x))
        return self.dense(hidden.flatten(1)) / hidden.shape[1]


class Normed(Tiny):
    def forward(self, x):
        return torch.log_softmax(super().forward(x), 1)


class Scaled(Tiny):
    """A parameter outside any layer: one number for each channel."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(8, 1, 1))

    def forward(self, x):
        return self.dense(torch.relu(self.conv(x).mul(self.scale)).flatten(1))


class Doubled(Tiny):
    def forward(self, x):
        hidden = torch.conv2d(x, 2 * self.conv.weight, self.conv.bias, stride=4)
        return self.dense(hidden.flatten(1))


class PartsFlat(Tiny):
    def forward(self, x):
        return self.dense(torch.relu(self.conv(x)).flatten(2).flatten(1))


class FirstNormed(Tiny):
    def __init__(self):
        super().__init__()
        self.norm = nn.GroupNorm(1, 1)

    def forward(self, x):
        return super().forward(self.norm(x))


@pytest.mark.parametrize("factory", [Tiny, WithDropout, Dense, Residual])
@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_together_or_alone_models_predict_the_same(factory, count):
    task, sets = tiny_task(factory=factory), small("dirichlet:1")
    start = initial_model(factory, 0)
    models = start + 0.1 * torch.randn(
        count, len(start), generator=torch.Generator().manual_seed(1)
    )
    told = []
    alone = LoopEngine(task, *sets).confusions(models)
    together = LoopEngine(task, *sets, channels_last=True, stacked=True).confusions(
        models, lambda *at: told.append(at)
    )
    assert together.shape == alone.shape
    # An image on the border between two classes may fall to either side: one of a thousand.
    assert int((together - alone).abs().sum()) // 2 <= int(alone.sum()) // 1000
    assert told[-1] == (count, count)
    if count > 1:
        assert not torch.equal(alone[:, 0], alone[:, 1])


@pytest.mark.parametrize(
    ("factory", "named"),
    [
        (Viewing, "view|len"),
        (Sizing, "__get__"),
        (Normed, "log_softmax"),
        (Scaled, "mul of a parameter"),
        (Doubled, "a parameter"),
        (PartsFlat, r"flatten\(2, -1\)"),
        (FirstNormed, "group normalisation"),
    ],
)
def test_a_model_without_a_stacked_form_is_refused_at_once(factory, named):
    task = tiny_task(factory=factory)
    LoopEngine(task, *small())
    with pytest.raises(EngineError, match=rf"cannot be stacked: no stacked form of.*({named})"):
        LoopEngine(task, *small(), stacked=True)
