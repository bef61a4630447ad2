/* 亮码: asks the worker for a fresh code, draws it, and says how things stand, with or without a network. */
const box = document.querySelector("[data-code]");
const words = box.dataset;
const part = (name) => document.querySelector(`[data-${name}]`);
const PERIOD = Number(words.period) || 30;
const RING = 53.4;
const SHORT_PERIOD = 50;

let offset = 0; // seconds to add to this device's clock, measured while online
let short = false;
let left = 0;
let busy = false;

/* --- the worker ------------------------------------------------------------------------------------------ */

const calls = new Map();
let worker;
function ask(what, more = {}) {
  return new Promise((done, fail) => {
    const id = calls.size + Math.random();
    calls.set(id, { done, fail });
    worker.postMessage({ id, ask: what, ...more });
  });
}
function start() {
  worker = new Worker(words.worker);
  worker.onmessage = ({ data }) => {
    const { done, fail } = calls.get(data.id);
    calls.delete(data.id);
    if (data.error) fail(new Error(data.error)); else done(data.answer);
  };
  worker.onerror = (event) => { for (const { fail } of calls.values()) fail(new Error(event.message)); };
  return ask("load", { library: words.library });
}

/* --- the platform ---------------------------------------------------------------------------------------- */

class Refusal extends Error {
  constructor(problem) { super(problem.title || "暂时不能办理"); this.code = problem.code; }
}
async function post(path, body) {
  const reply = await fetch(path, {
    method: "POST", credentials: "same-origin", redirect: "error",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": words.csrf },
    body: JSON.stringify(body),
  });
  const answer = await reply.json();
  if (!reply.ok) throw new Refusal(answer);
  return answer;
}
async function bind() {
  const { publicKey } = await ask("begin");
  const { device } = await post(words.deviceUrl, { public_key: publicKey });
  await ask("bind", { device });
  return device;
}
async function renew(device) {
  const answer = await post(words.credentialsUrl, { device });
  await ask("keep", answer);
  measure(answer.now, Date.now());
}
/* `now` is the platform's time in seconds when this device's clock said `here` (milliseconds). */
function measure(now, here) {
  const off = now - here / 1000;
  offset = Math.abs(off) > 3 ? off : 0;
  if (Math.abs(off) > 30) notice("clock", `手机时间${off > 0 ? "慢" : "快"}了约 ${span(Math.abs(off))}。联网时已按标准时间出码；没有网络时请先校准手机时间。`);
}
function measureByPage() {
  const [visit] = performance.getEntriesByType("navigation");
  const since = visit ? performance.now() - visit.responseStart : 0;
  if (visit?.type !== "back_forward") measure(Number(words.now), Date.now() - since);
}
const span = (s) => (s < 90 ? `${Math.round(s)} 秒` : s < 5400 ? `${Math.round(s / 60)} 分钟` : `${Math.round(s / 3600)} 小时`);

/* --- drawing --------------------------------------------------------------------------------------------- */

let library;
async function draw(text) {
  library = library || await import(words.qr);
  const qr = library.generate(text, { minCorrectionLevel: library.correction.M });
  const size = qr.size + 8;
  let path = "";
  for (let y = 0; y < qr.size; y++) {
    for (let x = 0; x < qr.size; x++) {
      if (!qr.get(x, y)) continue;
      let run = 1;
      while (qr.get(x + run, y)) run++;
      path += `M${x + 4} ${y + 4}h${run}v1h-${run}z`;
      x += run;
    }
  }
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": `${label()}，有效 ${words.period * 2} 秒`, "shape-rendering": "crispEdges" })) svg.setAttribute(name, value);
  const ground = svg.appendChild(document.createElementNS(svg.namespaceURI, "rect"));
  for (const [name, value] of Object.entries({ width: size, height: size, fill: "#fff" })) ground.setAttribute(name, value);
  const dark = svg.appendChild(document.createElementNS(svg.namespaceURI, "path"));
  dark.setAttribute("d", path);
  dark.setAttribute("fill", "#000");
  put(svg);
  box.dataset.shown = text;
}
function put(shown) {
  box.textContent = "";
  box.append(shown);
}
function drawShort() {
  const image = new Image();
  image.alt = `${label()}（短码），有效 60 秒`;
  image.width = image.height = 328;
  image.onload = () => put(image);
  image.onerror = () => say("短码需要网络。请联网后重试，或改用离线码。");
  image.src = `${words.shortUrl}?scene=${scene()}&n=${Date.now()}`;
  box.dataset.shown = "short";
}
function say(text) {
  const p = document.createElement("p");
  p.className = "wait";
  p.textContent = text;
  put(p);
  delete box.dataset.shown;
}
function notice(name, text) {
  const place = part(name);
  if (!place) return;
  place.hidden = !text;
  const line = place.querySelector("p");
  if (text && line.textContent !== text) line.textContent = text;
}

/* --- the page -------------------------------------------------------------------------------------------- */

/* The cached shell serves every scene: the address says which. */
const scene = () => Number(new URLSearchParams(location.search).get("scene")) || 1;
const label = () => document.querySelector(`.seg a[data-scene="${scene()}"]`)?.textContent.trim() || "一卡通码";
function showScene() {
  for (const tab of document.querySelectorAll(".seg a")) {
    if (Number(tab.dataset.scene) === scene()) tab.setAttribute("aria-current", "true"); else tab.removeAttribute("aria-current");
  }
}
const day = (s) => new Date(s * 1000).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
const yuan = (fen) => (fen % 100 ? (fen / 100).toFixed(2) : String(fen / 100));

