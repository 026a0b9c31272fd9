"""Other programs that fit the same spectra from the same starts, and the processor time that each takes.

Each peer fits the first `count` spectra of a workload with weights 1/√max(y, 1) and gives standard errors where it
has them. Not here: our own fits (`tests.measuring`).
"""

import importlib.util
import time
import warnings
from collections.abc import Callable
from functools import partial

import lmfit
import numpy as np
from scipy import optimize

from tests.workload import Workload, make

LN2 = np.log(2.0)
G = np.sqrt(LN2 / np.pi)
JAX_BLOCK = 256


def curve(x, v):
    """Evaluate the model for one parameter vector, by plain NumPy."""
    if len(v) == 4:
        a, c, s, base = v
        return a / (s * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((x - c) / s) ** 2) + base
    total = v[12] * x + v[13]
    for k in (0, 4, 8):
        a, c, s, eta = v[k : k + 4]
        t = ((x - c) / s) ** 2
        total = total + a / s * ((1 - eta) * G * np.exp(-LN2 * t) + eta / (np.pi * (1 + t)))
    return total


def jacobian(x, v):
    """Differentiate `curve` in its parameters; dims `(channel, parameter)`."""
    if len(v) == 4:
        a, c, s, _ = v
        u = (x - c) / s
        unit = np.exp(-0.5 * u * u) / (s * np.sqrt(2 * np.pi))
        return np.stack([unit, a * unit * u / s, a * unit * (u * u - 1) / s, np.ones_like(x)], axis=1)
    columns = []
    for k in (0, 4, 8):
        a, c, s, eta = v[k : k + 4]
        u = (x - c) / s
        gauss, lorentz = G * np.exp(-LN2 * u * u), 1 / (np.pi * (1 + u * u))
        shape = (1 - eta) * gauss + eta * lorentz
        slope = -2 * u * ((1 - eta) * LN2 * gauss + eta * np.pi * lorentz * lorentz)
        columns += [shape / s, -a * slope / s**2, -a * (shape + u * slope) / s**2, a * (lorentz - gauss) / s]
    return np.stack([*columns, x, np.ones_like(x)], axis=1)


def lmfit_model(made: Workload, count: int, *, custom: bool = False):
    model = lmfit.Model(_plain_function(made)) if custom else made.model
    params = model.make_params(**dict(zip(made.names, made.start[0], strict=True)))

    def one(k):
        for name, value in zip(made.names, made.start[k], strict=True):
            params[name].value = value
        model.fit(made.y[k], params, x=made.x, weights=1 / made.sigma[k], scale_covar=False)

    return _timed(one, count)


def _plain_function(made):
    body = f"lambda x, {', '.join(made.names)}: curve(x, ({', '.join(made.names)}))"
    return eval(body, {"curve": curve})


def scipy_curve_fit(made: Workload, count: int):
    f, jac = (lambda x, *v: curve(x, v)), (lambda x, *v: jacobian(x, v))

    def one(k):
        optimize.curve_fit(
            f, made.x, made.y[k], made.start[k], sigma=made.sigma[k], absolute_sigma=True, method="lm", jac=jac
        )

    return _timed(one, count)


def hyperspy_multifit(made: Workload, count: int):
    import hyperspy.api as hs  # noqa: PLC0415 - a peer, perhaps not installed

    hs.set_log_level("ERROR")
    signal = hs.signals.Signal1D(made.y[:count])
    signal.axes_manager[-1].scale, signal.axes_manager[-1].offset = made.x[1] - made.x[0], made.x[0]
    signal.set_noise_variance(hs.signals.Signal1D(made.sigma[:count] ** 2))
    model = signal.create_model()
    for component, names in _hyperspy_components(made, hs):
        model.append(component)
        for own, name in names.items():
            parameter = next(each for each in component.parameters if each.name == own)
            parameter.map["values"][:] = made.start[:count, made.names.index(name)]
            parameter.map["is_set"][:] = True
    model.fit(optimizer="lm", grad="analytical")
    began = time.process_time()
    model.multifit(optimizer="lm", grad="analytical", show_progressbar=False, iterpath="flyback")
    return count, time.process_time() - began


def _hyperspy_components(made, hs):
    components = hs.model.components1D
    if len(made.names) == 4:
        peak = {"A": "amplitude", "centre": "center", "sigma": "sigma"}
        return [(components.Gaussian(), peak), (components.Offset(), {"offset": "c"})]
    shape = "area/hwhm*((1-mix)*sqrt(log(2)/pi)*exp(-log(2)*((x-mid)/hwhm)**2) + mix/(pi*(1+((x-mid)/hwhm)**2)))"
    words = {"area": "amplitude", "mid": "center", "hwhm": "sigma", "mix": "fraction"}
    found = [
        (components.Expression(shape, prefix.strip("_")), {own: prefix + name for own, name in words.items()})
        for prefix in ("p1_", "p2_", "p3_")
    ]
    return [*found, (components.Polynomial(order=1), {"a0": "line_intercept", "a1": "line_slope"})]


def jax_vmap(made: Workload, count: int):
    """Fit by Levenberg-Marquardt written for `jax.vmap`, as a user of JAX would."""
    import jax  # noqa: PLC0415 - a peer, perhaps not installed

    jax.config.update("jax_enable_x64", True)  # noqa: FBT003 - its own signature
    fit = jax.jit(jax.vmap(_jax_fit(made), in_axes=(0, 0, 0)))
    data = [jax.numpy.asarray(part[:count]) for part in (made.y, 1 / made.sigma, made.start)]
    blocks = [[part[low : low + JAX_BLOCK] for part in data] for low in range(0, count, JAX_BLOCK)]
    jax.block_until_ready(fit(*blocks[0]))
    began = time.process_time()
    for block in blocks:
        jax.block_until_ready(fit(*block))
    return count, time.process_time() - began


