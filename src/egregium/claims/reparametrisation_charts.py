"""What rescaling a network's layers does to measures of flatness, and to the sign of R, as charts."""

from collections.abc import Sequence

from egregium.claims.coordinates import Point, curvature, point_of
from egregium.claims.relu_unit import FAR
from egregium.claims.rescaled_network import Rescaled
from egregium.claims.rescaling import Pair, rescaling
from egregium.results import Chart, Series

#: Places of a line.
PLACES = 31
#: The measures that move and that are drawn, by their names in the legend.
DRAWN = {"R": "R of the graph", "tr H": "tr H", "λ_max": "λ_max"}


def _grid(least: float, most: float) -> list[float]:
    return [least * (most / least) ** (i / (PLACES - 1)) for i in range(PLACES)]


def measures_chart(path: Sequence[Rescaled], pair: Pair, few: Sequence[Rescaled], normalised: Sequence[float]) -> Chart:
    """Measures relative to those at a factor of 1; `normalised`: R in normalised coordinates at few factors."""
    start, by_size = path[0], sorted(path, key=lambda at: at.a)
    before = start.point.measures()
    grid = _grid(by_size[0].a, by_size[-1].a)
    computed = [start.point.transformed(rescaling(start.land, pair, a)).measures() for a in grid]
    found = [at.point.measures() for at in by_size]
    x = tuple(at.a for at in by_size)
    pulled_back = tuple(curvature(at.point, at.A).value / before["R"] for at in by_size)
    relative = tuple(R / normalised[0] for R in normalised)
    lines = [Series("", tuple(grid), tuple(m[name] / before[name] for m in computed), mark="line") for name in DRAWN]
    points = [Series(words, x, tuple(m[name] / before[name] for m in found)) for name, words in DRAWN.items()]
    return Chart(
        "One function, and measures of its flatness as its layers are rescaled",
        "A trained ReLU network on digits: the first layer times α, the second over α; it puts out the same at each. "
        "Points are found anew, nothing was sampled; lines are computed from g and H at α = 1.",
        "α",
        "measure over its value at α = 1",
        (
            *lines,
            *points,
            Series("R in normalised coordinates (by filter)", tuple(at.a for at in few), relative),
            Series("R in the metric pulled back", x, pulled_back),
        ),
        "log",
        "log",
    )


def sign_chart(path: Sequence[Rescaled], pair: Pair) -> Chart:
    """R over the sum of the sizes of its two terms, of a ReLU unit and of an untrained network."""
    start, by_size = path[0], sorted(path, key=lambda at: at.a)
    x = tuple(at.a for at in by_size)
    grid = tuple(_grid(x[0], x[-1]))
    unit = point_of(FAR.scaled(1.0).land)
    units = [unit.transformed(FAR.rescaling(a)) for a in grid]
    networks = [start.point.transformed(rescaling(start.land, pair, a)) for a in grid]
    return Chart(
        "The sign of R changes as layers are rescaled",
        "Two functions, each the same at every α: a ReLU unit with a large residual, and an untrained ReLU network on "
        "digits with small weights. R = (tr S)² − tr S² is drawn over the sum of the two. Points are found anew, "
        "nothing was sampled; lines are computed from g and H at α = 1.",
        "α",
        "R / [(tr S)² + tr S²]",
        (
            Series("", grid, _shares(units), mark="line"),
            Series("", grid, _shares(networks), mark="line"),
            Series("ReLU unit", x, _shares([point_of(FAR.scaled(a).land) for a in x])),
            Series("untrained ReLU network", x, _shares([at.point for at in by_size])),
        ),
        "log",
    )


def _shares(points: Sequence[Point]) -> tuple[float, ...]:
    found = [curvature(point) for point in points]
    return tuple(R.value / R.size for R in found)
