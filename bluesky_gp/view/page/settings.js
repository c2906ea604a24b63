// Settings of a run that goes on: what is left empty stays as it is.

import { el } from "./dom.js";

const ACQUISITIONS = ["ei", "pi", "ucb", "gp-ucb", "thompson", "mes", "kg", "uncertainty", "ivr", "goal", "gradient"];
const ALONE = "alone";
const RULES = {
  map_error: ["100 more lower the map's error by less than", "GainBelow"],
  best: ["100 more raise the best by less than", "GainBelow"],
  floor: ["the map moves, in its spread, by less than", "MapChangeBelow"],
  probability: ["a better pixel is less likely than", "BetterUnlikely"],
  seconds: ["it has taken, in seconds,", "MaxTime"],
};
const NOTHING_LEARNT = { class: "bluesky_gp:NothingLearnt", num: 30 }; // the usual guard of every run

export function settings() {
  const option = (value, words) => el("option", { value }, words);
  const number = (limits) => el("input", { type: "number", placeholder: "as it is", ...limits });
  const acquisition = el("select", {}, option("", "as it is"), ...ACQUISITIONS.map((name) => option(name, name)));
  const numbers = { batch: number({ min: 0, max: 1, step: 0.1 }), batch_size: number({ min: 1 }), min_distance: number({ min: 0, step: "any" }), num: number({ min: 1 }) };
  const rule = el("select", { "aria-label": "when the run ends by itself" }, option("", "as it is"), option(ALONE, "all its pixels are measured"), ...Object.entries(RULES).map(([name, [words]]) => option(name, words)));
  const limit = el("input", { type: "number", step: "any", "aria-label": "the limit of that rule", hidden: true });
  rule.addEventListener("change", () => { limit.hidden = !(rule.value in RULES); });

  function stopping() {
    if (!rule.value) return {};
    if (rule.value === ALONE) return { stopping: [NOTHING_LEARNT] };
    if (limit.value === "") throw new Error("The rule that ends the run has a limit: give it.");
    return { stopping: [NOTHING_LEARNT, { class: `bluesky_gp:${RULES[rule.value][1]}`, [rule.value]: Number(limit.value) }] };
  }

  function given() {
    const found = { ...(acquisition.value ? { acquisition: acquisition.value } : {}), ...stopping() };
    for (const [name, input] of Object.entries(numbers)) if (input.value !== "") found[name] = Number(input.value);
    return found;
  }

  const rows = [
    el("p", {}, el("label", {}, "acquisition ", acquisition), el("label", {}, "share that pursues ", numbers.batch), el("label", {}, "batch ", numbers.batch_size), el("label", {}, "pixels apart ", numbers.min_distance), el("label", {}, "pixels in all ", numbers.num)),
    el("p", {}, el("label", {}, "ends when ", rule), limit),
  ];
  return { rows, given };
}
