"""Pictures of a study: rankings in rows and in cells, networks as dots."""

from dataclasses import replace

import pytest
from drawable import INF, NAN, drawn, marks, words
from handmade_study import BY, TAUS, all_diverged, between, odd_numbers, study
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from egregium.results import Between, Study
from egregium.viz import granulated_figure, scatter_figure, svg, sweep_figures, tau_figure
from egregium.viz.palette import BLUE, INK, MUTED, ON_CELLS

GAPS = ("error_gap", "loss_gap")
R = "scalar_curvature"


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


def test_a_study_without_a_factorial_is_shown_by_its_first_group() -> None:
    made = study()
    rows = tuple(replace(each, group="depth") for each in made.rankings if each.group == "all")
    bare = replace(made, sweeps={"depth": tuple(range(16))}, rankings=rows)
    assert "14 networks of the sweep of depth" in drawn(tau_figure(bare, "error_gap")).caption
    assert "of the sweep of depth" in drawn(scatter_figure(bare, R, "error_gap")).caption
    assert sweep_figures(bare) == []


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
