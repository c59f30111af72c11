// Sixteen pads, the first at the bottom left as on every drum machine with pads.

import { float } from "../osc.js";
import { onPlayed, picture, select, send, setSlot, slot, state } from "../store.js";
import { html, Picture, styles, useEffect, useRef } from "../view.js";

styles`
.pads { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); grid-template-rows: repeat(4, minmax(0, 1fr)); gap: 8px; min-height: 0; }
.pad { position: relative; border-radius: 10px; background: var(--pad); border: 2px solid var(--line); overflow: hidden; min-height: 88px; --glow: 0; isolation: isolate; }
.pad.selected { border-color: var(--accent); }
.pad.next::after { content: ""; position: absolute; right: 8px; bottom: 34px; width: 9px; height: 9px; border-radius: 50%; background: #7ee0b8; box-shadow: 0 0 8px #7ee0b8; pointer-events: none; }
.pad.over { outline: 3px dashed var(--accent); }
.pad .hit { position: absolute; inset: 0 0 28px; border: 0; padding: 0; background: none; touch-action: none; user-select: none; -webkit-user-select: none; -webkit-touch-callout: none; cursor: pointer; z-index: 1; border-radius: 8px; }
.pad .picture { position: absolute; left: 0; top: 0; width: 100%; height: calc(100% - 28px); opacity: .92; z-index: -1; }
.pad .light { position: absolute; inset: 0; background: radial-gradient(closest-side, #ffd08a99, #ff9a3d44 70%, #ff9a3d22); box-shadow: inset 0 0 0 3px #ffb45c; border-radius: 8px; opacity: var(--glow); pointer-events: none; z-index: 2; }
.pad.quiet .picture { opacity: .22; filter: grayscale(1); }
.pad .head { position: absolute; left: 0; right: 0; top: 0; display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0 6px; align-items: baseline; padding: 4px 8px 12px; line-height: 1.25; z-index: 3; pointer-events: none; background: linear-gradient(#120f0de8, #120f0d00); color: #fff6e8; }
.pad .code { font-weight: 800; font-size: 15px; letter-spacing: .03em; pointer-events: auto; touch-action: none; cursor: grab; }
.pad .name { font-size: 12px; } .pad .id { font-size: 11px; color: #f3dfc4; grid-column: 1 / -1; }
.pad .name, .pad .id { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.pad .tools { position: absolute; left: 0; right: 0; bottom: 0; display: flex; z-index: 3; background: #120f0dd9; }
.pad .tools button { flex: 1; min-width: 0; height: 28px; border: 0; background: none; color: #f6e7d2; font-size: 13px; padding: 0; border-radius: 0; }
.pad .tools button:hover { background: #ffffff22; }
.pad .tools button[aria-pressed="true"] { background: var(--accent); color: #1c0f06; font-weight: 700; }
@media (pointer: coarse) { .pad .hit { bottom: 44px; } .pad .tools button { height: 44px; } .pad .tools .wide { display: none; } .pad.next::after { bottom: 50px; } .pad .picture { height: calc(100% - 44px); } }
@media (max-width: 700px) { .pads { gap: 6px; } .pad { min-height: 120px; } .pad .tools .wide { display: none; } .pad .hit { bottom: 44px; } .pad .tools button { height: 44px; } }
@media (max-height: 500px) { .pads { gap: 6px; } .pad { min-height: 0; } .pad .tools, .pad .id { display: none; } .pad .hit { bottom: 0; } .pad .picture { height: 100%; } }
@media (prefers-reduced-motion: no-preference) { .pad .light { transition: opacity .18s ease-out; } .pad.lit .light { transition: none; } }
`;

const KEYS = ["KeyZ", "KeyX", "KeyC", "KeyV", "KeyA", "KeyS", "KeyD", "KeyF", "KeyQ", "KeyW", "KeyE", "KeyR", "Digit1", "Digit2", "Digit3", "Digit4"];
const KEY_VELOCITY = 0.85, SOFTEST = 0.25;

export const short = (id) => id.split("/").slice(1).join(" ");

/** Computer keys play the pads as they lie, unless somebody is writing. */
export function playFromKeys() {
  addEventListener("keydown", (event) => {
    const place = KEYS.indexOf(event.code);
    const writes = event.target.closest?.("input, select, textarea, dialog");
    if (place < 0 || event.repeat || writes || !state.alive || event.ctrlKey || event.metaKey || event.altKey) return;
    const found = state.slots[place];
    if (found) { send("/trig", found.code, float(event.shiftKey ? 0.5 : KEY_VELOCITY)); }
  });
}

