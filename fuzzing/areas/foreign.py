"""Files of other tools by mutation: NWB, SpikeGLX, BIDS, dipole text, Zarr, Parquet, SONATA and
CSV, with bytes changed, cut or added.
"""

import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st
from pyarrow import parquet

import jtfne
from fuzzing._verdicts import Meaningless
from fuzzing.areas._base import Described, small_config
from fuzzing.areas.files import ENCODINGS, KINDS, alter
from jtfne import _json, analysis, interop

# Of each file or folder: how it is read.
READERS: dict[str, Callable[[Path], Any]] = {
    "run.nwb": lambda path: interop.from_nwb(path, "lfp"),
    "units.nwb": lambda path: interop.from_nwb(path, "spk"),
    "glx": interop.from_neo,
    "bids": interop.from_bids,
    "dipole.txt": interop.from_dipole_text,
    "lfp.zarr": lambda path: interop.from_zarr(path, "lfp"),
    "lfp.parquet": lambda path: interop.from_parquet(path, "lfp"),
    "spikes.csv": interop.from_spikes,
    "spikes": interop.from_spikes,
    "sonata.h5": lambda path: analysis.load_recording(path, readout="spk"),
    "circuit": lambda path: interop.from_sonata(path / "circuit_config.json"),
    "run-epo.fif": lambda path: interop.from_raw(path, "eeg"),
    "run-ave.fif": lambda path: interop.from_raw(path, "eeg"),
}
CIRCUIT = {
    "target_simulator": "NEST",
    "run": {"tstop": 20.0, "dt": 0.1},
    "components": {"point_neuron_models_dir": "."},
    "networks": {
        "nodes": [{"nodes_file": "nodes.h5", "node_types_file": "node_types.csv"}],
        "edges": [{"edges_file": "edges.h5", "edge_types_file": "edge_types.csv"}],
    },
}


