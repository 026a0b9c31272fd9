"""Testing machines: from checked answers to frame, cell, class, extensometer, grips, speed, data rate and the rest.

Not here: the dialogue (`instruments.advisor.asking`), numbers and sources (the data files), force and its budget
(`instruments.advisor.stressing`).
"""

import math
from collections.abc import Mapping
from typing import Any

from analysis.core import InstrumentError
from analysis.uncertainty import Budget
from instruments.advisor.configuration import Answer, Beaten, Configuration, Selected
from instruments.advisor.knowledge import catalogue, rules
from instruments.advisor.stressing import Case, predicted

__all__ = ["configure", "method_of"]


def method_of(test: str, material: str) -> dict[str, Any]:
    """Return the method for a test of a material, or say which tests there are for it."""
    known: list[dict[str, Any]] = [each for each in catalogue()["methods"] if each["material"] == material]
    for each in known:
        if each["test"] == test:
            return each
    near = [f"{each['test']} ({each['standard']})" for each in known]
    msg = f"no method for {test} of {material}; the nearest possible are {near}"
    raise InstrumentError(msg)


def configure(given: Mapping[str, Answer], notes: tuple[str, ...]) -> Configuration:
    """Make the system of complete answers."""
    case = Case(given)
    method = method_of(case.word("test"), case.word("material"))
    force, capacity = _capacity(case)
    number, budget, accuracy = _accuracy(case, capacity.figure)
    extension = _extension(case)
    speed = _speed(case, method)
    choices = [force, capacity, *_low_end(case, capacity.figure), *accuracy, *extension, speed,
               *_rate(case, method, speed, extension), _grips(case), _travel(case, capacity.figure), _chamber(case),
               _accessories(case), _verification(capacity.figure, number, extension)]  # fmt: skip
    return Configuration(answers=dict(given), choices=tuple(choices), assumptions=notes, budget=budget)


def _chosen(rule: str, value: str, reason: str, **more: Any) -> Selected:  # noqa: ANN401 - fields of Selected
    held = rules()[rule]
    return Selected(
        **{"item": held.item, "value": value, "rule": rule, "reason": reason, "source": held.source, **more}
    )


def newtons(force: float) -> str:
    """Write a force."""
    return f"{force / 1000:.4g} kN" if force >= 1000 else f"{force:.4g} N"  # noqa: PLR2004 - kilo


def _capacity(case: Case) -> tuple[Selected, Selected]:
    force = case.force
    found = _chosen("force", newtons(force), f"{case.word('test')}: {case.formula}.", figure=force, units="N")
    rule = "cyclic" if case.word("test") == "cyclic" else "capacity"
    most, least = rules()[rule].figures["most"], rules()["capacity"].figures["least"]
    sizes: list[float] = catalogue()["capacities"]
    fit = [size for size in sizes if force <= most * size * (1 + 1e-12)]
    if not fit:
        msg = (
            f"the greatest force is {newtons(force)}, wanted at most {most:.0%} of a capacity; the largest is "
            f"{newtons(sizes[-1])}, so at most {newtons(most * sizes[-1])}: take a smaller cross-section"
        )
        raise InstrumentError(msg)
    size = fit[0]
    smaller = [Beaten(value=newtons(each), why=f"{force / each:.0%} of it, above {most:.0%}")
               for each in sizes[: sizes.index(size)][-2:]]  # fmt: skip
    larger = [Beaten(value=newtons(each), why=f"larger than needed, {force / each:.1%} used") for each in fit[1:3]]
    note = f", below {least:.0%}: a smaller cell would be better" if force < least * size else ""
    return found, _chosen(
        rule, newtons(size), f"{rules()[rule].says} {newtons(force)} of {newtons(size)}.", figure=size, units="N",
        margin=f"{force / size:.0%} used{note}", beaten=(*smaller, *larger),
    )  # fmt: skip


