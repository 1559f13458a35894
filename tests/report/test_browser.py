"""The page in a browser, as its reader has it: offline, under its own policy, on a desk and on a telephone."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from handmade import line, mode_path, plane, trajectory
from opened import DESK, TELEPHONE, TURN, Opened
from playwright.sync_api import Browser

import egregium as eg
from egregium.report import collection, page
from egregium.results import save


@pytest.fixture(scope="module")
def address(session: eg.Session, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with three points, a surface with checkpoints, and tables."""
    folder = tmp_path_factory.mktemp("page")
    shown = plane(size=13, places=4)
    documents = {"result": session, "plane": shown, "steps": trajectory(shown), "line": line(), "path": mode_path()}
    for name, result in documents.items():
        save(result, folder / f"{name}.json")
    place = folder / "report.html"
    place.write_text(page(collection([folder])), encoding="utf-8")
    return place.as_uri()


def test_the_surface_is_drawn_and_nothing_is_asked_for(opened: Opened, address: str) -> None:
    assert opened.surface().colours() > 500
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith(("data:", "blob:"))] == [address]
    assert opened.page.locator(".relief .still").first.is_hidden()


def test_no_button_sends_the_data_away(opened: Opened) -> None:
    titles = opened.surface().page.eval_on_selector_all(".modebar-btn", "all => all.map(one => one.dataset.title)")
    assert titles
    assert not [title for title in titles if re.search("share|cloud|plotly", title, re.IGNORECASE)]


def test_a_place_says_its_loss_and_the_nearest_r(opened: Opened) -> None:
    said = hovered(opened.surface())
    found = re.search(r"([−\d.]+), ([−\d.]+)loss ([\d.]+)R (\S+) ± (\S+) at ([−\d.]+), ([−\d.]+)", said)
    assert found is not None, said
    a, b, f, R, half, at_a, at_b = (float(x.replace("−", "-")) for x in found.groups())
    shown = plane(size=13, places=4)
    i, j = (
        int((torch_like - x).abs().argmin())
        for torch_like, x in ((shown.sheets["loss"].a, a), (shown.sheets["loss"].b, b))
    )
    assert f == pytest.approx(float(shown.sheets["loss"].values[j, i]), rel=1e-4)
    curvature = shown.sheets["scalar_curvature"]
    i, j = int((curvature.a - at_a).abs().argmin()), int((curvature.b - at_b).abs().argmin())
    assert pytest.approx(float(curvature.values[j, i]), rel=1e-3) == R
    assert half == pytest.approx(float(curvature.half_widths[j, i]), rel=0.05)
    spacing = 2 / 3
    assert abs(at_a - a) <= spacing / 2 + 0.01
    assert abs(at_b - b) <= spacing / 2 + 0.01


def hovered(opened: Opened) -> str:
    """The words beside the pointer, somewhere on the surface."""
    box = opened.page.locator(TURN).bounding_box()
    assert box is not None
    for x, y in ((0.42, 0.45), (0.45, 0.5), (0.4, 0.55), (0.5, 0.5)):
        opened.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        opened.page.wait_for_timeout(700)
        said = opened.page.eval_on_selector_all(f"{TURN} .hovertext", "all => all.map(one => one.textContent).join()")
        if " R " in f" {said} " or "R " in said:
            return str(said)
    return ""


def test_arrow_keys_turn_the_surface(opened: Opened) -> None:
    eye = f"(({TURN!r}, document.querySelector({TURN!r})._fullLayout.scene.camera.eye))"
    before = opened.surface().page.evaluate(eye)
    opened.page.locator(TURN).focus()
    opened.page.keyboard.press("ArrowLeft")
    opened.page.wait_for_timeout(300)
    turned = opened.page.evaluate(eye)
    assert turned["x"] != pytest.approx(before["x"])
    assert turned["z"] == pytest.approx(before["z"])
    opened.page.keyboard.press("0")
    opened.page.wait_for_timeout(300)
    assert opened.page.evaluate(eye) == pytest.approx(before)


def test_colours_follow_when_it_gets_dark(opened: Opened) -> None:
    colour = f"document.querySelector({TURN!r})._fullLayout.font.color"
    light = opened.surface().page.evaluate(colour)
    opened.page.emulate_media(color_scheme="dark")
    opened.page.wait_for_timeout(500)
    assert opened.page.evaluate(colour) == "#e4e7eb" != light


