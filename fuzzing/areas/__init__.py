"""The areas that are fuzzed, by name; a new one is a file and a line here."""

from fuzzing.areas._base import Area
from fuzzing.areas.analyses import Analyses
from fuzzing.areas.commands import Commands
from fuzzing.areas.configs import Configs
from fuzzing.areas.exports import Exports
from fuzzing.areas.files import Files
from fuzzing.areas.foreign import Foreign
from fuzzing.areas.paradigms import Paradigms
from fuzzing.areas.runs import Runs
from fuzzing.areas.selections import Selections
from fuzzing.areas.works import Works

AREAS: dict[str, Area] = {
    area.name: area
    for area in (
        Configs(),
        Files(),
        Foreign(),
        Works(),
        Paradigms(),
        Runs(),
        Selections(),
        Analyses(),
        Exports(),
        Commands(),
    )
}
__all__ = ["AREAS", "Area"]
