"""What the command shows: progress on a terminal, the table, errors as sentences."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from types import FrameType
from typing import NoReturn, ParamSpec

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from egregium.autodiff import memory_failures
from egregium.cli.interruption import CODE, NOTHING, Process, handled_by, raised
from egregium.errors import EgregiumError
from egregium.estimators import Progress as Report
from egregium.measurement.memory import NEEDS
from egregium.results import Comparison, Portrait, Row, Session, Slice, Study
from egregium.results.studied import ALL, GAPS, in_words
from egregium.targets import described

#: Results go to standard output; progress and errors to standard error.
OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)
#: What the first Ctrl-C is answered.
STOPPING = "Stopping after this product; press Ctrl-C again to stop at once."


Parameters = ParamSpec("Parameters")


def sentences(command: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """`command` with its failures as sentences on standard error and exit codes, never a traceback."""

    @wraps(command)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        with Process.interruptible():
            try:
                with memory_failures():
                    command(*args, **kwargs)
            except KeyboardInterrupt:
                failed(NOTHING, CODE)
            except (typer.Exit, typer.Abort):
                raise
            except Exception as error:
                if Process.came:  # an import or the user's code made another exception of it
                    failed(NOTHING, CODE)
                # explore runs what its directory names
                failed(sentence_of(error, theirs=kwargs.get("target") is not None or "directory" in kwargs), 2)

    return guarded


def sentence_of(error: Exception, *, theirs: bool) -> str:
    """What to say of an exception; `theirs`: the user's code ran, so that what we did not foresee may be from there."""
    if isinstance(error, EgregiumError):
        return str(error)
    whose = "The model or the loss failed" if theirs else "egregium failed, please report it"
    return f"{whose}: {described(error)}"


def failed(sentence: str, code: int) -> NoReturn:
    """Say why the command ends, and end it with this exit code."""
    ERR.print("error:", style="bold red", end=" ")
    ERR.print(sentence, markup=False, soft_wrap=True)
    raise typer.Exit(code)


class Watch:
    """A progress bar for one measurement after another, and Ctrl-C as a wish to stop.

    The first Ctrl-C ends the current estimate with what is known; the second one interrupts at once.
    """

    def __init__(self, bar: Progress) -> None:
        self._bar, self._task = bar, bar.add_task("", total=1.0, estimate="")
        self.stopped = self._told = False

    def begin(self, name: str) -> None:
        """Start the bar anew for the task `name`."""
        self._name = name
        self._bar.reset(self._task, description=name, estimate="")

    def advanced(self, fraction: float) -> None:
        """Show that this fraction of a task without estimates is done."""
        self._bar.update(self._task, completed=fraction)

    def __call__(self, report: Report) -> bool:
        """Show a Progress of the library; False once Ctrl-C was pressed."""
        if report.phase.startswith(NEEDS) and not self._told and ERR.is_terminal:
            self._told = True
            ERR.print(f"This {report.phase}.", style="dim")
        self._bar.update(self._task, completed=report.fraction, description=f"{self._name}: {report.phase}")
        if report.estimate is not None:
            self._bar.update(self._task, estimate=f"R = {report.estimate}".replace("+/-", "±"))
        return not self.stopped


@contextmanager
def watching(stopping: str = STOPPING) -> Iterator[Watch]:
    """A Watch while the block runs, which answers the first Ctrl-C; no bar where standard error is no terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[estimate]}"),
    )
    with Progress(*columns, console=ERR, transient=True, disable=not ERR.is_terminal) as bar:
        watch = Watch(bar)

        def stop(_signal: int, _frame: FrameType | None) -> None:
            if os.getpid() != mine:  # a worker of a DataLoader, needed until its parent says SIGTERM
                if _signal == signal.SIGTERM:
                    os._exit(CODE)
                return
            if watch.stopped:
                raised(_signal, _frame)
            watch.stopped = True
            with suppress(RuntimeError):  # in the middle of another line
                ERR.print(stopping)

        mine = os.getpid()
        with handled_by(stop):
            yield watch


def table(session: Session) -> Table:
    """The session's measurements side by side, a column each; what they cost stands below."""
    columns = {name: m.rows() for name, m in session.measurements.items()}
    confidences = {name: m.scalar_curvature.confidence for name, m in session.measurements.items()}
    shown = _table(session.title, columns, confidences)
    costs = "\n".join(f"{name}: {m.cost}" for name, m in session.measurements.items())
    shown.caption = f"{shown.caption}\n{costs}"
    return shown


