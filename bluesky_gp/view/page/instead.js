// What instead: the decision made again by another rule, beside the one that was made.

import { postFrame } from "./api.js";
import { said } from "./cards.js";
import { el } from "./dom.js";
import { MapPanel } from "./map.js";

const ACQUISITIONS = ["ei", "pi", "ucb", "gp-ucb", "thompson", "mes", "kg", "uncertainty", "ivr", "goal", "gradient"];
const KERNELS = ["default", "matern12", "matern32", "matern52", "rbf", "rationalquadratic"];
const COLOURS = { pursue: "#ff5b4d", explore: "#4dd2ff" };

export function insteadCard(view) {
  const choice = (names) => el("select", {}, el("option", { value: "" }, "as it was"), ...names.map((name) => el("option", { value: name }, name)));
  const acquisition = choice(ACQUISITIONS);
  const kernel = choice(KERNELS);
  const share = el("input", { type: "number", min: 0, max: 1, step: 0.1, placeholder: "as it was" });
  const batch = el("input", { type: "number", min: 1, step: 1, placeholder: "as it was" });
  const line = el("p", { className: "quiet" }, "The decision that is looked at, made again from the record. Nothing is touched.");
  const panels = el("div", { className: "panels" });

  async function ask() {
    const number = (input) => (input.value === "" ? null : Number(input.value));
    const wish = { acquisition: acquisition.value, kernel: kernel.value, share: number(share), batch_size: number(batch) };
    const found = await postFrame(`${view.asks}/instead`, wish);
    show(found);
    if (found.by_design) return "The first pixels come by a design, whatever the rule.";
    const pursued = found.chosen.filter((each) => each.pursued).length;
    return `${found.chosen.length} pixels, ${pursued} of them to pursue (red) and the others to explore (blue); ${found.common} are among the ${found.recorded} that were chosen.`;
  }

  function show(found) {
    if (view.lattice.ndim === 1) return;
    const made = view.decision.proposed.map((index) => ({ kind: "chosen", index }));
    const instead = found.chosen.map(({ pixel, pursued }) => ({ kind: "chosen", index: pixel, colour: pursued ? COLOURS.pursue : COLOURS.explore }));
    const pick = { onPick: (index) => view.pick(index) };
    const maps = [["as it was", view.frame?.maps.acquisition, made], ["instead", found.maps.acquisition, instead]];
    if (kernel.value) maps.push(["mean as it was", view.frame?.maps.mean, []], ["mean instead", found.maps.mean, []]);
    panels.replaceChildren(...maps.map(([title, map, marks], i) => {
      const panel = new MapPanel(title, view.lattice, i < 2 ? "cividis" : "viridis", pick);
      panel.show(map?.low === null ? null : map, i < 2 ? null : view.limits("mean"), marks);
      return panel.element;
    }));
  }

  const button = el("button", { onclick: () => said(line, ask) }, "Decide instead");
  const row = el("p", {}, el("label", {}, "acquisition ", acquisition), el("label", {}, "kernel ", kernel), el("label", {}, "share ", share), el("label", {}, "batch ", batch), button);
  return { element: el("section", { className: "card instead" }, el("h3", {}, "What instead"), row, line, panels) };
}