def _low_end(case: Case, capacity: float) -> list[Selected]:
    """Hold the force at which the modulus begins above the lower limit of the cell; else find a second cell."""
    if case.word("property") not in {"modulus", "yield"}:
        return []
    rule = rules()["lower_limit"]
    low, high = (1e3 * case.low("modulus") * case.area * rule.figures[key] for key in ("strain", "end"))
    high = min(high, case.force)
    part, sizes = rule.figures["part"], catalogue()["capacities"]
    able = [size for size in sizes if size <= capacity and low >= part * size and high <= 0.8 * size]
    if not able:
        msg = (
            f"the modulus begins at {newtons(low)}, wanted at least {newtons(part * sizes[0])}, the lower limit of the "
            f"smallest cell of {newtons(sizes[0])}; take a larger cross-section or more specimens side by side"
        )
        raise InstrumentError(msg)
    beaten = tuple(Beaten(value=newtons(size), why=f"{newtons(low)} is below its lower limit {newtons(part * size)}")
                   for size in sizes if low < part * size)[:8]  # fmt: skip
    second = able[-1] < capacity
    value = f"{newtons(low)}; " + (f"a second cell of {newtons(able[-1])}" if second else "by the same cell")
    return [_chosen("lower_limit", value, f"{rule.says} {newtons(part * able[-1])} here.", figure=low, units="N",
                    margin=f"{low / (part * able[-1]):.3g} times the lower limit", beaten=beaten)]  # fmt: skip


def _accuracy(case: Case, capacity: float) -> tuple[float, Budget, list[Selected]]:
    """Take the coarsest class, and with it the coarsest gauge, that keep the target."""
    target, part = case.low("target") / 100, rules()["dimensions"].figures["part"]
    gauges = [each for each in catalogue()["gauges"] if each["limit"] <= part * case.smallest]
    if not gauges:
        finest = catalogue()["gauges"][-1]["limit"]
        msg = (
            f"the smallest dimension is {case.smallest:g} mm, wanted at least {finest / part:g} mm, of which the "
            f"finest gauge keeps {part:.1%}; find the cross-section by mass and density"
        )
        raise InstrumentError(msg)
    classes = [each for each in catalogue()["force_classes"] if each <= rules()["force_class"].figures["most"]]
    tried: list[tuple[float, dict[str, Any], float]] = []
    for number in classes:
        for gauge in gauges:
            budget = predicted(case, capacity, number, gauge["limit"])
            relative = budget.U() / budget.value
            if relative <= target:
                return number, budget, _accurate(case, number, gauge, relative, tried)
            tried.append((number, gauge, relative))
    msg = f"U of the strength must be at most {100 * target:g} %; the nearest possible is {100 * tried[-1][2]:.3g} %, "
    msg += f"with class {tried[-1][0]:g} and a {tried[-1][1]['name']}; use more of the capacity or allow more"
    raise InstrumentError(msg)


def _accurate(case: Case, number: float, gauge: dict[str, Any], relative: float,
              tried: list[tuple[float, dict[str, Any], float]]) -> list[Selected]:  # fmt: skip
    target = case.low("target")
    margin = f"U {100 * relative:.3g} % of {target:g} %"
    beaten = tuple(Beaten(value=f"class {c:g} with a {g['name']}", why=f"U {100 * u:.3g} %") for c, g, u in tried)
    return [
        _chosen("force_class", f"class {number:g} of ISO 7500-1", rules()["force_class"].says, figure=number,
                margin=margin, beaten=(*beaten, Beaten(value="class 2", why="methods ask for class 1 or better"))),
        _chosen("dimensions", f"{gauge['name']}, ±{gauge['limit']:g} mm", rules()["dimensions"].says,
                figure=gauge["limit"], units="mm", margin=f"{gauge['limit'] / case.smallest:.2%} of it",
                source=f"{rules()['dimensions'].source}; {gauge['source']}"),
    ]  # fmt: skip


