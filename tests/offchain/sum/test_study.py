"""A study gives the same however it is run, keeps what is done, and never counts it twice."""

from dataclasses import replace
from functools import partial

import pytest

from offchain.runs.finished import Finished
from offchain.runs.spread import Spread
from offchain.sum.metrics import accuracy_all
from offchain.sum.rules import StakeTerms
from offchain.sum.setting import COIN, Setting
from offchain.sum.study import attacks, crowds, entropy, study
from offchain.sum.study.attacks_report import gain
from offchain.sum.study.case import Case, Ceiling, Task
from offchain.sum.study.data import parts
from offchain.sum.study.names import SWEEPS
from offchain.sum.study.plots import plots
from offchain.sum.study.report import report
from offchain.sum.study.sweeps import paper_sweeps
from tests.offchain.sum.made_study import ONE, MadeSource, made_study

TASKS = 2 * (5 + 1)
"""Of the sweep over the deposit: five points and what they are compared with, for two seeds."""


def files(folder):
    return {path: path.read_bytes() for path in (folder / "runs").rglob("output.pkl")}


def test_one_process_and_two_give_the_same_report_from_the_same_files(tmp_path):
    texts, kept = [], []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        findings = made_study(folder, "mean_deposit").run(Spread(workers))
        texts.append(report(findings, "here"))
        kept.append({path.parent.name: content for path, content in files(folder).items()})
    assert texts[0] == texts[1]
    assert kept[0] == kept[1]
    assert len(kept[0]) == TASKS


def test_a_second_run_does_nothing_again_and_tells_the_same(tmp_path):
    first, second = made_study(tmp_path, "mean_deposit"), made_study(tmp_path, "mean_deposit")
    told = report(first.run(ONE), "here")
    kept = files(tmp_path)
    assert report(second.run(ONE), "here") == told
    assert (first.ran, second.ran) == (TASKS, 0)
    assert files(tmp_path) == kept


def test_what_was_finished_before_a_run_was_stopped_is_kept(tmp_path):
    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made_study(tmp_path, "mean_deposit").run(ONE, stop)
    (spoiled, _, _) = files(tmp_path)
    spoiled.write_bytes(spoiled.read_bytes()[:-20])
    again = made_study(tmp_path, "mean_deposit")
    with pytest.warns(UserWarning, match="is no finished run, and is run again"):
        told = report(again.run(ONE), "here")
    assert again.ran == TASKS - 2
    third = made_study(tmp_path, "mean_deposit")
    assert report(third.run(ONE), "here") == told
    assert third.ran == 0
    assert told == report(made_study(tmp_path / "other", "mean_deposit").run(ONE), "here")


def test_a_result_counts_only_for_what_determined_it(tmp_path, monkeypatch):
    agents = Setting().agents
    cases = [
        Case(),
        Case(num_words=500),
        Case(train_size=0.1),
        Case(held_out=1_000),
        Case(stream=500),
        Case(Setting(max_days=9)),
        Case(Setting(agents=agents[::-1])),
        Case(Setting(agents=(agents[0], replace(agents[1], strategy="sybil")))),
        Case(Setting(terms=StakeTerms(unit=COIN, submission_cost=1))),
        Case(Setting(terms=StakeTerms(unit=COIN, stated_accuracy=9_000))),
    ]
    tasks = [Task(one, seed) for one in cases for seed in (0, 1)] + [Task(Case().ceiling, 0)]
    finished = Finished(tmp_path / "named", 1)
    for number, task in enumerate(tasks):
        assert finished.get(task) is None
        assert finished.once(task, partial(int, number)) == number
    assert finished.get(Task(Case(Setting()), 0)) == 0
    made_study(tmp_path, "mean_deposit").run(ONE)
    other = made_study(tmp_path, "mean_deposit", source=MadeSource(seed=1))
    other.run(ONE)
    assert other.ran == TASKS
    monkeypatch.setattr(study, "VERSION", study.VERSION + 1)
    later = made_study(tmp_path, "mean_deposit")
    later.run(ONE)
    assert later.ran == TASKS


def test_all_good_data_is_the_same_whatever_part_of_it_trains_the_first_model():
    assert Case(train_size=0.01).ceiling == Case(train_size=0.32).ceiling
    source, all_good = MadeSource(), set()
    for share in (0.08, 0.32):
        split = parts(source, 1_000, share, 5_000, None, 0)
        all_good.add(accuracy_all(split, Setting(), 0))
    assert len(all_good) == 1
    assert isinstance(Case(stream=10).ceiling, Ceiling)
    assert Case(stream=10).ceiling != Case(stream=10, train_size=0.1).ceiling


