// Reveal a field in place, for half a minute, without losing what is typed in the page's form.
document.querySelectorAll("form[data-reveal]").forEach((form) => form.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopPropagation();
  const place = document.querySelector(form.dataset.reveal);
  const masked = place.textContent;
  const said = document.querySelector("#desk-said");
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
  } catch { said.textContent = "没有连接，未能显示。"; return; }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) { said.textContent = body.title ?? "未能显示。"; place.textContent = `${masked}（${said.textContent}）`; return; }
  place.textContent = body.value;
  said.textContent = `已显示，${body.seconds} 秒后重新隐藏。`;
  form.closest("details").open = false;
  setTimeout(() => { place.textContent = masked; }, body.seconds * 1000);
}));
