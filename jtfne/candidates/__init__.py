"""Candidates: one circuit with other values at some paths, without wiring or compiling anew."""

from jtfne.candidates._leaves import Leaves, tunable

__all__ = ["Leaves", "tunable"]
