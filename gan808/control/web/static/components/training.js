// The way to the page of a training, where one runs on this machine.

import { html, styles, useEffect, useState } from "../view.js";

styles`
nav a { align-self: center; padding: 10px; color: var(--accent-ink); font-weight: 700; white-space: nowrap; }
`;

const LOOK_MS = 10000;
const HERE = ["localhost", "127.0.0.1", "[::1]"]; // that page is for this machine's browsers alone

export function TrainingLink() {
  const [url, setUrl] = useState("");
  const look = () => fetch("/panel/training").then((response) => response.json()).then((told) => setUrl(told.url), () => setUrl(""));
  useEffect(() => {
    if (!HERE.includes(location.hostname)) return undefined;
    look();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  return url && html`<a href=${url} target="_blank" rel="noopener">Training</a>`;
}
