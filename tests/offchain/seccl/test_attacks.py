"""Each attack does what its name says, to the attackers' messages and to nobody else's."""

from itertools import pairwise

import pytest
import torch

from offchain.seccl.attacks import (
    TARGET_CLASS,
    TRIGGER_SIDE,
    Attack,
    AttackError,
    Scene,
    choose_attackers,
    stamped,
)
from offchain.seccl.training import LocalData
from offchain.seccl.updates import SparseUpdate, largest_changes
from tests.offchain.seccl.made_images import CLASSES, made_images

TOTAL, SHARE, ATTACKERS = 400, 0.1, (3, 1)


def updates(seed, count=5):
    changes = torch.randn(count, TOTAL, generator=torch.Generator().manual_seed(seed))
    return tuple(largest_changes(changes, SHARE))


def scene(**given):
    last = torch.randn(TOTAL, generator=torch.Generator().manual_seed(9))
    said = {
        "number": 5,
        "seed": 0,
        "attackers": ATTACKERS,
        "updates": updates(1),
        "share": SHARE,
        "previous": updates(2),
        "winners": (1, 2),
        "last_change": last,
    }
    return Scene(**{**said, **given})


def same(one: SparseUpdate, other: SparseUpdate):
    return torch.equal(one.indices, other.indices) and torch.equal(one.values, other.values)


def submitted(text, **given):
    return Attack.parse(text).submitted(scene(**given))


@pytest.mark.parametrize(
    "text", ["none", "flip", "ballots", "sign-flip", "scaled:3", "copy", "copy-previous", "noise"]
)
def test_the_honest_are_left_alone(text):
    assert all(
        same(one, other)
        for i, (one, other) in enumerate(zip(submitted(text), updates(1), strict=True))
        if i not in ATTACKERS
    )


def test_sign_flip_and_scaled_multiply_the_change():
    before = updates(1)
    for text, factor in (("sign-flip", -1), ("scaled:3", 3), ("sign-flip:2+scaled:4", -8)):
        after = submitted(text)
        for who in ATTACKERS:
            assert torch.equal(after[who].indices, before[who].indices)
            torch.testing.assert_close(after[who].values, factor * before[who].values)


def test_a_copy_is_an_honest_ones_update_of_this_round():
    for who in ATTACKERS:
        copied = submitted("copy")[who]
        assert any(same(copied, updates(1)[victim]) for victim in (0, 2, 4))


def test_a_copy_of_the_previous_round_is_a_winners_never_the_own():
    after = submitted("copy-previous")
    assert same(after[1], updates(2)[2])  # 1 won too, but does not copy itself
    assert any(same(after[3], updates(2)[winner]) for winner in (1, 2))


@pytest.mark.parametrize("winners", [(1,), ()], ids=["it won alone", "nobody won"])
def test_without_another_winner_another_participant_of_that_round_is_copied(winners):
    copied = submitted("copy-previous", winners=winners)[1]
    assert any(same(copied, updates(2)[other]) for other in (0, 2, 3, 4))


def test_noise_follows_the_last_change_of_the_model():
    base = largest_changes(scene().last_change[None], SHARE)[0]
    exact, noisy = submitted("noise:0")[3], submitted("noise:0.5")[3]
    assert same(exact, base)
    assert torch.equal(noisy.indices, base.indices)
    assert float((noisy.values - base.values).norm() / base.values.norm()) == pytest.approx(
        0.5, rel=0.4
    )


def test_without_a_round_before_there_is_nothing_to_copy():
    for text, given in (
        ("copy-previous", {"winners": (), "previous": ()}),
        ("noise", {"last_change": None}),
        ("copy", {"attackers": (0, 1, 2, 3, 4)}),
    ):
        with pytest.raises(AttackError, match="needs"):
            submitted(text, **given)


def test_a_label_flip_mirrors_the_classes_and_leaves_the_images():
    samples = LocalData.of(made_images(40), 3)
    poisoned = Attack.parse("flip").poisoned(samples, CLASSES, 0)
    assert torch.equal(poisoned.labels, CLASSES - 1 - samples.labels)
    assert torch.equal(poisoned.images, samples.images)
    assert poisoned.owner == samples.owner


def test_a_backdoor_stamps_its_share_and_calls_it_the_target():
    samples = LocalData.of(made_images(40), 3)
    before = samples.images.clone()
    poisoned = Attack.parse("backdoor:0.25").poisoned(samples, CLASSES, 0)
    changed = (poisoned.images != before).flatten(1).any(dim=1)
    assert int(changed.sum()) == 10
    assert bool((poisoned.labels[changed] == TARGET_CLASS).all())
    assert torch.equal(poisoned.labels[~changed], samples.labels[~changed])
    corner = poisoned.images[changed][..., -TRIGGER_SIDE:, -TRIGGER_SIDE:]
    assert bool((corner == 255).all())
    assert torch.equal(samples.images, before)  # the owner's true images stay
    assert torch.equal(stamped(before)[changed], poisoned.images[changed])


def test_colluders_rank_each_other_first_and_the_best_others_last():
    scores = torch.tensor(
        [[0.9, 0.8, 0.7, 0.1, 0.2]] * 5, dtype=torch.float64
    )  # the true evaluations, alike for all voters
    cast = Attack.parse("flip+ballots").ballots(scores, ATTACKERS)
    for voter in range(5):
        if voter in ATTACKERS:
            ranking = cast[voter].argsort(descending=True).tolist()
            assert ranking == [3, 1, 4, 2, 0]
        else:
            assert torch.equal(cast[voter], scores[voter])
    assert 0 <= float(cast.min()) <= float(cast.max()) <= 1
    assert torch.equal(Attack.parse("flip").ballots(scores, ATTACKERS), scores)


def test_attackers_of_a_small_share_are_among_those_of_a_larger_one():
    chosen = [choose_attackers(20, share, 7) for share in (0.0, 0.1, 0.25, 0.4)]
    assert [len(part) for part in chosen] == [0, 2, 5, 8]
    for smaller, larger in pairwise(chosen):
        assert larger[: len(smaller)] == smaller
    assert choose_attackers(20, 0.4, 8) != chosen[-1]
    with pytest.raises(AttackError, match="below 1, not 1"):
        choose_attackers(20, 1, 0)


@pytest.mark.parametrize(
    "text", ["none", "flip+ballots", "backdoor:0.2+scaled:3+ballots", "copy:0.1", "noise", "scaled"]
)
def test_an_attack_is_read_as_it_is_written(text):
    assert str(Attack.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("melt", "'melt' is no trick of an attack: one of flip, "),
        ("flip:2", "flip takes no level: 'flip:2'"),
        ("scaled:x", "the level in 'scaled:x' is not a number"),
        ("noise:nan", "noise .* must be 0 to 10, not nan"),
        ("scaled:0", "must be 0.001 to 1000, not 0"),
        ("flip+flip", "names a trick twice"),
        ("flip+backdoor", "one kind of poisoned images"),
    ],
)
def test_what_is_no_attack_is_refused_by_name(text, why):
    with pytest.raises(AttackError, match=why):
        Attack.parse(text)
