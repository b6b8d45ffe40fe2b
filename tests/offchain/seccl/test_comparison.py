"""Runs share what is equal, can be resumed, and show which defence holds."""

from dataclasses import replace

import pytest
import torch

from offchain.runs.spread import Spread
from offchain.seccl.attacks import Attack, AttackError, choose_attackers
from offchain.seccl.comparison import play_runs
from offchain.seccl.contest import Contest
from offchain.seccl.defences import Defence, DefenceError
from offchain.seccl.engine import LoopEngine
from offchain.seccl.networks import default_factory
from offchain.seccl.partition import partition
from offchain.seccl.privacy import UpdatePrivacy
from offchain.seccl.run import CENTRAL, Run
from offchain.seccl.training import Task, TrainingSettings
from tests.offchain.seccl.made_images import CLASSES, made_images

SETTINGS = TrainingSettings(batch=8, learning_rate=0.05)
TRAIN, TEST = made_images(200), made_images(80, seed=1)
BASE = Run(
    participants=5,
    winners=0.4,
    attack="flip+ballots",
    attackers=0.2,
    attack_round=3,
    rounds=6,
    settings=SETTINGS,
)


def play(folder, *runs, **given):
    return play_runs(runs, TRAIN, TEST, folder, make_engine=LoopEngine, **given)


class Counted(LoopEngine):
    """Counts the rounds trained by all engines of this class."""

    rounds = 0

    def train(self, start, round_, sets=None, progress=None):
        Counted.rounds += 1
        return super().train(start, round_, sets, progress)


@pytest.fixture
def counted():
    Counted.rounds = 0
    return Counted


def test_borda_keeps_one_flipper_of_five_out_and_the_mean_does_not(tmp_path):
    mean, elected, none = play(
        tmp_path, replace(BASE, defence="mean"), BASE, replace(BASE, attack="none")
    )
    assert mean.seats == pytest.approx(0.2)
    assert elected.seats == 0
    assert elected.accuracy[-1] > 0.9
    assert elected.accuracy[:3] == none.accuracy[:3]


def test_colluders_who_are_enough_take_the_election(tmp_path):
    (result,) = play(tmp_path, replace(BASE, attackers=0.6))
    assert result.seats == 1
    assert result.accuracy[-1] < 0.5


def test_a_free_rider_takes_seats_until_the_screen_finds_it(tmp_path):
    free = replace(BASE, attack="copy:0.2", attackers=0.4, attack_round=1, rounds=4)
    loose, screened = play(tmp_path, free, replace(free, defence="borda+screen"))
    assert loose.seats > 0
    assert screened.seats == 0
    assert (screened.caught, screened.accused) == (2 * 3, 0)


def test_a_backdoor_is_measured(tmp_path):
    hidden = replace(BASE, defence="mean", attack="backdoor+scaled:5", attackers=0.2)
    (result,) = play(tmp_path, hidden)
    assert result.backdoor[-1] > result.backdoor[2] + 0.3


def test_equal_rounds_are_played_once(tmp_path, counted):
    told = []
    runs = [
        replace(BASE, attack=attack, attackers=share)
        for attack in ("none", "flip", "flip+ballots")
        for share in (0.0, 0.2)
    ]
    play_runs(
        runs,
        TRAIN,
        TEST,
        tmp_path,
        make_engine=counted,
        progress=lambda done, total: told.append((done, total)),
    )
    # Three rounds serve all runs; three more serve four without an attack, and each of the others.
    assert counted.rounds == 3 + 3 * 3
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_branch_equals_the_run_played_alone(tmp_path):
    other = replace(BASE, attack="sign-flip")
    together = play(tmp_path / "together", other, BASE)
    alone = play(tmp_path / "alone", BASE)
    assert together[1] == alone[0]


def test_an_interrupted_grid_goes_on_where_it_stopped(tmp_path, counted):
    runs = [replace(BASE, seed=seed) for seed in (0, 1)]
    stopped = RuntimeError("the lights went out")

    def stop(done, total):
        raise stopped

    with pytest.raises(RuntimeError, match="lights"):
        play(tmp_path, *runs, progress=stop)
    results = play_runs(runs, TRAIN, TEST, tmp_path, make_engine=counted)
    assert counted.rounds == 6  # the second run's alone
    assert results == play(tmp_path / "afresh", *runs)


