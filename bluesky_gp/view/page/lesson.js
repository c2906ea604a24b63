// Another run to learn from: which one, the noise of its values, and its grid where its record does not say it.

import { clock, el } from "./dom.js";

export function lesson(view) {
  const run = el("select", { "aria-label": "a run to learn from" }, el("option", { value: "" }, "a run"));
  const noise = el("input", { type: "text", "aria-label": "the noise of its values", placeholder: "as here", size: 12 });
  const like = (values) => values.map((value) => Number(value.toPrecision(6))).join(", ");
  const { shape, step, origin, units } = view.lattice.grid;
  const field = (name, usual) => el("input", { type: "text", "aria-label": name, placeholder: `as ${like(usual)}`, size: 12 });
  const grid = { shape: field("its pixels", shape), step: field("its step", step), origin: field("its first pixel", origin) };
  const rotation = el("input", { type: "number", step: "any", "aria-label": "its rotation", placeholder: "0" });

  const numbers = (words, text) => {
    const found = text.split(/[\s,x×]+/).filter(Boolean).map(Number);
    if (found.length !== shape.length || found.some(Number.isNaN)) throw new Error(`Its ${words}: give ${shape.length} numbers with a comma between them, got ${text}.`);
    return found;
  };

  function lattice() {
    if (!grid.shape.value.trim()) {
      if ([grid.step, grid.origin, rotation].some((input) => input.value.trim())) throw new Error("A grid of its own has a number of pixels along every axis: give it, or empty the other fields.");
      return {};
    }
    const found = { shape: numbers("pixels", grid.shape.value), units, axes: view.lattice.grid.axes };
    found.step = grid.step.value.trim() ? numbers("step", grid.step.value) : step;
    found.origin = grid.origin.value.trim() ? numbers("first pixel", grid.origin.value) : origin;
    if (rotation.value !== "") found.rotation = Number(rotation.value);
    return { grid: found };
  }

  // What the action is given; the noise is a number, or the event key that has one for every value.
  function given() {
    if (!run.value) throw new Error("Choose a run first.");
    const text = noise.value.trim();
    return { run: run.value, ...(text ? { std: Number.isNaN(Number(text)) ? text : Number(text) } : {}), ...lattice() };
  }

  function offer(runs) {
    const others = runs.filter((other) => other.uid !== view.uid);
    if (others.map((other) => other.uid).join() === [...run.options].slice(1).map((one) => one.value).join()) return;
    const now = run.value;
    const option = (other) => el("option", { value: other.uid, selected: other.uid === now }, `${other.scan_id ?? ""} ${other.plan_name} ${clock(other.time)}`);
    run.replaceChildren(el("option", { value: "" }, "a run"), ...others.map(option));
  }

  const further = el(
    "details",
    {},
    el("summary", { className: "quiet" }, "its noise, its grid"),
    el("p", {}, el("label", {}, `noise of its values, ${view.course.units || "in the target's unit"} or an event key `, noise)),
    el("p", { className: "quiet" }, "The grid is known of maps of this package. Of others:"),
    el("p", {}, el("label", {}, "pixels ", grid.shape), el("label", {}, `step, ${units} `, grid.step), el("label", {}, `first pixel at, ${units} `, grid.origin), shape.length === 2 ? el("label", {}, "rotation, degrees ", rotation) : null),
  );
  return { run, further, given, offer };
}
