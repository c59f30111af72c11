// A knob: mouse, touch, wheel and keys; for a screen reader a slider with a spoken value.

import { html, styles, useRef } from "../view.js";

styles`
.knob { display: grid; justify-items: center; gap: 2px; min-width: 56px; touch-action: none; user-select: none; -webkit-user-select: none; cursor: ns-resize; border-radius: 10px; padding: 4px 2px; }
.knob svg { width: 44px; height: 44px; overflow: visible; }
.knob .track { fill: none; stroke: var(--line); stroke-width: 5; stroke-linecap: round; }
.knob .arc { fill: none; stroke: var(--accent); stroke-width: 5; stroke-linecap: round; }
.knob .cap { fill: var(--raised); stroke: var(--line); }
.knob .hand { stroke: var(--ink); stroke-width: 3; stroke-linecap: round; }
.knob .label { font-size: 12px; color: var(--soft); }
.knob .spoken { font-size: 12px; font-variant-numeric: tabular-nums; }
`;

const START = -135, END = 135, TRAVEL_PX = 170;
const point = (degrees, radius) => {
  const angle = ((degrees - 90) * Math.PI) / 180;
  return `${22 + radius * Math.cos(angle)} ${22 + radius * Math.sin(angle)}`;
};
const arc = (from, to) => `M ${point(from, 18)} A 18 18 0 ${Math.abs(to - from) > 180 ? 1 : 0} ${to > from ? 1 : 0} ${point(to, 18)}`;

/** value in min..max; origin: where the arc begins; onInput(value). */
export function Knob({ label, value, min = 0, max = 1, step = 0.01, origin = min, rest, format, onInput }) {
  const drag = useRef(null);
  const spoken = format ? format(value) : value.toFixed(2);
  const place = (at) => START + ((at - min) / (max - min)) * (END - START);
  const put = (next) => onInput(Math.min(max, Math.max(min, Math.round(next / step) * step)));
  const down = (event) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { y: event.clientY, value };
  };
  const move = (event) => {
    if (!drag.current) return;
    const fine = event.shiftKey ? 0.2 : 1;
    put(drag.current.value + ((drag.current.y - event.clientY) / TRAVEL_PX) * (max - min) * fine);
  };
  const keys = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
  const key = (event) => {
    if (event.key in keys) put(value + keys[event.key] * Math.max(step, (max - min) / 100));
    else if (event.key === "Home") put(min);
    else if (event.key === "End") put(max);
    else return;
    event.preventDefault(); event.stopPropagation();
  };
  return html`<div class="knob" role="slider" tabindex="0" aria-label=${label} aria-valuemin=${min} aria-valuemax=${max}
      aria-valuenow=${value} aria-valuetext=${spoken} onPointerDown=${down} onPointerMove=${move}
      onPointerUp=${() => { drag.current = null; }} onPointerCancel=${() => { drag.current = null; }}
      onDblClick=${() => rest !== undefined && put(rest)} onContextMenu=${(event) => event.preventDefault()}
      onWheel=${(event) => { event.preventDefault(); put(value - Math.sign(event.deltaY) * (max - min) / 50); }} onKeyDown=${key}>
    <svg viewBox="0 0 44 44" aria-hidden="true"><path class="track" d=${arc(START, END)} />
      <path class="arc" d=${arc(place(origin), place(value))} /><circle class="cap" cx="22" cy="22" r="12" />
      <line class="hand" x1="22" y1="22" x2=${point(place(value), 11).split(" ")[0]} y2=${point(place(value), 11).split(" ")[1]} /></svg>
    <span class="label">${label}</span><span class="spoken">${spoken}</span></div>`;
}
