"""Figures: what is drawn where, units on axes, no global state, the same bytes every time."""

import numpy as np
import pytest
import xarray as xr
from lmfit.models import ConstantModel, LorentzianModel

from analysis import calibration, figures, peaks
from analysis.core import SpectrumError, UncertaintyError, UnitsError
from analysis.uncertainty import Quantity, Source, propagate, sample
from analysis.uncertainty.distributions import rectangular


@pytest.fixture
def spectrum():
    x = np.linspace(500, 540, 120)
    y = 50 + 8000 / ((x - 520.5) ** 2 + 4)
    noise = np.random.default_rng(1).normal(0, np.sqrt(y))
    return xr.Dataset(
        {
            "signal": ("channel", y + noise, {"units": "counts", "long_name": "intensity"}),
            "u_signal": ("channel", np.sqrt(y), {"units": "counts"}),
        },
        coords={"raman_shift": ("channel", x, {"units": "cm-1", "long_name": "Raman shift"})},
    )


@pytest.fixture
def fit(spectrum):
    model = LorentzianModel(prefix="si_") + ConstantModel(prefix="bg_")
    params = model.make_params(si_center=520, si_sigma=2, si_amplitude=12000, bg_c=40)
    return peaks.fit(spectrum, model, params, axis="raman_shift")


def test_a_spectrum_is_drawn_with_units_marks_and_its_values(spectrum):
    before = spectrum.copy(deep=True)
    figure = figures.draw_spectrum(spectrum, axis="raman_shift", marks={"a $b$": 520.5}, title="Si")
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), spectrum["signal"].values)
    assert axes.get_xlabel() == "Raman shift (cm$^{-1}$)"
    assert axes.get_ylabel() == "intensity (counts)"
    assert figures.png(figure).startswith(b"\x89PNG")
    xr.testing.assert_identical(spectrum, before)


def test_the_residuals_of_a_fit_are_over_u(spectrum, fit):
    figure = figures.draw_fit(fit, spectrum)
    below = figure.axes[1]
    expected = (spectrum["signal"] - peaks.evaluate(fit)).values / spectrum["u_signal"].values
    np.testing.assert_allclose(below.lines[1].get_ydata(), expected)
    labels = [line.get_label() for line in figure.axes[0].lines]
    assert labels[0] == "data"
    assert labels[-1] == "model"
    assert figures.png(figure) == figures.png(figures.draw_fit(fit, spectrum))


def test_the_bars_of_a_budget_are_its_shares_in_per_cent():
    lamp = {Source(id=f"ne{i}", label=f"Ne {i}", tags=("lamp",)): 0.01 for i in range(9)}
    inputs = {"x": Quantity.from_components(1.0, lamp, units="cm-1")}
    inputs |= {f"x{i}": Quantity(value=1, u=0.02 + i / 100, units="cm-1", label=f"x{i}") for i in range(5)}
    budget = propagate(" + ".join(inputs), inputs, name="y", units="cm-1")
    (axes,) = figures.draw_budget(budget).axes
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([100 * each.share for each in budget.by_tag()])
    (short,) = figures.draw_budget(budget, most=3).axes
    assert len(short.patches) == 4
    assert sum(bar.get_width() for bar in short.patches) == pytest.approx(100)


def test_densities_show_both_intervals_and_the_verdict():
    # closed form: the p-quantile of ln x, x rectangular on [a, b], is ln(a + p (b - a))
    low, high = 1 - 0.5 * 3**0.5, 1 + 0.5 * 3**0.5
    x = Quantity(value=1, u=0.5, units="1", distribution=rectangular())
    budget = propagate("log(x)", {"x": x}, name="y", units="1")
    (axes,) = figures.draw_densities(budget, sample(budget, trials=100_000, seed=1)).axes
    ends = sorted(line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 2)
    truth = [np.log(low + share * (high - low)) for share in (0.025, 0.975)]
    np.testing.assert_allclose([ends[0], ends[2]], truth, atol=0.02)
    np.testing.assert_allclose([ends[1], ends[3]], [-1.96 * 0.5, 1.96 * 0.5], rtol=1e-3)
    assert "differ" in axes.get_title(loc="left")
    with pytest.raises(UncertaintyError, match="has u = 0"):
        figures.draw_densities(propagate("x*0", {"x": x}, name="y", units="1"), sample(budget, trials=100, seed=1))


def test_deviations_are_measured_minus_reference_in_one_unit():
    reference = {"a": Quantity(value=1000, u=0.1, units="cm-1"), "b": Quantity(value=620, u=0.1, units="cm-1")}
    measured = {
        "before": {"a": Quantity(value=100300, u=20, units="m-1"), "b": Quantity(value=621, u=0.2, units="cm-1")}
    }
    figure = figures.draw_deviations(reference, measured)
    drawn = figure.axes[0].containers[-1].lines[0].get_ydata(orig=False)
    np.testing.assert_allclose(drawn, [1.0, 3.0])
    assert figures.png(figure).startswith(b"\x89PNG")


def test_what_cannot_be_drawn_is_refused(spectrum, fit):
    both = xr.concat(
        [spectrum, spectrum], dim="row", data_vars="all", coords="minimal", compat="override", join="exact"
    )
    q = Quantity(value=1, u=0.1, units="nm")
    with pytest.raises(SpectrumError, match="shows one spectrum"):
        figures.draw_spectrum(both, axis="raman_shift")
    with pytest.raises(SpectrumError, match="no axis named"):
        figures.draw_spectrum(spectrum, axis="raman")
    with pytest.raises(SpectrumError, match="choose one spectrum"):
        figures.draw_fit(fit, spectrum.isel(channel=slice(0, 50)))
    with pytest.raises(UncertaintyError, match="at least 2 bars"):
        figures.draw_budget(propagate("a", {"a": q}, name="y", units="nm"), most=1)
    with pytest.raises(UncertaintyError, match="needs a reference"):
        figures.draw_deviations({"a": q}, {"x": {"b": q}})
    with pytest.raises(UnitsError, match="convert it first"):
        figures.draw_deviations({"a": q}, {"x": {"a": Quantity(value=1, u=0.1, units="s")}})


def test_a_notebook_shows_a_figure_without_pyplot():
    # seen in JupyterLab: a Figure made without pyplot shows its repr only
    one = Quantity(value=1.0, u=0.1, units="cm-1")
    figure = figures.draw_deviations({"a": one}, {"after": {"a": one}})
    assert figure._repr_png_() == figures.png(figure)
    width, height = figure.get_size_inches()
    assert repr(figure) == f"<Drawing {width:g} x {height:g} in>"


def test_a_curve_is_drawn_with_its_band_and_residuals():
    x, y = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.1, 1.9, 3.2, 3.9])
    curve = calibration.fit_line(x, y, u_y=0.1)
    above, below = figures.draw_curve(curve, inverse=curve.inverse(Quantity(value=2.5, u=0.1, units="1"))).axes
    slope, offset = np.polyfit(x, y, 1)
    np.testing.assert_allclose(above.lines[0].get_ydata()[[0, -1]], [offset + slope, offset + 4 * slope], rtol=1e-9)
    drawn = below.containers[0].lines[0].get_ydata(orig=False)
    np.testing.assert_allclose(drawn, y - offset - slope * x, atol=1e-12)