def _extension(case: Case) -> list[Selected]:
    test, material, wanted = case.word("test"), case.word("material"), case.word("property")
    if wanted == "strength" or test in {"peel", "shear", "cyclic"}:
        return [
            _chosen("extensometer_class", "none", "Strength alone is asked for: travel of the crosshead is enough.")
        ]
    figures = rules()["extensometer_class"].figures
    large = wanted == "elongation" and case.high("elongation") >= figures["from_elongation"]
    number = figures["large"] if large else figures["small"]
    kind = _extensometer(case)
    found = _chosen("extensometer_class", f"{kind}, class {number:g} of ISO 9513", rules()["extensometer_class"].says,
                    figure=number, margin=f"±max({number:g} %, {3 * number:g} um)")  # fmt: skip
    if test == "bending":
        return [found]
    length = _gauge_length(case, material)
    return [found, _chosen("gauge_length", f"{length:.3g} mm", rules()["gauge_length"].says, figure=length, units="mm",
                           margin=f"{length / case.low('length'):.0%} of the parallel part")]  # fmt: skip


def _extensometer(case: Case) -> str:
    if case.word("test") == "bending":
        return "deflectometer under the middle of the span"
    if case.high("temperature") > rules()["chamber"].figures["furnace"]:
        return "high-temperature extensometer with ceramic rods"
    if case.word("test") == "compression":
        return "averaging extensometer between the platens"
    if case.word("material") in {"rubber", "film", "textile", "foam"}:
        return "optical or long-travel extensometer"
    return "averaging clip-on extensometer" if case.word("property") == "modulus" else "clip-on extensometer"


def _gauge_length(case: Case, material: str) -> float:
    figures, length = rules()["gauge_length"].figures, case.low("length")
    if material in {"metal", "wire"} and case.word("test") != "compression":
        root = math.sqrt(case.area)
        wanted = figures["short"] * root if figures["short"] * root >= figures["least"] else figures["long"] * root
        wanted = max(wanted, figures["least"])
    elif material == "plastic" and case.word("test") != "compression":
        wanted = 75.0 if length >= 75.0 else 50.0  # noqa: PLR2004 - as the rule says
    else:
        wanted = 0.5 * length
    if wanted > length:
        msg = f"the gauge length would be {wanted:.3g} mm, wanted at most the parallel part of {length:g} mm; "
        msg += f"the nearest possible is a specimen with a parallel part of {wanted:.3g} mm"
        raise InstrumentError(msg)
    return wanted


def _speed(case: Case, method: dict[str, Any]) -> Selected:
    kind, value = method["kind"], method["value"]
    if case.word("property") in {"modulus", "yield"}:
        value = method.get("yield_value", value)
    if kind == "stress rate":
        rate = value * case.force / case.high("strength")
        return _chosen("speed", f"{value:g} MPa/s ({newtons(rate)}/s)", f"{method['standard']}.", figure=value,
                       units="MPa s-1", source=method["source"])  # fmt: skip
    if kind == "bending":
        span, thickness = case.span, case.high("thickness")
        exact = value * span**2 / (6 * thickness)
        speed = min(catalogue()["bending_speeds"], key=lambda each: abs(math.log(each / exact)))
        reason = f"{method['standard']}: 1 % a minute over a span of {span:g} mm is {exact:.3g} mm/min."
    elif kind == "strain rate":
        speed = 60 * value * case.high("length")
        reason = f"{method['standard']}: {value:.3g} 1/s times {case.high('length'):g} mm."
    else:
        speed, reason = value, f"{method['standard']}."
    return _chosen("speed", f"{speed:.4g} mm/min", reason, figure=speed, units="mm min-1", source=method["source"])


