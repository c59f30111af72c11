// The one WebSocket to the instrument: sends and hears OSC, pings, comes back by itself.

import { bundle, decode, encode } from "./osc.js";

const ROOT = "/gan808";
const PING_MS = 2000, SILENT_MS = 4000, FIRST_AGAIN_MS = 300, LAST_AGAIN_MS = 4000;

/** onMessage(address, values), onState({ alive, roundTripMs }), onOpen(). */
export class Link {
  constructor({ onMessage, onState, onOpen }) {
    this.onMessage = onMessage; this.onState = onState; this.onOpen = onOpen;
    this.waiting = new Map();
    this.again = FIRST_AGAIN_MS;
    this.heard = 0; this.alive = false; this.asked = 0;
    this.open();
    setInterval(() => this.ping(), PING_MS);
    setInterval(() => this.look(), 500);
  }

  open() {
    const socket = new WebSocket(`ws://${location.host}/`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { this.asked = 0; this.again = FIRST_AGAIN_MS; this.ping(); };
    socket.onmessage = ({ data }) => this.hear(decode(data));
    socket.onclose = () => {
      this.set(false);
      setTimeout(() => this.open(), this.again);
      this.again = Math.min(2 * this.again, LAST_AGAIN_MS);
    };
    this.socket = socket;
  }

  send(address, ...values) { this.pass(encode(ROOT + address, ...values)); }

  /** Many messages, each an address and its values, in one packet: so many by themselves would be too many. */
  sendAll(messages) { this.pass(bundle(messages.map(([address, ...values]) => encode(ROOT + address, ...values)))); }

  pass(packet) { if (this.socket.readyState === WebSocket.OPEN) this.socket.send(packet); }

  /** The values of the next answer on that address, after /gan808; rejects after a while. */
  ask(address, values = [], answer = address, matches = () => true, ms = 15000) {
    return new Promise((resolve, reject) => {
      const waiter = { answer, matches, resolve: (got) => { clearTimeout(timer); resolve(got); } };
      const timer = setTimeout(() => { this.drop(waiter); reject(new Error(address)); }, ms);
      this.waiting.set(waiter, waiter);
      this.send(address, ...values);
    });
  }

  drop(waiter) { this.waiting.delete(waiter); }

  ping() {
    this.asked ||= performance.now();
    this.send("/notify", 1);
    this.send("/watch", 1);
    this.send("/status", 1);
    this.send("/record");
    this.send("/hello"); // unlike /sync it waits for no sound that is being made
  }

  look() { if (this.alive && performance.now() - this.heard > SILENT_MS) this.set(false); }

  set(alive, roundTripMs) {
    const came = alive && !this.alive;
    this.alive = alive;
    this.onState({ alive, roundTripMs });
    if (came) this.onOpen();
  }

  hear({ address, values }) {
    this.heard = performance.now();
    const path = address.slice(ROOT.length);
    if (path === "/hello/reply") {
      const roundTripMs = this.heard - this.asked;
      this.asked = 0;
      this.set(true, roundTripMs);
      return;
    }
    for (const waiter of this.waiting.values()) {
      if (waiter.answer === path && waiter.matches(values)) { this.drop(waiter); waiter.resolve(values); break; }
    }
    this.onMessage(path, values);
  }
}
