"""Principal and sectional curvatures, as drawn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from drawable import NAN

import egregium as eg
from egregium.results import Portrait
from egregium.viz import principal_density_figure, principal_figure


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    scale = torch.linspace(-1, 2, 12, dtype=torch.float64)
    land = eg.Landscape.from_function(lambda x: (scale * x**2).sum() / 2, torch.full((12,), 0.1, dtype=torch.float64))
    return eg.geometry.portrait(land, k=2, grid=0)


def test_both_ends_numbered_with_a_gap(portrait: Portrait) -> None:
    top = principal_figure(portrait).figure.axes[0]
    drawn = [(x, y) for line in top.lines if line.get_marker() == "o" for x, y in zip(*line.get_data(), strict=True)]
    largest, smallest = portrait.principal.largest.values.tolist(), portrait.principal.smallest.values.tolist()
    assert drawn == [(0, largest[0]), (1, largest[1]), (4, smallest[0]), (3, smallest[1])]
    assert [label.get_text() for label in top.get_xticklabels()] == ["1", "2", "…", "11", "12"]


def test_bounds_are_whiskers(portrait: Portrait) -> None:
    pairs = replace(portrait.principal.largest, residuals=torch.tensor([0.1, 0.0]), beyond=np.inf)
    wide = replace(portrait, principal=replace(portrait.principal, largest=pairs))
    top = principal_figure(wide).figure.axes[0]
    whisker = top.containers[0].lines[2][0].get_segments()[0]
    value = float(pairs.values[0])
    assert whisker[:, 1].tolist() == pytest.approx([value - float(pairs.bounds[0]), value + float(pairs.bounds[0])])


def test_histogram_with_the_mean_and_its_interval(portrait: Portrait) -> None:
    picture = principal_figure(portrait)
    bottom = picture.figure.axes[1]
    *bars, band = bottom.patches
    count = portrait.sectional.samples.numel()
    assert sum(bar.get_height() for bar in bars) == count
    interval = portrait.sectional.mean.interval()
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx(interval)
    assert f"{count} planes sampled at random" in picture.caption


def test_degenerate_planes_are_left_out_and_said(portrait: Portrait) -> None:
    samples = torch.tensor([1.0, NAN, 2.0])
    picture = principal_figure(replace(portrait, sectional=replace(portrait.sectional, samples=samples)))
    assert "1 plane without a finite curvature left out" in picture.caption
    none = replace(portrait.sectional, samples=torch.tensor([NAN]))
    assert len(principal_figure(replace(portrait, sectional=none)).figure.axes[1].patches) == 1


def test_all_principal_curvatures_of_a_quadric() -> None:
    """The density of the shape operator of a known surface, at its minimum: its eigenvalues, one peak each."""
    values = torch.tensor([0.5, 1.0, 2.0, 2.0, 4.0], dtype=torch.float64)
    land = eg.Landscape.from_function(lambda x: x @ (values * x) / 2, torch.zeros(5, dtype=torch.float64))
    found = eg.geometry.portrait(land, k=1, grid=0)
    picture = principal_density_figure(found)
    assert picture is not None
    assert found.density is not None
    low, high = found.density.moment(1).interval(0.9999)
    assert low <= float(values.sum()) <= high
    curve = picture.figure.axes[0].lines[0]
    top = float(curve.get_xdata()[int(curve.get_ydata().argmax())])
    assert min(abs(top - float(v)) for v in values) < 3 * found.density.sigma
    assert "4 random start vectors" in picture.caption
    assert principal_density_figure(replace(found, density=None)) is None
