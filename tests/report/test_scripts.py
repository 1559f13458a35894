"""What a page runs, and the policy that lets nothing else run."""

import re
from base64 import b64encode
from hashlib import sha256

from handmade import plane

import egregium as eg
from egregium.report import page
from egregium.report.collection import Collection, Found
from egregium.report.scripts import PLOTLY, policy, scripts

VERSION = "4.1.1"


def test_plotly_is_there_once_and_only_for_a_surface(session: eg.Session) -> None:
    assert "plotly.js (gl3d" not in page(session)
    shown = plane()
    one = page(Collection("", "", "", None, documents=(Found("a", "a.json", shown), Found("b", "b.json", shown))))
    assert one.count(f"plotly.js (gl3d - minified) v{VERSION}") == 1
    assert one.count('class="relief"') == 2


def test_every_script_is_allowed_by_its_hash() -> None:
    shown = page(Collection("", "", "", None, documents=(Found("a", "a.json", plane()),)))
    inline = re.findall(r"<script>(.*?)</script>", shown, re.DOTALL)
    assert len(inline) == 3
    allowed = policy(scripts(interactive=True)).partition("script-src ")[2]
    assert allowed.split() == [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in inline]
    assert f'content="{policy(scripts(interactive=True))}"' in shown
    assert "unsafe" not in allowed


def test_ours_are_short_and_the_licence_is_beside_plotly() -> None:
    ours = [script.text for script in scripts(interactive=True) if VERSION not in script.text[:100]]
    assert [text.count("\n") < 150 for text in ours] == [True, True]
    folder = eg.__path__[0] + "/report/" + PLOTLY.rpartition("/")[0]
    with open(f"{folder}/plotly.LICENSE", encoding="utf-8") as licence:  # noqa: PTH123
        assert "MIT License" in licence.read()
