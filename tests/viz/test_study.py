"""Pictures of a study: rankings in rows and in cells, networks as dots."""

from dataclasses import replace

import numpy as np
import pytest
from drawable import INF, NAN, words
from handmade_study import BY, TAUS, all_diverged, between, network, odd_numbers, one_architecture, study
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from egregium.results import Between, Study
from egregium.viz import Picture, granulated_figure, scatter_figure, svg, sweep_figures, tau_figure
from egregium.viz.palette import BLUE, INK, MUTED, ON_CELLS

GAPS = ("error_gap", "loss_gap")
R = "scalar_curvature"


def drawn(picture: Picture | None) -> Picture:
    assert picture is not None
    assert svg(picture).startswith("<svg")
    return picture


def marks(picture: Picture, marker: str) -> list[Line2D]:
    """Those that are on the axes and not in the legend alone."""
    found = [line for ax in picture.figure.axes for line in ax.lines if line.get_marker() == marker]
    return [line for line in found if len(np.atleast_1d(line.get_xdata()))]


def whiskers(picture: Picture) -> int:
    found = [part for ax in picture.figure.axes for part in ax.collections if isinstance(part, LineCollection)]
    return sum(len(part.get_segments()) for part in found)


def test_measures_stand_in_the_order_of_their_tau_and_r_stands_out() -> None:
    picture = drawn(tau_figure(study(), "error_gap"))
    ax = picture.figure.axes[0]
    names = [text.get_text() for text in ax.texts if text.get_ha() == "left"]
    order = sorted(TAUS, key=lambda name: -TAUS[name])
    assert [name.split(",")[0] for name in names] == [
        "sharpness",
        "scalar curvature",
        "trace",
        "Frobenius norm",
        "largest eigenvalue",
    ]
    assert names[1] == "scalar curvature, R"
    assert [text.get_color() for text in ax.texts if "scalar" in text.get_text()] == [BLUE]
    assert [text.get_fontweight() for text in ax.texts if "scalar" in text.get_text()] == ["bold"]
    assert [float(line.get_xdata()[0]) for line in marks(picture, "o")] == [TAUS[name] for name in order]  # type: ignore[index]
    assert "0.41 [0.26, 0.56]" in words(picture.figure)
    assert "−0.20 [−0.35, −0.05]" in words(picture.figure)


def test_psi_stands_below_tau_as_a_hollow_diamond() -> None:
    picture = drawn(tau_figure(study(), "error_gap"))
    diamonds = marks(picture, "D")
    assert len(diamonds) == len(TAUS)
    assert {line.get_markerfacecolor() for line in diamonds} == {"none"}
    for disc, diamond in zip(marks(picture, "o"), diamonds, strict=True):
        assert float(disc.get_ydata()[0]) < float(diamond.get_ydata()[0])  # type: ignore[index]
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == [
        "Kendall’s tau",
        "Psi, within hyper-parameters",
    ]


def test_without_psi_nothing_speaks_of_it() -> None:
    made = study()
    rows = tuple(replace(each, granulated=None, by={}) for each in made.rankings)
    bare = replace(made, rankings=rows)
    picture = drawn(tau_figure(bare, "error_gap"))
    assert not picture.figure.legends
    assert "Psi" not in picture.caption
    assert granulated_figure(bare, "error_gap") is None


def test_captions_say_what_is_fixed_what_was_drawn_and_what_measures_are() -> None:
    said = drawn(tau_figure(study(), "loss_gap")).caption
    assert said.startswith("14 networks of the factorial part.")
    for part in (
        "95 % intervals",
        "the common loss are fixed",
        "drawn with replacement",
        "Sharpness: rise of f within",
        "Frobenius norm: |H|_F",
    ):
        assert part in said
    rows = list(study().rankings)
    rows[0] = replace(rows[0], networks=9)
    some = drawn(tau_figure(replace(study(), rankings=tuple(rows)), "error_gap"))
    assert some.caption.startswith("9 to 14 networks")