COLUMN = """([table, column]) => [...document.querySelectorAll(table + " tbody:not(:has(.group)) tr")].map(
  row => row.cells[column].textContent)"""


def test_tables_sort_by_numbers_and_by_keys(opened: Opened) -> None:
    head = opened.page.locator("table.precise").first.locator("thead th").nth(1)
    value = "[...document.querySelectorAll('table.precise')][0].tBodies[0].rows"
    texts = f"[...{value}].map(row => row.cells[1].innerHTML)"
    before = opened.page.evaluate(texts)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    rising = [number(text) for text in opened.page.evaluate(texts)]
    assert rising == sorted(rising)
    assert rising != [number(text) for text in before]
    head.get_by_role("button").focus()
    opened.page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert [number(text) for text in opened.page.evaluate(texts)] == rising[::-1]
    opened.page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "none"
    assert opened.page.evaluate(texts) == before


def number(text: str) -> float:
    text = re.sub(r"(\d) × 10<sup>(.*?)</sup>", r"\1e\2", text)
    return float(re.sub(r"^10<sup>(.*?)</sup>", r"1e\1", text).replace("−", "-").replace(",", ""))


def test_groups_of_rows_stay_together(opened: Opened) -> None:
    table = "document.querySelector('table.wide')"
    groups = f"[...{table}.tBodies].map(body => [body.rows[0].textContent.trim(), body.rows.length])"
    before = opened.page.evaluate(groups)
    opened.page.locator("table.wide thead th button").first.click()
    assert opened.page.evaluate(groups) == before
    assert opened.page.locator("table.wide thead th").first.get_attribute("aria-sort") == "ascending"


LOOKS = [
    pytest.param({"color_scheme": "dark"}, id="dark"),
    pytest.param({"viewport": TELEPHONE}, id="narrow"),
    pytest.param({"viewport": TELEPHONE, "color_scheme": "dark", "has_touch": True}, id="narrow-dark"),
]


@pytest.mark.parametrize("opened", LOOKS, indirect=True)
def test_it_fits_in_the_dark_and_on_a_telephone(opened: Opened) -> None:
    assert opened.surface().colours() > 300
    assert opened.overflow() <= 0
    assert opened.complaints == []


@pytest.mark.parametrize("opened", [pytest.param({"java_script_enabled": False}, id="still")], indirect=True)
def test_without_javascript_numbers_and_a_drawing_are_there(opened: Opened) -> None:
    assert opened.page.locator(".point .value strong").first.is_visible()
    assert opened.page.locator(".relief .still svg").first.is_visible()
    assert opened.page.locator(TURN).is_hidden()
    assert opened.page.locator(".relief .keys").first.is_hidden()
    assert opened.page.locator("th button").count() == 0


def test_print_has_the_drawing(opened: Opened) -> None:
    opened.surface().page.emulate_media(media="print")
    assert opened.page.locator(".relief .still svg").first.is_visible()
    assert opened.page.locator(TURN).is_hidden()


def test_without_webgl_the_drawing_stays(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=DESK)
    context.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    shown = Opened(context, address)
    assert shown.page.locator(".relief .still svg").first.is_visible()
    assert shown.complaints == []
    context.close()


def test_names_are_words_and_no_markup(browser: Browser, tmp_path: Path) -> None:
    evil = "</script><script>document.title='ran'</script><img src=x onerror=alert(1)>"
    shown = replace(plane(name=evil), title=evil)
    save(replace(trajectory(shown), names=(evil,) * 6), tmp_path / "steps.json")
    save(shown, tmp_path / "plane.json")
    (tmp_path / "report.html").write_text(page(collection([tmp_path])), encoding="utf-8")
    context = browser.new_context(viewport=DESK)
    opened = Opened(context, (tmp_path / "report.html").as_uri()).surface()
    assert opened.complaints == []
    assert opened.page.title().startswith(evil)
    assert opened.page.locator("img").count() == 0
    assert opened.page.evaluate("document.querySelector('#surface-1').data.at(-2).text[0]").startswith(
        "&lt;/script&gt;"
    )
    context.close()
