"""Draws docs/images/overview.png, the picture at the top of the README:
`python docs/images/overview.py`.
"""

from pathlib import Path

import jtfne

signals = jtfne.construct(jtfne.presets.v1_column()).simulate()
jtfne.analysis.figures.overview(signals)[0].figure.savefig(
    Path(__file__).with_suffix(".png"), dpi=110
)