def _rate(case: Case, method: dict[str, Any], speed: Selected, extension: list[Selected]) -> list[Selected]:
    rule, exact, reason = "rate_other", 10.0, rules()["rate_other"].says
    straight = case.word("property") in {"modulus", "yield"} and case.word("test") == "tension"
    if straight and case.word("material") in {"plastic", "film"}:
        gauge = extension[1].figure
        grips, row = gauge * 115 / 75, 0.01 * 0.002 * gauge / rules()["rate_plastic"].figures["third"]
        rule, exact = "rate_plastic", speed.figure / 60 * gauge / (grips * row)
        reason = f"{speed.figure:g}/60 * {gauge:g} / ({grips:.4g} * {row:.3g}) = {exact:.3g} 1/s."
    elif straight and method["kind"] == "strain rate":
        pace = method.get("yield_value", method["value"])
        exact = pace * 1e3 * case.high("modulus") / case.low("strength") * rules()["rate_metal"].figures["points"]
        rule, reason = (
            "rate_metal",
            f"{pace:g} 1/s * {case.high('modulus'):g} GPa / {case.low('strength'):g} MPa / 1 %.",
        )
    elif case.word("test") == "tension":
        path = case.low("length") * case.low("elongation") / 100
        exact = max(10.0, rules()["rate_other"].figures["points"] * speed.figure / 60 / path)
    fast = [each for each in catalogue()["recorders"] if each >= exact]
    if not fast:
        msg = f"the data rate would be {exact:.4g} 1/s, wanted at most {catalogue()['recorders'][-1]} 1/s; pull slower"
        raise InstrumentError(msg)
    least = math.ceil(exact - 1e-9)
    return [_chosen(rule, f"{least} 1/s", reason, figure=least, units="s-1"),
            _chosen("recorder", f"{fast[0]} 1/s", rules()["recorder"].says, figure=fast[0], units="s-1",
                    margin=f"{fast[0] / exact:.2g} times what is needed")]  # fmt: skip


def _grips(case: Case) -> Selected:
    wanted = {key: case.word(key) for key in ("test", "material", "section")}
    for each in catalogue()["grips"]:
        if all(each[key] in {"*", word} for key, word in wanted.items()):
            return _chosen("grips", each["value"], f"{rules()['grips'].says} Rated for {newtons(case.force)} or more.")
    msg = f"no grips for {wanted}; extend the catalogue"
    raise InstrumentError(msg)


def _travel(case: Case, capacity: float) -> Selected:
    grip = next(length for most, length in catalogue()["grip_length"] if capacity <= most)
    length = case.high("length") if case.has("length") else case.span
    grown = length * (1 + (case.high("elongation") / 100 if case.has("elongation") else 0.0))
    need = 2 * grip + grown + rules()["travel"].figures["clearance"]
    spaces = catalogue()["test_spaces"]
    fit = [each for each in spaces if each >= need]
    if not fit:
        msg = f"the test space would be {need:.4g} mm, wanted at most {spaces[-1]} mm; the nearest possible is a "
        msg += f"parallel part shorter by {need - spaces[-1]:.4g} mm of its stretched length"
        raise InstrumentError(msg)
    return _chosen("travel", f"{fit[0]} mm", f"2 * {grip} + {grown:.4g} + 50 = {need:.4g} mm.", figure=need, units="mm",
                   margin=f"{fit[0] - need:.4g} mm to spare")  # fmt: skip


def _chamber(case: Case) -> Selected:
    figures, low, high = rules()["chamber"].figures, case.low("temperature"), case.high("temperature")
    value = "room" if figures["low"] <= low and high <= figures["high"] else "temperature chamber, long pull rods"
    if high > figures["furnace"]:
        value = "furnace, long pull rods, cooled grips"
    if high > figures["furnace"] and low < figures["low"]:
        msg = f"from {low:g} to {high:g} degC no single chamber or furnace goes; split the tests at 300 degC"
        raise InstrumentError(msg)
    return _chosen("chamber", value, f"{rules()['chamber'].says} Tested at {low:g} to {high:g} degC.")


def _accessories(case: Case) -> Selected:
    test, material = case.word("test"), case.word("material")
    parts = {"composite": "alignment fixture, strain gauges", "wire": "splinter guard", "concrete": "splinter guard",
             "metal": "guard"}.get(material, "")  # fmt: skip
    more = {"creep": "power supply without interruption", "cyclic": "counter of cycles, cooling air"}.get(test, "")
    value = ", ".join(each for each in (parts, more) if each) or "none"
    return _chosen("accessories", value, rules()["accessories"].says)


def _verification(capacity: float, number: float, extension: list[Selected]) -> Selected:
    low = rules()["lower_limit"].figures["part"] * capacity
    also = "" if extension[0].value == "none" else f"; extensometer by ISO 9513, class {extension[0].figure:g}"
    return _chosen("verify_force", f"{newtons(low)} to {newtons(capacity)}, class {number:g}{also}",
                   rules()["verify_force"].says)  # fmt: skip
