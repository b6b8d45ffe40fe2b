"""Trials behind the figures: nothing is measured twice, nothing out of reach is hidden."""

from dataclasses import replace

import pytest
import torch

from offchain.hide.countermeasures import Regained
from offchain.hide.errors import HideError
from offchain.hide.judging import with_test_set
from offchain.hide.making import VERSION, Plan
from offchain.hide.mask_choices import stronger_settings
from offchain.hide.masks import MaskSettings, generate, with_room
from offchain.hide.networks import factory
from offchain.hide.questions import Achieved, Guessed, Resisted, Trials
from offchain.hide.training import TrainingSettings, train
from offchain.hide.trial import Trial
from offchain.hide.trial_figures import figure_4, figure_5
from offchain.hide.trial_results import Resistance
from offchain.hide.trial_sheets import (
    inference_sheet,
    levels_sheet,
    paper_sheet,
    resistance_sheet,
    settings_sheet,
    unreachable_sheet,
    worth_sheet,
)
from offchain.runs.finished import Finished
from offchain.runs.spread import Spread
from tests.offchain.hide.fakes import forbid, install
from tests.offchain.hide.small import digits, made_up

LEVELS = (0.3, 0.5, 0.9)
"""Of which the last is above what clean data reaches."""

PLAN = Plan(
    LEVELS,
    0.03,
    MaskSettings(steps=1),
    TrainingSettings(epochs=1),
    network="small-resnet",
    held_out="plain",
)


@pytest.fixture
def split():
    data = made_up(120)
    return with_test_set(data, data)


@pytest.fixture
def trained(monkeypatch, split):
    return install(monkeypatch, split.data)


def cells(sheet, first):
    return next(row.cells for row in sheet.rows if row.cells[0] == first)


def test_levels_in_reach_are_achieved_and_the_others_say_why(split, trained, tmp_path):
    result = Trial(split, PLAN, Finished(tmp_path, 1)).result()
    low, middle, high = result.levels
    assert result.other == "small-resnet"
    for one in (low, middle):
        assert abs(one.elsewhere - one.wanted) <= 0.03
        assert abs(one.reached - one.wanted) <= 0.03
        assert abs(one.achieved - one.wanted) <= 0.03
        assert one.why == ""
    assert 0 < low.free < middle.free < 120
    assert low.mse > middle.mse > 0
    assert low.ssim < middle.ssim < 1
    assert high.achieved is None
    assert "above the 0.600 that clean data reaches" in high.why
    assert result.points[0] == (1.0, result.masked)
    assert result.points[-1] == (0.0, result.clean)


def test_what_is_out_of_reach_stands_in_every_table_and_plot(split, trained, tmp_path):
    result = Trial(split, PLAN, Finished(tmp_path, 1)).result()
    sheet = unreachable_sheet([result])
    assert sheet.rows[0].cells[:2] == ("90.0 %", "0")
    assert "above the 0.600" in sheet.rows[0].cells[2]
    assert cells(levels_sheet([result]), "90.0 %")[1:4] == ("0 of 1", "-", "-")
    assert cells(paper_sheet([result], 10, 0.03), "levels out of reach")[2] == "90.0 %"
    for axes in figure_5([result], "made up").axes:
        assert [text.get_text() for text in axes.texts] == ["out of reach"]
    assert figure_4([result], "made up").axes[0].get_title(loc="left") == "Figure 4: made up"


def test_a_level_in_a_gap_is_reported_too(split, trained, tmp_path):
    trained.jump_at = 0.5
    with pytest.raises(HideError, match=r"no level can be reached: 0\.3: the accuracy jumps from"):
        Trial(split, replace(PLAN, levels=(0.3,)), Finished(tmp_path, 1)).result()


QUESTIONS = (
    Achieved(PLAN),
    Resisted(PLAN),
    Resisted(PLAN, 1),
    Resisted(PLAN, setting=stronger_settings(PLAN)[0]),
    Guessed(PLAN, 1),
    Guessed(PLAN, 1, with_level=2),
)


def test_finished_runs_are_read_and_a_stopped_family_goes_on(split, trained, tmp_path, monkeypatch):
    first = Trials(split, tmp_path).ask(QUESTIONS, "all")
    taken = trained.count
    forbid(monkeypatch)
    assert Trials(split, tmp_path).ask(QUESTIONS, "all") == first
    # Of a family that is asked for otherwise, the accuracies measured on the way.
    assert Trial(split, PLAN, Finished(tmp_path, VERSION)).result() == first[0]
    assert taken > 30


