// Jupyter messages in the binary form `v1.kernel.websocket.jupyter.org` (jupyter_server, "WebSocket protocols").
export const PROTOCOL = "v1.kernel.websocket.jupyter.org";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Pack a message: the number of offsets, the offsets, then channel, four JSON parts and the buffers. */
export function pack(message) {
  const parts = [encoder.encode(message.channel)];
  for (const name of ["header", "parent_header", "metadata", "content"]) parts.push(encoder.encode(JSON.stringify(message[name])));
  for (const buffer of message.buffers) parts.push(bytes(buffer));
  const count = parts.length + 1;
  let place = 8 * (count + 1);
  const whole = new Uint8Array(place + parts.reduce((sum, part) => sum + part.length, 0));
  const view = new DataView(whole.buffer);
  view.setBigUint64(0, BigInt(count), true);
  parts.forEach((part, i) => {
    view.setBigUint64(8 * (i + 1), BigInt(place), true);
    whole.set(part, place);
    place += part.length;
  });
  view.setBigUint64(8 * count, BigInt(place), true);
  return whole.buffer;
}

function bytes(buffer) {
  return ArrayBuffer.isView(buffer) ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength) : new Uint8Array(buffer);
}

/** Unpack a message; its buffers are views into what arrived. */
export function unpack(data) {
  const view = new DataView(data);
  const count = Number(view.getBigUint64(0, true));
  const offsets = Array.from({ length: count }, (_, i) => Number(view.getBigUint64(8 * (i + 1), true)));
  const part = (i) => decoder.decode(new Uint8Array(data, offsets[i], offsets[i + 1] - offsets[i]));
  const buffers = [];
  for (let i = 5; i < count - 1; i++) buffers.push(new DataView(data, offsets[i], offsets[i + 1] - offsets[i]));
  return {
    channel: part(0), header: JSON.parse(part(1)), parent_header: JSON.parse(part(2)),
    metadata: JSON.parse(part(3)), content: JSON.parse(part(4)), buffers,
  };
}
