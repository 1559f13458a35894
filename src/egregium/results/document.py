"""Results as JSON documents: schema-versioned, written whole or not at all, read back as what was saved.

A frozen dataclass becomes an object with its class under "type"; a tensor an object with dtype, shape and data;
numbers that JSON lacks (inf, nan) an object {"number": "inf"}.
"""

import json
import math
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from egregium.errors import DocumentError
from egregium.results.migration import SCHEMA, migrated
from egregium.results.typed import refuse_misfits


class Document:
    """The classes that may stand in a document, by name."""

    classes: ClassVar[dict[str, type]] = {}

    @classmethod
    def register(cls, *types: type) -> None:
        """Let these dataclasses be saved and loaded."""
        cls.classes |= {t.__name__: t for t in types}


def save(result: Any, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write `result` to `path` as a JSON document.

    Raises DocumentError where the file exists (unless `force`), the folder does not, or it cannot be written.
    """
    write_whole(path, text(result), force=force)


def text(result: Any) -> str:
    """`result` as the text of a JSON document."""
    return json.dumps({"egregium": version("egregium"), "schema": SCHEMA, "result": _plain(result)}, indent=1) + "\n"


def write_whole(path: str | os.PathLike[str], content: str | bytes, *, force: bool = False) -> None:
    """Write `content` to `path` through a temporary file beside it, so that the file is never half-written.

    Raises DocumentError as `save` does.
    """
    path = Path(path)
    refuse_existing(path, force=force)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")  # named before it is made: Ctrl-C leaves none
    begun = False
    try:
        with beside.open("xb") as file:
            begun = True
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
        beside.replace(path)
    except OSError as error:
        what = "Nothing was changed" if begun else "Choose a folder that exists and is yours"
        raise DocumentError(f"Cannot write {path}: {error.strerror}. {what}.") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def refuse_existing(path: str | os.PathLike[str], *, force: bool) -> None:
    """Raise DocumentError where `path` exists and `force` is False."""
    try:
        there = Path(path).exists()
    except OSError as error:
        raise DocumentError(f"Cannot look at {path}: {error.strerror}. Choose a folder that is yours.") from error
    if there and not force:
        raise DocumentError(f"{path} exists and is not overwritten. Use force=True (--force), or another folder.")


def load(path: str | os.PathLike[str]) -> Any:
    """The result saved at `path`: a Measurement, or a Session of several.

    Raises DocumentError where the file is missing, is no document of egregium, or has a newer schema.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DocumentError(f"Cannot read {path}: {error.strerror}. Pass the path of a saved result.") from error
    except TypeError as error:
        raise DocumentError(f"load needs the path of a saved result, got {type(path).__name__}.") from error
    except (RecursionError, ValueError) as error:
        raise DocumentError(f"{path} is not JSON ({error}). Expected a result.json written by egregium.") from error
    if not isinstance(content, dict) or "schema" not in content or "result" not in content:
        raise DocumentError(f"{path} is not a result of egregium: it has no schema. Expected a file saved by it.")
    try:
        result = _revived(migrated(content, path))
        if type(result) not in Document.classes.values():
            raise TypeError(f"it holds a {type(result).__name__}")
        return result
    except DocumentError:
        raise
    except (AttributeError, KeyError, RecursionError, RuntimeError, TypeError, ValueError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise DocumentError(f"{path} is damaged: {why}. Measure again, or restore it from a copy.") from error


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        if type(value).__name__ not in Document.classes:
            raise DocumentError(f"{type(value).__name__} cannot be saved; it is not one of {sorted(Document.classes)}.")
        return {"type": type(value).__name__} | {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Tensor):
        flat = [_plain(x) for x in value.reshape(-1).tolist()]
        return {"tensor": str(value.dtype).removeprefix("torch."), "shape": list(value.shape), "data": flat}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": repr(value)}
    if isinstance(value, Mapping):
        return {"mapping": {key: _plain(item) for key, item in value.items()}}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def _revived(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_revived(item) for item in value)
    if not isinstance(value, dict):
        return value
    if "number" in value:
        return float(value["number"])
    if "mapping" in value:
        return {key: _revived(item) for key, item in value["mapping"].items()}
    if "tensor" in value:
        data = [_revived(x) for x in value["data"]]
        return torch.tensor(data, dtype=getattr(torch, value["tensor"])).reshape(value["shape"])
    known = Document.classes.get(value["type"])
    if known is None:
        raise TypeError(f"it holds a {value['type']!r}, which this egregium {version('egregium')} does not know")
    names = {f.name for f in fields(known)}
    kept = {key: _revived(item) for key, item in value.items() if key in names}
    refuse_misfits(known, kept)
    return known(**kept)
