"""Sensors on the simulated bench, whose truth is known: live readings are quantities with the sources of all."""

import json

import numpy as np
import pytest
import xarray as xr

import instruments
from analysis import calibration
from analysis.calibration.sensors import ForceRuns, force_transducer, pt100, thermocouple
from analysis.core import CalibrationError, InstrumentError
from analysis.uncertainty import Quantity
from instruments import acquire, control, protocols, sensing, shots
from instruments.simulators import Bench

SEEDS = range(30)


def quantity(value, u, units, label):
    return Quantity(value=value, u=u, units=units, label=label)


@pytest.fixture
def bench():
    return Bench(seed=7)


@pytest.fixture
def dmm(bench):
    with instruments.open("sim://dmm", bench=bench) as found:
        found.nplc = 10.0
        yield found


def heated(bench, power=0.5):
    bench.truth.furnace.heat(power, bench.clock.now())
    bench.clock.sleep(3600.0)


def pulled(bench, displacement=2.5e-4):
    bench.truth.force = bench.truth.specimen.force(displacement, bench.truth.compliance)


def transducer(truth):
    """Calibrated as ISO 376 has it, with forces known to 0.02 % and readings that scatter by 20 nV/V."""
    force = np.linspace(4e3, 40e3, 10)
    machine = quantity(1.0, 2e-4, "1", "calibration machine")
    rng = np.random.default_rng(3)
    deflection = 1e3 * force * (truth.bridge[1] + truth.bridge[2] * force)
    series = deflection + rng.normal(0.0, 2e-5, (4, force.size))
    forces = [Quantity(value=each, u=0.0, units="N") * machine for each in force]
    runs = ForceRuns(
        forces=forces, rotated=series[:3], repeated=series[3], resolution=1e-6, zero_shift=1e-6, creep=1e-6
    )
    return force_transducer(runs, degree=2)


def length_curve(truth):
    """Calibrated with gauge blocks known to 0.2 um and readings that scatter by 0.1 mV."""
    length, (zero, slope, bend) = np.linspace(-1e-4, 1e-3, 12), truth.extensometer
    output = zero + slope * length + bend * length**2 + np.random.default_rng(4).normal(0.0, 1e-4, length.size)
    x, y = (xr.DataArray(values, attrs={"units": units}) for values, units in ((length, "m"), (output, "V")))
    return calibration.fit_polynomial(x, y, degree=2, u_x=np.full(12, 2e-7), u_y=np.full(12, 1e-4))


def platinum(bench, dmm):
    dmm.function = "resistance_4w"
    heated(bench)
    return sensing.resistance_thermometer(dmm, thermometer=pt100()), bench.truth.temperature


def type_k(bench, dmm):
    bench.truth.connected = "thermocouple"
    heated(bench)
    joint = quantity(0.0, 0.02, "degC", "ice point")
    emf = quantity(0.0, 0.6e-6 / 41e-6, "K", "thermal emf of the joints")
    return sensing.thermocouple(dmm, "K", reference=joint, deviation=emf), bench.truth.temperature


def force(bench, dmm):
    bench.truth.connected, bench.truth.force = "load cell", 0.0
    zero = dmm.measure()
    pulled(bench)
    supply = quantity(bench.truth.bridge_supply, 1e-3, "V", "supply")
    return sensing.load_cell(dmm, transducer(bench.truth), supply=supply, zero=zero), bench.truth.force


def extension(bench, dmm):
    bench.truth.connected, bench.truth.force = "extensometer", 0.0
    zero = dmm.measure()
    pulled(bench)
    found = sensing.extensometer(dmm, length_curve(bench.truth), zero=zero)
    return found, bench.truth.specimen.elongation(bench.truth.force)


KINDS = (platinum, type_k, force, extension)


@pytest.mark.parametrize("kind", KINDS)
def test_a_live_reading_holds_the_truth_and_names_its_sources(bench, dmm, kind):
    sensor, true = kind(bench, dmm)
    found = sensor.measure()
    assert isinstance(found, Quantity)
    assert found.units == sensor.units
    assert abs(found.value - true) < 3.0 * found.u
    labels = [source.label for source in found.parts()]
    assert any("dmm" in label for label in labels), labels
    assert len(labels) >= 3
    assert abs(sensor.reading() - true) < 4.0 * found.u


