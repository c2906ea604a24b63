// Hands on a run that goes on: what is asked for goes to its session, which answers.

import { get, post } from "./api.js";
import { said } from "./cards.js";
import { clock, el } from "./dom.js";
import { lesson } from "./lesson.js";
import { settings } from "./settings.js";

const PATIENCE = 8000; // ms, after which nobody seems to be there

// What an action that waits is about; masks and the values of other runs are nothing to read.
function inWords(what) {
  const told = Object.entries(what).filter(([name]) => !["mask", "others", "values"].includes(name));
  return told.map(([name, value]) => `${name} ${JSON.stringify(value).slice(0, 60)}`).join(", ");
}

export function handsCard(view) {
  const line = el("p", { className: "quiet" });
  const who = el("input", { type: "text", placeholder: "your name", value: localStorage.getItem("who") ?? "", onchange: () => localStorage.setItem("who", who.value) });
  const asker = el("p", { hidden: true }, el("label", {}, "who ", who));
  const log = el("ul", { className: "quiet log" });
  const review = el("div", { className: "review", hidden: true });
  const controls = el("div", { hidden: true });
  const stands = el("p", { className: "quiet" });
  const place = el("span", { className: "quiet" }, "Click a pixel or draw a rectangle in a map, or a polygon corner by corner.");
  let region = null; // as an action has it
  let inReview = "";

  async function asked(action, args = {}) {
    const { name } = await post(`/runs/${view.uid}/hands`, { action, arguments: args, who: who.value });
    const until = performance.now() + PATIENCE;
    while (performance.now() < until) {
      await new Promise((done) => setTimeout(done, 250));
      const found = await get(`/runs/${view.uid}/hands/${name}`);
      if (found.accepted === null) continue;
      if (!found.accepted) throw new Error(found.sentence);
      return found.sentence;
    }
    throw new Error("Nobody has answered: the session may be busy, or gone. Nothing was harmed.");
  }

  const does = (words, action, args = () => ({})) => {
    const button = el("button", { onclick: () => said(line, async () => asked(action, args())) }, words);
    button.dataset.action = action;
    return button;
  };
  const needed = (value, words) => {
    if (value === null || value === undefined) throw new Error(words);
    return value;
  };
  const picked = () => ({ pixels: [pixel(needed(view.picked, "Click a pixel in a map first."))] });
  const drawn = () => ({ region: needed(region, "Draw a rectangle or a polygon in a map first.") });
  const pixel = (index) => {
    const { row, col, layer } = view.lattice.place(index);
    return [row, col, layer].slice(0, view.lattice.ndim);
  };

  const polygon = el("button", { onclick: () => (view.outline ? close() : view.outlined([])) }, "draw a polygon");
  polygon.dataset.draws = "polygon";
  polygon.hidden = view.lattice.ndim !== 2;

  // The corners that were clicked are the region, if they enclose anything.
  function close() {
    const corners = view.outline;
    view.outline = null;
    polygon.textContent = "draw a polygon";
    region = corners.length > 2 ? { polygon: corners } : null;
    if (!region) view.marked(null);
    place.textContent = region ? `Polygon of ${corners.length} corners.` : "A polygon has three corners or more: nothing is drawn.";
  }

  function outlined(corners) {
    polygon.textContent = "close the polygon";
    place.textContent = corners.length ? `${corners.length} corners, the last at (${corners.at(-1).join(", ")}).` : "Click its corners in a map, then close it.";
  }

  const side = el("select", {}, el("option", { value: "above" }, "above"), el("option", { value: "below" }, "below"));
  const level = el("input", { type: "number", step: "any", placeholder: view.course.units || "value" });
  const there = () => ({ region: { [side.value]: Number(needed(level.value || null, "Give a value first.")) } });
  const changed = settings();
  const earlier = lesson(view);
  const reason = el("input", { type: "text", placeholder: "why it failed" });

  controls.append(
    el("p", {}, place),
    el("p", {}, does("measure this pixel next", "add_pixels", picked), polygon, does("forbid the region", "forbid", drawn), does("allow it again", "allow", drawn), does("restrict to it", "restrict", drawn)),
    el("p", {}, "where the map is ", side, " ", level, " ", does("restrict to there", "restrict", there), does("forbid there", "forbid", there), does("allow there", "allow", there)),
    el("p", {}, reason, " ", does("this pixel failed", "mark_failed", () => ({ pixel: picked().pixels[0], reason: reason.value || "marked on the page" }))),
    ...changed.rows,
    el("p", {}, does("change these settings", "configure", changed.given)),
    el("p", {}, does("pause after this batch", "pause"), does("end after this batch", "finish", () => ({ reason: `ended on the page${who.value ? ` by ${who.value}` : ""}` })), does("100 more", "go_on", () => ({ more: 100 }))),
    el("p", {}, "what ", earlier.run, " measured ", does("learn it", "learn_from", earlier.given)),
    earlier.further,
  );

  function ask(question) {
    const key = JSON.stringify(question);
    if (key === inReview) return;
    inReview = key;
    review.hidden = !question;
    if (!question) return;
    const boxes = question.pixels.map((place) => el("input", { type: "checkbox", checked: true, value: JSON.stringify(place) }));
    const kept = (wanted) => boxes.filter((box) => box.checked === wanted).map((box) => JSON.parse(box.value));
    const until = question.until ? ` It goes on by itself at ${new Date(1000 * question.until).toLocaleTimeString()}.` : "";
    review.replaceChildren(
      el("h3", {}, "This batch waits for you"),
      el("p", {}, ...boxes.flatMap((box) => [el("label", {}, box, ` (${JSON.parse(box.value).join(", ")})`), " "])),
      el("p", {}, does("yes, measure them", "agree"), does("others, without the unticked", "veto", () => ({ pixels: kept(false) })), does("the ticked alone", "edit", () => ({ pixels: kept(true) })), does("the ticked and the picked pixel", "edit", () => ({ pixels: [...kept(true), ...picked().pixels] })), does("others, without any of these", "veto")),
      el("p", { className: "quiet" }, `Numbers stand in the map of the acquisition function.${until}`),
    );
  }

  function tell(actions) {
    log.replaceChildren(...actions.map(({ action, who: by, when, arguments: what, decision = null }) => {
      const said = typeof what === "string" ? what : inWords(what);
      const heeded = decision === null ? "waits for the next decision" : `heeded by decision ${decision + 1}`;
      return el("li", {}, `${clock(when)} ${by || "nobody"}: ${action}${said && ` ${said}`}, ${heeded}`);
    }));
  }

  async function update() {
    const { course } = view;
    tell(course.actions);
    if (course.ended) {
      controls.hidden = asker.hidden = true;
      ask(null);
      stands.textContent = course.actions.length ? "" : "The run has ended; nobody laid a hand on it.";
      return;
    }
    const found = await get(`/runs/${view.uid}/hands`);
    controls.hidden = asker.hidden = !found.lives;
    ask(found.lives ? found.review : null);
    const recorded = new Set(course.actions.map(({ id }) => id)); // the session says a little later that these wait no more
    tell([...course.actions, ...(found.lives ? found.waiting.filter(({ id }) => !recorded.has(id)) : [])]);
    stands.textContent = found.lives ? `The session lives: ${found.num ?? "as many as there are"} pixels in all, ${found.batch_size} a batch.` : "No session answers for this run, yet or any more.";
  }

  function shown(from, to) {
    const { row, col } = from;
    const layer = view.lattice.ndim > 2 ? [view.lattice.slice] : [];
    const corners = [[row, col, ...layer], [to.row, to.col, ...layer]];
    region = { rectangle: corners };
    polygon.textContent = "draw a polygon";
    place.textContent = `Rectangle ${corners.map((corner) => `(${corner.join(", ")})`).join(" to ")}.`;
  }

  const element = el("section", { className: "card hands" }, el("h3", {}, "Hands"), stands, review, asker, controls, line, log);
  return { element, update, offer: earlier.offer, outline: outlined, region: shown, picked: (index) => { place.textContent = `Pixel ${view.lattice.words(index)}.`; } };
}
