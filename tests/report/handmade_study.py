"""A study made by hand: two architectures, a sweep of depth beside them, and networks that are left out."""

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from handmade import MACHINE

from egregium.report import collection
from egregium.report.collection import Collection
from egregium.results import Between, Network, Ranking, Row, Study, save

NAN, INF = math.nan, math.inf
MEASURES = {
    "scalar_curvature": "R",
    "trace": "tr H",
    "frobenius_norm": "|H|_F",
    "largest_eigenvalue": "λ_max",
    "sharpness": "rise of f within |e| ≤ 0.05 (SAM)",
}
#: Of each measure with the gap in error.
TAUS = {"scalar_curvature": 0.41, "trace": 0.35, "frobenius_norm": 0.1, "largest_eigenvalue": -0.2, "sharpness": 0.52}
BY = ("batch_size", "optimiser", "width")


def network(status: str = "trained", reason: str = "", **levels: str | int | float) -> Network:
    """Its numbers follow from its levels: R and the gaps grow with batch size, noise and seed, and fall with sam."""
    setting = {"architecture": "mlp", "batch_size": 64, "learning_rate": 0.02, "width": 32, "depth": 2}
    setting |= {"optimiser": "sgd", "label_noise": 0.0, "seed": 0} | levels  # type: ignore[dict-item]
    size = math.log2(float(setting["batch_size"])) - 3 * (setting["optimiser"] == "sam") + 0.3 * float(setting["seed"])
    size += 2 * (setting["architecture"] == "cnn") + float(setting["depth"])
    gap = 0.05 + 0.01 * size
    numbers = {"train_loss": 0.1, "test_loss": 0.1 + 4 * gap, "train_error": 0.03, "test_error": 0.03 + gap}
    numbers |= {"error_gap": gap, "loss_gap": 4 * gap}
    half_widths = dict.fromkeys(numbers, 0.0)
    if status == "trained":
        R = 10 * 2**size
        numbers |= {"scalar_curvature": R, "trace": R**0.5, "frobenius_norm": R**0.4, "sharpness": 0.001 * size}
        numbers["largest_eigenvalue"] = 0.2 * R**0.5
        half_widths |= {"scalar_curvature": 0.2 * R, "trace": 0.01 * R**0.5}
    if status == "diverged":
        numbers |= dict.fromkeys(("train_loss", "test_loss", "loss_gap"), NAN)
    return Network(
        setting=setting,
        status=status,
        reason=reason,
        numbers=numbers,
        half_widths=half_widths,
        parameters=2410,
        epochs=12.0,
        training_seconds=2.5,
        seconds=20.0,
        data="0123456789abcdef",
        code="0.1.0+aaaaaaaaaaaa",
        environment=MACHINE,
    )


def between(value: float) -> Between:
    return Between(value, max(value - 0.15, -1.0), min(value + 0.15, 1.0))


def ranking(measure: str, gap: str, group: str, networks: int, by: Iterable[str] = BY) -> Ranking:
    tau = TAUS.get(measure, 0.0) + (0.1 if gap == "loss_gap" else 0.0)
    within = {name: between(tau - 0.3 * i) for i, name in enumerate(by)}
    given = None if measure == "trace" else between(tau - 0.2)
    return Ranking(
        measure=measure,
        gap=gap,
        group=group,
        networks=networks,
        tau=between(tau),
        granulated=between(tau - 0.3) if within else None,
        by=within,
        beyond_trace=given,
        against_trace=given,
    )


def rankings(groups: dict[str, int], by: Iterable[str] = BY) -> tuple[Ranking, ...]:
    known = [(group, count, gap) for group, count in groups.items() for gap in ("error_gap", "loss_gap")]
    return tuple(ranking(measure, gap, group, count, by) for group, count, gap in known for measure in MEASURES)


def study() -> Study:
    """20 networks planned, 19 there and 16 that count: a factorial of 16, and four depths, one of which is in it."""
    grid = [
        network(architecture=kind, batch_size=size, optimiser=optimiser, seed=seed)
        for kind in ("mlp", "cnn")
        for size in (16, 64)
        for optimiser in ("sgd", "sam")
        for seed in (0, 1)
    ]
    grid[3] = network("diverged", architecture="mlp", batch_size=16, optimiser="sam", seed=1)
    grid[5] = network("not reached", architecture="mlp", batch_size=64, optimiser="sgd", seed=1)
    lost = "A product does not fit into 8 GiB."
    depths = [network(depth=1), network(depth=3), network("not measured", lost, depth=4)]
    return Study(
        title="Generalisation by hand",
        command="egregium study --preset tiny",
        created="2026-11-24T09:00:00+00:00",
        networks=(*grid, *depths),
        planned=20,
        sweeps={"factorial": tuple(range(16)), "depth": (16, 4, 17, 18)},
        measures=MEASURES,
        rankings=rankings({"all": 14, "mlp": 6, "cnn": 8}),
        findings=(
            "16 of 20 networks count; 1 diverged, and is left out.",
            "Over 14 networks R ranks the gap in error with Kendall's tau 0.41 [0.26, 0.56].",
        ),
        limits=("One data set (digits): other data may order otherwise.",),
        plan=(Row("data", "digits", "the first 1,000 training samples", group="plan"),),
    )


def all_diverged() -> Study:
    """None counts, and nothing is ranked."""
    made = study()
    lost = tuple(replace(network("diverged"), setting=one.setting) for one in made.networks)
    said = ("0 of 20 networks count; 19 diverged.",)
    return replace(made, networks=lost, rankings=(), findings=said)


def one_architecture() -> Study:
    """A whole without parts."""
    made = study()
    some = tuple(one for one in made.networks[:16] if one.setting["architecture"] == "cnn")
    return replace(made, networks=some, planned=8, sweeps={"factorial": tuple(range(8))}, rankings=rankings({"all": 8}))


def odd_numbers() -> Study:
    """Measures that are not finite, and rankings that are not known."""
    made = study()
    broken = {"scalar_curvature": NAN, "trace": INF, "largest_eigenvalue": -INF}
    networks = list(made.networks)
    networks[0] = replace(networks[0], numbers={**networks[0].numbers, **broken})
    networks[1] = replace(networks[1], half_widths={"scalar_curvature": INF})
    unknown = Between(NAN, NAN, NAN)
    rows = list(made.rankings)
    rows[0] = replace(rows[0], tau=unknown, granulated=unknown, by=dict.fromkeys(BY, unknown))
    rows[1] = replace(rows[1], tau=Between(0.2, NAN, NAN), beyond_trace=unknown, against_trace=unknown)
    return replace(made, networks=tuple(networks), rankings=tuple(rows))


def found_in(folder: Path, **made: Study) -> Collection:
    """A folder with these studies, by the names of their documents."""
    for name, result in made.items():
        save(result, folder / f"{name}.json")
    return collection([folder])
