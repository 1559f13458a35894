"""What a study does: its networks, the data, the common level of the loss and the measures; from a TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

from egregium.errors import ArgumentError
from egregium.study.measures import MEASURES
from egregium.study.setting import Setting, setting

PRESETS = ("fashion", "digits", "tiny")
#: What stands in a file beside the sweeps, and what it is where it does not.
DEFAULTS: dict[str, Any] = {
    "title": "",
    "data": "digits",
    "train": 1000,
    "loss": 0.1,
    "epochs": 200,
    "rtol": 0.05,
    "seeds": [0],
    "measures": list(MEASURES),
    "own_measures": "",
}


@dataclass(frozen=True)
class Plan:
    """A study.

    Attributes:
        title: what it is called.
        data: "digits", "fashion-mnist", or file.py:name of a function () -> ((inputs, classes), (inputs, classes)).
        train: how many training samples, the first of the data's fixed order.
        loss: the mean cross-entropy at which every training ends; epochs: after which it is given up.
        rtol: of R and what is measured with it.
        measures: of `MEASURES`; own_measures: file.py:name of a function (landscape, Setting) -> {name: number}, or "".
        settings: the networks, in order, each once; sweeps: by name, the keys of the networks that belong to it.
    """

    title: str
    data: str
    train: int
    loss: float
    epochs: int
    rtol: float
    measures: tuple[str, ...]
    own_measures: str
    settings: tuple[Setting, ...]
    sweeps: Mapping[str, tuple[str, ...]]

    @property
    def header(self) -> dict[str, Any]:
        """By what two runs tell whether they may share a file; the networks of a plan may grow."""
        kept = {name: value for name, value in asdict(self).items() if name not in ("settings", "sweeps", "title")}
        return kept | {"measures": list(self.measures), "version": VERSION}

    @property
    def digest(self) -> str:
        """Of the networks and all else, 16 hexadecimal digits."""
        keys = "\n".join(each.key for each in self.settings)
        return sha256(f"{sorted(self.header.items())}\n{keys}".encode()).hexdigest()[:16]


#: Of the lines of a study's file.
VERSION = 1


def preset(name: str) -> Plan:
    """One of the studies that come with egregium. Raises ArgumentError for an unknown name.

    >>> len(preset("fashion").settings) >= 150
    True
    """
    if name not in PRESETS:
        raise ArgumentError(f"--preset must be one of {', '.join(PRESETS)}, got {name!r}.")
    return _plan(files("egregium.study").joinpath("presets", f"{name}.toml").read_text("utf-8"), f"preset {name}")


def plan_of(path: str | Path) -> Plan:
    """The study that a TOML file describes. Raises ArgumentError, with what is wrong in it."""
    try:
        return _plan(Path(path).read_text("utf-8"), str(path))
    except OSError as error:
        raise ArgumentError(f"Cannot read {path}: {error.strerror}. Pass a TOML file of a study.") from error
    except UnicodeDecodeError as error:
        raise ArgumentError(f"{path} is not a text file in UTF-8: {error}. Pass a TOML file of a study.") from error


def _plan(text: str, where: str) -> Plan:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ArgumentError(f"{where} is not TOML: {error}.") from error
    unknown = sorted(found.keys() - DEFAULTS.keys() - {"base", "sweep"})
    if unknown:
        raise ArgumentError(f"{where} has an unknown {unknown[0]!r}. Known are {', '.join(DEFAULTS)}, base, sweep.")
    values = DEFAULTS | {name: found[name] for name in found.keys() & DEFAULTS.keys()}
    for name, value in values.items():
        values[name] = _checked(name, value, where)
    sweeps = found.get("sweep", [])
    if not isinstance(sweeps, list) or not sweeps or not all(isinstance(sweep, dict) for sweep in sweeps):
        raise ArgumentError(f"{where} has no [[sweep]]. Give at least one, with a name and lists of levels.")
    base = found.get("base", {})
    if not isinstance(base, dict):
        raise ArgumentError(f"{where}: [base] must be a table of hyper-parameters, got {base!r}.")
    members: dict[str, list[Setting]] = {}
    try:
        for sweep in sweeps:
            name, networks = _settings(base, sweep, values["seeds"])
            members.setdefault(name, []).extend(networks)
    except ArgumentError as error:
        raise ArgumentError(f"{where}: {error}") from error
    del values["seeds"]
    settings = tuple(dict.fromkeys(each for networks in members.values() for each in networks))
    keys = {name: tuple(each.key for each in networks) for name, networks in members.items()}
    return Plan(**values, settings=settings, sweeps=keys)


def _checked(name: str, value: Any, where: str) -> Any:
    """A value of the file's first part, of its type and in its range."""
    like = DEFAULTS[name]
    if isinstance(like, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(like):
        raise ArgumentError(f"{where}: {name} must be like {like!r}, got {value!r}.")
    if isinstance(value, (int, float)) and not value > 0:
        raise ArgumentError(f"{where}: {name} must be positive, got {value!r}.")
    if name == "seeds" and not (value and all(type(seed) is int and seed >= 0 for seed in value)):
        raise ArgumentError(f"{where}: seeds must be whole numbers, at least one and none below 0; got {value!r}.")
    if name == "measures":
        unknown = [each for each in value if not isinstance(each, str) or each not in MEASURES]
        if unknown:
            raise ArgumentError(f"{where}: there is no measure {unknown[0]!r}. There are {', '.join(MEASURES)}.")
        return tuple(dict.fromkeys(value))
    return value


def _settings(base: Mapping[str, Any], sweep: Mapping[str, Any], seeds: list[int]) -> tuple[str, list[Setting]]:
    """The name of a sweep, and every combination of its levels with every seed."""
    levels = dict(sweep)
    name = levels.pop("name", None)
    if not isinstance(name, str) or not name:
        raise ArgumentError('every [[sweep]] needs a name, such as name = "depth".')
    lists = {key: value if isinstance(value, list) else [value] for key, value in levels.items()}
    if empty := [key for key, values in lists.items() if not values]:
        raise ArgumentError(f"{empty[0]} of the sweep {name!r} has no level. Give at least one, or leave it out.")
    lists.setdefault("seed", seeds)
    combined = product(*lists.values())
    return name, [setting(dict(base) | dict(zip(lists, values, strict=True))) for values in combined]
