"""The document of a run: each part with its environment and tables, written whole."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from bench.options import Options
from bench.tables import Column, Table
from egregium.results import environment
from egregium.results.document import write_whole

#: Raised when a reader of the older version would misread the newer.
SCHEMA = 1


def keep(path: Path, part: str, options: Options, tables: Sequence[Table], seconds: float) -> None:
    """Put `part` into the document at `path`, in place of an earlier run of the same part."""
    parts = read(path) if path.exists() else {}
    where = asdict(environment(torch.device("cpu"), torch.float32, 0))
    parts[part] = {
        "environment": {key: value for key, value in where.items() if key not in ("dtype", "seed")},
        "processor": _processor(),
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(seconds, 1),
        "quick": options.quick,
        "tables": [asdict(table) for table in tables],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps({"schema": SCHEMA, "parts": parts}, indent=1) + "\n", force=True)


def read(path: Path) -> dict[str, Any]:
    """The parts in the document at `path`, by name. Raises ValueError where it has another schema."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.get("schema") != SCHEMA:
        raise ValueError(f"{path} is no document of `python -m bench` with schema {SCHEMA}. Choose another --out.")
    parts: dict[str, Any] = content["parts"]
    return parts


def revived(table: dict[str, Any]) -> Table:
    """A table as it was before it was written."""
    return Table(**{**table, "columns": tuple(Column(**column) for column in table["columns"])})


def _processor() -> str:
    """The processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"
