// Everything of the chosen pad: its map, its knobs, its wishes.

import { float } from "../osc.js";
import { setSlot, send, slot, state } from "../store.js";
import { Choice, html, styles, useState } from "../view.js";
import { Knob } from "./knob.js";
import { SoundMap } from "./map.js";
import { short } from "./pads.js";

styles`
.sound { display: grid; gap: 10px; align-content: start; min-height: 0; min-width: 0; }
.sound h2 { margin: 0; font-size: 17px; display: flex; gap: 8px; align-items: baseline; flex-wrap: wrap; }
.sound h2 small { color: var(--soft); font-weight: 400; font-size: 13px; overflow-wrap: anywhere; }
.sound .split { display: grid; grid-template-columns: minmax(180px, 340px) minmax(0, 1fr); gap: 14px; align-items: start; }
.sound .knobs { display: grid; grid-template-columns: repeat(auto-fill, minmax(56px, 1fr)); }
.sound .wishes { display: flex; flex-wrap: wrap; gap: 6px; }
.sound .file { position: relative; overflow: hidden; font-size: 14px; color: var(--ink); } .sound .file input { position: absolute; inset: 0; opacity: 0; cursor: pointer; } .sound .file:focus-within { outline: 3px solid var(--focus); }
.sound .side { display: grid; gap: 10px; } dialog .sound .split { grid-template-columns: minmax(0, 1fr); }
.sound .mapbox { display: grid; gap: 6px; }
`;

const WISHES = ["brighter", "darker", "longer", "shorter", "higher", "lower"];
const percent = (x) => `${Math.round(100 * x)} %`;

/** From the present sound towards another class; back at 0 it is the present one again. */
function Mix({ code }) {
  const [name, setName] = useState(""), [amount, setAmount] = useState(0);
  const mix = (event) => { setAmount(event.target.valueAsNumber); send(`/slot/${code}/mix`, name, float(event.target.valueAsNumber)); };
  return html`<div class="wishes"><${Choice} label="Mix with" value=${name} options=${[["", "–"], ...state.classes]} onChange=${(given) => { setName(given); setAmount(0); }} />
    <input type="range" aria-label="How much of it" min="0" max="1" step="0.02" disabled=${!name} value=${amount} onInput=${mix} /></div>`;
}

/** map: the one beside the pads; without it the menu, which has the rest too. */
export function Sound({ map = true, onFile }) {
  const of = slot(state.selected);
  if (!of) return null;
  const put = (name) => (number) => setSlot(of.code, name, number);
  const act = (name, ...values) => () => send(`/slot/${of.code}/${name}`, ...values);
  const flip = (name) => () => setSlot(of.code, name, of.values[name] ? 0 : 1, true);
  const toggle = (name, label) => html`<button aria-pressed=${String(Boolean(of.values[name]))} onClick=${flip(name)}>${label}</button>`;
  const v = of.values, others = state.slots.map((each) => each.code).filter((code) => code !== of.code);
  return html`<section class="sound" aria-label="Sound of ${of.code}">
    <h2>${of.code} ${of.name} <small>${of.id && `${short(of.id)} · heard as ${of.heard} ${percent(of.confidence)} · ${of.length} s`}</small></h2>
    <div class="split">${map && html`<div class="mapbox"><${SoundMap} of=${of} /></div>`}
    <div class="side"><div class="wishes">
      <button class="primary" onClick=${act("new")}>New sound</button><button onClick=${act("undo")} disabled=${!of.undo}>Undo</button><button onClick=${act("redo")} disabled=${!of.redo}>Redo</button>
      <button onClick=${() => send("/sound/keep", of.code)}>Keep</button><a class="button" href=${`/panel/sound.wav?id=${encodeURIComponent(of.id)}`} download=${`${short(of.id).replaceAll(" ", "-")}.wav`}>WAV</a><label class="button file">File …<input type="file" accept=".wav,.flac,.aif,.aiff,.ogg,.mp3,.m4a,.aac,.mp4,.wma,.ape,.mka,.webm,.wv" aria-label="A sound file for ${of.code}" onChange=${(event) => { if (event.target.files[0]) onFile(of.code, event.target.files[0]); event.target.value = ""; }} /></label></div>
      <div class="wishes">${WISHES.map((word) => html`<button onClick=${act(word)}>${word}</button>`)}</div>
      <div class="wishes">${toggle("lock", "Lock")}${toggle("mute", "Mute")}${toggle("solo", "Solo")}${toggle("gate", "Gate")}
        <${Choice} label="Choke" value=${v.choke} options=${[[0, "none"], 1, 2, 3, 4, 5, 6, 7, 8]} onChange=${(group) => setSlot(of.code, "choke", group, true)} /></div>
      <div class="knobs">
        <${Knob} label="Level" value=${v.level} rest=${0.8} format=${percent} onInput=${put("level")} />
        <${Knob} label="Tune" value=${v.tune} min=${-24} max=${24} step=${0.1} origin=${0} rest=${0} format=${(x) => `${x > 0 ? "+" : ""}${x.toFixed(1)} st`} onInput=${put("tune")} />
        <${Knob} label="Decay" value=${v.decay} rest=${1} format=${percent} onInput=${put("decay")} />
        <${Knob} label="Pan" value=${v.pan} min=${-1} max=${1} origin=${0} rest=${0} format=${(x) => (Math.abs(x) < 0.005 ? "middle" : `${Math.round(100 * Math.abs(x))} ${x < 0 ? "left" : "right"}`)} onInput=${put("pan")} />
        <${Knob} label="Width" value=${v.width} rest=${0} format=${percent} onInput=${put("width")} />
      </div>${!map && html`<div class="wishes"><button onClick=${act("similar", float(0.3))}>similar</button><button onClick=${act("attack")}>other attack</button><button onClick=${act("tail")}>other tail</button>
        <${Choice} label="Copy of" value="" options=${["–", ...others]} onChange=${(from) => others.includes(from) && act("copy", from)()} /></div><${Mix} key=${of.code} code=${of.code} />`}</div></div></section>`;
}
