"""Simulate a neon lamp and a silicon stress map of one spectrometer, with the truth beside the data.

    python sample_data/make/simulate_map.py [--out FOLDER]

The spectrometer: 1024 pixels, 530 nm to 640 nm (air) by a cubic, a Gaussian instrument function integrated over
each pixel, shot and read noise; the map is read from a region of 512 pixels, which the lamp lines enclose. The laser
is at 532.05 nm in air (its true value differs within u = 0.01 nm).
Raman shifts are differences of vacuum wavenumbers, refractive index of air after Peck and Reeder,
J. Opt. Soc. Am. 62 (1972) 958, doi:10.1364/JOSA.62.000958 (15 degrees C, 101 325 Pa).
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.special import voigt_profile

from analysis import io

Array = npt.NDArray[np.float64]

SEED = 20261122
PIXELS = 1024
WAVELENGTH_NM = (530.0, 0.1113, -3.4e-6, -2.6e-10)
LASER_NM = 532.0463
LASER_NOMINAL_NM = 532.05
SIGMA_PIXELS = 1.1
READ_NOISE = 4.0
OVERSAMPLING = 21
FREE_CM = 520.45
SLOPE_CM_PER_GPA = -1.93
SILICON_FWHM_CM = 2.7
SHAPE = (6, 8)
REGION = slice(100, 612)
# Ne I, air wavelengths in nm (NIST ASD) and heights in counts.
NEON = {
    540.05616: 9000,
    576.44188: 2500,
    585.24878: 38000,
    588.1895: 9500,
    594.4834: 15000,
    602.99968: 5200,
    607.43376: 14500,
    609.6163: 17000,
    614.30627: 24500,
    616.35937: 9800,
    621.72812: 7800,
    626.64952: 13500,
    633.44276: 16500,
    638.29914: 19500,
}


def main() -> None:
    """Make both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1], help="folder to write to")
    out = parser.parse_args().out
    generator = np.random.default_rng(SEED)
    for name, dataset in (("raman_neon", lamp(generator)), ("raman_silicon_map", silicon_map(generator))):
        path = io.write(dataset, out / f"{name}.nc")
        print(f"{path.name} {path.stat().st_size} bytes")


def wavelength(pixel: Array) -> Array:
    """Return the true air wavelength, nm, at (fractional) pixels."""
    return np.polynomial.polynomial.polyval(pixel, WAVELENGTH_NM)


def vacuum_wavenumber(air_nm: Array | float) -> Array:
    """Return the vacuum wavenumber, cm-1, of an air wavelength in nm (Peck and Reeder 1972)."""
    squared = (1e3 / np.asarray(air_nm)) ** 2
    index = 1 + 1e-8 * (8060.51 + 2480990 / (132.274 - squared) + 17455.7 / (39.32957 - squared))
    return 1e7 / (index * np.asarray(air_nm))


def subpixels() -> Array:
    """Return points inside each pixel, shape (pixels, points)."""
    offsets = (np.arange(OVERSAMPLING) + 0.5) / OVERSAMPLING - 0.5
    return np.arange(PIXELS, dtype=float)[:, None] + offsets


def lamp(generator: np.random.Generator) -> xr.Dataset:
    """Simulate the lamp."""
    grid = np.linspace(-1.0, PIXELS, 20001)
    centres = np.interp(list(NEON), wavelength(grid), grid)
    profile = voigt_profile(subpixels()[:, :, None] - centres, SIGMA_PIXELS, 0.0).mean(axis=1)
    profile /= voigt_profile(0.0, SIGMA_PIXELS, 0.0)
    signal, u = expose(profile @ np.array(list(NEON.values()), dtype=float) + 60.0, generator)
    truth = xr.Dataset({"true_pixel": ("line", centres, {"units": "1", "long_name": "true positions of the lines"})})
    truth = truth.assign_coords(line=("line", np.array(list(NEON)), {"units": "nm", "medium": "air"}))
    attrs = {"title": "simulated spectrum of a neon lamp", "sample": "neon lamp", "acquired": "2026-01-15T09:30:00Z"}
    return dataset(("channel",), signal, u, attrs).merge(truth)


