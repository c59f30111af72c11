// The pattern: a row a slot, a button a step. Drag draws; one tab stop, arrows move.

import { float } from "../osc.js";
import { FIELDS, link, onPlayhead, REST, select, send, set, setStep, setWhole, state, value } from "../store.js";
import { Amount, Choice, html, styles, useEffect, useRef, useState } from "../view.js";

styles`
.beat { display: grid; grid-template-rows: auto minmax(0, 1fr) auto; gap: 8px; min-height: 0; }
.beat .bar { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; }
.beat .swing { display: none; }
.steps { overflow: auto; display: grid; grid-auto-rows: minmax(17px, 1fr); gap: 3px; touch-action: pan-y; border-radius: 8px; }
.row { display: grid; grid-template-columns: 46px minmax(0, 1fr); gap: 6px; align-items: stretch; }
.row [role] { display: grid; min-width: 0; }
.row .name { border: 0; background: none; color: var(--soft); font-weight: 700; font-size: 13px; text-align: left; padding: 0 4px; min-height: 0; border-left: 3px solid transparent; border-radius: 0; }
.row .name[aria-pressed="true"] { color: var(--ink); border-left-color: var(--accent); }
.row .cells { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: 3px; }
.steps .cell { min-width: 0; }
.cell { position: relative; min-height: 0; padding: 0; border: 0; border-radius: 4px; background: var(--cell); touch-action: pan-y; overflow: hidden; --v: 0; }
.cell[aria-pressed="true"] { background: var(--cell); }
.cell::before { content: ""; position: absolute; left: 0; right: 0; bottom: 0; height: calc(var(--v) * 100%); background: var(--hue); border-radius: 4px; }
.cell.q0 { --hue: var(--beat0); } .cell.q1 { --hue: var(--beat1); } .cell.q2 { --hue: var(--beat2); } .cell.q3 { --hue: var(--beat3); }
.cell.perhaps::before { opacity: .55; }
.cell .more { position: absolute; inset: 0; display: grid; place-items: center; font-size: 11px; font-weight: 800; color: #1c0f06; }
.cell[data-here] { box-shadow: inset 0 0 0 2px var(--ink); }
.cell:focus-visible { outline: 3px solid var(--focus); outline-offset: 1px; z-index: 1; }
/* For fingers: sixteen to a line. In one hand: a row a line to look at, and the chosen one large. */
@media (pointer: coarse) { .steps { grid-auto-rows: auto; } .cell { min-height: 44px; } .row .cells { grid-auto-flow: row; grid-template-columns: repeat(16, minmax(0, 1fr)); } }
@media (max-width: 700px), (max-height: 500px) {
  .beat .bar .swing { display: inline-flex; } .beat { display: block; } .beat .bar { flex-wrap: nowrap; overflow-x: auto; padding-bottom: 6px; } .beat .bar > * { flex: none; }
  .steps { overflow: visible; grid-auto-rows: auto; } .row { min-height: 44px; padding: 4px 0; } .row .cell { min-height: 0; }
  .row:not(.chosen) .cells { grid-auto-flow: column; grid-template-columns: none; pointer-events: none; gap: 2px; }
  .row.chosen { grid-template-columns: minmax(0, 1fr); } .row.chosen .cells { grid-auto-flow: row; grid-template-columns: repeat(8, minmax(0, 1fr)); } .row.chosen .cell { min-height: 44px; }
}
@media (max-height: 500px) { .row.chosen .cells { grid-template-columns: repeat(16, minmax(0, 1fr)); } }
`;

const ACCENT = 1, NORMAL = 0.78, SOFT = 0.55, GHOST = 0.32;
// What a stroke draws: as it is called, what of it can be chosen, and from what.
const TOOLS = {
  velocity: ["hits", "Hit", [[ACCENT, "accent"], [NORMAL, "normal"], [SOFT, "soft"], [GHOST, "ghost"]]],
  chance: ["chance", "Chance", [[0.25, "25%"], [0.5, "50%"], [0.75, "75%"]]],
  ratchet: ["ratchet", "Hits", [2, 3, 4, 6, 8]],
  nudge: ["nudge", "Nudge", [[-0.25, "early 0.25"], [-0.1, "early 0.1"], [0.1, "late 0.1"], [0.25, "late 0.25"]]],
};