def test_rounds_that_runs_share_are_kept_too(tmp_path, counted):
    runs = [BASE, replace(BASE, attack="flip")]
    done = []

    def stop(*told):
        done.append(told)
        if len(done) == 2:  # the rounds that they share and the first run
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play_runs(runs, TRAIN, TEST, tmp_path, make_engine=counted, progress=stop)
    assert counted.rounds == 6
    play_runs(runs, TRAIN, TEST, tmp_path, make_engine=counted)
    assert counted.rounds == 6 + 3


def test_two_processes_give_the_same_bits_as_one(tmp_path):
    runs = [
        replace(BASE, defence=defence, attack=attack, attack_round=1, rounds=2)
        for defence in ("mean", "borda")
        for attack in ("flip", "sign-flip")
    ]
    runs.append(replace(BASE, defence=CENTRAL, attack="none", rounds=2))
    one, two = (play_runs(runs, TRAIN, TEST, tmp_path / str(n), spread=Spread(n)) for n in (1, 2))
    assert one == two


def test_results_of_other_data_or_settings_are_not_taken_for_ours(tmp_path, counted):
    play_runs([BASE], TRAIN, TEST, tmp_path, make_engine=counted)
    play_runs([BASE], TRAIN, TEST, tmp_path, make_engine=counted)
    assert counted.rounds == 6
    play_runs([BASE], TRAIN, made_images(40, seed=3), tmp_path, make_engine=counted)
    other = replace(BASE, settings=replace(SETTINGS, batch=16))
    play_runs([other], TRAIN, TEST, tmp_path, make_engine=counted)
    assert counted.rounds == 18


def test_the_baseline_trains_on_everything(tmp_path):
    (central,) = play(tmp_path, replace(BASE, defence=CENTRAL, attack="none"))
    assert len(central.accuracy) == 6
    assert central.accuracy[-1] > 0.9


def test_privacy_costs_accuracy(tmp_path):
    honest = replace(BASE, attack="none", defence="mean")
    noisy = replace(honest, privacy=UpdatePrivacy(clip=0.5, noise=5.0))
    plain, private = play(tmp_path, honest, noisy)
    assert private.accuracy[-1] < plain.accuracy[-1] - 0.1


def test_training_that_diverges_leaves_the_model_and_does_not_end_the_run(tmp_path):
    wild = replace(BASE, defence="mean", attack="scaled:1000", attackers=0.4, rounds=8)
    (result,) = play(tmp_path, wild)
    assert len(result.accuracy) == 8
    assert result.accuracy[-1] < 0.6


@pytest.mark.parametrize(
    ("change", "error", "why"),
    [
        ({"attack": "melt"}, AttackError, "'melt' is no trick"),
        ({"defence": "hope"}, DefenceError, "'hope' is no defence"),
        ({"attackers": 1.0}, AttackError, "below 1, not 1"),
        ({"winners": 1.0}, DefenceError, "elect 1 to 4, not 5"),
        ({"rounds": 0}, ValueError, "a round or more, not 0"),
    ],
)
def test_a_run_that_cannot_be_is_refused_before_any_is_played(
    tmp_path, counted, change, error, why
):
    runs = [BASE, replace(BASE, **change)]
    with pytest.raises(error, match=why):
        play_runs(runs, TRAIN, TEST, tmp_path, make_engine=counted)
    assert counted.rounds == 0


def test_attackers_post_after_those_whom_they_copy():
    task = Task(default_factory(CLASSES, TRAIN.shape), CLASSES, SETTINGS)
    attack, attackers = Attack.parse("copy"), choose_attackers(5, 0.4, 0)
    contest = Contest(task, partition(TRAIN, 5, "equal"), TEST, [attack], attackers, LoopEngine)
    defence = Defence.parse("borda+screen", 5, 2, 0)
    state = contest.begin()
    for _ in range(3):
        state = contest.play(state, defence, attack, attackers)
        assert {copy.author for copy in state.history[-1].copies} == set(attackers)
    assert torch.isfinite(state.model).all()
