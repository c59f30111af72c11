// The page of a training: what the stream of events tells, shown. Nothing is sent back.

import { html, render, useEffect, useState } from "./vendor/preact-htm.js";
import { Charts } from "./charts.js";
import { Samples } from "./samples.js";

const QUIET_MS = 5000; // the stream says something every second
const AGAIN_MS = 2000;

/** now, curves and samples as last told, and whether the stream lives. */
function useTraining() {
  const [told, setTold] = useState({ alive: false });
  useEffect(() => {
    let source, quiet, again;
    const lost = () => setTold((before) => ({ ...before, alive: false }));
    const heard = (event) => {
      clearTimeout(quiet);
      quiet = setTimeout(lost, QUIET_MS);
      const content = JSON.parse(event.data);
      setTold((before) => ({ ...before, alive: true, [event.type]: content }));
    };
    const open = () => {
      source = new EventSource("events");
      for (const name of ["now", "curves", "samples"]) source.addEventListener(name, heard);
      // The browser's own pauses between attempts differ, and some give up.
      source.onerror = () => { source.close(); clearTimeout(quiet); lost(); again = setTimeout(open, AGAIN_MS); };
    };
    open();
    return () => { source.close(); clearTimeout(quiet); clearTimeout(again); };
  }, []);
  return told;
}

const STAGES = { sources: "Looking at the sounds", prepare: "Preparing the sounds", train: "Training", export: "Writing the kit", evaluate: "Judging the kit" };
const STATES = { running: "running", done: "done", stopped: "stopped", gone: "died", lost: "no connection" };
const DIED = "The training's process has ended without a word: killed, or out of memory. Its checkpoints are kept; the same command goes on.";
const LOST = "Nothing comes from the training any more. This is how it was; the page looks for it again by itself.";
const SILENT_S = 60;

export function clock(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const part = (n) => String(Math.floor(n) % 60).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${part(seconds / 60)}:${part(seconds)}`;
}

const Fact = ({ name, children, wide }) => html`<div class=${wide ? "wide" : ""}><dt>${name}</dt><dd>${children}</dd></div>`;

function devices(events) {
  return events.filter((each) => ["begun", "resumed"].includes(each.event)).pop()?.detail || "–";
}

function speed(perSecond) {
  if (!perSecond) return "–";
  return perSecond >= 1 ? `${perSecond.toFixed(1)} steps/s` : `${(1 / perSecond).toFixed(1)} s a step`;
}

function Header({ now, state }) {
  const percent = now.fraction === null ? null : Math.floor(100 * now.fraction);
  const stage = STAGES[now.stage] ?? (now.stage || "Beginning");
  const why = state === "lost" ? LOST : state === "gone" ? DIED : now.why;
  return html`<header>
    <h1>GAN-808 training: ${now.title} <span class="badge ${state}" role="status">${STATES[state]}</span></h1>
    ${why && html`<p class="why">${why}</p>`}
    ${now.state === "running" && now.silent_s > SILENT_S && html`<p class="why">Nothing new for ${clock(now.silent_s)}.</p>`}
    <progress aria-label="Progress" max="1" value=${state === "done" ? 1 : now.fraction ?? undefined}></progress>
    <dl class="facts">
      <${Fact} name=${stage}>${percent === null ? "…" : `${percent} %`}</${Fact}>
      <${Fact} name="Elapsed">${clock(now.elapsed_s)}</${Fact}>
      <${Fact} name="Left">${now.state === "running" ? clock(now.left_s) : "–"}</${Fact}>
      <${Fact} name="Step">${now.step.toLocaleString("en")}</${Fact}>
      <${Fact} name="Speed">${speed(now.steps_a_second)}</${Fact}>
      <${Fact} name="Trained in all">${clock(now.trained_s)}</${Fact}>
      <${Fact} name="Computed by" wide>${devices(now.events)}</${Fact}>
    </dl>
    <p class="detail">${now.text}</p>
  </header>`;
}

const WORDS = { begun: "Begun", resumed: "Resumed", rolled_back: "Rolled back", gave_up: "Gave up", done: "Done" };

function Lines({ now }) {
  return html`<section aria-labelledby="events"><h2 id="events">What happened</h2>
      <ol class="lines" tabindex="0" aria-labelledby="events">${[...now.events].reverse().map((each) => html`<li><time datetime=${each.time}>${new Date(each.time).toLocaleString()}</time>${WORDS[each.event] ?? each.event} at step ${each.step}${each.detail && `: ${each.detail}`}</li>`)}</ol></section>
    <section aria-labelledby="said"><h2 id="said">What it said</h2>
      <ol class="lines" tabindex="0" aria-labelledby="said">${[...now.said].reverse().map((line) => html`<li>${line}</li>`)}</ol></section>`;
}

function App() {
  const { alive, now, curves, samples } = useTraining();
  const state = !now ? "lost" : now.state !== "running" ? now.state : alive ? "running" : "lost";
  useEffect(() => {
    document.documentElement.classList.toggle("lost", Boolean(now) && state === "lost");
    if (!now) return;
    const share = state === "running" && now.fraction !== null ? `${Math.floor(100 * now.fraction)} %` : STATES[state];
    document.title = `${share} · ${now.title} · GAN-808`;
  }, [state, now]);
  if (!now) return html`<main><h1>GAN-808 training</h1><p role="status">Looking for the training …</p></main>`;
  return html`<${Header} now=${now} state=${state} />
    <main><${Samples} samples=${samples} /><${Charts} curves=${curves} /><${Lines} now=${now} /></main>`;
}

render(html`<${App} />`, document.getElementById("app"));
