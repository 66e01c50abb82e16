"""Recorded data as the DataArrays that every analysis takes."""

from jtfne.recordings import load_recording as load_recording
