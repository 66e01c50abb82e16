"""A built net on disk: the same bits when it is opened, on disk until they are used; and what is
refused.
"""

import json

import numpy as np
import pytest

import jtfne
from contract_delivery import NET


@pytest.fixture
def saved(tmp_path):
    NET.save(tmp_path / "net")
    return tmp_path / "net"


def test_opened_to_the_bit_and_memory_mapped(saved):
    net = jtfne.Net.open(saved)
    assert net.config == NET.config and net.config.hash == NET.config.hash
    assert net.neurons.equals(NET.neurons) and net.edges.equals(NET.edges)
    for each in net.projections:
        assert isinstance(each.target, np.memmap) and not each.target.flags.writeable
    here, there = NET.simulate(duration_ms=20.0), net.simulate(duration_ms=20.0)
    assert here.spikes.equals(there.spikes) and len(here.spikes) > 50
    np.testing.assert_array_equal(here.get("vm"), there.get("vm"))


def test_without_identity(tmp_path):
    bare = jtfne.Net(NET.config, None, NET.projections)
    bare.save(tmp_path / "bare")
    assert jtfne.Net.open(tmp_path / "bare").identity is None


def test_nothing_is_overwritten(saved):
    before = sorted((path.name, path.read_bytes()) for path in saved.iterdir())
    with pytest.raises(jtfne.JtfneError, match="which exists"):
        NET.save(saved)
    assert sorted((path.name, path.read_bytes()) for path in saved.iterdir()) == before


@pytest.mark.parametrize("name", ["net.json", "projection_0000_target.npy", "cells_area.npy"])
@pytest.mark.parametrize("harm", ["cut", "lost", "altered"])
def test_a_damaged_folder_is_refused(saved, name, harm):
    path = saved / name
    content = path.read_bytes()
    if harm == "lost":
        path.unlink()
    else:
        path.write_bytes(
            content[: len(content) // 2]
            if harm == "cut"
            else content[:-2] + bytes([content[-2] ^ 1, 10])
        )
    with pytest.raises(jtfne.JtfneError, match=name):
        jtfne.Net.open(saved)


def test_another_version_and_another_config_are_refused(saved):
    path = saved / "net.json"
    index = json.loads(path.read_text())
    path.write_text(json.dumps({**index, "schema": "jtfne.net/9"}))
    with pytest.raises(jtfne.JtfneError, match=r"schema is 'jtfne.net/9'.*'jtfne.net/1'"):
        jtfne.Net.open(saved)
    index["config"]["run"]["seed"] = 5
    path.write_text(json.dumps(index))
    with pytest.raises(jtfne.JtfneError, match=r"net\.json"):
        jtfne.Net.open(saved)


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(jtfne.JtfneError, match=r"which has no net\.json"):
        jtfne.Net.open(tmp_path)
