"""Whether a result that was read is what its class says: a document may have been edited by hand."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from torch import Tensor

from egregium.results import ModePath, Sheet, Slice, Trajectory


def fault(result: Any) -> str | None:
    """What is wrong with `result`, in words; None where its fields hold what they should, in shapes that fit."""
    found = next((fault for name in _names(result) if (fault := _fault_of_field(result, name))), None)
    return found or _misfit(result)


def _names(result: Any) -> list[str]:
    return [field.name for field in fields(result)]


def _fault_of_field(result: Any, name: str) -> str | None:
    kind: Any = type(result)
    value, hint = getattr(result, name), _hints(kind)[name]
    if _fits(value, hint):
        return None
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else (value,)
    deeper = next((f for x in inside if is_dataclass(x) and not isinstance(x, type) and (f := fault(x))), None)
    return f"{name}: {deeper}" if deeper else f"{name} of {type(result).__name__} is {_shown(value)}"


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: Any, hint: Any) -> bool:
    origin, inside = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in inside)
    if origin is Literal:
        return value in inside
    if origin is tuple:
        return isinstance(value, tuple) and _all_fit(value, inside)
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(_fits(x, inside[1]) for x in value.values())
    return _is(value, hint)


def _all_fit(values: tuple[Any, ...], hints: tuple[Any, ...]) -> bool:
    if len(hints) == 2 and hints[1] is Ellipsis:
        return all(_fits(value, hints[0]) for value in values)
    return len(values) == len(hints) and all(_fits(v, h) for v, h in zip(values, hints, strict=True))


def _is(value: Any, kind: Any) -> bool:
    if kind in (float, int):
        whole = kind is float or (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
        return isinstance(value, (int, float)) and not isinstance(value, bool) and whole
    if not isinstance(kind, type):
        return True
    return isinstance(value, kind) and (not is_dataclass(value) or fault(value) is None)


def _misfit(result: Any) -> str | None:
    """Arrays of one result that do not fit each other."""
    if isinstance(result, Sheet):
        shape = (len(result.b), len(result.a)) if len(result.b) else (len(result.a),)
        if {tuple(x.shape) for x in (result.values, result.half_widths, result.measured)} != {shape}:
            return f"the values of a Sheet are not {' x '.join(map(str, shape))} as its coordinates are"
    if isinstance(result, Slice):
        flat = next(
            (name for name, sheet in result.sheets.items() if bool(len(sheet.b)) != (result.kind == "plane")), ""
        )
        return f"its sheet {flat} is not that of a {result.kind}" if flat else _wrong_number(result)
    if isinstance(result, Trajectory):
        lengths = {len(x) for x in (result.names, result.coordinates, result.apart, result.losses)}
        return "its names, coordinates and losses are not equally many" if len(lengths) > 1 else None
    if isinstance(result, ModePath) and result.path.kind == "plane":
        return "its path is a plane"
    return None


def _wrong_number(plane: Slice) -> str | None:
    wanted = 2 if plane.kind == "plane" else 1
    return None if len(plane.axes) == wanted else f"it has {len(plane.axes)} axes, a {plane.kind} has {wanted}"


def _shown(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a {value.dtype} tensor of shape {tuple(value.shape)}"
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"
