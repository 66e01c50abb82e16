"""A table that prints all of its columns."""

from typing import Any

import pandas as pd


class WholeTable(pd.DataFrame):
    """A DataFrame whose text leaves out no column; what is computed of it is a DataFrame."""

    @property
    def _constructor(self) -> Any:
        """The class of what is computed of it."""
        return pd.DataFrame

    def __repr__(self) -> str:
        """All rows and columns, as a page in a pipe or a script has no width."""
        return self.to_string()
