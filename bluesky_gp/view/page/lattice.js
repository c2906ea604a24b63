// The pixels of a run: flat indices, rows and columns, and the slice of a lattice of three axes that is looked at.

export class Lattice {
  constructor(grid) {
    this.shape = grid.shape;
    this.ndim = grid.shape.length;
    this.grid = grid;
    this.rows = grid.shape[0];
    this.cols = this.ndim > 1 ? grid.shape[1] : 1;
    this.depth = this.ndim > 2 ? grid.shape[2] : 1;
    this.slice = 0;
    this.masked = new Set(grid.masked);
  }

  place(index) {
    const layer = index % this.depth;
    const rest = (index - layer) / this.depth;
    const col = rest % this.cols;
    return { row: (rest - col) / this.cols, col, layer };
  }

  index(row, col) {
    return (row * this.cols + col) * this.depth + this.slice;
  }

  isShown(index) {
    return index % this.depth === this.slice;
  }

  words(index) {
    const { row, col, layer } = this.place(index);
    return `(${[row, col, layer].slice(0, this.ndim).join(", ")})`;
  }

  // Where the axes go in a map, and how far apart pixels lie, in words.
  get directions() {
    const ways = this.ndim > 1 ? [" ↓", " →", ""] : [" →"];
    return this.grid.axes.map((axis, i) => `${axis}${ways[i]} ${Number(this.grid.step[i].toPrecision(4))}`).join(", ") + ` ${this.grid.units}`;
  }

  // Names of the axes, which count pixels, and how far apart those lie if there is a unit.
  get axisLabels() {
    const { axes, step, units } = this.grid;
    return axes.map((axis, i) => (units === "px" || !units ? axis : `${axis} (${Number(Math.abs(step[i]).toPrecision(4))} ${units} each)`));
  }

  // Height over width of the map as it lies on the sample; square if it were so slim that nothing could be seen.
  get ratio() {
    const [dr, dc] = [Math.abs(this.grid.step[0]), Math.abs(this.grid.step[1] ?? this.grid.step[0])];
    const ratio = (this.rows * dr) / (this.cols * dc);
    return ratio > 0.25 && ratio < 4 ? ratio : 1;
  }
}
