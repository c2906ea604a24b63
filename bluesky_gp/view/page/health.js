// The bill of health as of the decision that is looked at.

import { get, post } from "./api.js";
import { said } from "./cards.js";
import { el } from "./dom.js";

const REST = 500; // ms that the slider has not moved

export function healthCard(view) {
  const list = el("ul", { className: "health" });
  const line = el("p", { className: "quiet" });
  const clauses = el("ul", { className: "health" });
  const button = el("button", { onclick: () => said(line, verify) }, "Does the record hold?");
  let timer = null;
  let shown = null;

  async function ask() {
    const wanted = view.number;
    if (wanted === shown) return;
    if (wanted < 0) return list.replaceChildren(el("li", { className: "quiet" }, "There is nothing to say before the first decision."));
    if (!list.children.length) list.replaceChildren(el("li", { className: "quiet" }, "Asking …"));
    try {
      const found = await get(`/runs/${view.uid}/decisions/${wanted}/health`);
      if (wanted !== view.number) return;
      shown = wanted;
      list.replaceChildren(...found.map(({ name, verdict, sentence }) => el("li", { className: `verdict ${verdict}`, title: name }, sentence)));
    } catch (error) {
      list.replaceChildren(el("li", { className: "failed" }, error.message));
    }
  }

  async function verify() {
    const found = await post(`/runs/${view.uid}/verify`, {});
    clauses.replaceChildren(...found.map(({ name, holds, sentence }) => el("li", { className: `verdict ${holds ? "good" : "bad"}` }, `${name}: ${sentence}`)));
    const broken = found.filter(({ holds }) => !holds).length;
    return broken ? `${broken} of ${found.length} clauses do not hold.` : `All ${found.length} clauses hold.`;
  }

  const moved = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, REST);
  };
  return { element: el("section", { className: "card bill" }, el("h3", {}, "Bill of health"), list, button, line, clauses), moved };
}
