"""Where in the user's code something happens: file, line and module, from the stack."""

import linecache
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from types import FrameType
from typing import Any, Literal

import torch
from torch import nn

Part = Literal["data", "model", "loss"]

#: Characters of a line of code that are shown.
CODE = 100

_TORCH = str(Path(torch.__file__).parent)
_HERE = str(Path(__file__).parents[1])
#: Files whose frames stand between torch and the user's code.
_BETWEEN = frozenset(str(Path(__file__).with_name(name)) for name in ("site.py", "watch.py", "hooks.py"))


@dataclass(frozen=True)
class Site:
    """A call of a torch function: its name, the user's line that led to it, and the module it is in.

    `file` is empty where no line of the user's did; `owner` is the class of the module, `training` its mode.
    """

    function: str
    part: Part
    file: str = ""
    line: int = 0
    module: str = ""
    owner: str = ""
    hook: str = ""
    training: bool = False

    @property
    def place(self) -> tuple[str, str, int, str, str]:
        """What tells two sources apart: the same line of twelve layers is one."""
        return self.function, self.file, self.line, self.owner, "" if self.file else self.module

    def __str__(self) -> str:
        """As `net.py:12: h = F.dropout(h, 0.5, training=True)`; empty without a line."""
        if not self.file:
            return ""
        code = shorten(linecache.getline(self.file, self.line), CODE, placeholder=" …")
        return f"{shown(self.file)}:{self.line}" + (f": {code}" if code else "")


def shown(file: str) -> str:
    """The path from the current folder where it is in there, else whole."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def defined(function: Any) -> str:
    """File and line where a function is defined; empty where it is not Python's."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return f"{shown(code.co_filename)}:{code.co_firstlineno}" if code is not None else ""


def site(function: str, part: Part, names: dict[int, str], hook: str = "") -> Site:
    """The site of the torch function that is being called; `names` are the modules' by id.

    The user's line is that of the first frame outside torch; frames above egregium's own are whoever called us.
    """
    frame: FrameType | None = sys._getframe(1)
    file, line, module, owner, training = "", 0, "", "", False
    while frame is not None and not (file and module):
        name = frame.f_code.co_filename
        if name not in _BETWEEN:
            if name.startswith(_HERE):
                break
            if not file and not name.startswith(_TORCH):
                file, line = name, frame.f_lineno
            if not module and isinstance(me := frame.f_locals.get("self"), nn.Module) and id(me) in names:
                module, owner, training = names[id(me)], type(me).__name__, me.training
        frame = frame.f_back
    return Site(function, part, file, line, module, owner, hook, training)
