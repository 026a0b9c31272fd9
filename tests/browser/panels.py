"""Notebooks with one panel each, opened in JupyterLab; shared by the browser tests.

A new panel is one entry of `PANELS`.
"""

import inspect
import itertools
import json

import nbformat
import numpy as np
import xarray as xr
from nbformat.v4 import new_code_cell, new_notebook

from tests.browser.test_notebooks import KERNEL_IS_IDLE, SCREENSHOTS, errors_in, open_and_run, run_all

ASK = """code => {
    const session = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
    const future = session.kernel.requestExecute({ code, silent: false, store_history: false });
    return new Promise(resolve => {
        let text = '';
        future.onIOPub = message => { if (message.header.msg_type === 'stream') text += message.content.text; };
        future.done.then(() => resolve(text));
    });
}"""
CHANGE = """async path => {
    const old = window.jupyterapp.shell.currentWidget;
    const { id, name } = old.context.sessionContext.session.kernel;
    const found = await window.jupyterapp.commands.execute('docmanager:open', { path, kernel: { id, name } });
    old.context.model.dirty = false;
    old.close();
    await found.context.sessionContext.ready;
}"""
NUMBERS = itertools.count()
VIEW = ".metrospec-view[data-drawn]"


def raman(points):
    """Two lines of a Raman spectrum, Poisson noise."""
    x = np.linspace(400.0, 700.0, points)
    y = 50 + 400 * np.exp(-4 * np.log(2) * ((x - 520.5) / 9) ** 2) + 150 * np.exp(-(((x - 610) / 8) ** 2))
    y = np.random.default_rng(3).poisson(y).astype(float)
    return xr.Dataset(
        {"signal": ("channel", y, {"units": "counts"}), "u_signal": ("channel", np.sqrt(np.maximum(y, 1)))},
        coords={"shift": ("channel", x, {"units": "cm-1", "long_name": "Raman shift"})},
    )


IMPORTS = "import numpy as np\nimport xarray as xr\nfrom analysis import calibration, io, peaks, uncertainty, widgets\n"
DATA = f"{IMPORTS}{inspect.getsource(raman)}\n\nspectrum = raman(2000)"
EXPLORE = (
    "mark = peaks.Mark(center=520, height=300, fwhm=8)\n"
    "panel = widgets.explore(spectrum, axis='shift', background='constant', marks=(mark,))\npanel"
)
LOAD = "io.write(spectrum, 'kept.nc')\npanel = widgets.load('kept.nc')\npanel"
VISCOSITY = (
    "def area(width, height):\n"
    "    from analysis import figures\n"
    "    return figures.draw_spectrum(spectrum, axis='shift'), f'{width * height:g} m2'\n"
    "panel = widgets.adjust(area, {'width': widgets.Range(low=1, high=3, start=2, step=0.5, units='m'),\n"
    "    'height': widgets.Choice(options=(1, 2), start=1)}, label='area')\npanel"
)
RUN = "panel = widgets.run(lambda report: report(1, 2), label='short work')\npanel"
BASELINE = "panel = widgets.baseline(spectrum, axis='shift')\npanel"
CALIBRATE = (
    "neon, lines = io.sample('raman_neon'), calibration.lines('Ne', 530, 640, units='nm')\n"
    "panel = widgets.calibrate(neon, lines, names=('neon', 'lines'))\npanel"
)
RESULT = (
    "mass = uncertainty.Quantity(value=10.0, u=0.01, units='g', label='mass')\n"
    "volume = uncertainty.Quantity(value=5.0, u=0.02, units='mL', label='volume')\n"
    "result = uncertainty.propagate('m / V', {'m': mass, 'V': volume}, name='density', units='g mL-1')\n"
)
BUDGET = RESULT + "panel = widgets.budget(result, name='result')\npanel"
CERTIFY = RESULT + "panel = widgets.certify(result, issued='2026-11-23')\npanel"
FURNACE = """import instruments
from instruments import acquire, control, sensing
from instruments import widgets as live_widgets
from instruments.clock import RealClock, VirtualClock
from instruments.simulators import Bench, World
from instruments.simulators.world import FurnacePlant

def closed(clock):
    plant = FurnacePlant(lag=8.0, sample_lag=1.0, dead_time=0.3)
    bench = Bench(seed=1, clock=clock, truth=World(furnace=plant))
    dmm, furnace = instruments.open("sim://dmm", bench=bench), instruments.open("sim://furnace", bench=bench)
    dmm.function, dmm.nplc = "resistance_4w", 1.0
    furnace.allow(0.0, 1.0)
    process = sensing.SensedProcess(furnace, sensing.resistance_thermometer(dmm, grade="A"))
    lock = control.Interlock(name="over temperature", high=150.0)
    pid = control.PidSettings(gain=0.02, integral_time=8.0)
    return bench, control.ClosedLoop(process, pid, setpoint=60.0, interlocks=[lock])

"""
LIVE = FURNACE + (
    "bench, loop = closed(VirtualClock())\n"
    "panel = live_widgets.live(acquire.stream(loop, period=0.2, count=200), limits={'furnace': (0, 50)})\n"
    "panel.start(); panel.wait()\npanel"
)
PANELS = {
    "explore": EXPLORE,
    "baseline": BASELINE,
    "calibrate": CALIBRATE,
    "load": LOAD,
    "budget": BUDGET,
    "certify": CERTIFY,
    "adjust": VISCOSITY,
    "run": RUN,
    "live": LIVE,
}


def write(lab, name, *cells):
    """Write a notebook of some cells into the served folder."""
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in (DATA, *cells)], metadata=metadata)
    nbformat.write(notebook, lab[1] / f"{name}.ipynb")


def show(page, lab, name, *cells):
    """Open a notebook of some cells and run it."""
    write(lab, name, *cells)
    assert errors_in(open_and_run(page, lab[0], f"{name}.ipynb")) == []
    return page


def lay(desk, lab, name, *cells):
    """Show a notebook of some cells on the desk: in its JupyterLab, with its kernel."""
    if desk.url == "about:blank":
        return show(desk, lab, name, *cells)
    name = f"{name}_{next(NUMBERS)}"
    write(lab, name, *cells)
    desk.evaluate(CHANGE, f"{name}.ipynb")
    assert errors_in(run_all(desk)) == []
    return desk


def ask(page, code):
    """Run code in the kernel of the open notebook; return what it prints."""
    return page.evaluate(ASK, code).strip()


def command(page, name, **arguments):
    """Run a command of JupyterLab without waiting for its result."""
    page.evaluate(f"void window.jupyterapp.commands.execute({name!r}, {json.dumps(arguments)})")


def theme(page, dark):
    """Choose the dark or the light theme and wait until it shows."""
    command(page, "apputils:change-theme", theme="JupyterLab Dark" if dark else "JupyterLab Light")
    page.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg="false" if dark else "true")
    page.wait_for_timeout(300)


def pictures(page, name):
    """Keep what is seen in both themes."""
    SCREENSHOTS.mkdir(exist_ok=True)
    for dark in (True, False):
        theme(page, dark)
        page.screenshot(path=SCREENSHOTS / f"{name}_{'dark' if dark else 'light'}.png")


def idle(page):
    """Wait until the kernel has nothing to do."""
    page.wait_for_function(KERNEL_IS_IDLE, timeout=60_000)
