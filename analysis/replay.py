"""Redoing a result from its history: the same steps, from the raw data, compared with what is there.

A history names steps; only those of the closed registry here are run, so a file can ask for nothing else. Each step is
checked against its id before and after. Raw data are looked up by hash: files in a folder, packaged samples, or the
items of the project file that the result stands in.
Not here: histories themselves (`analysis.core.history`), comparison of different results.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis import baseline, calibration, io, peaks, preprocess, quality, quantum, uncertainty, xps
from analysis.calibration import again as spectral
from analysis.core import HistoryError, did_you_mean, history
from analysis.core.sameness import require_same
from analysis.io import sniff
from analysis.io.reading import sha256_of
from analysis.peaks import global_fit, warm
from analysis.peaks.language import model_from_json, params_from_json
from analysis.tensile.evaluation import evaluate_again
from analysis.uncertainty import Quantity, again, sources

__all__ = ["replay"]

Named = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Bench:
    """Where raw data are looked for."""

    folder: Path
    items: Named
    believed: list[str]

    def with_content(self, key: str) -> object | None:
        """Return the item that has a content hash."""
        for item in self.items.values():
            held = item.data_vars.values() if isinstance(item, xr.Dataset) else []
            forms = [item, *held, *(each.values for each in held)]
            for form in forms:
                if history.content_hash(form) == key:
                    return form
        return None

    def ending_with(self, key: str) -> object | None:
        """Return the item whose history says that it ends with a step, and remember that it was believed."""
        for name, item in self.items.items():
            if history.of(item) and history.head(item) == key:
                self.believed.append(name)
                return item
        return None


Step = Callable[[Named, Named, _Bench], Any]


def replay(
    result: xr.Dataset | xr.DataArray | str | Path | object,
    *,
    folder: str | Path | None = None,
    item: str | None = None,
) -> xr.Dataset:
    """Redo a result from its raw data and compare.

    Parameters
    ----------
    result:
        What carries a history: a Dataset, DataArray, Budget, Quantity, uncertain array, calibration or verdict; or the
        path of a file that `analysis.io.write` made, or of a digital certificate of ours: all its items are redone.
    folder:
        Where the raw files are; None is the folder of the given path, or the current one.
    item:
        The only item of the file to redo; None redoes all that have a history and returns the last.

    Returns
    -------
    :
        The redone result. Its attribute `replay` says `bit-identical`, or `within 1e-6 u` and with which versions.

    Raises
    ------
    HistoryError
        If there is no history, raw data are missing or changed, a step is not known or fails, or a number differs by
        more than 1e-6 of its uncertainty (1e-9 of its size where it has none).
    """
    if not isinstance(result, str | Path):
        bench = _Bench(folder=Path(folder or "."), items={}, believed=[])
        return _redo({"the result": result}, bench)
    path = Path(result)
    held = _held(path)
    if item is not None and item not in held:
        msg = f"{path.name!r} has no item {item!r}; it has {list(held)}.{did_you_mean(item, held)}"
        raise HistoryError(msg)
    bench = _Bench(folder=Path(folder or path.parent), items=held, believed=[])
    wanted = {name: thing for name, thing in held.items() if history.of(thing) and item in (None, name)}
    if not wanted:
        msg = f"nothing in {path.name!r} has a history ({item or list(held)}); write results of the public functions"
        raise HistoryError(msg)
    return _redo(wanted, bench)


def _held(path: Path) -> dict[str, Any]:
    """Return the items of a project file, or the results of a digital certificate."""
    if path.is_file() and sniff.is_xml(path):
        return {name: found[0] for name, found in io.read_certificate(path).results.items()}
    return io.read_project(path)


def _redo(wanted: Named, bench: _Bench) -> xr.Dataset:
    done: dict[str, Any] = {}
    old: dict[str, str] = {}
    notes, exact = [], True
    redone = xr.Dataset()
    for name, given in wanted.items():
        text = history.of(given)
        if not text:
            msg = (
                f"{name} is a {type(given).__name__} without a history; plain arithmetic drops it. Use the public "
                "steps, such as baseline.subtract, or give the file it was written to"
            )
            raise HistoryError(msg)
        graph = history.parse(text)
        _run(graph, bench, done)
        made = done[graph["head"]]
        redone = _as_dataset(_as_quantity(made) if isinstance(given, Quantity) else made)
        exact &= require_same(redone, _as_dataset(given), what=name)
        old |= graph["steps"][graph["head"]].get("versions", {})
        notes.append(name)
    said = "bit-identical" if exact else f"within 1e-6 u; {_versions(old)}"
    if len(notes) > 1:
        said += f" ({', '.join(notes)})"
    if bench.believed:
        said += f"; in place of raw files the items {', '.join(dict.fromkeys(bench.believed))} were used as they are"
    return redone.assign_attrs(replay=said)


def _versions(old: Named) -> str:
    now = history.versions()
    changed = [
        f"made with {name} {old[name]}, now {now[name]}" for name in now if old.get(name, now[name]) != now[name]
    ]
    return ", ".join(changed) or "the same versions on another machine"


def _run(graph: Mapping[str, Any], bench: _Bench, done: dict[str, Any]) -> None:
    for key in _ordered(graph):
        if key in done:
            continue
        step = graph["steps"][key]
        function = str(step["function"])
        if function not in _STEPS:
            msg = (
                f"the history names the step {function!r}, which is none of {len(_STEPS)} known ones, and nothing else "
                f"is run.{did_you_mean(str(function), _STEPS)} Redo it by hand, or look where the file comes from"
            )
            raise HistoryError(msg)
        inputs = {} if function == _RAW else {name: done[parent] for name, parent in step["inputs"].items()}
        settings = step["settings"] if function != _RAW else {"content": key}
        try:
            done[key] = _STEPS[function](settings, inputs, bench)
        except HistoryError:
            raise
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, ImportError, OSError) as error:
            msg = f"the step {function} could not be done again: {type(error).__name__}: {error}"
            raise HistoryError(msg) from error
        if function not in (_RAW, _READ) and history.head(done[key]) != key:
            msg = (
                f"the step {function} recorded itself otherwise than in the given history (got "
                f"{history.head(done[key])[:12]}, wanted {key[:12]}); it was made by another version: "
                f"{step.get('versions', {})}"
            )
            raise HistoryError(msg)


def _ordered(graph: Mapping[str, Any]) -> list[str]:
    """Sort the steps that the head needs, parents first, after checking each against its id."""
    steps = graph["steps"]
    order: dict[str, None] = {}
    begun: set[str] = set()
    waiting = [graph["head"]]
    while waiting:
        key = waiting[-1]
        if key not in begun:
            begun.add(key)
            waiting += [parent for parent in _checked(key, steps) if parent not in begun]
        else:
            order[waiting.pop()] = None
    return list(order)


def _checked(key: str, steps: Mapping[str, Any]) -> list[str]:
    try:
        step = steps[key]
        function, settings, inputs = str(step["function"]), step["settings"], step["inputs"]
        own = settings["content"] if function == _RAW else history.step_id(function, settings=settings, inputs=inputs)
        parents = [str(parent) for parent in inputs.values()]
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"the history is damaged at step {key[:12]!r} ({error!r}); wanted function, settings and inputs of each"
        raise HistoryError(msg) from error
    if own != key:
        msg = (
            f"the step {function} does not have the id of what it says (got {own[:12]}, wanted {key[:12]}); its "
            "settings or inputs were changed after it was recorded"
        )
        raise HistoryError(msg)
    return [] if function == _RAW else parents


def _raw(settings: Named, inputs: Named, bench: _Bench) -> object:  # noqa: ARG001 - all steps are called alike
    key = str(settings["content"])
    thing = bench.with_content(key)
    if thing is None:
        msg = (
            f"the history begins with data that came from no file (content {key[:12]}), and no item of a file holds "
            f"them (items: {list(bench.items)}). Put them into the project, io.write({{'raw': spectrum, 'fit': fit}}, "
            "path), and replay(path); or begin with io.read"
        )
        raise HistoryError(msg)
    return thing


def _read(settings: Named, inputs: Named, bench: _Bench) -> object:  # noqa: ARG001 - all steps are called alike
    name = str(settings["path"])
    if Path(name).name != name or name in ("", ".", ".."):
        msg = f"the history names the file {name!r}; wanted a plain name, looked up in one folder"
        raise HistoryError(msg)
    path = bench.folder / name
    if not path.exists():
        key = history.step_id(_READ, settings=settings, inputs={})
        thing = bench.ending_with(key)
        if thing is not None:
            return thing
        msg = (
            f"the raw file {name!r} is not in the folder {bench.folder.name or '.'!r}, and no item of the file holds "
            "it; say where it is: replay(..., folder=...)"
        )
        raise HistoryError(msg)
    found = sha256_of(path)
    if found != settings["sha256"]:
        msg = (
            f"the file {name!r} has changed: got SHA-256 {found[:12]}…, wanted {str(settings['sha256'])[:12]}…. Give "
            "the folder with the file that was read: replay(..., folder=...)"
        )
        raise HistoryError(msg)
    return io.read(path, format=settings["format"], item=settings.get("item"))


def _call(function: Callable[..., Any], *names: str) -> Step:
    """Make a step of a public function that is called with its data arguments and the stored settings."""

    def step(settings: Named, inputs: Named, bench: _Bench) -> Any:  # noqa: ANN401, ARG001 - whatever it returns
        return function(*(inputs[name] for name in names), **settings)

    return step


def _with_sigma(function: Callable[..., Any], *names: str) -> Step:
    def step(settings: Named, inputs: Named, bench: _Bench) -> Any:  # noqa: ANN401, ARG001 - whatever it returns
        given = {key: thing for key, thing in inputs.items() if key in {"sigma", "start"}}
        return function(*(inputs[name] for name in names), **settings, **given)

    return step


def _fit(spectrum: xr.Dataset, *, model: str, params: str, start: Named | None = None, **settings: Any) -> xr.Dataset:  # noqa: ANN401
    starts = {k: np.asarray(v, dtype=float) for k, v in start.items()} if isinstance(start, dict) else start
    return peaks.fit(spectrum, model_from_json(model), params_from_json(params), start=starts, **settings)


def _propagate(settings: Named, inputs: Named, bench: _Bench) -> uncertainty.Budget:  # noqa: ARG001 - as above
    given = {name: settings[name] for name in ("name", "units", "order", "check_units")}
    found = uncertainty.propagate(
        settings["function"],
        {name: _as_quantity(thing) for name, thing in inputs.items()},
        correlation={(a, b): r for a, b, r in settings["correlation"]},
        **given,
    )
    return found[settings["output"]] if isinstance(found, dict) else found


def _again(again: Callable[[Named, Named], Any]) -> Step:
    def step(settings: Named, inputs: Named, bench: _Bench) -> Any:  # noqa: ANN401, ARG001 - whatever it returns
        return again(settings, {name: _as_quantity(thing) for name, thing in inputs.items()})

    return step


def _arithmetic(function: np.ufunc) -> Step:
    def step(settings: Named, inputs: Named, bench: _Bench) -> Any:  # noqa: ANN401, ARG001 - whatever it returns
        return function(*(_as_quantity(inputs[str(number)]) for number in range(len(inputs))))

    return step


def _as_quantity(thing: Any) -> Quantity:  # noqa: ANN401 - whatever a step gave
    return thing.to_quantity() if isinstance(thing, uncertainty.Budget) else thing


_RAW, _READ = "raw", "io.read"
_UFUNCS = (
    np.add, np.subtract, np.multiply, np.divide, np.power, np.negative, np.positive, np.absolute, np.square, np.sqrt,
    np.exp, np.log, np.log10, np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.arctan2,
)  # fmt: skip
_STEPS: dict[str, Step] = {
    _RAW: _raw,
    _READ: _read,
    "io.sample": _call(io.sample),
    "io.name_axis": _call(io.name_axis, "spectrum"),
    **{
        f"{room}.{function.__name__}": _call(function, "spectrum")
        for room, functions in (
            ("preprocess", (preprocess.crop, preprocess.despike, preprocess.smooth)),
            (
                "baseline",
                (baseline.airpls, baseline.arpls, baseline.asls, baseline.ensemble, baseline.modpoly, baseline.snip),
            ),
            ("quantum", (quantum.fit_odmr, quantum.fit_rabi, quantum.fit_ramsey)),
        )
        for function in functions
    },
    "baseline.subtract": _call(baseline.subtract, "spectrum", "baseline"),
    "quantum.quantity": _call(quantum.quantity, "fit"),
    "quality.interlab": lambda s, i, _: quality.interlab(i, **s).consensus,
    "calibration.lines": _call(calibration.lines),
    "calibration.match": _call(calibration.match, "spectrum", "lines"),
    "calibration.leave_out": _call(calibration.leave_out, "found"),
    "calibration.fit_axis": _call(calibration.fit_axis, "found"),
    "calibration.residuals": _call(calibration.residuals, "axis", "found"),
    "calibration.parameter": lambda s, i, _: next(iter(i.values())).parameters[s["index"]],
    "calibration.predict": lambda s, i, _: spectral.predict(
        s, {name: _as_quantity(thing) for name, thing in i.items()}
    ),
    "calibration.laser_zero": _call(calibration.laser_zero, "axis", "spectrum"),
    "calibration.to_raman_shift": lambda how, got, _: got["axis"].to_raman_shift(_as_quantity(got["laser"]), **how),
    "calibration.valid_between": lambda settings, inputs, _: inputs["axis"].valid_between(**settings),
    "calibration.apply": _call(calibration.apply, "axis", "spectrum"),
    **{name: _again(step) for name, step in spectral.STEPS.items()},
    "calibration.check": _call(calibration.check, "axis", "spectrum", "lines"),
    "peaks.find": _with_sigma(peaks.find, "spectrum"),
    "peaks.guess_each": lambda s, i, _: peaks.guess_each(model_from_json(s["model"]), i["spectrum"], axis=s["axis"]),
    "peaks.fit": _with_sigma(_fit, "spectrum"),
    "peaks.compare": _call(peaks.compare, "simple", "full"),
    "peaks.diagnose": _with_sigma(peaks.diagnose, "fit", "spectrum"),
    "peaks.evaluate": _call(peaks.evaluate, "fit"),
    "peaks.fit_global": lambda settings, inputs, _: global_fit.global_again(settings, inputs),
    "peaks.warm_start": lambda settings, inputs, _: warm.warm_again(settings, inputs),
    "peaks.intervals": _with_sigma(peaks.intervals, "fit", "spectrum"),
    "tensile.evaluate": _again(evaluate_again),
    "xps.shirley": _call(xps.shirley, "spectrum"),
    "xps.tougaard": _call(xps.tougaard, "spectrum"),
    "peaks.integral": _call(peaks.integral, "fit"),
    "peaks.quantity": _call(peaks.quantity, "fit"),
    **{name: _again(step) for name, step in again.STEPS.items()},
    "uncertainty.to": lambda settings, inputs, _: _as_quantity(inputs["quantity"]).to(**settings),
    "uncertainty.propagate": _propagate,
    "uncertainty.sample": _call(uncertainty.sample, "budget"),
    **{f"uncertainty.{function.__name__}": _arithmetic(function) for function in _UFUNCS},
}


def _as_dataset(thing: Any) -> xr.Dataset:  # noqa: ANN401 - whatever carries a history
    if isinstance(thing, xr.Dataset):
        return thing
    if isinstance(thing, xr.DataArray):
        return (
            thing.rename("signal" if thing.name is None else thing.name)
            .to_dataset()
            .assign_attrs(history=history.of(thing))
        )
    if isinstance(thing, Quantity):
        found = xr.Dataset(
            {"value": ((), thing.value, {"units": thing.units}), "u": ((), thing.u, {"units": thing.units})}
        )
        parts = {source: np.asarray(part) for source, part in thing.parts().items()}
        return sources.attach(found, "value", parts, ()).assign_attrs(history=thing.history)
    if hasattr(thing, "to_dataset"):
        return thing.to_dataset()
    if isinstance(thing, uncertainty.Sample):
        return xr.Dataset({"draws": ("trial", thing.draws, {"units": thing.units})}, attrs={"history": thing.history})
    if isinstance(thing, calibration.ValidityVerdict):
        rows = json.dumps(thing.table())
        said = {"message": ((), thing.message), "bands": ((), rows), "en": ("band", [each.en for each in thing.bands])}
        return xr.Dataset(said, attrs={"history": thing.history})
    msg = f"cannot redo a {type(thing).__name__}; wanted a Dataset, Budget, Quantity, calibration or verdict"
    raise HistoryError(msg)
