"""A notebook run again in a kernel of its own and compared with what is stored in it.

Not here: the comparisons (`analysis.verify.compare`, `analysis.verify.pictures`), the page (`analysis.verify.page`).
"""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.core import FormatError
from analysis.verify.checks import POSTLUDE, PRELUDE, Check, beside, read_checks, watched
from analysis.verify.compare import Finding, Verdict, compare_text
from analysis.verify.made_with import read_versions, without_versions
from analysis.verify.pictures import compare_pictures

_PNG = "image/png"
_UNSTABLE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})?|\b0x[0-9a-f]{6,}")
_ORDER = (Verdict.SAME, Verdict.NOT_COMPARED, Verdict.MOVED, Verdict.CHANGED)


@dataclass(frozen=True, kw_only=True)
class Verified:
    """One notebook run again: a finding for each number, text that changed, picture and check, and the versions."""

    name: str
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    recorded: Mapping[str, str]
    present: Mapping[str, str]
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all."""
        found = {finding.verdict for finding in self.findings}
        return next((verdict for verdict in reversed(_ORDER) if verdict in found), Verdict.SAME)


def verify(path: str | Path, *, timeout: float = 300.0) -> Verified:
    """Run a notebook again in a clean kernel and compare all it prints and draws with what is stored; nothing is saved.

    Parameters
    ----------
    path:
        The notebook, with outputs; it runs in its own folder.
    timeout:
        For one cell, in seconds.

    Returns
    -------
    :
        The findings. A number with a stated uncertainty may move within it; other numbers agree to 1e-7; words and
        whole numbers exactly; pictures by the data they draw. HTML is not compared: the text beside it says the same.

    Raises
    ------
    FormatError
        If the file is no notebook, or holds code cells that were never run.
    ImportError
        If nbclient is not installed.
    """
    import nbformat  # noqa: PLC0415 - an optional package

    path = Path(path)
    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        msg = f"{path.name!r} cannot be read as a notebook ({error}); give an .ipynb file"
        raise FormatError(msg) from error
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if not code or any(cell.execution_count is None for cell in code if cell.source.strip()):
        msg = f"{path.name!r} holds code cells without stored outputs, so there is nothing to compare; run and save it"
        raise FormatError(msg)
    began = time.perf_counter()
    again, checks, broken = _run(notebook, path.parent, timeout)
    findings = list(broken)
    recorded, present = dict[str, str](), dict[str, str]()
    for number, (old, new) in enumerate(zip(notebook.cells, again, strict=True)):
        if old.cell_type == "code" and not broken:
            findings += _cell(number, old.outputs, new.outputs)
            recorded |= read_versions(_text(old.outputs))
            present |= read_versions(_text(new.outputs))
    findings = beside(findings, checks) + _of_checks(checks, len(notebook.cells) - 1)
    return Verified(
        name=path.name, findings=tuple(findings), checks=tuple(checks),
        recorded=recorded, present=present, seconds=time.perf_counter() - began,
    )  # fmt: skip


def _run(
    notebook: Any,  # noqa: ANN401 - untyped
    folder: Path,
    timeout: float,
) -> tuple[Sequence[Any], list[Check], list[Finding]]:
    from nbclient import NotebookClient  # noqa: PLC0415 - an optional package
    from nbclient.exceptions import CellTimeoutError, DeadKernelError  # noqa: PLC0415
    from nbformat.v4 import new_code_cell  # noqa: PLC0415

    again = deepcopy(notebook)
    for cell in again.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.source = watched(cell.source) if "check" in cell.metadata.get("tags", []) else cell.source
    first, last = (new_code_cell(source) for source in (PRELUDE, POSTLUDE))  # type: ignore[no-untyped-call]
    again.cells = [first, *again.cells, last]
    client = NotebookClient(
        again, timeout=timeout, kernel_name="python3", resources={"metadata": {"path": str(folder)}},
        store_widget_state=False, record_timing=False, allow_errors=True,
    )  # fmt: skip
    started = [1]
    client.on_cell_start = lambda cell_index, **_: started.append(cell_index)
    try:
        with ThreadPoolExecutor(max_workers=1) as thread:  # whoever calls may run an event loop, as notebooks do
            thread.submit(lambda: asyncio.run(client.async_execute())).result()
    except (CellTimeoutError, DeadKernelError) as error:
        why = "the kernel died" if isinstance(error, DeadKernelError) else f"not done after {timeout:g} s"
        return again.cells[1:-1], [], [_failure(started[-1] - 1, why)]
    return again.cells[1:-1], read_checks(_text(again.cells[-1].outputs)), []


def _cell(number: int, old: Sequence[Any], new: Sequence[Any]) -> list[Finding]:
    texts = [_UNSTABLE.sub("…", without_versions(_text(outputs))) for outputs in (old, new)]
    found = compare_text(*texts, cell=number) if any(texts) else []
    stored, drawn = ([output.data[_PNG] for output in each if _PNG in output.get("data", {})] for each in (old, new))
    if len(stored) != len(drawn):
        found.append(_failure(number, f"{len(drawn)} pictures", stored=f"{len(stored)} pictures"))
        return found
    return found + [compare_pictures(a, b, cell=number) for a, b in zip(stored, drawn, strict=True)]


def _text(outputs: Sequence[Any]) -> str:
    parts = []
    for output in outputs:
        if output.output_type == "stream":
            parts.append(output.text)
        elif output.output_type == "error":
            parts.append(f"{output.ename}: {output.evalue}\n")
        else:
            parts.append(output.get("data", {}).get("text/plain", "") + "\n")
    return "".join(parts)


def _of_checks(checks: Sequence[Check], cell: int) -> list[Finding]:
    return [
        Finding(
            cell=cell, what=f"check of {check.found}", stored="", recomputed=f"{check.recomputed:.10g}",
            published=f"{check.published:.10g}", verdict=Verdict.SAME if check.holds else Verdict.CHANGED,
            why="" if check.holds else f"further from the published value than {check.tolerance:.3g}",
        )
        for check in checks
    ]  # fmt: skip


def _failure(cell: int, what: str, *, stored: str = "") -> Finding:
    return Finding(
        cell=cell,
        what="run",
        stored=stored,
        recomputed=what,
        verdict=Verdict.CHANGED,
        why="it did not run as it was stored",
    )
