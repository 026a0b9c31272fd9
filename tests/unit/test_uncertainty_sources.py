"""Sources are equal by id, and stand in a Dataset as plain arrays."""

import math

import numpy as np
import pytest
import xarray as xr

from analysis.core import UncertaintyError
from analysis.uncertainty import Source, distributions, sources

LASER = Source(id="laser", label="laser", units="nm", origin="data sheet")
LAMP = Source(
    id="ne-7",
    label="Ne 585 nm",
    kind="A",
    dof=3.0,
    distribution=distributions.rectangular(),
    tags=("lamp", "neon"),
    over=("channel",),
    ensemble="lamp",
)


@pytest.fixture
def dataset():
    axis = ("channel", np.arange(4.0), {"units": "cm-1"})
    return xr.Dataset({"signal": ("channel", np.zeros(4), {"units": "counts"})}, coords={"raman_shift": axis})


def test_equal_text_is_not_the_same_source():
    assert Source(id="a", label="laser") != Source(id="b", label="laser")
    assert Source(id="a", label="laser") == Source(id="a", label="other words")
    assert len({Source(id="a", label="x"), Source(id="a", label="y")}) == 1


@pytest.mark.parametrize("source", [LASER, LAMP], ids=["laser", "lamp"])
def test_a_source_comes_back_from_its_json_with_every_field(source):
    found = Source.from_json(source.to_json())
    for name in Source.__dataclass_fields__:
        assert getattr(found, name) == getattr(source, name), name


def test_attached_sources_come_back(dataset):
    attached = sources.attach(dataset, "raman_shift", {LASER: np.ones(4), LAMP: np.arange(4.0)}, ("channel",))
    found = sources.detach(attached, "raman_shift")
    assert list(found) == [LASER, LAMP]
    np.testing.assert_array_equal(found[LAMP], np.arange(4.0))
    assert attached["raman_shift_sources"].attrs["units"] == "cm-1"
    assert attached["raman_shift_sources"].dims == ("source", "channel")


def test_variables_of_one_dataset_share_the_dimension_source(dataset):
    once = sources.attach(dataset, "raman_shift", {LASER: np.ones(4)}, ("channel",))
    twice = sources.attach(once, "signal", {LAMP: np.full(4, 2.0), LASER: np.ones(4)}, ("channel",))
    assert twice.sizes["source"] == 2
    assert list(sources.detach(twice, "raman_shift")) == [LASER]
    assert set(sources.detach(twice, "signal")) == {LASER, LAMP}
    assert "source" not in dataset.dims


def test_attaching_again_replaces_the_sources_of_that_variable(dataset):
    once = sources.attach(dataset, "signal", {LASER: np.ones(4)}, ("channel",))
    again = sources.attach(once, "signal", {LAMP: np.ones(4)}, ("channel",))
    assert list(sources.detach(again, "signal")) == [LAMP]


def test_sources_survive_a_file(dataset, tmp_path):
    attached = sources.attach(dataset, "signal", {LAMP: np.arange(4.0)}, ("channel",))
    attached.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf") as read:
        (found,) = sources.detach(read, "signal")
    assert found == LAMP
    assert found.ensemble == "lamp"


def test_a_variable_without_sources_has_none_and_a_wrong_name_is_refused(dataset):
    assert sources.detach(dataset, "signal") == {}
    with pytest.raises(UncertaintyError, match="Did you mean 'signal'"):
        sources.detach(dataset, "signl")


def test_contributions_of_another_shape_are_refused(dataset):
    with pytest.raises(UncertaintyError, match=r"shape \(3,\); wanted \(4,\)"):
        sources.attach(dataset, "signal", {LASER: np.ones(3)}, ("channel",))
    with pytest.raises(UncertaintyError, match="infinite in 4 places"):
        sources.attach(dataset, "signal", {LASER: np.full(4, math.inf)}, ("channel",))


@pytest.mark.parametrize("dof", [0, -1, math.nan])
def test_degrees_of_freedom_must_be_above_0(dof):
    with pytest.raises(UncertaintyError, match="degrees of freedom must be above 0"):
        Source(id="a", label="a", dof=dof)


def test_damaged_text_is_no_source():
    with pytest.raises(UncertaintyError, match="not a source"):
        Source.from_json('{"id": "a"}')
