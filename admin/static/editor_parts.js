// Parts of the editor's form: elements, labelled fields, numbers that are stepped exactly, lists of values.

export function h(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name === "value" || name === "checked") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(9)) {
    if (child !== null && child !== undefined && child !== false) made.append(child);
  }
  return made;
}

let numbered = 0;

// A field with its label; findings about its path are put below it.
export function field(label, path, control, hint) {
  const id = `f${++numbered}`;
  const within = control.matches("input, select, textarea") ? control : control.querySelector("input, select, textarea");
  within.id = id;
  within.dataset.path ||= path;
  control.dataset.inner = id;
  const small = hint ? h("small", { id: `${id}h` }, hint) : null;
  if (small) within.setAttribute("aria-describedby", small.id);
  return h("div", { class: "field" }, h("label", { for: id }, label), control, small);
}

export function text(value, path, set, given = {}) {
  return h("input", {
    type: "text", value, "data-path": path, autocomplete: "off", spellcheck: "false", maxlength: 2000, ...given,
    oninput: (event) => set(event.target.value),
  });
}

// A number stays the text that was typed: no binary float comes near it. The arrows step it exactly.
export function number(value, path, set, step = "1", given = {}) {
  const box = text(value, path, set, { inputmode: "decimal", class: "amount-input", ...given });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    const moved = stepped(box.value.trim() || "0", step, event.key === "ArrowUp" ? 1n : -1n);
    if (moved === null) return;
    event.preventDefault();
    box.value = moved;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return box;
}

function stepped(value, step, times) {
  const read = (said) => /^(-?)(\d+)(?:\.(\d+))?$/.exec(said);
  const [one, other] = [read(value), read(step)];
  if (!one) return null;
  const places = Math.max((one[3] ?? "").length, (other[3] ?? "").length);
  const whole = (held) => BigInt(`${held[1]}${held[2]}${(held[3] ?? "").padEnd(places, "0")}`);
  const sum = whole(one) + times * whole(other);
  const digits = (sum < 0n ? -sum : sum).toString().padStart(places + 1, "0");
  const said = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
  return sum < 0n ? `-${said}` : said;
}

const english = document.documentElement.lang === "en";
export const titled = (code, title) =>
  title && title !== code ? (english ? `${title} (${code})` : `${title}（${code}）`) : code;

// choices: [{code, title}]; what is chosen and unknown stays among them.
export function select(value, path, choices, set, given = {}) {
  const box = h("select", { "data-path": path, ...given, onchange: (event) => set(event.target.value) });
  const known = new Set();
  const add = (parent, each) => {
    if (each.options) {
      const group = h("optgroup", { label: each.label });
      each.options.forEach((one) => add(group, one));
      if (each.options.length) parent.append(group);
    } else {
      known.add(each.code);
      parent.append(h("option", { value: each.code }, each.title || each.code || "—"));
    }
  };
  choices.forEach((each) => add(box, each));
  if (!known.has(value)) box.append(h("option", { value }, value ? `${value} ⚠` : "—"));
  box.value = value;
  return box;
}

// A choice of known words, or another word: then it is typed.
export function selectOrOther(value, path, choices, set, words) {
  const holder = h("div", { class: "or-other" });
  const known = choices.some((each) => each.code === value) || value === "";
  const draw = (typing) => {
    holder.replaceChildren();
    if (typing) {
      const back = h("button", {
        type: "button", class: "quiet small", onclick: () => { set(choices[0].code); value = choices[0].code; draw(false); },
      }, words.choose_known);
      holder.append(text(value, path, (now) => { value = now; set(now); }, { maxlength: 64 }), back);
    } else {
      const all = [...choices, { code: "\u0000", title: words.other }];
      holder.append(select(value, path, all, (now) => {
        if (now === "\u0000") {
          value = "";
          set("");
          draw(true);
          holder.querySelector("input").focus();
        } else {
          value = now;
          set(now);
        }
      }));
    }
    if (holder.dataset.inner) holder.firstChild.id = holder.dataset.inner;
  };
  draw(!known);
  return holder;
}

export function checks(chosen, path, choices, set) {
  const now = [...chosen];
  const box = h("div", { class: "checks", "data-path": path, role: "group" });
  const all = [...choices];
  for (const code of chosen) if (!all.some((each) => each.code === code)) all.push({ code, title: `${code} ⚠` });
  for (const each of all) {
    box.append(h("label", { class: "check" }, h("input", {
      type: "checkbox", value: each.code, checked: now.includes(each.code), "data-path": `${path}:${each.code}`,
      onchange: (event) => {
        if (event.target.checked) now.push(each.code);
        else now.splice(now.indexOf(each.code), 1);
        set([...now]);
      },
    }), h("span", {}, each.title || each.code)));
  }
  return box;
}

// Values in a row, each typed by itself, with one more and one less.
export function valueList(values, path, make, set, words) {
  const box = h("div", { class: "values", "data-path": path });
  const now = values.length ? [...values] : [""];
  const draw = (focus) => {
    box.replaceChildren();
    now.forEach((value, at) => {
      const control = make(value, `${path}:${at}`, (changed) => { now[at] = changed; set([...now]); });
      control.setAttribute("aria-label", `${words.value} ${at + 1}`);
      box.append(h("span", { class: "value" }, control, now.length > 1 && remove(words.remove_value, () => {
        now.splice(at, 1);
        set([...now]);
        draw(Math.max(0, at - 1));
      })));
    });
    box.append(h("button", {
      type: "button", class: "quiet small", title: words.add_value, "aria-label": words.add_value,
      onclick: () => { now.push(""); set([...now]); draw(now.length - 1); },
    }, "＋"));
    if (focus !== undefined) box.querySelectorAll("input, select")[focus]?.focus();
  };
  draw();
  return box;
}

export const remove = (label, act) =>
  h("button", { type: "button", class: "remove", title: label, "aria-label": label, onclick: act }, "×");
export const add = (label, act, given = {}) =>
  h("button", { type: "button", class: "quiet small", onclick: act, ...given }, `＋ ${label}`);
export const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
