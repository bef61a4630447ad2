// Keyboard, time-out and small comforts of the desk faces. Every task works without this file.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const body = document.body;

// --- shortcuts: links and buttons carry them in data-key ("Alt+1", "F9", "Escape") ---
const typing = (element) => element.matches("input, select, textarea, [contenteditable]");
const isOpen = () => $("dialog[open]") !== null;

function press(key) {
  const carriers = $$(`[data-key~="${key}"]`).filter((element) => element.offsetParent !== null);
  const target = carriers.find((element) => element.matches("input")) ?? carriers[0]; // a field here before a link away
  if (!target) return false;
  if (target.matches("input")) { target.focus(); target.select(); } else target.click();
  return true;
}

function onKey(event) {
  if (event.isComposing || isOpen() || event.ctrlKey || event.metaKey) return;
  let key = event.key;
  if (event.altKey) {
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    if (!digit) return;
    key = `Alt+${digit[1]}`;
  } else if (key === "/" || key === "?") {
    if (typing(event.target)) return;
    if (key === "?") { event.preventDefault(); $("#desk-keys-help")?.showModal(); return; }
    key = "F2";
  } else if (!/^(?:F2|F8|F9|Escape)$/.test(key)) return;
  if (press(key)) event.preventDefault();
}
if (body.dataset.keys !== "off") document.addEventListener("keydown", onKey);

// Enter goes on to the next control in scan and number inputs only: a scanner ends with Enter.
document.addEventListener("keydown", (event) => {
  const input = event.target;
  if (event.key !== "Enter" || event.isComposing || !input.matches("[data-enter='next']")) return;
  const controls = $$("input:not([type=hidden]), select, textarea, button", input.form);
  const next = controls[controls.indexOf(input) + 1];
  if (next) { event.preventDefault(); next.focus(); }
});

// --- error summary, double submission, printing ---
// Else the hands go on typing, at the first thing that is still to be answered.
const isOpenYet = (control) => control.type === "radio" ? !$(`[name="${control.name}"]:checked`, control.form)
  : control.type === "checkbox" ? !control.checked : !control.value;
const begin = () => $$("[data-begin] :is(input:not([type=hidden]), select, textarea)").find(isOpenYet);
($("#summary") ?? begin())?.focus();
$$(".summary a[href^='#']").forEach((link) => link.addEventListener("click", (event) => {
  const place = document.getElementById(link.hash.slice(1));
  if (!place) return;
  event.preventDefault();
  const control = place.matches("input, select, textarea") ? place : $("input, select, textarea", place) ?? place;
  control.focus();
  control.scrollIntoView({ block: "center" });
}));
addEventListener("pageshow", () => $$("button[aria-busy]").forEach((button) => button.removeAttribute("aria-busy")));
document.addEventListener("submit", (event) => {
  if (event.target.method === "dialog") return;
  if (event.target.dataset.busy) { event.preventDefault(); return; }
  event.target.dataset.busy = "1";
  event.submitter?.setAttribute("aria-busy", "true");
  setTimeout(() => delete event.target.dataset.busy, 4000);
});
$$("[data-print]").forEach((button) => button.addEventListener("click", () => print()));

// --- values shown in clear are masked again by asking for the page anew ---
$$("[data-remask]").forEach((element) => setTimeout(() => {
  element.textContent = element.dataset.masked;
  $$("[data-revealed-note]").forEach((note) => note.remove());
}, Number(element.dataset.remask) * 1000));

// --- time-out: warn a minute before, keep the filled page after ---
const idle = Number(body.dataset.idle || 0);
const warning = $("#desk-idle"), gone = $("#desk-gone");
if (idle && warning) {
  let last = Date.now(), asking = false;
  const token = (value) => $$("input[name=csrfmiddlewaretoken]").forEach((input) => { input.value = value; });
  const leave = () => { warning.close(); body.classList.add("is-curtained"); if (!gone.open) gone.showModal(); };
  // The server knows how long is left: other tabs count too. GET only asks; POST says that somebody is here.
  const ask = async (method) => {
    asking = true;
    try {
      const headers = { "X-CSRFToken": $("input[name=csrfmiddlewaretoken]")?.value ?? "" };
      const answer = await fetch(warning.dataset.alive, { method, headers });
      if (answer.status === 401 || answer.status === 403) return leave();
      const { left, csrf } = await answer.json();
      last = Date.now() - (idle - left) * 1000;
      token(csrf);
      if (left > 60) { warning.close(); gone.close(); body.classList.remove("is-curtained"); }
    } catch { /* no network for the moment: neither in nor out */ } finally { asking = false; }
  };
  let told = Date.now();
  ["keydown", "pointerdown"].forEach((kind) => addEventListener(kind, () => {
    if (isOpen() || Date.now() - told < 300_000) return;
    told = Date.now();
    ask("POST");
  }));
  setInterval(async () => {
    const left = () => Math.round(idle - (Date.now() - last) / 1000);
    if (left() > 60 || gone.open || asking) return;
    if (!warning.open || left() <= 0) await ask("GET");
    if (left() > 60 || gone.open) return;
    if (!warning.open) warning.showModal();
    $("[data-left]", warning).textContent = Math.max(left(), 0);
  }, 1000);
  $("[data-stay-button]", warning).addEventListener("click", () => ask("POST"));
  warning.addEventListener("cancel", () => ask("POST"));
  gone.addEventListener("cancel", (event) => event.preventDefault());
  document.addEventListener("visibilitychange", () => { if (!document.hidden && gone.open) ask("GET"); });
}

// --- numbers in groups, with a hint whether the last digit fits; the server decides ---
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const fits = (number) => "10X98765432"[WEIGHTS.reduce((sum, w, i) => sum + w * Number(number[i]), 0) % 11] === number[17];
const grouped = (number) => number.replace(/^(.{0,6})(.{0,4})(.{0,4})(.*)$/, "$1 $2 $3 $4").trim();

function echo(input) {
  const output = input.closest(".field-body")?.querySelector("[data-echo]");
  if (!output) return;
  const number = input.value.normalize("NFKC").replace(/[\s-]/g, "").toUpperCase();
  const whole = /^\d{17}[\dX]$/.test(number);
  output.className = `echo num${whole ? (fits(number) ? " is-good" : " is-bad") : ""}`;
  output.textContent = !number ? "" : whole
    ? `${grouped(number)}　${fits(number) ? "校验码相符" : "校验码不符，请逐位核对"}`
    : `${grouped(number)}${/^\d+$/.test(number) ? `　${number.length} 位` : ""}`;
}
$$("[data-number]").forEach((input) => { input.addEventListener("input", () => echo(input)); echo(input); });
