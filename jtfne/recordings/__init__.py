"""Recordings, in memory or by file, as the DataArrays that `Signals.get` gives: a file a format."""

from jtfne.recordings._array import from_array as from_array
from jtfne.recordings._axes import coordinate as coordinate
from jtfne.recordings._axes import even_step as even_step
from jtfne.recordings._axes import in_ms as in_ms
from jtfne.recordings._axes import need as need
from jtfne.recordings._formats import FORMATS as FORMATS
from jtfne.recordings._formats import NAMED as NAMED
from jtfne.recordings._formats import SUFFIXES as SUFFIXES
from jtfne.recordings._formats import Format as Format
from jtfne.recordings._load import describe_recording as describe_recording
from jtfne.recordings._load import is_recording as is_recording
from jtfne.recordings._load import load_recording as load_recording
from jtfne.recordings._mne import from_raw as from_raw
from jtfne.recordings._mne import head_places_m as head_places_m
from jtfne.recordings._mne import is_mne as is_mne
from jtfne.recordings._mne import read_recording as read_recording
from jtfne.recordings._mne import write_description as write_description
from jtfne.recordings._parquet import read_samples as read_samples
from jtfne.recordings._spikes import describe_neurons as describe_neurons
from jtfne.recordings._spikes import from_spikes as from_spikes
from jtfne.recordings._spikes import label_spikes as label_spikes
from jtfne.recordings._spikes import list_neuron_labels as list_neuron_labels
from jtfne.recordings._spikes import read_spike_file as read_spike_file
from jtfne.recordings._zarr import read_zarr as read_zarr
