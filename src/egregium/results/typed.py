"""Whether what a document holds is what the class of a result says: a hand may have edited it."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from torch import Tensor


def refuse_misfits(known: type, values: Mapping[str, Any]) -> None:
    """Raise TypeError, with the field, where `values` lacks one that the dataclass needs, or has one of another type.

    >>> from egregium.results import Cost
    >>> refuse_misfits(Cost, {"hvps": "many"})
    Traceback (most recent call last):
    TypeError: Cost.hvps should be int, and is 'many'
    """
    missing = [f.name for f in fields(known) if f.name not in values and not _has_default(f)]
    if missing:
        raise TypeError(f"{known.__name__} lacks {', '.join(missing)}")
    for name, value in values.items():
        hint = _hints(known)[name]
        if not _fits(value, hint):
            shown = f"{value!r:.60}" if not isinstance(value, Tensor) else "a tensor"
            raise TypeError(f"{known.__name__}.{name} should be {getattr(hint, '__name__', hint)}, and is {shown}")


@cache
def _hints(known: type) -> dict[str, Any]:
    return get_type_hints(known)


def _has_default(field: "Field[Any]") -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _fits(value: Any, hint: Any) -> bool:
    """Whether `value` is of the type; of a tensor only that it is one."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Literal:
        return value in parts
    if origin is tuple:
        return isinstance(value, tuple) and _all_fit(value, parts)
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(_fits(item, parts[1]) for item in value.values())
    if isinstance(value, bool) or hint in (bool, NoneType):
        return isinstance(value, hint)
    if hint is float:
        return isinstance(value, (float, int))
    array = getattr(hint, "array_type", None)  # of jaxtyping
    return isinstance(value, array or hint)


def _all_fit(value: tuple[Any, ...], parts: tuple[Any, ...]) -> bool:
    if len(parts) == 2 and parts[1] is ...:
        return all(_fits(item, parts[0]) for item in value)
    return len(value) == len(parts) and all(_fits(item, part) for item, part in zip(value, parts, strict=True))
