const card = document.getElementById("running");
const bar = document.getElementById("progress");
const stage = document.getElementById("stage");

async function look() {
  let told = null;
  try {
    const answer = await fetch(`${card.dataset.at}/progress`, { headers: { accept: "application/json" } });
    told = answer.ok ? await answer.json() : null;
  } catch {
    told = null; // the service may be coming up again
  }
  if (told !== null && !told.running) {
    location.replace(card.dataset.at);
    return;
  }
  if (told !== null) {
    bar.value = told.percent;
    stage.textContent = `${told.stage} ${told.done.toLocaleString("en")} / ${told.of.toLocaleString("en")}`;
  }
  setTimeout(look, 700);
}

setTimeout(look, 300);
