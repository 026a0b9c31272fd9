"""The data model: units, the check of a spectrum, history, and what the messages say."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from analysis.core import (
    HistoryError,
    MetrospecError,
    SpectrumError,
    UnitsError,
    axes,
    did_you_mean,
    history,
    require_axis,
    require_spectrum,
    units,
)


def spectrum(**coords):
    axis = {"raman_shift": ("channel", [100.0, 200.0, 300.0], {"units": "cm-1"})} | coords
    return xr.Dataset({"signal": ("channel", [1.0, 2.0, 3.0], {"units": "counts"})}, coords=axis)


@pytest.mark.parametrize(
    ("value", "from_", "to", "expected"),
    [
        (1.0, "nm", "m", 1e-9),
        (20.0, "degC", "K", 293.15),  # ITS-90: t/degC = T/K - 273.15
        (0.0, "K", "degC", -273.15),
        (20.0, "°C", "K", 293.15),
        (1.0, "Å", "nm", 0.1),
        (50.0, "%", "1", 0.5),
        (1.0, "cm-1", "m-1", 100.0),
        (3.0, "counts/s", "counts s-1", 3.0),
        (1.0, "N/mm2", "MPa", 1.0),
    ],
)
def test_values_convert_offsets_included(value, from_, to, expected):
    assert units.convert(value, from_, to) == pytest.approx(expected, rel=1e-12)


def test_a_difference_of_temperatures_has_no_offset():
    assert units.factor("degC", "K") == pytest.approx(1.0, rel=1e-12)


def test_counts_are_spelled_as_counts():
    assert units.spell(units.pint_unit("counts")) == "counts"
    assert units.multiply("counts", "s", power=-1) == "counts s-1"
    assert units.multiply("counts", "cm-1") == "counts cm-1"


@pytest.mark.parametrize(
    ("first", "second", "power", "expected"),
    [("nm", "cm-1", 1, "nm cm-1"), ("nm", "nm", -1, "1"), ("1", "nm", -1, "nm-1"), ("cm-1", "1", 1, "cm-1")],
)
def test_products_are_spelled_in_the_units_they_had(first, second, power, expected):
    assert units.multiply(first, second, power=power) == expected


def test_multiplication_is_written_with_a_blank_a_dot_or_a_star_and_powers_in_three_ways():
    same = ["kg m2 s-2", "kg.m2.s-2", "kg*m^2*s^-2", "kg · m**2 / s**2", "kg m2/s2"]
    assert {units.spell(units.pint_unit(text)) for text in same} == {"kg m2 s-2"}


@given(
    powers=st.dictionaries(
        st.sampled_from(["cm", "s", "K", "counts", "nm"]),
        st.sampled_from([-3, -2, -1.5, -1, -0.5, -1 / 3, 0.25, 0.5, 2 / 3, 1, 2]),
        min_size=1,
        max_size=3,
    )
)
def test_what_is_spelled_can_be_read_back(powers):
    unit = units.pint_unit("1")
    for name, power in powers.items():
        unit = unit * units.pint_unit(name) ** power
    text = units.spell(unit)
    assert units.spell(units.pint_unit(text)) == text


def test_a_root_can_be_undone():
    root = units.spell(units.pint_unit("cm-1") ** 0.5)
    assert root == "cm^-0.5"
    assert units.spell(units.pint_unit(root) ** 2) == "cm-1"
    third = units.spell(units.pint_unit("nm") ** (1 / 3))
    assert units.spell(units.pint_unit(third) ** 3) == "nm"


def test_only_units_that_convert_have_the_same_dimension():
    assert units.same_dimension("nm", "m")
    assert not units.same_dimension("nm", "cm-1")
    assert units.dimensionless("%")
    assert not units.dimensionless("nm")


def test_units_that_do_not_match_are_named():
    with pytest.raises(UnitsError, match="got 'nm', wanted 'cm-1' or units that convert to it"):
        units.factor("nm", "cm-1")
    with pytest.raises(UnitsError, match="units do not match: got 's'"):
        units.convert(1.0, "s", "m")


@pytest.mark.parametrize("text", ["nm^^2", "cm-1)", "furlongs_per", "import os", "__import__('os')", "2 nm"])
def test_units_that_do_not_parse_are_refused_with_examples(text):
    with pytest.raises(UnitsError, match="write them as 'cm-1', 'nm', 'counts s-1'"):
        units.require_units(text)
    assert units.require_units("cm-1/GPa") == "cm-1/GPa"


def test_a_near_name_is_offered_whatever_its_case():
    assert did_you_mean("Raman_Shft", ["raman_shift", "pixel"]) == " Did you mean 'raman_shift'?"
    assert did_you_mean("xyz", ["raman_shift", "pixel"]) == ""
    assert did_you_mean("x", []) == ""


def test_a_signal_alone_becomes_a_spectrum_with_its_attributes():
    signal = xr.DataArray([1.0, 2.0], dims="channel", name="anything", attrs={"units": "counts"})
    dataset = require_spectrum(signal)
    assert list(dataset.data_vars) == ["signal"]
    assert dataset["signal"].attrs["units"] == "counts"
    whole = spectrum()
    assert require_spectrum(whole) is whole


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        ([1.0, 2.0], r"is an xarray Dataset or DataArray; got list. Read one with analysis.io.read"),
        (xr.Dataset({"Signal": ("channel", [1.0])}), r"this one has \['Signal'\]. Did you mean 'Signal'\?"),
        (xr.DataArray([1.0], dims="x"), r"needs a dimension named 'channel'.*signal.rename\(\{'x': 'channel'\}\)"),
        (xr.DataArray(np.ones((2, 2)), dims=("channel", "row")), r"must be the last dimension.*transpose"),
        (xr.DataArray(np.ones(0), dims="channel"), r"empty: 0 channels; wanted at least one"),
        (xr.DataArray(["a"], dims="channel"), r"must hold real numbers; got dtype <U1"),
        (xr.DataArray([1j], dims="channel"), r"must hold real numbers; got dtype complex128"),
        (
            xr.Dataset({"signal": ("channel", [1.0, 2.0]), "u_signal": ((), 1.0)}),
            r"'u_signal' must have the dims of 'signal' \('channel',\); got \(\)",
        ),
    ],
)
def test_what_is_no_spectrum_is_refused_by_what_it_is(thing, said):
    with pytest.raises(SpectrumError, match=said) as error:
        require_spectrum(thing)
    assert isinstance(error.value, MetrospecError)
    assert isinstance(error.value, ValueError)


def test_axes_are_the_numeric_coordinates_along_channel():
    dataset = spectrum(pixel=("channel", [0, 1, 2]), name=("channel", ["a", "b", "c"]), row=3)
    assert axes(dataset) == ["raman_shift", "pixel"]
    assert require_axis(dataset, "pixel").dims == ("channel",)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0, np.nan, 3.0], "1 values that are not finite; wanted none"),
        ([1.0, 3.0, 2.0], "not strictly monotonic: 3 is followed by 2 at channel 2"),
        ([1.0, 1.0, 2.0], "not strictly monotonic: 1 is followed by 1 at channel 1"),
        ([3.0, 2.0, 2.5], "not strictly monotonic: 2 is followed by 2.5 at channel 2"),
    ],
)
def test_an_axis_that_cannot_be_used_is_refused_where_it_breaks(values, said):
    with pytest.raises(SpectrumError, match=said):
        require_axis(spectrum(energy=("channel", values)), "energy")


def test_a_falling_axis_is_an_axis():
    assert require_axis(spectrum(energy=("channel", [3.0, 2.0, 1.0])), "energy").values[0] == 3.0


def test_a_wrong_axis_name_lists_those_there_are():
    with pytest.raises(SpectrumError, match=r"this spectrum has \['raman_shift'\]. Did you mean 'raman_shift'\?"):
        require_axis(spectrum(), "raman_shft")


def test_a_step_id_depends_on_function_settings_and_parents_and_on_nothing_else():
    lamp, sample = spectrum(), spectrum(pixel=("channel", [0.0, 1.0, 2.0]))
    first = history.record(lamp, "calibration.match", settings={"min_snr": 8.0}, inputs={"spectrum": lamp})
    again = history.record(lamp, "calibration.match", settings={"min_snr": 8.0}, inputs={"spectrum": lamp.copy()})
    other = [
        history.record(lamp, "calibration.match", settings={"min_snr": 9.0}, inputs={"spectrum": lamp}),
        history.record(lamp, "calibration.fit", settings={"min_snr": 8.0}, inputs={"spectrum": lamp}),
        history.record(lamp, "calibration.match", settings={"min_snr": 8.0}, inputs={"spectrum": sample}),
        history.record(lamp, "calibration.match", settings={"min_snr": 8.0}, inputs={"lamp": lamp}),
    ]
    assert history.head(first) == history.head(again)
    assert len({history.head(each) for each in [first, *other]}) == 5
    assert "history" not in lamp.attrs


def test_several_parents_meet_in_one_graph_and_a_changed_root_changes_every_id_below():
    def chain(lamp_value):
        lamp, sample = spectrum(), spectrum()
        lamp["signal"].values[0] = lamp_value
        axis = history.record(lamp, "calibration.fit_axis", settings={}, inputs={"lamp": lamp})
        return history.record(sample, "calibration.apply", settings={}, inputs={"axis": axis, "spectrum": sample})

    one, two = history.parse(history.of(chain(1.5))), history.parse(history.of(chain(1.6)))
    steps = one["steps"]
    assert sorted(step["function"] for step in steps.values()) == [
        "calibration.apply",
        "calibration.fit_axis",
        "raw",
        "raw",
    ]
    last = steps[one["head"]]
    assert steps[last["inputs"]["axis"]]["function"] == "calibration.fit_axis"
    assert steps[last["inputs"]["spectrum"]]["function"] == "raw"
    assert last["versions"]["numpy"] == np.__version__
    assert one["head"] != two["head"]
    assert last["inputs"]["spectrum"] == two["steps"][two["head"]]["inputs"]["spectrum"]
    assert last["inputs"]["axis"] != two["steps"][two["head"]]["inputs"]["axis"]


def test_settings_are_plain_json():
    settings = {"a": np.float64(1.5), "b": np.arange(3), "c": (1, 2), "d": None, "e": np.int64(3), "f": np.inf}
    parsed = history.parse(history.extend("room.step", settings=settings, inputs={}))
    kept = parsed["steps"][parsed["head"]]["settings"]
    assert kept == {"a": 1.5, "b": [0, 1, 2], "c": [1, 2], "d": None, "e": 3, "f": np.inf}
    with pytest.raises(HistoryError, match=r"a setting of room.step cannot be kept in the history: object <object"):
        history.extend("room.step", settings={"a": object()}, inputs={})


@pytest.mark.parametrize("text", ["", "not json", "[]", "{}", '{"head": "a"}', "null"])
def test_a_text_that_is_no_history_is_refused(text):
    with pytest.raises(HistoryError, match="the history does not parse"):
        history.parse(text)


def test_a_history_without_its_last_step_is_damaged():
    with pytest.raises(HistoryError, match="names step 'a' as its last, but does not hold it; the file is damaged"):
        history.parse(json.dumps({"head": "a", "steps": {}}))


def test_content_is_compared_bit_by_bit_and_attributes_do_not_enter():
    one = spectrum()
    assert history.content_hash(one) == history.content_hash(one.assign_attrs(title="x"))
    nudged = one.copy(deep=True)
    nudged["signal"].values[0] = np.nextafter(1.0, 2.0)
    assert history.content_hash(one) != history.content_hash(nudged)
    assert history.content_hash(np.zeros(2)) != history.content_hash(np.zeros(2, dtype=np.float32))
