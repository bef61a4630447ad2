/* The kiosk's page: camera, scanner, picture; a green or a red answer; back to waiting after three seconds. */
"use strict";

(function () {
  const body = document.body;
  const find = (id) => document.getElementById(id);
  const elder = document.documentElement.hasAttribute("data-elder");
  const SHOWN_MS = elder ? 6000 : 3000;  // older people read in their own time
  const SAME_CODE_MS = 4000;             // a code that stays before the lens is one code
  const FRAME_MS = 90;
  const WEDGE_MS = 500;                  // a scanner types without pauses
  const SCENES = { 1: "通用", 2: "就医", 3: "乘车", 4: "入园" };
  const CONCESSIONS = { senior: "老年", student: "学生", child: "儿童", disabled: "残疾", veteran: "优抚", low_income: "低保", resident: "本地居民", honour: "荣誉" };
  let settings = { scene: 0, fen: 0 }, isBusy = false, resetTimer, beatTimer, clockOffset = 0;
  let lastText = "", lastSeen = 0;

  /* --- workers ------------------------------------------------------------------------------------------ */

  function employ(address) {
    const worker = new Worker(address);
    const waiting = new Map();
    let next = 0;
    worker.onmessage = ({ data }) => { const told = waiting.get(data.id); waiting.delete(data.id); if (told) told(data); };
    worker.onerror = () => { for (const told of waiting.values()) told({ error: { message: "终端程序没有装载", next: "请刷新页面，或联系运维" } }); waiting.clear(); };
    return (words, transfer = []) => new Promise((done) => { next += 1; waiting.set(next, done); worker.postMessage({ id: next, ...words }, transfer); });
  }

  const desk = employ("/terminal/desk.js");
  const eye = employ("/terminal/eye.js");

  async function ask(name, words = {}) {
    const { answer, error } = await desk({ ask: name, ...words });
    if (error) throw error;
    return answer;
  }

  /* --- the answer --------------------------------------------------------------------------------------- */

  const yuan = (fen) => `¥${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, "0")}`;

  function say(state, word, why = "", next = "", staff = "") {
    body.dataset.state = state;
    find("word").textContent = word;
    for (const [id, text] of [["why", why], ["next", next], ["staff", staff]]) {
      find(id).textContent = text;
      find(id).hidden = !text;
    }
  }

  const ready = () => say("ready", "等待扫码", "也可以用扫码枪扫码");

  function holdThenReset() {
    clearTimeout(resetTimer);
    isBusy = false;  // the next in the queue need not wait until the answer has gone
    resetTimer = setTimeout(ready, SHOWN_MS);
  }

  function sayVerdict(found) {
    const way = found.offline ? "离线核验" : "联网核验";
    if (found.accepted) {
      const facts = [`${SCENES[found.scene] || ""}验证通过`, found.concessions.map((name) => CONCESSIONS[name] || name).join("、"), found.fen ? yuan(found.fen) : "", way];
      say("yes", "请通行", facts.filter(Boolean).join(" · "));
    } else {
      const number = found.reason ? `（${found.reason}）` : "";
      say("no", "不能通行", `${found.message}${number} · ${way}`, found.holder, found.next ? `工作人员：${found.next}` : "");
    }
    find("last").textContent = `上一次 ${new Date(Date.now() + clockOffset).toLocaleTimeString("zh-CN", { hour12: false })} ${found.accepted ? "通过" : `未通过：${found.message}`} · ${way}`;
    sound(found.accepted);
  }

  async function verify(text) {
    if (isBusy) return;
    isBusy = true;
    clearTimeout(resetTimer);
    say("busy", "正在核验", "请稍候");
    try {
      const found = await ask("verify", { text, scene: settings.scene || null, fen: settings.fen, offline: find("force-offline").checked });
      sayVerdict(found);
      online(!found.offline);
    } catch (trouble) {
      say("fault", "无法核验", trouble.message, trouble.next);
      sound(false);
    }
    holdThenReset();
    await show();
  }

  /* --- sound: two rising tones, or one low --------------------------------------------------------------- */

  let audio;
  function sound(isYes) {
    try {
      audio ||= new AudioContext();
      const tones = isYes ? [[880, 0, 0.12], [1320, 0.13, 0.2]] : [[196, 0, 0.25], [165, 0.28, 0.35]];
      for (const [pitch, from, length] of tones) tone(pitch, audio.currentTime + from, length, isYes ? "sine" : "square");
      body.dataset.sound = isYes ? "yes" : "no";
    } catch { /* a machine without loudspeaker shows all the same */ }
  }

  /* Browsers keep silent until somebody has touched the machine. */
  for (const touch of ["pointerdown", "keydown"]) {
    document.addEventListener(touch, () => { try { audio ||= new AudioContext(); audio.resume(); } catch { /* no loudspeaker */ } }, { once: true, capture: true });
  }

  /* A kiosk that goes dark verifies nobody. */
  const stayAwake = () => { if (navigator.wakeLock && !document.hidden) navigator.wakeLock.request("screen").catch(() => {}); };
  document.addEventListener("visibilitychange", stayAwake);

  function tone(pitch, from, length, shape) {
    const [source, volume] = [audio.createOscillator(), audio.createGain()];
    source.type = shape;
    source.frequency.value = pitch;
    volume.gain.setValueAtTime(shape === "sine" ? 0.5 : 0.2, from);
    volume.gain.exponentialRampToValueAtTime(0.001, from + length);
    source.connect(volume).connect(audio.destination);
    source.start(from);
    source.stop(from + length);
  }

  /* --- state of the terminal ----------------------------------------------------------------------------- */

  const online = (is) => { find("net").dataset.is = is ? "on" : "off"; };

  async function show() {
    const found = await ask("state");
    settings = found.settings;
    clockOffset = found.now * 1000 - Date.now();
    find("number").textContent = found.enrolled ? String(found.terminal).padStart(12, "0") : "未开通";
    find("waiting").textContent = found.waiting;
    find("queue").toggleAttribute("data-some", found.waiting > 0);
    find("enrol").hidden = found.enrolled;
    find("desk").hidden = !found.enrolled;
    facts(found);
    return found;
  }

  function facts(found) {
    const age = (seconds) => (seconds === null ? "没有" : seconds < 3600 ? `${Math.max(0, Math.floor(seconds / 60))} 分钟前确认` : `${Math.floor(seconds / 3600)} 小时前确认`);
    const rows = [["状态", found.stopped ? "已停用" : "正常"], ["签到", found.day || "未签到"], ["闸机", found.gate || body.dataset.gate], ["待上传", `${found.waiting} / ${found.most} 笔`]];
    for (const list of found.lists) rows.push([`停用名单 ${SCENES[list.scene] || list.scene}`, list.age === null ? "没有" : `版本 ${list.version} · ${list.entries} 条 · ${age(list.age)}`]);
    find("facts").replaceChildren(...rows.flatMap(([name, value]) => {
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      dt.textContent = name;
      dd.textContent = value;
      return [dt, dd];
    }));
  }

  async function beat() {
    clearTimeout(beatTimer);
    let every = 60;
    try {
      const found = await show();
      every = found.beat;
      if (found.enrolled && !find("force-offline").checked) {
        await ask("beat");
        online(true);
      }
    } catch (trouble) {
      if (trouble.down) online(false); else find("last").textContent = `${trouble.message}。${trouble.next || ""}`;
    }
    await show().catch(() => {});
    beatTimer = setTimeout(beat, every * 1000);
  }

  function tick() {
    find("clock").textContent = new Date(Date.now() + clockOffset).toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" });
  }

  /* --- camera -------------------------------------------------------------------------------------------- */

  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });

  function pixels(source, width, height, most) {
    const scale = Math.min(1, most / Math.max(width, height));
    [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    pen.drawImage(source, 0, 0, canvas.width, canvas.height);
    return pen.getImageData(0, 0, canvas.width, canvas.height);
  }

  async function look(image) {
    const found = await eye({ image }, [image.data.buffer]);
    return found.error ? { text: "", error: true } : found;
  }

  function blind(why) {
    find("blind-why").textContent = why;
    find("blind").hidden = false;
    find("desk-title").textContent = "请用扫码枪扫码";
  }

  async function openCamera() {
    if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) return blind("浏览器不提供摄像头（需要 https 或本机地址）");
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } });
      const video = find("video");
      video.srcObject = stream;
      stream.getVideoTracks()[0].onended = () => blind("摄像头已断开");
      await video.play();
      find("blind").hidden = true;
      watch(video);
    } catch (error) {
      blind({ NotAllowedError: "没有允许使用摄像头", NotFoundError: "没有找到摄像头", NotReadableError: "摄像头正被其他程序使用" }[error.name] || "摄像头无法打开");
    }
  }

  async function watch(video) {
    for (;;) {
      await new Promise((done) => setTimeout(done, FRAME_MS));
      if (isBusy || document.hidden || !video.videoWidth || document.querySelector("dialog[open]")) continue;
      const { text } = await look(pixels(video, video.videoWidth, video.videoHeight, 1280));
      const at = performance.now();
      if (!text || isBusy) continue;
      const isSame = text === lastText && at - lastSeen < SAME_CODE_MS;
      [lastText, lastSeen] = [text, at];
      if (!isSame) await verify(text);
      lastSeen = performance.now();
    }
  }

  async function readPicture(file) {
    if (file.size > 20 * 1024 * 1024) return say("fault", "图片过大", "上限 20 MB", "请缩小图片后重试");
    say("busy", "正在读取图片");
    let bitmap;
    try { bitmap = await createImageBitmap(file); } catch { return say("fault", "图片无法读取", "不是可识别的图片，或文件不完整", "请重新选择"); }
    const found = await look(pixels(bitmap, bitmap.width, bitmap.height, 2000));
    bitmap.close();
    if (found.error) return say("fault", "无法识别图片", "识别程序没有装载", "请刷新页面，或使用扫码枪");
    if (!found.text) return say("fault", "没有读到二维码", found.several ? "图片中有不止一个二维码" : "图片中没有完整的二维码", "请重新选择");
    return verify(found.text);
  }

  /* --- scanner that types -------------------------------------------------------------------------------- */

  let typed = "", typedAt = 0;
  document.addEventListener("keydown", (event) => {
    if (find("desk").hidden || event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input:not(.file), textarea, select, dialog")) return;
    if (event.timeStamp - typedAt > WEDGE_MS) typed = "";
    typedAt = event.timeStamp;
    if (event.key === "Enter" && typed.length > 4) {
      event.preventDefault();
      const text = typed;
      typed = "";
      verify(text);
    } else if (event.key.length === 1) {
      if (typed && event.key === " ") event.preventDefault();
      typed = (typed + event.key).slice(-1024);
    }
  }, true);

  /* --- forms --------------------------------------------------------------------------------------------- */

  function wrong(id, text, field) {
    find(id).textContent = text;
    find(id).hidden = !text;
    if (text && field) { field.setAttribute("aria-invalid", "true"); field.focus(); } else if (field) field.removeAttribute("aria-invalid");
  }

  find("enrol-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const [number, code, button] = [find("enrol-number"), find("enrol-code"), event.submitter];
    if (!/^[0-9]{12}$/.test(number.value.trim())) return wrong("enrol-wrong", "终端编号应为 12 位数字", number);
    wrong("enrol-wrong", "", number);
    if (!code.value.trim()) return wrong("enrol-wrong", "请填写开通码", code);
    wrong("enrol-wrong", "", code);
    button.disabled = true;
    try {
      await ask("enrol", { number: Number(number.value), code: code.value });
      code.value = "";
      await begin();
    } catch (trouble) {
      wrong("enrol-wrong", `${trouble.message}。${trouble.next || ""}`);
    }
    button.disabled = false;
  });

  /* Yuan as typed, fen as counted; no floats. */
  function fenOf(text) {
    const found = /^([0-9]{1,6})(?:\.([0-9]{1,2}))?$/.exec(text.trim());
    return found ? Number(found[1]) * 100 + Number((found[2] || "").padEnd(2, "0")) : null;
  }

  find("settings-open").addEventListener("click", async () => {
    await show();
    find("scene").value = String(settings.scene);
    find("amount").value = `${Math.floor(settings.fen / 100)}.${String(settings.fen % 100).padStart(2, "0")}`;
    find("done").textContent = "";
    wrong("settings-wrong", "");
    find("settings-box").showModal();
  });

  find("settings-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const fen = fenOf(find("amount").value);
    if (fen === null) return wrong("settings-wrong", "金额格式不正确，请填写元，如 2.00", find("amount"));
    wrong("settings-wrong", "", find("amount"));
    const chosen = { scene: Number(find("scene").value), fen };
    await ask("settings", chosen);
    settings = chosen; // for the very next code: the heartbeat below may take its time
    find("settings-box").close();
    await beat();
  });

  for (const [id, name, done] of [["sign-in", "signIn", () => "已签到，名单为最新。"], ["upload", "upload", (found) => `已上传 ${found.handedIn} 笔${found.noticed ? `，其中 ${found.noticed} 笔平台认定不同，请查看用卡记录` : ""}。`]]) {
    find(id).addEventListener("click", async () => {
      find("done").textContent = "正在办理……";
      try {
        find("done").textContent = done(await ask(name));
        online(true);
      } catch (trouble) {
        find("done").textContent = `${trouble.message}。${trouble.next || ""}`;
        if (trouble.down) online(false);
      }
      await show();
    });
  }

  find("type-open").addEventListener("click", () => { find("type-text").value = ""; find("type-box").showModal(); });
  find("type-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = find("type-text").value.replace(/[\r\n]+$/, "");
    if (!text) return;
    find("type-box").close();
    verify(text);
  });
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
  find("picture").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (!file || isBusy) return;
    await readPicture(file);
    if (body.dataset.state === "fault") holdThenReset();
  });

  /* --- start --------------------------------------------------------------------------------------------- */

  async function begin() {
    const found = await show();
    if (!found.enrolled) { say("starting", "尚未开通"); find("enrol-number").focus(); return; }
    ready();
    await openCamera();
    await beat();
  }

  /* One window works, any other waits: two would give the same sequences. */
  async function start() {
    tick();
    setInterval(tick, 1000);
    if ("serviceWorker" in navigator) navigator.serviceWorker.register("/terminal/sw.js", { scope: "/terminal/" }).catch(() => {});
    try {
      await ask("begin", { reasons: await (await fetch("/terminal/reasons.json")).json(), gate: body.dataset.gate });
      stayAwake();
      if (body.dataset.wasm) await eye({ wasm: new URL(body.dataset.wasm, location.href).href });
      await begin();
    } catch (trouble) {
      find("desk").hidden = false;
      blind(trouble.message || "终端程序没有装载");
      say("fault", "无法启动", trouble.message || "终端程序没有装载", trouble.next || "请刷新页面，或联系运维");
    }
  }

  // A window's lock outlives it by a moment: whoever waits for it takes over, and need not try again and again.
  function takeOver() { navigator.locks.request("yikatong-terminal", () => { location.reload(); }); }

  find("desk").hidden = false;
  say("starting", "正在启动");
  if (navigator.locks) {
    navigator.locks.request("yikatong-terminal", { ifAvailable: true }, (lock) => {
      if (!lock) { blind("本机已有一个终端窗口在工作"); say("fault", "请使用已打开的窗口", "同一台机器只能有一个终端窗口", "关闭另一个窗口，本页随即接着工作"); takeOver(); return undefined; }
      start();
      return new Promise(() => {});
    });
  } else {
    start();
  }
})();
