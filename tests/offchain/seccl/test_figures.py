"""Tables and figures say what the results say."""

from dataclasses import replace

import pytest

from offchain.report.figures import png
from offchain.seccl.figure_sheets import (
    breaking_share,
    defences_sheet,
    paper_sheet,
    seats_sheet,
)
from offchain.seccl.figures import curves_figure, figure_4, figure_5
from offchain.seccl.grids import COLLUSION, comparison_runs, figure_4_runs, figure_5_runs
from offchain.seccl.run import Run, RunResult
from offchain.seccl.training import TrainingSettings

SETTINGS = TrainingSettings()


def ended(run, accuracy, **given):
    """A result whose last round ended so."""
    return RunResult(run, (*[0.1] * (run.rounds - 1), accuracy), **given)


def collusion(*pairs, seed=0):
    run = Run(attack=COLLUSION, seed=seed)
    return [ended(replace(run, attackers=share), accuracy) for share, accuracy in pairs]


def test_the_figures_are_the_papers():
    fourth = figure_4_runs(10, (0, 1, 2), SETTINGS)
    assert len(fourth) == len(set(fourth)) == 3 * (1 + 2 * 4)
    assert not any(run.attacked for run in fourth)
    fifth = figure_5_runs(15, (0,), SETTINGS)
    assert {(r.participants, r.elected, r.attack_round, r.attack) for r in fifth} == {
        (20, 4, 4, COLLUSION)
    }
    assert {0.0, 0.1, 0.2, 0.25, 0.3, 0.4} <= {run.attackers for run in fifth}


def test_the_grid_has_every_combination_once_and_the_honest_run_of_each_defence():
    runs = comparison_runs(Run(), ["flip", "copy"], (0.1, 0.2), ["mean", "borda"], (0, 1))
    assert len(runs) == len(set(runs)) == 2 * 2 * (2 * 2 + 1)
    assert sum(not run.attacked for run in runs) == 2 * 2


@pytest.mark.parametrize(
    ("pairs", "share"),
    [
        ([(0.0, 0.98), (0.1, 0.97), (0.25, 0.6), (0.4, 0.1)], 0.25),
        ([(0.0, 0.98), (0.1, 0.5), (0.25, 0.97), (0.4, 0.1)], 0.4),  # 0.1 was not the threshold
        ([(0.0, 0.98), (0.1, 0.97), (0.4, 0.94)], None),
        ([(0.0, 0.98), (0.1, 0.92)], 0.1),
    ],
)
def test_a_defence_breaks_where_all_larger_shares_break_it_too(pairs, share):
    assert breaking_share(collusion(*pairs)) == share


def test_where_it_breaks_is_judged_by_the_mean_over_seeds():
    results = collusion((0.0, 0.98), (0.2, 0.99)) + collusion((0.0, 0.96), (0.2, 0.8), seed=1)
    assert breaking_share(results) == 0.2
    with pytest.raises(ValueError, match="without attackers"):
        breaking_share(collusion((0.2, 0.9)))


def test_the_table_of_defences_marks_the_best_of_each_row():
    flip = Run(attack="flip", attackers=0.2)
    results = [
        ended(replace(flip, defence="borda"), 0.9),
        ended(replace(flip, defence="borda", seed=1), 0.8),
        ended(replace(flip, defence="mean"), 0.5),
        ended(Run(defence="mean"), 0.95),
    ]
    sheet = defences_sheet(results)
    assert sheet.headers == ("attack", "attackers", "mean", "borda")
    assert [row.cells for row in sheet.rows] == [
        ("none", "0.0 %", "95.0 % *", "-"),
        ("flip", "20.0 %", "50.0 %", "85.0 ± 7.1 % *"),
    ]


def test_the_table_of_seats_counts_posts_from_the_attack_on():
    free = Run(10, attack="copy", attackers=0.2, attack_round=5, rounds=10, defence="borda+screen")
    results = [
        ended(free, 0.9, seats=0.5, caught=9, accused=4),
        ended(replace(free, defence="borda"), 0.9, seats=0.6),
    ]
    found = [row.cells for row in seats_sheet(results).rows]
    # Two attackers post ten updates in five rounds, the eight others forty.
    assert found[0] == ("equal", "copy", "borda+screen", "20.0 %", "50.0 %", "90.0 %", "10.0 %")
    assert found[1] == ("equal", "copy", "borda", "20.0 %", "60.0 %", "-", "-")


def test_the_papers_statements_stand_beside_ours():
    fourth = [ended(run, 0.98) for run in figure_4_runs(3, (0,), SETTINGS)]
    fifth = collusion((0.0, 0.98), (0.1, 0.97), (0.25, 0.3))
    rows = {row.cells[0]: row.cells[1:] for row in paper_sheet(fourth, fifth).rows}
    assert rows["training on all data"] == ("99.1 %", "98.0 %")
    assert rows["Figure 4: 30 participants, lambda 0.4"] == ("similar to all data", "98.0 %")
    assert rows["Figure 5: epsilon 0.1"] == ("not affected", "97.0 %")
    assert rows["Figure 5: epsilon 0.25"] == ("sharp decrease", "30.0 %")
    assert rows["Figure 5: breaks from epsilon"] == ("0.25", "0.25")


def test_the_plots_have_a_line_for_every_setting():
    fourth = [ended(run, 0.98) for run in figure_4_runs(3, (0, 1), SETTINGS)]
    plot = figure_4(fourth, 30)
    labels = [text.get_text() for text in plot.axes[0].get_legend().get_texts()]
    assert labels == ["all data", *(f"lambda {share}" for share in (0.1, 0.2, 0.3, 0.4))]
    plot = figure_5(collusion((0.0, 0.98), (0.25, 0.3)))
    labels = [text.get_text() for text in plot.axes[0].get_legend().get_texts()]
    assert labels == ["epsilon 0", "epsilon 0.25"]
    assert png(plot).startswith(b"\x89PNG")


def test_a_line_is_the_mean_over_seeds():
    results = [RunResult(Run(rounds=2, seed=s), (0.2, value)) for s, value in ((0, 0.5), (1, 0.7))]
    line = curves_figure(results, lambda run: run.defence, "title").axes[0].get_lines()[0]
    assert line.get_ydata().tolist() == pytest.approx([0.2, 0.6])
