// Curves and points in a small figure.

import { short, svg } from "./dom.js";

const [W, H, LEFT, BOTTOM, TOP, RIGHT] = [460, 210, 62, 34, 10, 10];

export class Curve {
  // Of [{x, y, colour, kind: "line" | "points" | "band", low, high}], labels {x, y}, and a callback for a window of x.
  constructor(parts, labels = {}, { windows = [], onWindow = null, height = H } = {}) {
    this.height = height;
    const xs = parts.flatMap((part) => part.x).filter(Number.isFinite);
    const ys = parts.flatMap((part) => (part.kind === "band" ? [...part.low, ...part.high] : part.y)).filter(Number.isFinite);
    this.x = spread(xs, 0);
    this.y = spread(ys, 0.06);
    this.element = svg("svg", { viewBox: `0 0 ${W} ${height}`, role: "img" });
    for (const [low, high, colour] of windows) this.shade(low, high, colour);
    this.axes(labels);
    parts.forEach((part) => this[part.kind ?? "line"](part));
    if (onWindow) this.mark(onWindow);
  }

  px(x) {
    return LEFT + ((x - this.x[0]) / (this.x[1] - this.x[0])) * (W - LEFT - RIGHT);
  }

  py(y) {
    return this.height - BOTTOM - ((y - this.y[0]) / (this.y[1] - this.y[0])) * (this.height - BOTTOM - TOP);
  }

  // The x at a share of the figure's width.
  at(share) {
    return this.x[0] + ((share * W - LEFT) / (W - LEFT - RIGHT)) * (this.x[1] - this.x[0]);
  }

  axes(labels) {
    const [bottom, right] = [this.height - BOTTOM, W - RIGHT];
    this.element.append(svg("path", { d: `M${LEFT} ${TOP}V${bottom}H${right}`, fill: "none", stroke: "#98a2b3" }));
    for (const [share, anchor] of [[0, "start"], [0.5, "middle"], [1, "end"]]) {
      const value = this.x[0] + share * (this.x[1] - this.x[0]);
      this.text(LEFT + share * (right - LEFT), bottom + 13, short(value), anchor);
    }
    for (const share of [0.06, 0.5, 0.94]) {
      const value = this.y[0] + share * (this.y[1] - this.y[0]);
      this.text(LEFT - 4, this.py(value) + 4, short(value), "end");
    }
    this.text((LEFT + right) / 2, this.height - 4, labels.x ?? "", "middle");
    const y = svg("text", { transform: `translate(11 ${(TOP + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" });
    y.textContent = labels.y ?? "";
    this.element.append(y);
  }

  text(x, y, words, anchor) {
    const made = svg("text", { x, y, "text-anchor": anchor });
    made.textContent = words;
    this.element.append(made);
  }

  line({ x, y, colour = "#1f5fbf", width = 1.3 }) {
    let d = "";
    let broken = true;
    x.forEach((at, i) => {
      const known = Number.isFinite(at) && Number.isFinite(y[i]);
      if (known) d += `${broken ? "M" : "L"}${this.px(at).toFixed(1)} ${this.py(y[i]).toFixed(1)}`;
      broken = !known;
    });
    this.element.append(svg("path", { d, fill: "none", stroke: colour, "stroke-width": width }));
  }

  points({ x, y, colour = "#1d2430", radius = 3, ring = false }) {
    x.forEach((at, i) => {
      if (!Number.isFinite(y[i])) return;
      const style = ring ? { fill: "none", stroke: colour, "stroke-width": 1.6 } : { fill: colour };
      this.element.append(svg("circle", { cx: this.px(at), cy: this.py(y[i]), r: radius, ...style }));
    });
  }

  crosses({ x, colour = "#b3261e" }) {
    for (const at of x) {
      const [cx, cy] = [this.px(at), this.height - BOTTOM - 5];
      const d = `M${cx - 3.5} ${cy - 3.5}l7 7m0 -7l-7 7`;
      this.element.append(svg("path", { d, stroke: colour, "stroke-width": 1.6 }));
    }
  }

  band({ x, low, high, colour = "rgba(31,95,191,.18)" }) {
    const up = x.map((at, i) => `${this.px(at).toFixed(1)} ${this.py(high[i] ?? this.y[0]).toFixed(1)}`);
    const down = x.map((at, i) => `${this.px(at).toFixed(1)} ${this.py(low[i] ?? this.y[0]).toFixed(1)}`).reverse();
    this.element.append(svg("path", { d: `M${[...up, ...down].join("L")}Z`, fill: colour }));
  }

  shade(low, high, colour = "rgba(224,150,0,.22)") {
    const [x, end] = [this.px(Math.max(low, this.x[0])), this.px(Math.min(high, this.x[1]))];
    const at = { x, y: TOP, width: Math.max(end - x, 1), height: this.height - BOTTOM - TOP, fill: colour };
    const made = svg("rect", at);
    this.element.append(made);
    return made;
  }

  mark(onWindow) {
    let from = null;
    let shown = null;
    const at = (event) => {
      const box = this.element.getBoundingClientRect();
      return this.at((event.clientX - box.left) / box.width);
    };
    this.element.style.cursor = "col-resize";
    this.element.style.touchAction = "none";
    this.element.addEventListener("pointerdown", (event) => {
      from = at(event);
      this.element.setPointerCapture(event.pointerId);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (from === null) return;
      shown?.remove();
      shown = this.shade(Math.min(from, at(event)), Math.max(from, at(event)), "rgba(31,95,191,.2)");
    });
    this.element.addEventListener("pointerup", (event) => {
      const to = at(event);
      if (from !== null && from !== to) onWindow(Math.min(from, to), Math.max(from, to));
      from = null;
    });
  }
}

// Channels as a line joins them: a sweep, which goes there and back, is closed.
export function closed(x, y) {
  const steps = x.slice(1).map((at, i) => at - x[i]);
  const isSweep = steps.some((step) => step > 0) && steps.some((step) => step < 0);
  return isSweep ? { x: [...x, x[0]], y: [...y, y[0]] } : { x, y };
}

function spread(values, margin) {
  if (!values.length) return [0, 1];
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const room = (high - low || Math.abs(high) || 1) * (high > low ? margin : 0.5);
  return [low - room, high + room];
}
