// A solution that the trainer gives: shown, or put into the lesson as a cell of its own; the participant's own cells stay.
import { filled } from "./seat.mjs";

export function show(lab, told, words) {
  const { Dialog, showDialog } = lab.apputils;
  const body = new lab.widgets.Widget({ node: Object.assign(document.createElement("pre"), { className: "genai4eu-code", textContent: told.code, tabIndex: 0 }) });
  return showDialog({ title: filled(words["solution-of"], told), body, buttons: [Dialog.okButton({ label: words.close })] });
}

// Above the cell that checks the exercise, so that executing goes on as it did.
export async function insert(panel, told) {
  await panel.context.ready;
  const { model, content } = panel, name = told.exercise.replace(/[^a-z0-9-]/g, "");
  const checks = new RegExp(`\\bcheck\\(\\s*["']${name}["']`);
  const found = [...model.cells].findIndex((cell) => cell.type === "code" && checks.test(cell.sharedModel.getSource()));
  const at = found < 0 ? content.activeCellIndex + 1 : found;
  model.sharedModel.insertCell(at, { cell_type: "code", source: told.code, metadata: {} });
  content.activeCellIndex = at;
  await content.scrollToItem(at, "smart");
}
