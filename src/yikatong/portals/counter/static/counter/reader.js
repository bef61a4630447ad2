// A card on the reader fills the find form or that of a new holder, and on a card's own page it is written and its PIN
// set. The agent beside the browser speaks with the card, our own site with the key device; this page carries their
// texts to and fro. The pairing code stays in this browser and goes to the agent only.
const place = document.querySelector("[data-card-reader]");
const chip = document.querySelector("[data-chip]");
const task = document.querySelector("form#task");
const field = document.querySelector("form[role=search] input[name=q]") ?? task?.querySelector("input[name=number]");
const nameField = task?.querySelector("input[name=name]");
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
    throw new Trouble({ code: "no_agent", title: `没有找到本机读卡程序，请启动后再按 F8${field ? "；也可以直接输入号码" : ""}。` });
  }
  return read(answer);
}

async function platform(address, told) {
  let answer;
  try {
    const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": document.querySelector("input[name=csrfmiddlewaretoken]").value };
    answer = await fetch(address, { method: "POST", headers, redirect: "error", body: JSON.stringify(told) });
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

// One matter with the card at a time; `pressed` is busy meanwhile.
async function withCard(pressed, words, act) {
  if (reading) return;
  if (!isPaired()) { offerPairing("本浏览器尚未与读卡程序配对，请输入配对码。"); code.focus(); return; }
  reading = true;
  pressed.setAttribute("aria-busy", "true");
  show(words);
  try {
    await act();
    found(true);
  } catch (trouble) {
    fail(trouble);
  } finally {
    reading = false;
    pressed.removeAttribute("aria-busy");
    lookIn(SOON_MS);
  }
}

async function basics() {
  const { reading: key, request } = await ask("begin");
  const { answer } = await platform(place.dataset.auth, { request });
  return ask("finish", { reading: key, answer });
}

const readCard = () => withCard(button, "正在读卡，请勿移动卡片……", async () => {
  const card = await basics();
  if (!field) { show(`已读卡：${card.name}，卡号 ${card.card_number}。`, "is-good"); return; }
  fill(field, card.social_security_number);
  if (nameField) fill(nameField, card.name);
  show(`已读卡：${card.name}，卡号 ${card.card_number}。${nameField ? "请核对证件，再填写其余各项。" : "按回车查找。"}`, "is-good");
  field.focus();
});

function fill(input, value) {
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

const TORN = "已写入的各项有效；放好卡片后再按“写入卡片”即可，不会写坏卡片。";
// Each file is written whole or not at all; begun again, all are written anew, and none can be spoilt.
const writeCard = (pressed) => withCard(pressed, "正在写卡，请勿移动卡片……", async () => {
  const rows = [...chip.querySelectorAll("[data-file]")];
  rows.forEach((row) => state_of(row, "待写入", ""));
  let began = false;
  for (const row of rows) {
    try {
      const { reading: key, card, request } = await ask("write-begin", { wanted: row.dataset.wanted });
      began = true;
      const { answer, data } = await platform(chip.dataset.write, { card, request, file: row.dataset.file });
      await ask("write-finish", { reading: key, answer, data });
    } catch (trouble) {
      state_of(row, "没有写入", "is-bad");
      if (began && trouble.problem) trouble.problem.title = `${trouble.message.replace(/。$/, "")}。${TORN}`;
      throw trouble;
    }
    state_of(row, "已写入", "is-good");
  }
  const card = await basics();
  show(`写卡完成，已从卡上读回：${card.name}，卡号 ${card.card_number}。`, "is-good");
});

function state_of(row, words, tone) {
  const tag = row.querySelector("[data-state]");
  tag.textContent = words;
  tag.className = `tag ${tone}`;
}

const servePin = (pressed, typed) => withCard(pressed, "正在处理，请勿移动卡片……", async () => {
  const begun = await ask("pin-begin");
  const first = await platform(chip.dataset.puk, { card: begun.card, request: begun.request });
  const { request } = await ask("pin-next", { reading: begun.reading, answer: first.answer, ...typed });
  const second = await platform(chip.dataset.pin, { card: begun.card, request });
  await ask("pin-finish", { reading: begun.reading, answer: second.answer });
  show(typed.pin ? "密码已重置，请持卡人记好新密码。" : "密码已解锁，请持卡人用原密码。", "is-good");
});

function setPin(event) {
  event.preventDefault();
  event.stopPropagation();
  const form = event.target, [first, again] = form.querySelectorAll("input[type=password]");
  const typed = { pin: first.value, again: again.value };
  const wrong = !/^[0-9]{6}$/.test(typed.pin) ? "输入密码长度错，应为 6 位数字" : typed.pin !== typed.again ? "两次输入的密码不一致，请重新输入" : "";
  form.reset();
  if (wrong) { show(wrong, "is-bad"); first.focus(); return; }
  servePin(form.querySelector("button"), typed);
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
    if (isNew && field && !field.value) readCard();
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
  if (chip) { show("已配对。"); lookIn(0); button.focus(); } else readCard();
});
button.addEventListener("click", readCard);
chip?.querySelector("[data-write-card]")?.addEventListener("click", (event) => writeCard(event.currentTarget));
chip?.querySelector("[data-unblock]")?.addEventListener("click", (event) => servePin(event.currentTarget, {}));
chip?.querySelector("form[data-set-pin]")?.addEventListener("submit", setPin);
place.hidden = false;
if (!isPaired()) lamp("读卡器未配对", false);
lookIn(0);
