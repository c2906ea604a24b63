// Questions to the server, each with the token that the address of this page brought.

const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem("token", given);
  const rest = new URLSearchParams(location.hash.slice(1));
  rest.delete("token"); // out of sight, and out of what is copied to somebody else
  history.replaceState(null, "", `${location.pathname}#${rest}`);
}

export class Refused extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

async function asked(path, options = {}) {
  let response;
  try {
    response = await fetch(`api${path}`, {
      ...options,
      headers: { Authorization: `Bearer ${sessionStorage.getItem("token") ?? ""}`, "Content-Type": "application/json" },
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The page's server does not answer: it has ended. The run is not harmed. Start bluesky-gp view again.", 0);
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new Refused(said.error ?? `The server answers ${response.status}.`, response.status);
}

export const get = async (path, options) => (await asked(path, options)).json();
export const post = async (path, body) => (await asked(path, { method: "POST", body: JSON.stringify(body) })).json();
export const frame = async (path, options) => unpacked(await (await asked(path, options)).arrayBuffer());
export const postFrame = async (path, body) => unpacked(await (await asked(path, { method: "POST", body: JSON.stringify(body) })).arrayBuffer());

export async function download(path, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await (await asked(path)).blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// A line of JSON, then the bytes of each map: 0 is no number, 1 to 255 lie between its low and high.
function unpacked(buffer) {
  const bytes = new Uint8Array(buffer);
  const end = bytes.indexOf(10);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  const size = (bytes.length - end - 1) / Math.max(head.maps.length, 1);
  const maps = {};
  head.maps.forEach((map, i) => {
    maps[map.name] = { ...map, levels: bytes.subarray(end + 1 + i * size, end + 1 + (i + 1) * size) };
  });
  return { ...head, maps };
}
