"""A picture as a file for a paper or a talk."""

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.text import Text

from egregium.errors import ArgumentError
from egregium.results import write_whole
from egregium.viz.palette import DARK, DARK_PAGE
from egregium.viz.picture import Picture, style
from egregium.viz.recolouring import recoloured
from egregium.viz.svg import FROBENIUS

#: What is written beside the picture, by the file's suffix; no dates: the same picture is the same file.
FORMATS: dict[str, dict[str, Any]] = {
    ".pdf": {"Title": "title", "Subject": "caption", "CreationDate": None},
    ".svg": {"Title": "title", "Description": "caption", "Date": None},
    ".png": {"Title": "title", "Description": "caption"},
}
#: Dots per inch, of a PNG and of what is an image in the others.
DOTS = 300
#: Text as outlines that every reader of SVG shows alike, and as fonts that stay searchable in a PDF.
FONTS: dict[Any, Any] = {"svg.fonttype": "path", "pdf.fonttype": 42}


def write_figure(
    picture: Picture,
    path: str | os.PathLike[str],
    *,
    dark: bool = False,
    transparent: bool = False,
    force: bool = False,
) -> None:
    """Write `picture` to `path` as PDF, SVG or PNG, by its suffix; on white, on dark, or on nothing.

    Title and caption stand in the file's metadata. The picture is left as it was. Raises ArgumentError for another
    suffix, DocumentError where the file exists (unless `force`) or cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise ArgumentError(f"A figure is written as .pdf, .svg or .png, got {os.fspath(path)!r}. Choose one of these.")
    words = {"title": picture.title, "caption": picture.caption}
    about = {key: words.get(value, value) if value else None for key, value in FORMATS[suffix].items()}
    page: Any = "none" if transparent else DARK_PAGE if dark else "white"
    content = io.BytesIO()
    with style(), mpl.rc_context(FONTS), recoloured(picture.figure, DARK if dark else {}), _changed(picture):
        picture.figure.patch.set_alpha(0 if transparent else 1)
        picture.figure.savefig(content, format=suffix[1:], dpi=DOTS, facecolor=page, metadata=about)
    write_whole(path, content.getvalue(), force=force)


def _formula(words: str) -> str:
    r"""`words` as mathtext, which drops combining tildes.

    >>> _formula("|S̃|²_F")
    '|$\\tilde{\\mathrm{S}}$|$^2_F$'
    """
    tilde = re.sub("(\\w)\u0303", r"$\\tilde{\\mathrm{\1}}$", words)
    return tilde.replace(FROBENIUS, "$^2_F$").replace("$$", "")


@contextmanager
def _changed(picture: Picture) -> Iterator[None]:
    """Each "²_F" with the F below the power, as a page has it by `svg`; it and the background as before afterwards."""
    opacity = picture.figure.patch.get_alpha()
    texts = [t for t in picture.figure.findobj(Text) if isinstance(t, Text)]
    changed = [(t, t.get_text()) for t in texts if FROBENIUS in t.get_text() and "$" not in t.get_text()]
    for text, words in changed:
        text.set_parse_math(True)
        text.set_text(_formula(words))
    try:
        yield
    finally:
        picture.figure.patch.set_alpha(opacity)
        for text, words in changed:
            text.set_parse_math(False)
            text.set_text(words)
