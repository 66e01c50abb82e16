"""Two processes joined by jax.distributed on this machine give the spikes of one process, bit for
bit.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import jtfne
from contract_delivery import config
from jtfne import delivery

pytestmark = pytest.mark.as_users
SCRIPT = Path(__file__).with_name("distributed_spikes.py")
LONGEST_S = 240.0


def free_address():
    """A port of the loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def run_together(n_processes):
    """What each of `n_processes` printed."""
    address = free_address()
    paths = os.pathsep.join(
        [str(SCRIPT.parent), str(SCRIPT.parent.parent), os.environ.get("PYTHONPATH", "")]
    )
    environment = {**os.environ, "PYTHONPATH": paths, "JAX_PLATFORMS": "cpu"}
    started = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), address, str(n_processes), str(k)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for k in range(n_processes)
    ]  # fmt: skip
    try:
        done = [each.communicate(timeout=LONGEST_S) for each in started]
    finally:
        for each in started:
            each.kill()
    for each, (_, errors) in zip(started, done, strict=True):
        assert each.returncode == 0, errors
    return [json.loads(printed.splitlines()[-1]) for printed, _ in done]


def test_two_processes_give_the_spikes_of_one():
    both = run_together(2)
    assert both[0] == both[1] and both[0][2] == 2
    signals = jtfne.construct(config((61.7, -133.3))).simulate(delivery=delivery.Event())
    assert signals.spikes[["time_ms", "neuron"]].to_numpy(float).tolist() == both[0][0]
    assert len(both[0][0]) > 200
    assert run_together(1)[0] == both[0]


def test_several_processes_do_not_write_one_folder(monkeypatch, tmp_path):
    import jax

    net = jtfne.construct(config())
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    with pytest.raises(jtfne.JtfneError, match="2 processes"):
        net.simulate(out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
