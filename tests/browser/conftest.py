"""A real JupyterLab and a real Chromium, both away from the user's own settings.

Skipped where Chromium is missing: `apt-get install chromium`, or name one in METROSPEC_CHROMIUM.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(__file__).parent / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_OPTIONS = [
    "--no-sandbox",  # as root, in a container; only our own pages are opened
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 60
SIZE = {"width": 1500, "height": 950}
# A console error is a failed test. Allowed, each with its reason:
HARMLESS = {
    "favicon": "the browser asks for an icon before JupyterLab sets one",
    "api/contents/untitled": "JupyterLab asks for a file it is about to make",
}


def find_chromium():
    named = os.environ.get("METROSPEC_CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium found; on Debian: apt-get install chromium")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, headless=True, args=CHROMIUM_OPTIONS)
        yield found
        found.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(url, server, log):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/api/status", timeout=1):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start in {START_SECONDS} s:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def lab(tmp_path_factory, browser):  # noqa: ARG001 - no server where there is no browser
    """The address of a JupyterLab, and the folder it serves: a copy of the notebooks."""
    home = tmp_path_factory.mktemp("home")
    folder = home / "served"
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(
        '{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8"
    )
    env = {
        **os.environ,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", ""),
    }
    port = free_port()
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += [f"--ServerApp.root_dir={folder}", "--expose-app-in-browser"]
    command += ["--LabApp.extension_manager=readonly"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    log = home / "lab.log"
    with log.open("w", encoding="utf-8") as stream:
        server = subprocess.Popen(command, env=env, stdout=stream, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(url, server, log)
            yield url, folder
        finally:
            server.terminate()
            server.wait(30)


def new_page(browser):
    """Open a page that remembers what went wrong in it: `page.errors`."""
    found = browser.new_page(viewport=SIZE)
    found.set_default_timeout(20_000)
    found.errors = []
    found.on("pageerror", lambda error: found.errors.append(str(error)))
    found.on("console", lambda message: note_console(found, message))
    return found


@pytest.fixture
def page(browser):
    """A page of one test."""
    found = new_page(browser)
    yield found
    found.close()


@pytest.fixture(scope="session")
def opened_desk(browser):
    found = new_page(browser)
    yield found
    found.close()


@pytest.fixture
def desk(opened_desk):
    """A page with a JupyterLab and a kernel that the tests of panels share: they start in no time."""
    opened_desk.errors.clear()
    opened_desk.set_viewport_size(SIZE)
    return opened_desk


def note_console(page, message):
    where = message.location.get("url", "") if message.location else ""
    text = f"{message.text} ({where})"
    if message.type == "error" and not any(part in text for part in HARMLESS):
        page.errors.append(text)
