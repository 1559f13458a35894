"""The scripts of a page, inlined, and the policy that lets these run and nothing else."""

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from markupsafe import Markup

#: What sorts tables, draws surfaces, and asks the program that serves a page.
TABLES, PLOTLY, SURFACES, LIVE = "page.js", "vendor/plotly-gl3d.min.js", "surfaces.js", "explore.js"


@dataclass(frozen=True)
class Script:
    """A script's text as it stands between its tags, and its hash as the policy names it."""

    text: Markup
    digest: str


def scripts(interactive: bool, live: bool = False) -> list[Script]:
    """What a page runs: plotly only where there is something to turn, questions only where something answers."""
    names = (TABLES, *((PLOTLY, SURFACES) if interactive else ()), *((LIVE,) if live else ()))
    return [_script(name) for name in names]


def policy(allowed: list[Script], live: bool = False) -> str:
    """The content security policy: nothing is loaded, only these scripts run; pictures are in the page.

    `live`: the page may ask where it came from.
    """
    asked = "; connect-src 'self'" if live else ""
    hashes = " ".join(f"'{script.digest}'" for script in allowed)
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {hashes}{asked}"


@cache
def _script(name: str) -> Script:
    text = files("egregium.report").joinpath(name).read_text(encoding="utf-8")
    # a browser would end the element, or hash other line ends than are here
    if "</script" in text.lower() or "<!--" in text or "\r" in text:
        raise AssertionError(f"{name} cannot be inlined")
    return Script(Markup(text), "sha256-" + b64encode(sha256(text.encode()).digest()).decode())
