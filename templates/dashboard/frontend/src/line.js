// What a widget model takes for its comm. Recorded, it tells the exchange what was touched; bound, it speaks to the kernel.
export class Line {
  constructor(id, exchange) {
    this.comm_id = id;
    this.target_name = "jupyter.widget";
    this.exchange = exchange;
    this.hears = () => {};
    this.ends = () => {};
  }

  begin(target, data, metadata = {}, buffers = []) {
    this.target_name = target;
    return this.exchange.say(this, "comm_open", { target_name: target, data }, {}, metadata, buffers);
  }

  send(data, callbacks = {}, metadata = {}, buffers = []) {
    return this.exchange.say(this, "comm_msg", { data }, callbacks, metadata, buffers);
  }

  close(data = {}, callbacks = {}, metadata = {}, buffers = []) {
    return this.exchange.say(this, "comm_close", { data }, callbacks, metadata, buffers);
  }

  on_msg(callback) { this.hears = callback; }
  on_close(callback) { this.ends = callback; }
  heard(message) { return this.hears(message); }
  ended(message) { this.ends(message); }
}