@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_of_readings_has_a_type_a_part_and_the_same_type_b(bench, dmm, kind):
    sensor, true = kind(bench, dmm)
    readings = [sensor.reading() for _ in range(10)]
    mean, single = sensor.quantity(readings), sensor.measure()
    assert mean.value == pytest.approx(np.mean(readings), rel=1e-9)
    assert abs(mean.value - true) < 3.0 * mean.u
    noise = [(source, part) for source, part in mean.parts().items() if source.dof == 9]
    assert len([1 for source, _ in noise if source.label == "dmm: noise"]) == 1
    scatter = np.std(readings, ddof=1) / np.sqrt(10)
    part = next(part for source, part in noise if source.label == "dmm: noise")
    assert abs(part) == pytest.approx(scatter, rel=1e-3)
    assert (mean - single).u < 0.5 * single.u  # what the instrument and the sensor are off falls out


@pytest.mark.parametrize("kind", KINDS)
def test_a_sensor_is_a_meter_to_all_who_read_it(bench, dmm, kind):
    sensor, _ = kind(bench, dmm)
    assert isinstance(sensor, protocols.Meter)
    assert sensor.read().keys() == sensor.describe().keys() == {sensor.name, f"u_{sensor.name}"}
    assert json.loads(json.dumps(sensor.snapshot()))["meter"]["name"] == "dmm"
    sensor.safe_state()
    sensor.close()
    sensor.close()
    assert dmm.closed


def test_over_many_benches_the_error_is_as_large_as_predicted():
    pulls, expected = [], []
    for seed in SEEDS:
        bench = Bench(seed=seed)
        with instruments.open("sim://dmm", bench=bench) as dmm:
            sensor, true = platinum(bench, dmm)
            found = sensor.measure()
            # 100 ppm of reading and 10 ppm of the range of 1000 ohm, drawn from a rectangle each; the specification of
            # the meter is read as one rectangle of the sum of both
            gain, offset = 100e-6 * bench.truth.pt100, 10e-6 * 1000.0
            pulls.append((found.value - true) / found.u)
            expected.append((gain**2 + offset**2) / (gain + offset) ** 2)
    # 95 % of chi-square with 30 degrees of freedom
    assert 16.8 / 30 < np.mean(np.square(pulls)) / np.mean(expected) < 47.0 / 30


@pytest.mark.parametrize("kind", KINDS)
def test_a_recorded_stream_separates_noise_from_what_its_shots_share(bench, dmm, kind):
    sensor, true = kind(bench, dmm)
    run = acquire.run(acquire.stream(sensor, count=12))
    noise = float(run[f"u_{sensor.name}"].mean())
    assert 0.4 < float(run[sensor.name].std(ddof=1)) / noise < 1.8
    every = shots.array(run, sensor.name)
    np.testing.assert_allclose(every.u, sensor.measure().u, rtol=0.02)
    mean = every.mean("shot")
    assert abs(float(mean.value) - true) < 3.0 * float(mean.u)
    assert float(mean.u) > 0.9 * np.sqrt(sensor.measure().u ** 2 - noise**2)  # what all share does not average out


def test_the_tolerance_of_a_class_is_one_source_for_all_readings_of_a_thermometer(bench, dmm):
    dmm.function = "resistance_4w"
    sensor = sensing.resistance_thermometer(dmm, grade="A")
    cold = sensor.measure()
    heated(bench)
    hot = sensor.measure()
    # IEC 60751, table 3: 0.15 + 0.002 |t|, rectangular
    for found in (cold, hot):
        part = next(part for source, part in found.parts().items() if source.label == "pt100: class A")
        assert part == pytest.approx((0.15 + 0.002 * abs(found.value)) / np.sqrt(3.0), rel=1e-9)
    assert cold.correlation(hot) > 0.9
    bench.truth.furnace.heat(1.0, bench.clock.now())
    bench.clock.sleep(3600.0)
    other = sensing.resistance_thermometer(dmm, grade="AA")
    with pytest.raises(CalibrationError, match=r"class AA: temperature in degC .* lies outside \[-50, 250\]"):
        other.measure()


