// One run: its maps at a decision, what is known of a pixel, and what can be asked of it.

import { frame, get } from "./api.js";
import { cards } from "./cards.js";
import { clock, el, short, withUnits } from "./dom.js";
import { Lattice } from "./lattice.js";
import { MapPanel } from "./map.js";
import { nameOf } from "./names.js";
import { drawProfile } from "./profile.js";
import { whyHere } from "./why.js";

const FRAMES = 2 ** 26; // bytes of maps that are kept here
const AHEAD = 3; // decisions that are fetched before they are looked at
const AGAIN = 400; // ms, until maps that are being computed are asked for again
const ENDS = { num: "as many pixels as it was to attempt" }; // reasons that are no words
const REST = 150; // ms that the slider has not moved

export class RunView {
  constructor(uid, { compact = false, onBeside = null } = {}) {
    this.uid = uid;
    this.compact = compact;
    this.onBeside = onBeside;
    this.frames = new Map();
    this.number = -1;
    this.picked = null;
    this.outline = null; // corners of the polygon that is being drawn
    this.sameScale = true;
    this.byValue = true;
    this.partner = null;
    this.element = el("article", {}, el("p", { className: "quiet" }, "Reading the run …"));
  }

  async open() {
    this.course = await get(`/runs/${this.uid}`);
    this.lattice = new Lattice(this.course.grid);
    this.build();
    await this.last();
  }

  async update() {
    if (!this.course) return;
    const course = await get(`/runs/${this.uid}?known=${this.course.version}`);
    if (course.decisions) {
      const atEnd = this.number === this.course.decisions.length - 1;
      this.course = course;
      this.headline();
      this.slider.max = Math.max(course.decisions.length - 1, 0);
      if (atEnd) await this.last();
      else this.paint();
    }
    for (const card of this.cards ?? []) await card.update?.();
  }

  build() {
    this.title = el("h2");
    this.about = el("p", { className: "quiet" });
    this.slider = el("input", { type: "range", min: 0, max: Math.max(this.course.decisions.length - 1, 0), "aria-label": "decision" });
    this.slider.addEventListener("input", () => this.show(Number(this.slider.value)));
    this.told = el("p", { className: "told" });
    this.play = el("button", { title: "play", onclick: () => this.toggle() }, "▶");
    const step = (by) => () => this.show(this.number + by);
    const time = el("div", { className: "time" }, this.play, el("button", { title: "the decision before", onclick: step(-1) }, "‹"), this.slider, el("button", { title: "the next decision", onclick: step(1) }, "›"));
    this.panels = el("div", { className: "panels" });
    this.element.replaceChildren(this.title, this.about, time, this.choices(), this.told, this.panels);
    this.headline();
    this.fillPanels();
    this.why = el("section", { className: "card why", hidden: true });
    this.element.append(this.why);
    if (!this.compact) {
      this.cards = cards(this);
      const [hands, health, instead, target, files] = this.cards.map((card) => card.element);
      this.element.append(el("div", { className: "two" }, el("div", {}, hands, instead, files), el("div", {}, health, target)));
    }
  }

  choices() {
    const same = el("input", { type: "checkbox", checked: true, onchange: () => { this.sameScale = same.checked; this.paint(); } });
    const order = el("input", { type: "checkbox", onchange: () => { this.byValue = !order.checked; this.paint(); } });
    const row = el("p", { className: "quiet" }, el("label", {}, same, " one scale for all decisions"), el("label", {}, order, " colour by order of measurement"));
    if (this.lattice.ndim === 3) {
      const layer = el("input", { type: "range", min: 0, max: this.lattice.depth - 1, value: 0, oninput: () => { this.lattice.slice = Number(layer.value); words.textContent = ` ${layer.value} of 0 to ${this.lattice.depth - 1}`; this.paint(); } });
      const words = el("span", {}, ` 0 of 0 to ${this.lattice.depth - 1}`);
      row.append(el("label", {}, `${this.lattice.grid.axes[2]} `, layer, words));
    }
    if (this.onBeside) {
      this.others = el("select", { "aria-label": "a run beside", onchange: () => this.onBeside(this.others.value).catch((error) => { this.told.textContent = error.message; }) }, el("option", { value: "" }, "no other run"));
      row.append(el("label", {}, "beside it ", this.others));
    }
    return row;
  }

