// A place to drop a file on, with a file chooser as its twin by keyboard. Pieces of 1 MB, so that no message is too long.

const PIECE = 1 << 20;

function render({ model, el }) {
  const label = document.createElement("label");
  label.className = "metrospec-drop";
  label.dataset.lmSuppressShortcuts = "true"; // keys belong to the chooser while it has the focus
  label.addEventListener("keydown", (event) => event.stopPropagation());
  const words = document.createElement("span");
  words.textContent = "Drop a file here, or choose one: ";
  const input = document.createElement("input");
  input.type = "file";
  input.setAttribute("aria-label", "Choose a file");
  label.append(words, input);
  el.append(label);

  async function send(file) {
    if (!file) return;
    const count = Math.max(1, Math.ceil(file.size / PIECE));
    model.send({ type: "begin", name: file.name, size: file.size });
    for (let k = 0; k < count; k += 1) {
      const piece = await file.slice(k * PIECE, (k + 1) * PIECE).arrayBuffer();
      model.send({ type: "piece", last: k === count - 1 }, undefined, [piece]);
    }
  }
  const quiet = (event) => {
    event.preventDefault();
    event.stopPropagation();
    label.classList.toggle("metrospec-over", event.type === "dragenter" || event.type === "dragover");
  };
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) label.addEventListener(kind, quiet);
  label.addEventListener("drop", (event) => send(event.dataTransfer.files[0]));
  input.addEventListener("change", () => send(input.files[0]));
}

export default { render };
