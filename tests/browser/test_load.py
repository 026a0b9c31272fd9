"""The panel to load a file in a real JupyterLab: dropped, chosen by keyboard, typed; 4 MB do no harm."""

import ast

import numpy as np
import pytest

from analysis import io
from tests.browser.panels import ask, lay
from tests.browser.test_notebooks import SCREENSHOTS

PANEL = "panel = widgets.load()\npanel"
DROP = """([name, text, count]) => {
    const held = new DataTransfer();
    for (let k = 0; k < (count || 1); k += 1) held.items.add(new File([text], name));
    document.querySelector('.metrospec-drop').dispatchEvent(
        new DragEvent('drop', { dataTransfer: held, bubbles: true, cancelable: true }));
}"""


def table(points):
    rows = (f"{100 + 0.01 * k:.4f}\t{50 + k % 7}.000000000000" for k in range(points))
    return "Raman shift (cm-1)\tIntensity (counts)\n" + "\n".join(rows) + "\n"


@pytest.fixture
def panel(desk, lab):
    page = lay(desk, lab, "load", PANEL)
    page.locator(".metrospec-drop").wait_for(timeout=20_000)
    page.folder = lab[1]
    return page


def same_as_its_call(page):
    page.locator(".metrospec-view[data-drawn]").wait_for(timeout=20_000)
    shown = ast.literal_eval(ask(page, "print(panel.result['signal'].values[:50].tolist())"))
    path = ask(page, "print(panel.settings.path)")
    again = io.read(page.folder / path)
    np.testing.assert_array_equal(shown, again["signal"].values[:50])
    assert int(ask(page, "print(panel.result.sizes['channel'])")) == again.sizes["channel"]
    return again


def test_a_dropped_a_chosen_and_a_typed_file_are_the_same(panel, tmp_path):
    page = panel
    page.evaluate(DROP, ["dropped.txt", table(300)])
    dropped = same_as_its_call(page)
    assert page.get_by_text("uploads/dropped.txt").or_(page.get_by_text("dropped.txt")).count() > 0
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "panel_load.png")
    (tmp_path / "chosen.txt").write_text(table(300), encoding="utf-8")
    page.locator(".metrospec-drop input").focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(tmp_path / "chosen.txt")
    page.get_by_text("chosen.txt").first.wait_for()
    chosen = same_as_its_call(page)
    np.testing.assert_array_equal(chosen["signal"], dropped["signal"])
    box = page.get_by_label("or its path")
    box.fill("uploads/dropped.txt")
    box.press("Enter")
    page.wait_for_timeout(500)
    np.testing.assert_array_equal(same_as_its_call(page)["signal"], dropped["signal"])
    assert page.errors == []


def test_four_megabytes_arrive_whole_and_what_is_no_spectrum_is_refused_in_place(panel):
    page = panel
    content = table(170_000)
    assert len(content) > 4_000_000
    page.evaluate(DROP, ["large.txt", content])
    page.get_by_text("170000 points").wait_for(timeout=30_000)
    assert (page.folder / "uploads" / "large.txt").read_text(encoding="utf-8") == content
    same_as_its_call(page)
    page.evaluate(DROP, ["<img src=x onerror=console.error(1)>.txt", "no numbers here"])
    page.locator("[role=alert]").wait_for()
    assert int(ask(page, "print(panel.result.sizes['channel'])")) == 170_000
    assert page.errors == []


def test_two_files_at_once_are_refused_and_the_same_file_can_be_chosen_again(panel, tmp_path):
    page = panel
    page.evaluate(DROP, ["twice.txt", table(50), 2])
    page.get_by_text("2 files were dropped; drop one at a time").wait_for()
    (tmp_path / "again.txt").write_text(table(60), encoding="utf-8")
    chooser = page.locator(".metrospec-drop input")
    chooser.set_input_files(tmp_path / "again.txt")
    assert same_as_its_call(page).sizes["channel"] == 60
    page.get_by_role("button", name="Undo").click()
    page.locator(".metrospec-view").wait_for(state="detached")
    with page.expect_file_chooser() as opened:
        chooser.click()
    opened.value.set_files(tmp_path / "again.txt")
    assert same_as_its_call(page).sizes["channel"] == 60
    assert page.errors == []
