"""Every figure refuses what it cannot draw, draws as many points as there are pixels, and writes
texts as texts.
"""

import ast
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
from jtfne.analysis import figures
from jtfne.analysis.figures import _pixels, _text
from jtfne.measures.vflip import FlipNull
from test_figures import SITES_mm, made

FOLDER = Path(figures.__file__).parent
RUN = made()
WRONG = (
    None,
    3.0,
    "run",
    {},
    [],
    object,
    np.zeros((5, 3)),
    xr.Dataset({"a": ("time", np.zeros(3))}),
    pd.DataFrame(),
)


def field(values=None, **coords):
    """(time, channel) with depths and places, 30 ms of 6 channels, as a recording might be."""
    places = np.array(list(SITES_mm.values()), float)
    values = np.sin(np.arange(30.0))[:, None] * np.arange(1.0, 7.0) if values is None else values
    coords = {
        "time": np.arange(1.0, len(values) + 1.0),
        "channel": [f"c{k}" for k in range(values.shape[1])],
        "z_mm": ("channel", np.linspace(0.1, 0.6, values.shape[1])),
        "x_mm": ("channel", np.resize(places[:, 0], values.shape[1])),
        "y_mm": ("channel", np.resize(places[:, 1], values.shape[1])),
        **coords,
    }
    return xr.DataArray(values, coords, ("time", "channel"), attrs={"units": "V", "readout": "lfp"})


def spectrum(values=None):
    """(channel, frequency) with depths."""
    values = np.ones((6, 8)) if values is None else values
    coords = {
        "frequency": np.arange(2.0, 2.0 + values.shape[1]),
        "z_mm": ("channel", np.linspace(0.1, 0.6, len(values))),
    }
    return xr.DataArray(values, coords, ("channel", "frequency"), attrs={"units": "1"})


def features(csd):
    return SimpleNamespace(csd=csd, sink_depth_mm=0.3, peak_latency_ms=5.0)


def bad_fields():
    """Fields that no figure can draw, by what is wrong with them."""
    good = field()
    holes = good.copy()
    holes[3, 2] = np.nan
    yield "NaN", holes
    yield "infinite", good.where(good < 5.0, np.inf)
    yield "no samples", good.isel(time=slice(0, 0))
    yield "no channels", good.isel(channel=slice(0, 0))
    yield "one sample", good.isel(time=[0])
    yield "texts", good.astype(str)
    yield "complex", good.astype(complex)
    yield "objects", good.astype(object)
    yield "no time", good.rename(time="when")
    yield "no clock", good.drop_vars("time")
    yield "backwards", good.isel(time=slice(None, None, -1))
    yield "a dimension too many", good.expand_dims(subject=2)


HISTORY = pd.DataFrame({"generation": [0, 1], "score": [2.0, 1.0], "passed": [False, True]})
DEGREES = pd.DataFrame([[1.0, 2.0]], ["a"], ["b", "c"])
# Figure -> its wrong calls beside those of WRONG as first argument.
REFUSED = {
    "raster": [lambda f, trial=trial: f(RUN, trial=trial) for trial in (None, -1, "0", 1, True)],
    "rates": [],
    "vm": [lambda f: f(RUN, n=0), lambda f: f(RUN, n="3"), lambda f: f(RUN, n=2.5), lambda f: f(RUN, trial=None)],
    "layout": [],
    "timeline": [],
    "laminar": [
        *(lambda f, bad=bad: f(bad) for _, bad in bad_fields()),
        lambda f: f(field().isel(channel=[0])),
        lambda f: f(field(z_mm=("channel", np.full(6, 0.2)))),
        lambda f: f(field(z_mm=("channel", np.full(6, np.nan)))),
        lambda f: f(field().drop_vars("z_mm")),
        lambda f: f(field(), area="V1"),
        lambda f: f(field(), events="flash"),
        lambda f: f(field(), events=pd.DataFrame({"onset_ms": ["a"], "duration_ms": [1.0], "label": ["x"]})),
        lambda f: f(RUN, readout=None),
        lambda f: f(RUN, area=5),
    ],
    "traces": [
        *(lambda f, bad=bad: f(bad) for _, bad in bad_fields()),
        lambda f: f(field(), n=-1),
        lambda f: f(field(), n=None),
        lambda f: f(field(), unit="T"),
        lambda f: f(RUN, readout="lfp_proxy"),
    ],
    "topography": [
        *(lambda f, bad=bad: f(bad) for _, bad in bad_fields()),
        lambda f: f(RUN, time_ms=np.nan),
        lambda f: f(RUN, time_ms="peak"),
        lambda f: f(RUN, time_ms=1e6),
        lambda f: f(field(unit=("channel", list("TTTTTT"))), unit="T/m"),
    ],
    "dipole": [
        *(lambda f, bad=bad: f(bad.rename(channel="area")) for _, bad in bad_fields()),
        lambda f: f(RUN, readout="eeg_proxy"),
        lambda f: f(field().rename(channel="area"), events="flash"),
    ],
    "psd": [
        *(lambda f, bad=bad: f(bad) for what, bad in bad_fields() if what != "a dimension too many"),
        lambda f: f(field(), unit="V"),
    ],
    "spectrolaminar": [
        lambda f: f(spectrum(np.full((6, 8), np.nan))),
        lambda f: f(spectrum(np.ones((0, 8)))),
        lambda f: f(spectrum(np.ones((1, 8)))),
        lambda f: f(spectrum(np.ones((6, 1)))),
        lambda f: f(spectrum(), crossover_mm=np.nan),
        lambda f: f(spectrum(), crossover_mm="deep"),
        lambda f: f(field()),
    ],
    "laminar_comparison": [
        lambda f: f(features(field()), None),
        lambda f: f(features(field()), features(field() * np.nan)),
        lambda f: f(features({}), features(field())),
    ],
    "connectivity": [lambda f: f(DEGREES * np.nan), lambda f: f(-DEGREES), lambda f: f(DEGREES.astype(str) + "x")],
    "flip_null": [lambda f: f(FlipNull(np.nan, np.ones(3), 0.1)), lambda f: f({"a": FlipNull(0.1, np.ones(0), 0.1)})],
    "objective": [],
    "training_history": [lambda f: f(HISTORY.astype({"score": str})), lambda f: f(HISTORY.iloc[:0])],
    "overview": [],
    "save_all": [lambda f: f(RUN, None), lambda f: f(RUN, 3), lambda f: f(RUN, "a\x00b")],
}  # fmt: skip


