// What a touch screen adds: the pad of digits, the scanner, and the countdown. Without it every page still works.
const pad = document.querySelector("[data-keys]");
const field = document.querySelector("[data-pad]");

if (pad && field) {
  pad.hidden = false;
  pad.addEventListener("click", (event) => {
    const key = event.target.closest("button")?.dataset.key;
    if (key === undefined) return;
    if (key === "clear") field.value = "";
    else if (key === "back") field.value = field.value.slice(0, -1);
    else if (field.value.length < field.maxLength) field.value += key;
    pad.querySelector("output").textContent = key === "back" || key === "clear" ? `已输入 ${field.value.length} 位` : key;
  });
}

// A scanner types without a pause and ends with Enter; the same keys from the pad's own field are left alone.
const scan = document.querySelector("form[data-scan]");
if (scan) {
  let typed = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    if (event.timeStamp - last > 1000) typed = "";
    last = event.timeStamp;
    const start = typed.indexOf("YK"); // digits may just have been typed by hand
    if (event.key === "Enter" && start >= 0) {
      event.preventDefault();
      scan.elements.text.value = typed.slice(start);
      scan.submit();
    } else if (event.key.length === 1) typed += event.key;
  });
}

// Nobody's page stays open: a warning, then the start page.
const still = document.querySelector("dialog.still");
if (still) {
  const idle = Number(document.body.dataset.idle) * 1000;
  const warned = 20000;
  const left = still.querySelector("[data-left]");
  let end = Date.now() + idle;
  const more = () => {
    end = Date.now() + idle;
    if (still.open) still.close();
  };
  still.querySelector("button").addEventListener("click", () => {
    fetch(document.body.dataset.alive, { credentials: "same-origin" }).then(more, more);
  });
  for (const kind of ["pointerdown", "keydown"]) {
    document.addEventListener(kind, () => {
      if (!still.open) more();
    });
  }
  setInterval(() => {
    const rest = end - Date.now();
    if (rest <= 0) location.replace("/kiosk/leave");
    else if (rest <= warned) {
      left.textContent = String(Math.ceil(rest / 1000));
      if (!still.open) still.showModal();
    }
  }, 250);
}
