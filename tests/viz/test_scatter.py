"""The networks of a study as dots: R against the gaps, and along its sweeps."""

from dataclasses import replace

import numpy as np
from drawable import drawn, marks
from handmade_study import network, one_architecture, study
from matplotlib.collections import LineCollection

from egregium.viz import Picture, scatter_figure, sweep_figures

GAPS = ("error_gap", "loss_gap")
R = "scalar_curvature"


def whiskers(picture: Picture) -> int:
    found = [part for ax in picture.figure.axes for part in ax.collections if isinstance(part, LineCollection)]
    return sum(len(part.get_segments()) for part in found)


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


def test_one_architecture() -> None:
    picture = drawn(scatter_figure(one_architecture(), R, "error_gap"))
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == ["cnn, sgd", "cnn, sam"]
    assert sweep_figures(one_architecture()) == []
