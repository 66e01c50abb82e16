"""A command that is stopped by a signal says what it kept and how to go on, and then goes on to the
same result.
"""

import os
import signal
import sys

import pytest

import jtfne
from jtfne import cli, partial_run
from jtfne.measures import MeanRate
from jtfne.trainer import PartStore


@pytest.fixture
def call(monkeypatch, capsys):
    """Run `jtfne ARGS`: exit code and what it printed."""

    def called(*args):
        monkeypatch.setattr(sys, "argv", ["jtfne", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out + printed.err

    return called


def config():
    """Four chunks of a small circuit, and a number of it to tune."""
    aim = {"measure": MeanRate(), "cells": "PV", "target": 8.0, "scale": 8.0, "name": "PV"}
    declared = (
        jtfne.suite2_single_neuron_config("PV").runtime(duration_ms=40.0).probes(["spk", "vm"])
    )
    return declared.objective([aim]).trainables([{"path": "cells.PV.drive", "bounds": (0.0, 10.0)}])


def stop_after(monkeypatch, cls, method, n_parts, number):
    """Send this process a signal when `method` of `cls` has kept `n_parts`."""
    put, seen = getattr(cls, method), []

    def putting(self, *args, **kwargs):
        if len(seen) == n_parts:
            os.kill(os.getpid(), number)
        seen.append(1)
        return put(self, *args, **kwargs)

    monkeypatch.setattr(cls, method, putting)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_names_resume(call, tmp_path, monkeypatch, request, number, code):
    path, out = config().runtime(duration_ms=3000.0).to_file(tmp_path / "a.toml"), tmp_path / "out"
    handler = signal.getsignal(signal.SIGTERM)
    # a suite that runs in the background was started with SIGINT ignored
    at_start = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, at_start))
    for n_parts, told in ((0, "nothing had been kept"), (1, "--resume goes on from there")):
        with monkeypatch.context() as patched:
            stop_after(patched, partial_run.PartialRun, "write_chunk", n_parts, number)
            ended, said = call("run", path, "-o", out)
        assert ended == code and told in said and "Traceback" not in said, said
        assert (".out.partial" in said) == (n_parts > 0) and number.name in said
    assert not out.exists() and signal.getsignal(signal.SIGTERM) is handler
    assert call("run", path, "-o", out, "--resume")[0] == 0
    assert jtfne.load(out).recorded() == ("spk", "vm")


def test_a_training_that_is_stopped_names_resume(call, tmp_path, monkeypatch):
    path, out = config().to_file(tmp_path / "a.json"), tmp_path / "out"
    asked = ("train", path, "-o", out, "--optimizer", "RandomSearch", "--generations", 2)
    with monkeypatch.context() as patched:
        stop_after(patched, PartStore, "append", 1, signal.SIGTERM)
        ended, said = call(*asked)
    assert ended == 143 and "--resume" in said and str(out) in said, said
    assert call(*asked, "--resume")[0] in (0, 1)
    assert (out / "report.json").exists() and (out / "training.png").exists()
