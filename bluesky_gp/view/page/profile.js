// A run over one axis: curves in place of maps.

import { Curve } from "./curve.js";
import { el } from "./dom.js";

export function drawProfile(view) {
  const { step, origin, units, axes } = view.course.grid;
  const at = (index) => origin[0] + step[0] * index;
  const x = Array.from({ length: view.lattice.rows }, (_, i) => at(i));
  const [mean, std, acquisition] = ["mean", "std", "acquisition"].map((name) => valuesOf(view.frame?.maps[name], x.length));
  const { index, value } = view.course.pixels;
  const known = view.known();
  const parts = [
    { kind: "band", x, low: mean.map((m, i) => m - 2 * std[i]), high: mean.map((m, i) => m + 2 * std[i]) },
    { x, y: mean },
    { kind: "points", x: index.slice(0, known).map(at), y: value.slice(0, known).map((v) => v ?? NaN) },
    { kind: "points", ring: true, x: view.taught().map((told) => at(told.index)), y: view.taught().map((told) => told.value) },
    { kind: "crosses", x: index.slice(0, known).filter((_, i) => value[i] === null).map(at), y: [] },
  ];
  if (view.picked !== null) parts.push({ kind: "points", ring: true, radius: 7, colour: "#0aa5c9", x: [at(view.picked)], y: [mean[view.picked]] });
  const label = `${axes[0]}${units === "px" ? "" : ` (${units})`}`;
  const main = new Curve(parts, { x: label, y: [view.course.target, view.course.units && `(${view.course.units})`].filter(Boolean).join(" ") }, { height: 260 });
  main.element.addEventListener("click", (event) => {
    const box = main.element.getBoundingClientRect();
    const value = main.at((event.clientX - box.left) / box.width);
    view.pick(Math.min(Math.max(Math.round((value - origin[0]) / step[0]), 0), view.lattice.rows - 1));
  });
  const next = acquisition.some(Number.isFinite) ? chosen(x, acquisition, view.decision.proposed, at, label, view.course.scores) : el("p", { className: "quiet" }, view.nothing());
  view.curves.replaceChildren(el("h3", {}, "mean, two deviations, measured"), main.element, next);
}

function chosen(x, acquisition, proposed, at, label, scores) {
  const points = { kind: "points", x: proposed.map(at), y: proposed.map((pixel) => acquisition[pixel]), colour: "#a15c00" };
  return new Curve([{ x, y: acquisition, colour: "#a15c00" }, points], { x: label, y: scores }, { height: 130 }).element;
}

function valuesOf(map, length) {
  if (!map || map.low === null) return Array(length).fill(NaN);
  return Array.from(map.levels, (level) => (level ? map.low + ((level - 1) / 254) * (map.high - map.low) : NaN));
}
