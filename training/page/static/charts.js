// Curves by uPlot: losses, gradients, held-out scores.

import { html, useEffect, useLayoutEffect, useRef } from "./vendor/preact-htm.js";

const CHARTS = [
  ["Losses", "losses", null, false],
  ["Gradient norms", "gradients", null, true],
  ["Held-out score, less is better", "scores", ["score", "frechet_distance"], false],
  ["Share recognised as its class", "scores", ["class_accuracy"], false],
  ["Inception score", "scores", ["inception_score"], false],
  ["Mean distance inside a class", "scores", ["spread"], false],
];
const HEIGHT = 220;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
const words = (name) => name.replaceAll("_", " ");
const number = (value) => (value === null || value === undefined ? "–" : Number(value.toPrecision(4)).toLocaleString("en"));

/** One x axis for all; what a logarithm cannot show is left out. */
function joined(curves, names, log) {
  return uPlot.join(names.map((name) => [curves[name][0], curves[name][1].map((value) => (log && value <= 0 ? null : value))]));
}

function options(names, log, width) {
  const axis = { stroke: () => colour("--soft"), grid: { stroke: () => colour("--line"), width: 1 }, ticks: { stroke: () => colour("--line") }, font: "12px system-ui" };
  return {
    width, height: HEIGHT, scales: { x: { time: false }, y: { distr: log ? 3 : 1 } },
    axes: [axis, { ...axis, size: 56 }], cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    series: [{ label: "step", value: (_, at) => number(at) }, ...names.map((name, i) => ({
      label: words(name), stroke: () => colour(`--curve${i % 6}`), width: 1.5, spanGaps: true, value: (_, at) => number(at),
    }))],
    hooks: { setCursor: [(plot) => { if (plot.cursor.idx === null) rest(plot); }] },
  };
}

/** Without a pointer the legend has the newest values. */
function rest(plot) {
  const last = plot.data.map((values) => { let at = values.length - 1; while (at > 0 && (values[at] ?? null) === null) at--; return at; });
  plot.setLegend({ idx: last[0], idxs: last });
}

function Chart({ title, curves, names, log }) {
  const box = useRef(), plot = useRef(), key = names.join();
  useLayoutEffect(() => {
    plot.current = new uPlot(options(names, log, box.current.clientWidth), joined(curves, names, log), box.current);
    for (const canvas of box.current.querySelectorAll("canvas")) canvas.setAttribute("aria-hidden", "true");
    const sized = new ResizeObserver(() => plot.current.setSize({ width: box.current.clientWidth, height: HEIGHT }));
    sized.observe(box.current);
    const scheme = matchMedia("(prefers-color-scheme: light)"), again = () => plot.current.redraw(false);
    scheme.addEventListener("change", again);
    return () => { sized.disconnect(); scheme.removeEventListener("change", again); plot.current.destroy(); };
  }, [key]);
  useEffect(() => { plot.current.setData(joined(curves, names, log)); rest(plot.current); }, [curves, key]);
  return html`<figure aria-label=${title}><figcaption>${title}</figcaption><div ref=${box}></div></figure>`;
}

export function Charts({ curves }) {
  const shown = CHARTS.map(([title, group, wanted, log]) => {
    const of = curves?.[group] ?? {};
    return { title, of, log, names: (wanted ?? Object.keys(of)).filter((name) => of[name]?.[0].length) };
  }).filter(({ names }) => names.length);
  return html`<section aria-labelledby="curves"><h2 id="curves">Curves</h2>
    ${!shown.length && html`<p>None yet.</p>`}
    <div class="charts">${shown.map(({ title, of, names, log }) => html`<${Chart} key=${title} title=${title} curves=${of} names=${names} log=${log} />`)}</div>
    ${curves && !Object.keys(curves.scores).length && html`<p class="detail">Scores against held-out sounds come after two minutes, where enough was held out.</p>`}</section>`;
}
