"""Exchange with other tools: `to_x` and `from_x`, which load heavy packages when called."""

from jtfne.interop.arrow_table import from_parquet, to_arrow, write_parquet
from jtfne.interop.bids_folder import to_bids
from jtfne.interop.json_text import from_json, to_json
from jtfne.interop.mne_dipole import to_mne_dipole, write_dipole_text
from jtfne.interop.mne_epochs import to_epochs, to_evoked, write_epochs
from jtfne.interop.mne_events import event_id
from jtfne.interop.mne_physical import to_sphere
from jtfne.interop.mne_raw import to_raw, write_fif
from jtfne.interop.neo_block import to_neo
from jtfne.interop.netcdf_file import from_netcdf, to_netcdf
from jtfne.interop.nwb_file import to_nwb
from jtfne.interop.sonata_files import to_sonata
from jtfne.interop.zarr_store import from_zarr, to_zarr
from jtfne.recordings import (
    from_array,
    from_bids,
    from_dipole_text,
    from_neo,
    from_nwb,
    from_raw,
    from_spikes,
)
from jtfne.sonata_circuits import from_sonata

__all__ = [
    "event_id",
    "from_array",
    "from_bids",
    "from_dipole_text",
    "from_json",
    "from_neo",
    "from_netcdf",
    "from_nwb",
    "from_parquet",
    "from_raw",
    "from_sonata",
    "from_spikes",
    "from_zarr",
    "to_arrow",
    "to_bids",
    "to_epochs",
    "to_evoked",
    "to_json",
    "to_mne_dipole",
    "to_neo",
    "to_netcdf",
    "to_nwb",
    "to_raw",
    "to_sonata",
    "to_sphere",
    "to_zarr",
    "write_dipole_text",
    "write_epochs",
    "write_fif",
    "write_parquet",
]
