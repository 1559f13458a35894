"""What a surface is drawn from, and its caption."""

from dataclasses import replace

import numpy as np
import torch
from handmade import line, plane, trajectory

from egregium.viz.landscape import belongs, caption, measured_places, nearest, surface


def test_only_a_plane_with_a_finite_loss_is_a_surface() -> None:
    shown = plane()
    assert surface(line()) is None
    loss = shown.sheets["loss"]
    empty = {"loss": replace(loss, values=torch.full_like(loss.values, torch.nan))}
    assert surface(replace(shown, sheets=empty)) is None
    assert surface(replace(shown, sheets={})) is None


def test_colours_are_r_where_it_was_measured_and_the_loss_without_it() -> None:
    shown = plane(21, 5)
    drawn = surface(shown)
    assert drawn is not None
    np.testing.assert_allclose(drawn.colours[::5, ::5], shown.sheets["scalar_curvature"].values, atol=1e-12)
    assert drawn.key == ("R", "± 1.4")
    bare = surface(replace(shown, sheets={"loss": shown.sheets["loss"]}))
    assert bare is not None
    np.testing.assert_array_equal(bare.colours, bare.heights)
    assert bare.key == ("loss f",)


def test_a_trajectory_belongs_to_the_plane_it_was_projected_on() -> None:
    assert belongs(trajectory(), plane())
    assert not belongs(trajectory(), replace(plane(), centre=0.4))
    assert not belongs(trajectory(), replace(plane(), lengths=(1.0, 3.2)))
    assert not belongs(replace(trajectory(), plane=None), plane())


def test_the_nearest_place_is_one_that_was_measured() -> None:
    places = measured_places(plane(21, 5).sheets["scalar_curvature"])
    assert len(places) == 24
    a, b = np.array([-1.0, 0.2, 1.0]), np.array([-0.6, 1.0])
    found = [[places[i][:2] for i in row] for row in nearest(places, a, b)]
    assert found[0] == [(-1.0, -0.5), (0.0, -0.5), (1.0, -0.5)]
    assert found[1][:2] == [(-1.0, 1.0), (0.0, 1.0)]
    assert found[1][2] in ((0.5, 1.0), (1.0, 0.5))  # the corner itself is unknown


def test_the_caption_says_what_is_fixed_sampled_missing_and_floating() -> None:
    shown = plane()
    drawn = surface(shown)
    assert drawn is not None
    text = caption(shown, drawn, trajectory())
    for words in ("directions are fixed", "441 places, exact", "24 places", "± 1.4 (95 %)", "2 places", "0.4 away"):
        assert words in text
    assert "checkpoints" not in caption(shown, drawn, None)
