const bar = document.getElementById("progress");
const stage = document.getElementById("stage");

async function look() {
  const answer = await fetch("/audit/verification/progress", { headers: { accept: "application/json" } });
  const told = answer.ok ? await answer.json() : { running: false };
  if (!told.running) {
    location.replace("/audit/verification");
    return;
  }
  bar.value = told.percent;
  stage.textContent = `${told.stage} ${told.percent} %`;
  setTimeout(look, 1000);
}

setTimeout(look, 500);
