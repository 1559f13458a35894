"""What is measured of a trained network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from egregium.landscape import Landscape
from egregium.measurement import nuclear_norm, scalar_curvature
from egregium.measurement.measure import measure
from egregium.results import Estimate, Measurement
from egregium.study.sharpness import ADAPTIVE, WORST, worst_rise

#: Probes and steps of the nuclear norm: 120 products, since the trace is known.
PROBES, STEPS = 3, 40


@dataclass(frozen=True)
class Number:
    """A value and half the width of its 95 % interval: 0 where it is exact up to rounding."""

    value: float
    half_width: float = 0.0


@dataclass(frozen=True, eq=False)
class Subject:
    """A trained network's landscape, without the penalty, where its training began, and what is wanted of it."""

    land: Landscape
    start: Float[Tensor, " n"]
    rtol: float
    seed: int
    wanted: tuple[str, ...]


#: Measures that come together, and what gives them.
Source = Callable[[Subject], Mapping[str, Number]]


def _of_hessian(subject: Subject) -> dict[str, Number]:
    m = measure(subject.land, rtol=subject.rtol, seed=subject.seed)
    found = {
        "scalar_curvature": _number(m.scalar_curvature),
        "trace": _number(m.trace),
        "frobenius_norm": _number(m.frobenius_norm),
        "effective_rank": _number(m.effective_rank),
        "mean_curvature": _number(m.mean_curvature),
        "gradient_norm": Number(m.gradient_norm),
    }
    found |= _largest(m)
    if "nuclear_norm" in subject.wanted:
        norm = nuclear_norm(subject.land, probes=PROBES, steps=STEPS, seed=subject.seed, trace=m.trace)
        found["nuclear_norm"] = _number(norm)
    return found


def _largest(m: Measurement) -> dict[str, Number]:
    assert m.largest is not None
    return {"largest_eigenvalue": Number(float(m.largest.values[0]), float(m.largest.bounds[0]))}


def _of_gauss_newton(subject: Subject) -> dict[str, Number]:
    R = scalar_curvature(subject.land, rtol=subject.rtol, seed=subject.seed, operator="ggn")
    return {"gauss_newton_scalar_curvature": _number(R)}


def _normalised(subject: Subject) -> dict[str, Number]:
    R = scalar_curvature(subject.land.normalised("filter"), rtol=subject.rtol, seed=subject.seed)
    return {"normalised_scalar_curvature": _number(R)}


def _sharpness(subject: Subject) -> dict[str, Number]:
    theta = subject.land.theta
    return {
        "sharpness": Number(worst_rise(subject.land, WORST)),
        "adaptive_sharpness": Number(worst_rise(subject.land, ADAPTIVE, theta.abs())),
    }


def _lengths(subject: Subject) -> dict[str, Number]:
    theta = subject.land.theta.double()
    return {
        "weight_norm": Number(float(theta.norm())),
        "distance": Number(float((theta - subject.start.to(theta)).norm())),
    }


SOURCES: dict[Source, tuple[str, ...]] = {
    _of_hessian: (
        "scalar_curvature",
        "trace",
        "frobenius_norm",
        "largest_eigenvalue",
        "effective_rank",
        "mean_curvature",
        "gradient_norm",
        "nuclear_norm",
    ),
    _of_gauss_newton: ("gauss_newton_scalar_curvature",),
    _normalised: ("normalised_scalar_curvature",),
    _sharpness: ("sharpness", "adaptive_sharpness"),
    _lengths: ("weight_norm", "distance"),
}

#: Name of each measure, and what it is.
MEASURES: dict[str, str] = {
    "scalar_curvature": "R",
    "trace": "tr H",
    "frobenius_norm": "|H|_F",
    "nuclear_norm": "|H|_*",
    "largest_eigenvalue": "λ_max",
    "effective_rank": "(tr H)² / |H|²_F",
    "mean_curvature": "tr S̃ / n",
    "gauss_newton_scalar_curvature": "R of the Gauss-Newton matrix",
    "normalised_scalar_curvature": "R, scale-invariant (filters)",
    "sharpness": "rise of f within |e| ≤ 0.05 (SAM)",
    "adaptive_sharpness": "rise of f within |e/θ| ≤ 0.5 (ASAM)",
    "gradient_norm": "|g|",
    "weight_norm": "|θ|",
    "distance": "|θ − θ₀|, from initialisation",
}


def measured(subject: Subject) -> dict[str, Number]:
    """The wanted measures by name; each product serves all that it can."""
    found: dict[str, Number] = {}
    for source, names in SOURCES.items():
        if set(names) & set(subject.wanted):
            found |= source(subject)
    return {name: found[name] for name in subject.wanted}


def _number(e: Estimate) -> Number:
    return Number(e.value, e.half_width())
