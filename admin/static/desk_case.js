// The text of a case: a finding leads to its line, and what was typed is not left by accident.
const form = document.getElementById("case");
const text = form.elements.text;
const begun = text.value;
let saving = false;

const select = (number) => {
  const lines = text.value.split("\n");
  const start = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[number - 1] ?? "").length);
  text.scrollTop = (number - 4) * Number.parseFloat(getComputedStyle(text).lineHeight);
};

document.querySelectorAll("[data-line]").forEach((link) => link.addEventListener("click", (event) => {
  event.preventDefault();
  select(Number(link.dataset.line));
}));
form.addEventListener("submit", () => { saving = true; });
window.addEventListener("beforeunload", (event) => {
  if (!saving && text.value !== begun) event.preventDefault();
});
