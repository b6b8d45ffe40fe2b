"""Rounds without a chain: the model learns, by the winners' updates and by nothing else."""

import pytest
import torch

from offchain.seccl.engine import LoopEngine
from offchain.seccl.federation import Federation, central_baseline
from offchain.seccl.parameters import initial_model
from offchain.seccl.training import LocalData
from offchain.seccl.updates import UpdateError, mean_update
from tests.offchain.seccl.small import Tiny, small, tiny_task


def borda(scores, winners=2):
    """The paper's vote: the top M of each ballot score M..1, nobody votes for itself."""
    others = scores.clone().fill_diagonal_(-1)
    order = others.argsort(dim=1, descending=True, stable=True)[:, :winners]
    points = torch.zeros(scores.shape[1], dtype=torch.int64)
    for ballot in order:
        points[ballot] += torch.arange(winners, 0, -1)
    return points.argsort(descending=True, stable=True)[:winners].tolist()


def joined(parts):
    images, labels = ([getattr(p, name) for p in parts] for name in ("images", "labels"))
    return LocalData(0, torch.cat(images), torch.cat(labels))


def federation(consensus=borda):
    training, validation = small()
    task = tiny_task()
    engine = LoopEngine(task, training, validation)
    return Federation(task, engine, joined(validation), consensus, initial_model(Tiny, 0))


def test_the_model_learns_and_says_who_was_selected():
    told, fed = [], federation()
    history = fed.run(6, lambda *at: told.append(at))
    assert history[-1].accuracy > 0.8 > history[0].accuracy
    assert [record.number for record in history] == list(range(6))
    assert all(len(set(record.winners)) == 2 for record in history)
    assert all(record.scores.min() >= 0 and record.scores.max() <= 1 for record in history)
    assert told[-1] == (6, 6)


def test_the_winners_and_nobody_else_move_the_model():
    fed = federation(lambda scores: [3, 1])
    before, updates = fed.model, fed.propose()
    record = fed.finish(updates)
    assert record.winners == (3, 1)
    assert torch.equal(fed.model, before + mean_update([updates[3], updates[1]]))


def test_a_run_is_the_same_each_time_and_in_pieces():
    once, pieces = federation(), federation()
    once.run(3)
    for _ in range(3):
        pieces.finish(pieces.propose())
    assert torch.equal(once.model, pieces.model)
    assert [r.accuracy for r in once.history] == [r.accuracy for r in pieces.history]


def test_a_participant_that_learned_wrong_labels_scores_lowest():
    training, validation = small()
    own = training[2]
    poisoned = [*training, LocalData(own.owner, own.images, (own.labels + 1) % 10)]
    engine = LoopEngine(tiny_task(), poisoned, validation)
    fed = Federation(tiny_task(), engine, joined(validation), borda, initial_model(Tiny, 0))
    for _ in range(4):
        record = fed.finish(fed.propose([0, 1, 4, 3]))
    assert 2 not in record.winners
    assert int(record.scores.mean(0).argmin()) == 2


def test_a_message_is_about_a_tenth_of_the_model():
    fed = federation()
    record = fed.finish(fed.propose())
    numbers = round(0.1 * len(fed.model))
    assert all(8 * numbers < size < 8 * numbers + 500 for size in record.sent)


@pytest.mark.parametrize("winners", [[], [1, 1]])
def test_a_consensus_that_names_no_winners_or_one_twice_changes_nothing(winners):
    fed = federation(lambda scores: winners)
    before = fed.model.clone()
    with pytest.raises(ValueError, match="distinct winners"):
        fed.finish(fed.propose())
    assert torch.equal(fed.model, before)
    assert fed.history == []


def test_training_that_diverges_is_said():
    training, validation = small()
    start = initial_model(Tiny, 0) * 1e30
    engine = LoopEngine(tiny_task(), training, validation)
    fed = Federation(tiny_task(), engine, joined(validation), borda, start)
    with pytest.raises(UpdateError, match="diverged"):
        fed.propose()


def test_all_data_in_one_place_learns_faster():
    training, validation = small()
    fed = federation()
    fed.run(1)
    curve = central_baseline(
        tiny_task(), joined(training), joined(validation), 3, initial_model(Tiny, 0)
    )
    assert len(curve) == 3
    assert curve[0] > fed.history[0].accuracy
