"""What directories hold: documents of egregium, with the points of all sessions, and what cannot be read."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from egregium.errors import ArgumentError, DocumentError
from egregium.results import ClaimResult, Measurement, Session, load

Kind = TypeVar("Kind")
#: Files of lines that are called otherwise than the document they end in.
ENDS_IN = {"networks.jsonl": "study.json"}


@dataclass(frozen=True, eq=False)
class Found:
    """A document: what it is called on the page, its file's name, and what it holds."""

    name: str
    file: str
    result: Any

    @property
    def kind(self) -> str:
        """Of what it holds, in words."""
        return "".join(" " + c.lower() if c.isupper() else c for c in type(self.result).__name__).strip()


@dataclass(frozen=True, eq=False)
class Collection:
    """Documents for one page.

    Attributes:
        title, command, created: of the page; `command` and `created` are empty where several documents differ in it.
        session: the points of all sessions and measurements, named by directory where there are several; None without.
        sources: for each of these points, the session it is from.
        documents: everything that was read, in order.
        unread: a sentence for each file that is not on the page.
    """

    title: str
    command: str
    created: str
    session: Session | None
    sources: dict[str, Session] = field(default_factory=dict)
    documents: tuple[Found, ...] = ()
    unread: tuple[str, ...] = ()

    def only(self, kept: "Sequence[Found]") -> "Collection":
        """These documents alone, with a sentence for each of the others."""
        lost = [each for each in self.documents if each not in kept]
        said = tuple(f"{each.file} cannot be shown: a number in it is out of all bounds, or edited." for each in lost)
        results = [each.result for each in kept]
        sources = {name: of for name, of in self.sources.items() if of in results or _single(of, results)}
        points = {} if self.session is None else self.session.measurements
        left = {name: m for name, m in points.items() if name in sources}
        session = replace(self.session, measurements=left) if self.session is not None and left else None
        return replace(self, session=session, sources=sources, documents=tuple(kept), unread=(*self.unread, *said))

    def of(self, kind: type[Kind]) -> list[tuple[str, Kind]]:
        """Name and content of the documents of this kind."""
        return [(found.name, found.result) for found in self.documents if isinstance(found.result, kind)]


def _single(source: Session, results: Sequence[Any]) -> bool:
    """Whether a session was made of one of these measurements."""
    return any(m is result for m in source.measurements.values() for result in results)


def alone(session: Session) -> Collection:
    """One session as a collection."""
    if not session.measurements:
        raise ArgumentError("page needs a session with at least one measurement, got none. Measure a point first.")
    sources = dict.fromkeys(session.measurements, session)
    documents = (Found(session.title, "result.json", session),)
    return Collection(session.title, session.command, session.created, session, sources, documents)


def collection(directories: Iterable[str | Path], command: str = "") -> Collection:
    """Every document in the directories.

    Raises ArgumentError where a directory is missing, DocumentError where none of them has a document that can be read.
    """
    folders = list({Path(each).resolve(): Path(each) for each in directories}.values())
    if not folders:
        raise ArgumentError("A page needs at least one directory with documents, got none.")
    documents: list[Found] = []
    unread: list[str] = []
    for folder, name in zip(folders, _names(folders), strict=True):
        read, refused = _read(folder, name if len(folders) > 1 else "")
        documents += read
        unread += refused
    if not documents:
        places = " and ".join(map(str, folders))
        why = " ".join(unread) or "Measure something with --out there, or pass another directory."
        raise DocumentError(f"There is no document to show in {places}. {why}")
    return _gathered(folders, documents, unread, command)


def _names(folders: Sequence[Path]) -> list[str]:
    """The last part of each path; the whole path where two are alike."""
    last = [folder.resolve().name for folder in folders]
    return [name if Counter(last)[name] == 1 else str(folder) for name, folder in zip(last, folders, strict=True)]


