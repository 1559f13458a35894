"""Rows as HTML: text stays text."""

from egregium.results.table import Row, html_table


def test_text_is_escaped() -> None:
    html = html_table([Row("<script>", "1 & 2", '"', strong=True)])
    assert "<script>" not in html
    assert "<strong>1 &amp; 2</strong>" in html
