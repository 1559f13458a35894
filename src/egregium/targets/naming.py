"""The function that `file.py:name` or `package.module:name` names."""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from egregium.errors import TargetError

#: What a name must be like, where the caller says nothing better.
FORM = "Expected file.py:name or package.module:name of a function"


def named(target: str, form: str = FORM) -> Callable[..., Any]:
    """The function, its file or module imported.

    Raises TargetError where it cannot be imported or is no function; `form` ends the sentence.
    """
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise TargetError(f"{target!r} names no function. {form}.")
    module = _from_file(Path(place), form) if place.endswith(".py") else _from_name(place, form)
    found = getattr(module, name, None)
    if not callable(found):
        own = [k for k, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__]
        raise TargetError(f"{place} has no function {name!r}; it defines {', '.join(own) or 'none'}. {form}.")
    function: Callable[..., Any] = found
    return function


def described(error: BaseException) -> str:
    """An exception in one sentence: its class, message and the line that raised it."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: {error.msg}: {(error.text or '').strip()}"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {str(error).strip() or 'no message'}{where}"


def _from_file(path: Path, form: str) -> ModuleType:
    if not path.is_file():
        raise TargetError(f"There is no file {path}. {form}.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{path} cannot be imported as Python. {form}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses and pickles look their module up by name
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[path.stem]
        raise TargetError(f"{path} cannot be imported: {described(error)}") from error
    return module


def _from_name(name: str, form: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise TargetError(f"The module {name} cannot be imported: {described(error)}. {form}.") from error