def test_cells_are_coloured_where_they_can_be_told_from_0() -> None:
    picture = drawn(granulated_figure(study(), "error_gap"))
    ax = picture.figure.axes[0]
    cells = [text for text in ax.texts if text.get_ha() == "center"]
    assert len(cells) == len(TAUS) * (len(BY) + 1)
    coloured = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    told = [text for text in cells if text.get_color() == ON_CELLS]
    assert len(coloured) == len(told)
    values = [float(text.get_text().replace("−", "-")) for text in told]
    assert min(map(abs, values)) > 0.15
    assert {text.get_color() for text in cells} == {ON_CELLS, MUTED}
    for patch, value in zip(coloured, values, strict=True):
        red, _, blue = (int(to_hex(patch.get_facecolor())[i : i + 2], 16) for i in (1, 3, 5))
        assert (red > blue) == (value > 0)  # vermillion above 0, blue below
    assert [text.get_text() for text in ax.texts if text.get_rotation() == 40] == [
        "batch size",
        "optimiser",
        "width",
        "mean, Psi",
    ]


def test_many_hyper_parameters_have_one_decimal() -> None:
    made = study()
    by = {f"parameter_{i}": between(-0.44) for i in range(9)}
    many = replace(made, rankings=tuple(replace(each, by=by) for each in made.rankings))
    cells = [text.get_text() for text in drawn(granulated_figure(many, "error_gap")).figure.axes[0].texts]
    assert "−0.4" in cells
    assert "−0.44" not in cells


def test_a_dot_for_each_network_that_counts() -> None:
    made = study()
    for gap in GAPS:
        picture = drawn(scatter_figure(made, R, gap))
        dots = [*marks(picture, "o"), *marks(picture, "s")]
        assert sum(len(line.get_xdata()) for line in dots) == 14  # type: ignore[arg-type]
        assert {line.get_color() for line in marks(picture, "o")} != {line.get_color() for line in marks(picture, "s")}
        assert sum(line.get_markerfacecolor() == "none" for line in dots) == 2  # sam
        assert picture.figure.axes[0].get_xscale() == "log"
        assert "14 networks of the factorial part" in picture.caption
        assert "Left out: 1 diverged, 1 did not reach the loss." in picture.caption
        assert "Of the whole plan 1 is still to be trained." in picture.caption
    names = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert names == ["mlp, sgd", "mlp, sam", "cnn, sgd", "cnn, sam"]


def test_whiskers_of_r_where_they_are_wider_than_marks() -> None:
    assert whiskers(drawn(scatter_figure(study(), R, "error_gap"))) == 28
    exact = replace(study(), networks=tuple(replace(one, half_widths={}) for one in study().networks))
    picture = drawn(scatter_figure(exact, R, "error_gap"))
    assert whiskers(picture) == 0
    assert "whiskers" not in picture.caption


def test_a_narrow_or_signed_measure_has_a_linear_axis() -> None:
    picture = drawn(scatter_figure(study(), "sharpness", "error_gap"))
    assert picture.figure.axes[0].get_xscale() == "linear"
    made = study()
    networks = list(made.networks)
    networks[0] = replace(networks[0], numbers={**networks[0].numbers, R: -3.0})
    assert drawn(scatter_figure(replace(made, networks=tuple(networks)), R, "error_gap")).figure.axes[
        0
    ].get_xscale() == ("linear")


def test_three_optimisers_are_not_told_apart_by_their_fill() -> None:
    made = study()
    networks = list(made.networks)
    networks[0] = network(optimiser="adam", batch_size=16)
    picture = drawn(scatter_figure(replace(made, networks=tuple(networks)), R, "error_gap"))
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == ["mlp", "cnn"]


def test_sweeps_show_r_and_both_gaps_at_their_levels() -> None:
    (picture,) = sweep_figures(study())
    drawn(picture)
    assert picture.title == "R and the gaps by depth"
    axes = picture.figure.axes
    assert [ax.get_ylabel() for ax in axes] == ["scalar curvature, R", "gap in error", "gap in loss"]
    assert [text.get_text() for text in axes[-1].get_xticklabels()] == ["1", "2", "3", "4"]
    assert axes[-1].get_xlabel() == "depth"
    assert all(sum(len(line.get_xdata()) for line in ax.lines) == 3 for ax in axes)  # type: ignore[arg-type]
    assert "Left out: 1 could not be measured." in picture.caption