def geometry_table(portrait: Portrait) -> Table:
    """The numbers of a point."""
    shown = _table(portrait.title, {"": portrait.rows()}, {"": portrait.scalar_curvature.confidence})
    shown.caption = f"{shown.caption}\n{portrait.cost}"
    return shown


def slice_table(seen: Slice) -> Table:
    """The ranges of a slice's quantities."""
    shown = _table(seen.title, {"": seen.rows()}, {"": seen.confidence})
    shown.caption = f"{shown.caption}\n{seen.cost}"
    return shown


def comparison_table(comparison: Comparison) -> Table:
    """The points of a comparison, each but the first with its difference and what that says."""
    shown = Table(box=None, pad_edge=False)
    shown.add_column("", no_wrap=True)
    for name in comparison.points:
        shown.add_column(Text(name), justify="right", no_wrap=True)
        if name != comparison.first:
            shown.add_column("difference", justify="right", no_wrap=True)
            shown.add_column("", style="dim", no_wrap=True)
    group, level = "curvature", f" ({100 * comparison.confidence:g} %)"
    for i, quantity in enumerate(comparison.quantities):
        if quantity.group != group:
            shown.add_section()
        group = quantity.group
        cells = []
        for name in comparison.points:
            found = quantity.differences.get(name)
            told = [str(found).removesuffix(level), found.verdict] if found is not None else ["", ""]
            cells += [quantity.shown(name), *(told if name != comparison.first else [])]
        shown.add_row(quantity.name, *(cell.replace("+/-", "±") for cell in cells), style=None if i else "bold")
    shown.caption, shown.caption_justify = f"Intervals at {level.strip(' ()')}.", "left"
    return shown


def printed_whole(shown: Table) -> None:
    """Print a table as wide as it is: numbers must not lose their last digits to a narrow window."""
    wide = Measurement.get(OUT, OUT.options.update(width=10_000), shown).maximum
    Console(highlight=False, width=max(wide, OUT.width), soft_wrap=True).print(shown)


def _table(title: str, found: Mapping[str, Sequence[Row]], confidences: Mapping[str, float]) -> Table:
    """Rows by the column they stand in; a level that all share is said once, below."""
    shown = Table(title=Text(title), title_justify="left", title_style="bold", box=None, pad_edge=False)
    shown.add_column("", no_wrap=True)
    for name in found:
        shown.add_column(Text(name), justify="right", no_wrap=True)
    shown.add_column("", style="dim")
    columns = [{row.name: row for row in rows if row.group != "cost"} for rows in found.values()]
    levels = [f" ({100 * confidences[name]:g} %)" for name in found]
    group = ""
    for name in dict.fromkeys(name for column in columns for name in column):
        row = next(column[name] for column in columns if name in column)
        if group and row.group != group:
            shown.add_section()
        group = row.group
        cells = [
            column[name].value.replace("+/-", "±").removesuffix(level) if name in column else ""
            for column, level in zip(columns, levels, strict=True)
        ]
        shown.add_row(name, *cells, row.meaning, style="bold" if row.strong else None)
    shown.caption, shown.caption_justify = f"Intervals at {levels[0].strip(' ()')}.", "left"
    return shown


def study_table(study: Study) -> Table:
    """How each measure ranks the gaps among all networks of the factorial part."""
    shown = Table(title=Text(study.title), title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in ("", *(head for gap in GAPS.values() for head in (f"{gap}: tau", "Psi"))):
        shown.add_column(name, justify="right" if name else "left", no_wrap=True)
    shown.add_column("", style="dim")
    of_all = {(each.measure, each.gap): each for each in study.rankings if each.group == ALL}
    for measure, meaning in study.measures.items():
        found = [of_all.get((measure, gap)) for gap in GAPS]
        cells = [str(part or "") for each in found for part in ((each.tau, each.granulated) if each else ("", ""))]
        style = "bold" if measure == "scalar_curvature" else None
        shown.add_row(in_words(measure), *cells, meaning, style=style)
    shown.caption, shown.caption_justify = f"Kendall's tau; intervals at {100 * study.confidence:g} %.", "left"
    return shown
