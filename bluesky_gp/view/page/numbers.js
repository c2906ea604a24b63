// Where the numbers of chosen pixels stand: beside their squares, and none upon another.

const RINGS = 6; // distances at which room is looked for
const WAYS = [[1, -1], [-1, -1], [1, 1], [-1, 1], [0, -1], [0, 1], [1, 0], [-1, 0]];

// Boxes {x, y, width, height, cx, cy} for labels {cx, cy, width, height} beside squares of a half side, inside a map of
// width by height; where all room is taken, the first place.
export function placed(labels, half, width, height) {
  const squares = labels.map(({ cx, cy }) => ({ x: cx - half, y: cy - half, width: 2 * half, height: 2 * half }));
  const found = [];
  for (const label of labels) {
    const places = candidates(label, half, width, height);
    const isFree = (box) => ![...found, ...squares].some((other) => overlap(box, other));
    found.push({ ...(places.find(isFree) ?? places[0]), cx: label.cx, cy: label.cy });
  }
  return found;
}

function candidates(label, half, width, height) {
  const places = [];
  for (let ring = 0; ring < RINGS; ring++) {
    for (const [right, down] of WAYS) {
      const away = half + 1 + ring * 0.8 * label.height;
      const x = label.cx + right * (away + label.width / 2) - label.width / 2;
      const y = label.cy + down * (away + (right ? 0 : label.height / 2)) - label.height / 2;
      if (x >= 0 && y >= 0 && x + label.width <= width && y + label.height <= height) places.push({ x, y, width: label.width, height: label.height });
    }
  }
  return places.length ? places : [{ x: 0, y: 0, width: label.width, height: label.height }];
}

export function overlap(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

// Draw the numbers of chosen pixels {x, y, number}; one that stands apart from its square is joined with it by a line.
export function drawNumbers(context, chosen, half, dots) {
  context.font = `${10 * dots}px system-ui, sans-serif`;
  const labels = chosen.map(({ x, y, number }) => ({ cx: x, cy: y, width: context.measureText(number).width + 2 * dots, height: 10 * dots }));
  placed(labels, half, context.canvas.width, context.canvas.height).forEach((box, i) => {
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    if (Math.hypot(x - box.cx, y - box.cy) > half + 14 * dots) line(context, box.cx, box.cy, x, y, dots);
    context.lineWidth = 2.5 * dots;
    context.strokeStyle = "#000";
    context.fillStyle = "#fff";
    context.strokeText(chosen[i].number, box.x + dots, box.y + 9 * dots);
    context.fillText(chosen[i].number, box.x + dots, box.y + 9 * dots);
  });
}

function line(context, fromX, fromY, toX, toY, dots) {
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
  context.lineWidth = 0.8 * dots;
  context.strokeStyle = "#fff";
  context.stroke();
}
