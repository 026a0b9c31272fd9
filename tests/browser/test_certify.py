"""The panel of certificates in a real JupyterLab: typed by keys and clicked, it makes what the same call makes here."""

from tests.browser.panels import CERTIFY, ask, lay


def test_a_certificate_is_written_looked_at_and_kept(desk, lab):
    _, folder = lab
    page = lay(desk, lab, "certify", CERTIFY)
    box = page.get_by_label("laboratory", exact=True)
    box.wait_for()
    box.fill("Blue Lab")
    box.press("Tab")
    page.get_by_label("location").select_option("laboratory")
    page.get_by_label("conditions").fill("temperature: 20 °C")
    page.get_by_label("conditions").press("Tab")
    page.wait_for_timeout(800)
    # sources made by hand have ids of their own in each process, so the same call is made beside the panel
    assert ask(page, "from analysis import report; print(eval(panel.code()) == panel.result)") == "True"
    assert "Blue Lab" in page.frame_locator("iframe[title^=preview]").locator("body").inner_text()
    page.get_by_label("keep as").fill("density.html")
    page.get_by_label("keep as").press("Tab")
    page.get_by_role("button", name="Keep").press("Enter")
    page.locator("[role=status]", has_text="kept").wait_for()
    kept = (folder / "density.html").read_text(encoding="utf-8")
    assert kept.strip() == ask(page, "print(panel.result)").strip()
    page.get_by_label("country").fill("Germany")
    page.get_by_label("country").press("Tab")
    page.locator("[role=alert]", has_text="two capital letters").wait_for()
    assert page.errors == []
