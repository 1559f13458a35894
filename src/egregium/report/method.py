"""How the numbers of a session were computed, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from egregium.report.typeset import typeset
from egregium.results import Eigenpairs, Environment, Measurement, Session


@dataclass(frozen=True)
class Fact:
    """One thing to know about the computation; a single cell where it is the same at all points."""

    name: Markup
    cells: tuple[Markup, ...]


def facts(session: Session, sources: Mapping[str, Session] | None = None) -> list[Fact]:
    """Method, samples, cost, seed, versions and machine of each point; its command where `sources` differ in it."""
    columns = [_computation(m) | _subject(m) | machine(m.environment) for m in session.measurements.values()]
    if sources and len({(one.command, one.created) for one in sources.values()}) > 1:
        columns = [_origin(sources[name]) | column for name, column in zip(session.measurements, columns, strict=True)]
    return same_or_each(columns)


def same_or_each(columns: Sequence[Mapping[str, Markup]]) -> list[Fact]:
    """What the columns say, name by name: one cell where they agree, else one for each."""
    names = dict.fromkeys(name for column in columns for name in column)
    rows = ((typeset(name), tuple(column.get(name, Markup("–")) for column in columns)) for name in names)
    return [Fact(name, cells[:1] if len(set(cells)) == 1 else cells) for name, cells in rows]


def machine(environment: Environment) -> dict[str, Markup]:
    """Seed, precision, machine and versions."""
    known = {
        "Seed": str(environment.seed),
        "Precision": environment.dtype,
        "Device": f"{environment.device} ({environment.device_name})",
        "Processor": f"{environment.threads} threads on {environment.cores} cores",
        "Platform": environment.platform,
        "Versions": f"egregium {environment.egregium}, torch {environment.torch}, numpy {environment.numpy}, "
        f"scipy {environment.scipy}, Python {environment.python}",
    }
    return {name: escape(text) for name, text in known.items()}


def _origin(session: Session) -> dict[str, Markup]:
    return {"Command": Markup("<code>{}</code>").format(session.command), "Created": escape(session.created)}


def _computation(m: Measurement) -> dict[str, Markup]:
    curvature, gradient = m.scalar_curvature, m.terms["gradient"]
    known = {
        "Matrix": "Hessian H" if m.operator == "hessian" else f"{m.operator}, G, in place of the Hessian H",
        "Factor on the loss": f"{m.scale:g}",
        "Method for R": curvature.method,
        "Probes": f"{len(curvature.samples)}" if curvature.stderr else "none: exact",
        "Confidence": f"{100 * curvature.confidence:g} %",
        "R as precise as asked": "yes" if curvature.converged else "no",
        "Cost of R": str(curvature.cost),
        "Method for 2β² gᵀH²g": _with_cost(gradient.method, str(gradient.cost)),
    }
    for name, pairs in (("Largest eigenvalue", m.largest), ("Smallest eigenvalue", m.smallest)):
        if pairs is not None:
            known[name] = _eigenpairs(pairs)
    if m.density is not None:
        known["Spectral density"] = _with_cost(m.density.method, str(m.density.cost))
        known["Its smoothing"] = f"Gaussian of width {m.density.sigma:.3g} at {m.density.grid.numel()} positions"
    known["Cost of everything"] = str(m.cost)
    return {name: typeset(text) for name, text in known.items()}


def _subject(m: Measurement) -> dict[str, Markup]:
    """By what another document can be told to be of the same data and point."""
    print_ = m.fingerprint
    if print_ is None:
        return {}
    known = {"Point": f"SHA-256 {print_.point}…", "Model": print_.model}
    if print_.data:
        sizes = f"{print_.samples:,} samples in {print_.batches:,} {'batch' if print_.batches == 1 else 'batches'}"
        known = {"Data": f"{sizes}, SHA-256 {print_.data}…"} | known
    return {name: escape(text) for name, text in known.items()}


def _eigenpairs(pairs: Eigenpairs) -> str:
    # both ends come from one run, whose cost stands with the first
    words = _with_cost(pairs.method, "" if str(pairs.cost).startswith("nothing") else str(pairs.cost))
    return words if pairs.converged else f"{words}; not converged"


def _with_cost(method: str, cost: str) -> str:
    cost = cost.removesuffix(" in 0 s")  # not timed on its own
    return f"{method}: {cost}" if cost else method
