"""A page as its reader has it: elements and words, and its width in a browser."""

import html
import re
import subprocess
from html.parser import HTMLParser
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
