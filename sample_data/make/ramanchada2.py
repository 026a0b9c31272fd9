"""Carry a small subset of the measured spectra of the package ramanchada2 over to `sample_data/`.

    python sample_data/make/ramanchada2.py [--wheel PATH] [--out FOLDER]

Without `--wheel` the wheel is fetched with `pip download`. Its SHA-256 is checked; the text files are read straight
from it, and ramanchada2 is neither installed nor imported.
"""

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from analysis import io

VERSION = "1.5.0"
WHEEL_SHA256 = "0ff2131c312b71b216a47e934acc6e519d6944250423c5b2a7d4d3130180dac5"
LICENCE = f"ramanchada2-{VERSION}.dist-info/licenses/LICENSE"
DATA = "ramanchada2/auxiliary/spectra/datasets2"
COPYRIGHT = (
    "Copyright (c) 2021-2024 CHARISMA H2020 project; 2022-2023 IDEAconsult Ltd.; 2024 Georgi Stefanov Georgiev; "
    "2024 Nicolas Coca Lopez"
)
MATERIALS = {
    "neon": "neon lamp",
    "neon_short": "neon lamp, short exposure",
    "silicon": "silicon wafer S0B",
    "polystyrene": "polystyrene",
    "calcite": "natural calcite (nCAL)",
}


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """One instrument and its files."""

    name: str
    """Middle part of the names of the samples."""
    title: str
    """What the instrument is, for people."""
    folder: str
    """Folder in the wheel."""
    files: dict[str, str]
    """Material to file name."""
    laser_nm: float | None = None
    """Nominal laser line, where the file does not say it."""


INSTRUMENTS = (
    Instrument(
        name="bwtek532a",
        title="B&W Tek i-Raman 532 nm (BWS415-532S, code TUO), laboratory FMNT-M",
        folder="FMNT-M_BW532",
        files={
            "neon": "NeonSNQ043_iR532_Probe_100msx2.txt",
            "neon_short": "NeonSNQ043_iR532_Probe_5msx2.txt",
            "silicon": "S0B10_iR532_Probe_100_60000msx2.txt",
            "polystyrene": "PST10_iR532_Probe_100_3000msx7.txt",
            "calcite": "nCAL10_iR532_Probe_100_2500msx3.txt",
        },
    ),
    Instrument(
        name="bwtek532b",
        title="B&W Tek i-Raman Plus 532 nm (BWS415-532S, code SDI), laboratory ICV",
        folder="ICV_BW532",
        files={
            "neon": "Ne_532nm_x50_800ms.txt",
            "neon_short": "Ne_532nm_x50_25ms.txt",
            "silicon": "S0B02_iRPlus532_Z050_100_30000ms.txt",
            "polystyrene": "PST02_iRPlus532_Z050_100_2500msx5.txt",
            "calcite": "nCAL02_iRPlus532_Z050_100_9000ms.txt",
        },
    ),
    Instrument(
        name="bwtek785",
        title="B&W Tek i-Raman Plus 785 nm (BWS415-785S, code RUW), laboratory ICV",
        folder="ICV_BW785",
        files={
            "neon": "Ne_785nm_x20_50ms.txt",
            "silicon": "S0B02_iRPlus785_Z020_100_12000ms.txt",
            "polystyrene": "PST02_iRPlus785_Z020_100_1300ms.txt",
            "calcite": "nCAL02_iRPlus785_Z020_100_1100ms.txt",
        },
    ),
    Instrument(
        name="horiba785_op1",
        title="Horiba 785 nm, optical path 1, laboratory FMNT-M",
        folder="FMNT-M_Ho785",
        laser_nm=785.0,
        files={
            "neon": "NeonSNQ043_iR785_OP01.txt",
            "silicon": "S0B10_iR785_OP01_6000msx4.txt",
            "polystyrene": "PST10_iR785_OP01_40000msx4.txt",
            "calcite": "nCAL10_iR785_OP01_6000msx4.txt",
        },
    ),
    Instrument(
        name="horiba785_op2",
        title="Horiba 785 nm, optical path 2, laboratory FMNT-M",
        folder="FMNT-M_Ho785",
        laser_nm=785.0,
        files={
            "neon": "NeonSNQ043_iR785_OP02.txt",
            "silicon": "S0B10_iR785_OP02_25000msx2.txt",
            "polystyrene": "PST10_iR785_OP02_50000msx2.txt",
            "calcite": "nCAL10_iR785_OP02_20000msx2.txt",
        },
    ),
    Instrument(
        name="horiba785_op3",
        title="Horiba 785 nm, optical path 3, laboratory FMNT-M",
        folder="FMNT-M_Ho785",
        laser_nm=785.0,
        files={
            "neon": "NeonSNQ043_iR785_OP03.txt",
            "silicon": "S0B10_iR785_OP03_8000msx2.txt",
            "polystyrene": "PST10_iR785_OP03_8000msx2.txt",
            "calcite": "nCAL10_iR785_OP03_8000msx2.txt",
        },
    ),
    Instrument(
        name="horiba633",
        title="Horiba LabRAM HR 633 nm, laboratory TOP",
        folder="TOP_Ho633",
        laser_nm=633.0,
        files={
            "neon": "neon_new2_Z010.txt",
            "silicon": "S0B_HLR633_Z010_100_40sx5.txt",
            "polystyrene": "Pol_HLR633_Z010_100_15sx5.txt",
            "calcite": "nCAL_HLR633_Z010_100_5sx5.txt",
        },
    ),
)


