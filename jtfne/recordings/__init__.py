"""Recordings, in memory or by file, as the DataArrays that `Signals.get` gives: a file a format."""

from jtfne.recordings._mne import SUFFIXES as SUFFIXES
from jtfne.recordings._mne import from_raw as from_raw
from jtfne.recordings._mne import head_places_m as head_places_m
from jtfne.recordings._mne import read_recording as read_recording
from jtfne.recordings._mne import write_description as write_description
from jtfne.recordings.neo_block import from_neo as from_neo
from jtfne.recordings.nwb_file import from_nwb as from_nwb
