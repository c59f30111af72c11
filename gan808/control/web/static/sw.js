// Keeps the panel's files, so that it opens at once and also while the instrument is away. The
// instrument's own copy comes first: an update is never held back.

const STORE = "gan808-panel";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event, { pathname } = new URL(request.url);
  if (request.method !== "GET" || !pathname.startsWith("/panel/") || pathname.endsWith(".wav")) return;
  event.respondWith(fetch(request).then(async (response) => {
    if (response.ok) (await caches.open(STORE)).put(request, response.clone());
    return response;
  }).catch(async () => (await caches.match(request)) ?? Response.error()));
});