def test_every_figure_has_a_row():
    assert set(REFUSED) == set(figures.__all__)


@pytest.mark.parametrize("name", figures.__all__)
def test_wrong_arguments_are_refused_in_one_sentence(name):
    draw = getattr(figures, name)
    more = {"laminar_comparison": [features(field())], "save_all": ["folder"]}.get(name, [])
    calls = [lambda f, data=data: f(data, *more) for data in WRONG] + REFUSED[name]
    if name not in ("laminar_comparison", "overview", "save_all"):
        good = {
            "connectivity": DEGREES,
            "training_history": HISTORY,
            "flip_null": FlipNull(0.1, np.ones(3), 0.1),
        }
        calls += [lambda f, ax=ax: f(good.get(name, RUN), ax=ax) for ax in ("ax", 3)]
    for call in calls:
        with pytest.raises(jtfne.JtfneError, match="expected"):
            call(draw)


def test_fields_in_another_order_and_of_other_numbers_are_drawn_alike():
    good = field()
    want = [line.get_ydata() for line in figures.traces(good).lines]
    for same in (
        good.T,
        good.astype(np.float32),
        np.asfortranarray(good.values),
        good.astype("<f8"),
    ):
        same = good.copy(data=same) if isinstance(same, np.ndarray) else same
        for line, values in zip(figures.traces(same).lines, want, strict=True):
            np.testing.assert_allclose(line.get_ydata(), values, rtol=1e-5, atol=1e-6)
    assert len(figures.traces(good.isel(channel=[0])).yaxis.get_ticklabels()) == 1
    figures.laminar((good * 100).astype(np.int16))
    figures.laminar(good.astype(np.float16))


@pytest.mark.parametrize("draw", [figures.traces, figures.laminar, figures.topography])
def test_a_clock_in_any_unit_is_drawn_in_ms(draw):
    good = field()
    clocks = (
        ("time", good["time"].values * 1e-3, {"units": "s"}),
        ("time", (good["time"].values * 1e6).astype("timedelta64[ns]")),
    )
    want = draw(good)
    for clock in clocks:
        ax = draw(good.assign_coords(time=clock))
        np.testing.assert_allclose(ax.get_xlim(), want.get_xlim(), rtol=1e-9)
        assert ax.get_title() == want.get_title()
    with pytest.raises(jtfne.JtfneError, match="fortnights"):
        draw(good.assign_coords(time=("time", good["time"].values, {"units": "fortnights"})))