  offer(runs) {
    for (const card of this.cards ?? []) card.offer?.(runs);
    if (!this.others) return;
    const now = this.others.value;
    const others = runs.filter((run) => run.steered && run.uid !== this.uid);
    if (others.map((run) => run.uid).join() === [...this.others.options].slice(1).map((one) => one.value).join()) return;
    const options = others.map((run) => el("option", { value: run.uid, selected: run.uid === now }, `${nameOf(run, runs)} ${clock(run.time)}`));
    this.others.replaceChildren(el("option", { value: "" }, "no other run"), ...options);
  }

  headline() {
    const { scan_id: scan, target, attempted, failed, num, ended, reason, grid, settings } = this.course;
    const end = ended ? el("span", { className: ended === "success" ? "ended" : "failed" }, ended + (reason ? `: ${reason}` : "")) : el("span", { className: "live" }, "not ended");
    this.title.replaceChildren(`${scan ?? ""} ${target}`);
    this.about.replaceChildren(`${clock(this.course.time)} · ${grid.shape.join(" × ")} pixels (${this.lattice.directions}) · ${attempted}${num ? ` of ${num}` : ""} attempted, ${failed} failed · ${settings} · `, end, this.course.fault ? ` · ${this.course.fault}` : "");
  }

  fillPanels() {
    if (this.lattice.ndim === 1) {
      this.maps = null;
      this.curves = el("section", { className: "panel", style: "grid-column: 1 / -1; max-width: 640px" });
      this.panels.replaceChildren(this.curves);
      return;
    }
    const pick = { onPick: (index, at) => (this.outline ? this.outlined([...this.outline, at]) : this.pick(index)), onRegion: (from, to) => this.region(from, to) };
    this.maps = {
      measured: new MapPanel("measured", this.lattice, "viridis", pick),
      mean: new MapPanel("posterior mean", this.lattice, "viridis", pick),
      std: new MapPanel("standard deviation", this.lattice, "magma", pick),
      acquisition: new MapPanel("acquisition", this.lattice, "cividis", pick),
    };
    for (const panel of Object.values(this.maps)) panel.describe = (index) => this.words(index);
    this.maps.acquisition.means.textContent = this.course.scores;
    this.panels.replaceChildren(...Object.values(this.maps).map((panel) => panel.element));
  }

  words(index) {
    const at = this.course.pixels.index.lastIndexOf(index);
    const what = at < 0 ? "not measured" : this.course.pixels.reasons[at] ?? withUnits(this.course.pixels.value[at], this.course.units);
    return `${this.lattice.words(index)}: ${what}`;
  }

  last() {
    return this.show(this.course.decisions.length - 1);
  }

  async toggle() {
    this.playing = !this.playing;
    this.play.textContent = this.playing ? "❚❚" : "▶";
    if (this.playing && this.number === this.course.decisions.length - 1) this.number = -1;
    while (this.playing && this.number < this.course.decisions.length - 1) {
      await this.show(this.number + 1);
      await new Promise((done) => setTimeout(done, 250));
    }
    this.playing = false;
    this.play.textContent = "▶";
  }

  async show(number) {
    const last = this.course.decisions.length - 1;
    if (last < 0) {
      this.told.textContent = this.course.ended ? "The run ended before its first decision." : "No decision has been recorded yet.";
      this.paint();
      for (const card of this.cards ?? []) card.moved?.();
      return;
    }
    this.number = Math.min(Math.max(number, 0), last);
    this.slider.value = this.number;
    this.tell();
    const wanted = this.number;
    const began = performance.now();
    clearTimeout(this.rest);
    this.asking?.abort(); // nobody waits any more for what the slider has left behind
    this.asking = new AbortController();
    try {
      const found = await this.fetched(wanted, this.asking.signal);
      if (wanted !== this.number) return;
      this.frame = found;
      if (this.scale === undefined) this.scale = wanted === last ? found : await this.fetched(last).catch(() => found);
    } catch (error) {
      if (error.name === "AbortError" || wanted !== this.number) return;
      this.frame = null;
      this.told.append(el("span", { className: "failed" }, error.message));
    }
    this.paint();
    this.element.dataset.shown = wanted;
    this.element.dataset.took = Math.round(performance.now() - began);
    if (this.frame && this.frame.decision !== wanted) this.later(wanted);
    this.rest = setTimeout(() => this.rested(wanted), REST);
    for (const card of this.cards ?? []) card.moved?.();
  }

