"""The Riemannian geometry of neural-network loss landscapes.

>>> import torch, egregium as eg
>>> land = eg.Landscape.from_function(lambda x: x[0] ** 2 - x[1] ** 2, torch.zeros(2, dtype=torch.float64))
>>> print(eg.scalar_curvature(land))
-8 (exact)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from egregium import geometry, slices
    from egregium.curvature import ggn, hessian, shape_operator
    from egregium.diagnostics import Diagnosis, diagnosis
    from egregium.errors import EgregiumError
    from egregium.estimators import Progress
    from egregium.landscape import Landscape
    from egregium.measurement import (
        batch_curvatures,
        dual_spectrum,
        eigenpairs,
        nuclear_norm,
        scalar_curvature,
        spectral_density,
        squared_frobenius,
        trace,
    )
    from egregium.measurement.blocks import blocks
    from egregium.measurement.measure import measure
    from egregium.operators import SymmetricOperator
    from egregium.results import (
        BlockTable,
        Cost,
        DualSpectrum,
        Eigenpairs,
        Estimate,
        Measurement,
        Session,
        SpectralDensity,
        compare,
        load,
    )

    __version__: str

#: Where each public name is defined. Imported at its first use: torch takes seconds, and Ctrl-C must end those too.
_HOMES = {
    "curvature": ("ggn", "hessian", "shape_operator"),
    "diagnostics": ("Diagnosis", "diagnosis"),
    "errors": ("EgregiumError",),
    "estimators": ("Progress",),
    "geometry": (),
    "slices": (),
    "landscape": ("Landscape",),
    "measurement": (
        "batch_curvatures",
        "blocks",
        "dual_spectrum",
        "eigenpairs",
        "measure",
        "nuclear_norm",
        "scalar_curvature",
        "spectral_density",
        "squared_frobenius",
        "trace",
    ),
    "operators": ("SymmetricOperator",),
    "results": (
        "BlockTable",
        "Cost",
        "DualSpectrum",
        "Eigenpairs",
        "Estimate",
        "Measurement",
        "Session",
        "SpectralDensity",
        "compare",
        "load",
    ),
}

__all__ = [
    "BlockTable",
    "Cost",
    "Diagnosis",
    "DualSpectrum",
    "EgregiumError",
    "Eigenpairs",
    "Estimate",
    "Landscape",
    "Measurement",
    "Progress",
    "Session",
    "SpectralDensity",
    "SymmetricOperator",
    "batch_curvatures",
    "blocks",
    "compare",
    "diagnosis",
    "dual_spectrum",
    "eigenpairs",
    "geometry",
    "ggn",
    "hessian",
    "load",
    "measure",
    "nuclear_norm",
    "scalar_curvature",
    "shape_operator",
    "slices",
    "spectral_density",
    "squared_frobenius",
    "trace",
]


#: What shows itself in a notebook with a picture: the room that draws comes with it.
DRAWN_TOO = ("slices",)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = import_module("importlib.metadata").version("egregium")
    elif name in _HOMES:
        if name in DRAWN_TOO:
            import_module("egregium.viz.notebook")
        return import_module(f"egregium.{name}")
    else:
        home = next((home for home, names in _HOMES.items() if name in names), None)
        if home is None:
            raise AttributeError(f"module 'egregium' has no attribute {name!r}")
        value = getattr(import_module(f"egregium.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
