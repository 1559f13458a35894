"""Whether intervals at 95 % hold the truth in 95 % of runs, on matrices of known spectrum.

With a fixed number of probes, and for runs that choose their own and stop at a tolerance.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from bench import summary
from bench.options import Options
from bench.spectra import SIZE, gauss, matrix, spectra
from bench.tables import Column, Row, Table, attempted
from bench.trials import Trial, fixed, over_seeds, pool, stopped, traced
from egregium.estimators.plan import PILOTS

SEEDS, QUICK_SEEDS = 2000, 40
DEPTH, PROBES, TOLERANCES = 16, (16, 32, 128), (0.1, 0.03, 0.01)

SPECTRUM = Column("spectrum", "spectrum")
FIXED = (
    SPECTRUM,
    Column("probes", "probes", "d"),
    Column("covered", "coverage, %", ".1f"),
    Column("width", "width", ".2f"),
    Column("bias", "bias, standard errors", "+.1f"),
    Column("plain_covered", "coverage without sketch, %", ".1f"),
    Column("plain_width", "width without sketch", ".2f"),
)
STOPPED = (
    SPECTRUM,
    Column("rtol", "tolerance", ".0%"),
    Column("covered", "coverage, %", ".1f"),
    Column("within", "within tolerance, %", ".1f"),
    Column("width", "width", ".2f"),
    Column("bias", "bias, standard errors", "+.1f"),
    Column("products", "products", ".0f"),
    Column("plain", "RMSE / that of plain probes", ".2f"),
    Column("ended", "ended early, %", ".1f"),
)
TRACED = tuple(column for column in STOPPED if column.key != "plain")
PLAIN = "Plain probes: pairs of as many probes as the run took products, without a sketch."
SMALL = (SPECTRUM, *(Column(f"{depth}+{probes}", f"{depth} + {probes}", ".1f") for depth, probes in PILOTS))
ABLATIONS = (
    Column("ablation", "left out"),
    SPECTRUM,
    Column("probes", "probes", "d"),
    Column("covered", "coverage, %", ".1f"),
    Column("without", "coverage without it, %", ".1f"),
    Column("bias", "bias without it, % of the value", "+.2f"),
    Column("errors", "in standard errors", "+.1f"),
)


def tables(options: Options) -> Iterator[Table]:
    """Coverage at fixed probes, of stopped runs, of the smallest pilots; and what two safeguards are worth."""
    seeds = options.number(SEEDS, QUICK_SEEDS)
    note = f"n = {SIZE}, {seeds:,} seeds a row; width: mean over 2 x 1.96 true deviations."
    with TemporaryDirectory() as folder, pool(options.processes) as executor:
        runs = {name: _Runs(executor, Path(folder) / f"{i}.pt", name, seeds) for i, name in enumerate(spectra())}
        rows = [r.fixed(probes) for r in runs.values() for probes in PROBES]
        yield Table("fixed", f"Intervals from a sketch of {DEPTH} and a fixed number of probes", FIXED, rows, note)
        rows = [r.stopped(rtol) for r in runs.values() for rtol in TOLERANCES]
        yield Table("stopped", "Runs that stop by themselves", STOPPED, rows, f"{note} {PLAIN}")
        rows = [r.traced(rtol) for r in runs.values() for rtol in TOLERANCES]
        yield Table("traced", "The same where the trace is known", TRACED, rows, note)
        rows = [r.small() for r in runs.values()]
        yield Table("small", "Coverage, %, of the pilots for small budgets: directions + probes", SMALL, rows, note)
        yield Table("ablations", "Two safeguards left out", ABLATIONS, list(_ablations(runs)), note)


class _Runs:
    """The runs on one spectrum; those at fixed probes are made once."""

    def __init__(self, executor: ProcessPoolExecutor, path: Path, name: str, seeds: int) -> None:
        values = spectra()[name]
        torch.save(matrix(values), path)
        self.path, self.name, self.truth = path, name, gauss(values)
        self._executor, self._seeds = executor, seeds
        self._kept: dict[tuple[int, int], list[Trial]] = {}

    def at(self, depth: int, probes: int) -> list[Trial]:
        """Runs at a fixed number of probes."""
        if (depth, probes) not in self._kept:
            task = partial(fixed, self.path, depth, probes)
            self._kept[depth, probes] = over_seeds(self._executor, task, self._seeds)
        return self._kept[depth, probes]

    def fixed(self, probes: int) -> Row:
        def case() -> Row:
            plain = self.at(0, probes)
            shared = self._judged(self.at(DEPTH, probes))
            return shared | {"plain_covered": summary.covered(plain, self.truth), "plain_width": summary.width(plain)}

        return attempted({"spectrum": self.name, "probes": probes}, case)

    def stopped(self, rtol: float) -> Row:
        def case() -> Row:
            trials = over_seeds(self._executor, partial(stopped, self.path, rtol, True), self._seeds)
            rmse, plain = (
                summary.rmse(values, self.truth)
                for values in ([t.value for t in trials], [t.plain for t in trials if t.plain is not None])
            )
            return self._ended(trials, rtol) | {"plain": rmse / plain}

        return attempted({"spectrum": self.name, "rtol": rtol}, case)

    def traced(self, rtol: float) -> Row:
        def case() -> Row:
            return self._ended(over_seeds(self._executor, partial(traced, self.path, rtol), self._seeds), rtol)

        return attempted({"spectrum": self.name, "rtol": rtol}, case)

    def _ended(self, trials: list[Trial], rtol: float) -> Row:
        return self._judged(trials) | summary.effort(trials) | {"within": summary.within(trials, self.truth, rtol)}

    def small(self) -> Row:
        def case() -> Row:
            return {f"{m}+{k}": summary.covered(self.at(m, k), self.truth) for m, k in PILOTS}

        return attempted({"spectrum": self.name}, case)

    def _judged(self, trials: list[Trial]) -> Row:
        errors = summary.bias([trial.value for trial in trials], self.truth)[1]
        return {"covered": summary.covered(trials, self.truth), "width": summary.width(trials), "bias": errors}


def _ablations(runs: dict[str, _Runs]) -> Iterator[Row]:
    """The parabola of a squared mean near 0 against the jackknife alone; pairs against the mean squared, no sketch."""
    network, _, _, traceless, *_ = runs.values()
    for probes in PROBES:
        trials = traceless.at(DEPTH, probes)
        yield {
            "ablation": "the parabola: the jackknife alone",
            "spectrum": traceless.name,
            "probes": probes,
            "covered": summary.covered(trials, traceless.truth),
            "without": summary.covered_by_jackknife(trials, traceless.truth),
        }
    for probes in PROBES:
        trials = network.at(0, probes)
        naive = [trial.mean_squared for trial in trials]
        percent, errors = summary.bias(naive, network.truth)
        around = [abs(x - network.truth) <= trial.half_width for x, trial in zip(naive, trials, strict=True)]
        yield {
            "ablation": "pairs: the mean is squared",
            "spectrum": f"{network.name}, no sketch",
            "probes": probes,
            "covered": summary.covered(trials, network.truth),
            "without": 100 * sum(around) / len(around),
            "bias": percent,
            "errors": errors,
        }
