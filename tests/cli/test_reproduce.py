"""`egregium reproduce`, as a user runs it: C1 for real, the rest with statements made up."""

import sys
from collections.abc import Callable
from pathlib import Path

import commands
import pytest
from handmade_claims import FAILING, HOLDING, OUTSIDE, UNDECIDED
from made_up import has, made_up, run

import egregium as eg
from egregium.claims import CLAIMS, Outcome, Run
from egregium.errors import DataError, UnsuitableError
from egregium.report import collection, page

MINE = """
import torch, egregium as eg
def square():
    return eg.Landscape.from_function(lambda x: x @ x, torch.zeros(4))
def broken():
    raise OSError("no disk")
"""


def without_data(_: Run) -> Outcome:
    raise DataError("The digits come with scikit-learn: pip install 'egregium[demo]'.")


def unsuitable(_: Run) -> Outcome:
    raise UnsuitableError("it has one batch.")


def with_a_bug(_: Run) -> Outcome:
    raise ZeroDivisionError("division by zero")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def test_c1_from_statement_to_page(tmp_path: Path) -> None:
    done = commands.run(tmp_path, "reproduce", "c1", "--seed", "3", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress bar in a pipe
    found = eg.load(tmp_path / "out" / "C1.json")
    assert (found.verdict, found.seed, found.preset) == ("holds", 3, "quick")
    assert found.command == "egregium reproduce c1 --seed 3 --out out"
    assert found.created
    assert f"C1  {CLAIMS['C1'].title}  ✓ holds" in done.stdout
    assert f"The statement holds as stated, with {len(found.checks)} comparisons." in done.stdout
    assert str(tmp_path / "out" / "report.html") in done.stdout
    shown = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert found.command in shown
    again = commands.run(tmp_path, "report", "out", "--out", "again.html")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == shown == page(collection([tmp_path / "out"]))


def test_all_verdicts_and_what_is_wrong(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = (FAILING,) * 9
    claims = (
        made_up("C1", HOLDING),
        made_up("C2", HOLDING, *many),
        made_up("C3", UNDECIDED),
        made_up("C10", HOLDING, OUTSIDE),
    )
    has(monkeypatch, *claims)
    code, said, _ = run()
    assert code == 1
    assert "C1 Statement C1 ✓ holds 1 0.0 C2 Statement C2 ✗ fails 10 0.0 C3 Statement C3 ? undecided 1" in said
    sentence = (
        "C2 fails: |R| ≤ (tr H)²; sphere of radius 2: found 1.5, expected at most 1.2, tolerance 1e-09 (rounding in"
    )
    assert said.count(sentence) == 5
    assert "C2: 4 more; the page has all." in said
    assert "C3 is undecided: escape times; network on digits: found 41, expected 40.2; the tolerance 3 (99.9 %" in said
    assert "is too wide to see a departure of 1." in said
    assert "2 of 4 statements hold as stated, with 14 comparisons." in said
    names = {path.name for path in (folder / "egregium-claims").iterdir()}
    assert names == {"C1.json", "C2.json", "C3.json", "C10.json", "report.html"}


def test_undecided_is_said_and_no_failure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, made_up("C3", UNDECIDED), made_up("C4"), made_up("C5", OUTSIDE))
    code, said, _ = run("all", "--preset", "full")
    assert code == 0
    assert "C5 is undecided: its condition does not hold here, and nothing was compared within it." in said
    assert "C3 is undecided" in said
    assert "C4 is undecided: nothing was compared (A note)." in said
    assert "0 of 3 statements hold" in said
    assert eg.load(folder / "egregium-claims" / "C3.json").preset == "full"


def test_a_target_that_a_statement_cannot_use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found out as it is run: `all` goes on without it, by name it is refused."""
    has(monkeypatch, made_up("C1", run=unsuitable), made_up("C2", HOLDING))
    code, said, _ = run("--target", "mine.py:square")
    assert code == 0
    assert "C1 is left out: it has one batch." in said
    assert {path.name for path in (folder / "egregium-claims").iterdir()} == {"C2.json", "report.html"}
    code, said, _ = run("all", "c1", "--target", "mine.py:square", "--force")
    assert code == 2
    assert "C1 could not be run. it has one batch." in said
    has(monkeypatch, made_up("C1", run=unsuitable))
    code, said, wrong = run("--target", "mine.py:square", "--out", "none")
    assert (code, (folder / "none").exists()) == (2, False)
    assert "None of the statements can be run on this target" in wrong


@pytest.mark.parametrize(
    ("broken", "words"),
    [(without_data, "egregium[demo]"), (with_a_bug, "please report it: ZeroDivisionError: division by zero")],
)
def test_what_cannot_be_run_stops_no_other(
    broken: Callable[[Run], Outcome], words: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(monkeypatch, made_up("C1", run=broken), made_up("C2", HOLDING))
    code, said, _ = run()
    assert code == 2
    assert "C1 could not be run." in said
    assert words in said
    assert "The statement holds as stated" in said
    assert {path.name for path in (folder / "egregium-claims").iterdir()} == {"C2.json", "report.html"}
    has(monkeypatch, made_up("C1", run=broken), made_up("C2", FAILING))
    assert run("--force")[0] == 1
    code, said, _ = run("c1", "--out", "other")
    assert code == 2
    assert not (folder / "other").exists()


def test_nothing_is_overwritten_without_force(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, made_up("C1", HOLDING), made_up("C2", HOLDING))
    assert run("C2", "--out", "out")[0] == 0
    before = (folder / "out" / "C2.json").read_bytes()
    for args in (("all",), ("C1",)):  # its result, and the page
        code, said, wrong = run(*args, "--out", "out")
        assert (code, said) == (2, "")
        assert "exists and is not overwritten" in wrong
        assert not (folder / "out" / "C1.json").exists()
    assert (folder / "out" / "C2.json").read_bytes() == before
    assert run("C1", "--out", "out", "--force")[0] == 0
    assert (folder / "out" / "C2.json").read_bytes() == before
    assert "2 statements, each of them run" in (folder / "out" / "report.html").read_text(encoding="utf-8")


def test_on_a_target(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, made_up("C1", HOLDING, target=False), made_up("C2", HOLDING))
    code, said, _ = run("--target", "mine.py:square")
    assert code == 0
    assert "C1 is left out: it is about spheres." in said
    found = eg.load(folder / "egregium-claims" / "C2.json")
    assert (found.target, found.checks[0].subject) == ("mine.py:square", "n = 4")
    assert not (folder / "egregium-claims" / "C1.json").exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("c7",), ("There is no statement 'c7'", "C1 Statement C1", "C2 Statement C2")),
        (
            ("C1", "c2", "--target", "mine.py:square"),
            ("C1 cannot be run on a target: it is about spheres.",),
        ),
        (("all", "C1", "--target", "mine.py:square"), ("C1 cannot be run on a target",)),
        (("--target", "mine.py:cube"), ("no function 'cube'",)),
        (("c2", "--target", "mine.py:broken"), ("OSError: no disk",)),
        (("--target", "mine.py:square", "--checkpoint", "none.pt"), ("none.pt",)),
        (("--target", "mine.py:square", "--device", "nowhere"), ("device 'nowhere'",)),
        (("--dtype", "float64"), ("--dtype is about a TARGET", "--target")),
        (("--checkpoint", "a.pt"), ("--checkpoint is about a TARGET",)),
        (("--preset", "huge"), ("--preset must be one of quick, full, got 'huge'",)),
        (("--seed", "-1"), ("seed must be a non-negative integer",)),
        (("--out", "mine.py"), ("--out mine.py cannot be used", "is a file")),
    ],
)
def test_bad_commands_are_sentences(
    args: tuple[str, ...], words: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(monkeypatch, made_up("C1", HOLDING, run=with_a_bug, target=False), made_up("C2", run=with_a_bug))
    before = {path.name for path in folder.iterdir()} | {"__pycache__"}
    code, said, wrong = run(*args)
    assert (code, said) == (2, "")
    assert [word for word in words if word not in wrong] == []
    assert {path.name for path in folder.iterdir()} <= before


def test_of_several_none_can_use_a_target(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, made_up("C1", HOLDING, target=False))
    assert "None of the statements can be run on this target" in run("--target", "mine.py:square")[2]