function hit(event, code) {
  if (event.button) return;
  const box = event.currentTarget.closest(".pad").querySelector(".hit").getBoundingClientRect();
  const height = 1 - (event.clientY - box.top) / box.height;
  send("/trig", code, float(SOFTEST + (1 - SOFTEST) * Math.min(1, Math.max(0, height))));
  select(code);
  event.preventDefault();
}

function Pad({ of, place, onMenu, onFile }) {
  const box = useRef(), dark = useRef(0);
  useEffect(() => onPlayed(of.code, (velocity) => {
    const { current } = box;
    current.style.setProperty("--glow", 0.35 + 0.65 * velocity);
    current.classList.add("lit");
    current.dataset.hits = Number(current.dataset.hits || 0) + 1;
    clearTimeout(dark.current);
    dark.current = setTimeout(() => { current.classList.remove("lit"); current.style.setProperty("--glow", 0); }, 60);
  }), [of.code]);
  const soloed = state.slots.some((each) => each.values.solo);
  const quiet = of.values.mute || (soloed && !of.values.solo);
  const heard = of.id ? `${short(of.id)}, heard as ${of.heard}, ${Math.round(100 * of.confidence)} percent sure` : "silent";
  const press = (name) => () => setSlot(of.code, name, of.values[name] ? 0 : 1, true);
  const tool = (name, label, sign, wide) => html`<button class=${wide ? "wide" : ""} aria-pressed=${String(Boolean(of.values[name]))} title=${label}
    aria-label="${label} ${of.code}" onClick=${press(name)}>${sign}</button>`;
  const act = (name, label, sign) => html`<button class="wide" title=${label} aria-label="${label} ${of.code}" onClick=${() => send(`/slot/${of.code}/${name}`)}>${sign}</button>`;
  const drop = (event) => {
    event.preventDefault(); box.current.classList.remove("over");
    const from = event.dataTransfer.getData("text/x-gan808-slot");
    const [file] = event.dataTransfer.files;
    if (file) onFile(of.code, file);
    else if (from && from !== of.code) send(`/slot/${of.code}/copy`, from);
  };
  return html`<div ref=${box} class="pad ${of.code === state.selected ? "selected" : ""} ${quiet ? "quiet" : ""} ${state.next.includes(of.code) ? "next" : ""}"
      data-code=${of.code} style=${{ gridRow: 4 - Math.floor(place / 4), gridColumn: 1 + (place % 4) }}
      onDragOver=${(event) => { event.preventDefault(); box.current.classList.add("over"); }} onDragLeave=${() => box.current.classList.remove("over")} onDrop=${drop}>
    <${Picture} of=${picture(of.id)} />
    <button class="hit" aria-label="Play ${of.code} ${of.name}: ${heard}" onPointerDown=${(event) => hit(event, of.code)}
      onClick=${(event) => { if (event.detail === 0) { send("/trig", of.code, float(KEY_VELOCITY)); select(of.code); } }}
      onContextMenu=${(event) => { event.preventDefault(); if (event.pointerType !== "touch") onMenu(of.code); }}></button>
    <div class="light"></div>
    <div class="head"><span class="code" draggable="true" title="Drag onto another pad" onPointerDown=${(event) => event.pointerType !== "mouse" && hit(event, of.code)}
      onClick=${(event) => event.pointerType === "mouse" && hit(event, of.code)} onDragStart=${(event) => event.dataTransfer.setData("text/x-gan808-slot", of.code)}>${of.code}</span>
      <span class="name">${of.name}</span><span class="id" title=${heard}>${of.id && `${Math.round(100 * of.confidence)}% ${short(of.id)}`}</span></div>
    <div class="tools">${act("new", "New sound for", "✦")}${act("undo", "Undo sound of", "↶")}${act("redo", "Redo sound of", "↷")}
      ${tool("lock", "Lock", "L", true)}${tool("mute", "Mute", "M")}${tool("solo", "Solo", "S", true)}
      <button aria-label="Everything of ${of.code}" title="More" onClick=${() => onMenu(of.code)}>⋯</button></div></div>`;
}

export function Pads({ onMenu, onFile }) {
  return html`<section class="pads" aria-label="Pads">${state.slots.map((each, place) => html`<${Pad} key=${each.code} of=${each} place=${place} onMenu=${onMenu} onFile=${onFile} />`)}</section>`;
}
