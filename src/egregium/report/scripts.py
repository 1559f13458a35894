"""The scripts of a page, inlined, and the policy that lets these run and nothing else."""

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from markupsafe import Markup

#: Ours sorts tables; the two others draw surfaces.
TABLES, PLOTLY, SURFACES = "page.js", "vendor/plotly-gl3d.min.js", "surfaces.js"


@dataclass(frozen=True)
class Script:
    """A script's text as it stands between its tags, and its hash as the policy names it."""

    text: Markup
    digest: str


def scripts(interactive: bool) -> list[Script]:
    """What a page runs: plotly only where there is something to turn."""
    return [_script(name) for name in ((TABLES, PLOTLY, SURFACES) if interactive else (TABLES,))]


def policy(allowed: list[Script]) -> str:
    """The content security policy: nothing is loaded, only these scripts run; pictures are in the page."""
    hashes = " ".join(f"'{script.digest}'" for script in allowed)
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {hashes}"


@cache
def _script(name: str) -> Script:
    text = files("egregium.report").joinpath(name).read_text(encoding="utf-8")
    # a browser would end the element, or hash other line ends than are here
    if "</script" in text.lower() or "<!--" in text or "\r" in text:
        raise AssertionError(f"{name} cannot be inlined")
    return Script(Markup(text), "sha256-" + b64encode(sha256(text.encode()).digest()).decode())
