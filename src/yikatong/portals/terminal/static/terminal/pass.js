/* The pass, verified by a browser without a network (docs/spec/pass-v1.md). A classic script for a worker, and
   for node, where the published vectors are run through it. Needs `SmCryptoV2`; knows no page and no store. */
"use strict";

(function (root) {
  const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
  const LONGEST_TEXT = 406, LONGEST = 267, SHORTEST = 137, EXTRA = 82, CLAIMS_MOST = 48, ENTRY = 16;
  const ORDER = BigInt("0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123");
  const FIELD = BigInt("0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff");
  const KNOWN_CLAIMS = { 1: 1, 2: 2, 3: 1 };
  const KINDS = { trust: 1, hot: 2 };

  /* A refusal by its name in the closed list. */
  class Refused extends Error {
    constructor(reason) { super(reason); this.reason = reason; }
  }
  const refuse = (reason) => { throw new Refused(reason); };
  const check = (holds, reason) => { if (!holds) refuse(reason); };
  const sm = () => root.SmCryptoV2;

  /* --- bytes -------------------------------------------------------------------------------------------- */

  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const number = (bytes) => BigInt("0x" + (hex(bytes) || "0"));
  const u16 = (b, at) => b[at] * 256 + b[at + 1];
  const u24 = (b, at) => b[at] * 65536 + u16(b, at + 1);
  const u32 = (b, at) => b[at] * 16777216 + u24(b, at + 1);
  const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));

  function join(...parts) {
    const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) { whole.set(part, at); at += part.length; }
    return whole;
  }

  function compare(a, aAt, b, bAt, size) {
    for (let i = 0; i < size; i += 1) if (a[aAt + i] !== b[bAt + i]) return a[aAt + i] - b[bAt + i];
    return 0;
  }

  function fromBase45(text) {
    check(text.length % 3 !== 1, "MALFORMED");
    const bytes = [];
    for (let at = 0; at < text.length; at += 3) {
      const digits = Array.from(text.slice(at, at + 3), (letter) => LETTERS.indexOf(letter));
      check(!digits.includes(-1), "MALFORMED");
      const value = digits.reduceRight((sum, digit) => sum * 45 + digit, 0);
      check(value <= (digits.length === 3 ? 0xffff : 0xff), "MALFORMED");
      if (digits.length === 3) bytes.push(value >> 8);
      bytes.push(value & 0xff);
    }
    return Uint8Array.from(bytes);
  }

  /* base64url without padding, strictly: nothing but its letters. */
  function fromBase64url(text) {
    if (typeof text !== "string" || !/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw new TypeError("not base64url");
    return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  }

  /* --- signatures --------------------------------------------------------------------------------------- */

  function isPublic(bytes) {
    if (bytes.length !== 33 || (bytes[0] !== 2 && bytes[0] !== 3) || number(bytes.subarray(1)) >= FIELD) return false;
    try { return Boolean(sm().sm2.precomputePublicKey(hex(bytes), 2)); } catch { return false; }
  }

  function isSigned(publicKey, message, signature) {
    if (signature.length !== 64 || publicKey.length !== 33 || number(publicKey.subarray(1)) >= FIELD) return false;
    const [r, s] = [number(signature.subarray(0, 32)), number(signature.subarray(32))];
    if (r < 1n || r >= ORDER || s < 1n || s >= ORDER || (r + s) % ORDER === 0n) return false;
    try {
      return sm().sm2.doVerifySignature(message, hex(signature), hex(publicKey), { hash: true, der: false });
    } catch {
      return false;  // its key is on no point of the curve
    }
  }

  /* --- reading ------------------------------------------------------------------------------------------ */

  const isShort = (text) => /^YKS[0-9]:/.test(text);

  function decodeText(text) {
    check(text.length <= LONGEST_TEXT, "TOO_LARGE");
    if (!text.startsWith("YKT1:")) refuse(/^YKT[0-9]:/.test(text) ? "UNSUPPORTED_VERSION" : "MALFORMED");
    return fromBase45(text.slice(5));
  }

  function readClaims(bytes) {
    const claims = { fare_class: null, concessions: null, predicates: null };
    for (let at = 0, last = 0; at < bytes.length;) {
      check(at + 2 <= bytes.length, "MALFORMED");
      const [tag, size] = [bytes[at], bytes[at + 1]];
      check(tag > last && at + 2 + size <= bytes.length, "MALFORMED");
      check(!(tag in KNOWN_CLAIMS) || KNOWN_CLAIMS[tag] === size, "MALFORMED");
      if (tag === 1) claims.fare_class = bytes[at + 2];
      if (tag === 2) claims.concessions = u16(bytes, at + 2) & 0xff;
      if (tag === 3) claims.predicates = bytes[at + 2] & 0x3f;
      last = tag;
      at += 2 + size;
    }
    return claims;
  }

  /* Proves nothing: whoever made the bytes, they have the form of a presentation. */
  function parse(raw) {
    check(raw.length <= LONGEST, "TOO_LARGE");
    check(raw.length >= 2, "MALFORMED");
    check(raw[0] === 1, "UNSUPPORTED_VERSION");
    check(raw[1] === 1, "UNSUPPORTED_ALGORITHM");
    const n = raw[24];
    check(raw.length >= SHORTEST && n <= CLAIMS_MOST && raw.length === SHORTEST + n + EXTRA, "MALFORMED");
    const size = SHORTEST + n, at = 25 + n;
    const credential = {
      issuer: u24(raw, 2), keyId: u16(raw, 5), scene: raw[7], reference: raw.slice(8, 24),
      notBefore: u32(raw, at), expiresAt: u32(raw, at + 4),
      limits: { perUse: u24(raw, at + 8), total: u24(raw, at + 11), uses: raw[at + 14] },
      devicePublic: raw.slice(at + 15, at + 48), body: raw.slice(0, 73 + n), signature: raw.slice(73 + n, size),
    };
    check(credential.scene > 0 && credential.notBefore < credential.expiresAt, "MALFORMED");
    check(credential.devicePublic[0] === 2 || credential.devicePublic[0] === 3, "MALFORMED");
    credential.claims = readClaims(raw.subarray(25, at));
    credential.identity = sm().sm3(credential.body).slice(0, 32);
    return {
      raw, credential, madeAt: u32(raw, size), counter: u16(raw, size + 4),
      replayKey: hex(credential.reference) + hex(raw.subarray(size, size + 6)),
    };
  }

  /* --- verifying ---------------------------------------------------------------------------------------- */

  /* Returns when a use of `fen` may pass; the caller records it. Seconds and fen. `trust`: Map from "issuer/key id"
     to a key; `hot`: a Hotlist or null; `seen`: {replayed(key), spent(identity) → {uses, fen}}, synchronous. */
  function verifyOffline(shown, trust, hot, { now, seen, fen = 0, policy, hotMadeAt }) {
    const { credential, madeAt } = shown;
    checkSignatures(shown, trust, now);
    check(policy.scenes === null || policy.scenes.includes(credential.scene), "WRONG_SCENE");
    check(now >= credential.notBefore - policy.tolerance, "NOT_YET_VALID");
    check(now < credential.expiresAt, "CREDENTIAL_EXPIRED");
    check(now >= madeAt - policy.tolerance, "CLOCK_AHEAD");
    check(now < madeAt + policy.validity + policy.tolerance, "PRESENTATION_EXPIRED");
    check(policy.hotAge === null || (hotMadeAt !== null && now - hotMadeAt <= policy.hotAge), "LIST_TOO_OLD");
    check(!(hot && hot.has(credential.reference)), "HOTLISTED");
    check(!seen.replayed(shown.replayKey), "REPLAYED");
    const spent = seen.spent(credential.identity), limits = credential.limits;
    check(fen <= limits.perUse, "OVER_PER_USE");
    check(spent.fen + fen <= limits.total, "OVER_OFFLINE_TOTAL");
    check(spent.uses + 1 <= limits.uses, "OVER_OFFLINE_USES");
  }

  function checkSignatures(shown, trust, now) {
    const { credential } = shown;
    const key = trust.get(`${credential.issuer}/${credential.keyId}`);
    check(key, "UNKNOWN_ISSUER");
    check(key.state !== "withdrawn", "KEY_WITHDRAWN");
    check(key.not_before <= credential.notBefore && credential.notBefore < key.sign_until && now < key.verify_until, "KEY_OUT_OF_PERIOD");
    check(isSigned(unhex(key.public), credential.body, credential.signature), "BAD_CREDENTIAL_SIGNATURE");
    const signed = shown.raw.subarray(0, -64);
    check(isSigned(credential.devicePublic, signed, shown.raw.subarray(-64)), "BAD_DEVICE_SIGNATURE");
  }

  /* --- lists -------------------------------------------------------------------------------------------- */

  const fits = (value, most) => Number.isInteger(value) && value >= 0 && value <= most;

  function readEnvelope(text, publicKeyOf) {
    let list;
    try {
      const told = JSON.parse(text);
      list = {
        kind: told.kind, scene: told.scene === undefined ? 0 : told.scene, from: told.from, to: told.to,
        madeAt: told.made_at, issuer: told.issuer, keyId: told.key_id,
        payload: fromBase64url(told.payload), signature: fromBase64url(told.signature),
      };
    } catch {
      refuse("LIST_MALFORMED");
    }
    const numbers = [[list.scene, 0xff], [list.from, 0xffffffff], [list.to, 0xffffffff], [list.madeAt, 0xffffffff], [list.issuer, 0xffffff], [list.keyId, 0xffff]];
    check(Object.hasOwn(KINDS, list.kind) && numbers.every(([value, most]) => fits(value, most)) && list.from < list.to, "LIST_MALFORMED");
    const signer = publicKeyOf(list);
    check(signer && isSigned(signer, underSignature(list), list.signature), "LIST_BAD_SIGNATURE");
    return list;
  }

  function underSignature(list) {
    const head = new Uint8Array(28);
    const view = new DataView(head.buffer);
    head.set([0x59, 0x4b, 0x4c, 0x31, KINDS[list.kind], list.scene]);
    [list.from, list.to, list.madeAt].forEach((value, i) => view.setUint32(6 + 4 * i, value));
    head[18] = list.issuer >> 16;
    view.setUint16(19, list.issuer & 0xffff);
    view.setUint16(21, list.keyId);
    view.setUint32(23, list.payload.length);
    return join(head.subarray(0, 27), list.payload);
  }

  /* {version, madeAt, keys: Map} */
  function readTrust(list, held = 0) {
    check(list.kind === "trust" && list.from === 0, "LIST_MALFORMED");
    check(list.to >= held, "LIST_ROLLED_BACK");
    let keys;
    try {
      keys = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(list.payload)).keys.map(readKey);
    } catch {
      refuse("LIST_MALFORMED");
    }
    return { version: list.to, madeAt: list.madeAt, keys: new Map(keys.map((key) => [`${key.issuer}/${key.key_id}`, key])) };
  }

  function readKey(told) {
    const { issuer, key_id, public: publicKey, state, not_before, sign_until, verify_until } = told;
    const whole = [issuer, key_id, not_before, sign_until, verify_until].every(Number.isInteger);
    if (!whole || !["active", "withdrawn"].includes(state) || !/^([0-9a-f]{2}){33}$/i.test(publicKey) || !isPublic(unhex(publicKey))) throw new TypeError("no key");
    return { issuer, key_id, public: publicKey.toLowerCase(), state, not_before, sign_until, verify_until };
  }

  /* Stopped references of one scene, sorted, in one piece of memory. */
  class Hotlist {
    constructor(references, { scene, version, madeAt }) { Object.assign(this, { references, scene, version, madeAt }); }
    get size() { return this.references.length / ENTRY; }
    has(reference) {
      const place = this.place(reference);
      return place < this.size && compare(this.references, place * ENTRY, reference, 0, ENTRY) === 0;
    }
    place(reference) {
      let [low, high] = [0, this.size];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (compare(this.references, middle * ENTRY, reference, 0, ENTRY) < 0) low = middle + 1; else high = middle;
      }
      return low;
    }
  }

  function checkEntries(bytes) {
    check(bytes.length % ENTRY === 0, "LIST_MALFORMED");
    for (let at = ENTRY; at < bytes.length; at += ENTRY) check(compare(bytes, at - ENTRY, bytes, at, ENTRY) < 0, "LIST_MALFORMED");
    return bytes;
  }

  function readHotlist(list, held = 0) {
    check(list.kind === "hot" && list.scene > 0, "LIST_MALFORMED");
    check(list.from === 0, "LIST_GAP");
    check(list.to >= held, "LIST_ROLLED_BACK");
    return new Hotlist(checkEntries(list.payload), { scene: list.scene, version: list.to, madeAt: list.madeAt });
  }

  function applyDelta(hot, list) {
    check(list.kind === "hot" && list.scene > 0, "LIST_MALFORMED");
    check(list.scene === hot.scene && list.from > 0 && list.payload.length >= 4, "LIST_MALFORMED");
    check(list.to > hot.version, "LIST_ROLLED_BACK");
    check(list.from === hot.version, "LIST_GAP");
    const end = 4 + u32(list.payload, 0) * ENTRY;
    check(end <= list.payload.length, "LIST_MALFORMED");
    const adds = checkEntries(list.payload.subarray(4, end)), removes = checkEntries(list.payload.subarray(end));
    return new Hotlist(merged(hot, adds, removes), { scene: hot.scene, version: list.to, madeAt: list.madeAt });
  }

  function merged(hot, adds, removes) {
    const changes = new Map();
    for (let at = 0; at < adds.length; at += ENTRY) changes.set(hex(adds.subarray(at, at + ENTRY)), adds.subarray(at, at + ENTRY));
    for (let at = 0; at < removes.length; at += ENTRY) {
      const name = hex(removes.subarray(at, at + ENTRY));
      check(!changes.has(name), "LIST_MALFORMED");
      changes.set(name, null);
    }
    const parts = [];
    let copied = 0;
    for (const [name, wanted] of [...changes].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const reference = unhex(name), place = hot.place(reference) * ENTRY;
      parts.push(hot.references.subarray(copied, place));
      if (wanted) parts.push(wanted);
      copied = place < hot.references.length && compare(hot.references, place, reference, 0, ENTRY) === 0 ? place + ENTRY : place;
    }
    return join(...parts, hot.references.subarray(copied));
  }

  /* A list that arrives, after what is held (null: nothing). */
  function take(held, text, publicKeyOf) {
    const list = readEnvelope(text, publicKeyOf);
    const version = held ? held.version : 0;
    if (list.kind === "trust") return readTrust(list, version);
    return held && list.from ? applyDelta(held, list) : readHotlist(list, version);
  }

  root.YktPass = { Refused, Hotlist, applyDelta, decodeText, fromBase45, fromBase64url, hex, isPublic, isShort, isSigned, join, parse, readEnvelope, readHotlist, readTrust, take, unhex, verifyOffline };
})(typeof self === "object" ? self : globalThis);
