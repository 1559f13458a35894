"""The templates of pages: everything that is put into them is escaped, and a name that is missing is an error."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def templates() -> Environment:
    """The templates beside this file, by name."""
    return Environment(
        loader=PackageLoader("egregium.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
