"""Results made by hand that look like those of a small network: a plane, a line, checkpoints, a path."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from egregium.results import Cost, Environment, ModePath, Sheet, Slice, Trajectory

MACHINE = Environment(
    egregium="0.1.0",
    torch="2.9.0",
    numpy="2.4.6",
    scipy="1.17.0",
    python="3.11.2",
    device="cpu",
    device_name="a processor",
    dtype="float64",
    seed=7,
    threads=1,
    cores=2,
    platform="Linux",
)


def loss(a: Tensor, b: Tensor) -> Tensor:
    return 0.31 + 0.9 * a**2 + 0.35 * b**2 + 0.25 * torch.sin(3 * a) * torch.cos(2 * b) + 0.08 * torch.sin(7 * b)


def plane(size: int = 21, places: int = 5, *, name: str = "initialisation to trained") -> Slice:
    """A plane with R of both signs on a coarser grid, one hole in the loss and one place without R."""
    fine, coarse = (torch.linspace(-1, 1, n, dtype=torch.float64) for n in (size, places))
    f = loss(fine[None, :], fine[:, None])
    f[0, 0], f[0, 1] = math.inf, math.nan
    R = 40 * (coarse[None, :] + 0.3) * (coarse[:, None] + 0.5) + 4
    R[-1, -1] = math.nan
    loss_sheet = Sheet(fine, fine, f, torch.zeros_like(f), torch.ones_like(f, dtype=torch.bool))
    half = 0.02 * R.abs() + 0.3
    curvature = Sheet(coarse, coarse, R, half, torch.isfinite(R))
    return Slice(
        kind="plane",
        axes=(f"a, {name}", "b, random, filter-normalised"),
        lengths=(3.2, 3.2),
        cosine=0.0,
        sheets={"loss": loss_sheet, "scalar_curvature": curvature},
        centre=float(loss(torch.zeros(()), torch.zeros(()))),
        statistics="kept",
        confidence=0.95,
        n=2410,
        scale=1.0,
        cost=Cost(gradients=441.0, products=900, seconds=12.0),
        environment=MACHINE,
        title="A small network's plane",
        command="egregium slice mine.py:landscape --plane --seed 7",
        target="mine.py:landscape",
        created="2026-11-24T09:00:00+00:00",
    )


def line() -> Slice:
    a = torch.linspace(0, 1, 11, dtype=torch.float64)
    sheet = Sheet(a, a[:0], loss(a, a), torch.zeros(11).double(), torch.ones(11, dtype=torch.bool))
    return replace(plane(), kind="line", axes=("t",), lengths=(3.2,), sheets={"loss": sheet}, title="A line")


def trajectory(on: Slice | None = None) -> Trajectory:
    t = torch.linspace(0, 1, 6, dtype=torch.float64)
    places = torch.stack([0.9 * (1 - t) * torch.cos(2 * t), 0.8 * (1 - t)], dim=1)
    return Trajectory(
        names=("start", *(f"epoch {i}" for i in range(1, 5)), "</script><b>end</b>"),
        coordinates=places,
        apart=0.4 * t,
        losses=loss(*places.T) + 0.15 * t,
        explained=(0.7, 0.2),
        plane=plane() if on is None else on,
    )


def mode_path() -> ModePath:
    return ModePath(
        kind="bezier",
        path=replace(line(), kind="path"),
        straight=line(),
        barrier=0.01,
        straight_barrier=0.8,
        bends=torch.ones(40, 1).double(),
        losses=torch.ones(9).double(),
        cost=Cost(gradients=90.0),
        notes=("The path was trained for 9 steps only.",),
    )