def test_two_processes_give_the_same_bits_as_one(split, tmp_path):
    plan = replace(PLAN, levels=(0.5,), tolerance=0.49)
    questions = [Achieved(plan), Resisted(plan)]
    one, two = (
        Trials(split, tmp_path / str(n), spread=Spread(n)).ask(questions, "all") for n in (1, 2)
    )
    assert one == two


def test_another_seed_data_set_or_setting_is_another_run(split, trained, tmp_path):
    def asked(plan=PLAN, of=split):
        before = trained.count
        Trials(of, tmp_path).ask([Achieved(plan)], "family")
        return trained.count - before

    assert asked() > 0
    assert asked() == 0
    assert asked(replace(PLAN, seed=1)) > 0
    assert asked(of=with_test_set(split.data, made_up(30, seed=5))) > 0


def test_a_level_is_worth_what_it_gives_above_the_best_free_counter_measure(
    split, trained, tmp_path
):
    result = Trial(split, PLAN, Finished(tmp_path, 1)).result()
    rows = (Regained("none", 0.1), Regained("JPEG", 0.35), Regained("grey-scale", 0.2))
    published = Resistance(0, "as in the paper", 0, rows, 1e-3, 0.97)
    bought = replace(published, level=1, rows=(*rows[:1], Regained("JPEG", 0.1), *rows[2:]))
    worth = worth_sheet([result], [published, bought])
    assert cells(worth, "30.0 %")[2] == "35.0 %"
    assert cells(worth, "30.0 %")[3].startswith("-")
    assert not cells(worth, "50.0 %")[3].startswith("-")
    assert cells(worth, "90.0 %")[1:] == ("-", "-", "-")
    assert "JPEG" in worth.note
    table = resistance_sheet([published, bought])
    assert cells(table, "best")[1:] == ("35.0 % (JPEG)", "20.0 % (grey-scale)")


def test_the_setting_that_leaves_least_to_the_best_counter_measure_stands_out():
    def resistance(setting, seed, *accuracies):
        rows = tuple(Regained(n, a) for n, a in zip(("none", "JPEG"), accuracies, strict=True))
        return Resistance(seed, setting, 0, rows, 1e-3, 0.97)

    sheet = settings_sheet(
        [resistance("as in the paper", 0, 0.1, 0.4), resistance("squares", 0, 0.2, 0.3)]
    )
    assert [row.cells[0] for row in sheet.rows if row.strong] == ["squares"]


def test_colluders_have_the_better_of_their_levels_and_no_more(split, trained, tmp_path):
    trial = Trial(split, PLAN, Finished(tmp_path, 1))
    alone, together = trial.inferred(2), trial.inferred(1, with_level=2)
    assert together.bought == alone.bought
    assert together.by_cleaner == alone.by_cleaner
    sheet = inference_sheet([alone, together])
    assert [row.cells[1] for row in sheet.rows] == ["buyer of level 2", "buyers of levels 1 and 2"]


def test_masks_made_on_several_networks_keep_each_of_them_from_learning():
    learn, test = digits()
    settings = MaskSettings(steps=40)
    small, plain = (factory(name, 10, learn.shape) for name in ("small-resnet", "plain"))

    def learned(factories):
        masks = generate(learn, learn.labels, factories, settings, 0)
        masked = masks.added_to(with_room(learn, 8))
        quick = TrainingSettings(epochs=3, batch=64)
        return [train(judge, masked, quick, 1).accuracy(test) for judge in (small, plain)]

    joint = max(learned([small, plain]))
    assert joint < 0.25
    assert joint < max(learned(small))
    assert joint < max(learned([plain]))


def test_masks_of_more_networks_are_other_masks_and_other_measurements(split, trained, tmp_path):
    alone = Trial(split, PLAN, Finished(tmp_path, 1)).made
    before = trained.count
    both = Trial(split, replace(PLAN, joint=("plain",)), Finished(tmp_path, 1)).made
    assert trained.count > before
    assert not torch.equal(alone.family.masks.values, both.family.masks.values)
