/* Small comforts on every citizen page; each works without them. */
const errors = document.querySelector(".errors");
if (errors) errors.focus();

/* Card lost, e-card removed, logged out: what this device keeps goes too. */
const gone = document.querySelector("[data-forget]");
if (gone && self.indexedDB) {
  if (gone.dataset.forget === "all") indexedDB.deleteDatabase("yikatong");
  else {
    const ask = indexedDB.open("yikatong", 1);
    ask.onupgradeneeded = () => ask.result.createObjectStore("kept");
    ask.onsuccess = () => {
      const box = ask.result.transaction("kept", "readwrite");
      box.objectStore("kept").delete("scenes");
      box.oncomplete = () => ask.result.close();
    };
  }
}

/* What was revealed covers itself again, also when the page comes back from the browser's history. */
const revealed = document.querySelector("[data-cover-after]");
if (revealed) {
  const cover = () => location.replace(revealed.dataset.coverTo);
  setTimeout(cover, Number(revealed.dataset.coverAfter) * 1000);
  addEventListener("pageshow", (event) => event.persisted && cover());
}

for (const copy of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(copy.dataset.copy);
    copy.lastChild.textContent = "已复制";
  });
}

if ("serviceWorker" in navigator && self.isSecureContext) navigator.serviceWorker.register("/sw.js").catch(() => {});

const print = document.querySelector("[data-print]");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => self.print());
}
