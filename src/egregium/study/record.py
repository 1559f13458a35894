"""What is kept of each network: one line of a study's file."""

import math
from dataclasses import asdict
from typing import Any

from egregium.results import Environment, Network
from egregium.results.typed import refuse_misfits
from egregium.study.setting import setting


def line_of(network: Network) -> dict[str, Any]:
    """As JSON has it; numbers that it lacks as text: "nan", "inf", "-inf"."""
    found = asdict(network)
    for name in ("numbers", "half_widths"):
        found[name] = {key: value if math.isfinite(value) else str(value) for key, value in found[name].items()}
    return found


def network_of(line: Any) -> Network:
    """The network of a line. Raises ValueError, TypeError or KeyError where a hand has edited it."""
    values = dict(line)
    for name in ("numbers", "half_widths"):
        values[name] = {key: _number(value) for key, value in values[name].items()}
    refuse_misfits(Environment, values["environment"])
    values["environment"] = Environment(**values["environment"])
    refuse_misfits(Network, {name: values[name] for name in values if name in Network.__dataclass_fields__})
    made = Network(**values)
    setting(dict(made.setting))
    if made.status not in ("trained", "diverged", "not reached", "not measured"):
        raise ValueError("no status")
    return made


def _number(value: Any) -> float:
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or value in ("nan", "inf", "-inf")):
        raise ValueError("no number")
    return float(value)
