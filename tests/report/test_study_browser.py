"""A study in a browser: on a desk, on a telephone, in the dark, on paper, and where nothing runs."""

import re

import pytest
from handmade_study import study
from opened import LOOKS, Opened

from egregium.report import collection, page
from egregium.results import save

#: Pairs of texts of a picture that lie on one another.
COLLISIONS = """svg => {
  const boxes = [...svg.querySelectorAll("text")].filter(t => t.textContent.trim() && !t.closest("[transform*=rotate]")
    && !(t.getAttribute("transform") || "").includes("rotate")).map(t => [t.textContent, t.getBoundingClientRect()]);
  const found = [];
  for (const [i, [a, p]] of boxes.entries()) for (const [b, q] of boxes.slice(i + 1)) {
    const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
    const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (wide > 2 && high > 0.6 * Math.min(p.height, q.height)) found.push(`${a} | ${b}`);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("study")
    save(study(), folder / "study.json")
    place = folder / "report.html"
    place.write_text(page(collection([folder])), encoding="utf-8")
    return place.as_uri()


@pytest.mark.parametrize("opened", LOOKS, indirect=True)
def test_it_fits_and_everything_can_be_reached(opened: Opened, address: str) -> None:
    assert opened.complaints == []
    assert opened.requests == [address]
    assert opened.overflow() <= 0
    assert opened.page.locator(".point .value").first.is_visible()
    assert opened.page.locator("#study-1 figure svg").count() == 7
    assert opened.page.locator("details.ranked table").first.is_visible()
    everyone = opened.page.locator("details.everyone")
    assert everyone.locator("table").is_hidden()
    everyone.locator("summary").click()  # without scripts too
    assert everyone.locator("table").is_visible()
    assert everyone.locator("tbody tr").count() == 19
    assert opened.overflow() <= 0


@pytest.mark.parametrize("opened", [LOOKS[0], LOOKS[2]], indirect=True)
def test_no_text_of_a_picture_lies_on_another(opened: Opened) -> None:
    pictures = opened.page.locator("#study-1 figure svg")
    for i in range(pictures.count()):
        assert pictures.nth(i).evaluate(COLLISIONS) == []


@pytest.mark.parametrize("opened", LOOKS[:1], indirect=True)
def test_rankings_and_networks_sort(opened: Opened) -> None:
    table = opened.page.locator("details.ranked table").first
    psi = table.locator("thead button", has_text="Psi")
    psi.click()
    names = table.locator("tbody th")
    assert names.all_inner_texts()[0].startswith("largest eigenvalue")
    psi.click()
    assert names.all_inner_texts()[0].startswith("sharpness")
    opened.page.locator("details.everyone summary").click()
    everyone = opened.page.locator("details.everyone table")
    everyone.locator("thead button", has_text=re.compile("^R")).click()
    numbers = everyone.locator("tbody th").all_inner_texts()
    assert numbers[0] == "3"  # the least R; those without it are last
    assert set(numbers[-3:]) == {"4", "6", "19"}


@pytest.mark.parametrize("opened", LOOKS[:1], indirect=True)
def test_on_paper(opened: Opened) -> None:
    opened.page.emulate_media(media="print")
    opened.page.set_viewport_size({"width": 718, "height": 1000})  # A4 less its margins
    assert opened.overflow() <= 0
    assert opened.page.locator("details.ranked table").first.is_visible()
