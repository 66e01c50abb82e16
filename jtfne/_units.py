"""Factors between units, and the types of arrays of real numbers: each said once.

A factor is named for what it multiplies: `t_s * MS_PER_s` is a time in ms.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]

MS_PER_s = 1000.0
S_PER_ms = 1e-3
M_PER_mm = 1e-3
A_PER_pA = 1e-12
