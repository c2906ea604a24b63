// The bill of health as of the decision that is looked at.

import { get, post } from "./api.js";
import { said } from "./cards.js";
import { el } from "./dom.js";

const REST = 500; // ms that the slider has not moved

export function healthCard(view) {
  const list = el("ul", { className: "health" });
  const line = el("p", { className: "quiet" });
  const button = el("button", { onclick: () => said(line, async () => (await post(`/runs/${view.uid}/replay`, {})).sentence) }, "Does it replay?");
  let timer = null;
  let shown = -1;

  async function ask() {
    const wanted = view.number;
    if (wanted < 0 || wanted === shown) return;
    try {
      const found = await get(`/runs/${view.uid}/decisions/${wanted}/health`);
      if (wanted !== view.number) return;
      shown = wanted;
      list.replaceChildren(...found.map(({ name, verdict, sentence }) => el("li", { className: `verdict ${verdict}`, title: name }, sentence)));
    } catch (error) {
      list.replaceChildren(el("li", { className: "failed" }, error.message));
    }
  }

  const moved = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, REST);
  };
  return { element: el("section", { className: "card" }, el("h3", {}, "Bill of health"), list, button, line), moved };
}
