"""Objects that a user names: file.py:name or package.module:name."""

from egregium.targets.naming import described, named

__all__ = ["described", "named"]
