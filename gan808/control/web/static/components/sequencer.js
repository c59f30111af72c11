// The pattern: a row a slot, a button a step. Drag draws; one tab stop, arrows move.

import { float } from "../osc.js";
import { picture, select, send, set, setStep, state, value } from "../store.js";
import { Choice, html, styles, useEffect, useRef, useState } from "../view.js";

styles`
.beat { display: grid; grid-template-rows: auto minmax(0, 1fr) auto; gap: 8px; min-height: 0; }
.beat .bar { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; }
.steps { overflow: auto; display: grid; gap: 3px; align-content: start; touch-action: pan-y; border-radius: 8px; }
.row { display: grid; grid-template-columns: 46px minmax(0, 1fr); gap: 6px; align-items: stretch; }
.row [role] { display: grid; min-width: 0; }
.row .name { border: 0; background: none; color: var(--soft); font-weight: 700; font-size: 13px; text-align: left; padding: 0 4px; min-height: 20px; border-left: 3px solid transparent; border-radius: 0; }
.row .name[aria-pressed="true"] { color: var(--ink); border-left-color: var(--accent); }
.row .cells { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: 3px; }
.cell { position: relative; min-width: 0; height: 20px; padding: 0; border: 0; border-radius: 4px; background: var(--cell); touch-action: none; overflow: hidden; --v: 0; }
.cell[aria-pressed="true"] { background: var(--cell); }
.cell::before { content: ""; position: absolute; left: 0; right: 0; bottom: 0; height: calc(var(--v) * 100%); background: var(--hue); border-radius: 4px; }
.cell.q0 { --hue: #e5482d; } .cell.q1 { --hue: #f08a24; } .cell.q2 { --hue: #f2c230; } .cell.q3 { --hue: #efe6d5; }
.cell.perhaps::before { opacity: .55; }
.cell .more { position: absolute; inset: 0; display: grid; place-items: center; font-size: 11px; font-weight: 800; color: #1c0f06; }
.cell.here { box-shadow: inset 0 0 0 2px var(--ink); }
.cell:focus-visible { outline: 3px solid var(--focus); outline-offset: 1px; z-index: 1; }
@media (pointer: coarse), (max-width: 700px) { .cell { height: 44px; } .row .name { min-width: 44px; } .steps { overscroll-behavior: contain; } .row .cells { grid-auto-columns: minmax(44px, 1fr); overflow-x: auto; } }
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
  const playhead = state.step < 0 ? -1 : state.step % row.length;
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
    drawing.current = { code, on, last: index };
    change(index, pen.tool === "velocity" ? on : true);
    setCursor({ code, index });
  };
  const enter = (event, index) => {
    const stroke = drawing.current;
    if (!stroke || !(event.buttons & 1) || stroke.code !== code || stroke.last === index) return;
    stroke.last = index;
    change(index, stroke.on);
  };
  return html`<div class="row" role="row"><div role="rowheader"><button class="name" aria-pressed=${String(code === state.selected)} tabindex="-1" aria-label="Choose ${code}" onClick=${() => select(code)}>${code}</button></div>
    <div class="cells" role="presentation">${row.map((step, index) => {
      const told = step ? `velocity ${Math.round(100 * step[0])}${step[1] < 1 ? `, chance ${Math.round(100 * step[1])} percent` : ""}${step[2] > 1 ? `, ${step[2]} hits` : ""}` : "rest";
      const active = cursor.code === code && cursor.index === index;
      return html`<div role="gridcell" key=${index}><button class="cell q${Math.floor(index / 4) % 4} ${step && step[1] < 1 ? "perhaps" : ""} ${index === playhead ? "here" : ""}"
        style=${{ "--v": step ? 0.25 + 0.75 * step[0] : 0 }} data-cell="${code}:${index}" aria-pressed=${String(Boolean(step))} aria-label="${code} step ${index + 1}: ${told}" tabindex=${active ? 0 : -1}
        onPointerDown=${(event) => down(event, index)} onPointerEnter=${(event) => enter(event, index)}
        onClick=${(event) => { if (event.detail === 0) change(index, !step); }}>${step && (step[2] > 1 || step[3]) ? html`<span class="more">${step[2] > 1 ? step[2] : step[3] > 0 ? "›" : "‹"}</span>` : null}</button></div>`;
    })}</div></div>`;
}

export function Sequencer() {
  const [pen, setPen] = useState({ tool: "velocity", velocity: NORMAL, chance: 0.5, ratchet: 2, nudge: 0.25 });
  const [cursor, setCursor] = useState({ code: "BD", index: 0 });
  const [copied, setCopied] = useState(null);
  const drawing = useRef(null), grid = useRef();
  useEffect(() => { const end = () => { drawing.current = null; }; addEventListener("pointerup", end); return () => removeEventListener("pointerup", end); }, []);
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
  const paste = () => {
    if (!copied) return;
    send("/seq/length", chosen, copied.length);
    copied.forEach((step, index) => {
      send("/seq/step", chosen, index + 1, float(step ? step[0] : 0));
      if (step && step[1] < 1) send("/seq/chance", chosen, index + 1, float(step[1]));
      if (step && step[2] > 1) send("/seq/ratchet", chosen, index + 1, step[2]);
      if (step && step[3]) send("/seq/nudge", chosen, index + 1, float(step[3]));
    });
  };
  return html`<section class="beat" aria-label="Beat">
    <div class="bar">
      <${Choice} label="Draw" value=${pen.tool} options=${Object.entries(TOOLS).map(([tool, [called]]) => [tool, called])} onChange=${(tool) => setPen({ ...pen, tool })} />
      <${Choice} label=${TOOLS[pen.tool][1]} value=${pen[pen.tool]} options=${TOOLS[pen.tool][2]} onChange=${(given) => setPen({ ...pen, [pen.tool]: given })} />
      <label>${chosen} steps <input class="short" type="number" min="1" max="64" value=${length} onChange=${(event) => send("/seq/length", chosen, Number(event.target.value))} /></label>
      <button onClick=${() => setCopied(state.rows[chosen].slice())}>Copy ${chosen}</button><button disabled=${!copied} onClick=${paste}>Paste</button>
      <button onClick=${() => send("/seq/clear", chosen)}>Clear ${chosen}</button><span class="gap"></span>
      <button onClick=${() => send("/seq/undo")}>Undo</button><button onClick=${() => send("/seq/redo")}>Redo</button>
      <button onClick=${() => send("/seq/fill", "now")}>Fill</button><button onClick=${() => send("/seq/mutate", float(0.3))}>Mutate</button>
      <label>Density <input type="range" min="-1" max="1" step="0.05" value=${value("/seq/density", 0)} onInput=${(event) => set("/seq/density", Number(event.target.value))} /></label>
      <label>Vary <input type="range" min="0" max="1" step="0.05" value=${value("/seq/vary", 0)} onInput=${(event) => set("/seq/vary", Number(event.target.value))} /></label>
    </div>
    <div class="steps" role="grid" aria-label="Steps" ref=${grid} onKeyDown=${move} tabindex="-1">
      ${codes.map((code) => html`<${Row} key=${code} code=${code} pen=${pen} cursor=${cursor} setCursor=${setCursor} drawing=${drawing} />`)}
    </div></section>`;
}
