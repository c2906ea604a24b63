// One panel: a map as an image, and on it what was measured, what failed and what was chosen.

import { css, gradient, TABLES } from "./colours.js";
import { el, short } from "./dom.js";
import { drawNumbers } from "./numbers.js";
import { ticked } from "./ticks.js";

const WIDTH = 330;
const TALLEST = 420;

export class MapPanel {
  constructor(title, lattice, colours, { onPick, onRegion } = {}) {
    this.lattice = lattice;
    this.colours = colours;
    this.said = el("small");
    this.means = el("p", { className: "means" }); // what its numbers are, where that needs more than a unit
    this.low = el("span");
    this.high = el("span");
    const bar = el("i");
    bar.style.background = gradient(colours);
    this.bar = el("div", { className: "bar" }, this.low, bar, this.high);
    this.canvas = el("canvas");
    this.image = document.createElement("canvas");
    this.element = el("section", { className: "panel" }, el("h3", {}, title, this.said), ticked(this.canvas, lattice), this.bar, this.means);
    this.size();
    this.listen(onPick, onRegion);
  }

  size() {
    const width = Math.min(WIDTH, TALLEST / this.lattice.ratio);
    const dots = window.devicePixelRatio || 1;
    this.canvas.style.width = `${width}px`;
    this.canvas.width = Math.round(width * dots);
    this.canvas.height = Math.round(width * this.lattice.ratio * dots);
    this.dots = dots;
    this.image.width = this.lattice.cols;
    this.image.height = this.lattice.rows;
  }

  listen(onPick, onRegion) {
    let from = null;
    this.canvas.addEventListener("pointerdown", (event) => {
      from = this.pixel(event);
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      const to = this.pixel(event);
      this.canvas.title = this.describe?.(this.lattice.index(to.row, to.col)) ?? "";
      if (from && onRegion) this.draw({ rectangle: [from, to] });
    });
    this.canvas.addEventListener("pointerup", (event) => {
      const to = this.pixel(event);
      const moved = from && (from.row !== to.row || from.col !== to.col);
      if (moved && onRegion) onRegion(from, to);
      else if (from && onPick) onPick(this.lattice.index(to.row, to.col), this.exactly(event));
      from = null;
    });
  }

  pixel(event) {
    const box = this.canvas.getBoundingClientRect();
    const within = (share, n) => Math.min(Math.max(Math.floor(share * n), 0), n - 1);
    return {
      row: within((event.clientY - box.top) / box.height, this.lattice.rows),
      col: within((event.clientX - box.left) / box.width, this.lattice.cols),
    };
  }

  // A place between pixels: whole numbers are their centres.
  exactly(event) {
    const box = this.canvas.getBoundingClientRect();
    const at = (share, n) => Number((share * n - 0.5).toFixed(2));
    return [at((event.clientY - box.top) / box.height, this.lattice.rows), at((event.clientX - box.left) / box.width, this.lattice.cols)];
  }

  // A map of levels, coloured between the given limits, its own unless others are given; without a map, limits are words.
  show(map, limits, marks = []) {
    this.marks = marks;
    const { rows, cols, depth, slice } = this.lattice;
    const context = this.image.getContext("2d");
    const pixels = context.createImageData(cols, rows);
    const words = new Uint32Array(pixels.data.buffer); // a pixel each: bytes one by one take 20 times as long
    if (map) {
      const [low, high] = limits ?? [map.low, map.high];
      const colours = levelColours(map, low, high, TABLES[this.colours]);
      for (let i = 0, at = slice; i < words.length; i++, at += depth) words[i] = colours[map.levels[at]];
      this.low.textContent = short(low);
      this.high.textContent = short(high);
    }
    if (!map && limits) [this.low.textContent, this.high.textContent] = limits;
    this.bar.style.visibility = limits || (map && map.low !== null) ? "visible" : "hidden";
    context.putImageData(pixels, 0, 0);
    this.draw();
  }

