"""Fits in threads, in a forked child, in a second process and on a cluster that loses a worker."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from analysis import io, peaks
from tests import workload
from tests.compiled import functions

pytest.importorskip("distributed", reason="distributed is not installed")
from tests import scaling

FORKED = """
import os, threading
from tests import workload
from analysis import peaks

def fitted():
    made = workload.make("b", spectra=600, points=128, seed=3)
    return peaks.fit(made.spectra(), made.model, made.params, axis=workload.AXIS, start=made.starts(), threads=4)

before = fitted().value.values.tobytes()
threading.Thread(target=threading.Event().wait, daemon=True).start()
child = os.fork()
if child == 0:
    os._exit(0 if fitted().value.values.tobytes() == before else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
assert status == 0, f"the child ended with {status}"
assert fitted().value.values.tobytes() == before
"""
SECOND = """
from tests import compiled, workload
from analysis import peaks

made = workload.make("{case}", spectra=2, points=64)
peaks.fit(made.spectra(), made.model, made.params, axis=workload.AXIS)
print(compiled.compilations(), compiled.loads())
"""

READ_ONLY = """
from tests import compiled, workload
from analysis import peaks

made = workload.make("a", spectra=2, points=64)
spectra = made.spectra()
for name in ("signal", "u_signal"):
    spectra[name].values.setflags(write=False)
peaks.fit(spectra, made.model, made.params, axis=workload.AXIS)
peaks.find(spectra, axis=workload.AXIS)
print(compiled.compilations(), compiled.loads())
"""


def fitted(case):
    made = workload.make(case, spectra=300, points=128, seed=2)
    return peaks.fit(made.spectra(), made.model, made.params, axis=workload.AXIS, start=made.starts())


def python(program):
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_models_in_four_python_threads_at_once_give_what_each_gives_alone():
    alone = {case: fitted(case) for case in "ab"}
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(fitted, "abab"))
    for case, fit in zip("abab", found, strict=True):
        assert scaling.differing(fit, alone[case]) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_fits_after_its_parent_has_fitted_in_threads():
    python(FORKED)


@pytest.mark.parametrize("case", ["a", "b"])
def test_a_second_process_compiles_nothing(case):
    fitted(case)
    assert len(functions()) > 1
    compiled, loaded = map(int, python(SECOND.format(case=case)).split())
    assert compiled == 0
    assert loaded > 0


def test_arrays_that_are_read_only_as_those_from_a_network_compile_nothing():
    peaks.find(workload.make("a", spectra=2, points=64).spectra(), axis=workload.AXIS)
    fitted("a")
    compiled, loaded = map(int, python(READ_ONLY).split())
    assert compiled == 0
    assert loaded > 0


def test_a_lazy_fit_can_be_sent_to_another_process(tmp_path):
    source = scaling.write_map(tmp_path / "map.zarr", spectra=60, chunk=20)
    lazy = scaling.fit(source)
    sent = pickle.loads(pickle.dumps(lazy))  # noqa: S301 - our own
    assert scaling.differing(sent, lazy) == []
    assert "nothing was looked at yet" in lazy.attrs["advice"]


def test_a_map_is_fitted_on_a_cluster_that_loses_a_worker_half_way_bit_for_bit(tmp_path):
    source = scaling.write_map(tmp_path / "map.zarr", spectra=20_000, chunk=1000)
    found = scaling.run(source, tmp_path / "fit.zarr")
    assert found.killed not in found.survivors
    assert 10 <= found.chunks_before < 20
    assert found.compilations == (0, 0)
    cluster, alone = io.read(tmp_path / "fit.zarr"), scaling.fit(source).compute(scheduler="synchronous")
    assert scaling.differing(cluster, alone) == []
    assert cluster.attrs == alone.attrs
    np.testing.assert_array_equal(cluster.parameter, alone.parameter)
