// Print at once when asked to, and on the button or F8.
document.querySelector("[data-print-now]").addEventListener("click", () => print());
addEventListener("keydown", (event) => {
  if (event.key === "F8") { event.preventDefault(); print(); }
  if (event.key === "Escape") history.back();
});
if ("print" in document.body.dataset) addEventListener("load", () => print());