  // What takes longer than a step of the slider: why here, and the decisions that may come next.
  rested(wanted) {
    if (this.picked !== null) this.explain();
    if (this.frame?.decision === wanted) for (let i = 1; i <= AHEAD; i++) this.fetched(wanted + i).catch(() => {});
  }

  later(wanted) {
    clearTimeout(this.again);
    this.again = setTimeout(() => { if (this.number === wanted) this.show(wanted); }, AGAIN);
  }

  async fetched(number, signal) {
    if (number < 0 || number >= this.course.decisions.length) return null;
    if (this.frames.has(number)) return this.frames.get(number);
    const found = await frame(`/runs/${this.uid}/decisions/${number}/maps`, { signal });
    if (found.decision === number) this.kept(number, found);
    return found;
  }

  kept(number, found) {
    this.frames.set(number, found);
    const most = Math.max(8, Math.floor(FRAMES / (3 * this.lattice.rows * this.lattice.cols * this.lattice.depth)));
    while (this.frames.size > most) this.frames.delete(this.frames.keys().next().value);
  }

  get decision() {
    return this.course.decisions[this.number];
  }

  tell() {
    const { n_outcomes: known, proposed, stop_reason: stop, best_value: best, warning } = this.decision;
    const taught = this.taught().length;
    const of = `Decision ${this.number + 1} of ${this.course.decisions.length}: it knew ${known} pixels${taught ? `, and ${taught} of other runs,` : ""}`;
    const chose = proposed.length ? ` and chose ${proposed.length}` : ` and ended the run${stop ? ` (${ENDS[stop] ?? stop})` : ""}`;
    const found = best === null ? "" : `; best so far ${withUnits(best, this.course.units)}`;
    this.told.replaceChildren(`${of}${chose}${found}. `, warning ? el("span", { className: "failed" }, warning) : "");
  }

  // The limits of colours: those of the last decision, and of the run beside, if one scale is asked for.
  limits(name) {
    const shown = this.frame?.maps[name];
    const other = this.partner?.frame?.maps[name];
    const own = this.sameScale && name === "mean" ? this.scale?.maps[name] ?? shown : shown;
    const both = [own, other && this.partner.sameScale && name === "mean" ? this.partner.scale?.maps[name] ?? other : other].filter((map) => map && map.low !== null);
    if (!both.length) return null;
    return [Math.min(...both.map((map) => map.low)), Math.max(...both.map((map) => map.high))];
  }

  // Why there is nothing to show.
  nothing() {
    const ends = this.number >= 0 && !this.decision.proposed.length && this.decision.n_measured > 0;
    return ends ? "nothing chosen: it ended" : "nothing known yet";
  }

  // The decision that is looked at, as questions about it begin.
  get asks() {
    if (this.number < 0) throw new Error("No decision was recorded that could be asked about.");
    return `/runs/${this.uid}/decisions/${this.number}`;
  }

  scaledWith(other) {
    this.partner = other;
    this.paint();
  }

  paint() {
    if (this.lattice.ndim === 1) drawProfile(this);
    else this.colour();
  }

