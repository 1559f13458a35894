"""The estimate probe by probe, as drawn."""

from dataclasses import replace

import pytest
import torch

import egregium as eg
from egregium.viz import probes_figure
from egregium.viz.probes import MOST_DOTS


def test_line_and_band_end_at_the_estimate(sampled: eg.Measurement) -> None:
    (ax,) = probes_figure(sampled).figure.axes
    dots, line = ax.lines
    estimate = sampled.scalar_curvature
    k = len(estimate.samples)
    assert len(dots.get_xdata()) == k
    assert line.get_xdata()[-1] == k
    assert line.get_ydata()[-1] == pytest.approx(estimate.value)
    end = [y for x, y in ax.collections[0].get_paths()[0].vertices if x == k]
    assert (min(end), max(end)) == pytest.approx(estimate.interval())


def test_the_mean_of_the_dots_is_the_estimate(sampled: eg.Measurement) -> None:
    (ax,) = probes_figure(sampled).figure.axes
    assert ax.lines[0].get_ydata().mean() == pytest.approx(sampled.scalar_curvature.value)


def test_many_dots_are_thinned_and_the_caption_says_so(sampled: eg.Measurement) -> None:
    samples = torch.randn(2000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    many = replace(sampled, scalar_curvature=replace(sampled.scalar_curvature, samples=samples))
    picture = probes_figure(many)
    assert len(picture.figure.axes[0].lines[0].get_xdata()) == MOST_DOTS
    assert f"({MOST_DOTS} of them shown)" in picture.caption
    assert "shown" not in probes_figure(sampled).caption


def test_none_where_exact(saddle: eg.Measurement, sampled: eg.Measurement) -> None:
    assert probes_figure(saddle) is None
    agreeing = replace(sampled.scalar_curvature, stderr=0.0)  # probes that all say the same
    assert probes_figure(replace(sampled, scalar_curvature=agreeing)) is None
