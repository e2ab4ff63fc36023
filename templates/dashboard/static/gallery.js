// Search and filters of the gallery without reloading it. The server chooses: the same address gives the same list
// with and without this script, and can be shared.
"use strict";

(() => {
  const form = document.getElementById("search");
  const status = document.getElementById("search-status");
  if (!form || !status) return;
  const button = form.querySelector("button");
  button.closest(".field").hidden = true; // what is typed counts at once; shown again where the server is away
  let waiting = 0;
  let asked = null; // the request that is under way

  function address() {
    const fields = [...new FormData(form)].filter(([, value]) => value);
    const query = new URLSearchParams(fields).toString();
    return form.getAttribute("action") + (query ? `?${query}` : "");
  }

  async function show(target, keep) {
    if (asked) asked.abort();
    const mine = (asked = new AbortController());
    const results = document.getElementById("results");
    results.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(target, { signal: mine.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.getElementById("results");
      if (!found) return location.assign(target); // there is no dashboard any more: the page says so
      results.replaceWith(document.adoptNode(found));
      if (!keep) history.replaceState(null, "", target);
      tell(found);
    } catch (error) {
      if (error.name === "AbortError") return;
      results.removeAttribute("aria-busy");
      button.closest(".field").hidden = false;
      status.textContent = status.dataset.failed;
    }
  }

  function tell(found) {
    const nothing = found.querySelector(".nothing");
    const heading = found.querySelector("h2");
    status.textContent = [heading, nothing].filter(Boolean).map((e) => e.innerText.trim()).join(". ");
  }

  function soon(delay) {
    clearTimeout(waiting);
    waiting = setTimeout(() => show(address()), delay);
  }

  form.addEventListener("input", (event) => soon(event.target.type === "search" ? 150 : 0));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    soon(0);
  });
  document.addEventListener("click", async (event) => {
    const link = event.target.closest && event.target.closest(".pages a, .all a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const target = link.getAttribute("href");
    if (link.closest(".all")) for (const field of form.elements) if (field.name !== "lang") field.value = "";
    await show(target);
    const heading = document.getElementById("results-heading");
    heading.focus({ preventScroll: true });
    heading.scrollIntoView({ block: "start" });
  });
})();