@settings(max_examples=60)
@given(st.integers(1, 5000), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_a_thinned_trace_keeps_both_ends_and_every_extreme(n_samples, columns, seed):
    y = np.random.default_rng(seed).normal(size=n_samples)
    x = np.arange(float(n_samples))
    x_thin, y_thin = _pixels.thin_trace(x, y, columns)
    assert len(x_thin) <= max(4 * columns, 2 * columns + 4)
    assert x_thin[0] == 0.0 and x_thin[-1] == n_samples - 1.0 and (np.diff(x_thin) > 0).all()
    np.testing.assert_array_equal(y[x_thin.astype(int)], y_thin)
    width = -(-n_samples // columns)
    if n_samples > 4 * columns:
        for start in range(0, n_samples, width):
            column = y[start : start + width]
            inside = y_thin[(x_thin >= start) & (x_thin < start + width)]
            assert inside.min() == column.min() and inside.max() == column.max()


@settings(max_examples=30)
@given(st.integers(1, 900), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_an_image_keeps_its_sum(n_samples, columns, seed):
    values = np.random.default_rng(seed).normal(size=(3, n_samples))
    x, reduced = _pixels.mean_columns(np.arange(float(n_samples)), values, columns)
    width = -(-n_samples // columns)
    sizes = np.diff([*range(0, n_samples, width), n_samples]) if width > 1 else np.ones(n_samples)
    assert (reduced.shape == (3, len(x)) and len(x) <= columns) or width == 1
    np.testing.assert_allclose((reduced * sizes).sum(axis=1), values.sum(axis=1), atol=1e-9)


def test_long_runs_are_drawn_by_pixels_and_keep_their_peaks():
    n = 200_000
    values = np.zeros((n, 3))
    values[123_456, 1], values[77_777, 1] = 7.0, -9.0
    ax = figures.traces(field(values))
    limit = 2 * _pixels.n_columns(ax) + 4
    traces = [line.get_ydata() for line in ax.lines if len(line.get_ydata()) > 2]
    assert len(traces) == 3 and max(map(len, traces)) <= limit
    assert np.ptp(traces[1]) == pytest.approx(16.0)
    image = figures.laminar(field(values)).collections[0]
    assert image.get_array().size <= _pixels.n_columns(ax) * figures.fields.N_FINE


def test_a_raster_of_many_spikes_has_one_dot_a_pixel_and_says_so():
    n_spikes, duration_ms = 300_000, 1000.0
    rng = np.random.default_rng(0)
    run = made(names=False)
    node = run.tree["spk"].to_dataset()
    time_ms = np.sort(rng.uniform(1.0, duration_ms, n_spikes))
    columns = {
        "time": time_ms,
        "neuron": rng.integers(0, 20, n_spikes),
        "trial": np.zeros(n_spikes, int),
    }
    attrs = {**node.attrs, "duration_ms": duration_ms}
    tree = run.tree.copy()
    tree["spk"] = xr.DataTree(
        xr.Dataset({name: ("event", values) for name, values in columns.items()}, attrs=attrs)
    )
    ax = figures.raster(jtfne.Signals(tree, {}))
    (dots,) = ax.lines
    drawn = len(dots.get_xdata())
    assert (
        drawn <= 20 * _pixels.n_columns(ax)
        and f"{drawn:,} of 300,000 spikes" in ax.texts[0].get_text()
    )
    pixels = np.floor(time_ms / duration_ms * _pixels.n_columns(ax))
    for cell in range(20):
        mine = columns["neuron"] == cell
        shown = dots.get_xdata()[dots.get_ydata() == cell]
        assert set(np.floor(shown / duration_ms * _pixels.n_columns(ax))) == set(pixels[mine])


def test_no_figure_writes_a_text_but_through_the_one_file():
    """matplotlib's own methods would read "$" as mathematics."""
    direct = {
        "text",
        "annotate",
        "set_title",
        "legend",
        "set_xlabel",
        "set_ylabel",
        "set_label",
        "suptitle",
    }
    named = {"set_xticks", "set_yticks"}  # whose second argument is names
    for path in sorted(FOLDER.glob("*.py")):
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
        ]
        for call in (each for each in calls if isinstance(each.func, ast.Attribute)):
            texts = [
                each.value for each in call.keywords if each.arg in ("xlabel", "ylabel", "title")
            ]
            texts += (
                call.args[:1]
                if call.func.attr in direct
                else call.args[1:]
                if call.func.attr in named
                else []
            )
            fixed = all(isinstance(text, ast.Constant) for text in texts)
            safe = path.name == "_text.py" or any(
                each.arg == "parse_math" for each in call.keywords
            )
            assert fixed or safe, (
                f"{path.name}:{call.lineno}: write texts through jtfne.analysis.figures._text"
            )


@pytest.mark.parametrize("text", ["$\\frac{$", "_hidden", "日本", "\x00", "a\nb", "x" * 500])
def test_texts_are_drawn_as_they_are(text):
    ax = _text_axes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _text.put_title(ax, text)
        _text.put_text(ax, 0.5, 0.5, text)
        _text.put_note(ax, text, (0.5, 0.5), (1.0, 1.0))
        _text.name_axis(ax, "x", text)
        _text.name_ticks(ax, "y", [0.5], [text])
        legend = _text.put_legend(ax, {text: ax.plot([0.0, 1.0], label=text)[0]})
        ax.figure.canvas.draw()
    assert legend.get_texts()[0].get_text() == _text.drawable(text, _text.LONGEST_NAME)
    assert _text.drawable("a$b_{c}") == "a$b_{c}" and _text.drawable("日\x00") == "\\u65e5\\u0000"


def _text_axes():
    from jtfne.analysis.figures._style import new_figure

    return new_figure(4.0, 3.0).add_subplot()
