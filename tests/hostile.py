"""Broken and hostile files for every reader: mutations of small sound files, with the bounds that all must keep."""

import resource
import struct
import time
from pathlib import Path

import numpy as np
import xarray as xr

from analysis.core import MetrospecError
from analysis.io import collection, exchange_write, registry

SECONDS, BYTES = 2.0, 200_000_000
_SPC = struct.pack("<BBBBI2dIBBBBI", 0, 0x4B, 0, 1, 40, 100.0, 500.0, 1, 13, 4, 0, 0, 0).ljust(512, b"\0")
_JCAMP = b"""##TITLE= x
##JCAMP-DX= 4.24
##DATA TYPE= RAMAN SPECTRUM
##XUNITS= 1/CM
##YUNITS= COUNTS
##XFACTOR= 1
##YFACTOR= 0.5
##FIRSTX= 400
##LASTX= 409
##NPOINTS= 10
##XYDATA= (X++(Y..Y))
400A00N%Tpj01
405c%LJ2J222
409A234
##END=
"""
_LABSPEC = (
    "#Acq. time (s)=\t0.5\n#Accumulations=\t4\n#Laser=\t532.17\n#Date=\t10.12.2019 10:16\n#AxisType[0]=\tIntens\n"
    "#AxisUnit[0]=\tCnt\n#AxisType[1]=\tSpectr\n#AxisUnit[1]=\t1/cm\n#AxisType[2]=\tXA\n#AxisUnit[2]=\tµm\n"
    "#AxisType[3]=\tYA\n#AxisUnit[3]=\tµm\n\t\t100\t200.5\t300\n0\t5\t1\t2\t3\n0\t4\t4\t5\t6\n2\t5\t7\t8\t9\n"
    "2\t4\t10\t11\t12\n"
).encode("latin-1")
_JASCO = (
    b"TITLE\ttoluene\nDATA TYPE\tRAMAN SPECTRUM\nORIGIN\tJASCO\nOWNER\t\nDATE\t24/11/05\nTIME\t15:23:06\n"
    b"SPECTROMETER/DATA SYSTEM\tJASCO Corp., NRS-4500, Rev. 1.00\nXUNITS\t1/CM\nYUNITS\tINTENSITY\n"
    b"FIRSTX\t545.8049\nLASTX\t549.5\nNPOINTS\t4\nXYDATA\n545.8049\t199\n547\t201\n548.2\t205\n549.5\t208\n\n"
    b"##### Extended Information\n[Measurement Information]\nLaser wavelength\t532.05 nm\nExposure time\t10 sec\n"
    b"Accumulation\t2\n"
)
_SPICE = [
    b"", b"\0", b"\xff" * 8, b"99999999999", b"nan", b"inf", b"-1", b"1e999", b"##END=", b"\r", b"\n", b"Z99999999",
    b"##TITLE= y\n", b";", b",", b"\xe9", b"\xff\xfe", b"PK\x03\x04", b"?", b"\x7f\xff\xff\xff",
]  # fmt: skip


def seeds() -> dict[str, bytes]:
    """Return a small sound file for each reader that one can be made for."""
    x = np.linspace(100.0, 200.0, 30)
    made = xr.Dataset({"signal": ("channel", np.sqrt(x)), "u_signal": ("channel", x / 100)}, {"x": ("channel", x)})
    rows = "".join(f"{a:g}\t{a * 3:g}\n" for a in x)
    header = "File Version;BWRam4\nDate;2022-03-17 08:46:42\npixel_start;0\npixel_end;3\nintigration times(ms);5\n"
    header += "average number;2\ncoefs_a0;526,5\ncoefs_a1;0,1\ncoefs_a2;0\ncoefs_a3;0\nlaser_wavelength;532\n"
    table = "Pixel;Dark;Raw data #1;Dark Subtracted #1;\n" + "".join(f"{k};1;9{k};8{k};\n" for k in range(4))
    row = "\t".join
    return {
        "jasco": _JASCO,
        "labspec": _LABSPEC,
        "wire": (
            "#X\t\t#Y\t\t#Wave\t\t#Intensity\n"
            + "".join(
                row([*place, f"{at}", f"{7 * at}\n"]) for place in ("00", "10", "01", "11") for at in range(5, 0, -1)
            )
        ).encode(),
        "ascii": b"Raman shift (cm-1)\tcounts\n" + rows.encode(),
        "bwtek": (header + table).encode(),
        "columns": rows.encode(),
        "csv": exchange_write.csv(made).encode(),
        "jcamp": _JCAMP,
        "spc": _SPC + struct.pack("<BBHfffIIf4x", 0, 1, 0, 0, 0, 0, 0, 0, 0) + np.arange(40, dtype="<i4").tobytes(),
    }


REAL = {
    "maestro": "gamma_background.Spe", "xdi": "xafs_cu_foil.xdi", "opus": "bruker_opus_ftir.0",
    "wdf": "renishaw_calcite_785.wdf", "sif": "andor_hematite_785.sif", "tdms": "daq_big_endian.tdms",
    "scope": "tek_scope.wfm", "princeton": "princeton_silicon_532.spe", "tektronix": "tek_scope.csv",
    "testxpert": "zwick_tensile_invar.TRA", "spc": "renishaw_calcite_785.spc",
}  # fmt: skip


def real(folder) -> dict[str, bytes]:
    """Return a measured file for each reader that has one; of the long records of an oscilloscope the first rows."""
    found = {name: (Path(folder) / file).read_bytes() for name, file in REAL.items()}
    head, rows = found["tektronix"].split(b"TIME,REF7", 1)
    lines = rows.splitlines(keepends=True)[:301]
    found["tektronix"] = head.replace(b"Length,50000", b"Length,300") + b"TIME,REF7" + b"".join(lines)
    return found


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a file with one to four wounds."""
    wounded = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, max(len(wounded), 1)))
        end = min(len(wounded), at + int(rng.integers(1, 24)))
        kind = int(rng.integers(0, 6))
        if kind == 0 and wounded:
            wounded[min(at, len(wounded) - 1)] ^= int(rng.integers(1, 256))
        elif kind == 1:
            del wounded[at:end]
        elif kind == 2:
            wounded[at:at] = wounded[at:end] * int(rng.integers(1, 40))
        elif kind == 3:
            del wounded[at:]
        else:
            wounded[at : end if kind == 4 else at] = _SPICE[int(rng.integers(0, len(_SPICE)))]
    return bytes(wounded)


def survive(name: str, content: bytes, path) -> str:
    """Read a file; return "data" or "refused", and raise if it breaks a bound."""
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    try:
        found = registry.read(path, name, content)
        result = "data" if all(each["signal"].size for each in _each(found)) else "nothing"
    except MetrospecError as error:
        result = "refused" if len(str(error)) > 30 else f"said only {error}"
    took, grown = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    if result not in ("data", "refused") or took > SECONDS or grown > BYTES:
        msg = f"{name}: {result} after {took:.1f} s and {grown / 1e6:.0f} MB of {content[:200]!r}"
        raise AssertionError(msg)
    return result


def _each(found):
    return found.values() if isinstance(found, collection.Collection) else (found,)
