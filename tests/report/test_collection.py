"""What directories hold, and sentences for what cannot be read."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from handmade import line, mode_path, plane, trajectory

import egregium as eg
from egregium.report import collection, page
from egregium.results import save


@pytest.fixture
def folder(session: eg.Session, tmp_path: Path) -> Path:
    session.save(str(tmp_path / "result.json"))
    save(plane(), tmp_path / "plane.json")
    return tmp_path


def test_one_directory_keeps_the_names_of_its_points(folder: Path, session: eg.Session) -> None:
    found = collection([folder, folder / "."])  # the same one twice
    assert found.session is not None
    assert list(found.session.measurements) == list(session.measurements)
    assert [each.name for each in found.documents] == ["plane", "result"]
    assert found.title == folder.name  # two titles
    assert found.unread == ()


def test_points_of_several_directories_are_named_by_them(session: eg.Session, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        session.save(str(tmp_path / name / "result.json"))
    session.save(str(tmp_path / "second" / "other.json"))
    found = collection([tmp_path / "first", tmp_path / "second"], "egregium report first second")
    assert found.session is not None
    names = list(found.session.measurements)
    assert names[0] == "first · sampled"
    assert "second · sampled" in names
    assert "second · result · sampled" in names  # the name was taken by other.json
    shown = page(found)
    assert session.title in found.title
    assert "first · sampled" in shown


def test_commands_of_several_runs_are_all_there(session: eg.Session, tmp_path: Path) -> None:
    for i in range(2):
        (tmp_path / str(i)).mkdir()
        replace(session, command=f"egregium measure number {i}").save(str(tmp_path / str(i) / "result.json"))
    shown = page(collection([tmp_path / "0", tmp_path / "1"]))
    assert all(f"<code>egregium measure number {i}</code>" in shown for i in range(2))


def test_a_directory_without_a_session(tmp_path: Path) -> None:
    for name, result in {"plane": plane(), "line": line(), "steps": trajectory(), "path": mode_path()}.items():
        save(result, tmp_path / f"{name}.json")
    shown = page(collection([tmp_path]))
    assert "egregium slice mine.py:landscape --plane --seed 7" in shown
    assert "Seed" in shown
    assert shown.count('download="') == 4
    assert "The path was trained for 9 steps only." in shown


def bad(folder: Path) -> dict[str, str]:
    whole = (folder / "plane.json").read_text()
    document = json.loads(whole)
    edited = json.loads(whole)
    edited["result"]["centre"] = "low"
    contents = {
        "older.json": json.dumps(document | {"schema": 99}),
        "cut.json": whole[: len(whole) // 2],
        "edited.json": json.dumps(edited),
        "config.json": "{}",
        "empty.json": "",
        "sheet.jsonl": "{}\n",
        ".hidden.json.0a1b": "{",
        ".hidden.json": "{",
        "plane.jsonl": "{}\n",
    }
    for name, content in contents.items():
        (folder / name).write_text(content)
    return contents


def test_each_file_that_cannot_be_read_is_a_sentence(folder: Path) -> None:
    bad(folder)
    found = collection([folder])
    said = {Path(sentence.split(" ", 1)[0]).name: sentence for sentence in found.unread}
    assert set(said) == {"older.json", "cut.json", "edited.json", "config.json", "empty.json", "sheet.jsonl"}
    assert "schema 99" in said["older.json"]
    assert "is not JSON" in said["cut.json"]
    assert "Slice.centre should be float, and is 'low'" in said["edited.json"]
    assert "still being written" in said["sheet.jsonl"]
    assert "Run the same command again" in said["sheet.jsonl"]
    assert len(found.documents) == 2
    shown = page(found)
    assert "Not on this page" in shown
    assert "schema 99" in shown


def test_nothing_to_show_is_refused(tmp_path: Path, session: eg.Session) -> None:
    with pytest.raises(eg.EgregiumError, match=r"no document to show in .*Measure something"):
        collection([tmp_path])
    (tmp_path / "slice.jsonl").write_text("{}")
    with pytest.raises(eg.EgregiumError, match="still being written"):
        collection([tmp_path])
    (tmp_path / "slice.jsonl").unlink()
    replace(session, measurements={}).save(str(tmp_path / "result.json"))
    with pytest.raises(eg.EgregiumError, match="has no measurements"):
        collection([tmp_path])
    with pytest.raises(eg.EgregiumError, match="There is no directory"):
        collection([tmp_path / "nowhere"])
    with pytest.raises(eg.EgregiumError, match="is a file"):
        collection([tmp_path / "result.json"])
    with pytest.raises(eg.EgregiumError, match="at least one directory"):
        collection([])
