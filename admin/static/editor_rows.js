// A condition as rows: field, operator, value; groups of and, or and not; parts that are written by hand.
import { add, checks, h, number, remove, select, text, titled, valueList } from "./editor_parts.js";

const OPERATORS = {
  choice: ["==", "!=", "in", "not in", "has", "has not"],
  choices: ["any", "all", "has", "has not"],
  boolean: ["true", "false", "has", "has not"],
  text: ["==", "!=", "in", "not in", "has", "has not"],
  integer: [">=", ">", "==", "!=", "<", "<=", "in", "not in", "has", "has not"],
  decimal: [">=", ">", "==", "!=", "<", "<=", "in", "not in", "has", "has not"],
  date: [">=", ">", "==", "!=", "<", "<=", "has", "has not"],
  datetime: [">=", ">", "==", "!=", "<", "<=", "has", "has not"],
};
const EVERY = ["==", "!=", "<", "<=", ">", ">=", "in", "not in", "any", "all", "has", "has not", "true", "false"];
const KINDS = {
  choice: "text", choices: "text", text: "text", boolean: "boolean", integer: "number", decimal: "number",
  date: "date", datetime: "date",
};
const LISTED = ["in", "not in", "any", "all"];
const ALONE = ["has", "has not", "true", "false"];

// terms: [{name, title, type, choices, days}] by group; rows: {root, text}; set(rows, structure)
export function conditionEditor(rows, path, groups, set, words, suggest) {
  const terms = new Map(groups.flatMap((group) => group.terms).map((term) => [term.name, term]));
  const picks = groups.map((group) => ({
    label: group.label, options: group.terms.map((term) => ({ code: term.name, title: titled(term.name, term.title) })),
  }));
  const changed = (...given) => set(rows, ...given);

  const drawPart = (part, at, parent, place) => {
    const drop = (label) => remove(label, () => { parent.parts.splice(at, 1); changed(true); });
    if (part.type === "group") return drawGroup(part, place, drop(words.remove_group));
    if (part.type === "written") {
      const box = h("textarea", {
        rows: Math.min(6, 1 + Math.floor(part.text.length / 60)), value: part.text, class: "code", "data-path": place,
        spellcheck: "false", "aria-label": words.written,
        oninput: (event) => { part.text = event.target.value; changed(false); },
      });
      return h("div", { class: "row-line written field" }, h("span", { class: "tag" }, words.written), box, drop(words.remove_row));
    }
    return drawRow(part, place, drop(words.remove_row));
  };

  const drawRow = (row, place, drop) => {
    const term = terms.get(row.name);
    const allowed = term ? [...OPERATORS[term.type]] : [...EVERY];
    if (!allowed.includes(row.operator)) allowed.push(row.operator);
    const name = select(row.name, place, [{ code: "", title: words.choose_field }, ...picks], (chosen) => {
      row.name = chosen;
      refit(row, terms.get(chosen));
      changed(true);
    }, { "aria-label": words.field });
    const operator = select(row.operator, `${place}:op`, allowed.map((code) => ({ code, title: said(code, term) })), (chosen) => {
      const before = row.operator;
      row.operator = chosen;
      if (ALONE.includes(chosen)) Object.assign(row, { values: [], kind: "text" });
      else if (ALONE.includes(before)) Object.assign(row, { kind: KINDS[term?.type] ?? "text", values: start(term) });
      else if (!LISTED.includes(chosen) && row.values.length !== 1) row.values = [row.values[0] ?? ""];
      if (LISTED.includes(chosen)) row.values = row.values.filter((value) => value !== "");
      if (LISTED.includes(chosen) && row.kind === "field") Object.assign(row, { kind: KINDS[term?.type] ?? "text", values: [] });
      changed(true);
    }, { "aria-label": words.operator });
    return h("div", { class: "row-line field" }, name, operator, h("span", { class: "row-value" }, values(row, term, place)), drop);
  };

  const said = (code, term) => {
    const numbers = ["integer", "decimal"].includes(term?.type), dates = ["date", "datetime"].includes(term?.type);
    const family = term?.days ? "days" : dates ? "date" : numbers ? "number" : term?.type ?? "any";
    return words[`op.${family}.${code}`] ?? words[`op.${code}`] ?? code;
  };

  const values = (row, term, place) => {
    if (ALONE.includes(row.operator)) return [];
    const listed = LISTED.includes(row.operator), path = `${place}:v`;
    const setAll = (now) => { row.values = now; changed(false); };
    const setOne = (now) => setAll([now]);
    if (row.kind === "field") {
      return [kind(row, term, place), select(row.values[0] ?? "", path, [{ code: "", title: words.choose_field }, ...picks], setOne,
        { "aria-label": words.value })];
    }
    if (term && (term.type === "choice" || term.type === "choices") && row.kind === "text") {
      const choices = term.choices.map((each) => ({ code: each.code, title: each.title }));
      if (listed) return checks(row.values, path, choices, setAll);
      return select(row.values[0] ?? "", path, [{ code: "", title: words.choose_value }, ...choices], setOne, { "aria-label": words.value });
    }
    if (row.kind === "boolean") {
      const both = [{ code: "true", title: words.yes }, { code: "false", title: words.no }];
      return listed ? checks(row.values, path, both, setAll)
        : select(row.values[0] ?? "", path, both, setOne, { "aria-label": words.value });
    }
    const make = (value, at, set) => {
      if (row.kind === "number") return number(value, at, set, term?.type === "integer" ? "1" : "0.1", { "aria-label": words.value });
      if (row.kind === "date" && (value === "" || /^\d{4}-\d\d-\d\d$/.test(value))) {
        return h("input", { type: "date", value, "data-path": at, "aria-label": words.value, oninput: (event) => set(event.target.value) });
      }
      const known = suggest(row.name);
      const list = known.length ? `known-${row.name}` : null;
      return text(value, at, set, { list, maxlength: 500, "aria-label": words.value });
    };
    if (listed) return valueList(row.values, path, make, setAll, words);
    return [kind(row, term, place), make(row.values[0] ?? "", path, setOne), term?.days && h("span", { class: "unit" }, words.days)];
  };

  // A value, or another field of the same kind.
  const kind = (row, term, place) => {
    if (!term || !["integer", "decimal", "date", "datetime"].includes(term.type)) return null;
    return select(row.kind === "field" ? "field" : "value", `${place}:kind`,
      [{ code: "value", title: words.a_value }, { code: "field", title: words.a_field }],
      (chosen) => { Object.assign(row, { kind: chosen === "field" ? "field" : KINDS[term.type], values: [""] }); changed(true); },
      { class: "narrow", "aria-label": words.compare_with });
  };

  const refit = (row, term) => {
    if (!term) return;
    if (!OPERATORS[term.type].includes(row.operator)) row.operator = OPERATORS[term.type][0];
    Object.assign(row, ALONE.includes(row.operator) ? { kind: "text", values: [] } : { kind: KINDS[term.type], values: start(term, row) });
  };
  const start = (term, row) => (row && LISTED.includes(row.operator) ? [] : term?.type === "boolean" ? ["true"] : [""]);

  const drawGroup = (group, place, drop) => {
    const how = select(`${group.negated ? "not " : ""}${group.join}`, `${place}:join`,
      ["and", "or", "not and", "not or"].map((code) => ({ code, title: words[`join.${code}`] })),
      (chosen) => { group.negated = chosen.startsWith("not"); group.join = chosen.endsWith("or") ? "or" : "and"; changed(true); },
      { class: "join", "aria-label": words.join });
    const put = (part) => () => { group.parts.push(part); changed(place, group.parts.length - 1); };
    const root = drop === null;
    return h("div", { class: root ? "group root field" : "group field", "data-path": place },
      (!root || group.parts.length > 1 || group.negated) && h("div", { class: "group-head" }, how, drop),
      group.parts.map((part, at) => drawPart(part, at, group, `${place}/${at}`)),
      root && group.parts.length === 0 && h("p", { class: "muted small" }, words.no_condition),
      h("div", { class: "group-foot" },
        add(words.add_row, put({ type: "row", name: "", operator: "==", kind: "text", values: [""] }), { "data-path": `${place}:add` }),
        add(words.add_group, put({ type: "group", join: group.join === "and" ? "or" : "and", negated: false, parts: [
          { type: "row", name: "", operator: "==", kind: "text", values: [""] },
        ] })),
        add(words.add_written, put({ type: "written", text: "" }))));
  };

  return drawGroup(rows.root, path, null);
}
