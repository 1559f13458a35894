"""The page of a directory, served to this machine alone, with a place that measures where one clicks."""

from egregium.explorer.live import Live, live
from egregium.explorer.site import site

__all__ = ["Live", "live", "site"]
