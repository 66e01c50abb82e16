"""Recordings, in memory or by file, as the DataArrays that `Signals.get` gives: a file a format."""

from jtfne.recordings._axes import coordinate as coordinate
from jtfne.recordings._axes import even_step as even_step
from jtfne.recordings._axes import in_ms as in_ms
from jtfne.recordings._axes import need as need
from jtfne.recordings._bids import DEPTH_COLUMN as DEPTH_COLUMN
from jtfne.recordings._bids import HEAD_FRAME as HEAD_FRAME
from jtfne.recordings._bids import NAME_COLUMN as NAME_COLUMN
from jtfne.recordings._bids import from_bids as from_bids
from jtfne.recordings._bids import import_mne_bids as import_mne_bids
from jtfne.recordings._dipole_text import HNN_COLUMNS as HNN_COLUMNS
from jtfne.recordings._dipole_text import from_dipole_text as from_dipole_text
from jtfne.recordings._dipole_text import nA_m_PER_A_m as nA_m_PER_A_m
from jtfne.recordings._formats import FORMATS as FORMATS
from jtfne.recordings._formats import NAMED as NAMED
from jtfne.recordings._formats import SUFFIXES as SUFFIXES
from jtfne.recordings._formats import Format as Format
from jtfne.recordings._load import load_recording as load_recording
from jtfne.recordings._mne import from_raw as from_raw
from jtfne.recordings._mne import head_places_m as head_places_m
from jtfne.recordings._mne import read_description as read_description
from jtfne.recordings._mne import read_recording as read_recording
from jtfne.recordings._mne import write_description as write_description
