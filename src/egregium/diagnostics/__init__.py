"""Why a loss changes from one pass over the data to the next, and what to do about it."""

from egregium.diagnostics.diagnose import diagnosis, refuse_changing_loss
from egregium.diagnostics.finding import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnosis", "refuse_changing_loss"]