  colour() {
    const marks = this.marks();
    const values = this.limits("mean");
    const [measured, ends] = this.measured(values);
    this.maps.measured.show(null, ends, [...measured, ...marks.failed, ...marks.best, ...marks.picked]);
    for (const name of ["mean", "std", "acquisition"]) {
      const panel = this.maps[name];
      const map = this.frame?.maps[name];
      panel.show(map?.low === null ? null : map, this.limits(name), name === "acquisition" ? [...marks.chosen, ...marks.failed, ...marks.picked] : name === "std" ? [...marks.known, ...marks.failed, ...marks.picked] : [...marks.best, ...marks.picked]);
      const other = this.frame && this.frame.decision !== this.number ? `of decision ${this.frame.decision + 1}; computing …` : "";
      panel.say(other || (map && map.low === null ? this.nothing() : name === "acquisition" ? "" : this.course.units));
    }
    this.maps.measured.say(this.byValue ? this.course.units : "order");
  }

  measured(values) {
    const { index, value } = this.course.pixels;
    const known = this.known();
    const [low, high] = this.byValue ? values ?? spanOf(value.slice(0, known)) : [0, Math.max(known - 1, 1)];
    const found = [];
    for (let i = 0; i < known; i++) {
      if (value[i] === null) continue;
      const at = this.byValue ? value[i] : i;
      found.push({ kind: "measured", index: index[i], colours: this.byValue ? "viridis" : "magma", share: high > low ? (at - low) / (high - low) : 0.5 });
    }
    for (const { index: pixel, value: told } of this.byValue ? this.taught() : []) found.unshift({ kind: "taught", index: pixel, colours: "viridis", share: high > low ? (told - low) / (high - low) : 0.5 });
    return [found, found.length ? (this.byValue ? [short(low), short(high)] : ["first", "last"]) : null];
  }

  // Pixels that other runs had measured, and of which the decision knew.
  taught() {
    const heeded = this.course.taught.filter(({ decision }) => decision !== null && decision <= this.number);
    return heeded.flatMap(({ index, value }) => index.map((pixel, i) => ({ index: pixel, value: value[i] })));
  }

  known() {
    return this.number < 0 ? this.course.pixels.index.length : this.decision.n_outcomes;
  }

  marks() {
    const { index, value } = this.course.pixels;
    const known = index.slice(0, this.known());
    const best = this.number < 0 ? null : this.decision.best_pixel;
    const proposed = this.number < 0 ? [] : this.decision.proposed;
    return {
      known: [...known, ...this.taught().map(({ index: pixel }) => pixel)].map((pixel) => ({ kind: "dot", index: pixel })),
      failed: known.filter((_, i) => value[i] === null).map((pixel) => ({ kind: "failed", index: pixel })),
      chosen: proposed.map((pixel, i) => ({ kind: "chosen", index: pixel, number: i + 1, colour: this.decision.by_hand.includes(i) ? "#ffb020" : undefined })),
      best: best === null ? [] : [{ kind: "best", index: best }],
      picked: this.picked === null ? [] : [{ kind: "picked", index: this.picked }],
    };
  }

  pick(index) {
    this.picked = index;
    this.paint();
    for (const card of this.cards ?? []) card.picked?.(index);
    return this.explain();
  }

  region(from, to) {
    this.outline = null;
    this.marked({ rectangle: [from, to] });
    for (const card of this.cards ?? []) card.region?.(from, to);
  }

  // A polygon that is being drawn; null: it is done, or is not to be.
  outlined(corners) {
    this.outline = corners;
    this.marked({ polygon: corners });
    for (const card of this.cards ?? []) card.outline?.(corners);
  }

  marked(region) {
    for (const panel of Object.values(this.maps ?? {})) {
      panel.region = region;
      panel.draw();
    }
  }

  async explain() {
    if (this.number < 0 || this.picked === null) return;
    const [wanted, pixel] = [this.number, this.picked];
    if (this.why.hidden) this.why.replaceChildren(el("h3", {}, "Why here"), el("p", { className: "quiet" }, "Asking …"));
    this.why.hidden = false;
    try {
      const found = await get(`${this.asks}/pixels/${pixel}`);
      if (wanted !== this.number || pixel !== this.picked) return;
      whyHere(this.why, found, this);
    } catch (error) {
      this.why.replaceChildren(el("h3", {}, "Why here"), el("p", { className: "failed" }, error.message));
    }
  }
}

function spanOf(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
}
