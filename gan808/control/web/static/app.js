// The panel: what is shown where, and the menu of a pad.

import { select, send, state, upload } from "./store.js";
import { html, render, styles, useEffect, useRef, useState, useStore } from "./view.js";
import { Library } from "./components/library.js";
import { Pads, playFromKeys } from "./components/pads.js";
import { Sequencer } from "./components/sequencer.js";
import { Setup } from "./components/setup.js";
import { Sound } from "./components/sound.js";
import { TrainingLink } from "./components/training.js";
import { Transport } from "./components/transport.js";

styles`
#app { display: grid; grid-template-rows: auto minmax(0, 1fr) auto; height: 100dvh; }
.lost main { filter: grayscale(1); opacity: .55; }
main { min-height: 0; overflow: auto; padding: 10px 12px; }
.stage { display: grid; gap: 12px; height: 100%; grid-template-columns: minmax(0, 1.05fr) minmax(0, 1fr); grid-template-rows: minmax(430px, 1.15fr) minmax(250px, 1fr); }
.stage .beat { grid-column: 1 / -1; }
.stage .sound, .stage .pads { overflow: auto; }
nav { display: flex; gap: 4px; background: var(--raised); border-top: 1px solid var(--line); padding: 4px 8px; padding-bottom: max(4px, env(safe-area-inset-bottom)); }
nav button { flex: 1; border: 0; background: none; min-height: 44px; font-weight: 700; color: var(--soft); padding: 2px; white-space: nowrap; }
nav button[aria-current="page"] { color: var(--ink); box-shadow: inset 0 3px var(--accent); border-radius: 0; }
nav .narrow { display: none; }
.message { align-self: center; padding: 0 10px; color: var(--soft); font-size: 13px; flex: 3; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
dialog { border: 1px solid var(--line); border-radius: 14px; background: var(--ground); color: var(--ink); max-width: min(560px, 94vw); }
dialog::backdrop { background: #000a; }
dialog .close { float: right; }
.answers { display: flex; gap: 8px; flex-wrap: wrap; margin-top: 12px; }
.waiting { display: grid; place-items: center; height: 100%; }
@media (max-width: 1100px) { .stage { height: auto; grid-template-columns: minmax(0, 1.1fr) minmax(0, 1fr); grid-template-rows: auto auto; } .stage .pads { min-height: 620px; } .stage .sound .split { grid-template-columns: minmax(0, 1fr); } .steps { max-height: none; } }
@media (max-width: 700px), (max-height: 500px) {
  .stage { display: block; height: auto; } .stage > * { display: none; }
  .stage.pads-shown > .pads, .stage.sound-shown > .sound, .stage.beat-shown > .beat { display: grid; }
  .stage.pads-shown { height: 100%; } .stage.pads-shown > .pads { height: 100%; min-height: 0; } .stage.beat-shown > .beat { display: block; } .stage .sound .split { grid-template-columns: minmax(0, 1fr); }
  nav .narrow { display: block; } nav .wide { display: none; } main { padding: 6px; }
  .message { position: fixed; left: 8px; right: 8px; bottom: calc(58px + env(safe-area-inset-bottom)); z-index: 5; padding: 10px; border: 1px solid var(--line); border-radius: 8px; background: var(--raised); color: var(--ink); white-space: normal; } .message:empty { display: none; }
}
`;

const PAGES = { library: Library, setup: Setup };

function Menu({ code, onFile, onClose }) {
  const dialog = useRef();
  useEffect(() => { if (code) { select(code); if (!dialog.current.open) dialog.current.showModal(); } }, [code]);
  return html`<dialog ref=${dialog} aria-label="Everything of ${code}" onClose=${onClose}><button class="close" onClick=${() => dialog.current.close()}>Close</button>${code && html`<${Sound} map=${false} onFile=${onFile} />`}</dialog>`;
}

/** What to do with a sound file for a pad: play it, or find the kit's own that is nearest. */
function Import({ given, onClose }) {
  const dialog = useRef();
  useEffect(() => { if (given && !dialog.current.open) dialog.current.showModal(); }, [given]);
  const use = (action) => async () => {
    dialog.current.close();
    const name = await upload(given.file);
    if (name) send(`/slot/${given.code}/${action}`, name);
  };
  return html`<dialog ref=${dialog} aria-label="A sound file for ${given?.code}" onClose=${onClose}>${given && html`<p><b>${given.file.name}</b> onto ${given.code}</p>
    <p class="answers"><button class="primary" onClick=${use("load")}>Play the file</button><button onClick=${use("match")}>Find the nearest the kit can make</button><button onClick=${() => dialog.current.close()}>Cancel</button></p>`}</dialog>`;
}

function App() {
  useStore();
  const [page, setPage] = useState("pads"), [menu, setMenu] = useState(""), [given, setGiven] = useState(null);
  useEffect(playFromKeys, []);
  useEffect(() => { document.documentElement.classList.toggle("lost", !state.alive && state.ready); });
  const stage = !(page in PAGES), onFile = (code, file) => setGiven({ code, file });
  const go = (name, label, kind, here = page === name) => html`<button class=${kind} aria-current=${here ? "page" : undefined} onClick=${() => setPage(name)}>${label}</button>`;
  return html`<${Transport} />
    <main inert=${state.ready && !state.alive}>${!state.ready ? html`<p class="waiting">Looking for the instrument …</p>` : stage
      ? html`<div class="stage ${page}-shown"><${Pads} onMenu=${setMenu} onFile=${onFile} /><${Sound} onFile=${onFile} /><${Sequencer} /></div>` : html`<${PAGES[page]} />`}</main>
    <nav aria-label="Pages">${go("pads", "Play", "wide", stage)}${go("pads", "Pads", "narrow")}${go("sound", "Sound", "narrow")}${go("beat", "Beat", "narrow")}${go("library", "Library", "")}${go("setup", "Set-up", "")}<${TrainingLink} />
      <span class="message" role="status">${state.message}</span></nav><${Menu} code=${menu} onFile=${onFile} onClose=${() => setMenu("")} /><${Import} given=${given} onClose=${() => setGiven(null)} />`;
}

render(html`<${App} />`, document.getElementById("app"));
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/panel/sw.js").catch(() => {});
  // What the first visit loaded came before there was a worker to keep it.
  if (!navigator.serviceWorker.controller) navigator.serviceWorker.ready.then(({ active }) => active.postMessage(
    ["/panel/", ...performance.getEntriesByType("resource").map((each) => each.name)]));
}
