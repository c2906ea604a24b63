// The list of runs, the run that is looked at, and another beside it.

import { get } from "./api.js";
import { clock, el } from "./dom.js";
import { nameOf } from "./names.js";
import { RunView } from "./run.js";

const banner = document.getElementById("banner");
const list = document.getElementById("runs");
const stage = document.getElementById("run");
const views = []; // the run, and one beside it
let known = [];
let isOpened = false; // a run, by somebody or by itself

export function complain(error) {
  if (error.name === "AbortError") return;
  banner.textContent = error.message;
  banner.hidden = false;
}

const hushed = () => { banner.hidden = true; };

async function listRuns() {
  const found = await get("/runs");
  document.getElementById("place").textContent = found.place;
  document.getElementById("says").textContent = found.runs.length ? found.says : found.says || "No run has been recorded here.";
  known = found.runs;
  list.replaceChildren(...known.map(line));
  views.forEach((view) => view.offer(known));
  if (!isOpened) openLatest().catch(complain);
}

function line(run) {
  const took = run.goes_on ? el("span", { className: "live" }, "live") : el("span", { className: run.exit_status === "success" ? "ended" : "failed" }, run.exit_status ?? (run.goes_on === null ? "not ended" : "left without an end"));
  const shape = run.shape ? ` · ${run.shape.join(" × ")}` : "";
  const button = el(
    "button",
    { disabled: !run.steered, title: run.steered ? run.uid : "No agent steered this run: there is nothing to see here.", onclick: () => open(run.uid).catch(complain) },
    nameOf(run, known),
    el("small", {}, clock(run.time), shape, " · ", took),
  );
  button.setAttribute("aria-current", String(views[0]?.uid === run.uid));
  button.dataset.uid = run.uid;
  return el("li", {}, button);
}

// The run that goes on, or the latest one, so that nobody has to choose what is mostly wanted.
async function openLatest() {
  const steered = known.filter((run) => run.steered);
  const latest = steered.find((run) => run.goes_on) ?? steered[0];
  if (latest) await open(latest.uid, { named: false });
}

// Opens a run; the address names it, so that it can be handed on, unless nobody chose it: the next visit has the latest.
export async function open(uid, { named = true } = {}) {
  isOpened = true;
  hushed();
  close();
  document.getElementById("welcome").hidden = true;
  stage.hidden = false;
  if (named) history.replaceState(null, "", `#run=${uid}`);
  const view = new RunView(uid, { onBeside: beside });
  views.push(view);
  stage.replaceChildren(view.element);
  list.querySelectorAll("button").forEach((button) => button.setAttribute("aria-current", String(button.dataset.uid === uid)));
  await view.open();
  view.offer(known);
}

async function beside(uid) {
  const [first, second] = views;
  second?.element.remove();
  views.length = 1;
  first.scaledWith(null);
  stage.classList.toggle("two", Boolean(uid));
  if (!uid) return;
  const view = new RunView(uid, { compact: true });
  views.push(view);
  stage.append(view.element);
  await view.open();
  first.scaledWith(view);
  view.scaledWith(first);
}

function close() {
  views.length = 0;
  stage.classList.remove("two");
}

// Asks again and again, and more seldom while nothing answers.
async function forever(task, milliseconds) {
  let pause = milliseconds;
  for (;;) {
    try {
      await task();
      pause = milliseconds;
    } catch (error) {
      complain(error);
      if (error.status === 401) return;
      pause = Math.min(2 * pause, 10000);
    }
    await new Promise((done) => setTimeout(done, pause));
  }
}

const wanted = new URLSearchParams(location.hash.slice(1)).get("run");
if (wanted) open(wanted).catch(complain);
forever(listRuns, 3000);
forever(() => Promise.all(views.map((view) => view.update())), 1000);
