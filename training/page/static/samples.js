// Pictures and sounds of fixed latents: the newest, or those of an earlier step.

import { html, useEffect, useState } from "./vendor/preact-htm.js";

const KEPT = 150; // sounds in memory, about 200 KB each
const sounds = new Map(); // address: promise of a WAV's bytes
let speaker = null;

const address = ([step, version], index) => `samples/${step}/${index}.wav?v=${version}`;

function fetched(url) {
  let found = sounds.get(url);
  sounds.delete(url);
  if (!found) {
    found = fetch(url).then((response) => { if (!response.ok) throw new Error(response.statusText); return response.arrayBuffer(); });
    found.catch(() => sounds.delete(url));
  }
  sounds.set(url, found); // the last is what was asked for last
  if (sounds.size > KEPT) sounds.delete(sounds.keys().next().value);
  return found;
}

async function play(url) {
  speaker ??= new AudioContext();
  speaker.resume();
  const source = speaker.createBufferSource();
  source.buffer = await speaker.decodeAudioData((await fetched(url)).slice(0));
  source.connect(speaker.destination);
  source.start();
  return new Promise((ended) => { source.onended = ended; });
}

/** Which part of the picture a cell shows, at whatever size the cell is. */
function part(layout, sample, row, column) {
  const { left, top, width, height, gap } = layout;
  const whole = [left + layout.per_row * (width + gap), top + layout.rows.length * (height + gap)];
  const corner = [left + column * (width + gap), top + row * (height + gap)];
  const place = corner.map((at, i) => `${(100 * at) / (whole[i] - [width, height][i])}%`);
  return {
    backgroundImage: `url("samples/${sample[0]}.png?v=${sample[1]}")`,
    backgroundSize: `${(100 * whole[0]) / width}% ${(100 * whole[1]) / height}%`, backgroundPosition: place.join(" "),
  };
}

function Cell({ layout, sample, row, column }) {
  const [sounding, setSounding] = useState(false), [missing, setMissing] = useState(false);
  const name = `${layout.rows[row].replaceAll("_", " ")} ${column + 1}`;
  const hear = async () => {
    setSounding(true);
    setMissing(false);
    try { await play(address(sample, row * layout.per_row + column)); } catch { setMissing(true); }
    setSounding(false);
  };
  return html`<button class="cell ${sounding ? "sounding" : ""}" style=${part(layout, sample, row, column)} onClick=${hear}
    aria-label="Hear ${name}, step ${sample[0]}${missing ? ": this sound is not at hand" : ""}" title=${missing ? "This sound is not at hand" : name}></button>`;
}

export function Samples({ samples }) {
  const { layout = null, steps = [] } = samples ?? {};
  const [chosen, choose] = useState(null); // a step; null: always the newest
  const newest = steps[steps.length - 1];
  const at = steps.findIndex(([step]) => step === chosen);
  const shown = at < 0 ? newest : steps[at];
  const key = newest?.join();
  useEffect(() => {
    // The newest can be heard at once, and after the training's end too.
    let wanted = Boolean(key);
    (async () => { for (let i = 0; wanted && i < layout.rows.length * layout.per_row; i++) await fetched(address(newest, i)).catch(() => { wanted = false; }); })();
    return () => { wanted = false; };
  }, [key]);
  const move = (event) => { const number = Number(event.target.value); choose(number === steps.length - 1 ? null : steps[number][0]); };
  const said = shown && `step ${shown[0].toLocaleString("en")}`;
  return html`<section aria-labelledby="sounds"><h2 id="sounds">Sounds of fixed latents</h2>
    ${!shown ? html`<p>The first come after a minute or at the end, then every ten minutes.</p>` : html`
    ${steps.length > 1 && html`<div class="time"><label>As it was <input type="range" min="0" max=${steps.length - 1} value=${at < 0 ? steps.length - 1 : at} onInput=${move} aria-label="Samples of which step" aria-valuetext=${said} /></label>
      <button disabled=${at < 0} onClick=${() => choose(null)}>Newest</button></div>`}
    <p class="detail time"><output>${said}</output> Click one to hear it.</p>
    <div class="classes" style=${{ "--n": layout.per_row }}>${layout.rows.map((name, row) => html`<div key=${name} role="group" aria-label=${name.replaceAll("_", " ")}><h3>${name.replaceAll("_", " ")}</h3>
      <div class="cells">${Array.from({ length: layout.per_row }, (_, column) => html`<${Cell} layout=${layout} sample=${shown} row=${row} column=${column} />`)}</div></div>`)}</div>`}</section>`;
}
