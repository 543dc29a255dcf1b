// The editor of one rule: its state, what the server reads of it while somebody types, and its saving.
import { fill, h } from "./editor_parts.js";
import { drawForm } from "./editor_form.js";

const begun = JSON.parse(document.getElementById("begun").textContent);
const pick = begun.pickers, w = pick.words;
const $ = (id) => document.getElementById(id);
const holder = $("form"), area = $("text"), status = $("status");
const token = document.querySelector("input[name=csrftoken]").value;

const state = {
  code: begun.code, hash: begun.hash, form: begun.reading.form, text: begun.reading.text, tree: begun.reading.tree,
  findings: begun.reading.findings, mode: begun.reading.form ? "form" : "text",
  dirty: false, tried: begun.code !== "", asked: 0, touched: new Set(), picture: h("div"),
};

// --- asking the server ---

async function send(path, content, signal) {
  const answer = await fetch(path, {
    method: "POST", body: JSON.stringify(content), signal,
    headers: { "content-type": "application/json", accept: "application/json", "x-csrftoken": token },
  });
  const json = (answer.headers.get("content-type") ?? "").includes("json");
  if (answer.redirected || (!json && answer.status !== 404)) throw new Error(w.signed_out);
  return { status: answer.status, told: json ? await answer.json() : null };
}

const content = () => (state.mode === "text" ? { text: area.value } : { form: state.form });

let waiting;
function readSoon(delay = 250) {
  clearTimeout(waiting);
  waiting = setTimeout(() => readNow(), delay);
}

// What was clicked needs the answer at once; what is only typed waits until no finger is down.
async function readNow(clicked = false) {
  clearTimeout(waiting);
  const asked = ++state.asked;
  try {
    const { status: code, told } = await send("/desk/editor/reading", { code: state.code, ...content() });
    if (asked !== state.asked || code !== 200) return false;
    take(told, clicked);
    return true;
  } catch (error) {
    if (asked === state.asked) say(error.message === w.signed_out ? error.message : w.unreachable, "bad");
    return false;
  }
}

// Nothing moves under a finger that is down: the click would miss.
let pressing = false, postponed = null;
document.addEventListener("pointerdown", () => { pressing = true; }, true);
for (const end of ["pointerup", "pointercancel"]) {
  document.addEventListener(end, () => setTimeout(() => {
    pressing = false;
    const then = postponed;
    postponed = null;
    then?.();
  }, 50), true);
}

function take(told, clicked = false) {
  if (pressing && !clicked) {
    postponed = () => take(told);
    return;
  }
  Object.assign(state, { tree: told.tree, findings: told.findings });
  if (state.mode === "form") state.text = told.text;
  else state.form = told.form;
  showSentences(told.sentences);
  showFindings();
  state.picture.innerHTML = told.picture;
  state.picture.hidden = !told.picture;
  countHits();
}

// --- what is shown beside ---

function showSentences(sentences) {
  const fields = sentences.map((each) => h("span", {}, each));
  $("sentence").replaceChildren(...(fields.length ? fields : [h("span", { class: "muted" }, w.no_sentence)]));
}

const shown = (finding) => state.tried || !finding.needed || state.touched.has(finding.path);

