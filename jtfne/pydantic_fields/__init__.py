"""What declarations are made of: the base class, types of fields, and errors that name the place.

It knows parts by their dataclasses and LIMITS, and no circuit. Rooms that declare something of
their own (`jtfne.config` and those below it) build on it.
"""
