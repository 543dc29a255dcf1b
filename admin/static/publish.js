// A time that is filled in is the one that is meant.
(() => {
  "use strict";
  const form = document.getElementById("publication");
  if (form === null) return;
  const time = form.querySelector("input[name=effective]");
  time.addEventListener("input", () => {
    form.querySelector("input[name=when][value=at]").checked = true;
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "when" && event.target.value !== "at") time.value = "";
  });
})();
