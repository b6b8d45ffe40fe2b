"""The pictures hold the session's figures, and can be read."""

import io
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib._pylab_helpers import Gcf
from matplotlib.container import ErrorbarContainer
from PIL import Image

from offchain.hyperx.report import published
from offchain.hyperx.report.figures import gas_figure, scores_figure
from offchain.report.figures import DPI, png
from tests.offchain.hyperx.report_sample import NOTHING, SCORES, make_record, rename

FIGURES = [scores_figure, gas_figure]


def rows(figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_each_score_stands_in_its_row_with_its_interval_and_the_winner_is_a_star():
    figure = scores_figure(make_record())
    axes = figure.axes[0]
    order = ["ada", "dan", "cyd", "ben"]  # clean, dope, then noise by its level
    assert [row.split()[0] for row in rows(figure)] == order
    assert [row.split()[1] for row in rows(figure)] == [SCORES[name][0] for name in order]
    bars = [item for item in axes.containers if isinstance(item, ErrorbarContainer)]
    found = {}
    for bar in bars:
        point, _, (interval,) = bar.lines
        (low, high) = interval.get_segments()[0][:, 0]
        name = order[int(point.get_ydata()[0])]
        found[name] = (point.get_xdata()[0], low, high)
        assert (point.get_marker() == "*") == (name == "ada")
    scored = {name: values[1:] for name, values in SCORES.items() if values[1] is not None}
    assert found.keys() == scored.keys()
    for name, values in scored.items():
        assert found[name] == pytest.approx(values)


def test_a_provider_without_a_score_says_so_and_baselines_are_marked():
    axes = scores_figure(make_record()).axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert texts.count("never scored") == 1
    assert {"93.0 %", "84.0 %", "91.0 %"} <= set(texts)
    baseline = axes.collections[-1].get_offsets()
    assert sorted(np.asarray(baseline)[:, 0]) == [0.5, 0.9, 0.95, 0.97]


def test_gas_marks_are_the_means_and_the_papers_on_a_logarithmic_axis():
    figure = gas_figure(make_record())
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    names = rows(figure)
    marks = {
        (line.get_label(), names[int(line.get_ydata()[0])]): line.get_xdata()[0]
        for line in axes.lines
        if len(line.get_xdata()) == 1
    }
    for row in published.TABLE_1:
        assert marks["paper, Table 1", row.function] == row.gas
    assert marks["here", "register"] == 76_250
    assert marks["here", "winner in all"] == 400_001
    low, high = axes.get_xlim()
    assert all(low < gas < high for gas in marks.values())
    assert "76,250" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("make", FIGURES)
@pytest.mark.parametrize("changes", [{}, NOTHING], ids=["session", "empty"])
def test_a_picture_is_a_png_of_the_stated_resolution_with_something_on_it(make, changes):
    picture = Image.open(io.BytesIO(png(make(make_record(**changes)))))
    assert picture.format == "PNG"
    assert picture.info["dpi"] == pytest.approx((DPI, DPI), rel=0.01)
    assert picture.width >= 1200
    pixels = np.asarray(picture.convert("L"))
    assert 0.005 < (pixels < 200).mean() < 0.5


@pytest.mark.parametrize("make", FIGURES)
def test_no_text_is_small_or_leaves_the_picture(make):
    figure = make(rename(make_record(), "ada", "a name of many characters, more than fit"))
    figure.draw_without_rendering()
    axes = figure.axes[0]
    legend = figure.legends[0]
    texts = [*axes.get_yticklabels(), *axes.get_xticklabels(), *axes.texts, *legend.get_texts()]
    texts = [text for text in texts if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in texts) >= 10
    width, height = figure.bbox.size
    for text in [*axes.get_yticklabels(), *axes.texts, *legend.get_texts()]:
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= width, text.get_text()
        assert 0 <= box.y0 < box.y1 <= height, text.get_text()


@pytest.mark.parametrize("name", [r"$\frac{1$", r"$$\badmacro$$", "line\nbreak\x1b[2J", "a_b^c"])
def test_a_hostile_name_is_drawn_as_it_is(name):
    record = rename(make_record(), "ada", name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png(scores_figure(record))
    figure = scores_figure(make_record(baselines={name: {"ada": 0.5}}))
    png(figure)
    assert not figure.legends[0].get_texts()[-1].get_parse_math()


@pytest.mark.parametrize("make", FIGURES)
def test_drawing_leaves_matplotlibs_global_state_alone(make):
    # Looking at the backend would choose one.
    names = matplotlib.rcParams.keys() - {"backend"}
    before = {name: matplotlib.rcParams[name] for name in names}
    png(make(make_record()))
    assert {name: matplotlib.rcParams[name] for name in names} == before
    assert Gcf.get_num_fig_managers() == 0
