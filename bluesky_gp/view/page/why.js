// Why a pixel was chosen, or not: numbers of the model, its spectrum, the measured pixels that speak for it.

import { closed, Curve } from "./curve.js";
import { el, short, withUnits } from "./dom.js";

export function whyHere(card, found, view) {
  const { lattice, course } = view;
  const index = view.picked;
  const facts = el("table", {}, ...facts_(found, view).map(([name, ...value]) => el("tr", {}, el("th", {}, name), el("td", {}, ...value))));
  const left = el("div", {}, el("h3", {}, `Why here: pixel ${lattice.words(index)} at decision ${view.number + 1}`), el("p", {}, sentence(found, view)), facts);
  const right = el("div", {}, spectrum(found, course), weights(found, course, view));
  card.replaceChildren(el("div", { className: "two" }, left, right));
}

function sentence({ choice, outcome, model, allowed }, view) {
  if (!allowed) return "The mask leaves this pixel out: it is never measured.";
  if (choice.chosen && choice.by === "design") return "Chosen as one of the first pixels, by their design: nothing was known yet.";
  const repeats = choice.repeats ? "" : " (Computed now, the decision comes out a little differently: by rounding.)";
  if (choice.chosen && choice.by === "hand") return "Chosen by a person.";
  if (choice.chosen && choice.by === "pursue") return `Chosen to pursue the target: in place ${choice.place} of the batch the acquisition function was largest here.${repeats}`;
  if (choice.chosen && choice.by === "explore") return `Chosen to explore: in place ${choice.place} of the batch a measurement here told most of the whole map.${repeats}`;
  if (choice.chosen) return `Chosen.${repeats}`;
  if (choice.earlier !== null) return `Not chosen now: decision ${choice.earlier + 1} chose it.`;
  if (outcome?.known) return "Not chosen: it had been attempted already.";
  const rank = model.rank ? ` Its acquisition was in place ${model.rank} of ${model.candidates}.` : "";
  return `Not chosen.${rank}`;
}

function facts_({ outcome, taught, model, position, units }, { course, lattice }) {
  const rows = [["position", `${[...position].map(short).join(", ")} ${units}`]];
  if (taught) rows.push(["learnt", `${withUnits(taught.value, course.units)}, of run ${taught.run.slice(0, 8)}`]);
  if (!outcome) rows.push(["measured", taught ? "not in this run" : "never, so far"]);
  else if (outcome.reason) rows.push(["failed", el("span", { className: "failed" }, outcome.reason)]);
  else rows.push(["value", `${outcome.values.map((value) => withUnits(value, course.units)).join(", ")}${outcome.known ? "" : " (measured later)"}`]);
  if (outcome) rows.push(["order", `attempted as number ${outcome.order}`]);
  rows.push(["mean", withUnits(model.mean, course.units)], ["deviation", withUnits(model.std, course.units)]);
  rows.push(["acquisition", `${short(model.acquisition)}${model.rank ? `, rank ${model.rank} of ${model.candidates}` : ""}`]);
  if (model.best_pixel) rows.push(["best then", `${withUnits(model.best_value, course.units)} at (${model.best_pixel.slice(0, lattice.ndim).join(", ")})`]);
  return rows;
}

function spectrum({ spectrum: found }, { windows }) {
  if (!found) return el("p", { className: "quiet" }, "There is no spectrum of this pixel in the record.");
  const labels = { x: found.axis_units, y: [found.name, found.units].filter(Boolean).join(" ") };
  return new Curve([{ ...closed(found.axis, found.values.map((value) => value ?? NaN)), colour: "#b3261e" }], labels, { windows: windows.map(({ low, high }) => [low, high]) }).element;
}

function weights({ weights: found }, course, view) {
  if (!found) return null;
  const largest = Math.max(...found.told.map((each) => Math.abs(each.weight)), 1e-9);
  const rows = found.told.map(({ pixel, value, weight }) => {
    const bar = el("span", { className: weight < 0 ? "weight minus" : "weight" });
    bar.style.width = `${(70 * Math.abs(weight)) / largest}px`;
    const place = el("button", { onclick: () => view.pick(flat(pixel, view.lattice)) }, `(${pixel.join(", ")})`);
    return el("tr", {}, el("td", {}, place), el("td", {}, withUnits(value, course.units)), el("td", {}, short(weight)), el("td", {}, bar));
  });
  const rest = found.others ? `; the other ${found.others} weigh ${short(found.rest)} together` : "";
  return el("div", {}, el("h3", {}, "Measured pixels that speak for its mean"), el("table", {}, ...rows), el("p", { className: "quiet" }, `Weights of their values in the mean${rest}.`));
}

function flat(pixel, lattice) {
  return pixel.reduce((index, at, axis) => index * lattice.shape[axis] + at, 0);
}
