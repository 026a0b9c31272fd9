// A slider with its number beside it: two plain inputs, which keyboards and screen readers know.

function render({ model, el }) {
  const label = document.createElement("label");
  label.className = "metrospec-slider";
  const words = document.createElement("span");
  const range = document.createElement("input");
  const number = document.createElement("input");
  range.type = "range";
  number.type = "number";
  el.dataset.lmSuppressShortcuts = "true"; // arrow keys move the slider, not the notebook
  el.addEventListener("keydown", (event) => event.stopPropagation());
  label.append(words, range);
  el.append(label, number);
  el.classList.add("metrospec-slider-row");

  function show() {
    words.textContent = model.get("description");
    number.setAttribute("aria-label", `${model.get("description")}, number`);
    for (const input of [range, number]) {
      for (const name of ["min", "max"]) input[name] = model.get(name);
      input.step = input === range ? model.get("step") : "any";
      input.value = model.get("value");
    }
    number.value = Number(model.get("value").toPrecision(6));
  }
  function put(value, dragging) {
    model.set({ value, dragging });
    model.save_changes();
  }
  function take(input) {
    const value = Number(input.value);
    if (input.value === "" || !(value >= model.get("min") && value <= model.get("max"))) {
      show(); // what lies outside is not taken
      return;
    }
    put(value, false);
  }
  for (const input of [range, number]) input.addEventListener("change", () => take(input));
  range.addEventListener("input", () => {
    number.value = Number(Number(range.value).toPrecision(6));
    if (model.get("live")) put(Number(range.value), true);
  });
  for (const name of ["value", "min", "max", "step", "description"]) model.on(`change:${name}`, show);
  show();
}

export default { render };
