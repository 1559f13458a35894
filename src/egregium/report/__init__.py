"""Documents as pages: one HTML file a session or a comparison, to be read offline."""

from egregium.report.comparison import comparison_page
from egregium.report.page import page

__all__ = ["comparison_page", "page"]
