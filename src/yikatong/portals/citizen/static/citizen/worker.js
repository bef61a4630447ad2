/* Keeps this device's key and makes its codes, away from the page (docs/spec/pass-v1.md).
   The SM2 key and the credentials lie in IndexedDB, sealed by an AES-GCM key the browser does not give out. */
"use strict";

const BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const MAC_BYTES = 12;

/* --- the store ------------------------------------------------------------------------------------------ */

let opened;
const store = () => opened || (opened = new Promise((done, fail) => {
  const ask = indexedDB.open("yikatong", 1);
  ask.onupgradeneeded = () => ask.result.createObjectStore("kept");
  ask.onsuccess = () => {
    // Another tab logs out: let the store be deleted at once.
    ask.result.onversionchange = () => { ask.result.close(); opened = undefined; };
    done(ask.result);
  };
  ask.onerror = () => fail(ask.error);
}));

async function inStore(mode, act) {
  const box = (await store()).transaction("kept", mode);
  return new Promise((done, fail) => {
    const ask = act(box.objectStore("kept"));
    box.oncomplete = () => done(ask.result);
    box.onerror = box.onabort = () => fail(box.error);
  });
}

const read = (name) => inStore("readonly", (kept) => kept.get(name));
const write = (name, value) => inStore("readwrite", (kept) => kept.put(value, name));
const forget = (name) => inStore("readwrite", (kept) => kept.delete(name));

/* Two tabs may count at once; one transaction reads and writes, so no two codes share a number. */
async function nextCounter() {
  const box = (await store()).transaction("kept", "readwrite");
  const kept = box.objectStore("kept");
  return new Promise((done, fail) => {
    let counter;
    kept.get("counter").onsuccess = (event) => {
      counter = ((event.target.result || 0) + 1) & 0xffff;
      kept.put(counter, "counter");
    };
    box.oncomplete = () => done(counter);
    box.onerror = box.onabort = () => fail(box.error);
  });
}

/* --- sealing -------------------------------------------------------------------------------------------- */

async function sealingKey() {
  const key = await read("sealing");
  if (key) return key;
  await write("sealing", await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]));
  return read("sealing");
}

async function seal(bytes) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await sealingKey(), bytes) };
}

async function unseal({ iv, data }) {
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await sealingKey(), data));
}

/* --- bytes ---------------------------------------------------------------------------------------------- */

const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const unbase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}

function base45(bytes) {
  let text = "";
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    const n = bytes[i] * 256 + bytes[i + 1];
    text += BASE45[n % 45] + BASE45[Math.floor(n / 45) % 45] + BASE45[Math.floor(n / 2025)];
  }
  if (bytes.length % 2) { const n = bytes[bytes.length - 1]; text += BASE45[n % 45] + BASE45[Math.floor(n / 45)]; }
  return text;
}

/* n, the order of the group (GB/T 32918.5): each scene has its own key, d + t mod n. */
const ORDER = BigInt("0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123");
const shift = (key, tweak) => ((BigInt("0x" + hex(key)) + BigInt("0x" + hex(tweak))) % ORDER).toString(16).padStart(64, "0");

/* The tail of a credential: … not_before u32 · expires_at u32 · per use u24 · in all u24 · uses u8 · key 33 · signature 64. */
function bounds(credential) {
  const view = new DataView(credential.buffer, credential.byteOffset, credential.length);
  const at = credential.length - 64 - 33 - 15;
  const u24 = (i) => view.getUint8(i) * 65536 + view.getUint16(i + 1);
  return {
    notBefore: view.getUint32(at), expiresAt: view.getUint32(at + 4),
    perUse: u24(at + 8), total: u24(at + 11), uses: view.getUint8(at + 14),
  };
}

/* --- what the page may ask ------------------------------------------------------------------------------ */

const asks = {
  load({ library }) {
    if (!self.SmCryptoV2) importScripts(library);
  },

  async state() {
    return { device: await read("device"), holder: await read("holder"), scenes: (await read("scenes")) || [], fetchedAt: await read("fetchedAt") };
  },

  /* A new key pair; it counts once the platform has taken the public half (`keep`). */
  async begin() {
    const pair = SmCryptoV2.sm2.generateKeyPairHex();
    await write("pending", { key: await seal(unhex(pair.privateKey.padStart(64, "0"))) });
    return { publicKey: base64(unhex(SmCryptoV2.sm2.compressPublicKeyHex(pair.publicKey))) };
  },

  async bind({ device }) {
    const pending = await read("pending");
    await write("key", pending);
    await write("device", device);
    await forget("pending");
  },

  async keep({ holder, credentials, now }) {
    const scenes = [];
    for (const { scene, label, credential, secret, tweak } of credentials) {
      const bytes = unbase64(credential);
      scenes.push({ scene, label, ...bounds(bytes), sealed: await seal(join(unbase64(secret), unbase64(tweak), bytes)) });
    }
    await write("holder", holder);
    await write("scenes", scenes);
    await write("fetchedAt", now);
  },

  /* A fresh code: credential · made_at u32 · counter u16 · MAC 12 · signature 64. */
  async present({ scene, now }) {
    const found = ((await read("scenes")) || []).find((one) => one.scene === scene);
    if (!found) return { refused: "none" };
    if (now >= found.expiresAt) return { refused: "expired", expiresAt: found.expiresAt };
    if (now < found.notBefore - 30) return { refused: "early", notBefore: found.notBefore };
    const kept = await unseal(found.sealed);
    const [secret, tweak, credential] = [kept.slice(0, 32), kept.slice(32, 64), kept.slice(64)];
    const stamp = new Uint8Array(6);
    new DataView(stamp.buffer).setUint32(0, now);
    new DataView(stamp.buffer).setUint16(4, await nextCounter());
    const macced = join(credential, stamp);
    const mac = unhex(SmCryptoV2.sm3(macced, { key: secret, mode: "hmac" })).slice(0, MAC_BYTES);
    const signed = join(macced, mac);
    const key = shift(await unseal((await read("key")).key), tweak);
    const signature = SmCryptoV2.sm2.doSignature(signed, key, { hash: true, der: false });
    return { text: "YKT1:" + base45(join(signed, unhex(signature))), expiresAt: found.expiresAt, uses: found.uses, perUse: found.perUse, total: found.total };
  },

  async suspend() {
    await forget("scenes");
  },

  async wipe() {
    const db = await store();
    await new Promise((done) => { const box = db.transaction("kept", "readwrite"); box.objectStore("kept").clear(); box.oncomplete = done; });
  },
};

self.onmessage = async ({ data: { id, ask, ...words } }) => {
  try {
    self.postMessage({ id, answer: await asks[ask](words) });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};
