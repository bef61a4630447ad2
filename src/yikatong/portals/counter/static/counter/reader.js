// A card on the reader fills the find form. The agent beside the browser speaks with the card, our own site with the
// key device; this page carries their texts to and fro. The pairing code stays in this browser and goes to the agent only.
const place = document.querySelector("[data-card-reader]");
const field = document.querySelector("form[role=search] input[name=q]");
const said = place.querySelector("[data-read-said]"), button = place.querySelector("[data-read]");
const pair = place.querySelector("[data-pair]"), code = pair.querySelector("input");
const state = document.querySelector("[data-reader]");
const agent = place.dataset.cardReader, KEPT = "reader-code", SOON_MS = 1500, LATER_MS = 10_000;

class Trouble extends Error {
  constructor(problem) { super(problem.title ?? "未知错误"); this.problem = problem; }
}

async function ask(path, told = {}) {
  let answer;
  try {
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${localStorage.getItem(KEPT) ?? ""}` };
    answer = await fetch(`${agent}/v1/${path}`, { method: "POST", headers, body: JSON.stringify(told), signal: AbortSignal.timeout(20_000) });
  } catch {
    throw new Trouble({ code: "no_agent", title: "没有找到本机读卡程序，请启动后再按 F8；也可以直接输入号码。" });
  }
  return read(answer);
}

async function authenticate(request) {
  let answer;
  try {
    const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": document.querySelector("input[name=csrfmiddlewaretoken]").value };
    answer = await fetch(place.dataset.auth, { method: "POST", headers, redirect: "error", body: JSON.stringify({ request }) });
  } catch {
    throw new Trouble({ code: "no_platform", title: "没有连接平台，或登录已过期；请刷新页面后重试。" });
  }
  return read(answer);
}

async function read(answer) {
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Trouble({ title: `读卡失败（${answer.status}）`, ...told });
  return told;
}

function show(text, tone = "") {
  said.textContent = text;
  said.className = tone;
}

function lamp(text, on) {
  state.textContent = text;
  state.classList.toggle("is-on", on);
}

const isPaired = () => Boolean(localStorage.getItem(KEPT));

function offerPairing(text) {
  pair.hidden = false;
  lamp("读卡器未配对", false);
  show(text, "is-bad");
}

let reading = false;

async function readCard() {
  if (reading) return;
  if (!isPaired()) { offerPairing("本浏览器尚未与读卡程序配对，请输入配对码。"); code.focus(); return; }
  reading = true;
  button.setAttribute("aria-busy", "true");
  show("正在读卡，请勿移动卡片……");
  try {
    const { reading: key, request } = await ask("begin");
    const { answer } = await authenticate(request);
    const card = await ask("finish", { reading: key, answer });
    field.value = card.social_security_number;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    found(true);
    show(`已读卡：${card.name}，卡号 ${card.card_number}。按回车查找。`, "is-good");
    field.focus();
  } catch (trouble) {
    fail(trouble);
  } finally {
    reading = false;
    button.removeAttribute("aria-busy");
    lookIn(SOON_MS);
  }
}

function fail(trouble) {
  const { code: why, number, title } = trouble.problem ?? { title: "读卡失败，请重试。" };
  if (why === "reader_not_paired") { localStorage.removeItem(KEPT); offerPairing(title); code.focus(); return; }
  found(NO_READER.includes(why) || NO_READER.includes(number) ? null : number !== NO_CARD);
  show(title, "is-bad");
}

// A card that is put on while the page is open is read by itself; one that lies there from the holder before is not.
const NO_READER = ["no_agent", -5, -11, -12], NO_CARD = -2;
let lay = null, timer; // true, false, or null: no reader
function found(card) {
  lay = card;
  lamp(card === null ? "读卡器未连接" : card ? "读卡器已连接，有卡" : "读卡器已连接", card !== null);
}

async function look() {
  if (document.hidden || reading || !isPaired()) return;
  try {
    const { card } = await ask("state");
    const isNew = card && lay === false;
    found(card);
    if (isNew && !field.value) readCard();
  } catch (trouble) {
    if (trouble.problem?.code === "reader_not_paired") { localStorage.removeItem(KEPT); offerPairing(trouble.message); } else found(null);
  }
}

// An agent that is not there is asked for less often.
function lookIn(wait) {
  clearTimeout(timer);
  timer = setTimeout(async () => { await look(); lookIn(lay === null ? LATER_MS : SOON_MS); }, wait);
}

pair.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  const typed = code.value.replace(/[\s-]/g, "").toUpperCase();
  if (!/^[0-9A-Z]{16}$/.test(typed)) { show("配对码为 16 位字母和数字，请核对。", "is-bad"); code.focus(); return; }
  localStorage.setItem(KEPT, typed);
  code.value = "";
  pair.hidden = true;
  readCard();
});
button.addEventListener("click", readCard);
place.hidden = false;
if (!isPaired()) lamp("读卡器未配对", false);
lookIn(0);
