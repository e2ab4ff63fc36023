// HTML of a kernel without what would run, as publishing leaves it in what was recorded (publishing/markup.py, `inert`): the
// page's policy stops it too, and one lock is not enough. Style stays: widgets bring their own along.
const RUNS = "script, iframe, frame, object, embed, base, meta, link, noscript";
const ROUNDS = 4; // as often it may be read anew until nothing changes
const LEADS = ["href", "src", "action", "formaction"];
// Browsers pass over blanks and control characters before a scheme and inside it.
const TO_CODE = /^[\s\x00-\x20]*j[\s\x00-\x20]*a[\s\x00-\x20]*v[\s\x00-\x20]*a[\s\x00-\x20]*s/i;

/** Return HTML that stands for the same and runs nothing. */
export function inert(html) {
  if (typeof html !== "string" || !html.includes("<")) return html;
  let seen = html;
  for (let round = 0; round < ROUNDS; round++) { // what is written anew may be read otherwise than it was
    const page = new DOMParser().parseFromString(seen, "text/html"); // in a document that loads and runs nothing
    clean(page);
    const left = page.head.innerHTML + page.body.innerHTML; // a style at the beginning is taken for the head's
    if (left === seen) return left;
    seen = left;
  }
  return "";
}

function clean(part) {
  for (const found of part.querySelectorAll(RUNS)) found.remove();
  for (const found of part.querySelectorAll("*")) {
    for (const { name, value } of [...found.attributes]) {
      const leads = LEADS.includes(name.toLowerCase().split(":").pop());
      if (name.toLowerCase().startsWith("on") || name.toLowerCase() === "srcdoc" || (leads && TO_CODE.test(value))) found.removeAttribute(name);
    }
    if (found.localName === "template") clean(found.content);
  }
}

/** Return a model's class whose HTML runs nothing, whichever way it came: from the record, a kernel or another widget. */
export function tamed(Model) {
  return class extends Model {
    get(name) {
      const value = super.get(name);
      if (name !== "value") return value;
      if (this.seen?.value !== value) this.seen = { value, inert: inert(value) };
      return this.seen.inert;
    }
  };
}

/** Return an output, of whatever kind of cell, whose HTML and drawings run nothing. */
export function tame(output) {
  if (!output?.data) return output;
  const { "application/javascript": script, ...data } = output.data; // a renderer of ours would run it
  for (const type of ["text/html", "text/markdown", "image/svg+xml"]) if (type in data) data[type] = inert([data[type]].flat().join(""));
  return { ...output, data };
}
