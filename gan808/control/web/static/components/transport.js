// What is always there: play, tempo, swing, pattern, volume, recording, and how the link is.

import { float } from "../osc.js";
import { link, send, set, state, value } from "../store.js";
import { Amount, Choice, html, styles, useEffect, useState } from "../view.js";

styles`
.transport { display: flex; flex-wrap: wrap; gap: 10px; align-items: center; padding: 8px 12px; background: var(--raised); border-bottom: 1px solid var(--line); }
.transport fieldset { display: contents; }
.transport h1 { font-size: 18px; letter-spacing: .06em; margin: 0; font-weight: 900; }
.transport h1 em { color: var(--accent-ink); font-style: normal; }
.transport .play { min-width: 74px; font-weight: 800; }
.transport .play[aria-pressed="true"] { background: #2f9e6e; color: #06150e; }
.transport .recording { background: #d23b2a; color: #fff; }
.transport .link { margin-left: auto; font-variant-numeric: tabular-nums; font-size: 13px; color: var(--soft); }
.transport .link.gone { color: #fff; background: #b3321f; padding: 4px 8px; border-radius: 6px; }
@media (max-width: 700px), (max-height: 500px) { .transport { gap: 6px; padding: 6px; } .transport .optional { display: none; } .transport label { font-size: 0; gap: 0; } .transport label > * { font-size: 14px; } }
@media (max-height: 500px) { .transport { padding: 2px 6px; } .transport h1 { display: none; } }
`;

export function Transport() {
  const [patterns, setPatterns] = useState([]);
  useEffect(() => { if (state.alive) link.ask("/seq/patterns").then(setPatterns, () => {}); }, [state.alive, value("/seq/pattern")]);
  const [recording, seconds] = state.values["/record"] || [0, 0];
  useEffect(() => { if (!recording) return undefined; const timer = setInterval(() => send("/record"), 1000); return () => clearInterval(timer); }, [recording]);
  const pattern = value("/seq/pattern", "");
  const [voices = 0, , load = 0, peak = 0] = state.status;
  const record = () => { send(recording ? "/record/stop" : "/record/start"); setTimeout(() => send("/record"), 300); };
  const names = patterns.includes(pattern) || !pattern ? patterns : [pattern, ...patterns];
  const tempo = value("/seq/tempo", 120);
  return html`<header class="transport"><h1>GAN<em>-808</em></h1><fieldset disabled=${state.ready && !state.alive}>
    <button class="play" aria-pressed=${String(state.playing)} onClick=${() => send(state.playing ? "/seq/stop" : "/seq/play")}>${state.playing ? "■ Stop" : "▶ Play"}</button>
    <label>Tempo <${Amount} min="20" max="400" step="0.1" value=${Math.round(10 * tempo) / 10} onChange=${(number) => set("/seq/tempo", number)} /></label>
    <button onPointerDown=${() => send("/seq/tap")} onClick=${(event) => event.detail === 0 && send("/seq/tap")}>Tap</button>
    <${Choice} label="Pattern" value=${pattern} options=${names} onChange=${(name) => set("/seq/pattern", name)} />
    <label class="optional">Swing <input type="range" min="0" max="1" step="0.01" value=${value("/seq/swing", 0)} onInput=${(event) => set("/seq/swing", Number(event.target.value))} /></label>
    <label class="optional">Volume <input type="range" min="0" max="1" step="0.01" value=${value("/volume", 0.8)} onInput=${(event) => set("/volume", Number(event.target.value))} /></label>
    <label class="optional">New a bar <${Amount} min="0" max="64" step="0.5" value=${value("/evolve", 0)} onChange=${(number) => set("/evolve", number)} /></label>
    <button class=${recording ? "recording" : ""} aria-pressed=${String(Boolean(recording))} onClick=${record}>${recording ? `● ${Math.floor(seconds)} s` : "● Record"}</button></fieldset>
    <span class="link ${state.alive ? "" : "gone"}" role=${state.alive ? undefined : "status"}>${state.alive ? `${Math.max(1, Math.round(state.roundTripMs))} ms` : "no instrument: looking for it"}${state.alive && html`<span class="optional"> · load ${Math.round(100 * load)} % · ${voices} voices${peak > 0.99 ? " · peak" : ""}</span>`}</span></header>`;
}
