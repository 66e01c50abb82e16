"""Checks between the objects of a config.

One rule says where a check stands. What a declared object can say of itself is checked in its
class. What it says of other objects is checked here, in the file named as that of the class which
has the field: `connections.py` checks the fields of a Connection, `task.py` those of a Stimulus.
`config.py` calls them all.
"""
