// An interactive plot of spectra: canvas, no libraries, no network.
// Python decimates and decides; this file draws, and says what the user did.

// Okabe and Ito, ordered by their contrast on white and on black
const COLOURS = {
  light: ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"],
  dark: ["#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#D55E00"],
};
const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]];
const KEYS = { range: ["[", "]"], peak: ["a", "A", "Delete"] }; // of tools that a plot may lack
const EDGE = 7; // pixels around a handle or an edge that still catch it
const EVERY = 40; // ms between two messages of one drag
const PATIENCE = 2000; // ms after which an answer is not waited for
const MARGIN = { left: 68, right: 14, top: 10, bottom: 42 };
const STRIP = 0.24; // of the height, for residuals

function css(el, name, fallback) {
  return getComputedStyle(el).getPropertyValue(name).trim() || fallback;
}

function ticks(low, high, wanted) {
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= raw * 0.999) * power;
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) found.push(k * step);
  return [found, step];
}

function words(value, step) {
  if (value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-4)) return value.toExponential(1);
  return value.toFixed(Math.max(0, Math.min(8, -Math.floor(Math.log10(step) + 1e-9) + (String(step).includes("25") ? 1 : 0))));
}

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "metrospec-view";
  root.dataset.lmSuppressShortcuts = "true"; // keys belong to the plot while it has the focus
  const bar = document.createElement("div");
  bar.className = "metrospec-bar";
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Plot");
  const canvas = document.createElement("canvas");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-describedby", "");
  const said = document.createElement("div");
  said.className = "metrospec-said";
  said.setAttribute("aria-live", "polite");
  root.append(bar, canvas, said);
  el.append(root);

  let mode = "range";
  let drag = null;
  let held = null; // a handle list or range in the hand, shown before Python answers
  let cursor = null;
  let ahead = null; // a window that is shown before Python has sent its points
  let sent = 0;
  let unanswered = false;
  let pending = null;
  let asked = 0;
  let frame = null;

  const buttons = {};
  for (const [name, text, tip] of [
    ["range", "Select range", "Drag to select; [ and ] set the ends at the cursor"],
    ["peak", "Add peak", "Click to add; A adds at the cursor, Delete removes"],
    ["zoom", "Zoom", "Drag to zoom; + and - at the cursor"],
  ]) {
    const button = document.createElement("button");
    button.textContent = text;
    button.title = tip;
    button.addEventListener("click", () => choose(name));
    buttons[name] = button;
    bar.append(button);
  }
  for (const [text, tip, act] of [
    ["Whole", "Show everything (0)", () => model.send({ type: "window", window: [] })],
    ["Log", "Logarithmic scale (L)", () => model.send({ type: "log" })],
  ]) {
    const button = document.createElement("button");
    button.textContent = text;
    button.title = tip;
    button.addEventListener("click", act);
    bar.append(button);
  }

  function offer() { // what this panel has no use for is not shown
    const offered = model.get("modes");
    for (const [name, button] of Object.entries(buttons)) button.hidden = !offered.includes(name);
    if (!offered.includes(mode)) choose(offered[0]);
  }
  function choose(name) {
    mode = name;
    for (const [key, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", String(key === name));
  }

  // ---- geometry, measured once for each frame
  let measured = null;
  function now() {
    if (measured) return measured;
    const given = model.get("plot");
    const plot = ahead ? { ...given, window: ahead } : given;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    const strip = plot.strip ? Math.round((height - MARGIN.top - MARGIN.bottom) * STRIP) : 0;
    const box = {
      x: MARGIN.left, y: MARGIN.top, w: Math.max(10, width - MARGIN.left - MARGIN.right),
      h: Math.max(10, height - MARGIN.top - MARGIN.bottom - (strip ? strip + 8 : 0)), strip,
    };
    const scale = plot.log ? (y) => Math.log10(Math.max(y, 1e-300)) : (y) => y;
    const [x0, x1] = plot.window || [0, 1];
    const [low, high] = (plot.ylim || [0, 1]).map(scale);
    measured = { plot, box, width, height, scale, x0, kx: box.w / (x1 - x0), low, ky: box.h / (high - low) };
    return measured;
  }
  function remeasure() {
    measured = null;
    redraw();
  }
  const plot = () => now().plot;
  const toX = (x) => now().box.x + (x - now().x0) * now().kx;
  const fromX = (px) => now().x0 + (px - now().box.x) / now().kx;
  const toY = (y) => now().box.y + now().box.h - (now().scale(y) - now().low) * now().ky;
  const fromY = (py) => {
    const y = now().low + (now().box.y + now().box.h - py) / now().ky;
    return plot().log ? 10 ** y : y;
  };
  const toStrip = (y) => {
    const [low, high] = plot().strip;
    const b = now().box;
    return b.y + b.h + 8 + b.strip - ((y - low) / (high - low)) * b.strip;
  };
  const handles = () => (held && held.handles) || model.get("handles");
  const range = () => (held && held.range) || model.get("range");

  // ---- drawing
  function draw() {
    frame = null;
    const ratio = window.devicePixelRatio || 1;
    const { width, height, box: b } = now();
    if (!width || !plot().window) return;
    const c = sized(Math.round(width * ratio), Math.round(height * ratio));
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.fillStyle = colours.back;
    c.fillRect(0, 0, width, height);
    drawRange(c, b);
    drawAxes(c, b);
    c.save();
    c.beginPath();
    c.rect(b.x, b.y, b.w, b.h + (b.strip ? b.strip + 8 : 0));
    c.clip();
    for (const each of plot().series) drawSeries(c, each);
    drawHandles(c, b);
    if (cursor !== null) {
      c.strokeStyle = colours.ink;
      c.setLineDash([3, 3]);
      line(c, cursor, b.y, cursor, b.y + b.h);
      c.setLineDash([]);
    }
    c.restore();
    root.dataset.drawn = String(plot().number);
  }
  function sized(width, height) {
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    return canvas.getContext("2d");
  }
  let colours = themed();
  function themed() {
    return {
      back: css(el, "--jp-layout-color0", "#fff"), ink: css(el, "--jp-ui-font-color1", "#222"),
      grid: css(el, "--jp-border-color2", "#ddd"), font: `12px ${css(el, "--jp-ui-font-family", "sans-serif")}`,
      curves: COLOURS[document.body.dataset.jpThemeLight === "false" ? "dark" : "light"],
    };
  }
  function redraw() {
    if (frame === null) frame = requestAnimationFrame(draw);
  }
  function line(c, x0, y0, x1, y1) {
    c.beginPath();
    c.moveTo(x0, y0);
    c.lineTo(x1, y1);
    c.stroke();
  }
  function drawRange(c, b) {
    const [low, high] = range().length ? range() : plot().window;
    if (!range().length) return;
    c.fillStyle = "rgba(86, 180, 233, 0.16)";
    const left = Math.max(b.x, toX(low));
    const right = Math.min(b.x + b.w, toX(high));
    if (right <= left) return;
    c.fillRect(left, b.y, right - left, b.h);
    c.strokeStyle = colours.curves[0];
    c.lineWidth = 1.5;
    for (const edge of [low, high]) line(c, toX(edge), b.y, toX(edge), b.y + b.h);
  }
  function drawAxes(c, b) {
    const { window, ylim, strip, labels, log } = plot();
    const { scale } = now();
    c.font = colours.font;
    c.lineWidth = 1;
    c.fillStyle = colours.ink;
    const [xs, step] = ticks(window[0], window[1], Math.max(2, b.w / 110));
    const bottom = b.y + b.h + (b.strip ? b.strip + 8 : 0);
    c.textAlign = "center";
    for (const x of xs) {
      c.strokeStyle = colours.grid;
      line(c, toX(x), b.y, toX(x), bottom);
      c.fillText(words(x, step), toX(x), bottom + 16);
    }
    c.fillText(labels.x, b.x + b.w / 2, bottom + 34);
    c.textAlign = "right";
    const [low, high] = ylim.map(scale);
    const [ys, rise] = ticks(low, high, Math.max(2, b.h / 50));
    for (const y of ys) {
      const py = b.y + b.h - ((y - low) / (high - low)) * b.h;
      c.strokeStyle = colours.grid;
      line(c, b.x, py, b.x + b.w, py);
      c.fillText(log ? (10 ** y).toPrecision(2) : words(y, rise), b.x - 6, py + 4);
    }
    if (b.strip) {
      const [rests, stride] = ticks(strip[0], strip[1], 3);
      for (const y of rests) c.fillText(words(y, stride), b.x - 6, toStrip(y) + 4);
      c.strokeStyle = colours.grid;
      line(c, b.x, toStrip(0), b.x + b.w, toStrip(0));
    }
    c.strokeStyle = colours.ink;
    c.strokeRect(b.x, b.y, b.w, b.h);
    if (b.strip) c.strokeRect(b.x, b.y + b.h + 8, b.w, b.strip);
    c.save();
    c.translate(11, b.y + b.h / 2);
    c.rotate(-Math.PI / 2);
    c.textAlign = "center";
    c.fillText(labels.y, 0, 0);
    c.restore();
    if (b.strip && labels.strip) {
      c.save();
      c.translate(11, b.y + b.h + 8 + b.strip / 2);
      c.rotate(-Math.PI / 2);
      c.textAlign = "center";
      c.fillText(labels.strip, 0, 0);
      c.restore();
    }
  }
  function drawSeries(c, each) {
    const bytes = model.get("frame");
    const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    const part = (k) => all.subarray(each.at + k * each.n, each.at + (k + 1) * each.n);
    const xs = part(0);
    const place = each.strip ? (y) => toStrip(y) : (y) => toY(y + each.y0);
    c.strokeStyle = colours.curves[each.colour % colours.curves.length];
    c.fillStyle = c.strokeStyle;
    c.lineWidth = each.colour ? 1.8 : 1.1;
    c.setLineDash(each.kind === "line" ? DASHES[each.dash] : []);
    if (each.kind === "points") {
      const ys = part(1);
      for (let i = 0; i < xs.length; i += 1) c.fillRect(toX(xs[i] + each.x0) - 1.2, place(ys[i]) - 1.2, 2.4, 2.4);
    } else if (each.kind === "bars") {
      const lows = part(1);
      const highs = part(2);
      for (let i = 0; i < xs.length; i += 1) {
        const px = toX(xs[i] + each.x0);
        line(c, px, place(lows[i]), px, place(highs[i]));
        c.fillRect(px - 2.5, place((lows[i] + highs[i]) / 2) - 2.5, 5, 5);
      }
    } else if (each.kind === "band") {
      const lows = part(1);
      const highs = part(2);
      c.globalAlpha = 0.22;
      c.beginPath();
      for (let i = 0; i < xs.length; i += 1) c.lineTo(toX(xs[i] + each.x0), place(lows[i]));
      for (let i = xs.length - 1; i >= 0; i -= 1) c.lineTo(toX(xs[i] + each.x0), place(highs[i]));
      c.fill();
      c.globalAlpha = 1;
    } else {
      const ys = part(1);
      c.beginPath();
      for (let i = 0; i < xs.length; i += 1) {
        if (Number.isNaN(ys[i])) continue;
        const px = toX(xs[i] + each.x0);
        if (i && !Number.isNaN(ys[i - 1])) c.lineTo(px, place(ys[i]));
        else c.moveTo(px, place(ys[i]));
      }
      c.stroke();
    }
    c.setLineDash([]);
  }
  function drawMark(c, b, each, chosen, free) {
    const px = toX(each.x);
    const py = Math.max(b.y + 7, toY(each.top) - 8);
    c.strokeStyle = each.mark === "used" ? colours.curves[2] : colours.curves[1];
    c.fillStyle = c.strokeStyle;
    c.lineWidth = 2;
    if (each.mark === "used") {
      c.beginPath();
      c.arc(px, py, 4, 0, 7);
      c.fill();
    } else {
      line(c, px - 4, py - 4, px + 4, py + 4);
      line(c, px - 4, py + 4, px + 4, py - 4);
    }
    if (chosen) {
      c.strokeStyle = colours.ink;
      c.lineWidth = 1.5;
      c.strokeRect(px - 7.5, py - 7.5, 15, 15);
    }
    const half = c.measureText(each.name).width / 2;
    if (px - half < free && !chosen) return free;
    write(c, each.name, px, py < b.y + 22 ? py + 24 : py - 11);
    return px + half + 6;
  }
  function write(c, text, x, y) {
    c.textAlign = "center";
    c.lineWidth = 4;
    c.strokeStyle = colours.back;
    c.strokeText(text, x, y);
    c.fillStyle = colours.ink;
    c.fillText(text, x, y);
  }
  function drawHandles(c, b) {
    let free = -Infinity; // where the next name of a mark may begin
    handles().forEach((each, k) => {
      const chosen = k === plot().selected;
      if (each.mark) {
        free = drawMark(c, b, each, chosen, free);
        return;
      }
      const px = toX(each.x);
      const py = toY(each.top);
      c.strokeStyle = chosen ? colours.curves[1] : colours.ink;
      c.fillStyle = colours.back;
      c.lineWidth = chosen ? 3 : 1.5;
      const half = toY(each.base + (each.top - each.base) / 2);
      line(c, toX(each.x - each.w / 2), half, toX(each.x + each.w / 2), half);
      c.beginPath();
      c.arc(px, py, 5.5, 0, 7);
      c.fill();
      c.stroke();
      c.fillRect(toX(each.x + each.w / 2) - 4, half - 4, 8, 8);
      c.strokeRect(toX(each.x + each.w / 2) - 4, half - 4, 8, 8);
      write(c, each.name, px, Math.max(b.y + 12, py - 12));
    });
  }

  // ---- the mouse
  function hit(px, py) {
    const found = handles();
    for (let k = 0; k < found.length; k += 1) {
      const each = found[k];
      if (each.mark) {
        const above = Math.max(now().box.y + 7, toY(each.top) - 8);
        if (Math.hypot(px - toX(each.x), py - above) <= EDGE + 2) return { what: "mark", k };
        continue;
      }
      const half = toY(each.base + (each.top - each.base) / 2);
      if (Math.hypot(px - toX(each.x), py - toY(each.top)) <= EDGE + 2) return { what: "top", k };
      if (Math.hypot(px - toX(each.x + each.w / 2), py - half) <= EDGE + 2) return { what: "width", k };
    }
    const chosen = range();
    if (chosen.length) {
      if (Math.abs(px - toX(chosen[0])) <= EDGE) return { what: "edge", k: 0 };
      if (Math.abs(px - toX(chosen[1])) <= EDGE) return { what: "edge", k: 1 };
      if (mode === "range" && px > toX(chosen[0]) && px < toX(chosen[1])) return { what: "inside", k: 0 };
    }
    return { what: mode, k: 0 };
  }
  function spot(event) {
    const at = canvas.getBoundingClientRect();
    return [event.clientX - at.left, event.clientY - at.top];
  }
  // One message of a drag is under way at a time; when its answer is drawn the last place of the hand follows.
  function tell(message, final) {
    const time = performance.now();
    if (!final && (time - sent < EVERY || (unanswered && time - sent < PATIENCE))) {
      pending = message;
      return;
    }
    sent = time;
    pending = null;
    unanswered = !final;
    model.send({ ...message, final });
  }
  function answered() {
    unanswered = false;
    if (pending && drag) tell(pending, false);
  }
  canvas.addEventListener("pointerdown", (event) => {
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    const [px, py] = spot(event);
    drag = { ...hit(px, py), px, range: [...range()], handle: handles().length ? structuredClone(handles()) : [] };
    if (drag.what === "top" || drag.what === "width") model.send({ type: "select", index: drag.k });
  });
  canvas.addEventListener("pointermove", (event) => {
    const [px, py] = spot(event);
    if (!drag) {
      const kind = hit(px, py).what;
      canvas.style.cursor = { top: "move", width: "ew-resize", edge: "ew-resize", inside: "grab", mark: "pointer" }[kind] || "crosshair";
      moveCursor(px);
      return;
    }
    follow(px, py, false);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const [px, py] = spot(event);
    follow(px, py, true);
    drag = null;
  });
  canvas.addEventListener("pointercancel", () => { // the browser took the pointer: where it was last is the end
    if (drag && drag.last) follow(...drag.last, true);
    drag = null;
  });
  function follow(px, py, final) {
    drag.last = [px, py];
    const x = fromX(px);
    if (drag.what === "mark") {
      if (final) model.send({ type: "pick", index: drag.k });
    } else if (drag.what === "top" || drag.what === "width") {
      const moved = structuredClone(drag.handle);
      const one = moved[drag.k];
      if (drag.what === "top") Object.assign(one, { x, top: fromY(py) });
      else one.w = Math.max(2 * Math.abs(x - one.x), 1e-12);
      held = { ...held, handles: moved };
      tell({ type: "handle", index: drag.k, x: one.x, top: one.top, w: one.w }, final);
    } else if (drag.what === "edge" || drag.what === "inside" || drag.what === "range") {
      const chosen = drag.what === "range" ? [fromX(drag.px), x] : [...drag.range];
      if (drag.what === "edge") chosen[drag.k] = x;
      if (drag.what === "inside") chosen.forEach((each, k) => { chosen[k] = each + x - fromX(drag.px); });
      chosen.sort((a, b) => a - b);
      if (toX(chosen[1]) - toX(chosen[0]) < 3) return;
      held = { ...held, range: chosen };
      tell({ type: "range", range: chosen }, final);
    } else if (drag.what === "zoom" && final && Math.abs(px - drag.px) > 3) {
      show([fromX(drag.px), x].sort((a, b) => a - b));
    } else if (drag.what === "peak" && final) {
      model.send({ type: "add", x, y: fromY(py) });
    }
    if (final) held = held && { ...held, done: true };
    redraw();
  }
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // the page scrolls; Ctrl and the wheel zoom
    event.preventDefault();
    zoom(fromX(spot(event)[0]), event.deltaY > 0 ? 1.25 : 0.8);
  }, { passive: false });
  canvas.addEventListener("dblclick", () => model.send({ type: "window", window: [] }));

  function show(wanted) {
    ahead = wanted;
    model.send({ type: "window", window: wanted });
    remeasure();
  }

  // ---- the keyboard
  function zoom(about, factor) {
    show(plot().window.map((edge) => about + (edge - about) * factor));
  }
  function moveCursor(px) {
    const b = now().box;
    cursor = Math.min(Math.max(px, b.x), b.x + b.w);
    redraw();
    if (performance.now() - asked < EVERY) return;
    asked = performance.now();
    model.send({ type: "cursor", x: fromX(cursor) });
  }
  canvas.addEventListener("keydown", (event) => {
    const b = now().box;
    const at = cursor === null ? b.x + b.w / 2 : cursor;
    const chosen = range().length ? [...range()] : [...plot().window];
    const one = handles()[plot().selected];
    const step = (plot().window[1] - plot().window[0]) / 500;
    const count = Math.max(handles().length, 1);
    const turn = (by) => model.send({ type: "select", index: (plot().selected + by + count) % count });
    const keys = {
      ArrowLeft: () => moveCursor(at - (event.shiftKey ? 20 : 1)),
      ArrowRight: () => moveCursor(at + (event.shiftKey ? 20 : 1)),
      "[": () => model.send({ type: "range", range: [fromX(at), chosen[1]], final: true }),
      "]": () => model.send({ type: "range", range: [chosen[0], fromX(at)], final: true }),
      a: () => model.send({ type: "add", x: fromX(at), y: null }),
      n: () => turn(1),
      p: () => turn(-1),
      x: () => one && one.mark && model.send({ type: "pick", index: plot().selected }),
      ",": () => one && model.send({ type: "handle", index: plot().selected, x: one.x - step, top: one.top, w: one.w, final: true }),
      ".": () => one && model.send({ type: "handle", index: plot().selected, x: one.x + step, top: one.top, w: one.w, final: true }),
      w: () => one && model.send({ type: "handle", index: plot().selected, x: one.x, top: one.top, w: one.w * 1.1, final: true }),
      s: () => one && model.send({ type: "handle", index: plot().selected, x: one.x, top: one.top, w: one.w / 1.1, final: true }),
      Delete: () => one && model.send({ type: "remove", index: plot().selected }),
      "+": () => zoom(fromX(at), 0.8),
      "-": () => zoom(fromX(at), 1.25),
      0: () => model.send({ type: "window", window: [] }),
      l: () => model.send({ type: "log" }),
    };
    if (one && one.mark) for (const key of [",", ".", "w", "s"]) delete keys[key]; // a mark stays where it is
    const tool = Object.keys(KEYS).find((each) => KEYS[each].includes(event.key));
    const act = keys[event.key] || keys[event.key.toLowerCase()];
    if (!act || (tool && !model.get("modes").includes(tool)) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });

  // ---- what Python says
  model.on("change:plot", () => {
    ahead = null;
    if (held && held.done && !drag) held = null;
    answered();
    remeasure();
    canvas.setAttribute("aria-label", plot().described || "Spectrum");
  });
  model.on("change:handles", redraw);
  model.on("change:range", redraw);
  model.on("change:said", () => { said.textContent = model.get("said"); });
  const sizes = new ResizeObserver(() => {
    remeasure();
    const wide = Math.round(now().box.w * (window.devicePixelRatio || 1));
    if (wide > 20 && wide !== model.get("pixels")) {
      model.set("pixels", wide);
      model.save_changes();
    }
  });
  sizes.observe(canvas);
  const themes = new MutationObserver(() => {
    colours = themed();
    redraw();
  });
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  canvas.setAttribute("aria-label", plot().described || "Spectrum");
  canvas.removeAttribute("aria-describedby");
  said.textContent = model.get("said");
  choose("range");
  offer();
  redraw();
  return () => {
    sizes.disconnect();
    themes.disconnect();
    if (frame !== null) cancelAnimationFrame(frame);
  };
}

export default { render };
