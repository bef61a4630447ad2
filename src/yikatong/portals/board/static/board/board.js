// Keeps the board moving. Without this script the page is whole, and renews itself every half minute.
"use strict";
(() => {
  const main = document.getElementById("main");
  const live = document.getElementById("live");
  const pause = document.querySelector("[data-pause]");
  const say = document.querySelector("[data-say]");
  const updated = document.querySelector("[data-updated]");
  const pollMs = Number(main.dataset.poll) * 1000;
  const rotateMs = Number(main.dataset.rotate || 0) * 1000;
  let paused = "paused" in main.dataset;
  let tag = "";
  let spokenAt = 0;
  let acted = false; // someone is there: only then does asking keep the session alive
  for (const act of ["pointerdown", "keydown", "wheel"]) addEventListener(act, () => { acted = true; }, { passive: true });

  // the clock
  const days = "日一二三四五六";
  const beijing = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" });
  const clock = document.querySelector("[data-clock]");
  function tick() {
    const now = new Date();
    const part = Object.fromEntries(beijing.formatToParts(now).map((p) => [p.type, p.value]));
    const weekday = days[new Date(Date.UTC(+part.year, +part.month - 1, +part.day)).getUTCDay()];
    clock.textContent = `${part.year}年${part.month}月${part.day}日 星期${weekday} ${part.hour}:${part.minute}`;
  }

  // the line chart: drawn by the server, and drawn again with a tooltip where the library is installed
  let chart = null;
  let canvas = null;
  function style(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
  function options(numbers) {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const text = { color: style("--slate-300"), fontSize: rem * 0.8125, fontFamily: getComputedStyle(document.body).fontFamily };
    const short = (value) => (numbers.size > 1 ? (value / numbers.size).toLocaleString("zh-CN", { maximumFractionDigits: 2 }) : value.toLocaleString("zh-CN"));
    const axis = { axisLabel: text, axisLine: { show: false }, axisTick: { show: false } };
    const rule = { lineStyle: { color: "#1c3354" } };
    return {
      animation: false,
      aria: { enabled: false },
      textStyle: text,
      grid: { left: rem * 3.6, right: rem * 3.8, top: rem * 0.8, bottom: rem * 1.8 },
      tooltip: {
        trigger: "axis", renderMode: "richText", backgroundColor: "#0d2140", borderColor: style("--cyan"), borderWidth: 1,
        textStyle: { ...text, color: "#fff" },
        formatter: (rows) => [rows[0].axisValue, ...rows.map((row) => `${row.seriesName}  ${row.value == null ? "没有数据" : row.seriesIndex ? `${row.value.toFixed(2)}%` : `${row.value.toLocaleString("zh-CN")} 次`}`)].join("\n"),
      },
      xAxis: { type: "category", data: numbers.labels, ...axis },
      yAxis: [
        { type: "value", min: 0, max: numbers.top, interval: numbers.top / 4, ...axis, axisLabel: { ...text, formatter: short }, splitLine: rule },
        { type: "value", min: numbers.low, max: 100, interval: (100 - numbers.low) / 4, ...axis, axisLabel: { ...text, formatter: "{value}%" }, splitLine: { show: false } },
      ],
      series: [
        { name: "用卡量", type: "line", data: numbers.uses, smooth: 0.3, smoothMonotone: "x", symbolSize: rem * 0.4, showSymbol: numbers.labels.length < 12, lineStyle: { width: 2.5 }, color: style("--cyan"),
          areaStyle: { color: { type: "linear", x: 0, y: 0, x2: 0, y2: 1, colorStops: [{ offset: 0, color: "rgba(56,208,232,.36)" }, { offset: 1, color: "rgba(56,208,232,.02)" }] } } },
        { name: "成功率", type: "line", yAxisIndex: 1, data: numbers.success, showSymbol: false, lineStyle: { width: 2, type: "dashed" }, color: style("--mint") },
      ],
    };
  }
  function draw() {
    const plot = live.querySelector(".plot");
    const numbers = document.getElementById("series-numbers");
    if (!plot || !numbers || !window.echarts) return;
    if (!canvas) { canvas = document.createElement("div"); canvas.className = "drawn"; }
    plot.append(canvas);
    if (!chart) chart = window.echarts.init(canvas, null, { renderer: "canvas" });
    plot.classList.add("is-drawn");
    chart.setOption(options(JSON.parse(numbers.textContent)), true);
    chart.resize();
  }
  const library = document.createElement("script");
  library.src = main.dataset.echarts;
  library.addEventListener("load", draw);
  if (main.dataset.echarts) addEventListener("load", () => document.head.append(library)); // after everything else has been shown
  addEventListener("resize", () => chart && chart.resize());

  // the moving part: replaced as a whole; what the reader has opened, scrolled or focused stays so
  function replace(html) {
    const open = [...live.querySelectorAll("details[open]")].map((one) => [one.id, one.querySelector(".sheet").scrollTop]);
    const focused = live.contains(document.activeElement) ? path(document.activeElement) : null;
    live.innerHTML = html;
    for (const [id, top] of open) {
      const details = document.getElementById(id);
      if (details) { details.open = true; details.querySelector(".sheet").scrollTop = top; }
    }
    const again = focused && live.querySelector(focused);
    if (again) again.focus({ preventScroll: true });
    draw();
  }
  function path(element) {
    const href = element.getAttribute("href");
    if (element.id) return `#${CSS.escape(element.id)}`;
    if (href) return `a[href="${CSS.escape(href)}"]`;
    const details = element.closest("details");
    return details ? `#${details.id} ${element.matches("summary") ? "summary" : ".sheet"}` : null;
  }
  function summary() {
    const now = Date.now();
    if (now - spokenAt < 60000) return; // once a minute is enough to hear
    spokenAt = now;
    say.textContent = [...live.querySelectorAll("[data-spoken]")].map((one) => one.innerText.trim().replace(/\s+/g, " ")).join("；");
  }
  async function poll() {
    if (paused || document.hidden) return;
    const url = `${main.dataset.live}${main.dataset.live.includes("?") ? "&" : "?"}part=live${acted ? "" : "&auto=1"}`;
    acted = false;
    try {
      const answer = await fetch(url, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store", redirect: "manual" });
      if (answer.type === "opaqueredirect") { location.reload(); return; } // the session has ended
      if (answer.status !== 200 && answer.status !== 304) throw new Error(String(answer.status));
      tag = answer.headers.get("ETag") || tag;
      updated.textContent = decodeURIComponent(answer.headers.get("X-Updated") || "") || updated.textContent;
      updated.classList.remove("warn");
      if (answer.status === 200) { replace(await answer.text()); summary(); }
    } catch {
      if (!updated.classList.contains("warn")) { updated.classList.add("warn"); updated.textContent += "（连接中断，正在重试）"; }
    }
  }
  function show() {
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "恢复更新" : "暂停更新";
  }
  pause.hidden = false;
  pause.addEventListener("click", () => { paused = !paused; show(); poll(); });
  const rotator = document.querySelector("[data-rotator]");
  if (rotator) rotator.hidden = false;
  if (rotateMs) setInterval(() => { if (!paused && !document.hidden) location.assign(main.dataset.next); }, rotateMs);
  show();
  tick();
  setInterval(tick, 1000);
  setInterval(poll, pollMs);
  document.addEventListener("visibilitychange", poll);
})();
