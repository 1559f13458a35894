"""Which measure of a minimum ranks how well it generalises: sweeps of trained networks."""

from egregium.study.plan import PRESETS, Plan, plan_of, preset
from egregium.study.ranking import study
from egregium.study.setting import Setting
from egregium.study.sweep import Heard, swept
from egregium.study.worker import record

__all__ = ["PRESETS", "Heard", "Plan", "Setting", "plan_of", "preset", "record", "study", "swept"]
