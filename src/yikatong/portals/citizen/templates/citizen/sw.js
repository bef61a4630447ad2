/* Keeps the code page at hand without a network. Its cache holds our own files and a page with nobody's name in it. */
"use strict";
const NAME = "yikatong-{{ version }}";
const KEPT = [{% for path in kept %}"{{ path|escapejs }}"{% if not forloop.last %}, {% endif %}{% endfor %}];
const PATIENCE_MS = 4000;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(NAME);
    // Files carry their hash in their name: what the page has just fetched is not fetched twice.
    await cache.addAll(KEPT.map((path) => new Request(path, { cache: path.startsWith("/m/") ? "reload" : "default" })));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("yikatong-") && name !== NAME) await caches.delete(name);
    await self.clients.claim();
  })());
});

/* A network that is there in name only counts as none. */
function inTime(request) {
  return Promise.race([fetch(request), new Promise((_, fail) => setTimeout(() => fail(new Error("slow")), PATIENCE_MS))]);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname.startsWith("/m/")) {
    const code = url.pathname === "/m/code" || url.pathname === "/m/code/password";
    event.respondWith((code ? inTime(request) : fetch(request)).catch(() => caches.match(code ? "/m/code/shell" : "/m/offline")));
  } else if (KEPT.includes(url.pathname)) {
    event.respondWith(caches.match(request).then((kept) => kept || fetch(request)));
  }
});
