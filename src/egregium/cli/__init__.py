"""The `egregium` command."""

from egregium.cli.app import main

__all__ = ["main"]
