// Keeps what the tour has shown, so that it goes on without a network: from the network first, from here where there is none.
const CACHE = "genai4eu-kiosk";
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== location.origin || address.pathname.includes("/live/")) return;
  event.respondWith(fetch(request).then((answer) => keep(request, answer), () => kept(request)));
});

async function keep(request, answer) {
  const forAll = !/no-store|private/.test(answer.headers.get("Cache-Control")); // what only some may see is not kept
  if (answer.ok && forAll) await (await caches.open(CACHE)).put(request, answer.clone());
  return answer;
}

async function kept(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? Response.error();
}