// The element that a finding is about, or the nearest one around it.
function place(path) {
  let at = path;
  const row = /^(.*\.table)\.(.+)$/.exec(at);
  if (row && state.form) {
    const held = row[1] === "points.table" ? state.form.points : state.form.factors[Number(/\d+/.exec(row[1])?.[0])];
    const number = held ? held.rows.findIndex((each) => each.key.trim() === row[2]) : -1;
    if (number >= 0) at = `${row[1]}/${number}:points`;
  }
  while (at) {
    const found = holder.querySelector(`[data-path="${CSS.escape(at)}"]`);
    if (found) return found;
    at = at.replace(/(^|[:/.]|\[)[^:/.[]*$/, "");
  }
  return null;
}

function showFindings() {
  if (pressing) {
    postponed ??= showFindings;
    return;
  }
  holder.querySelectorAll(".finding, .finding-row").forEach((each) => each.remove());
  holder.querySelectorAll("[aria-invalid]").forEach((each) => each.removeAttribute("aria-invalid"));
  const visible = state.findings.filter(shown);
  const items = visible.map((finding, number) => {
    const control = state.mode === "form" ? place(finding.path) : null;
    if (control) {
      const said = h("p", { class: `finding ${finding.level}`, id: `finding${number}` }, finding.message);
      const around = control.closest("tr, .field") ?? control;
      if (around.tagName === "TR") around.after(h("tr", { class: "finding-row" }, h("td", { colspan: 3 }, said)));
      else around.append(said);
      if (finding.level === "error") control.setAttribute("aria-invalid", "true");
    }
    const where = finding.line ? fill(w.line, { line: finding.line }) : control ? label(control) : finding.path;
    return h("li", {}, h("button", { type: "button", class: `link ${finding.level}`, onclick: () => go(finding) },
      where && h("strong", {}, where), " ", finding.message));
  });
  const errors = visible.filter((each) => each.level === "error").length;
  $("findings").replaceChildren(...items);
  $("found").textContent = visible.length ? fill(w.found, { errors, warnings: visible.length - errors }) : state.findings.length ? w.unfinished : w.found_none;
  $("found").className = errors ? "bad-said" : visible.length ? "warn-said" : state.findings.length ? "muted" : "good-said";
}

function label(control) {
  const around = control.closest(".field");
  const named = around?.querySelector(":scope > label:not(.check), :scope > .label");
  return (named ?? control.closest("fieldset")?.querySelector("legend") ?? control.closest("section")?.querySelector("h2"))?.textContent ?? "";
}

function go(finding) {
  if (state.mode === "text") {
    const lines = area.value.split("\n");
    const line = Math.min(Math.max(1, finding.line ?? 1), lines.length);
    const from = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    area.focus();
    area.setSelectionRange(from, from + lines[line - 1].length);
    return;
  }
  const found = place(finding.path);
  const control = found?.matches("input, select, textarea, button") ? found : found?.querySelector("input, select, textarea, button");
  control?.focus();
  control?.scrollIntoView({ block: "center" });
}

// --- hits: what the rule would have met ---

let meeting, counting;
function countHits() {
  clearTimeout(counting);
  meeting?.abort();
  const box = $("hits");
  if (!box || !state.tree || state.findings.some((each) => each.level === "error") || !["event", "joint", "veto"].includes(kind())) {
    if (box) box.replaceChildren(h("p", { class: "muted small" }, w.hits_later));
    return;
  }
  counting = setTimeout(async () => {
    meeting = new AbortController();
    try {
      const { status: code, told } = await send("/desk/hits", { rule: state.tree, months: 6 }, meeting.signal);
      if (code === 200) showHits(told);
      else box.replaceChildren(h("p", { class: "muted small" }, w.hits_none));
    } catch (error) {
      if (error.name !== "AbortError") box.replaceChildren(h("p", { class: "muted small" }, w.hits_none));
    }
  }, 600);
}

const kind = () => (state.form ? state.form.kind : "event");

function showHits(told) {
  const rows = (told.events ?? []).map((event) => h("tr", {},
    h("td", { class: "even" }, String(event.time).slice(0, 10)),
    h("td", { title: event.subject }, event.name || event.subject),
    h("td", {}, event.href ? h("a", { href: event.href, target: "_blank", rel: "noopener" }, event.id) : event.id)));
  $("hits").replaceChildren(
    h("p", {}, told.said ?? fill(told.capped ? w.hits_capped : w.hits_said, { hit: told.hit, checked: told.checked, since: String(told.since).slice(0, 10) })),
    rows.length ? h("table", { class: "dense" }, h("tbody", {}, rows)) : "");
}

// --- the two forms ---

function redraw(focus) {
  const active = focus ?? holder.contains(document.activeElement) ? focus ?? document.activeElement.dataset.path : null;
  drawForm(holder, state.form, pick, state.picture, changed);
  if (!begun.writes) holder.querySelectorAll("input, select, textarea, button").forEach((each) => { each.disabled = true; });
  showFindings();
  const control = active && holder.querySelector(`[data-path="${CSS.escape(active)}"]`);
  (control?.matches("input, select, textarea, button") ? control : control?.querySelector("input, select, textarea, button"))?.focus();
}

function changed(structure, focus) {
  touched();
  if (structure) redraw(focus);
  readSoon(structure ? 0 : 250);
}

function touched() {
  if (!state.dirty) say(w.unsaved, "warn");
  state.dirty = true;
}

function show(mode) {
  state.mode = mode;
  for (const each of ["form", "text"]) {
    $(`${each}-tab`).setAttribute("aria-selected", String(each === mode));
    $(`${each}-tab`).tabIndex = each === mode ? 0 : -1;
    $(`${each}-panel`).hidden = each !== mode;
  }
}

async function turn(to) {
  if (to === state.mode) return;
  if (!(await readNow(true))) return;
  postponed = null;
  if (to === "text") {
    area.value = state.text;
    show("text");
    await readNow(true);
    area.focus();
  } else if (state.form) {
    delete state.form.by_points;
    show("form");
    state.tried = true;
    redraw();
    await readNow(true);
    say(state.dirty ? w.unsaved : "", "warn");
    holder.querySelector("input, select")?.focus();
  } else {
    state.tried = true;
    showFindings();
    say(w.stays_text, "bad");
    const first = state.findings.find((each) => each.level === "error") ?? state.findings[0];
    if (first) go(first);
  }
}

// --- saving ---

function say(text, tone = "") {
  status.textContent = text;
  status.className = `said ${tone}`;
}

async function save(over) {
  if (!begun.writes) return;
  state.tried = true;
  clearTimeout(waiting);
  ++state.asked;
  say(w.saving);
  $("save").disabled = true;
  try {
    const { status: code, told } = await send("/desk/editor/saving", { code: over?.gone ? "" : state.code, hash: over?.hash ?? state.hash, ...content() });
    if (code === 200) return saved(told);
    if (code === 409) return conflict(told);
    if (code === 422) {
      take(told, true);
      say(w.not_saved, "bad");
      const first = state.findings.find((each) => each.level === "error") ?? state.findings[0];
      if (first) go(first);
      return;
    }
    say(w.not_saved, "bad");
  } catch (error) {
    say(error.message === w.signed_out ? error.message : w.unreachable, "bad");
  } finally {
    $("save").disabled = false;
  }
}

function saved(told) {
  state.dirty = false;
  $("conflict").replaceChildren();
  if (told.code !== state.code) {
    window.location.replace(`${told.href}?saved`);
    return;
  }
  state.hash = told.hash;
  const errors = state.findings.filter((each) => each.level === "error").length;
  say(errors ? fill(w.saved_unfinished, { errors }) : w.saved, errors ? "warn" : "good");
  const heading = $("heading");
  if (heading && state.form) heading.textContent = state.form.title;
  readNow();
  readCases();
}

function conflict(told) {
  const box = $("conflict");
  box.innerHTML = told.html;
  say(w.conflict, "bad");
  box.querySelector("[data-take=theirs]")?.addEventListener("click", () => {
    state.dirty = false;
    if (told.gone) return window.location.assign("/desk/rules");
    state.hash = told.hash;
    Object.assign(state, { form: told.theirs.form, text: told.theirs.text });
    box.replaceChildren();
    area.value = state.text;
    show(state.form ? "form" : "text");
    if (state.form) redraw();
    take(told.theirs, true);
    say(w.took_theirs, "good");
    $("save").focus();
  });
  box.querySelector("[data-take=mine]")?.addEventListener("click", () => save({ hash: told.hash, gone: told.gone }));
  box.querySelector("h2")?.focus();
  box.scrollIntoView({ block: "start" });
}

async function erase() {
  const { status: code, told } = await send("/desk/editor/deletion", { code: state.code, hash: state.hash });
  if (code === 200) {
    state.dirty = false;
    window.location.assign(told.href);
  } else {
    $("delete-said").textContent = told?.message ?? w.not_saved;
    $("delete-said").hidden = false;
  }
}

async function move(to) {
  const { status: code, told } = await send("/desk/editor/place", { code: state.code, to });
  if (code === 200) {
    $("place").value = told.place;
    $("place-said").textContent = fill(w.moved, { place: told.place });
  }
}

async function readCases() {
  const box = document.querySelector("[data-fragment]");
  if (!box || !state.code) return;
  try {
    const answer = await fetch(box.dataset.fragment, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    box.innerHTML = await answer.text();
    box.hidden = false;
  } catch { /* the rule is edited without them */ }
}

// --- beginning ---

for (const each of ["form", "text"]) {
  $(`${each}-tab`).addEventListener("click", () => turn(each));
  $(`${each}-tab`).addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const other = each === "form" ? "text" : "form";
    $(`${other}-tab`).focus();
    turn(other);
  });
}
area.addEventListener("input", () => { touched(); readSoon(); });
holder.addEventListener("focusout", (event) => {
  const path = event.target.dataset?.path;
  if (path && !state.touched.has(path)) {
    state.touched.add(path);
    if (state.findings.some((each) => each.path === path)) showFindings();
  }
});
document.addEventListener("keydown", (event) => {
  const saving = (event.ctrlKey || event.metaKey) && (event.key === "Enter" || event.key.toLowerCase() === "s");
  if (!saving || !begun.writes) return;
  event.preventDefault();
  save();
});
window.addEventListener("beforeunload", (event) => { if (state.dirty) event.preventDefault(); });
$("save")?.addEventListener("click", () => save());
$("delete")?.addEventListener("click", () => $("delete-dialog").showModal());
$("delete-no")?.addEventListener("click", () => $("delete-dialog").close());
$("delete-yes")?.addEventListener("click", erase);
$("up")?.addEventListener("click", () => move(Number($("place").value) - 1));
$("down")?.addEventListener("click", () => move(Number($("place").value) + 1));
$("place")?.addEventListener("change", () => move(Number($("place").value) || 1));

area.value = state.text;
area.readOnly = !begun.writes;
show(state.mode);
if (state.form) redraw();
take(begun.reading);
readCases();
if (begun.writes && !begun.code) holder.querySelector("[data-path=title]")?.focus();
