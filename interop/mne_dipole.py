"""The dipole moment of an area as `mne.Dipole`, and as the text columns of hnn-core."""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from jtfne import __version__
from jtfne._check import names_arguments, one_of, refuse
from jtfne.interop._inputs import check_path, check_signals, check_trial, open_beside
from jtfne.interop.mne_physical import locate_in_head_m, read_area
from jtfne.recordings import HNN_COLUMNS, nA_m_PER_A_m
from jtfne.signals import Signals

if TYPE_CHECKING:
    import mne
    import xarray as xr

READOUT = "dipole"


@names_arguments
def to_mne_dipole(
    signals: Signals, area: str | None = None, *, trial: int | None = None
) -> "mne.Dipole":
    """The current dipole moment of an area, at its place in the head, as `mne.Dipole`.

    Parameters
    ----------
    signals : Signals
        A run that recorded `dipole`.
    area : str, optional
        Whose moment; may be left out where there is one area.
    trial : int, optional
        One trial only; left out, trials stand end to end, as in `to_raw`.

    Returns
    -------
    mne.Dipole
        A row for each sample: `times` in s as MNE has them, 0 at the start of the first trial;
        `pos` in m, half a cortex below the pia at the area's place, in head coordinates; `ori` the
        outward normal of the area; `amplitude` in A m, negative where the moment points inward;
        `gof` 100, for nothing was fitted. `Dipole.save` writes nA m with 3 decimals to a .dip file,
        and single precision to a .bdip file.

    Raises
    ------
    JtfneError
        For a run without `dipole`, an unknown area, several to choose from, or one without a place
        in the head.

    Examples
    --------
    >>> import jtfne
    >>> config = jtfne.suite2_net1_config(20).runtime(duration_ms=5.0).probes(["dipole"])
    >>> dipole = to_mne_dipole(jtfne.construct(config).simulate())
    >>> dipole.times.tolist(), dipole.pos[0].round(3).tolist()
    ([0.0, 0.001, 0.002, 0.003, 0.004], [-0.012, -0.053, 0.045])
    """
    import mne

    where = "to_mne_dipole"
    area = _choose_area(signals, area, where)
    n_trials = int(signals.tree.attrs["n_trials"])
    trials = range(n_trials) if trial is None else [check_trial(signals, trial, where)]
    moments = [_select_moment(signals, area, number) for number in trials]
    place_m = locate_in_head_m(signals, _select_area(signals, area))
    config = read_area(signals, area)
    if place_m is None or not any(config["position_mm"]):
        raise refuse(
            f"the area {area!r}, which has no place in the head,",
            "an area with position_mm",
            where,
        )
    amplitude_A_m = np.concatenate([moment.values for moment in moments]).astype(np.float64)
    step_ms = float(moments[0].attrs["interval_ms"])
    n_times = amplitude_A_m.size
    return mne.Dipole(
        times=np.round(np.arange(n_times) * step_ms, 9) / 1e3,
        pos=np.tile(place_m, (n_times, 1)),
        amplitude=amplitude_A_m,
        ori=np.tile(np.asarray(config["normal"], np.float64), (n_times, 1)),
        gof=np.full(n_times, 100.0),
        name=area,
        verbose="error",
    )


@names_arguments
def write_dipole_text(
    signals: Signals, path: str | Path, *, area: str | None = None, trial: int | None = None
) -> Path:
    """Write the dipole moment of an area as the text that `hnn_core.read_dipole` reads.

    Parameters
    ----------
    signals : Signals
        A run that recorded `dipole`.
    path : str or Path
        A file that does not exist yet; hnn-core wants the suffix .txt.
    area : str, optional
        Whose moment; may be left out where there is one area.
    trial : int, optional
        Which trial, since a file of hnn-core holds one; may be left out where there is one.

    Returns
    -------
    Path
        Two columns, the time in ms and the moment in nA m, outward positive, as hnn-core's ``agg``;
        jtfne does not know the share of each layer. Lines with "#" in front, which hnn-core skips,
        say what the columns are. `from_dipole_text` reads it back.

    Raises
    ------
    JtfneError
        For a run without `dipole`, an unknown area, several areas or trials to choose from, and a
        file that exists.

    Examples
    --------
    >>> import jtfne, tempfile
    >>> config = jtfne.suite2_net1_config(20).runtime(duration_ms=5.0).probes(["dipole"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     signals = jtfne.construct(config).simulate()
    ...     path = write_dipole_text(signals, f"{folder}/dipole.txt")
    ...     path.read_text().splitlines()[1]
    '# time (ms)\\tagg (nAm)'
    """
    where = "write_dipole_text"
    area = _choose_area(signals, area, where)
    target = check_path(path, where)
    if target.suffix != ".txt":
        raise refuse(f"the name {str(target)!r}", "one that ends in .txt", where)
    n_trials = int(signals.tree.attrs["n_trials"])
    if trial is None and n_trials > 1:
        raise refuse(
            f"a run of {n_trials} trials without trial=", f"trial=0 to {n_trials - 1}", where
        )
    number = check_trial(signals, 0 if trial is None else trial, where)
    moment = _select_moment(signals, area, number)
    facts = json.dumps({"area": area, "trial": number})  # ASCII, whatever the area is called
    head = f"jtfne {__version__} {facts}\n{HNN_COLUMNS[0]}\t{HNN_COLUMNS[1]}"
    columns: NDArray[np.float64] = np.column_stack(
        [moment["time"].values, moment.values.astype(np.float64) * nA_m_PER_A_m]
    )
    stream = io.BytesIO()
    np.savetxt(stream, columns, fmt=["%.6f", "%.9e"], delimiter="\t", header=head)
    with open_beside(target, where) as beside:
        beside.write_bytes(stream.getvalue())
    return target


def list_areas(signals: Signals) -> list[str]:
    """The areas whose dipole moments a run recorded."""
    return [str(name) for name in signals.get(READOUT, trial=0)["area"].values]


def _choose_area(signals: Signals, area: str | None, where: str) -> str:
    """The name of the area asked for, or of the only one.

    Raises: JtfneError for a run without `dipole`, an unknown name, and several without a choice.
    """
    check_signals(signals, where)
    one_of(READOUT, signals.recorded(), name="readout", where=where)
    areas = list_areas(signals)
    if area is None and len(areas) == 1:
        return areas[0]
    if area is None:
        raise refuse(f"a run of {len(areas)} areas without area=", ", ".join(areas), where)
    return one_of(area, areas, name="area", where=where)


def _select_area(signals: Signals, area: str) -> "xr.DataArray":
    """The dipole moments of one area, with the dim `area`."""
    return signals.get(READOUT, area=area, trial=0)


def _select_moment(signals: Signals, area: str, trial: int) -> "xr.DataArray":
    """The dipole moment of an area in one trial, (time,) in A m."""
    return signals.get(READOUT, trial=trial).sel(area=area)
