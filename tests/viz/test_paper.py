"""Pictures as files."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

import egregium as eg
from egregium.errors import ArgumentError, DocumentError
from egregium.viz import Picture, curvature_figure, svg, write_figure
from egregium.viz.palette import DARK_PAGE


@pytest.fixture
def picture(session: eg.Session) -> Picture:
    return curvature_figure(session)


@pytest.mark.parametrize(("suffix", "start"), [("pdf", b"%PDF"), ("svg", b"<?xml"), ("PNG", b"\x89PNG")])
def test_format_by_suffix_and_the_same_file_each_time(
    picture: Picture, tmp_path: Path, suffix: str, start: bytes
) -> None:
    for name in ("a", "b"):
        write_figure(picture, tmp_path / f"{name}.{suffix}")
    content = (tmp_path / f"a.{suffix}").read_bytes()
    assert content.startswith(start)
    assert b"Date" not in content
    assert content == (tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("options", "corner"),
    [({}, (1, 1, 1, 1)), ({"dark": True}, (*to_rgb(DARK_PAGE), 1)), ({"transparent": True}, (1, 1, 1, 0))],
)
def test_page_is_white_dark_or_nothing(
    picture: Picture, tmp_path: Path, options: dict[str, Any], corner: tuple[float, ...]
) -> None:
    write_figure(picture, tmp_path / "a.png", **options)
    assert imread(tmp_path / "a.png")[0, 0][[3]] == pytest.approx(corner[3])
    if corner[3]:
        assert np.allclose(imread(tmp_path / "a.png")[0, 0], corner, atol=1 / 255)


def test_the_picture_is_as_before(picture: Picture, tmp_path: Path) -> None:
    before = svg(picture)
    for suffix in ("pdf", "svg", "png"):
        write_figure(picture, tmp_path / f"a.{suffix}", dark=True, transparent=suffix == "pdf")
    assert svg(picture) == before
    assert picture.figure.patch.get_alpha() == 0


def test_title_and_caption_are_in_the_file(picture: Picture, tmp_path: Path) -> None:
    write_figure(picture, tmp_path / "a.svg")
    text = " ".join(ElementTree.parse(tmp_path / "a.svg").getroot().itertext())
    assert picture.title in text
    assert picture.caption in text


def test_the_f_of_a_norm_is_lowered_and_names_stay_names(session: eg.Session, tmp_path: Path) -> None:
    picture = curvature_figure(session)
    seen: list[str] = []
    label = picture.figure.axes[0].xaxis.label
    draw = label.draw
    label.draw = lambda renderer: (seen.append(label.get_text()), draw(renderer))[1]
    write_figure(picture, tmp_path / "a.png")
    assert r"|$\tilde{\mathrm{S}}$|$^2_F$" in seen[-1]
    assert "|S̃|²_F" in label.get_text()
    assert not label.get_parse_math()


def test_other_suffixes_are_a_sentence(picture: Picture, tmp_path: Path) -> None:
    for name in ("a.jpg", "a"):
        with pytest.raises(ArgumentError, match=r"\.pdf, \.svg or \.png, got"):
            write_figure(picture, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_kept_unless_forced(picture: Picture, tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_text("mine")
    with pytest.raises(DocumentError, match="exists"):
        write_figure(picture, path)
    assert path.read_text() == "mine"
    write_figure(picture, path, force=True)
    assert path.read_text() != "mine"
    with pytest.raises(DocumentError, match="Cannot write"):
        write_figure(picture, tmp_path / "none" / "a.svg")