function Row({ code, pen, cursor, setCursor, drawing }) {
  const row = state.rows[code] || [];
  const change = (index, on) => {
    if (pen.tool === "velocity") setStep(code, index, "step", on ? pen.velocity : 0);
    else if (row[index] && pen.tool === "chance") setStep(code, index, "chance", row[index][1] === pen.chance ? 1 : pen.chance);
    else if (row[index] && pen.tool === "ratchet") setStep(code, index, "ratchet", row[index][2] === pen.ratchet ? 1 : pen.ratchet);
    else if (row[index] && pen.tool === "nudge") setStep(code, index, "nudge", row[index][3] === pen.nudge ? 0 : pen.nudge);
  };
  const down = (event, index) => {
    if (event.button) return;
    event.target.releasePointerCapture?.(event.pointerId);
    const on = !(row[index] && (pen.tool !== "velocity" || Math.abs(row[index][0] - pen.velocity) < 0.02));
    const first = () => { change(index, pen.tool === "velocity" ? on : true); setCursor({ code, index }); };
    // A finger may want to scroll: it draws once it has gone sideways or is lifted.
    drawing.current = { code, on, last: index, first: event.pointerType === "touch" ? first : null };
    if (event.pointerType !== "touch") first();
  };
  const enter = (event, index) => {
    const stroke = drawing.current;
    if (!stroke || !(event.buttons & 1) || stroke.code !== code || stroke.last === index) return;
    stroke.last = index;
    stroke.first?.();
    stroke.first = null;
    change(index, stroke.on);
  };
  return html`<div class="row ${code === state.selected ? "chosen" : ""}" role="row" onClick=${(event) => event.target.closest(".cell") || select(code)}><div role="rowheader"><button class="name" aria-pressed=${String(code === state.selected)} tabindex="-1" aria-label="Choose ${code}">${code}</button></div>
    <div class="cells" role="presentation">${row.map((step, index) => {
      const told = step ? `velocity ${Math.round(100 * step[0])}${step[1] < 1 ? `, chance ${Math.round(100 * step[1])} percent` : ""}${step[2] > 1 ? `, ${step[2]} hits` : ""}` : "rest";
      const active = cursor.code === code && cursor.index === index;
      return html`<div role="gridcell" key=${index}><button class="cell q${Math.floor(index / 4) % 4} ${step && step[1] < 1 ? "perhaps" : ""}"
        style=${{ "--v": step ? 0.25 + 0.75 * step[0] : 0 }} data-cell="${code}:${index}" aria-pressed=${String(Boolean(step))} aria-label="${code} step ${index + 1}: ${told}" tabindex=${active ? 0 : -1}
        onPointerDown=${(event) => down(event, index)} onPointerEnter=${(event) => enter(event, index)}
        onClick=${(event) => { if (event.detail === 0) change(index, !step); }}>${step && (step[2] > 1 || step[3]) ? html`<span class="more">${step[2] > 1 ? step[2] : step[3] > 0 ? "›" : "‹"}</span>` : null}</button></div>`;
    })}</div></div>`;
}

/** Show where the pattern is, without drawing anything else again. */
function mark(grid, step) {
  for (const cell of grid.querySelectorAll("[data-here]")) delete cell.dataset.here;
  if (step < 0) return;
  for (const { children } of grid.querySelectorAll(".cells")) if (children.length) children[step % children.length].firstChild.dataset.here = "";
}

