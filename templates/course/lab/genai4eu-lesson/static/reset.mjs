// A clean notebook. First what is on the screen is saved, then the server keeps it and gives the lesson back, then it is shown.
import { filled } from "./seat.mjs";

export async function reset(lab, seat, panel, file, words) {
  const { Dialog, Notification, showDialog } = lab.apputils, { context } = panel;
  const answer = await showDialog({
    title: words.reset, body: words.sure, defaultButton: 0,
    buttons: [Dialog.cancelButton({ label: words.cancel }), Dialog.okButton({ label: words.reset })],
  });
  if (!answer.button.accept) return;
  const tell = (body) => showDialog({ title: words.unreset, body, buttons: [Dialog.okButton({ label: words.close })] });
  panel.content.node.inert = true; // nothing is typed that would be in neither of the two
  try {
    if (context.model.dirty) {
      try { await context.save(); } catch { await tell(words.unsaved); return; }
    }
    let told;
    try { told = await seat.post("reset", { lesson: file }); } catch (error) { await tell(error.message); return; }
    const language = context.model.getMetadata("language_info"); // what the kernel told: else code has no colours any more
    await context.revert();
    if (language) context.model.setMetadata("language_info", language);
    context.model.dirty = false;
    const text = told.kept ? filled(words.kept, { name: told.kept }) : words.fresh;
    Notification.emit(text, "success", { autoClose: 15000 });
  } finally {
    panel.content.node.inert = false;
  }
}
