// What the bar asks of the seat's server. Its address, sign-in and token against forged requests are JupyterLab's own.

export class Seat {
  constructor(lab) {
    this.connection = lab.services.ServerConnection;
    this.settings = this.connection.makeSettings();
    this.base = lab.coreutils.URLExt.join(this.settings.baseUrl, "genai4eu/lesson/");
  }

  // The answer, or an error: with `status` where the server refused, without where it could not be reached.
  async ask(path, init) {
    const response = await this.connection.makeRequest(this.base + path, init, this.settings);
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw Object.assign(new Error(answer.message || `${response.status}`), { status: response.status });
  }

  get(path) { return this.ask(path, { method: "GET" }); }

  post(name, given) { return this.ask(name, { method: "POST", body: JSON.stringify(given) }); }
}

export const filled = (text, values) => text.replace(/%\((\w+)\)[sd]/g, (_, name) => values[name]);

export const wait = (seconds) => new Promise((done) => { setTimeout(done, seconds * 1000); });

export const clock = (at, language) => new Date(at * 1000).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
