"""The screen finds copies, however thinly disguised, and lets honest training pass."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from offchain.seccl.attacks import blurred
from offchain.seccl.engine import LoopEngine
from offchain.seccl.networks import default_factory
from offchain.seccl.parameters import initial_model
from offchain.seccl.partition import partition
from offchain.seccl.similarity import Likeness, copies, likeness
from offchain.seccl.training import Samples, Task, TrainingSettings
from offchain.seccl.updates import SparseUpdate, largest_changes, mean_update
from tests.offchain.seccl_made_images import CLASSES, made_images

PEOPLE = 6


@pytest.fixture(scope="module")
def rounds():
    """Two honest rounds: the updates of each, and by how much the first moved the model."""
    factory = default_factory(CLASSES, (1, 16, 16))
    task = Task(factory, CLASSES, TrainingSettings(batch=8, learning_rate=0.05))
    parts = partition(made_images(360), PEOPLE, "equal")
    engine = LoopEngine(task, [Samples.of(p.training, i) for i, p in enumerate(parts)], [])
    model = initial_model(factory, 0)
    first = largest_changes(engine.train(model, 0), 0.1)
    change = mean_update(first[:2])
    second = largest_changes(engine.train(model + change, 1), 0.1)
    return first, change, second


def found(updates, *earlier, order=None, **given):
    return [
        (copy.author, copy.of, copy.earlier)
        for copy in copies(updates, order or list(range(len(updates))), *earlier, **given)
    ]


def test_honest_training_on_equal_splits_is_not_taken_for_copying(rounds):
    first, change, second = rounds
    assert found(first) == []
    assert found(second, first, change) == []


def test_of_two_alike_the_later_post_is_the_copy(rounds):
    updates = [*rounds[0][:5], rounds[0][2]]
    assert found(updates) == [(5, 2, False)]
    assert found(updates, order=[5, 4, 3, 2, 1, 0]) == [(2, 5, False)]


@pytest.mark.parametrize("noise", [0.1, 1.0, 3.0])
def test_noise_on_the_values_of_a_copy_does_not_hide_it(rounds, noise):
    updates = list(rounds[0])
    updates[5] = blurred(updates[2], noise, np.random.default_rng(0))
    assert found(updates) == [(5, 2, False)]


@pytest.mark.parametrize("dropped", [0.1, 0.3])
def test_leaving_out_the_smallest_part_of_a_copy_does_not_hide_it(rounds, dropped):
    updates = list(rounds[0])
    victim = updates[2]
    kept = victim.values.abs().argsort(descending=True)[: round((1 - dropped) * len(victim))]
    kept = kept.sort().values
    updates[5] = SparseUpdate(victim.indices[kept], victim.values[kept], victim.total)
    assert found(updates) == [(5, 2, False)]


def test_a_copy_of_the_last_round_or_of_the_models_change_is_found(rounds):
    first, change, second = rounds
    updates = list(second)
    updates[4] = first[1]
    updates[5] = blurred(largest_changes(change[None], 0.1)[0], 0.5, np.random.default_rng(0))
    assert found(updates, first, change) == [(4, 1, True), (5, None, True)]


def test_a_participant_may_be_like_itself_a_round_ago(rounds):
    assert found(rounds[0], rounds[0]) == []


def test_a_copy_of_a_copy_does_not_accuse_the_first_author(rounds):
    updates = [rounds[0][0]] * 4
    assert found(updates, order=[3, 1, 0, 2]) == [(1, 3, False), (0, 3, False), (2, 3, False)]


def test_likeness_by_hand():
    one = SparseUpdate(torch.tensor([0, 1], dtype=torch.int32), torch.tensor([3.0, 4.0]), 10)
    other = SparseUpdate(torch.tensor([1, 2], dtype=torch.int32), torch.tensor([1.0, 0.0]), 10)
    cosine, overlap = likeness([one], [one, other])
    torch.testing.assert_close(cosine, torch.tensor([[1.0, 0.8]]))
    # Of two parameters each, 0.4 are common by chance: (2 - 0.4) / 1.6 and (1 - 0.4) / 1.6.
    torch.testing.assert_close(overlap, torch.tensor([[1.0, 0.375]]))


def test_naming_all_parameters_is_no_sign_of_copying():
    draw = torch.Generator().manual_seed(0)
    updates = largest_changes(torch.randn(3, 40, generator=draw), 1.0)
    assert found(updates) == []
    assert found([*updates, replace(updates[0], values=updates[0].values * 2)]) == [(3, 0, False)]


def test_bounds_and_orders_out_of_range_are_refused(rounds):
    with pytest.raises(ValueError, match="cosine must be above 0, at most 1"):
        Likeness(cosine=1.5)
    with pytest.raises(ValueError, match=r"must name 0\.\.5 once"):
        copies(rounds[0], [0, 1, 2, 3, 4, 4])
