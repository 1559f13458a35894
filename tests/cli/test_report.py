"""`egregium report`, as a user runs it."""

from pathlib import Path

import pytest
from handmade import line, trajectory
from typer.testing import CliRunner

from egregium.cli.app import app
from egregium.results import save


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    save(line(), tmp_path / "run" / "line.json")
    return tmp_path


def run(*args: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["report", *map(str, args)])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, " ".join(done.output.split())


def test_the_page_is_in_the_first_directory_and_kept(folder: Path) -> None:
    (folder / "other").mkdir()
    save(trajectory(), folder / "other" / "steps.json")
    (folder / "other" / "broken.json").write_text("{")
    code, said = run(folder / "run", folder / "other")
    assert code == 0
    assert f"The page: {folder / 'run' / 'report.html'}" in said
    assert "broken.json is not JSON" in said
    shown = (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert "run · line" in shown
    assert "other · steps" in shown
    code, said = run(folder / "run")
    assert code == 2
    assert "--force" in said
    assert (folder / "run" / "report.html").read_text(encoding="utf-8") == shown
    assert run(folder / "run", "--force")[0] == 0
    assert run(folder / "run", "--out", folder / "new" / "page.html")[0] == 0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("nowhere",), "There is no directory"),
        (("empty",), "There is no document to show"),
        (("run/line.json",), "is a file. Pass the directory"),
        (("run", "--out", "run"), "is a directory. Pass the name of a file"),
        (("run", "--out", "run/line.json/page.html"), "Choose another folder"),
    ],
)
def test_bad_input_is_a_sentence(folder: Path, args: tuple[str, ...], words: str) -> None:
    (folder / "empty").mkdir()
    code, said = run(*(arg if arg.startswith("--") else folder / arg for arg in args))
    assert code == 2
    assert words in said
