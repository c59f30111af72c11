// Keeps the panel's files, so that it opens at once and also while the instrument is away. The
// instrument's own copy comes first: an update is never held back.

const STORE = "gan808-panel";

const kept = (url) => {
  const { pathname } = new URL(url, self.location);
  return pathname.startsWith("/panel/") && !pathname.endsWith(".wav");
};

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => event.waitUntil(
  caches.open(STORE).then((cache) => cache.addAll(event.data.filter(kept)))));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !kept(request.url)) return;
  event.respondWith(fetch(request).then(async (response) => {
    if (response.ok) (await caches.open(STORE)).put(request, response.clone());
    return response;
  }).catch(async () => (await caches.match(request)) ?? Response.error()));
});
