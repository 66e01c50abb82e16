"""What every readout of the catalogue promises: it is what its class says, in a run, in the schema,
in MNE, and in a config.
"""

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest

import jtfne
import runs
from jtfne import interop, readouts
from jtfne._mne_units import MNE_UNITS
from jtfne.readouts import READOUTS
from jtfne.readouts._readout import ROW_DIMS

SCHEMA = files("jtfne").joinpath("signals_schema.md").read_text(encoding="utf-8")
TABLES = ("events", "neurons")
# Of a MEG channel the unit is told by its coordinate; MNE's CSD is the density over conductivity.
UNIT_IN_MNE = {"T and T/m": None, "A/m^3": "V/m^2"}


def schema_rows() -> Iterator[list[str]]:
    """The cells of each row of the schema's table that is about a readout."""
    for line in SCHEMA.splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if cells[0].strip("`") not in TABLES:
                yield cells


@pytest.mark.parametrize("name", READOUTS)
def test_the_schema_says_what_the_class_says(name: str) -> None:
    readout = READOUTS[name]
    rows = [cells for cells in schema_rows() if cells[0] == f"`{name}`"]
    coords = [dim for dim in readout.dims if dim in ("trial", "time")] + list(readout.coords)
    variables = {f"`{name}`": readout.units}
    if readout.row_kind() == "spikes":
        variables = {"`time`": readout.units, "`neuron`": "", "`trial`": ""}
    assert rows == [
        [
            f"`{name}`",
            variable,
            ", ".join(readout.dims),
            ", ".join(coords),
            units,
            str(int(readout.proxy)),
            f"probe `{name}`",
        ]
        for variable, units in variables.items()
    ]


def test_the_schema_has_no_other_readout() -> None:
    names = [cells[0].strip("`") for cells in schema_rows()]
    assert list(dict.fromkeys(names)) == sorted(READOUTS, key=names.index)
    assert set(names) == set(READOUTS) == set(runs.READOUTS)


@pytest.mark.parametrize("name", READOUTS)
def test_a_run_has_what_the_class_says(name: str) -> None:
    readout, node = READOUTS[name], runs.named().tree[name].to_dataset()
    variable = node["time" if readout.row_kind() == "spikes" else name]
    assert variable.dims == readout.dims
    coords = {coord.strip("[]") for coord in readout.coords}
    assert coords | ({"trial", "time"} & set(readout.dims)) == set(variable.coords)
    assert node.attrs["units"] == readout.units and node.attrs["proxy"] == int(readout.proxy)
    first_words = readout.long_name.split(",")[0]
    assert str(node.attrs["long_name"]).startswith(first_words)


@pytest.mark.parametrize("declared", runs.config().readouts.probes, ids=lambda each: each.readout)
def test_the_channels_that_it_says_are_those_of_its_probe(declared: readouts.Readout) -> None:
    names = declared.list_channels()
    if names is not None:
        values = runs.named().get(declared.readout, trial=0)
        assert names == tuple(values["channel"].values.tolist())
    else:
        assert declared.readout == "csd" or declared.row_kind() not in ("head", "laminar")


@pytest.mark.parametrize("name", READOUTS)
def test_its_names_are_its_own(name: str) -> None:
    readout = READOUTS[name]
    all_names = [text for cls in READOUTS.values() for text in (cls.readout, *cls.aliases)]
    for text in (name, *readout.aliases):
        assert all_names.count(text) == 1
        assert readouts.find_readout(text) is readout
        (declared,) = jtfne.Config().probes([text]).readouts.probes
        assert type(declared) is readout
    (declared,) = jtfne.Config().probes([{"kind": readout.__name__}]).readouts.probes
    assert declared.model_dump()["kind"] == readout.__name__
    assert re.match(rf"`{name}`: ", str(readout.__doc__)), "the docstring begins with its name"


@pytest.mark.parametrize("name", [n for n, cls in READOUTS.items() if "time" in cls.dims])
def test_mne_has_it_as_the_class_says(name: str) -> None:
    readout = READOUTS[name]
    raw = interop.to_raw(runs.named(), name)
    kinds = set(raw.get_channel_types())
    if readout.proxy or readout.mne_type is None:
        assert kinds == {"misc"}
    else:
        assert kinds == ({"mag", "grad"} if readout.mne_type == "meg" else {readout.mne_type})
    if readout.proxy and readout.mne_type:
        scaled = interop.to_raw(runs.named(), name, scale=1e-6)
        assert set(scaled.get_channel_types()) == {readout.mne_type}
    elif readout.mne_type:
        unit = UNIT_IN_MNE.get(readout.units, readout.units)
        assert unit is None or MNE_UNITS[readout.mne_type] == unit


def test_rows_are_told_by_dims() -> None:
    kinds = {name: cls.row_kind() for name, cls in READOUTS.items()}
    assert set(ROW_DIMS.values()) <= set(kinds.values())
    assert kinds["lfp"] == "laminar" and kinds["dipole"] == "areal" and kinds["eeg"] == "head"
    assert kinds["emm_proxy"] == kinds["spectrolaminar_proxy"] == "other"
