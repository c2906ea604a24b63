// Files of the run as of the decision that is looked at.

import { download } from "./api.js";
import { said } from "./cards.js";
import { el } from "./dom.js";

const FILES = { "figure.png": "figure (PNG)", "figure.svg": "figure (SVG)", "figure.pdf": "figure (PDF)", "data.nc": "maps and spectra (NetCDF)", "pixels.csv": "pixels (CSV)" };

export function filesCard(view) {
  const line = el("p", { className: "quiet" }, "As of the decision that is looked at.");
  const fetched = (name) => async () => {
    await download(`${view.asks}/files/${name}`, `${view.uid.slice(0, 8)}-${view.number + 1}-${name}`);
    return `${name} as of decision ${view.number + 1}.`;
  };
  const buttons = Object.entries(FILES).map(([name, words]) => el("button", { onclick: () => said(line, fetched(name)) }, words));
  return { element: el("section", { className: "card" }, el("h3", {}, "Take with you"), ...buttons, line) };
}
