"""How Sphinx builds the documentation; `nox -s docs` runs it with warnings as errors."""

import json
from pathlib import Path

import typer
from typer.cli import get_docs_for_click

import jtfne
from jtfne import cli

HERE = Path(__file__).parent
project = "jtfne"
author = "The jtfne developers"
project_copyright = "2026, The jtfne developers"
version = release = jtfne.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
html_theme = "furo"
html_title = f"jtfne {release}"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_show_sphinx = False
smartquotes_action = "qe"  # two hyphens begin an option of a command

autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
autosummary_generate = True  # a page each, in docs/reference
autosummary_generate_overwrite = True
# Names that differ in case alone would share a file on macOS and Windows.
autosummary_filename_map = {
    "jtfne.analysis.Flip": "jtfne.analysis.Flip-class",
    "jtfne.operators.Operator": "jtfne.operators.Operator-class",
}

# Tutorials are executed: their pages show what this version prints and draws.
sphinx_gallery_conf = {
    "examples_dirs": ["../tutorials"],
    "gallery_dirs": ["tutorials"],
    "filename_pattern": r"/\d\d_",
    "ignore_pattern": r"execute\.py",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "min_reported_time": 3600,
    "abort_on_example_error": True,
    "thumbnail_size": (320, 220),
}

# The schema that is published is the one that this version uses.
_schema = HERE / "_static" / "config.schema.json"
_schema.parent.mkdir(exist_ok=True)
_schema.write_text(
    json.dumps(jtfne.Config.json_schema(), indent=2, sort_keys=True) + "\n", encoding="utf-8"
)

# The commands, from their own help.
_command = typer.main.get_command(cli.app)
_context = _command.context_class(_command, info_name="jtfne")
_commands = get_docs_for_click(obj=_command, ctx=_context, name="jtfne", title="Command line")
(HERE / "commands.md").write_text(_commands.strip() + "\n", encoding="utf-8")


def _bars_as_written(app, what, name, obj, options, lines):
    """Let |x| in a docstring be an absolute value, not a substitution of reStructuredText."""
    for k, line in enumerate(lines):
        if not line.lstrip().startswith(("|", ">>>", "...")):
            parts = line.split("``")
            lines[k] = "``".join(
                part if at % 2 else part.replace("|", r"\|") for at, part in enumerate(parts)
            )


def setup(app):
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _bars_as_written)
