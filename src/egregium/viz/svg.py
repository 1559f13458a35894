"""A picture as an SVG that can stand in a page beside others."""

import io
import re
import warnings
from hashlib import sha256
from xml.etree import ElementTree

from egregium.viz.palette import CSS
from egregium.viz.picture import Picture, style

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
HREF = "xlink:href"
#: Inherited by all that is drawn, in place of matplotlib's <style>, which would apply to the whole page.
ROOT_STYLE = "stroke-linejoin: round; font-family: var(--picture-font, system-ui, sans-serif)"

#: How results write the square of a Frobenius norm, and by how much its F is lowered.
FROBENIUS, DROP = "²_F", 2.5

#: Dots per inch of what is drawn as an image: large grids of cells.
DOTS = 200

_REFERENCE = re.compile(r"#([\w-]+)")
_URL = re.compile(r"url\(#([\w-]+)\)")
_FONT_FAMILY = re.compile(r"font-family:[^;]*;?\s*")
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_NO_TURN = re.compile(r"rotate\(-?0 [^)]*\)\s*")


def svg(picture: Picture, key: str | None = None) -> str:
    """The picture as one <svg> element: the same text for the same picture, with title and description for a reader.

    Text is text, in the page's font; colours are `currentColor` and CSS variables with a fallback. All ids begin with
    `key` (default: a digest of the content), so several can stand in one page.
    """
    root = _drawn(picture)
    if key is None:
        key = "p" + sha256(ElementTree.tostring(root) + picture.title.encode()).hexdigest()[:10]
    for element in list(root.iter()):
        _restyle(element)
        _lower(element)
    _rename_ids(root, key)
    _describe(root, picture, key)
    return ElementTree.tostring(root, encoding="unicode")


def _drawn(picture: Picture) -> ElementTree.Element:
    """matplotlib's SVG, parsed, without metadata and style sheet."""
    text = io.StringIO()
    with style(), warnings.catch_warnings():
        # the browser's fonts may have the glyph that matplotlib's lacks
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        picture.figure.draw_without_rendering()
        picture.figure.set_layout_engine("none")  # a second layout may differ from the first by a hair
        picture.figure.savefig(text, format="svg", transparent=True, dpi=DOTS)
    root = ElementTree.fromstring(text.getvalue())
    for element in root.iter():  # plain names, and the namespaces once at the root: no global registry is touched
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")
        if (link := element.attrib.pop(f"{{{XLINK}}}href", None)) is not None:
            element.set(HREF, link)
    root.attrib |= {"xmlns": SVG, "xmlns:xlink": XLINK}
    for child in list(root):
        if child.find("style") is not None or child.tag == "metadata":
            root.remove(child)
    return root


def _restyle(element: ElementTree.Element) -> None:
    """CSS colours and the page's font; no needless line breaks."""
    if "style" in element.attrib:
        look = _FONT_FAMILY.sub("", element.attrib["style"])
        for colour, css in CSS.items():
            look = look.replace(colour, css)
        element.set("style", look)
    if "d" in element.attrib:
        element.set("d", _NUMBER.sub(lambda match: f"{float(match[0]):.1f}", " ".join(element.attrib["d"].split())))
    if "transform" in element.attrib:
        element.set("transform", _NO_TURN.sub("", element.attrib["transform"]))
        if not element.attrib["transform"]:
            del element.attrib["transform"]
    if element.tag != "text":
        element.text = (element.text or "").strip() or None
    element.tail = None


def _lower(text: ElementTree.Element) -> None:
    """Set each "²_F" of a text as a power above a lowered F."""
    before, *rest = (text.text or "").split(FROBENIUS) if text.tag == "text" else [""]
    if not rest:
        return
    text.text = before
    for after in rest:
        for words, shift, size in (("F", DROP, "75%"), ("²" + after, -DROP, "100%")):
            part = ElementTree.SubElement(text, "tspan", {"dy": str(shift), "style": f"font-size: {size}"})
            part.text = words


def _rename_ids(root: ElementTree.Element, key: str) -> None:
    """Keep the ids that something refers to, in order of appearance, and begin them with `key`."""
    links = [value for e in root.iter() for name, value in e.attrib.items() if name in (HREF, "clip-path")]
    used = {name for value in links for name in _REFERENCE.findall(value)}
    used |= {name for e in root.iter() for name in _URL.findall(e.attrib.get("style", ""))}  # hatching
    new: dict[str, str] = {}
    for element in root.iter():
        old = element.attrib.pop("id", None)
        if old is not None and old in used:
            new[old] = f"{key}-{len(new) + 1}"
            element.set("id", new[old])
    for element in root.iter():
        for name in (HREF, "clip-path"):
            if name in element.attrib:
                element.set(name, _REFERENCE.sub(lambda match: f"#{new[match[1]]}", element.attrib[name]))
        if "url(#" in element.attrib.get("style", ""):
            element.set("style", _URL.sub(lambda match: f"url(#{new[match[1]]})", element.attrib["style"]))


def _describe(root: ElementTree.Element, picture: Picture, key: str) -> None:
    for position, (tag, text) in enumerate((("title", picture.title), ("desc", picture.caption))):
        element = ElementTree.Element(tag, {"id": f"{key}-{tag}"})
        element.text = text
        root.insert(position, element)
    root.set("role", "img")
    root.set("aria-labelledby", f"{key}-title {key}-desc")
    root.set("style", ROOT_STYLE)
