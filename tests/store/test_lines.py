"""Append-only files: what is kept, what is cut off, what is refused."""

from pathlib import Path
from typing import Any

import pytest

from egregium.errors import DocumentError
from egregium.store import LineFile, lines_of


def whole(line: Any) -> int:
    if not isinstance(line["n"], int):
        raise ValueError("no number")
    return int(line["n"])


def opened(path: Path, what: dict[str, Any] | None = None, anew: bool = False) -> LineFile[int]:
    return LineFile(path, "list", what or {"a": 1}, whole, anew)


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    file = opened(tmp_path / "f")
    for n in range(3):
        file.add({"n": n})
        assert (tmp_path / "f").read_text().count("\n") == n + 2  # on disk before the next one
    file.close()
    again = opened(tmp_path / "f")
    assert again.entries == [0, 1, 2]
    again.close()
    assert lines_of(tmp_path / "f", "list", whole) == ({"a": 1}, [0, 1, 2])


def test_half_of_a_line_is_cut_off_and_the_next_one_stands_alone(tmp_path: Path) -> None:
    file = opened(tmp_path / "f")
    file.add({"n": 0})
    file.close()
    with (tmp_path / "f").open("a") as end:
        end.write('{"n": 1')
    assert lines_of(tmp_path / "f", "list", whole)[1] == [0]  # reading alone changes nothing
    assert (tmp_path / "f").read_text().endswith('{"n": 1')
    file = opened(tmp_path / "f")
    file.add({"n": 2})
    file.close()
    assert lines_of(tmp_path / "f", "list", whole)[1] == [0, 2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"other": {}}\n', "is not a file of lists"),
        ('{"list": {"a": 2}}\n', "holds another list: its a is 2, asked is 1"),
        ('{"list": {"a": 1}}\n{"n": "x"}\n', "damaged at line 2"),
        ('{"list": {"a": 1}}\n{"n": 1}\nnonsense\n', "damaged at line 3"),
    ],
)
def test_what_does_not_fit_is_refused_untouched(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "f").write_text(content)
    with pytest.raises(DocumentError, match=words):
        opened(tmp_path / "f")
    assert (tmp_path / "f").read_text() == content
    with pytest.raises(DocumentError, match=words):  # the lock was let go
        opened(tmp_path / "f")


def test_a_file_of_something_else_is_begun_anew_where_asked(tmp_path: Path) -> None:
    (tmp_path / "f").write_text('{"list": {"a": 2}}\n{"n": 1}\n')
    file = opened(tmp_path / "f", anew=True)
    assert file.entries == []
    file.close()
    assert (tmp_path / "f").read_text() == '{"list": {"a": 1}}\n'


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    file = opened(tmp_path / "f")
    with pytest.raises(DocumentError, match="written by another process"):
        opened(tmp_path / "f")
    file.close()
    opened(tmp_path / "f").close()


def test_what_cannot_be_read_or_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be written"):
        opened(tmp_path / "none" / "f")
    with pytest.raises(DocumentError, match="Cannot read"):
        lines_of(tmp_path / "none", "list", whole)
