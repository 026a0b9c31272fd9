"""The dialogue: answers are checked, the most informative open question comes next, the last answer gives the system.

Not here: the questions themselves (`instruments.advisor.knowledge`).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from analysis.core import InstrumentError, did_you_mean
from analysis.core.units import convert
from analysis.uncertainty import Quantity
from instruments.advisor.configuration import Answer, Configuration
from instruments.advisor.knowledge import catalogue, questions, rules
from instruments.advisor.machines import configure, method_of

__all__ = ["NOT_SURE", "Question", "ask", "read"]

NOT_SURE = "not sure"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What to ask next."""

    id: str
    """Key of the answer."""
    text: str
    """The question."""
    why: str
    """Why it is asked."""
    options: tuple[str, ...] = ()
    """Answers to choose from; empty for a number."""
    units: str = ""
    """Of a number."""
    limits: tuple[float, float] | None = None
    """Of a number, in `units`."""
    may_be_unsure: bool
    """Whether "not sure" is an answer."""
    answered: int
    """How many answers there are."""
    remaining: int
    """How many questions are open now, this one with them."""


def ask(answers: Mapping[str, Any]) -> Question | Configuration:
    """Return the next question, or the testing system when all that matters is answered.

    Parameters
    ----------
    answers:
        By id of the question: one of its options; a number in its units, a text such as `"12.5 mm"`, a `Quantity`, or
        a pair of numbers for a range; or `"not sure"`.

    Returns
    -------
    :
        The same system for the same answers, in whatever order they were given.

    Raises
    ------
    InstrumentError
        If an answer is unknown, out of range or does not belong to this test, or no equipment does what is asked.
    """
    given, notes = _accepted(answers)
    if "test" in given and "material" in given:
        method_of(str(given["test"]), str(given["material"]))
    for key in given:
        if _applies(_of(key), given) is False:
            msg = f"an answer to {key!r} was given, which this test has no use for; take it out"
            raise InstrumentError(msg)
    waiting = [each for each in questions() if each["id"] not in given and _applies(each, given)]
    if waiting:
        best = max(waiting, key=_informative)
        limits = best.get("limits")
        return Question(
            id=best["id"], text=best["text"], why=best["why"], options=tuple(best.get("options", ())),
            units=best.get("units", ""), limits=tuple(limits) if limits else None,
            may_be_unsure=best["unsure"] is not None, answered=len(given), remaining=len(waiting),
        )  # fmt: skip
    return configure(given, notes)


def read(text: str) -> Configuration:
    """Make the system of a sheet that `Configuration.to_json` wrote, and hold it against what was written.

    Parameters
    ----------
    text:
        JSON.

    Returns
    -------
    :
        The same system.

    Raises
    ------
    InstrumentError
        If it is no such sheet, or the rules of this version choose otherwise.
    """
    try:
        held = json.loads(text)
        made, notes = ask(held["answers"]), tuple(str(each) for each in held["assumptions"])
        written = {str(each["item"]): str(each["value"]) for each in held["choices"]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"this is no sheet of a testing system ({error}); write one with Configuration.to_json"
        raise InstrumentError(msg) from error
    if not isinstance(made, Configuration):
        msg = f"the sheet got no answer to {made.id!r}, wanted all of them; ask again"
        raise InstrumentError(msg)
    other = [each.item for each in made.choices if written.get(each.item) != each.value]
    if other or len(written) != len(made.choices):
        msg = f"the sheet has other choices than its answers give by the rules of this version: {other}; ask again"
        raise InstrumentError(msg)
    return replace(made, assumptions=notes)


def _of(key: str) -> dict[str, Any]:
    for each in questions():
        if each["id"] == key:
            return each
    names = [each["id"] for each in questions()]
    msg = f"no question {key!r}; there are {names}.{did_you_mean(key, names)}"
    raise InstrumentError(msg)


def _applies(question: dict[str, Any], given: Mapping[str, Answer]) -> bool | None:
    """Say whether a question belongs to these answers; None while that is open."""
    if any(key in given and given[key] in banned for key, banned in question.get("unless", {}).items()):
        return False
    states = [given[key] in wanted if key in given else None for key, wanted in question["when"].items()]
    if False in states:
        return False
    gates = [key for key in question.get("unless", {}) if key not in given and _applies(_of(key), given) is not False]
    return None if None in states or gates else True


def _informative(question: dict[str, Any]) -> int:
    """Count the questions that it opens or closes and the rules that rest on it."""
    key = question["id"]
    opens = sum(key in each["when"] or key in each.get("unless", {}) or key == each["unsure"] for each in questions())
    return 10 * opens + sum(key in rule.needs for rule in rules().values())


def _accepted(answers: Mapping[str, Any]) -> tuple[dict[str, Answer], tuple[str, ...]]:
    ordered = {each["id"]: each for each in questions() if each["id"] in answers}
    for key in answers:
        _of(key)
    given: dict[str, Answer] = {}
    notes = []
    for key, question in ordered.items():
        if answers[key] == NOT_SURE if isinstance(answers[key], str) else False:
            given[key] = _unsure(question, answers)
            notes.append(f"{key} is not known: {_words(given[key], question)} is taken.")
        else:
            given[key] = _checked(question, answers[key])
    return given, tuple(notes)


def _words(answer: Answer, question: dict[str, Any]) -> str:
    return answer if isinstance(answer, str) else f"{answer[0]:g} to {answer[1]:g} {question['units']}"


def _unsure(question: dict[str, Any], answers: Mapping[str, Any]) -> Answer:
    put = question["unsure"]
    if put == "material":
        held = catalogue()["materials"]
        chosen = [held[answers["material"]]] if answers.get("material") in held else list(held.values())
        put = [min(each[question["id"]][0] for each in chosen), max(each[question["id"]][1] for each in chosen)]
    if put is None:
        msg = f"{question['id']} got 'not sure', wanted an answer: nothing can stand in for it. {question['why']}"
        raise InstrumentError(msg)
    return put if isinstance(put, str) else (float(put[0]), float(put[1]))


def _checked(question: dict[str, Any], answer: object) -> Answer:
    key, options = question["id"], question.get("options")
    if options:
        if answer not in options:
            hint = did_you_mean(str(answer), options)
            msg = f"{key} must be one of {options}, got {answer!r}.{hint}"
            raise InstrumentError(msg)
        return str(answer)
    ends = answer if isinstance(answer, tuple | list) and len(answer) == 2 else (answer, answer)  # noqa: PLR2004 - a pair
    low, high = (_number(each, question) for each in ends)
    least, most = question["limits"]
    if not least <= low <= high <= most:
        nearest = f"{min(max(high, least), most):g}" if math.isfinite(high) else f"{least:g}"
        msg = f"{key} must lie in [{least:g}, {most:g}] {question['units']}, its lower end first, got {answer!r}; "
        msg += f"the nearest possible is {nearest} {question['units']}"
        raise InstrumentError(msg)
    return low, high


def _number(answer: object, question: dict[str, Any]) -> float:
    key, units = question["id"], question["units"]
    try:
        if isinstance(answer, bool):
            raise TypeError
        if isinstance(answer, Quantity):
            return convert(answer.value, answer.units, units)
        if isinstance(answer, str):
            number, _, given = answer.strip().partition(" ")
            return convert(float(number), given, units) if given else float(number)
        return float(answer)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        msg = f"{key} must be a number in {units}, such as '12 {units}', got {answer!r}"
        raise InstrumentError(msg) from error
