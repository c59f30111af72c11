// What the panel knows of the instrument, kept true by what the instrument tells.

import { Link } from "./link.js";
import { float } from "./osc.js";

export const state = {
  alive: false, roundTripMs: 0, ready: false, kit: "", slots: [], rows: {}, values: {}, stock: {}, next: [],
  playing: false, selected: "BD", status: [], message: "", learned: "", pictures: new Map(), output: "",
};
// A step as the snapshot tells it: a value for each address /seq/FIELD.
export const FIELDS = ["step", "chance", "ratchet", "nudge", "tune", "pan", "condition", "decay"];
export const REST = [0, 1, 1, 0, 0, 0, "", 1];
const WRITES = /\/(export|keep|save|record\/stop)$/; // and says to which file
const listeners = new Set();
const hits = new Map();
const playheads = new Set();
const MOST_PICTURES = 1000, MESSAGE_MS = 8000;
let queued = false;

/** Call back when anything has changed, at most once a frame. */
export function subscribe(callback) { listeners.add(callback); return () => listeners.delete(callback); }

/** Call back with a velocity whenever that slot sounds. */
export function onPlayed(code, callback) { hits.set(code, callback); return () => hits.delete(code); }

/** Call back with every step that the pattern comes to, -1 when it stops. */
export function onPlayhead(callback) { playheads.add(callback); return () => playheads.delete(callback); }

export function changed() {
  if (queued) return;
  queued = true;
  requestAnimationFrame(() => { queued = false; for (const each of listeners) each(); });
}

export const link = new Link({
  onMessage: hear,
  onState: ({ alive, roundTripMs }) => {
    state.alive = alive; if (roundTripMs) state.roundTripMs = roundTripMs; changed();
  },
  onOpen: refresh,
});

let refreshing = 0;
/** Take the whole state again, soon; several wishes are one. */
export function refresh() {
  clearTimeout(refreshing);
  refreshing = setTimeout(() => link.send("/snapshot"), 60);
}

export const slot = (code) => state.slots.find((each) => each.code === code);
export const send = (address, ...values) => link.send(address, ...values);
export const value = (address, fallback) => state.values[address]?.[0] ?? fallback;

/** Set a value of a slot or of the machine, shown at once. */
export function setSlot(code, name, number, whole = false) {
  const found = slot(code);
  if (found) found.values[name] = number;
  send(`/slot/${code}/${name}`, whole ? Math.round(number) : float(number));
  changed();
}
export function set(address, given) {
  state.values[address] = [given];
  send(address, typeof given === "number" ? float(given) : given);
  changed();
}
export function setWhole(address, given) { state.values[address] = [given]; send(address, given); changed(); }
export function setStep(code, index, field, given) {
  const row = state.rows[code], step = row[index] || REST;
  const at = FIELDS.indexOf(field);
  const next = step.slice(); next[at] = given;
  row[index] = next[0] > 0 ? next : 0;
  send(`/seq/${field}`, code, index + 1, field === "ratchet" ? given : float(given));
  changed();
}
let saying = 0;
/** Tell the user, for a while. */
export function say(message) {
  state.message = message;
  clearTimeout(saying);
  saying = setTimeout(() => { state.message = ""; changed(); }, MESSAGE_MS);
  changed();
}
export function select(code) { state.selected = code; changed(); }

/** Bring a sound file to the instrument; the name it has there. */
export async function upload(file) {
  const response = await fetch(`/panel/upload?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
  if (!response.ok) { say(await response.text()); return null; }
  return (await response.json()).name;
}

/** The picture of a sound by id; asked for once. */
export function picture(id) {
  const known = state.pictures.get(id);
  if (known || !id) return known;
  if (state.pictures.size >= MOST_PICTURES) state.pictures.delete(state.pictures.keys().next().value);
  state.pictures.set(id, null);
  send("/sound/picture", id);
  return null;
}

function hear(path, values) {
  const parts = path.split("/");
  if (path === "/snapshot") {
    const told = JSON.parse(values[0]);
    Object.assign(state, told, { ready: true });
    if (!slot(state.selected)) state.selected = state.slots[0]?.code;
    for (const each of state.slots) if (state.pictures.get(each.id) === null) state.pictures.delete(each.id);
  } else if (path === "/status.reply") state.status = values;
  else if (path === "/seq/playhead") {
    const [step] = values, playing = step >= 0;
    for (const each of playheads) each(step);
    if (playing === state.playing) return;
    state.playing = playing;
  }
  else if (path === "/sound/picture") {
    const [id, columns, bands, levels, peaks] = values;
    state.pictures.set(id, { columns, bands, levels, peaks });
  } else if (path === "/fail" || path === "/warning") {
    if (!values[0].endsWith("/sound/picture")) say(values[1]); // of what is long past there is none
  } else if (path === "/learned") { state.learned = values[0]; say(`${values[0]} now moves ${values[1]}`); }
  else if (parts[1] === "slot" && parts[3] === "played") { hits.get(parts[2])?.(values[0]); return; }
  else if (parts[1] === "slot" && parts[3] === "changed") refresh();
  else if (parts[1] === "slot" && values.length === 1) {
    const found = slot(parts[2]);
    if (found && parts[3] in found.values) found.values[parts[3]] = values[0];
    if (parts[3] === "lock") refresh(); // what changes next
  } else if (parts[1] === "seq" && FIELDS.includes(parts[2])) {
    const [code, number, given] = values, row = state.rows[code];
    if (row) {
      const next = (row[number - 1] || REST).slice();
      next[FIELDS.indexOf(parts[2])] = given;
      row[number - 1] = next[0] > 0 ? next : 0;
    }
  } else if (["/seq/row", "/seq/pattern", "/seq/length", "/scene"].includes(path)) {
    if (path === "/seq/pattern" || path === "/scene") state.values[path] = values;
    refresh();
  } else if (path === "/done") { if (WRITES.test(values[0])) say(`Written: ${values[1]}`); return; }
  else if (path in state.values) { state.values[path] = values; if (path.startsWith("/evolve")) refresh(); }
  else return;
  changed();
}
