"""The report is one page that holds everything and asks for nothing."""

import base64
from html.parser import HTMLParser

import pandas as pd
import pytest

import jtfne
from jtfne.analysis import figures, write_report

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """What a page holds; fails on a tag that is not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.links, self.images, self.words = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.links += [
            value for name, value in attrs if name in ("src", "href", "srcset", "action", "data")
        ]
        self.images += [dict(attrs) for _ in range(tag == "img")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def signals():
    config = jtfne.suite2_four_celltype_config(seed=3).stimuli(
        [
            {
                "target": "E",
                "drive": {"kind": "Pulse", "start_ms": 20.0, "duration_ms": 5.0, "amplitude": 5.0},
                "label": "<b>&",
            }
        ]
    )
    return jtfne.construct(config).simulate(duration_ms=40.0)


@pytest.fixture(scope="module")
def drawn(signals, tmp_path_factory):
    return figures.save_all(signals, tmp_path_factory.mktemp("report") / "figures")


def test_page_holds_figures_tables_and_manifest(signals, drawn, tmp_path):
    path = write_report(signals, tmp_path / "report.html", drawn)
    assert path == tmp_path / "report.html" and list(tmp_path.iterdir()) == [path]
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    images = [
        base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
        for image in page.images
    ]
    by_name = {path.stem: path.read_bytes() for path in drawn}
    proxies = [name for name in by_name if "proxy" in name or "spectrolaminar" in name]
    circuit = [name for name in by_name if name not in proxies]
    assert images == [by_name[name] for name in (*circuit, *proxies)]
    assert all(image["alt"] for image in page.images) and page.tags.count("figcaption") == len(
        drawn
    )
    words = " ".join(page.words)
    for said in (
        signals.manifest["config_sha256"][:12], "40 ms in steps of 0.1 ms", jtfne.__version__, "never volts or tesla",
        "n_neurons", "rate_Hz", "onset_ms", "lfp_proxy", '"manifest_version"', "<b>&",
    ):  # fmt: skip
        assert said in words
    assert "nan" not in page.words  # events have no mean
    assert f"<h1>{len(signals.neurons)} cells of V1</h1>" in text and "cell_type" in words
    assert page.tags.count("table") == 4
    assert page.tags.count("details") == 1 and "b" not in page.tags


def test_page_asks_for_nothing(signals, drawn, tmp_path):
    text = write_report(signals, tmp_path / "report.html", drawn).read_text(encoding="utf-8")
    page = Page(text)
    assert page.links and all(
        link.startswith(("data:image/png;base64,", "#")) for link in page.links
    )
    assert {link for link in page.links if link.startswith("#")} == {
        f"#{path.stem}" for path in drawn
    }
    assert "script" not in page.tags and "link" not in page.tags
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style and "@import" not in style


def test_every_figure_of_save_all_has_a_caption(drawn):
    from jtfne.analysis.report import find_caption

    assert all(find_caption(path.stem) != path.stem.replace("_", " ") for path in drawn)


def test_comparison_is_a_table_of_its_own(signals, tmp_path):
    table = pd.DataFrame(
        {"feature": ["sink <depth>"], "unit": ["mm"], "simulated": [0.123456], "recorded": [None]}
    )
    page = Page(
        write_report(signals, tmp_path / "report.html", [], comparison=table).read_text(
            encoding="utf-8"
        )
    )
    assert page.tags.count("table") == 5 and not page.images
    assert {"sink <depth>", "0.1235"} <= set(page.words)


def test_nothing_is_overwritten_and_only_png_is_shown(signals, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(jtfne.JtfneError, match="exists"):
        write_report(signals, path, [])
    assert path.read_text(encoding="utf-8") == "mine"
    (tmp_path / "a.png").write_text("no picture", encoding="utf-8")
    for wrong in ("a.png", "missing.png"):
        with pytest.raises(jtfne.JtfneError, match="a PNG file"):
            write_report(signals, tmp_path / "other.html", [tmp_path / wrong])
    assert not (tmp_path / "other.html").exists()


def test_fields_in_si_units_have_a_section_and_the_note_stays_at_proxies(tmp_path):
    """Physical readouts stand with their units and how much cortex they are of; of a run without
    proxies the page says nothing of arbitrary units.
    """
    config = jtfne.suite2_net1_config(20).runtime(duration_ms=6.0).source(scale=50.0)
    signals = jtfne.construct(config.probes(["lfp", "dipole", "eeg"])).simulate()
    drawn = figures.save_all(signals, tmp_path / "figures")
    page = write_report(signals, tmp_path / "report.html", drawn).read_text(encoding="utf-8")
    section = page[page.index("Fields in SI units") : page.index("<h2>Readouts</h2>")]
    for words in ("extracellular potential", "<td>A m</td>", "64 channel", "stands for 50 that do"):
        assert words in section
    assert section.count("<figure") == 3 and "Proxies" not in page and "a.u." not in section
    both = jtfne.construct(config.probes(["eeg", "eeg_proxy"])).simulate()
    page = write_report(both, tmp_path / "both.html", []).read_text(encoding="utf-8")
    assert (
        page.index("Fields in SI units")
        < page.index("Proxies")
        < page.index("never volts or tesla")
    )
