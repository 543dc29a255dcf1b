const text = document.getElementById("seal");
const button = document.getElementById("copy");

button.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(text.textContent);
  } catch {
    getSelection().selectAllChildren(text);
    document.execCommand("copy");
  }
  button.textContent = button.dataset.done;
});
