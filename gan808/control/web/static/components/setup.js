// MIDI and what is learned, the sound device, the renderer and its stock.

import { link, select, send, set, state, value } from "../store.js";
import { Choice, html, useEffect, useState } from "../view.js";

// Of the chosen pad, then of the whole machine.
const TARGETS = ["level", "tune", "decay", "pan", "width", "mute", "solo", "lock", "new", "undo"];
const MACHINE = ["/volume", "/evolve", "/seq/play", "/seq/stop", "/seq/tap", "/seq/swing", "/seq/density", "/seq/vary", "/seq/fill"];

const KINDS = ["note off", "note", "key pressure", "cc", "program", "pressure", "bend"];
/** A message of MIDI, which comes as hexadecimal bytes, in words; what belongs to no channel as it is. */
const inWords = (message) => {
  const [status, ...data] = message.split(" ").map((byte) => parseInt(byte, 16));
  const kind = KINDS[(status >> 4) - 8];
  return kind ? `${kind} ${data.join(" ")}, channel ${(status & 15) + 1}` : message;
};

const pairs = (flat) => flat.reduce((all, each, at) => (at % 2 ? all : [...all, [each, flat[at + 1]]]), []);

export function Setup() {
  const [told, setTold] = useState({ ports: [], learned: [], renderer: [0, 0, 0, 0] });
  const [what, setWhat] = useState("level");
  const [waiting, setWaiting] = useState("");
  const load = async () => {
    try {
      const [ports, learned, renderer] = await Promise.all([link.ask("/midi/ports"), link.ask("/learn/list"), link.ask("/renderer")]);
      setTold({ ports: pairs(ports), learned: pairs(learned), renderer });
      send("/snapshot");
    } catch { /* the link says so */ }
  };
  useEffect(() => { load(); const timer = setInterval(load, 2000); return () => clearInterval(timer); }, []);
  useEffect(() => { if (state.learned) { setWaiting(""); state.learned = ""; load(); } });
  const target = what.startsWith("/") ? what : what === "trig" ? `/trig ${state.selected}` : `/slot/${state.selected}/${what}`;
  const learn = () => link.ask("/learn", [target], "/done", ([address]) => address.endsWith("/learn")).then(() => setWaiting(target), () => {});
  const [voices = 0, , load01 = 0, , xruns = 0, rate = 0, latency = 0] = state.status;
  return html`<section class="library" aria-label="Set-up">
    <div class="card"><h2>MIDI</h2>${told.ports.length ? html`<ul tabindex="0" aria-label="MIDI ports">${told.ports.map(([name, last]) => html`<li><span>${name}</span><code>${last ? inWords(last) : "nothing yet"}</code></li>`)}</ul>` : html`<p>No MIDI port is open.</p>`}
      <h2>Learn</h2><p>Choose a pad and what to move, press Learn, then move the knob or hit the key.</p>
      <div class="line"><${Choice} label="Pad" value=${state.selected} options=${state.slots.map((each) => each.code)} onChange=${select} />
      <${Choice} label="Moves" value=${what} options=${["trig", ...TARGETS, ...MACHINE]} onChange=${setWhat} />
      ${waiting ? html`<button class="primary" onClick=${() => { send("/learn/cancel"); setWaiting(""); }}>Waiting for ${waiting} … cancel</button>` : html`<button class="primary" onClick=${learn}>Learn</button>`}</div>
      <ul tabindex="0" aria-label="Learned controls">${told.learned.map(([control, moves]) => html`<li><span>${control} → ${moves}</span><button onClick=${() => { send("/learn/forget", control); setTimeout(load, 200); }}>Forget ${control}</button></li>`)}</ul></div>
    <div class="card"><h2>Sound</h2><p><label>Volume <input type="range" min="0" max="1" step="0.01" value=${value("/volume", 0.8)} onInput=${(event) => set("/volume", event.target.valueAsNumber)} /></label></p><ul><li><span>Output</span>${state.output}</li><li><span>Rate</span>${Math.round(rate)} Hz</li><li><span>Latency</span>${latency.toFixed(1)} ms</li><li><span>Load</span>${(100 * load01).toFixed(1)} %</li><li><span>Voices</span>${voices}</li><li><span>Xruns</span>${xruns}</li></ul></div>
    <div class="card"><h2>Stock</h2><p>${told.renderer[0] ? `The renderer has made ${told.renderer[1]} sounds; ${told.renderer[3].toFixed(1)} a minute were filed.` : "The renderer is loading."}</p>
      <ul tabindex="0" aria-label="Stock by class">${Object.entries(state.stock).map(([name, count]) => html`<li><span>${name}</span><meter min="0" max="24" value=${count} aria-label="${name} in stock"></meter> ${count}</li>`)}</ul></div></section>`;
}