def silicon_map(generator: np.random.Generator) -> xr.Dataset:
    """Simulate the map: a stressed spot beside a stressed edge."""
    row, col = np.meshgrid(np.arange(SHAPE[0]), np.arange(SHAPE[1]), indexing="ij")
    stress = 0.9 * np.exp(-((row - 2) ** 2 + (col - 3) ** 2) / 5.0) - 0.06 * col
    shift = FREE_CM + SLOPE_CM_PER_GPA * stress
    offered = vacuum_wavenumber(LASER_NM) - vacuum_wavenumber(wavelength(subpixels()[REGION]))
    scale = np.abs(np.gradient(offered.mean(axis=1)))[:, None]
    centred = (offered - shift[..., None, None]) / scale
    line = voigt_profile(centred, SIGMA_PIXELS, SILICON_FWHM_CM / 2 / scale).mean(axis=-1)
    line /= voigt_profile(0.0, SIGMA_PIXELS, SILICON_FWHM_CM / 2 / scale.min())
    pixel = np.arange(PIXELS)[REGION] / PIXELS
    background = 350 + 260 * np.exp(-((pixel - 0.45) ** 2) / 0.18)
    focus = 1 - 0.04 * row[..., None]
    signal, u = expose(focus * (9000 * line + background), generator)
    dims = ("row", "col")
    attrs = {"title": "simulated map of stressed silicon", "sample": "silicon", "acquired": "2026-01-15T10:00:00Z"}
    units = {"units": "um", "long_name": "position of the stage"}
    return (
        dataset((*dims, "channel"), signal, u, attrs)
        .assign(
            true_stress=(dims, stress, {"units": "GPa", "long_name": "true stress"}),
            true_shift=(dims, shift, {"units": "cm-1", "long_name": "true Raman shift of the silicon line"}),
        )
        .assign_coords(y=("row", np.arange(SHAPE[0]) * 1.0, units), x=("col", np.arange(SHAPE[1]) * 1.0, units))
        .assign_attrs(true_free_shift_cm=FREE_CM, true_slope_cm_per_GPa=SLOPE_CM_PER_GPA)
    )


def expose(expected: Array, generator: np.random.Generator) -> tuple[Array, Array]:
    """Return whole counts and their standard deviation, known here and rounded to 1/8 count."""
    counts = generator.poisson(expected) + generator.normal(0.0, READ_NOISE, expected.shape)
    return np.round(counts), np.round(8 * np.sqrt(expected + READ_NOISE**2 + 1 / 12)) / 8


def dataset(dims: tuple[str, ...], signal: Array, u: Array, attrs: dict[str, str]) -> xr.Dataset:
    """Put a spectrum together, with what is common to both."""
    pixel = np.arange(PIXELS, dtype=float)
    pixel = pixel[REGION] if signal.shape[-1] < PIXELS else pixel
    true = {"units": "nm", "medium": "air", "long_name": "true wavelength of the pixels"}
    return xr.Dataset(
        {
            "signal": (dims, signal, {"units": "counts", "long_name": "signal"}),
            "u_signal": (dims, u, {"units": "counts", "long_name": "standard uncertainty of the signal"}),
            "true_wavelength": ("channel", wavelength(pixel), true),
        },
        coords={"pixel": ("channel", pixel, {"units": "1", "long_name": "pixel of the detector"})},
        attrs={
            **attrs,
            "technique": "Raman",
            "instrument": "simulated spectrometer, 1024 pixels",
            "simulated": "true",
            "seed": SEED,
            "laser_wavelength_nm": LASER_NOMINAL_NM,
            "laser_wavelength_medium": "air",
            "true_laser_wavelength_nm": LASER_NM,
            "true_sigma_pixels": SIGMA_PIXELS,
            "true_read_noise_counts": READ_NOISE,
            "licence": "BSD-3-Clause",
            "source_file": "sample_data/make/simulate_map.py",
        },
    )


if __name__ == "__main__":
    main()
