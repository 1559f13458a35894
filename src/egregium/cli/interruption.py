"""Ctrl-C and SIGTERM at any moment: a sentence and exit code 130. Imports nothing that takes time.

While the libraries are loaded, and once the command is done, a signal ends the process at once: an exception on its
way through an import or a finaliser may be swallowed. While a command runs it is a KeyboardInterrupt, so that the
user's own code is left in order.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

#: Exit code, what is said where there is nothing to keep, and the signals: a scheduler says SIGTERM.
CODE = 130
NOTHING = "Interrupted before there was an estimate; nothing was written."
KINDS = (signal.SIGINT, signal.SIGTERM)

Handler = Callable[[int, FrameType | None], Any]


class Process:
    """What the command made of its process. `owned`: the process is the command's; `came`: a signal did."""

    owned, came = False, False

    @classmethod
    def own(cls) -> None:
        """From here on signals end this process with a sentence, wherever they come."""
        cls.owned = True
        _set(_at_once)
        sys.unraisablehook = _unraisable

    @classmethod
    @contextmanager
    def interruptible(cls) -> Iterator[None]:
        """In here signals are KeyboardInterrupts; afterwards the command is done, and they end what is left of it."""
        if not cls.owned:
            yield
            return
        _set(raised)
        try:
            yield
        finally:
            _set(_done)

    @classmethod
    @contextmanager
    def held(cls) -> Iterator[None]:
        """In here a signal waits: what is begun is finished."""
        waiting = False

        def later(_signal: int, _frame: FrameType | None) -> None:
            nonlocal waiting
            waiting = True

        with handled_by(later):
            yield
        if waiting:
            signal.raise_signal(signal.SIGINT)


@contextmanager
def handled_by(handler: Handler) -> Iterator[None]:
    """In here `handler` is called for signals; then as before."""
    before = {kind: signal.getsignal(kind) for kind in KINDS}
    _set(handler)
    try:
        yield
    finally:
        for kind, old in before.items():
            signal.signal(kind, old)


def _set(handler: Handler) -> None:
    for kind in KINDS:
        if signal.getsignal(kind) is not signal.SIG_IGN:  # the caller's wish: a job in the background of a script
            signal.signal(kind, handler)


def _at_once(_signal: int, _frame: FrameType | None) -> None:
    os.write(2, f"\nerror: {NOTHING}\n".encode())
    os._exit(CODE)


def raised(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Note the signal, and raise KeyboardInterrupt."""
    Process.came = True
    raise KeyboardInterrupt


def _done(_signal: int, _frame: FrameType | None) -> None:
    with suppress(RuntimeError, OSError):  # it may be in the middle of a flush
        sys.stdout.flush()
    os._exit(CODE)


def _unraisable(failure: Any) -> None:
    """A KeyboardInterrupt in a finaliser, which Python would print and forget."""
    if isinstance(failure.exc_value, KeyboardInterrupt):
        _at_once(signal.SIGINT, None)
    sys.__unraisablehook__(failure)
