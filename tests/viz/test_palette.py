"""Colours that can be told apart, and told from the sentinels."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from egregium.results import TERMS
from egregium.viz.palette import CSS, INK, MUTED, TERM_COLOURS

#: What the eye makes of linear RGB, by kind (G. Machado, M. Oliveira, L. Fernandes, IEEE TVCG 15, 2009, severity 1).
EYES = {
    "trichromat": np.eye(3),
    "protanope": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranope": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> np.ndarray:
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    x, y, z = np.cbrt(np.clip(TO_XYZ @ rgb / (TO_XYZ @ np.ones(3)), 1e-4, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_every_term_has_a_colour_and_every_colour_a_css_name() -> None:
    assert TERM_COLOURS.keys() == TERMS.keys()
    assert {*TERM_COLOURS.values(), INK, MUTED} == CSS.keys()


@pytest.mark.parametrize("eye", EYES)
def test_every_eye_tells_the_terms_apart(eye: str) -> None:
    seen = [lab(np.clip(EYES[eye] @ linear(colour), 0, 1)) for colour in TERM_COLOURS.values()]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15  # just noticeable: 2.3


def test_text_has_contrast_on_white() -> None:
    for colour in (INK, MUTED):
        assert 1.05 / (TO_XYZ[1] @ linear(colour) + 0.05) > 4.5