def test_leads_are_taken_off_two_wires(bench, dmm):
    dmm.function = "resistance"
    bench.truth.resistance = 138.5055  # IEC 60751: 100 degC
    leads = quantity(bench.truth.lead_resistance, 0.005, "ohm", "leads")
    sensor = sensing.resistance_thermometer(dmm, thermometer=pt100(), leads=leads)
    found = sensor.measure()
    assert abs(found.value - 100.0) < 3.0 * found.u
    assert sensor.quantity([found.value] * 2).value == pytest.approx(found.value, rel=1e-9)
    assert any(source.label == "leads" for source in found.parts())


def test_the_reference_junction_is_measured_with_every_reading(bench):
    class Junction:
        temperature = 20.0

        def measure(self):
            return quantity(self.temperature, 0.1, "degC", "junction")

    class Voltage:
        name, resource, units, clock, parent = "voltage", "none", "V", bench.clock, None

        def measure(self):
            emf = thermocouple("K").emf(
                quantity(200.0, 0.0, "degC", ""), reference=quantity(joint.temperature, 0.0, "degC", "")
            )
            return emf.to("V")

    joint = Junction()
    none = quantity(0.0, 0.5, "K", "class 1")
    sensor = sensing.thermocouple(Voltage(), "K", reference=joint, deviation=none)
    for temperature in (20.0, 35.0):
        joint.temperature = temperature
        found = sensor.measure()
        assert found.value == pytest.approx(200.0, abs=1e-6)
        # sensitivities: 1 of the class, S(20 degC)/S(200 degC) near 1 of the junction
        assert found.u == pytest.approx(np.hypot(0.5, 0.1), rel=0.02)


def test_what_does_not_fit_is_refused_and_said(bench, dmm):
    zero, supply = quantity(0.0, 1e-6, "V", "zero"), quantity(10.0, 1e-3, "V", "supply")
    with pytest.raises(InstrumentError, match=r"pt100 gives its signal in ohm, but dmm measures V; choose another fun"):
        sensing.resistance_thermometer(dmm, grade="A")
    with pytest.raises(InstrumentError, match=r"either a thermometer with the coefficients .* or a grade, got neither"):
        sensing.resistance_thermometer(dmm)
    with pytest.raises(InstrumentError, match=r"load_cell: zero must be a Quantity in V, got float"):
        sensing.load_cell(dmm, transducer(bench.truth), supply=supply, zero=0.0)
    with pytest.raises(InstrumentError, match=r"load_cell: supply must be a Quantity in V, got A"):
        sensing.load_cell(dmm, transducer(bench.truth), supply=quantity(1.0, 0.0, "A", ""), zero=zero)
    with pytest.raises(InstrumentError, match="against length, got one against '1'"):
        sensing.extensometer(dmm, calibration.fit_line([1.0, 2.0, 3.0], [1.0, 2.0, 3.1]), zero=zero)
    with pytest.raises(InstrumentError, match="deviation must be a Quantity in K, got V"):
        sensing.thermocouple(dmm, "K", reference=quantity(0.0, 0.0, "degC", ""), deviation=zero)


def test_a_loop_is_closed_over_a_sensor_of_our_own(bench, dmm):
    dmm.function, dmm.nplc = "resistance_4w", 1.0
    with instruments.open("sim://furnace", bench=bench) as furnace:
        process = sensing.SensedProcess(furnace, sensing.resistance_thermometer(dmm, thermometer=pt100()))
        assert isinstance(process, protocols.Controller)
        process.allow(0.0, 1.0)
        settings = control.LoopSettings(
            pid=control.PidSettings(gain=0.01, integral_time=120.0), period=6.0,
            profile=control.Profile(start=80.0, steps=(control.Soak(seconds=1800.0),)),
        )  # fmt: skip
        run = control.run_loop(process, settings)
        assert float(run["value"][-1]) == pytest.approx(80.0, abs=0.1)
        assert abs(bench.truth.temperature - 80.0) < 0.15  # the furnace's own thermometer is off by up to 0.5 K
        assert process.snapshot()["sensor"]["meter"]["function"] == "resistance_4w"
        assert {"furnace", "pt100", "u_pt100"} <= set(process.read())
        assert process.read().keys() == process.describe().keys()
        assert process.alarms() == []
        process.safe_state()
        assert bench.furnace.values["output"] == 0.0
