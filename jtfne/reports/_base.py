"""What every report says about where it was made."""

import functools
import platform
import sys
from importlib import metadata
from typing import Any

PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "xarray", "mne")


def software() -> dict[str, str]:
    """Versions of jtfne, Python and what the numbers depend on."""
    from jtfne import __version__

    return {"jtfne": __version__, "python": platform.python_version(), **_installed()}


@functools.cache
def _installed() -> dict[str, str]:
    """Versions of PACKAGES, which cannot change under a running process; looked up once, at 2 ms each."""
    return {name: metadata.version(name) for name in PACKAGES}


def machine() -> dict[str, Any]:
    """Where it ran: system, processor, device. Bits are promised on one kind of device and instruction set."""
    import jax

    device = jax.devices()[0]
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "byteorder": sys.byteorder,
        "backend": jax.default_backend(),
        "device_kind": device.device_kind,
        "n_devices": jax.device_count(),
    }
