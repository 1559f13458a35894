"""Documents as pages: one HTML file for a session, a comparison, or all that directories hold, to be read offline."""

from egregium.report.collection import Collection, collection
from egregium.report.comparison import comparison_page
from egregium.report.page import page

__all__ = ["Collection", "collection", "comparison_page", "page"]
