// Colour maps as tables of 256 colours.

const ANCHORS = {
  viridis: "44015448186a472d7b4240863b528b33638d2c728e26828e21918c1fa08828ae803fbc735ec96284d44baddc30d8e219fde725",
  magma: "0000040a08221d114736106b51127c6a1c818326819c2e7fb73779d0416fe75263f56b5cfc8961fea772fec488fde2a3fcfdbf",
  cividis: "00224e002e6a1a386f32436d434e6c535a6d61656f6f70737d7c788c88789b9476aba072bcae6ccdbb63dec958f0d846fee838",
};

function table(name) {
  const anchors = ANCHORS[name].match(/../g).map((pair) => parseInt(pair, 16));
  const steps = anchors.length / 3 - 1;
  const colours = new Uint8Array(768);
  for (let i = 0; i < 256; i++) {
    const at = Math.min((i / 255) * steps, steps - 1e-9);
    const k = Math.floor(at);
    for (let c = 0; c < 3; c++) {
      colours[3 * i + c] = anchors[3 * k + c] + (at - k) * (anchors[3 * k + 3 + c] - anchors[3 * k + c]);
    }
  }
  return colours;
}

export const TABLES = { viridis: table("viridis"), magma: table("magma"), cividis: table("cividis") };

const WORDS = Object.fromEntries(Object.entries(TABLES).map(([name, colours]) => [name, Array.from({ length: 256 }, (_, i) => `rgb(${colours.subarray(3 * i, 3 * i + 3).join(",")})`)]));

export const css = (name, share) => WORDS[name][Math.round(255 * Math.min(Math.max(share, 0), 1))];

export function gradient(name) {
  const stops = Array.from({ length: 17 }, (_, i) => css(name, i / 16));
  return `linear-gradient(to right, ${stops.join(",")})`;
}