def main() -> None:
    """Make all files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path, help="the wheel, if it is already on this computer")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1], help="folder to write to")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = given.wheel or fetch(Path(folder))
        require_wheel(wheel)
        with zipfile.ZipFile(wheel) as archive:
            for instrument in INSTRUMENTS:
                for material in instrument.files:
                    path = io.write(
                        convert(archive, instrument, material, Path(folder)),
                        given.out / f"raman_{instrument.name}_{material}.nc",
                    )
                    print(f"{path.name} {path.stat().st_size} bytes")


def fetch(folder: Path) -> Path:
    """Download the wheel with pip into `folder` and return its path."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    subprocess.run([*command, f"ramanchada2=={VERSION}"], check=True)  # noqa: S603 - fixed arguments
    return next(folder.glob("ramanchada2-*.whl"))


def require_wheel(wheel: Path) -> None:
    """Exit if the wheel is not the one that the samples were made from."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        sys.exit(f"{wheel.name}: SHA-256 is {digest}, wanted {WHEEL_SHA256} (ramanchada2 {VERSION}); get that wheel")


def convert(archive: zipfile.ZipFile, instrument: Instrument, material: str, folder: Path) -> xr.Dataset:
    """Read one spectrum from the wheel and give it its provenance."""
    name = instrument.files[material]
    content = archive.read(f"{DATA}/{instrument.folder}/{name}")
    copy = folder / name
    copy.write_bytes(content)
    read = io.read(copy)
    read.attrs.pop("history")
    spectrum = read if "wavelength" in read.coords else from_two_columns(read, instrument, name)
    provenance = {
        "title": f"Raman spectrum of {MATERIALS[material]}"
        if not material.startswith("neon")
        else "spectrum of a neon lamp",
        "technique": "Raman",
        "instrument": instrument.title,
        "sample": MATERIALS[material],
        "licence": "MIT",
        "copyright": COPYRIGHT,
        "licence_text": archive.read(LICENCE).decode(),
        "source_package": "ramanchada2",
        "source_version": VERSION,
        "source_sha256": WHEEL_SHA256,
        "source_file": f"{DATA}/{instrument.folder}/{name}",
        "source_file_sha256": hashlib.sha256(content).hexdigest(),
    }
    return spectrum.assign_attrs({**spectrum.attrs, **provenance})


def from_two_columns(read: xr.Dataset, instrument: Instrument, name: str) -> xr.Dataset:
    """Name the columns of a file that has no header: the maker's Raman shift, and counts."""
    spectrum = read.rename(x="raman_shift")
    spectrum["raman_shift"].attrs = {
        "units": "cm-1",
        "long_name": "Raman shift, nominal (maker's axis)",
        "laser_wavelength_nm": instrument.laser_nm,
        "nominal": "true",
    }
    note = "the file names no units; counts are assumed"
    spectrum["signal"].attrs = {"units": "counts", "long_name": "signal", "units_note": note}
    attrs: dict[str, object] = {"laser_wavelength_nm": instrument.laser_nm}
    exposure = re.search(r"_(\d+)(ms|s)x(\d+)\.txt$", name)
    if exposure:
        attrs["integration_time_s"] = int(exposure.group(1)) / (1000 if exposure.group(2) == "ms" else 1)
        attrs["averages"] = int(exposure.group(3))
    return spectrum.assign_attrs(attrs)


if __name__ == "__main__":
    main()
