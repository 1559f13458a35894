"""Documents as pages: one HTML file for a session, or for all that directories hold, to be read offline."""

from egregium.report.collection import Collection, collection
from egregium.report.page import page

__all__ = ["Collection", "collection", "page"]