def test_the_sweeps_have_the_names_and_values_of_the_paper():
    sweeps = {sweep.name: sweep.values for sweep in paper_sweeps()}
    assert tuple(sweeps) == SWEEPS
    assert sweeps["num_words"] == tuple(range(100, 1_001, 100))
    assert sweeps["train_size"] == (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 24, 32)
    assert sweeps["mean_deposit"] == (0.5, 5, 50, 500, 5_000)
    for reading in ("kept", "locked", "weight"):
        assert sweeps[f"cost-{reading}"] == (1, 2, 3, 4, 5, 10, 15, 20, 25)
    for sweep in paper_sweeps():
        defaults = [point.case for point in sweep.points if point.at == sweep.default]
        held_out = 1_000 if sweep.name.endswith("-long") else 5_000
        assert all(found == Case(held_out=held_out) for found in defaults), sweep.name
    assert paper_sweeps(separate_test=True)[-1].points[-1].case == Case()


def test_crowds_are_compared_with_themselves_without_the_malicious(tmp_path, monkeypatch):
    monkeypatch.setattr(crowds, "CROWD", 3)
    monkeypatch.setattr(crowds, "CROWD_STREAM", 150)
    monkeypatch.setattr(crowds, "STRATEGIES", ("flipped", "parrot", "targeted"))
    monkeypatch.setattr(crowds, "MAP_MALICIOUS", (1, 2))
    monkeypatch.setattr(crowds, "MAP_COSTS", (0, 5))
    monkeypatch.setattr(crowds, "MAP_TRAIN_SIZES", (8,))
    monkeypatch.setattr(entropy, "ENTROPY_COSTS", (1,))
    whole = made_study(tmp_path, "crowd", "maps", "entropy")
    findings = whole.run(ONE)
    results = whole.results
    crowd = findings.crowds["flipped"][1]
    assert [agent.strategy for agent in crowd.case.setting.agents] == ["honest"] + 2 * ["flipped"]
    assert crowd.clean.setting.agents == crowd.case.setting.agents[:1]
    for seed in range(2):
        clean = results.measured(crowd.clean, seed)
        assert clean.submitted == (150,)
        lost = results.measured(crowd.case, seed).after - clean.after
        assert results.difference(crowd.case, crowd.clean, 2)[seed] == lost
    assert {one.strategy for one in findings.maps} == {"flipped", findings.worst}
    text = report(findings, "here")
    for heading in ("## Crowds", "### flipped, cost", "### flipped, train_size", "## A cost by"):
        assert heading in text
    drawn = plots(findings)
    assert [*drawn] == ["crowd.png", "map-cost.png", "map-train.png", "entropy.png"]
    assert all(png.startswith(b"\x89PNG") for png in drawn.values())


def test_an_attack_is_compared_with_the_same_attacker_that_only_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(attacks, "MONTH_STREAM", 150)
    monkeypatch.setattr(attacks, "LARGEST_WEIGHTS", (100,))
    monkeypatch.setattr(attacks, "GRID", ((0.1, 10),))
    whole = made_study(tmp_path, "attacks")
    findings = whole.run(ONE)
    results = whole.results
    kinds = [(one.strategy, one.defender, one.announced) for one in findings.attacks]
    assert len(set(kinds)) == len(kinds) == 8
    assert len(set(findings.grid)) == len(findings.grid) == 3
    for one in (*findings.attacks, *findings.grid):
        assert one.case.setting.agents[-1].strategy == one.strategy
        assert one.holder.setting.agents[:-1] == one.case.setting.agents[:-1]
        assert one.holder.setting.agents[-1].strategy == "holder"
        rule = one.case.setting.terms.verdict
        assert (rule is not None) == one.announced
        for seed in range(2):
            ours, held = (results.measured(case, seed) for case in (one.case, one.holder))
            coins = 8 * one.deposits * (ours.balances[-1] - held.balances[-1])
            assert gain(results, one)[seed] == pytest.approx(coins)
            waits = [days for days in ours.awaited if days is not None]
            assert min(waits, default=2) >= (2 if one.announced else 1)
    assert "## Attacks on the verdict" in report(findings, "here")
