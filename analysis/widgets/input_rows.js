// Rows of inputs with a slider and a number each: native controls, so that mouse, keyboard and screen readers have them.

const EVERY = 40; // ms between two messages of one drag

function cell(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function control(type, label) {
  const made = document.createElement("input");
  made.type = type;
  made.setAttribute("aria-label", label);
  return made;
}

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "metrospec-inputs";
  root.dataset.lmSuppressShortcuts = "true";
  const table = document.createElement("table");
  root.addEventListener("keydown", (event) => event.stopPropagation()); // keys belong to the controls, not to the notebook
  root.append(table);
  el.append(root);
  let shown = new Map();
  let sent = 0;
  let unanswered = false;

  function tell(name, value, final) {
    const time = performance.now();
    if (!final && (time - sent < EVERY || (unanswered && time - sent < 1000))) return;
    sent = time;
    unanswered = !final;
    model.send({ type: "u", name, value, final });
  }

  function build() {
    shown = new Map();
    table.replaceChildren(cell("caption", model.get("caption")));
    const head = document.createElement("tr");
    for (const name of model.get("heads")) {
      const one = cell("th", name);
      one.scope = "col";
      head.append(one);
    }
    table.append(head);
    for (const row of model.get("rows")) table.append(line(row));
    fill();
  }
  function line(row) {
    const made = document.createElement("tr");
    const name = cell("th", row.name);
    name.scope = "row";
    const slider = control("range", `u of ${row.name}, slider`);
    const number = control("number", `u of ${row.name} in ${row.units}`);
    Object.assign(slider, { min: 0, max: row.most, step: row.most / 200 });
    Object.assign(number, { min: 0, step: "any" });
    slider.addEventListener("input", () => {
      number.value = Number(slider.value).toPrecision(4);
      tell(row.name, Number(slider.value), false);
    });
    slider.addEventListener("change", () => tell(row.name, Number(slider.value), true));
    const commit = () => {
      if (number.value === number.dataset.told) return;
      number.dataset.told = number.value;
      tell(row.name, number.value === "" ? null : Number(number.value), true);
    };
    number.addEventListener("change", commit);
    number.addEventListener("keydown", (event) => event.key === "Enter" && commit());
    const use = cell("button", "");
    use.addEventListener("click", () => tell(row.name, Number(use.value), true));
    const parts = { value: cell("td", ""), slider, number, share: cell("td", ""), required: cell("span", ""), use };
    const [first, second, last] = [slider, number].map(() => document.createElement("td")).concat(document.createElement("td"));
    first.append(slider);
    second.append(number, ` ${row.units === "1" ? "" : row.units}`);
    last.append(parts.required, use);
    made.append(name, parts.value, first, second, parts.share, last);
    shown.set(row.name, parts);
    return made;
  }
  function fill() {
    const busy = root.getRootNode().activeElement;
    for (const row of model.get("rows")) {
      const parts = shown.get(row.name);
      parts.value.textContent = row.value;
      for (const part of [parts.slider, parts.number]) part.disabled = Boolean(row.why);
      if (!(busy === parts.slider && unanswered)) {
        parts.slider.value = row.u;
        parts.number.value = row.shown;
        parts.number.dataset.told = row.shown;
      }
      parts.share.textContent = row.share;
      parts.share.style.setProperty("--share", `${100 * row.part}%`);
      parts.share.className = "metrospec-share";
      parts.required.textContent = row.required;
      parts.use.hidden = !row.use;
      parts.use.value = row.use;
      parts.use.textContent = `Use for ${row.name}`;
    }
    unanswered = false;
  }
  model.on("change:number", fill); // also after a refusal, when the rows are as before
  build();
}

export default { render };
