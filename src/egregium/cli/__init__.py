"""The `egregium` command."""

from egregium.cli.interruption import Process

__all__ = ["main"]


def main() -> None:
    """The `egregium` command. Loads torch and all else here, where Ctrl-C is a sentence already."""
    Process.own()
    from egregium.cli.app import app  # noqa: PLC0415 seconds

    app()
