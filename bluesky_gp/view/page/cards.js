// The cards below the maps, in their order.

export function cards(view) {
  return [];
}
