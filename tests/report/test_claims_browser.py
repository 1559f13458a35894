"""Statements in a browser: on a desk, on a telephone, in the dark, and where nothing runs."""

import re

import pytest
from handmade_claims import all_kinds
from opened import LOOKS, Opened

from egregium.report import collection, page
from egregium.results import save

#: Of what is seen of an element: its colour, and that of the page behind it.
COLOURS = "one => [getComputedStyle(one).color, getComputedStyle(document.body).backgroundColor]"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("claims")
    for name, result in all_kinds().items():
        save(result, folder / f"{name}.json")
    place = folder / "report.html"
    place.write_text(page(collection([folder])), encoding="utf-8")
    return place.as_uri()


@pytest.mark.parametrize("opened", LOOKS, indirect=True)
def test_verdicts_are_seen_at_once(opened: Opened, address: str) -> None:
    assert opened.complaints == []
    assert opened.requests == [address]
    width = (opened.page.viewport_size or {})["width"]
    verdicts = opened.page.locator(".overview .verdict")
    assert verdicts.count() == 4
    for i in range(4):
        box = verdicts.nth(i).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width
    opened.page.locator(".overview a").nth(1).click()
    assert opened.page.url.endswith("#claim-2")
    assert opened.page.locator("#claim-2 .outcome").is_visible()
    assert opened.page.locator("#claim-2 svg").is_visible()


@pytest.mark.parametrize("opened", LOOKS[:3], indirect=True)
def test_it_fits_and_verdicts_can_be_read(opened: Opened) -> None:
    assert opened.overflow() <= 0
    for verdict in ("holds", "fails", "undecided"):
        ink, paper = opened.page.locator(f".verdict.{verdict}").first.evaluate(COLOURS)
        assert contrast(ink, paper) > 4.5


def contrast(one: str, other: str) -> float:
    """Of two colours, as the guidelines of the web define it."""
    light = sorted((luminance(colour) for colour in (one, other)), reverse=True)
    return (light[0] + 0.05) / (light[1] + 0.05)


def luminance(colour: str) -> float:
    parts = [int(x) / 255 for x in re.findall(r"\d+", colour)[:3]]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return float(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])


@pytest.mark.parametrize("opened", LOOKS[:1], indirect=True)
def test_comparisons_sort(opened: Opened) -> None:
    table = opened.page.locator("#claim-2 table.checks")
    table.locator("thead button", has_text="Found").click()
    assert table.locator("tbody td.number:nth-child(3)").all_inner_texts() == ["−8", "1.5"]
    table.locator("thead button", has_text="Found").click()
    assert table.locator("tbody td.number:nth-child(3)").all_inner_texts() == ["1.5", "−8"]
