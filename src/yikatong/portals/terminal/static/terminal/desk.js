/* What the kiosk's page may ask of its worker: how it is, verify a code, keep up to date. */
"use strict";

(function () {
  const { Refused, Hotlist, decodeText, hex, isShort, parse, take, unhex, verifyOffline, fromBase64url } = YktPass;
  const { transaction, read, fact, tell, waiting, handIn, forget } = YktStore;
  const { Trouble, ask, enrol, now, setClock, signIn } = YktGate;
  const SLOW_MS = 15000;
  const LOCAL = {
    offline_full: ["离线笔数已达上限，暂不能离线核验", "请联网上传离线记录后重试", "请稍候或改用其他方式"],
    short_code_offline: ["短码需要联网核验", "请持卡人打开离线也可用的亮码，或待网络恢复", "请打开一卡通的亮码"],
    terminal_stopped: ["终端已停用", "请联系运维；恢复后重新签到", "请换一台终端"],
  };
  let reasons = {};      // name → {number, sentence, operator, holder}
  let slowAt = -SLOW_MS; // when the gate last let somebody wait in vain
  const hot = new Map(); // scene → Hotlist or null
  let trust;

  const isGate = (trouble) => trouble instanceof Trouble;

  /* --- lists -------------------------------------------------------------------------------------------- */

  async function hotlist(scene) {
    if (!hot.has(scene)) {
      const kept = await read("lists", `hot ${scene}`);
      hot.set(scene, kept ? new Hotlist(kept.references, kept) : null);
    }
    return hot.get(scene);
  }

  async function trusted() {
    trust ||= (await read("lists", "trust 0")) || { version: 0, keys: new Map() };
    return trust;
  }

  async function fetchList(kind, scene, terms, { full = false } = {}) {
    const held = kind === "trust" ? await trusted() : await hotlist(scene);
    const since = full || !held ? 0 : held.version;
    const reply = await ask("GET", `/gate/v1/lists/${kind}?${kind === "hot" ? `scene=${scene}&` : ""}since=${since}`);
    if (reply.status === 200) {
      try {
        await keepList(kind, scene, take(held && held.version ? held : null, reply.text, (list) => signerOf(terms, list)));
      } catch (refusal) {
        if (!(refusal instanceof Refused)) throw refusal;
        if (refusal.reason === "LIST_GAP" && since) return fetchList(kind, scene, terms, { full: true });
        throw new Trouble(reasons[refusal.reason].sentence, reasons[refusal.reason].operator);
      }
    }
    await tell({ [`confirmed ${kind} ${scene}`]: await now() });
  }

  function signerOf(terms, list) {
    const key = terms.list_keys.find((one) => one.issuer === list.issuer && one.key_id === list.keyId);
    return key && fromBase64url(key.public);
  }

  async function keepList(kind, scene, list) {
    const { version, madeAt, keys, references } = list;
    await transaction(async ({ put }) => put("lists", { version, madeAt, keys, references, scene }, `${kind} ${scene}`));
    if (kind === "trust") trust = list; else hot.set(scene, list);
  }

  async function updateLists() {
    const terms = await signIn();  // the key that signs lists may be a new one
    if (terms.lists.trust) await fetchList("trust", 0, terms);
    for (const scene of terms.scenes) if (terms.lists.hot[scene]) await fetchList("hot", scene, terms);  // 0: none published yet
  }

  async function confirm(newest) {
    const at = await now(), facts = {};
    if ((await trusted()).version === newest.trust) facts["confirmed trust 0"] = at;
    for (const [scene, version] of Object.entries(newest.hot)) {
      const held = await hotlist(Number(scene));
      if (held && held.version === version) facts[`confirmed hot ${scene}`] = at;
    }
    await tell(facts);
  }

  async function isBehind(newest) {
    if ((await trusted()).version < newest.trust) return true;
    for (const [scene, version] of Object.entries(newest.hot)) {
      const held = await hotlist(Number(scene));
      if ((held ? held.version : 0) < version) return true;
    }
    return false;
  }

  /* --- verifying ---------------------------------------------------------------------------------------- */

  const refusal = (name, more) => {
    const known = reasons[name];
    const [sentence, operator, holder] = known ? [known.sentence, known.operator, known.holder] : LOCAL[name];
    return { accepted: false, reason: known ? known.number : 0, name, message: sentence, next: operator, holder, offline: true, ...more };
  };

  async function takeSequence({ get, put }, at) {
    const day = Number(new Date((at + 8 * 3600) * 1000).toISOString().slice(0, 10).replace(/-/g, ""));
    const sequence = Math.max((await get("facts", "sequenceNext")) || 0, day * 1e8 + 1);
    put("facts", sequence + 1, "sequenceNext");
    return sequence;
  }

  async function verify({ text, scene = null, fen = 0, offline = false }) {
    const terms = await fact("terms");
    if (!terms) throw new Trouble("终端尚未签到", "请联网签到");
    if (await fact("stopped")) return refusal("terminal_stopped", { offline });
    if (text.length > 1024) return refusal("TOO_LARGE");
    if (offline || performance.now() - slowAt < SLOW_MS) return decide(terms, text, scene, fen, 0);
    const at = await now();
    const sequence = await transaction(async (memory) => {
      const number = await takeSequence(memory, at);
      memory.put("uses", { sequence: number, state: "asking", passed: 0, usedAt: at, fen });
      return number;
    });
    try {
      return await settled(sequence, at, text, fen, JSON.parse((await twice({ sequence, code: text, amount_fen: fen, ...(scene ? { scene } : {}) })).text));
    } catch (trouble) {
      if (!isGate(trouble)) throw trouble;
      if (trouble.down) return decide(terms, text, scene, fen, sequence);
      await transaction(async ({ drop }) => drop("uses", sequence));
      if (trouble.code === "sequence_reused") await signIn();
      if (!YktGate.GONE.has(trouble.code) && trouble.code !== "terminal_wrong_scene") throw trouble;
      return { accepted: false, reason: trouble.reason, name: trouble.code, message: trouble.message, next: trouble.next, holder: trouble.holder, offline: false };
    }
  }

  /* The same question twice when the first answer is lost: the gate answers as the first time. */
  async function twice(message) {
    try {
      return await ask("POST", "/gate/v1/verify", message);
    } catch (trouble) {
      if (!trouble.down || !navigator.onLine) throw trouble;
    }
    try {
      return await ask("POST", "/gate/v1/verify", message);
    } catch (trouble) {
      if (trouble.down) slowAt = performance.now();
      throw trouble;
    }
  }

  async function settled(sequence, at, text, fen, fate) {
    const shown = reading(text);
    await transaction(async ({ put }) => {
      put("uses", { sequence, state: "settled", passed: fate.accepted ? 1 : 0, usedAt: at, fen, fate });
      if (fate.accepted && shown) put("passed", shown.madeAt, shown.replayKey);
    });
    return {
      accepted: fate.accepted, reason: fate.reason, name: fate.name, message: fate.message, next: fate.next_step || "", holder: fate.tell_holder || "",
      offline: false, sequence, scene: fate.scene, fen: fate.amount_fen || 0, fareClass: fate.fare_class, concessions: fate.concessions || [],
    };
  }

  function reading(text) {
    try { return parse(decodeText(text)); } catch { return null; }
  }

  /* Alone. `asked`: the sequence of a question that got no answer; it may have been recorded, so it is kept. */
  async function decide(terms, text, scene, fen, asked) {
    if (isShort(text)) return refusal("short_code_offline");
    let shown;
    try { shown = parse(decodeText(text)); } catch (error) { if (error instanceof Refused) return refusal(error.reason); throw error; }
    const of = shown.credential.scene;
    const [list, keys, at, confirmed] = [await hotlist(of), (await trusted()).keys, await now(), (await fact(`confirmed hot ${of}`)) || 0];
    return transaction(async (memory) => {
      const latest = (await memory.get("facts", "clockLatest")) || 0;
      if (at < latest - 30) throw new Trouble("终端时钟倒退，不能离线核验", "请校准时钟，并联网签到");
      memory.put("facts", Math.max(at, latest), "clockLatest");
      if ((await memory.count("waiting", 1)) >= terms.offline_uses_max) return refusal("offline_full");
      const replayed = await memory.get("passed", shown.replayKey);
      const spent = (await memory.get("spent", shown.credential.identity)) || { uses: 0, fen: 0 };
      const why = whyNot(() => verifyOffline(shown, keys, list, {
        now: at, fen, hotMadeAt: list ? Math.max(list.madeAt, confirmed) : null,
        seen: { replayed: () => replayed !== undefined, spent: () => spent },
        policy: { scenes: scene ? [scene] : terms.scenes, validity: terms.validity_s, tolerance: terms.tolerance_s, hotAge: terms.hot_age_s },
      }));
      if (why && (await memory.count("waiting", 0)) >= terms.offline_uses_max) return refusal(why);
      const sequence = asked || (await takeSequence(memory, at));
      memory.put("uses", { sequence, state: "waiting", passed: why ? 0 : 1, usedAt: at, fen, presentation: shown.raw, outcome: why ? reasons[why].number : 0, hotVersion: list ? list.version : 0 });
      if (why) return refusal(why, { sequence });
      memory.put("passed", shown.madeAt, shown.replayKey);
      memory.put("spent", { uses: spent.uses + 1, fen: spent.fen + fen, expiresAt: shown.credential.expiresAt }, shown.credential.identity);
      return { accepted: true, reason: 0, name: "accepted", message: "通过", next: "", holder: "", offline: true, sequence, scene: of, fen, fareClass: shown.credential.claims.fare_class, concessions: [] };
    });
  }

  function whyNot(verifies) {
    try { verifies(); return null; } catch (error) { if (error instanceof Refused) return error.reason; throw error; }
  }

  /* --- handing in --------------------------------------------------------------------------------------- */

  async function upload() {
    const terms = await fact("terms");
    if (!terms) throw new Trouble("终端尚未签到", "请联网签到");
    const most = Math.min(terms.batch_most, 500);
    let handedIn = 0, noticed = 0;
    for (let rows, after = 0; (rows = await handIn(after, most)).length; after = rows[rows.length - 1].sequence) {
      const fates = await handInRows(rows);
      await transaction(async ({ put }) => {
        for (const row of rows) {
          const fate = fates.find((one) => one.sequence === row.sequence);
          if (!fate || fate.name === "not_recorded") continue;
          put("uses", { ...row, state: "settled", fate });
          handedIn += 1;
          noticed += (row.passed === 1) !== fate.accepted;
        }
      });
    }
    return { handedIn, noticed };
  }

  /* One request; refused for its form, in halves, until the one bad row stands alone. */
  async function handInRows(rows) {
    const uses = rows.map((row) => ({
      sequence: row.sequence, used_at: row.usedAt, amount_fen: row.fen, outcome: row.outcome, hot_version: row.hotVersion,
      presentation: btoa(String.fromCharCode(...row.presentation)),
    }));
    try {
      return JSON.parse((await ask("POST", "/gate/v1/uses", { uses })).text).uses;
    } catch (trouble) {
      if (!["request_malformed", "too_large"].includes(trouble.code)) throw trouble;
      if (rows.length === 1) return [{ sequence: rows[0].sequence, accepted: false, reason: trouble.reason, name: trouble.code, message: trouble.message }];
    }
    const half = rows.length >> 1;
    return [...(await handInRows(rows.slice(0, half))), ...(await handInRows(rows.slice(half)))];
  }

  /* --- what the page may ask ---------------------------------------------------------------------------- */

  const asks = {
    async begin({ reasons: told, gate }) {
      reasons = Object.fromEntries(told.map((one) => [one.name, one]));
      await tell({ gate });  // the province may have moved it
    },

    async state() {
      const terms = await fact("terms"), at = await now();
      const lists = [];
      for (const scene of terms ? terms.scenes : []) {
        const held = await hotlist(scene);
        lists.push({ scene, version: held ? held.version : 0, entries: held ? held.size : 0, age: held ? at - Math.max(held.madeAt, (await fact(`confirmed hot ${scene}`)) || 0) : null });
      }
      return {
        enrolled: Boolean(await fact("main")), terminal: await fact("terminal"), gate: await fact("gate"), stopped: Boolean(await fact("stopped")),
        day: terms ? terms.day : "", scenes: terms ? terms.scenes : [], most: terms ? terms.offline_uses_max : 0, beat: terms ? terms.heartbeat_s : 60,
        waiting: await waiting(1), lists, now: at, settings: (await fact("settings")) || { scene: 0, fen: 0 },
      };
    },

    async enrol(words) {
      await enrol(words);
      await updateLists();
    },

    async signIn() { await updateLists(); },
    verify,
    upload,

    async settings({ scene, fen }) { await tell({ settings: { scene, fen } }); },

    /* Heartbeat; lists and uploads when there is need. */
    async beat() {
      if (await fact("stopped")) await signIn();  // it may have been set working again
      const [waits, keys] = [await waiting(1), await trusted()];
      const versions = Object.fromEntries([...hot].filter(([, list]) => list).map(([scene, list]) => [scene, list.version]));
      const reply = await ask("POST", "/gate/v1/heartbeat", {
        clock: Math.floor(Date.now() / 1000), offline_uses: waits, trust_version: keys.version, hot_versions: versions, software: "yikatong-kiosk 1",
      });
      const pulse = JSON.parse(reply.text);
      slowAt = -SLOW_MS;
      await setClock(pulse.server_time);
      await confirm(pulse.lists);
      if (await isBehind(pulse.lists)) await updateLists();
      const handed = (await waiting(1)) + (await waiting(0)) ? await upload() : { handedIn: 0, noticed: 0 };
      const terms = await fact("terms");
      await forget(pulse.server_time, terms.validity_s + terms.tolerance_s);
      return handed;
    },
  };

  self.onmessage = async ({ data: { id, ask: name, ...words } }) => {
    try {
      self.postMessage({ id, answer: await asks[name](words) });
    } catch (error) {
      const told = isGate(error)
        ? { message: error.message, next: error.next, down: Boolean(error.down) }
        : { message: error.name === "QuotaExceededError" ? "存储空间已满，本次没有记录，也没有放行" : "终端程序出错，本次没有放行", next: "请联系运维", detail: String(error) };
      self.postMessage({ id, error: told });
    }
  };
})();