  draw(region = this.region) {
    const context = this.canvas.getContext("2d");
    const { width, height, clientWidth } = this.canvas;
    this.dots = clientWidth ? width / clientWidth : this.dots; // marks and numbers are as large on a narrow page
    context.fillStyle = "#e9edf2";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.image, 0, 0, width, height);
    const [x, y] = [width / this.lattice.cols, height / this.lattice.rows];
    const cell = Math.min(x, y);
    const numbered = [];
    for (const mark of this.marks ?? []) {
      if (!this.lattice.isShown(mark.index)) continue;
      const { row, col } = this.lattice.place(mark.index);
      MARKS[mark.kind](context, (col + 0.5) * x, (row + 0.5) * y, cell, this.dots, mark);
      if (mark.number) numbered.push({ x: (col + 0.5) * x, y: (row + 0.5) * y, number: mark.number });
    }
    drawNumbers(context, numbered, square(cell, this.dots), this.dots);
    if (region?.rectangle) this.rectangle(context, x, y, region.rectangle);
    if (region?.polygon) this.polygon(context, x, y, region.polygon);
  }

  rectangle(context, x, y, [a, b]) {
    const [top, left] = [Math.min(a.row, b.row), Math.min(a.col, b.col)];
    const path = new Path2D();
    path.rect(left * x, top * y, (Math.abs(a.col - b.col) + 1) * x, (Math.abs(a.row - b.row) + 1) * y);
    dashed(context, path, this.dots);
  }

  polygon(context, x, y, corners) {
    const path = new Path2D();
    corners.forEach(([row, col], i) => path[i ? "lineTo" : "moveTo"]((col + 0.5) * x, (row + 0.5) * y));
    if (corners.length > 2) path.closePath();
    dashed(context, path, this.dots);
    for (const [row, col] of corners) ring(context, (col + 0.5) * x, (row + 0.5) * y, 3 * this.dots, "#fff", 2 * this.dots);
  }

  say(text) {
    this.said.textContent = this.said.title = text;
  }
}

// Colours of the 256 levels of a map between limits that need not be its own, as pixels; nothing where no number is.
function levelColours(map, low, high, table) {
  const colours = new Uint8Array(1024);
  for (let level = 1; level < 256; level++) {
    const value = map.low + ((level - 1) / 254) * (map.high - map.low);
    const share = high > low ? Math.min(Math.max((value - low) / (high - low), 0), 1) : 0.5;
    const i = Math.round(255 * share);
    colours.set(table.subarray(3 * i, 3 * i + 3), 4 * level);
    colours[4 * level + 3] = 255;
  }
  return new Uint32Array(colours.buffer);
}

function dashed(context, path, dots) {
  for (const [colour, width, dash] of [["#000", 3.5, []], ["#fff", 2, [5, 4]]]) {
    context.strokeStyle = colour;
    context.lineWidth = width * dots;
    context.setLineDash(dash.map((length) => length * dots));
    context.stroke(path);
  }
  context.setLineDash([]);
}

function ring(context, x, y, radius, colour, width) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}

// Half the side of the square around a chosen pixel.
const square = (cell, dots) => Math.max(cell / 2, 4 * dots);

const MARKS = {
  measured(context, x, y, cell, dots, mark) {
    const size = Math.max(cell, 3 * dots);
    context.fillStyle = css(mark.colours, mark.share);
    context.fillRect(x - size / 2, y - size / 2, size, size);
  },
  taught(context, x, y, cell, dots, mark) {
    const size = Math.max(0.6 * cell, 3 * dots);
    context.fillStyle = css(mark.colours, mark.share);
    context.fillRect(x - size / 2, y - size / 2, size, size);
    context.strokeStyle = "#667085";
    context.lineWidth = 0.7 * dots;
    context.strokeRect(x - size / 2, y - size / 2, size, size);
  },
  dot(context, x, y, cell, dots) {
    context.fillStyle = "rgba(255,255,255,.75)";
    context.beginPath();
    context.arc(x, y, Math.max(Math.min(cell / 5, 2 * dots), dots), 0, 2 * Math.PI);
    context.fill();
  },
  failed(context, x, y, cell, dots) {
    const arm = Math.max(cell / 2.5, 3.5 * dots);
    for (const [colour, width] of [["#fff", 3 * dots], ["#111", 1.4 * dots]]) {
      context.beginPath();
      context.moveTo(x - arm, y - arm);
      context.lineTo(x + arm, y + arm);
      context.moveTo(x + arm, y - arm);
      context.lineTo(x - arm, y + arm);
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
  },
  chosen(context, x, y, cell, dots, mark) {
    const half = square(cell, dots);
    context.strokeStyle = "#000";
    context.lineWidth = 3 * dots;
    context.strokeRect(x - half, y - half, 2 * half, 2 * half);
    context.strokeStyle = mark.colour ?? "#fff";
    context.lineWidth = 1.5 * dots;
    context.strokeRect(x - half, y - half, 2 * half, 2 * half);
  },
  best(context, x, y, cell, dots) {
    const radius = Math.max(0.42 * cell, 7 * dots);
    ring(context, x, y, radius, "#fff", 3.5 * dots);
    ring(context, x, y, radius, "#e0262b", 2 * dots);
  },
  picked(context, x, y, cell, dots) {
    const half = Math.max(cell / 2 + dots, 6 * dots);
    for (const [colour, width] of [["#000", 4 * dots], ["#27d3f5", 2 * dots]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.strokeRect(x - half, y - half, 2 * half, 2 * half);
    }
  },
};
