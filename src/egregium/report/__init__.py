"""Documents as pages: one HTML file a session, to be read offline."""

from egregium.report.page import page

__all__ = ["page"]
