// A plane through latent space around the present sound: towards four other seeds. Drag, and the
// sound follows: the nearest that is rendered at once, the exact one when it is ready.

import { link, picture, send, state } from "../store.js";
import { html, Picture, styles, useEffect, useMemo, useRef, useState } from "../view.js";

styles`
.map { position: relative; aspect-ratio: 1; width: 100%; max-height: 100%; border-radius: 12px; overflow: hidden; background: #17120f; touch-action: none; user-select: none; -webkit-user-select: none; cursor: crosshair; border: 2px solid var(--line); }
.map .tiles { position: absolute; inset: 0; display: grid; grid-template-columns: repeat(7, 1fr); grid-template-rows: repeat(7, 1fr); gap: 2px; }
.map .tile { background: #211a15; position: relative; border-radius: 3px; overflow: hidden; }
.map .tile .picture { position: absolute; inset: 0; width: 100%; height: 100%; }
.map .dot { position: absolute; width: 26px; height: 26px; margin: -13px; border-radius: 50%; border: 3px solid #fff6e8; background: #d9481c88; box-shadow: 0 0 0 2px #120f0d, 0 2px 12px #000; pointer-events: none; }
.map:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.mapfoot { display: flex; gap: 8px; align-items: center; justify-content: space-between; font-size: 13px; color: var(--soft); }
`;

// Who only hits one pad after the other does not want a plane around each.
const SIDE = 7, REACH = 0.7, EXACT_MS = 180, BATCH = 8, SETTLE_MS = 400;
// How far from the middle the outermost tiles' middles are, as a share of the half.
const SPREAD = (SIDE - 1) / SIDE;
const POINTS = Array.from({ length: SIDE * SIDE }, (_, at) => [2 * (at % SIDE) / (SIDE - 1) - 1, 1 - 2 * Math.floor(at / SIDE) / (SIDE - 1)]);
const FROM_CENTRE = POINTS.map((_, at) => at).sort((a, b) => Math.hypot(...POINTS[a]) - Math.hypot(...POINTS[b]));

function seedsOf(id, round) {
  let hash = 2166136261 ^ round;
  for (const sign of id) hash = Math.imul(hash ^ sign.charCodeAt(0), 16777619);
  return [1, 2, 3, 4].map((n) => Math.abs(Math.imul(hash + n, 2654435761)) % 1000000);
}

/** The id of the place x, y in -1..1 around a sound. */
export function idAt(home, x, y, round = 0) {
  const [plain, width = ""] = home.split(/(?=\+w@)/);
  const [east, west, north, south] = seedsOf(home, round);
  const step = (amount, seed) => {
    const share = Math.round(Math.abs(amount) * REACH * 1e4) / 1e4;
    return share ? `~${seed}@${share}` : "";
  };
  return plain + step(x, x > 0 ? east : west) + step(y, y > 0 ? north : south) + width;
}

const render = (id) => link.ask("/sound/render", [id], "/done", (values) => values[1] === id, 60000);

export function SoundMap({ of }) {
  const [view, setView] = useState({ code: of.code, home: of.id, round: 0 });
  const [at, setAt] = useState([0, 0]);
  const [ready, setReady] = useState(() => new Set());
  const ids = useMemo(() => POINTS.map(([x, y]) => idAt(view.home, x, y, view.round)), [view.home, view.round]);
  const there = ids.filter((id) => ready.has(id)).length;
  // ours: by id, where the hand was for it. fresh: a stroke has not played anything yet.
  const ours = useRef(new Map()), pending = useRef(0), latest = useRef(""), held = useRef(false), fresh = useRef(true);
  const begin = (round) => { ours.current = new Map(); setView({ code: of.code, home: of.id, round }); setAt([0, 0]); setReady(new Set()); };
  // Another slot, or a sound that came from elsewhere: the plane begins there.
  if (of.id && (view.code !== of.code || (of.id !== view.home && !ours.current.has(of.id)))) {
    begin(0);
  }
  useEffect(() => {
    const place = of.id === view.home ? [0, 0] : ours.current.get(of.id);
    if (place && !held.current) setAt(place); // undone, or moved in another panel
  }, [of.id]);
  // Silence, and a file of the user's, lie nowhere in latent space.
  const somewhere = view.home && !view.home.includes("/file:");
  useEffect(() => {
    if (!somewhere) return undefined;
    let over = false;
    const settled = setTimeout(async () => {
      // So many at a time as the renderer makes at once.
      for (let first = 0; first < FROM_CENTRE.length && !over; first += BATCH) {
        await Promise.all(FROM_CENTRE.slice(first, first + BATCH).map(async (place) => {
          const id = ids[place];
          try { await render(id); } catch { return; }
          if (over) return;
          picture(id);
          setReady((before) => new Set(before).add(id));
        }));
      }
    }, SETTLE_MS);
    return () => { over = true; clearTimeout(settled); clearTimeout(pending.current); };
  }, [view.home, view.code, view.round]);
  const stroke = () => { fresh.current = true; latest.current = of.id; };
  // Undo leads to the sound before the whole stroke.
  const play = (id, place) => {
    if (id === latest.current) return;
    latest.current = id; ours.current.set(id, place);
    send(`/slot/${of.code}/recall`, id, fresh.current ? 1 : 0);
    fresh.current = false;
  };
  const go = (x, y) => {
    if (!somewhere) return;
    const place = [Math.max(-1, Math.min(1, x)), Math.max(-1, Math.min(1, y))];
    setAt(place);
    const away = ids.map((id, n) => (ready.has(id) ? Math.hypot(POINTS[n][0] - place[0], POINTS[n][1] - place[1]) : Infinity));
    const least = Math.min(...away);
    if (least < Infinity) play(ids[away.indexOf(least)], place);
    clearTimeout(pending.current);
    // Played when it is made, unless the hand has gone on meanwhile.
    const exact = setTimeout(() => {
      const id = idAt(view.home, ...place, view.round);
      render(id).then(() => { if (pending.current === exact) play(id, place); }, () => {});
    }, EXACT_MS);
    pending.current = exact;
  };
  const move = (event) => {
    if (!held.current) return;
    const box = event.currentTarget.getBoundingClientRect();
    go((2 * (event.clientX - box.left) / box.width - 1) / SPREAD, (1 - 2 * (event.clientY - box.top) / box.height) / SPREAD);
  };
  const key = (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!step) return;
    event.preventDefault();
    if (!event.repeat) stroke();
    go(at[0] + step[0] / 6, at[1] + step[1] / 6);
  };
  return html`<div class="map" role="application" tabindex="0" aria-label="Map of sounds around ${of.code}: arrow keys move" data-ready=${there}
      onPointerDown=${(event) => { held.current = true; stroke(); event.currentTarget.setPointerCapture(event.pointerId); move(event); }} onPointerMove=${move}
      onPointerUp=${() => { held.current = false; }} onPointerCancel=${() => { held.current = false; }} onContextMenu=${(event) => event.preventDefault()} onKeyDown=${key}>
      <div class="tiles">${ids.map((id, n) => html`<div class="tile" key=${n}>${ready.has(id) ? html`<${Picture} of=${picture(id)} wave=${false} />` : null}</div>`)}</div><div class="dot" style=${{ left: `${50 + 50 * SPREAD * at[0]}%`, top: `${50 - 50 * SPREAD * at[1]}%` }}></div></div>
    <div class="mapfoot"><span>${somewhere ? `${there} of ${SIDE * SIDE} ready` : "Nothing is near a file"}</span><span><button onClick=${() => begin(0)}>Centre here</button> <button onClick=${() => begin(view.round + 1)}>Other ways</button></span></div>`;
}
