"""RUN of the command line: a folder with a result.json, or a document; `RUN:POINT` for one of its points."""

from collections.abc import Iterable
from pathlib import Path

from egregium.cli.session import RESULT
from egregium.errors import ArgumentError, DocumentError
from egregium.results import Measurement, Session, load

#: Between the name of a run and that of its point.
DOT = " · "


def named_points(runs: Iterable[str]) -> tuple[dict[str, Measurement], dict[str, str]]:
    """The measurements of all runs by name, and the command that made each.

    A run's name is that of its folder or file, the whole path where two are called the same; with several points the
    point's name follows. Raises DocumentError and ArgumentError where a run cannot be read, holds something else, lacks
    the point, or is named twice.
    """
    found = [(*_divided(run), run) for run in runs]
    short = [_short(path) for path, _, _ in found]
    points: dict[str, Measurement] = {}
    commands: dict[str, str] = {}
    for (path, point, run), name in zip(found, short, strict=True):
        paths = {p.resolve() for (p, _, _), other in zip(found, short, strict=True) if other == name}
        measured, command = _measurements(path)
        several = len(measured) > 1
        for key in _chosen(measured, point, run):
            full = (name if len(paths) == 1 else str(path)) + (DOT + key if several else "")
            if full in points:
                raise ArgumentError(f"{full} is named twice. Name each point once, the one to compare with first.")
            points[full], commands[full] = measured[key], command
    return points, commands


def _divided(run: str) -> tuple[Path, str | None]:
    """The path, and the name of the point after a colon; a path that exists is taken whole."""
    path, colon, point = run.partition(":")
    while colon and not Path(path).exists():  # a colon in the path itself
        more, colon, point = point.partition(":")
        path = f"{path}:{more}"
    return (Path(path), point) if colon and not Path(run).exists() else (Path(run), None)


def _short(path: Path) -> str:
    """The name of a run: its folder's, also where the document in it is named."""
    return path.resolve().parent.name if path.name == RESULT else path.resolve().name.removesuffix(".json")


def _measurements(path: Path) -> tuple[dict[str, Measurement], str]:
    """The measurements in a document by the names of their points, and the command that made it."""
    if path.is_dir() and not (path / RESULT).exists():
        raise DocumentError(f"{path} has no {RESULT}. Name a folder that egregium measure or demo wrote.")
    content = load(path / RESULT if path.is_dir() else path)
    if isinstance(content, Measurement):
        return {path.stem: content}, ""
    if not isinstance(content, Session):
        raise DocumentError(
            f"{path} holds a {type(content).__name__}; compare needs what egregium measure or demo wrote, a {RESULT}."
        )
    return dict(content.measurements), content.command


def _chosen(measured: dict[str, Measurement], point: str | None, run: str) -> list[str]:
    if point is None:
        return list(measured)
    if point not in measured:
        raise ArgumentError(f"{run} names no point of that run; it has {', '.join(measured)}.")
    return [point]
