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

  let before = Promise.resolve(); // one file after the other
  function take(files) {
    const given = [...files];
    if (given.length === 1) before = before.then(() => send(given[0]));
    else if (given.length > 1) model.send({ type: "many", count: given.length });
  }
  async function send(file) {
    const id = `${Date.now()} ${Math.random()}`;
    const count = Math.max(1, Math.ceil(file.size / PIECE));
    try {
      model.send({ type: "begin", id, name: file.name, size: file.size });
      for (let k = 0; k < count; k += 1) {
        const piece = await file.slice(k * PIECE, (k + 1) * PIECE).arrayBuffer();
        model.send({ type: "piece", id, last: k === count - 1 }, undefined, [piece]);
      }
    } catch (error) {
      model.send({ type: "unread", name: file.name, why: String(error.message || error) }); // a folder, or gone
    }
  }
  const quiet = (event) => {
    event.preventDefault();
    event.stopPropagation();
    label.classList.toggle("metrospec-over", event.type === "dragenter" || event.type === "dragover");
  };
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) label.addEventListener(kind, quiet);
  label.addEventListener("drop", (event) => take(event.dataTransfer.files));
  input.addEventListener("click", () => { input.value = ""; }); // so that the same file can be chosen again
  input.addEventListener("change", () => take(input.files));
}

export default { render };
