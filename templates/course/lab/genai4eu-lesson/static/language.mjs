// Cells of a lesson in the language that the participant reads. What they have changed is theirs, and stays.

const texts = (cell) => (cell.type === "markdown" && (cell.getMetadata("genai4eu") || {}).text) || {};

// The change is no edit of the participant's: it cannot be undone step by step, and asks for no saving.
export function speak(panel, language) {
  const { model } = panel, { dirty } = model;
  model.sharedModel.transact(() => {
    for (const cell of model.cells) {
      const known = texts(cell), source = cell.sharedModel.getSource();
      if (known[language] && known[language] !== source && Object.values(known).includes(source)) {
        cell.sharedModel.setSource(known[language]);
      }
    }
  }, false);
  if (!dirty) model.dirty = false;
  panel.content.node.lang = language;
}
