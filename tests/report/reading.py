"""A page as its reader has it: elements and words, and its width in a browser."""

import html
import re
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

VOID = {"meta", "link", "br", "img", "input", "hr", "wbr"}


class Reader(HTMLParser):
    """Elements with their attributes, in order; text by section; the stack is checked on the way."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.stack: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.stack):
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def ways(reader: Reader) -> set[str]:
    """Where links within the page and labels lead; each of these places is there, and no name twice."""
    ids = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(ids) == len(set(ids))
    wanted = {a["href"][1:] for _, a in reader.elements if a.get("href", "").startswith("#")}
    wanted |= {name for _, a in reader.elements for name in a.get("aria-labelledby", "").split()}
    assert wanted <= set(ids)
    return wanted


def in_order(reader: Reader) -> None:
    """Headings go down by one level at a time, each table has its caption, and each heading of one says of what."""
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    tags = [tag for tag, _ in reader.elements]
    assert tags.count("caption") == tags.count("table")
    assert all("scope" in cell for cell in reader.all("th"))


def read(text: str) -> str:
    """All words of a page, in order."""
    return " ".join("".join(Reader(text).words).split())


def measured_in(chromium: str, document: str, width: int, folder: Path) -> tuple[int, int]:
    """(width of the content, width of the view) of `document` in a frame of `width` pixels."""
    frame = f'<iframe style="border:0;width:{width}px;height:800px" srcdoc="{html.escape(document)}"></iframe>'
    probe = """<script>onload = () => {
      const root = document.querySelector("iframe").contentDocument.documentElement;
      document.title = `${root.scrollWidth} of ${root.clientWidth}`;
    }</script>"""
    (folder / "frame.html").write_text(f"<!doctype html><meta charset=utf-8>{probe}{frame}", encoding="utf-8")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    quiet += ["--disable-component-update", "--disable-sync", f"--user-data-dir={folder / 'profile'}"]
    command = [chromium, "--headless", *quiet, "--dump-dom", (folder / "frame.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    title = re.search(r"<title>(\d+) of (\d+)</title>", done.stdout)
    assert title is not None, done.stderr
    return int(title[1]), int(title[2])
