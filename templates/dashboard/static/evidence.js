// Copying what one would type, and finding a package. Without this script the page has all of it too.
"use strict";

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue; // only where the address is safe
  button.hidden = false;
  button.addEventListener("click", async () => {
    const label = button.firstChild;
    const words = label.textContent;
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).innerText.trim());
      label.textContent = button.dataset.done;
      setTimeout(() => (label.textContent = words), 2000);
    } catch {
      const range = document.createRange(); // not allowed: selected, it can be copied by hand
      range.selectNodeContents(document.getElementById(button.dataset.copy));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
    }
  });
}

for (const field of document.querySelectorAll("input[data-filters]")) {
  const items = [...document.querySelectorAll(`#${field.dataset.filters} li`)];
  const status = field.closest("details").querySelector("[role=status]");
  field.closest(".field").hidden = false;
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    let left = 0;
    for (const item of items) {
      item.hidden = !item.firstChild.textContent.toLowerCase().includes(wanted);
      left += !item.hidden;
    }
    status.classList.toggle("visually-hidden", left > 0);
    status.textContent = left ? `${left} / ${items.length}` : status.dataset.none;
  });
}
