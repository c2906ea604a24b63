// Numbers beside a map: pixels along both axes, their names, and how far apart they lie.

import { el } from "./dom.js";

const MOST = 6; // numbers along an axis

// Whole numbers from 0, evenly spaced by 1, 2 or 5 times a power of ten, that are pixels of an axis of `n`.
export function ticks(n) {
  const least = Math.max(n / MOST, 1);
  const ten = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((times) => times * ten).find((each) => each >= least);
  return Array.from({ length: Math.ceil(n / step) }, (_, i) => i * step);
}

// A canvas of a map in a frame of numbers.
export function ticked(canvas, lattice) {
  const along = (n, side) => ticks(n).map((at) => {
    const number = el("span", {}, String(at));
    number.style[side] = `${(100 * (at + 0.5)) / n}%`;
    return number;
  });
  const [row, col] = lattice.axisLabels;
  return el(
    "div", { className: "ticked" },
    el("b", {}, row), el("div", { className: "rows" }, ...along(lattice.rows, "top")), canvas,
    el("div", { className: "cols" }, ...along(lattice.cols, "left")), el("em", {}, col ?? ""),
  );
}
