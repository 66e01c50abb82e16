"""Facts about where a report was made: versions, machine, flags."""

import functools
import os
import platform
import sys
from importlib import metadata
from typing import Any

from jtfne.reports._source import describe_checkout, hash_files

PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "xarray", "mne")
# What the bits of a run depend on, besides its circuit, its inputs and its settings.
BIT_CONDITIONS = (
    *("jtfne", "jtfne_files", "jax", "jaxlib", "numpy", "scipy"),
    *("machine", "backend", "device_kind"),
)


def software() -> dict[str, str]:
    """Versions of jtfne, Python and the packages that numbers depend on.

    `jtfne_files` is a hash of jtfne's code; `jtfne_git`, where jtfne runs or was built from a
    checkout, what git calls that.
    """
    checkout = describe_checkout()
    return _versions() | ({} if checkout is None else {"jtfne_git": checkout})


def bit_conditions() -> dict[str, str]:
    """The software and the machine that the bits of a run depend on; equal for equal bits."""
    provenance = {**_versions(), **machine()}
    return {name: provenance[name] for name in BIT_CONDITIONS}


def _versions() -> dict[str, str]:
    """Versions of jtfne, Python and packages, and the hash of jtfne's code."""
    from jtfne import __version__

    return {
        "jtfne": __version__,
        "jtfne_files": hash_files(),
        "python": platform.python_version(),
        **_package_versions(),
    }


@functools.cache
def _package_versions() -> dict[str, str]:
    """Versions of PACKAGES; cached, since they cannot change while the process runs."""
    return {name: metadata.version(name) for name in PACKAGES}


def machine() -> dict[str, Any]:
    """The system, processor and device of this process.

    Bits are promised on one kind of device and instruction set.
    """
    import jax

    device = jax.devices()[0]
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "byteorder": sys.byteorder,
        "backend": jax.default_backend(),
        "device_kind": device.device_kind,
        "n_devices": jax.device_count(),
        "flags": flags(),
    }


DEFAULTS = {
    "jax_disable_jit": False,
    "jax_default_device": None,
    "jax_debug_nans": False,
    "jax_debug_infs": False,
}
"""Flags of jax that a run leaves as they are, and on which its bits may hang; others it sets, or
they do not matter.
"""
ENVIRONMENT = ("XLA_FLAGS", "LIBTPU_INIT_ARGS", "NVIDIA_TF32_OVERRIDE", "JAX_COMPILER_OPTIONS")


def flags() -> dict[str, str]:
    """Settings of jax and its compiler that are not the default, as text by name."""
    import jax

    settings = {name: getattr(jax.config, name) for name in DEFAULTS}
    unusual = {name: str(value) for name, value in settings.items() if value != DEFAULTS[name]}
    return unusual | {name: os.environ[name] for name in ENVIRONMENT if os.environ.get(name)}