def _jax_fit(made):
    import jax  # noqa: PLC0415 - as above
    import jax.numpy as jnp  # noqa: PLC0415 - as above

    x = jnp.asarray(made.x)
    size = len(made.names)

    def model(v):
        if size == 4:
            return v[0] / (v[2] * jnp.sqrt(2 * jnp.pi)) * jnp.exp(-0.5 * ((x - v[1]) / v[2]) ** 2) + v[3]
        a, c, s, eta = v[:12].reshape(3, 4).T[:, :, None]
        t = ((x - c) / s) ** 2
        return (a / s * ((1 - eta) * G * jnp.exp(-LN2 * t) + eta / (jnp.pi * (1 + t)))).sum(0) + v[12] * x + v[13]

    def fit(y, w, start):
        def normal(v):
            jac, r = jax.jacfwd(model)(v) * w[:, None], (y - model(v)) * w
            return jac.T @ jac, jac.T @ r, r @ r

        def step(state):
            v, damping, jtj, jtr, cost, count, _ = state
            scale = jnp.sqrt(jnp.diag(jtj))
            lhs = jtj / scale / scale[:, None] + damping * jnp.eye(size)
            delta = jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(lhs), jtr / scale) / scale
            jtj2, jtr2, cost2 = normal(v + delta)
            better = cost2 < cost
            done = jnp.abs(cost - cost2) <= 1e-9 * cost
            pick = lambda a, b: jnp.where(better, a, b)  # noqa: E731
            return (
                pick(v + delta, v), jnp.where(better, damping * 0.1, damping * 10), pick(jtj2, jtj), pick(jtr2, jtr),
                pick(cost2, cost), count + 1, done | (damping > 1e10),
            )  # fmt: skip

        state = (start, 1e-3, *normal(start), 0, False)
        v, _, jtj, _, cost, _, _ = jax.lax.while_loop(lambda s: (s[5] < 100) & ~s[6], step, state)
        return v, jnp.sqrt(jnp.diag(jnp.linalg.inv(jtj))), cost

    return fit


def _timed(one: Callable[[int], object], count: int):
    began = time.process_time()
    done = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(count):
            try:
                one(k)
                done += 1
            except (RuntimeError, ValueError):
                continue
    return done, time.process_time() - began


PEERS = {
    "lmfit, built-in models": (lmfit_model, None, (60, 60, 12, 10)),
    "lmfit, custom function": (partial(lmfit_model, custom=True), None, (100, 100, 40, 30)),
    "HyperSpy multifit, analytic gradient": (hyperspy_multifit, "hyperspy", (100, 100, 40, 30)),
    "scipy curve_fit, lm, analytic Jacobian": (scipy_curve_fit, None, (400, 300, 150, 100)),
    "JAX vmap, hand-written LM": (jax_vmap, "jax", (4096, 2048, 1024, 256)),
}
"""Name to function, the module it needs, and the spectra it fits in each column."""


def installed(module):
    return module is None or importlib.util.find_spec(module) is not None


def far(made: Workload, count: int, *, program: str):
    """Fit far starts with bounds; return χ² of each. Fractions start at 0.05 to 0.95: at a bound peers stand still."""
    found = np.full(count, np.inf)
    params = made.bounded()
    low, high = made.lower, made.upper
    fraction = np.array([name.endswith("fraction") for name in made.names])
    starts = np.clip(made.far_start, np.where(fraction, 0.05, low + 1e-9), np.where(fraction, 0.95, high - 1e-9))
    for k in range(count):
        weights = 1 / made.sigma[k]

        def residual(v, k=k, weights=weights):
            values = np.array(list(v.valuesdict().values())) if isinstance(v, lmfit.Parameters) else v
            return (curve(made.x, values) - made.y[k]) * weights

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if program == "scipy":
                jac = lambda v, weights=weights: jacobian(made.x, v) * weights[:, None]  # noqa: E731
                done = optimize.least_squares(
                    residual,
                    starts[k],
                    jac=jac,
                    bounds=(low, high),
                    x_scale="jac",
                    ftol=1e-12,
                    xtol=1e-12,
                    gtol=1e-12,
                    max_nfev=400,
                )
                found[k] = 2 * done.cost
                continue
            plain = lmfit.Parameters()
            for name, value in zip(made.names, starts[k], strict=True):
                plain.add(name, value=value, min=params[name].min, max=params[name].max)
            try:
                found[k] = lmfit.minimize(residual, plain, method="leastsq", max_nfev=4000).chisqr
            except ValueError:
                continue
    return found


def check():
    """Return the largest difference of `jacobian` from central differences of `curve`, of the largest entry."""
    worst = 0.0
    for made in (make("a", spectra=1, points=64), make("b", spectra=1, points=64)):
        v = made.truth[0]
        exact = jacobian(made.x, v)
        for at, value in enumerate(v):
            step = np.zeros_like(v)
            step[at] = 1e-5 * abs(value)
            central = (curve(made.x, v + step) - curve(made.x, v - step)) / (2 * step[at])
            worst = max(worst, float(np.abs(central - exact[:, at]).max() / np.abs(exact[:, at]).max()))
    return worst
