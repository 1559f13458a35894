"""A page in a browser: offline, with everything it complains of."""

import io

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page

DESK, TELEPHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}
TURN = "#surface-1"
#: How a page is looked at: the parameters of `opened`.
LOOKS = [
    pytest.param({"viewport": DESK}, id="light"),
    pytest.param({"viewport": DESK, "color_scheme": "dark"}, id="dark"),
    pytest.param({"viewport": TELEPHONE, "has_touch": True}, id="narrow"),
    pytest.param({"viewport": DESK, "java_script_enabled": False}, id="still"),
]


class Opened:
    """A page that was opened, and what it complained of."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        context.set_offline(True)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(address)

    def surface(self) -> "Opened":
        self.page.wait_for_selector(f"{TURN} canvas")
        self.page.locator(TURN).scroll_into_view_if_needed()
        self.page.wait_for_timeout(500)
        return self

    def colours(self) -> int:
        """How many there are in the surface's place."""
        image = Image.open(io.BytesIO(self.page.locator(TURN).screenshot())).convert("RGB")
        return len(image.getcolors(image.width * image.height) or [])

    def overflow(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))