def test_levels_of_several_hyper_parameters_and_architectures_side_by_side() -> None:
    made = study()
    rate = {"sgd": 0.02, "adam": 0.001}
    more = [
        network(
            architecture=kind, optimiser=name, learning_rate=rate[name], seed=seed, width=16 if kind == "cnn" else 32
        )
        for kind in ("mlp", "cnn")
        for name in rate
        for seed in (0, 1)
    ]
    sweeps = {**made.sweeps, "optimiser": tuple(range(19, 27))}
    _, picture = sweep_figures(replace(made, networks=(*made.networks, *more), sweeps=sweeps))
    ax = picture.figure.axes[-1]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["sgd, 0.02", "adam, 0.001"]
    assert ax.get_xlabel() == "optimiser and learning rate"
    places = {line.get_marker(): sorted(set(np.round(line.get_xdata(), 2))) for line in ax.lines}  # type: ignore[arg-type]
    assert places == {"o": [-0.08, 0.92], "s": [0.08, 1.08]}
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == ["mlp", "cnn"]


def test_a_sweep_without_levels_or_with_too_many_is_not_drawn() -> None:
    made = study()
    assert sweep_figures(replace(made, sweeps={"factorial": made.sweeps["factorial"], "depth": (0,)})) == []
    many = tuple(network(depth=i) for i in range(1, 40))
    assert sweep_figures(replace(made, networks=(*made.networks, *many), sweeps={"depth": tuple(range(19, 58))})) == []


def test_a_study_without_a_factorial_is_shown_by_its_first_group() -> None:
    made = study()
    rows = tuple(replace(each, group="depth") for each in made.rankings if each.group == "all")
    bare = replace(made, sweeps={"depth": tuple(range(16))}, rankings=rows)
    assert "14 networks of the sweep of depth" in drawn(tau_figure(bare, "error_gap")).caption
    assert "of the sweep of depth" in drawn(scatter_figure(bare, R, "error_gap")).caption
    assert sweep_figures(bare) == []


def test_one_architecture() -> None:
    picture = drawn(scatter_figure(one_architecture(), R, "error_gap"))
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == ["cnn, sgd", "cnn, sam"]
    assert sweep_figures(one_architecture()) == []


@pytest.mark.parametrize("gap", GAPS)
def test_nothing_to_draw(gap: str) -> None:
    lost = all_diverged()
    assert tau_figure(lost, gap) is None
    assert granulated_figure(lost, gap) is None
    assert scatter_figure(lost, R, gap) is None
    assert sweep_figures(lost) == []
    empty = replace(lost, networks=(), sweeps={})
    assert scatter_figure(empty, R, gap) is None
    assert sweep_figures(empty) == []


def test_what_is_not_known_is_said_and_not_drawn() -> None:
    odd = odd_numbers()
    picture = drawn(tau_figure(odd, "error_gap"))
    names = [text.get_text() for text in picture.figure.axes[0].texts if text.get_ha() == "left"]
    assert names[-1] == "scalar curvature, R"  # not known, so last
    assert "not known" in words(picture.figure)
    assert "0.20" in words(picture.figure)  # a value without an interval
    assert len(marks(picture, "o")) == len(TAUS) - 1
    cells = [text.get_text() for text in drawn(granulated_figure(odd, "error_gap")).figure.axes[0].texts]
    assert cells.count("–") == len(BY) + 1
    scattered = drawn(scatter_figure(odd, R, "error_gap"))
    assert "1 without a finite number" in scattered.caption
    assert "nan" not in scattered.caption
    alone = replace(odd, networks=tuple(replace(one, numbers={R: INF, "error_gap": NAN}) for one in odd.networks))
    assert scatter_figure(alone, R, "error_gap") is None


def test_users_words_are_cut_and_never_formulas() -> None:
    name = "my_$measure$ <of> & " + "very " * 20 + "long"
    made = study()
    rows = [replace(made.rankings[0], measure=name, tau=Between(0.9, 0.8, 1.0))]
    theirs = replace(
        made,
        rankings=(*rows, *made.rankings),
        measures={**made.measures, name: "your own"},
        networks=tuple(
            replace(one, setting={**one.setting, "architecture": f"nets.py:{name}"}) for one in made.networks
        ),
    )
    pictures = [tau_figure(theirs, "error_gap"), granulated_figure(theirs, "error_gap"), *sweep_figures(theirs)]
    for picture in (*pictures, scatter_figure(theirs, R, "error_gap")):
        text = svg(drawn(picture))
        assert "<of>" not in text
    said = words(drawn(tau_figure(theirs, "error_gap")).figure)
    assert all(len(each) <= 60 for each in said)


def test_r_is_not_needed() -> None:
    made: Study = study()
    rest = replace(made, rankings=tuple(each for each in made.rankings if each.measure != R))
    picture = drawn(tau_figure(rest, "error_gap"))
    assert {text.get_color() for text in picture.figure.axes[0].texts} == {INK}
