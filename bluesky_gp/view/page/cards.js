// The cards below the maps, in their order.

import { filesCard } from "./files.js";
import { handsCard } from "./hands.js";
import { healthCard } from "./health.js";
import { insteadCard } from "./instead.js";
import { targetCard } from "./target.js";

export function cards(view) {
  return [handsCard(view), healthCard(view), insteadCard(view), targetCard(view), filesCard(view)];
}

// Says what a question led to, or what was wrong with it.
export async function said(line, task) {
  line.className = "quiet";
  line.textContent = "Asking …";
  try {
    line.textContent = (await task()) ?? "";
  } catch (error) {
    line.className = "failed";
    line.textContent = error.message;
  }
}