class Foreign(Described):
    """A changed file is refused, or what is read from it is a labelled recording."""

    name = "foreign"

    def prepare(self) -> Path:
        """A folder with a file of each kind."""
        folder = Path(tempfile.mkdtemp(prefix="jtfne-fuzz-foreign-"))
        config = small_config().areas(
            [
                {"name": "V1", "position_mm": [0.0, -60.0, 40.0]},
                {"name": "V4", "position_mm": [0.0, 60.0, 40.0]},
            ]
        )
        probes = ["spk", {"kind": "LFP", "n_channels": 4}, "eeg", "dipole"]
        signals = jtfne.construct(config.probes(probes)).simulate(trials=2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            interop.to_nwb(signals, folder / "run.nwb")
            shutil.copy(folder / "run.nwb", folder / "units.nwb")
            interop.to_bids(signals, folder / "bids", readouts=["lfp"])
            interop.write_dipole_text(signals, folder / "dipole.txt", area="V1", trial=0)
            interop.write_epochs(signals, "eeg", folder / "run-epo.fif")
            evoked = next(iter(interop.to_evoked(signals, "eeg", window_ms=(-4.0, 14.0)).values()))
            evoked.save(folder / "run-ave.fif", verbose="error")
            recording = interop.from_nwb(folder / "run.nwb", "lfp")
            recording.to_dataset(name="lfp").to_zarr(folder / "lfp.zarr", zarr_format=2)
        write_tables(signals, folder)
        write_spikeglx(folder / "glx")
        write_circuit(folder / "circuit")
        return folder

    def cases(self) -> st.SearchStrategy[Any]:
        """A file, where in it (a share of a folder's files; a share of its bytes), and what is done
        there.
        """
        share = st.floats(0.0, 1.0, exclude_max=True)
        return st.tuples(
            st.sampled_from(sorted(READERS)),
            st.sampled_from(KINDS),
            share,
            share,
            st.integers(0, 7),
            st.sampled_from(ENCODINGS),
        )

    def run(self, context: Path, case: Any) -> None:
        """Change a copy, and read it."""
        name, kind, file_share, byte_share, bit, encoding = case
        with tempfile.TemporaryDirectory(prefix="jtfne-fuzz-") as place:
            path = Path(place) / name
            copy_changed(context / name, path, kind, (file_share, byte_share), bit, encoding)
            result = READERS[name](path)
            if isinstance(result, jtfne.Config):
                result.check()
            elif "units" not in result.attrs:
                raise Meaningless(f"{name}: no units")


def copy_changed(
    original: Path, path: Path, kind: str, shares: tuple[float, float], bit: int, encoding: str
) -> None:
    """Copy a file, or a folder of files of which one is taken, and change it in place."""
    changed = path
    if original.is_dir():
        shutil.copytree(original, path)
        files = sorted(file for file in path.rglob("*") if file.is_file())
        changed = files[int(shares[0] * len(files))]
    else:
        shutil.copy(original, path)
    alter(changed, kind, shares[1], bit, encoding)


def write_tables(signals: jtfne.Signals, folder: Path) -> None:
    """Write spikes and samples as tables: CSV, Parquet and SONATA's HDF5."""
    spikes = signals.spikes[["neuron", "time_ms", "trial"]]
    spikes.to_csv(folder / "spikes.csv", index=False)
    (folder / "spikes").mkdir()
    spikes.to_parquet(folder / "spikes" / "trial_0.parquet", index=False)
    rows = []
    for k in range(40):
        rows += [(float(k), "a", 1e-6 * k, 0.1), (float(k), "b", 2e-6 * k, 0.2)]
    table = pd.DataFrame(rows, columns=["time", "channel", "lfp", "z_mm"])
    samples = pa.Table.from_pandas(table, preserve_index=False)
    samples = samples.replace_schema_metadata({"units": "V"})
    parquet.write_table(samples, folder / "lfp.parquet")
    with h5py.File(folder / "sonata.h5", "w") as file:
        group = file.create_group("spikes/V1")
        group["node_ids"] = np.array([0, 1, 1], np.uint64)
        group["timestamps"] = np.array([1.0, 2.5, 7.0])
        group["timestamps"].attrs["units"] = "ms"


def write_circuit(folder: Path) -> None:
    """Write a circuit of SONATA: three cells of two types, and three edges."""
    folder.mkdir()
    with h5py.File(folder / "nodes.h5", "w") as file:
        group = file.create_group("nodes/V1")
        write_columns(group, node_type_id=[7, 3, 7], node_id=[0, 1, 2])
        write_columns(group, node_group_id=[0, 0, 0], node_group_index=[0, 1, 2])
        group.create_group("0")
    with h5py.File(folder / "edges.h5", "w") as file:
        group = file.create_group("edges/V1_to_V1")
        write_columns(group, source_node_id=[0, 1, 2], target_node_id=[1, 2, 0])
        for end in ("source", "target"):
            group[f"{end}_node_id"].attrs["node_population"] = "V1"
        write_columns(group, edge_type_id=[10, 11, 10])
        write_columns(group, edge_group_id=[0, 0, 0], edge_group_index=[0, 1, 2])
        write_columns(group.create_group("0"), nsyns=[1, 2, 1])
    texts = {
        "node_types.csv": "node_type_id pop_name model_type model_template dynamics_params\n"
        "7 exc point_neuron nest:iaf_psc_exp exc.json\n"
        '3 "inh ü" point_neuron nest:iaf_psc_delta NULL\n',
        "edge_types.csv": "edge_type_id syn_weight delay model_template\n"
        "10 2.0 1.5 static_synapse\n11 -0.5 0.8 static_synapse\n",
        "exc.json": '{"E_L": -65.0, "tau_syn_ex": 3.0, "I_e": 10.0}',
        "circuit_config.json": _json.dumps(CIRCUIT),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def write_columns(group: h5py.Group, **columns: list[int]) -> None:
    """Write a dataset of each column."""
    for name, values in columns.items():
        group[name] = np.array(values, np.uint32)


def write_spikeglx(folder: Path) -> None:
    """Write the two files of SpikeGLX: an analog input of two channels at 2 kHz."""
    folder.mkdir()
    counts = np.arange(-40, 40, dtype="<i2")
    (folder / "rat_g0_t0.nidq.bin").write_bytes(counts.tobytes())
    meta = {
        "typeThis": "nidq",
        "nSavedChans": "2",
        "fileName": "D:/data/rat_g0_t0.nidq.bin",
        "fileSizeBytes": str(counts.nbytes),
        "firstSample": "0",
        "niSampRate": "2000",
        "niAiRangeMax": "5",
        "niMNGain": "200",
        "niMAGain": "1",
        "snsMnMaXaDw": "2,0,0,0",
        "~snsChanMap": "(0,2,2)(MN0;0:0)(MN1;1:1)",
    }
    lines = [f"{key}={value}\n" for key, value in meta.items()]
    (folder / "rat_g0_t0.nidq.meta").write_text("".join(lines), encoding="utf-8")
