// What the bar asks of the seat's server. Its address, sign-in and token against forged requests are JupyterLab's own.

export class Seat {
  constructor(lab) {
    this.connection = lab.services.ServerConnection;
    this.settings = this.connection.makeSettings();
    this.signIn = lab.coreutils.URLExt.join(this.settings.baseUrl, "files/genai4eu-sign-in");
    this.base = lab.coreutils.URLExt.join(this.settings.baseUrl, "genai4eu/lesson/");
  }

  // The answer, or an error: with `status` where the server refused, without where it could not be reached.
  async ask(path, init) {
    const response = await this.connection.makeRequest(this.base + path, init, this.settings);
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw Object.assign(new Error(answer.message || `${response.status}`), { status: response.status });
  }

  // Sign in once more, unseen: after a room was resumed its hub knows the browser, and the seat's new server does not yet.
  // The way there and back is for pages that are navigated to, so it is a frame that goes it; what it ends at is not there.
  async again() {
    const frame = Object.assign(document.createElement("iframe"), { src: `${this.signIn}?${Date.now()}`, hidden: true });
    const gone = new Promise((done) => { frame.onload = done; });
    document.body.append(frame);
    await Promise.race([gone, wait(10)]);
    frame.remove();
  }

  get(path) { return this.ask(path, { method: "GET" }); }

  post(name, given) { return this.ask(name, { method: "POST", body: JSON.stringify(given) }); }
}

export const filled = (text, values) => text.replace(/%\((\w+)\)[sd]/g, (_, name) => values[name]);

export const wait = (seconds) => new Promise((done) => { setTimeout(done, seconds * 1000); });

export const clock = (at, language) => new Date(at * 1000).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
