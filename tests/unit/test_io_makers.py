"""Made files of makers' formats: what was put in comes out, and damage is refused with what was seen."""

import io as streams
import struct
import zipfile

import numpy as np
import pytest

from analysis import io
from analysis.core import FormatError
from analysis.io import makers, wdf

WAVELENGTHS = "534.0,534.5,535.25,536.5"


def put(tmp_path, content, name="file.bin"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def spe(frames=2, rows=3, width=4, *, extra=8, regions=1, wavelengths=WAVELENGTHS):
    """Lay out an SPE 3 file by the published description of the format, with `extra` bytes of stamps a frame."""
    size = 2 * width * rows
    region = (
        f'<DataBlock type="Region" count="1" width="{width}" height="{rows}" size="{size}" stride="{size}" '
        'calibrations="1,{}"/>'
    )
    inner = "".join(region.format(at + 2) for at in range(regions))
    maps = "".join(
        f'<SensorMapping id="{at + 2}" x="0" y="{10 * at}" width="{width}" height="{rows}" xBinning="1" yBinning="1"/>'
        for at in range(regions)
    )
    xml = (
        '<SpeFormat version="3.0" xmlns="http://www.princetoninstruments.com/spe/2009"><DataFormat>'
        f'<DataBlock type="Frame" count="{frames}" pixelFormat="MonochromeUnsigned16" size="{size * regions}" '
        f'stride="{size * regions + extra}">{inner}</DataBlock></DataFormat><Calibrations>'
        f'<WavelengthMapping id="1" laserLine="532.0"><Wavelength>{wavelengths}</Wavelength></WavelengthMapping>{maps}'
        "</Calibrations><ExposureTime>250</ExposureTime></SpeFormat>"
    )
    values = np.arange(frames * regions * rows * width, dtype="<u2").reshape(frames, -1)
    body = b"".join(row.tobytes() + b"\xff" * extra for row in values)
    header = bytearray(4100)
    struct.pack_into("<H", header, 108, 3)
    struct.pack_into("<Q", header, 678, 4100 + len(body))
    struct.pack_into("<f", header, 1992, 3.0)
    return bytes(header) + body + xml.encode()


def spa(points=5, first=4000.0, last=2000.0, *, x=1, y=17, declared=None):
    data = bytearray(1024)
    data[:18] = b"Spectral Data File"
    data[30:37] = b"toluene"
    struct.pack_into("<H", data, 294, 2)
    struct.pack_into("<I", data, 296, 3_800_000_000)
    struct.pack_into("<BxII", data, 304, 2, 0, 0)
    struct.pack_into("<HII", data, 304, 2, 512, 152)
    struct.pack_into("<HII", data, 320, 3, 1024, 4 * points)
    struct.pack_into("<I", data, 512 + 4, points if declared is None else declared)
    data[520], data[524] = x, y
    struct.pack_into("<ff", data, 512 + 16, first, last)
    struct.pack_into("<I", data, 512 + 36, 32)
    return bytes(data) + np.arange(points, dtype="<f4").tobytes()


def procspec(xml=None, *, name="ps_0.xml", method=zipfile.ZIP_DEFLATED):
    numbers = {"w": (400, 401.5, 403), "raw": (10, 20, 30), "dark": (1, 2, 3), "t": (50, 60, 70.5)}
    cells = {key: "".join(f"<double>{each}</double>" for each in row) for key, row in numbers.items()}
    whole = (
        '<?xml version="1.0" encoding="UTF-8"?><ps><sourceSpectra><Spectrum>'
        f"<pixelValues>{cells['raw']}</pixelValues><integrationTime>150000</integrationTime>"
        "<scansToAverage>4</scansToAverage><milliTime>1600000000000</milliTime>"
        f"<channelWavelengths>{cells['w']}</channelWavelengths></Spectrum></sourceSpectra>"
        f"<darkSpectrum><pixelValues>{cells['dark']}</pixelValues></darkSpectrum>"
        '<referenceSpectrum reference="../darkSpectrum"/>'
        '<processor class="com.oceanoptics.TransmissionCoreProcessor"/>'
        f"<processedPixels>{cells['t']}</processedPixels><userName>M\xfcller\x01</userName></ps>"
    )
    held = streams.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        archive.writestr(name, whole.encode("latin-1") if xml is None else xml)
        archive.writestr("OOIVersion.txt", "1.0")
    return held.getvalue()


XDI = b"""# XDI/1.0 made
# Column.1: energy keV
# Column.2: mu
# Scan.start_time: 2020-01-02T03:04:05
# Element.symbol: Fe
# Mono.d_spacing: 3.13555
#///
# two words
#---
# energy mu
7.1 0.5
7.2 nan
7.05 0.25
"""
MCA = b"""$SPEC_ID:\r\nsoil\r\n$DATE_MEA:\r\n02/13/2021 01:02:03\r\n$MEAS_TIM:\r\n100 110\r
$DATA:\r\n5 9\r\n1 2 3\r\n 4 0\r
$MCA_CAL:\r\n3\r\n1.0E+000 2.0E+000 5.0E-001 keV\r\n"""
TRA = """"Gage length";50;"mm"
"Operator";""
"Pr\u00fcfzeit";"Standardkraft";"Dehnung"
"s";"N";"\u00b5m"
0,1;1,5;0
0,2;2,5;1,25
0,7;3;2,5
""".encode("latin-1")
TEK_OLD = b"""Record Length,3,,-1e-06,0.5,
Sample Interval,1e-06,,0,0.75,
Source,CH2,,1e-06,-1.25,
"""


def test_spe_frames_and_rows_come_out_in_order_with_axis_and_exposure(tmp_path):
    found = io.read(put(tmp_path, spe()))
    assert found["signal"].dims == ("frame", "row", "channel")
    np.testing.assert_array_equal(found["signal"].values.ravel(), np.arange(24.0))
    assert found["wavelength"].values.tolist() == [534.0, 534.5, 535.25, 536.5]
    assert found["raman_shift"].values[0] == pytest.approx(1e7 / 532 - 1e7 / 534, rel=1e-12)
    assert found.attrs["integration_time_s"] == 0.25
    assert "uncertainty_rule" not in found["signal"].attrs


def test_spe_regions_share_an_axis_in_one_dataset(tmp_path):
    found = io.read(put(tmp_path, spe(rows=1, frames=1, regions=2)))
    assert found["signal"].dims == ("spectrum", "channel")
    assert found["signal"].values.tolist() == [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (spe()[:-40], "not well-formed XML"),
        (spe().replace(b'count="2"', b'count="900000000"'), "it says 900000000 frames|says 900000000 frames"),
        (spe().replace(b'width="4" height="3" size', b'width="40000" height="3" size'), "region of 40000 x 3 pixels"),
        (spe(wavelengths="1,2,3"), "3 wavelengths for 4 pixels|has 3 wavelengths"),
        (spe(wavelengths="1,2,3,nan"), "axis 'wavelength' is nan"),
        (spe().replace(struct.pack("<f", 3.0), struct.pack("<f", 2.5)), r"version 2.5 \(WinSpec\); wanted 3.0"),
    ],
)
def test_damaged_spe_is_refused_with_what_was_seen(content, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        io.read(put(tmp_path, content))


def test_spa_keeps_its_descending_axis_units_scans_and_date(tmp_path):
    found = io.read(put(tmp_path, spa()))
    assert found["wavenumber"].values.tolist() == [4000.0, 3500.0, 3000.0, 2500.0, 2000.0]
    assert found["signal"].values.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert found["signal"].attrs == {"units": "1", "long_name": "absorbance"}
    assert (found.attrs["title"], found.attrs["averages"]) == ("toluene", 32)
    assert found.attrs["acquired"] == "2020-05-31T11:33:20+00:00"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (spa()[:-3], "5 values would take 20 bytes from byte 1024"),
        (spa(declared=1 << 31), "its header says 2147483648 points and its values take 20 bytes"),
        (spa(last=float("nan")), "its axis goes from 4000 to nan"),
    ],
)
def test_damaged_spa_is_refused_with_what_was_seen(content, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        io.read(put(tmp_path, content))


def test_procspec_gives_processed_raw_dark_and_the_reference_that_stands_elsewhere(tmp_path):
    found = io.read(put(tmp_path, procspec(), "a.ProcSpec"))
    assert found["wavelength"].values.tolist() == [400.0, 401.5, 403.0]
    assert found["signal"].values.tolist() == [50.0, 60.0, 70.5]
    assert found["signal"].attrs == {"units": "percent", "long_name": "transmittance"}
    assert found["raw"].values.tolist() == [10.0, 20.0, 30.0]
    assert found["dark"].values.tolist() == found["reference"].values.tolist() == [1.0, 2.0, 3.0]
    assert (found.attrs["integration_time_s"], found.attrs["averages"]) == (pytest.approx(0.15), 4)
    assert found.attrs["acquired"] == "2020-09-13T12:26:40+00:00"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (procspec(b" " * 40_000_000), "unpacks to more than 32000000"),
        (procspec()[:-30], "does not unpack"),
        (procspec(b"<a>"), "not well-formed XML"),
        (procspec(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "declares a document type or entities"),
        (procspec(b"<a><double>1</double></a>"), "no wavelengths"),
    ],
)
def test_archives_that_are_bombs_or_damaged_are_refused(content, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        io.read(put(tmp_path, content))


def test_xdi_keeps_an_axis_that_goes_back_and_a_blank_value(tmp_path):
    found = io.read(put(tmp_path, XDI))
    assert found["energy"].values.tolist() == [7.1, 7.2, 7.05]
    assert found["energy"].attrs["units"] == "keV"
    assert np.isnan(found["signal"].values[0, 1])
    assert (found.attrs["element"], found.attrs["comment"]) == ("Fe", "two words")
    assert found.attrs["mono_d_spacing_angstrom"] == 3.13555


def test_counts_are_marked_and_calibrated_on_the_channel_numbers_of_the_file(tmp_path):
    found = io.read(put(tmp_path, MCA))
    assert found["signal"].values.tolist() == [1.0, 2.0, 3.0, 4.0, 0.0]
    assert "sqrt(N)" in found["signal"].attrs["uncertainty_rule"]
    channels = np.arange(5.0, 10.0)
    np.testing.assert_allclose(found["energy"].values, 1 + 2 * channels + 0.5 * channels**2, rtol=1e-15)
    assert (found.attrs["live_time_s"], found.attrs["real_time_s"]) == (100.0, 110.0)
    assert found.attrs["acquired"] == "2021-02-13T01:02:03"


def test_scaled_data_in_a_histogram_file_are_not_marked_as_counts(tmp_path):
    found = io.read(put(tmp_path, MCA.replace(b"1 2 3", b"1.5 2 3")))
    assert "uncertainty_rule" not in found["signal"].attrs


def test_testxpert_columns_have_units_and_the_time_as_it_is(tmp_path):
    found = io.read(put(tmp_path, TRA))
    assert found["time"].values.tolist() == [0.1, 0.2, 0.7]
    assert found["spectrum"].values.tolist() == ["Standardkraft", "Dehnung"]
    assert found["column_units"].values.tolist() == ["N", "um"]
    assert found["signal"].values.tolist() == [[1.5, 2.5, 3.0], [0.0, 1.25, 2.5]]
    assert (found.attrs["gauge_length"], found.attrs["gauge_length_units"]) == (50.0, "mm")


def test_the_older_form_of_tektronix_has_its_settings_beside_the_rows(tmp_path):
    found = io.read(put(tmp_path, TEK_OLD))
    assert found["time"].values.tolist() == [-1e-6, 0.0, 1e-6]
    assert found["signal"].values.tolist() == [0.5, 0.75, -1.25]
    assert found["signal"].attrs["long_name"] == "CH2"
    assert found.attrs["sample_interval_s"] == 1e-6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (XDI.replace(b"7.2 nan", b"7.2"), "line 12 is '7.2'; wanted 2 numbers"),
        (XDI.replace(b"Column.2", b"Column.7"), "names 7 columns and its rows have 2"),
        (MCA.replace(b"5 9", b"5 99999999"), r"\$DATA says channels 5 to 99999999 \(99999995\), and has 5 counts"),
        (MCA.replace(b"1 2 3", b"1 x 3"), "a count that is no number"),
        (TRA.replace(b"0,2;2,5;1,25", b"0,2;2,5"), "line 6 is '0,2;2,5'; wanted 3 numbers"),
        (TEK_OLD.replace(b"Length,3", b"Length,4"), "its header says 4 samples, it has 3"),
    ],
)
def test_damaged_text_of_makers_is_refused_with_the_line(content, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        io.read(put(tmp_path, content))


def block(tag, body):
    return tag + struct.pack("<IQ", 0, 16 + len(body)) + body


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        (b"DATA" + struct.pack("<IQ", 0, 0) + bytes(32), "its block b'DATA' at byte 512 says it has 0 bytes"),
        (b"DATA" + struct.pack("<IQ", 0, 1 << 60), "would take 1152921504606846976 bytes"),
        (block(b"DATA", bytes(8)) + block(b"XLST", bytes(16)), "2000000000 of 2000000000 spectra.*too short are"),
    ],
)
def test_wdf_blocks_are_checked_before_the_package_sees_them(tail, message, tmp_path):
    head = bytearray(block(b"WDF1", bytes(496)))
    struct.pack_into("<iqq", head, 60, 2, 2_000_000_000, 2_000_000_000)
    struct.pack_into("<iii", head, 84, 0, 2, 0)
    with pytest.raises(FormatError, match=message):
        io.read(put(tmp_path, bytes(head) + tail))


@pytest.mark.parametrize("reader", [each for each in makers.MAKERS if each.extra], ids=lambda each: each.name)
def test_a_missing_package_is_named_with_its_extra(reader, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    monkeypatch.setattr(wdf, "_checked", lambda content: content.data)
    with pytest.raises(ImportError, match=rf"Install the optional extra: pip install 'metrospec\[{reader.extra}\]'"):
        reader.read(b"", "file")
