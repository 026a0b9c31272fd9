"""A panel under Voila: driven by keys, its table says what the code it shows gives here."""

import socket
import subprocess
import sys
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from analysis import peaks
from tests.browser.conftest import START_SECONDS, free_port
from tests.browser.panels import DATA, EXPLORE, VIEW, raman

FONTS = "cdn.jsdelivr.net"
"""Voila asks a foreign server for icons; without a network the page does without them."""


def wait_until_it_answers(port, server, log):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"Voila did not start in {START_SECONDS} s:\n{log.read_text()[-3000:]}")


@pytest.fixture
def served(tmp_path, browser):  # noqa: ARG001 - no server where there is no browser
    pytest.importorskip("voila", reason="voila is not installed")
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = new_notebook(cells=[new_code_cell(DATA), new_code_cell(EXPLORE)], metadata=metadata)
    nbformat.write(notebook, tmp_path / "panel.ipynb")
    port = free_port()
    log = tmp_path / "voila.log"
    command = [sys.executable, "-m", "voila", str(tmp_path / "panel.ipynb"), "--no-browser", f"--port={port}"]
    with log.open("w", encoding="utf-8") as stream:
        server = subprocess.Popen([*command, "--Voila.ip=127.0.0.1"], stdout=stream, stderr=subprocess.STDOUT)
        try:
            wait_until_it_answers(port, server, log)
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()
            server.wait(30)


def test_a_panel_is_driven_under_voila(page, served):
    page.route(lambda url: FONTS in url, lambda route: route.fulfill(status=200, body=""))
    page.goto(served)
    page.locator(VIEW).wait_for(timeout=60_000)
    page.get_by_role("button", name="Code and settings").click()
    before = page.locator("pre", has_text="fit_marked").inner_text()
    page.locator(".metrospec-view canvas").focus()
    page.keyboard.press(".")
    page.wait_for_function(
        "text => [...document.querySelectorAll('pre')].some(p => p.innerText.includes('fit_marked')"
        " && p.innerText !== text)",
        arg=before,
    )
    fit = eval(page.locator("pre", has_text="fit_marked").inner_text(), {"peaks": peaks, "spectrum": raman(2000)})
    wanted = str(peaks.quantity(fit, "p1_center")).removesuffix(" (k = 1)")
    assert page.locator("td").first.inner_text() == wanted
    assert page.errors == []
