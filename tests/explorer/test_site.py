"""The site as a browser, a stranger and another page's script meet it; and the page at work in Chromium."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from test_live import landscape

import egregium as eg
from egregium.explorer import live, site
from egregium.report import collection, page

TOKEN = "a token"


@pytest.fixture(scope="module")
def port(cut: Path) -> Iterator[int]:
    """Where the site of the plane listens."""
    plane = eg.load(cut / "run" / "slice.json")
    ready = live(plane, cut / "run" / "slice.safetensors", lambda _: landscape(cut), rtol=0.3)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    documents = collection([cut / "run"])
    text = page(documents, live=documents.documents[0].result)
    server = uvicorn.Server(uvicorn.Config(site(ready, text, TOKEN), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()


def asked(
    port: int, method: str, path: str, body: str = "", host: str | None = None
) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, path, body, {"Host": host or f"127.0.0.1:{port}"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.getheaders()}


QUERY = "?token=a%20token"


def test_the_page_and_a_place(port: int) -> None:
    status, text, headers = asked(port, "GET", f"/{QUERY}")
    assert status == 200
    assert "Measure here" in text
    assert "connect-src &#39;self&#39;" in text or "connect-src 'self'" in text
    assert headers["cache-control"] == "no-store"
    status, text, _ = asked(port, "POST", f"/measure{QUERY}", '{"a": 0.5, "b": 0}')
    assert status == 200
    assert json.loads(text)["R"] is not None


@pytest.mark.parametrize("query", ["", "?token=", "?token=another", "?token=a%20token%20", "?token=%C3%A9"])
def test_a_wrong_token_is_refused(port: int, query: str) -> None:
    for method, path in (("GET", "/"), ("POST", "/measure")):
        status, text, _ = asked(port, method, path + query, '{"a": 0, "b": 0}')
        assert status == 403
        assert "token" in text
        assert "Measure here" not in text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "0.0.0.0"])
def test_other_hosts_names_are_refused(port: int, host: str) -> None:
    """Another page may point its own name at this machine."""
    for method, path in (("GET", f"/{QUERY}"), ("POST", f"/measure{QUERY}")):
        assert asked(port, method, path, '{"a": 0, "b": 0}', host)[0] == 400
    assert asked(port, "GET", f"/{QUERY}", host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("", 422, "Ask with"),
        ("[1, 2]", 422, "Ask with"),
        ('{"a": 1}', 422, "b must be a finite number"),
        ('{"a": NaN, "b": 0}', 422, "a must be a finite number"),
        ('{"a": 1e9, "b": 0}', 422, "far outside the plane"),
        ('{"a": 0, "b": ' + "0" * 2000 + "}", 413, "too long"),
    ],
)
def test_bad_questions_are_sentences(port: int, body: str, status: int, words: str) -> None:
    found, text, _ = asked(port, "POST", f"/measure{QUERY}", body)
    assert found == status
    assert words in json.loads(text)["error"]


def test_nothing_else_is_there(port: int, cut: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (cut / "run").iterdir()}
    for path in ("/run/slice.json", "/../mine.py", "/measure/x"):
        assert asked(port, "GET", path + QUERY)[0] == 404
    assert asked(port, "GET", f"/measure{QUERY}")[0] == 405
    assert {path: path.stat().st_mtime_ns for path in (cut / "run").iterdir()} == before


def test_in_a_browser(port: int, browser: Any) -> None:
    """A place by its numbers, a place by a click on the surface; both in the table and marked on the surface."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    shown, complaints = context.new_page(), []
    shown.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.goto(f"http://127.0.0.1:{port}/{QUERY}")
    shown.fill("form.ask [name=a]", "0.5")
    shown.fill("form.ask [name=b]", "−0.5")
    shown.click("form.ask button")
    shown.wait_for_selector("table.live tbody tr")
    cells = shown.locator("table.live tbody tr td").all_inner_texts()
    assert cells[:2] == ["0.5", "−0.5"]
    assert "±" in cells[4] or "exact" in cells[4]
    shown.wait_for_selector("#surface-1 canvas")
    shown.locator("#surface-1").scroll_into_view_if_needed()
    shown.wait_for_timeout(800)
    box = shown.locator("#surface-1").bounding_box()
    for share in (0.5, 0.55, 0.45, 0.6):  # where the surface is, in one of these
        shown.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + share * box["height"])
        shown.wait_for_timeout(400)
        shown.mouse.down()
        shown.mouse.up()
        shown.wait_for_timeout(1500)
        if shown.locator("table.live tbody tr").count() == 2:
            break
    assert shown.locator("table.live tbody tr").count() == 2
    traces = shown.evaluate("document.querySelector('#surface-1').data.map((one) => one.x.length)")
    assert traces[-1] == 2
    middle = (box["x"] + 0.45 * box["width"], box["y"] + 0.5 * box["height"])
    shown.mouse.move(*middle)
    shown.mouse.down()
    shown.mouse.move(middle[0] + 60, middle[1] + 10, steps=8)  # turning it asks for nothing
    shown.mouse.up()
    shown.wait_for_timeout(1000)
    assert shown.locator("table.live tbody tr").count() == 2
    shown.fill("form.ask [name=a]", "north")
    shown.click("form.ask button")
    assert shown.locator("form.ask [role=status]").inner_text() == "a and b must be numbers."
    shown.fill("form.ask [name=a]", "1e9")
    shown.click("form.ask button")
    shown.get_by_text("far outside the plane").wait_for()
    assert [text for text in complaints if "422" not in text] == []
    context.close()
