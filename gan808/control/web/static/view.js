// What every component uses: Preact with htm, styles beside each component, drawing of pictures.

import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";
import { subscribe } from "./store.js";

export { html, render, useEffect, useRef, useState, useMemo } from "./vendor/preact-htm.js";

/** The styles of a component, once. */
export function styles(strings) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(strings.join(""));
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

/** Draw again whenever the state changes. */
export function useStore() {
  const [, again] = useState(0);
  useEffect(() => subscribe(() => again((n) => n + 1)), []);
}

/** A number to write; what is being written is left alone until it is done. onChange(value). */
export function Amount({ value, onChange, ...given }) {
  const [text, setText] = useState(null);
  const done = (event) => { if (event.target.value !== "") onChange(Number(event.target.value)); setText(null); };
  return html`<input class="short" type="number" ...${given} value=${text ?? value} onInput=${(event) => setText(event.target.value)} onChange=${done} onBlur=${() => setText(null)} />`;
}

/** One of several. options: words or numbers, or [value, what it is called]; onChange(value). */
export function Choice({ label, name, value, options, onChange }) {
  const pairs = options.map((each) => (Array.isArray(each) ? each : [each, each]));
  // Without a value of its own this Preact gives an option the empty one.
  return html`<label>${label} <select aria-label=${name} onChange=${(event) => onChange(pairs[event.target.selectedIndex][0])}>
    ${pairs.map(([given, called]) => html`<option key=${given} value=${given} selected=${given === value}>${called}</option>`)}</select></label>`;
}

// From dark to ember to cream: what is loud glows.
const GLOW = Array.from({ length: 256 }, (_, level) => {
  const x = level / 255;
  return [Math.min(255, 20 + 330 * x), Math.max(16, Math.min(240, 360 * x - 110)), Math.max(20, Math.min(215, 620 * x - 400))];
});

/** A spectrogram with its waveform below, on a canvas as large as its box. */
export function Picture({ of, wave = true }) {
  const canvas = useRef();
  useLayoutEffect(() => { if (of) draw(canvas.current, of, wave); else clear(canvas.current); }, [of]);
  return html`<canvas ref=${canvas} width="96" height=${wave ? 56 : 40} class="picture" aria-hidden="true"></canvas>`;
}

function clear(canvas) { canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height); }

function draw(canvas, { columns, bands, levels, peaks }, wave) {
  const context = canvas.getContext("2d"), { width, height } = canvas;
  const image = new ImageData(columns, bands);
  for (let x = 0; x < columns; x++) for (let y = 0; y < bands; y++) {
    const [r, g, b] = GLOW[levels[x * bands + y]];
    image.data.set([r, g, b, 255], 4 * ((bands - 1 - y) * columns + x));
  }
  const small = new OffscreenCanvas(columns, bands);
  small.getContext("2d").putImageData(image, 0, 0);
  const above = wave ? height - 14 : height;
  context.imageSmoothingEnabled = true;
  context.clearRect(0, 0, width, height);
  context.drawImage(small, 0, 0, width, above);
  if (!wave) return;
  context.fillStyle = "#f4a259";
  const signed = new Int8Array(peaks.buffer, peaks.byteOffset, peaks.length), pairs = signed.length / 2;
  for (let at = 0; at < pairs; at++) {
    const low = signed[2 * at] / 127, high = signed[2 * at + 1] / 127;
    const top = height - 7 - 6 * high;
    context.fillRect((at * width) / pairs, top, width / pairs - 0.3, Math.max(0.8, 6 * (high - low)));
  }
}
