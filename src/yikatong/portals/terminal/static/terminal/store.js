/* The kiosk's memory in IndexedDB. Keys lie in it sealed by an AES-GCM key that the browser gives out to nobody.
   A sequence and what was done under it are written in one strict transaction, before anybody sees the answer. */
"use strict";

self.YktStore = (function () {
  const TABLES = ["facts", "uses", "passed", "spent", "lists"];
  let opened;

  const open = () =>
    (opened ||= new Promise((done, fail) => {
      const ask = indexedDB.open("yikatong-terminal", 1);
      ask.onupgradeneeded = () => {
        const db = ask.result;
        for (const name of ["facts", "passed", "spent", "lists"]) db.createObjectStore(name);
        db.createObjectStore("uses", { keyPath: "sequence" }).createIndex("state", ["state", "passed"]);
      };
      ask.onsuccess = () => done(ask.result);
      ask.onerror = () => fail(ask.error);
    }));

  const answered = (ask) => new Promise((done, fail) => { ask.onsuccess = () => done(ask.result); ask.onerror = () => fail(ask.error); });

  /* All or nothing. `act` may await nothing but `get` and `count` of the tables it is given. */
  async function transaction(act) {
    const box = (await open()).transaction(TABLES, "readwrite", { durability: "strict" });
    const finished = new Promise((done, fail) => { box.oncomplete = done; box.onabort = box.onerror = () => fail(box.error); });
    finished.catch(() => {});
    const tables = Object.fromEntries(TABLES.map((name) => [name, box.objectStore(name)]));
    const memory = {
      get: (table, key) => answered(tables[table].get(key)),
      count: (state, passed) => answered(tables.uses.index("state").count([state, passed])),
      put: (table, value, key) => (table === "uses" ? tables.uses.put(value) : tables[table].put(value, key)),
      drop: (table, key) => tables[table].delete(key),
    };
    try {
      const result = await act(memory);
      await finished;
      return result;
    } catch (error) {
      try { box.abort(); } catch { /* it has already ended */ }
      throw error;
    }
  }

  const read = async (table, key) => answered((await open()).transaction(table).objectStore(table).get(key));
  const fact = (name) => read("facts", name);
  const tell = (facts) => transaction(async ({ put, drop }) => {
    for (const [name, value] of Object.entries(facts)) if (value === undefined) drop("facts", name); else put("facts", value, name);
  });
  const waiting = async (passed) => answered((await open()).transaction("uses").objectStore("uses").index("state").count(["waiting", passed]));

  /* Uses to hand in, oldest first, after a sequence. */
  async function handIn(after, most) {
    const index = (await open()).transaction("uses").objectStore("uses").index("state");
    const rows = await Promise.all([answered(index.getAll(["waiting", 0])), answered(index.getAll(["waiting", 1]))]);
    return rows.flat().filter((row) => row.sequence > after).sort((a, b) => a.sequence - b.sequence).slice(0, most);
  }

  /* Drop what can no longer matter: replay keys too old to be shown, sums of credentials that have ended, settled uses. */
  async function forget(now, replaySeconds) {
    const box = (await open()).transaction(["passed", "spent", "uses"], "readwrite");
    const sweep = (name, isOld) => {
      box.objectStore(name).openCursor().onsuccess = ({ target: { result: cursor } }) => {
        if (!cursor) return;
        if (isOld(cursor.value)) cursor.delete();
        cursor.continue();
      };
    };
    sweep("passed", (madeAt) => madeAt <= now - replaySeconds);
    sweep("spent", (entry) => entry.expiresAt <= now);
    sweep("uses", (row) => row.state !== "waiting" && row.usedAt < now - 40 * 86400);
  }

  /* --- sealing ------------------------------------------------------------------------------------------ */

  async function sealing() {
    const found = await fact("sealing");
    if (found) return found;
    const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    await tell({ sealing: made });
    return made;
  }

  async function seal(bytes) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    return { iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await sealing(), bytes) };
  }

  const unseal = async ({ iv, data }) => new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await sealing(), data));

  return { transaction, read, fact, tell, waiting, handIn, forget, seal, unseal };
})();
