{% autoescape off %}/* Keeps the kiosk at work without a network. Pages: the network first, for two seconds; files: as kept. */
"use strict";
const VERSION = "terminal-{{ version }}";
const KEPT = [{% for address in kept %}"{{ address|escapejs }}"{% if not forloop.last %}, {% endif %}{% endfor %}];
const PATIENCE_MS = 2000;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(KEPT.map((address) => new Request(address, { cache: "reload" })))).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = async () => {
    for (const name of await caches.keys()) if (name.startsWith("terminal-") && name !== VERSION) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(old());
});

async function fromNetwork(request) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const found = await fetch(request, { signal: stop.signal });
    if (!found.ok) throw new Error(String(found.status));
    return found;
  } finally {
    clearTimeout(timer);
  }
}

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== self.location.origin || !KEPT.includes(address.pathname)) return;
  const kept = () => caches.match(address.pathname, { cacheName: VERSION });
  const isPage = address.pathname.startsWith("/terminal/");
  event.respondWith(isPage ? fromNetwork(event.request).catch(kept) : kept().then((found) => found || fetch(event.request)));
});
{% endautoescape %}