def _read(folder: Path, prefix: str) -> tuple[list[Found], list[str]]:
    """Documents of a directory in the order of their names, and why others are not among them."""
    documents, unread = [], []
    for path in _files(folder):
        if path.suffix == ".jsonl":
            if not path.with_name(ENDS_IN.get(path.name, f"{path.stem}.json")).exists():
                unread.append(
                    f"{path} is still being written, or its run was stopped: its numbers are not here. "
                    "Run the same command again to finish it."
                )
            continue
        try:
            result = _sound(path)
        except DocumentError as error:
            unread.append(str(error))
        else:
            documents.append(Found(" · ".join(part for part in (prefix, path.stem) if part), path.name, result))
    return documents, unread


def natural(name: str) -> list[tuple[int, str]]:
    """What to sort names by so that numbers in them count.

    >>> sorted(["C10.json", "C2.json", "C1.json"], key=natural)
    ['C1.json', 'C2.json', 'C10.json']
    """
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


def _files(folder: Path) -> list[Path]:
    """Its documents and what is being written; names that begin with a dot are temporary."""
    if not folder.exists():
        raise ArgumentError(f"There is no directory {folder}. Pass the --out directory of an earlier command.")
    if not folder.is_dir():
        raise ArgumentError(f"{folder} is a file. Pass the directory that it is in.")
    try:
        paths = sorted(folder.iterdir(), key=lambda path: natural(path.name))
    except OSError as error:
        raise ArgumentError(
            f"Cannot look into {folder}: {error.strerror}. Choose a directory that is yours."
        ) from error
    return [path for path in paths if path.suffix in (".json", ".jsonl") and path.name[0] != "." and path.is_file()]


def _sound(path: Path) -> Any:
    """What `path` holds, where there is something to show."""
    result = load(path)
    if isinstance(result, Session) and not result.measurements:
        raise DocumentError(f"{path} has no measurements: the run ended before the first. Run it again.")
    return result


def _gathered(folders: list[Path], documents: list[Found], unread: list[str], command: str) -> Collection:
    sources: dict[str, Session] = {}
    points: dict[str, Measurement] = {}
    for found in documents:
        for name, (m, session) in _points(found, len(folders) > 1, set(points)).items():
            points[name], sources[name] = m, session
    of_runs = [found.result for found in documents if hasattr(found.result, "command")]
    alike = {(result.command, result.created) for result in of_runs}
    (own, created) = alike.pop() if len(alike) == 1 else (command, "")
    title = _title(folders, documents)
    remarks = tuple(dict.fromkeys(r for session in sources.values() for r in session.remarks))
    merged = Session(title, own, points, created, remarks) if points else None
    return Collection(title, own, created, merged, sources, tuple(documents), tuple(unread))


def _title(folders: list[Path], documents: list[Found]) -> str:
    """That of all documents, where it is one; what they are where all are claims; else the folders' names."""
    titles = list(dict.fromkeys(t for found in documents if (t := getattr(found.result, "title", ""))))
    if len(titles) == 1:
        return titles[0]
    claims = [found.result for found in documents if isinstance(found.result, ClaimResult)]
    if len(claims) < len(documents):
        return " and ".join(_names(folders))
    target = claims[0].target if len({claim.target for claim in claims}) == 1 else ""
    return f"{len(claims)} statements, each of them run" + (f" on {target}" if target else "")


def _points(found: Found, several: bool, taken: set[str]) -> dict[str, tuple[Measurement, Session]]:
    """The points of a document under names that are not taken, each with the session it is from."""
    result = found.result
    if isinstance(result, Measurement):
        return {found.name: (result, Session(found.name, "", {found.name: result}, ""))}
    if not isinstance(result, Session):
        return {}
    directory = found.name.rpartition(" · ")[0]
    named = {}
    for point, m in result.measurements.items():
        name = f"{directory} · {point}" if several else point
        named[f"{found.name} · {point}" if name in taken else name] = m, result
    return named
