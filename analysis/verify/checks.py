"""Published values that a check cell names: seen while its assertions run.

`assert abs(X - Y) < T` and `assert round(X) == Y`, in loops and comprehensions too, are recorded as they are
evaluated; other assertions only hold or not. Not here: the run itself (`analysis.verify.running`).
"""

import ast
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis.verify.compare import Finding, Verdict
from analysis.verify.numbers import read_all

_NAME = "_metrospec_seen"
PRELUDE = f"""
def {_NAME}(found, wanted, a, b, room, holds, kept=[]):
    kept.append((found, wanted, float(a), float(b), float(room), bool(holds)))
    return holds
"""
POSTLUDE = f"import json as _metrospec_json\nprint(_metrospec_json.dumps({_NAME}.__defaults__[0]))"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One comparison with a published or true value, as the check cell makes it."""

    found: str
    wanted: str
    recomputed: float
    published: float
    tolerance: float
    holds: bool


def watched(source: str) -> str:
    """Return the source of a check cell that says what it compares.

    Parameters
    ----------
    source:
        Plain Python.

    Returns
    -------
    :
        Source that asserts the same; the given one where it is not plain Python.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source
    return ast.unparse(ast.fix_missing_locations(_Watch().visit(tree)))


def read_checks(text: str) -> list[Check]:
    """Read what `POSTLUDE` printed.

    Parameters
    ----------
    text:
        JSON.

    Returns
    -------
    :
        The comparisons in their order.
    """
    return [
        Check(found=found, wanted=wanted, recomputed=a, published=b, tolerance=room, holds=holds)
        for found, wanted, a, b, room, holds in json.loads(text)
    ]


def beside(findings: Sequence[Finding], checks: Sequence[Check]) -> list[Finding]:
    """Set published values beside the printed numbers with uncertainty that show the same value.

    Parameters
    ----------
    findings:
        Of the printed numbers.
    checks:
        Of the check cell.

    Returns
    -------
    :
        The findings, those with a published value naming it; matched by value at the printed digits.
    """
    values = [check for check in checks if not check.found.endswith(".u")]
    return [replace(finding, published=_published(finding, values)) for finding in findings]


def _published(finding: Finding, checks: Sequence[Check]) -> str:
    numbers = read_all(finding.recomputed) if finding.what != "text" else []
    if len(numbers) != 1 or numbers[0].u is None or finding.verdict is Verdict.CHANGED:
        return ""
    one = numbers[0]
    fits = {check.published for check in checks if abs(check.recomputed - one.value) <= 0.501 * one.digit}
    return f"{fits.pop():.10g}" if len(fits) == 1 else ""


class _Watch(ast.NodeTransformer):
    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Compare(
                left=ast.Call(func=ast.Name(id="abs"), args=[ast.BinOp(left=found, op=ast.Sub(), right=wanted)]),
                ops=[ast.Lt() | ast.LtE()],
                comparators=[room],
            ):
                return _seen(node, found, wanted, room)
            case ast.Compare(
                left=ast.Call(func=ast.Name(id="round"), args=[found]), ops=[ast.Eq()], comparators=[wanted]
            ):
                return _seen(node, found, wanted, ast.Constant(0.5))
        return node


def _seen(node: ast.Compare, found: ast.expr, wanted: ast.expr, room: ast.expr) -> ast.Call:
    names = [ast.Constant(ast.unparse(found)), ast.Constant(ast.unparse(wanted))]
    return ast.Call(func=ast.Name(id=_NAME, ctx=ast.Load()), args=[*names, found, wanted, room, node], keywords=[])
