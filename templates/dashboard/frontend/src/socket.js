// A kernel's connection that comes back by itself. Messages wait while it is away.
import { PROTOCOL, pack, unpack } from "./wire.js";

const LONGEST = 60000; // ms; the server keeps a kernel that long for a page that lost its connection
const GONE = 4410; // close code: this session has ended

export class Socket {
  /** `on` holds: message(msg), lost(), back(), gone(). */
  constructor(address, on) {
    this.address = address;
    this.on = on;
    this.session = crypto.randomUUID();
    this.outbox = [];
    this.open = false;
    this.closed = false;
    this.since = 0;
    this.connect();
  }

  connect() {
    const socket = new WebSocket(`${this.address}?session_id=${this.session}`, PROTOCOL);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      const returned = this.since !== 0;
      this.open = true;
      this.since = 0;
      if (returned) this.on.back();
      for (const message of this.outbox.splice(0)) socket.send(message);
    };
    socket.onmessage = (event) => this.on.message(unpack(event.data));
    socket.onclose = (event) => this.away(event.code);
    this.socket = socket;
  }

  away(code) {
    this.open = false;
    if (this.closed) return;
    this.since ||= Date.now();
    if (code === GONE || Date.now() - this.since > LONGEST) {
      this.closed = true;
      return this.on.gone();
    }
    this.on.lost();
    setTimeout(() => this.closed || this.connect(), Math.min(4000, 300 + (Date.now() - this.since) / 2));
  }

  /** Send a message and return its id. */
  send(type, content, metadata = {}, buffers = []) {
    const header = {
      msg_id: crypto.randomUUID(), msg_type: type, session: this.session, username: "",
      version: "5.3", date: new Date().toISOString(),
    };
    const packed = pack({ channel: "shell", header, parent_header: {}, metadata, content, buffers });
    if (this.open) this.socket.send(packed);
    else this.outbox.push(packed);
    return header.msg_id;
  }

  close() {
    this.closed = true;
    this.socket.close();
  }
}
