"""Results that show themselves."""

import subprocess
import sys

from handmade import mode_path, plane, trajectory

import egregium as eg
from egregium.viz import notebook


def test_pictures_stand_above_the_table(sampled: eg.Measurement) -> None:
    assert notebook.WIDTH
    for result, word in (
        (plane(), "scalar curvature R"),
        (trajectory(), "off the plane"),
        (mode_path(), "barrier"),
        (sampled, "scalar curvature R"),
    ):
        text = result._repr_html_()
        assert text.startswith("<figure")
        assert "<svg" in text
        assert word in text[text.rindex("<table>") :]


def test_a_user_who_asks_for_slices_has_the_pictures() -> None:
    code = (
        "import torch, egregium as eg; land = eg.Landscape.from_function(lambda x: x @ x, torch.zeros(2));"
        "print(eg.slices.line(land, torch.eye(2)[0])._repr_html_()[:7])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "<figure"
