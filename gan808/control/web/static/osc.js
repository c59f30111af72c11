// OSC packets: numbers, texts and blobs to bytes and back (opensoundcontrol.org, 1.0).

const text = new TextEncoder();
const words = new TextDecoder();

const padded = (length) => (length + 3) & ~3;

/** A float argument, also where JavaScript would take the number for a whole one. */
export const float = (value) => ({ float: value });

/** A message as bytes: strings, whole numbers as i, `float(x)` and other numbers as f. */
export function encode(address, ...values) {
  const parts = [string(address)];
  let tags = ",";
  const bodies = [];
  for (const value of values) {
    if (typeof value === "string") { tags += "s"; bodies.push(string(value)); continue; }
    const view = new DataView(new ArrayBuffer(4));
    if (typeof value === "number" && Number.isInteger(value)) { tags += "i"; view.setInt32(0, value); }
    else { tags += "f"; view.setFloat32(0, typeof value === "number" ? value : value.float); }
    bodies.push(new Uint8Array(view.buffer));
  }
  parts.push(string(tags), ...bodies);
  return joined(parts);
}

/** Messages as one bundle, to be done at once and in their order. */
export function bundle(messages) {
  const parts = [string("#bundle"), new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1])];
  for (const message of messages) {
    const size = new DataView(new ArrayBuffer(4));
    size.setInt32(0, message.length);
    parts.push(new Uint8Array(size.buffer), message);
  }
  return joined(parts);
}

function joined(parts) {
  const packet = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { packet.set(part, at); at += part.length; }
  return packet;
}

function string(value) {
  const bytes = text.encode(value);
  const out = new Uint8Array(padded(bytes.length + 1));
  out.set(bytes);
  return out;
}

/** { address, values } of one message; blobs come as Uint8Array. */
export function decode(buffer) {
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  let at = 0;
  const read = () => {
    const end = bytes.indexOf(0, at);
    const value = words.decode(bytes.subarray(at, end));
    at += padded(end - at + 1);
    return value;
  };
  const address = read();
  const tags = at < bytes.length ? read() : ",";
  const values = [];
  for (const tag of tags.slice(1)) {
    if (tag === "s") { values.push(read()); continue; }
    const number = view.getInt32(at);
    if (tag === "i") values.push(number);
    if (tag === "f") values.push(view.getFloat32(at));
    at += 4;
    if (tag === "b") { values.push(bytes.slice(at, at + number)); at += padded(number); }
  }
  return { address, values };
}
