// A target picked by hand in a spectrum, the map that it gives, and the text for the device.

import { get, postFrame } from "./api.js";
import { said } from "./cards.js";
import { closed, Curve } from "./curve.js";
import { el, short } from "./dom.js";
import { MapPanel } from "./map.js";

const KINDS = {
  area: "area in the window",
  peak: "peak in the window",
  peak_position: "position of the peak in the window",
  centroid: "centroid of the window",
  net_counts: "net counts of an edge above its background",
  cosine: "likeness to the picked pixel's spectrum",
};

export function targetCard(view) {
  const kind = el("select", {}, ...Object.entries(KINDS).map(([value, words]) => el("option", { value }, words)));
  const name = el("input", { type: "text", value: "my_target", size: 14 });
  const line = el("p", { className: "quiet" }, "Pick a measured pixel in a map, then draw a window across its spectrum.");
  const figure = el("div");
  const panels = el("div", { className: "panels" });
  const text = el("pre", { hidden: true });
  const windows = [];
  let spectrum = null;

  function draw() {
    if (!spectrum) return figure.replaceChildren();
    const labels = { x: spectrum.axis_units, y: spectrum.units };
    const shades = windows.map(([low, high], i) => [low, high, i === windows.length - 1 ? "rgba(31,95,191,.25)" : "rgba(224,150,0,.25)"]);
    const y = spectrum.values.map((value) => value ?? NaN);
    figure.replaceChildren(new Curve([{ ...closed(spectrum.axis, y), colour: "#b3261e" }], labels, { windows: shades, onWindow: marked }).element);
  }

  function marked(low, high) {
    windows.push([low, high]);
    while (windows.length > (kind.value === "net_counts" ? 2 : 1)) windows.shift();
    draw();
    const two = kind.value === "net_counts";
    line.className = "quiet";
    line.textContent = two && windows.length < 2 ? `Background ${told(windows[0])}; now draw the window of the edge.` : windows.map(told).join(", ");
    if (!two || windows.length === 2) said(line, ask);
  }

  const told = ([low, high]) => `${short(low)} to ${short(high)} ${spectrum.axis_units}`;

  async function ask() {
    const wish = { kind: kind.value, name: name.value };
    if (kind.value === "cosine") wish.reference_pixel = view.picked;
    else if (kind.value === "net_counts") [wish.background, wish.edge] = windows;
    else if (windows.length) [wish.window] = windows;
    const found = await postFrame(`${view.asks}/target`, wish);
    show(found);
    const failed = found.values.filter((value) => value === null).length;
    return failed ? `${failed} of ${found.values.length} spectra have no such number: ${found.reason}` : `${found.values.length} spectra.`;
  }

  function show(found) {
    text.textContent = found.text;
    text.hidden = false;
    if (view.lattice.ndim === 1) return;
    const known = found.values.filter((value) => value !== null).sort((a, b) => a - b);
    const at = (share) => known[Math.round(share * (known.length - 1))] ?? 0;
    const [low, high] = [at(0.01), at(0.99)]; // a few outliers must not take all the colours
    const marks = found.pixels.map((index, i) => found.values[i] === null ? { kind: "failed", index } : { kind: "measured", index, colours: "viridis", share: high > low ? (found.values[i] - low) / (high - low) : 0.5 });
    const pick = { onPick: (index) => view.pick(index) };
    const measured = new MapPanel(name.value, view.lattice, "viridis", pick);
    measured.show(null, [short(low), short(high)], marks);
    measured.say(found.units);
    const mean = new MapPanel("predicted everywhere", view.lattice, "viridis", pick);
    mean.say(found.units);
    mean.show(found.maps.mean.low === null ? null : found.maps.mean, null, []);
    panels.replaceChildren(measured.element, mean.element);
  }

  async function picked(index) {
    const found = await get(`/runs/${view.uid}/spectra/${index}`).catch(() => null);
    if (found?.spectrum && index === view.picked) {
      spectrum = found.spectrum;
      draw();
    }
  }

  const button = el("button", { onclick: () => said(line, ask) }, "Show its map");
  kind.addEventListener("change", () => { windows.length = 0; draw(); });
  const row = el("p", {}, el("label", {}, kind), el("label", {}, "named ", name), button);
  return { element: el("section", { className: "card target" }, el("h3", {}, "A target by hand"), row, line, figure, panels, text), picked };
}
