"""How Sphinx builds the documentation; `nox -s docs` runs it with warnings as errors."""

import json
from pathlib import Path

import jtfne

HERE = Path(__file__).parent
project = "jtfne"
author = "The jtfne developers"
project_copyright = "2026, The jtfne developers"
version = release = jtfne.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"jtfne {release}"
html_static_path = ["_static"]
html_show_sphinx = False

autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False

# The schema that is published is the one that this version uses.
_schema = HERE / "_static" / "config.schema.json"
_schema.parent.mkdir(exist_ok=True)
_schema.write_text(
    json.dumps(jtfne.Config.json_schema(), indent=2, sort_keys=True) + "\n", encoding="utf-8"
)


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
