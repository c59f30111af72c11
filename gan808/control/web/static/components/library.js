// Kits, scenes, patterns, evolution and every sound of the last hour.

import { link, picture, send, set, state, value } from "../store.js";
import { Amount, Choice, html, Picture, styles, useEffect, useState } from "../view.js";
import { short } from "./pads.js";

styles`
.library { display: grid; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); gap: 14px; align-content: start; overflow: auto; }
.card { background: var(--raised); border: 1px solid var(--line); border-radius: 12px; padding: 12px; display: grid; gap: 8px; align-content: start; }
.card h2 { margin: 0; font-size: 16px; }
.card ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 4px; max-height: 420px; overflow: auto; }
.card li { display: flex; gap: 8px; align-items: center; }
.card li > span { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.card li .picture { width: 66px; height: 34px; border-radius: 4px; background: #17120f; flex: none; }
.card .line { display: flex; gap: 6px; flex-wrap: wrap; align-items: center; }
.card .line input[type="text"] { flex: 1; min-width: 120px; }
`;

const FORMATS = [["wav", "WAV files, Strudel"], ["sfz", "SFZ"], ["h2drumkit", "Hydrogen"], ["sf2", "SoundFont"], ["dspreset", "Decent Sampler"]];

function Saver({ label, onSave }) {
  const [name, setName] = useState("");
  return html`<form class="line" onSubmit=${(event) => { event.preventDefault(); if (name.trim()) onSave(name.trim()); setName(""); }}>
    <input type="text" aria-label=${label} placeholder="name" value=${name} onInput=${(event) => setName(event.target.value)} /><button>${label}</button></form>`;
}

const render = (id) => link.ask("/sound/render", [id], "/done", (values) => values[1] === id);

export function Library() {
  const [format, setFormat] = useState("sfz");
  const [lists, setLists] = useState({ kits: [], scenes: [], history: [] });
  const load = async () => {
    try {
      const [kits, scenes, flat] = await Promise.all([link.ask("/kit/list"), link.ask("/scene/list"), link.ask("/history")]);
      const history = [];
      const known = new Set(); // each sound once, as of the last time
      for (let at = 0; at < flat.length; at += 3) {
        const [id, code, ago] = flat.slice(at, at + 3), key = `${code} ${id}`;
        if (!known.has(key)) history.push({ key, id, code, ago });
        known.add(key);
      }
      setLists({ kits, scenes, history });
    } catch { /* the link says so */ }
  };
  useEffect(() => { load(); const timer = setInterval(load, 4000); return () => clearInterval(timer); }, []);
  const hear = async (id) => {
    try { await render(id); state.pictures.get(id) || state.pictures.delete(id); new Audio(`/panel/sound.wav?id=${encodeURIComponent(id)}`).play(); } catch { /* it is said */ }
  };
  const later = (address, ...values) => { send(address, ...values); setTimeout(load, 400); };
  return html`<section class="library" aria-label="Library">
    <div class="card"><h2>Evolution</h2><p class="line"><label>New sounds a bar <${Amount} min="0" max="64" step="0.5" value=${value("/evolve", 0)} onChange=${(number) => set("/evolve", number)} /></label></p>
      <p class="line"><${Choice} label="Where" value=${value("/evolve/quantise")} options=${["now", "beat", "bar"]} onChange=${(word) => set("/evolve/quantise", word)} />
      <${Choice} label="What" value=${value("/evolve/mode")} options=${["one", "all", "fresh"]} onChange=${(word) => set("/evolve/mode", word)} /></p>
      <p>${state.next.length ? `Next: ${state.next.join(", ")}` : "Nothing is about to change"}</p></div>
    <div class="card"><h2>Kits</h2><ul tabindex="0" aria-label="Kits">${lists.kits.map((name) => html`<li><span>${name}${name === state.kit ? " (plays)" : ""}</span><button onClick=${() => send("/kit/load", name)}>Load ${name}</button></li>`)}</ul><${Saver} label="Save kit" onSave=${(name) => later("/kit/save", name)} />
      <${Choice} label="For another sampler" value=${format} options=${FORMATS} onChange=${setFormat} /><${Saver} label="Export" onSave=${(name) => send("/export", format, name)} /></div>
    <div class="card"><h2>Scenes</h2><ul tabindex="0" aria-label="Scenes">${lists.scenes.map((name) => html`<li><span>${name}${name === value("/scene") ? " (last)" : ""}</span><button onClick=${() => send("/scene/recall", name)}>Recall ${name}</button><button aria-label="Delete scene ${name}" onClick=${() => later("/scene/delete", name)}>✕</button></li>`)}</ul><${Saver} label="Save scene" onSave=${(name) => later("/scene/save", name)} /></div>
    <div class="card"><h2>Pattern</h2><p>${value("/seq/pattern")}</p><div class="line"><button onClick=${() => send("/seq/original")}>As it was chosen</button></div><${Saver} label="Save pattern" onSave=${(name) => later("/seq/save", name)} /></div>
    <div class="card"><h2>The last hour</h2><ul tabindex="0" aria-label="Sounds of the last hour">${lists.history.map(({ key, id, code, ago }) => html`<li key=${key}><${Picture} of=${picture(id)} wave=${false} /><span>${code} ${short(id)} <small>${ago < 60 ? `${ago} s` : `${Math.round(ago / 60)} min`} ago</small></span>
      <button aria-label="Hear ${short(id)}" onClick=${() => hear(id)}>▶</button><button aria-label="Bring back ${short(id)}" onClick=${() => send(`/slot/${code}/recall`, id)}>Bring back</button></li>`)}</ul></div></section>`;
}
