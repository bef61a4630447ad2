/* Requests to the gate, signed with HMAC-SM3 under the key of the day (docs/spec/gate-v1.md). */
"use strict";

self.YktGate = (function () {
  const { hex, unhex, join, fromBase64url } = YktPass;
  const { fact, tell, seal, unseal } = YktStore;
  const PATIENCE_MS = 4000;
  const GONE = new Set(["terminal_stopped", "terminal_unknown", "application_stopped"]);
  const utf8 = (text) => new TextEncoder().encode(text);
  let work;    // the work key of the day, unsealed
  let anchor;  // {server, since}: the gate's time, and our steady clock then

  /* What keeps a kiosk from answering: a sentence and what to do. `down`: no answer came. */
  class Trouble extends Error {
    constructor(message, next, more = {}) { super(message); Object.assign(this, { next, ...more }); }
  }
  const isDown = () => new Trouble("无法连接闸机服务", "请检查网络；离线记录保存在本机，不会丢失", { down: true });

  /* --- time --------------------------------------------------------------------------------------------- */

  const wall = () => Math.floor(Date.now() / 1000);
  const steady = () => performance.now() / 1000;

  async function setClock(serverTime) {
    anchor = { server: serverTime, since: steady() };
    await tell({ clockOffset: serverTime - wall(), clockLatest: serverTime });
  }

  /* Unix seconds by the gate's clock. Of two clocks that disagree the later one is believed: it lets less pass. */
  async function now() {
    const byWall = wall() + ((await fact("clockOffset")) || 0);
    return anchor ? Math.max(byWall, Math.floor(anchor.server + steady() - anchor.since)) : byWall;
  }

  /* --- keys --------------------------------------------------------------------------------------------- */

  const hmac = (key, bytes) => unhex(SmCryptoV2.sm3(bytes, { key, mode: "hmac" }));
  const derive = (key, label, size) => hmac(key, join(utf8(label), [0], [1])).slice(0, size);
  const spelt = (code) => code.replace(/[\s-]/g, "").toUpperCase();
  const place = (number, rest) => utf8(`${String(number).padStart(12, "0")}|${rest}`);

  function open(key, sealed, associatedData) {
    const bytes = fromBase64url(sealed);
    return SmCryptoV2.sm4.decrypt(bytes.slice(12, -16), key, { mode: "gcm", padding: "none", output: "array", iv: bytes.slice(0, 12), tag: bytes.slice(-16), associatedData });
  }

  /* --- asking ------------------------------------------------------------------------------------------- */

  async function send(method, path, body, headers) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
    try {
      const reply = await fetch((await fact("gate")) + path, {
        method, headers: { "Content-Type": "application/json", ...headers }, body: method === "GET" ? undefined : body,
        signal: stop.signal, cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
      });
      return { status: reply.status, text: reply.status === 304 ? "" : await reply.text() };
    } catch {
      throw isDown();
    } finally {
      clearTimeout(timer);
    }
  }

  function checked({ status, text }) {
    if (status === 200 || status === 304) return { status, text };
    if (status >= 500) throw isDown();
    let told = {};
    try { told = JSON.parse(text); } catch { /* not ours */ }
    if (!told.title) throw new Trouble("闸机服务的应答无法理解", "请核对闸机地址；如仍出现请联系运维");
    throw new Trouble(told.title, told.next_step || "", { code: told.code, holder: told.tell_holder || "", reason: told.reason || 0, serverTime: told.server_time });
  }

  async function signed(key, method, path, message) {
    const body = message === undefined ? "" : JSON.stringify(message);
    const once = async () => {
      const at = await now();
      const digest = unhex(SmCryptoV2.sm3(utf8(body)));
      const mac = hmac(key, join(utf8(`${at}\n${method}\n${path}\n`), digest));
      const headers = { "Yikatong-Terminal": String(await fact("terminal")), "Yikatong-Time": String(at), "Yikatong-Mac": hex(mac) };
      return checked(await send(method, path, body, headers));
    };
    try {
      return await once();
    } catch (trouble) {
      if (trouble.code !== "request_time_off" || !trouble.serverTime) throw trouble;
      anchor = undefined;
      await setClock(trouble.serverTime);
      return once();
    }
  }

  async function enrol({ number, code }) {
    const known = await fact("terminal");
    if (known && known !== number) throw new Trouble(`本机已开通为终端 ${known}`, "请核对终端编号");
    let answer;
    try {
      answer = JSON.parse(checked(await send("POST", "/gate/v1/enrol", JSON.stringify({ terminal: number, code }), {})).text);
    } catch (trouble) {
      throw trouble.code === "terminal_unknown" ? new Trouble("开通码不正确或已失效", "请核对终端编号与开通码，或请运维重新生成") : trouble;
    }
    const key = derive(unhex(SmCryptoV2.sm3(utf8(spelt(code)))), "yikatong terminal v1 enrol", 16);
    let main;
    try { main = open(key, answer.sealed_key, place(number, answer.generation)); } catch { throw new Trouble("开通码不正确", "请核对后重试"); }
    work = undefined;
    await tell({ terminal: number, main: await seal(main), work: undefined, stopped: undefined });
    await setClock(answer.server_time);
    return signIn();
  }

  async function signIn() {
    const sealed = await fact("main");
    if (!sealed) throw new Trouble("终端尚未开通", "请填写终端编号与开通码");
    const main = await unseal(sealed);
    let terms;
    try {
      terms = JSON.parse((await signed(derive(main, "yikatong terminal v1 sign-in", 32), "POST", "/gate/v1/signin", { software: "yikatong-kiosk 1" })).text);
    } catch (trouble) {
      await noteGone(trouble);
      throw trouble;
    }
    work = open(derive(main, "yikatong terminal v1 work", 16), terms.sealed_key, place(terms.terminal, terms.day.replace(/-/g, "")));
    const next = Math.max((await fact("sequenceNext")) || 0, terms.sequence_next);
    await tell({ terms, work: await seal(work), stopped: undefined, sequenceNext: next });
    await setClock(terms.server_time);
    return terms;
  }

  /* A stopped terminal lets nobody pass offline either, until a sign-in succeeds. */
  async function noteGone(trouble) {
    if (GONE.has(trouble.code)) await tell({ stopped: trouble.code });
  }

  async function workKey() {
    const terms = await fact("terms");
    if (!terms || (await now()) >= terms.key_until) await signIn();
    else if (!work) work = await unseal(await fact("work"));
    return work;
  }

  async function ask(method, path, message) {
    try {
      return await signed(await workKey(), method, path, message);
    } catch (trouble) {
      await noteGone(trouble);
      if (trouble.code !== "work_key_expired") throw trouble;
      await signIn();
      return signed(work, method, path, message);
    }
  }

  return { Trouble, GONE, ask, enrol, now, setClock, signIn };
})();
