"""The README's pictures of the demo's page: `python docs/pictures.py PAGE FOLDER`, which `make pictures` calls."""

import sys
from pathlib import Path
from shutil import which

from playwright.sync_api import sync_playwright

#: WebGL without a graphics card, and the size of the window.
SOFTWARE = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
SIZE = {"width": 1120, "height": 900}


def main(page: Path, folder: Path) -> None:
    """The first screen, and the surface with its caption."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=which("chromium"), args=SOFTWARE)
        shown = browser.new_page(viewport=SIZE, device_scale_factor=1.25)
        shown.goto(page.resolve().as_uri())
        shown.wait_for_selector("#surface-1 canvas")
        shown.wait_for_timeout(1500)
        shown.screenshot(path=folder / "report.png")
        shown.locator("figure.relief").first.screenshot(path=folder / "surface.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
