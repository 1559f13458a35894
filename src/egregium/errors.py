"""The exceptions of egregium: sentences that say what came, what was expected and what to do.

Every class also derives from the built-in exception that a Python user would expect.
"""


class EgregiumError(Exception):
    """Base of all errors that egregium raises on purpose."""


class ArgumentError(EgregiumError, ValueError):
    """An argument is outside what the called function accepts."""


class UnsuitableError(ArgumentError):
    """A statement cannot be run on this landscape, and the sentence says why; others may be."""


class DataError(EgregiumError, ValueError):
    """The data are empty, can be read only once, or are not batches the loss can use."""


class LossError(EgregiumError, ValueError):
    """The loss is not a finite scalar of the parameters, or is averaged in an unknown way."""


class NotFiniteError(LossError):
    """The loss is NaN or infinite at this point, and the data are read: `value` is what it is."""

    def __init__(self, sentence: str, value: float) -> None:
        super().__init__(sentence)
        self.value = value


class ArithmeticalError(EgregiumError, ArithmeticError):
    """A product or an estimate is not finite: a derivative that does not exist, or overflow."""


class CheckpointError(EgregiumError, ValueError):
    """A checkpoint cannot be read safely or does not fit the model."""


class TargetError(EgregiumError, ValueError):
    """A TARGET of the command line cannot be imported or returns something else than a landscape."""


class OutOfMemoryError(EgregiumError, MemoryError):
    """What was asked for does not fit into memory; the sentence says what would."""


class BudgetError(EgregiumError, ValueError):
    """The budget ends before an estimate with an error bar exists."""


class DocumentError(EgregiumError, ValueError):
    """A result document cannot be written or read."""