function showNetwork() {
  notice("offline", navigator.onLine && !words.shell ? "" : "当前没有网络，这个码仍然有效");
}
async function showHolder() {
  const { holder, scenes } = await ask("state");
  if (words.shell && holder) {
    part("name").textContent = holder.name;
    part("number").textContent = holder.number;
    part("initial").textContent = holder.name.slice(0, 1);
  }
  for (const one of scenes) {
    const tab = document.querySelector(`.seg a[data-scene="${one.scene}"]`);
    if (tab) tab.textContent = one.label;
  }
}

/* The kept shell gives way to the real page once the platform answers quickly again. */
async function comeBack() {
  if (!words.shell || !navigator.onLine) return;
  const asked = performance.now();
  try {
    await fetch("/healthz", { cache: "no-store" });
    if (performance.now() - asked < 2000) location.reload();
  } catch { /* still no network */ }
}

const REFUSED = {
  none: "本设备还没有离线码。请联网后重新打开本页。",
  expired: "离线码已过期。请联网后重新打开本页，自动更新。",
  early: "手机时间不正确，码还没有到生效时间。请校准手机时间后重试。",
};
const present = () => ask("present", { scene: scene(), now: Math.floor(Date.now() / 1000 + offset) });
async function refresh() {
  if (busy) return;
  busy = true;
  try {
    if (short) { drawShort(); left = SHORT_PERIOD; return; }
    let made = await present();
    if (made.refused === "expired" && !words.shell && navigator.onLine) { await online(); made = await present(); }
    left = PERIOD;
    if (made.refused) { say(REFUSED[made.refused]); notice("offline", ""); part("tick").hidden = true; notice("until", ""); return; }
    await draw(made.text);
    part("tick").hidden = false;
    notice("until", `没有网络也能亮码（离线有效期至 ${day(made.expiresAt)}）。离线时最多用 ${made.uses} 次，每次不超过 ${yuan(made.perUse)} 元，共 ${yuan(made.total)} 元。`);
  } finally {
    busy = false;
    count();
  }
}
function count() {
  part("left").textContent = left;
  part("ring").setAttribute("stroke-dashoffset", String(RING * (1 - left / (short ? SHORT_PERIOD : PERIOD))));
}
function everySecond() {
  if (document.hidden) return;
  left -= 1;
  if (left <= 0) { refresh(); comeBack(); } else count();
  if (words.shell && left === PERIOD - 3) comeBack();
}

/* Codes on this device no longer hold: why, and what to do, in the platform's words. */
async function refuse(refusal) {
  const removed = ["device_revoked", "ecard_removed", "not_found"].includes(refusal.code);
  await ask(removed ? "wipe" : "suspend");
  say(refusal.message);
  part("tick").hidden = true;
  notice("until", "");
  notice("offline", "");
  if (removed && part("rebind")) part("rebind").hidden = false;
}
/* One tab at a time: two that open together must not bind two devices. */
const online = () => (navigator.locks ? navigator.locks.request("yikatong", renewIfDue) : renewIfDue());
async function renewIfDue() {
  const { device, holder, scenes, fetchedAt } = await ask("state");
  const mine = device && holder && holder.tag === words.tag;
  if (device && !mine) await ask("wipe");
  const fresh = mine && scenes.length && Date.now() / 1000 + offset - fetchedAt < words.renewAfter;
  if (mine && fresh && words.device === device) { measureByPage(); return; }
  await renew(mine ? device : await bind());
}

async function run() {
  showScene();
  showNetwork();
  await start();
  if (!words.shell) {
    try { await online(); } catch (error) {
      if (error instanceof Refusal) {
        if (["too_many_devices"].includes(error.code)) { fallBack(error.message); return; }
        await refuse(error);
        return;
      }
      // No answer: what is kept still holds.
    }
  }
  await showHolder();
  await refresh();
  setInterval(everySecond, 1000);
}

/* Old browsers and pages without a secure origin: the platform makes the code, while there is a network. */
function fallBack(why) {
  short = true;
  notice("until", why ? `${why} 现在显示的是联网短码。` : "此浏览器不能离线亮码，现在显示的是联网短码。");
  part("tick").hidden = false;
  if (part("short")) part("short").hidden = true;
  refresh();
  setInterval(everySecond, 1000);
}

// Who does not see the new code hears of it; the next time is told anew.
part("refresh").addEventListener("click", async () => {
  part("said").textContent = "";
  await refresh();
  part("said").textContent = box.dataset.shown ? `码已更新（${new Date().toLocaleTimeString("zh-CN")}）` : "";
});
part("short")?.addEventListener("click", (event) => {
  short = !short;
  event.currentTarget.setAttribute("aria-pressed", String(short));
  refresh();
});
part("rebind")?.addEventListener("click", async (event) => {
  event.currentTarget.hidden = true;
  say("正在绑定本设备…");
  try { await renew(await bind()); await showHolder(); await refresh(); } catch (error) { say(error.message); }
});
document.querySelector(".seg").addEventListener("click", (event) => {
  const tab = event.target.closest("a");
  if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.replaceState(null, "", `?scene=${tab.dataset.scene}`);
  showScene();
  refresh();
});
addEventListener("online", () => (words.shell ? comeBack() : showNetwork()));
addEventListener("offline", showNetwork);
document.addEventListener("visibilitychange", () => { if (!document.hidden && worker) refresh(); });

if (words.shell) {
  const cookie = (name) => (document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]*)`)) || [])[1];
  document.documentElement.toggleAttribute("data-elder", cookie("elder") === "1");
  document.documentElement.dataset.fs = cookie("fs") || (cookie("elder") === "1" ? "2" : "1");
}
if (self.isSecureContext && self.indexedDB && self.Worker && self.crypto?.subtle && words.library && words.qr) {
  run().catch((error) => { console.warn(error); if (navigator.onLine && words.shortUrl) fallBack(); else say(REFUSED.none); });
} else fallBack();
