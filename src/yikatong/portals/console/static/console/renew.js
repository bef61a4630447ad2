// Renews the part of a page that moves by itself, and the whole page once it has come to rest. Without this file the
// page is asked for again every few seconds (a <noscript> of its own).
const PAUSE_MS = 3000;
const url = new URL(location.href);
url.searchParams.set("auto", "1"); // sent by the page, not by a person: it keeps no session alive

async function renew() {
  const part = document.querySelector("[data-renew]");
  if (!part) return;
  try {
    const answer = await fetch(url, { cache: "no-store", redirect: "manual" });
    if (answer.type === "opaqueredirect") { location.reload(); return; } // the session has ended
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const newer = page.querySelector("[data-renew]");
      if (!newer) { location.reload(); return; }
      part.replaceWith(newer);
    }
  } catch { /* no network for a moment: ask again */ }
  setTimeout(renew, PAUSE_MS);
}
setTimeout(renew, PAUSE_MS);