export function Sequencer() {
  const [pen, setPen] = useState({ tool: "velocity", velocity: NORMAL, chance: 0.5, ratchet: 2, nudge: 0.25 });
  const [cursor, setCursor] = useState({ code: "BD", index: 0 });
  const [copied, setCopied] = useState(null);
  const drawing = useRef(null), grid = useRef();
  useEffect(() => {
    const lifted = () => { drawing.current?.first?.(); drawing.current = null; }, scrolled = () => { drawing.current = null; };
    addEventListener("pointerup", lifted); addEventListener("pointercancel", scrolled);
    return () => { removeEventListener("pointerup", lifted); removeEventListener("pointercancel", scrolled); };
  }, []);
  useEffect(() => onPlayhead((step) => mark(grid.current, step)), []);
  const codes = state.slots.map((each) => each.code);
  const move = (event) => {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -99], End: [0, 99] }[event.key];
    if (!steps) return;
    event.preventDefault();
    const code = codes[Math.min(codes.length - 1, Math.max(0, codes.indexOf(cursor.code) + steps[0]))];
    const index = Math.min(state.rows[code].length - 1, Math.max(0, cursor.index + steps[1]));
    setCursor({ code, index });
    grid.current.querySelector(`[data-cell="${code}:${index}"]`)?.focus();
  };
  const chosen = state.selected, length = (state.rows[chosen] || []).length;
  const write = (code, row) => {
    const messages = [["/seq/clear", code], ["/seq/length", code, row.length]];
    row.forEach((step, index) => {
      if (!step) return;
      FIELDS.forEach((field, at) => {
        if (step[at] !== REST[at]) messages.push([`/seq/${field}`, code, index + 1, typeof step[at] === "number" && field !== "ratchet" ? float(step[at]) : step[at]]);
      });
    });
    link.sendAll(messages);
  };
  const paste = () => {
    if (Array.isArray(copied)) write(chosen, copied);
    else for (const code of codes) if (copied[code]) write(code, copied[code]);
  };
  return html`<section class="beat" aria-label="Beat">
    <div class="bar">
      <${Choice} label="Draw" value=${pen.tool} options=${Object.entries(TOOLS).map(([tool, [called]]) => [tool, called])} onChange=${(tool) => setPen({ ...pen, tool })} />
      <${Choice} label=${TOOLS[pen.tool][1]} value=${pen[pen.tool]} options=${TOOLS[pen.tool][2]} onChange=${(given) => setPen({ ...pen, [pen.tool]: given })} />
      <label>${chosen} steps <${Amount} min="1" max="64" value=${length} onChange=${(number) => send("/seq/length", chosen, number)} /></label>
      <button onClick=${() => setCopied(state.rows[chosen].slice())}>Copy ${chosen}</button><button onClick=${() => setCopied(structuredClone(state.rows))}>Copy all</button><button disabled=${!copied} onClick=${paste}>Paste</button>
      <button onClick=${() => send("/seq/clear", chosen)}>Clear ${chosen}</button><span class="gap"></span>
      <button onClick=${() => send("/seq/undo")}>Undo</button><button onClick=${() => send("/seq/redo")}>Redo</button>
      <button onClick=${() => send("/seq/fill", "now")}>Fill</button><label>Fill every <${Amount} min="0" max="64" aria-label="Bars between fills, 0 for none" value=${value("/seq/fills", 0)} onChange=${(number) => setWhole("/seq/fills", number)} /></label><button onClick=${() => send("/seq/mutate", float(0.3))}>Mutate</button>
      <label class="swing">Swing <input type="range" min="0" max="1" step="0.01" value=${value("/seq/swing", 0)} onInput=${(event) => set("/seq/swing", Number(event.target.value))} /></label>
      <label>Density <input type="range" min="-1" max="1" step="0.05" value=${value("/seq/density", 0)} onInput=${(event) => set("/seq/density", Number(event.target.value))} /></label>
      <label>Vary <input type="range" min="0" max="1" step="0.05" value=${value("/seq/vary", 0)} onInput=${(event) => set("/seq/vary", Number(event.target.value))} /></label>
    </div>
    <div class="steps" role="grid" aria-label="Steps" ref=${grid} onKeyDown=${move} tabindex="-1">
      ${codes.map((code) => html`<${Row} key=${code} code=${code} pen=${pen} cursor=${cursor} setCursor=${setCursor} drawing=${drawing} />`)}
    </div></section>`;
}
