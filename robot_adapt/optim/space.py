"""Space: where an operator searches, be it all weights, their meta-learned scales, or a subspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.types import FloatArray


@dataclass(frozen=True, eq=False)
class Space:
    """theta = start + L z with L = sigma [diag(scale), basis]: standard normal z perturb theta by N(0, L L^T).

    L L^T = sigma^2 (diag(scale)^2 + basis basis^T): isotropic, diagonal, low rank + diagonal, or a subspace. Nothing of size
    (d, d) is ever formed.

    Attributes:
        parameters: d, of theta.
        scale: (d,); 1.0 means ones, never formed; None means that only the basis is searched.
        basis: (d, r) or None.
        sigma: of the whole.

    """

    parameters: int
    scale: FloatArray | float | None = 1.0
    basis: FloatArray | None = None
    sigma: float = 1.0

    def __post_init__(self) -> None:
        if self.scale is None and self.basis is None:
            raise ValueError("a space needs a scale or a basis")
        if isinstance(self.scale, np.ndarray) and self.scale.shape != (self.parameters,):
            raise ValueError(f"the space's scale has shape {self.scale.shape}, should be {(self.parameters,)}")
        if self.basis is not None and (self.basis.ndim != 2 or len(self.basis) != self.parameters or not self.basis.size):
            raise ValueError(f"the space's basis has shape {self.basis.shape}, should be ({self.parameters}, r)")
        if not all(np.isfinite(part).all() for part in (self.scale, self.basis) if part is not None):
            raise ValueError("the space holds a value that is not finite")

    @property
    def dimensions(self) -> int:
        """k, of z."""
        axes = 0 if self.scale is None else self.parameters
        return axes + (0 if self.basis is None else self.basis.shape[1])

    def scaled(self, factor: float) -> Space:
        """The same directions, perturbed so many times as far."""
        return replace(self, sigma=self.sigma * factor)

    def stretched(self, factors: FloatArray) -> Space:
        """The same with each axis, a column of L, times its factor (k,)."""
        axes = 0 if self.scale is None else self.parameters
        scale = None if self.scale is None else self.scale * factors[:axes]
        return replace(self, scale=scale, basis=None if self.basis is None else self.basis * factors[axes:])

    def steps(self, z: FloatArray) -> FloatArray:
        """L z for each row: (n, k) to (n, d)."""
        if z.shape[-1] != self.dimensions:
            raise ValueError(f"z has {z.shape[-1]} dimensions, this space has {self.dimensions}")
        if self.basis is None:
            return (self.sigma * self.scale) * z  # type: ignore[operator]  # one of the two is there
        rank = self.basis.shape[1]
        along_basis = z[..., -rank:] @ (self.sigma * self.basis).T
        return along_basis if self.scale is None else (self.sigma * self.scale) * z[..., :-rank] + along_basis

    def arrays(self) -> dict[str, FloatArray]:
        """What a file keeps of it, sigma included, beside its other arrays; see `from_arrays`."""
        arrays = {} if self.basis is None else {"space_basis": self.sigma * self.basis}
        if self.scale is not None:
            arrays["space_scale"] = np.broadcast_to(self.sigma * self.scale, self.parameters).copy()
        return arrays


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Space | None:
    """The space among a file's arrays; None when there is none. Raises ValueError for shapes that do not fit."""
    scale, basis = (None if (a := arrays.get(f"space_{name}")) is None else a.astype(np.float64) for name in ("scale", "basis"))
    if scale is None and basis is None:
        return None
    return Space(len(np.atleast_1d(basis if scale is None else scale)), scale, basis)  # type: ignore[arg-type]
