// The form of a rule, drawn from its state and what can be chosen. Whatever is typed goes into the state at once.
import { add, checks, field, fill, h, number, remove, select, selectOrOther, text, titled } from "./editor_parts.js";
import { conditionEditor } from "./editor_rows.js";

const NUMERIC = ["integer", "decimal"];
const TESTS = ["range_below", "range_above", "cv_below", "cv_above", "all_equal", "distinct_below", "full_share_at_least"];

// changed(structure, focus): structure is true where the form must be drawn anew.
export function drawForm(holder, form, pick, picture, changed) {
  const w = pick.words;
  const type = pick.types.find((each) => each.code === form.on);
  const fields = type?.fields ?? [];
  const setter = (target, key, structure = false) => (value) => { target[key] = value; changed(structure); };
  const none = (title) => ({ code: "", title });
  const coded = (list) => list.map((each) => ({ code: each.code, title: titled(each.code, each.title) }));
  const box = (path, key, given) => text(form[key], path, setter(form, key), given);
  const amount = (path, key, step, target = form) => number(target[key], path, setter(target, key), step);
  const card = (title, ...inside) => h("section", { class: "card part" }, h("h2", {}, title), inside);

  const suggest = (name) => ({ subject_group: pick.groups, charged_group: pick.groups, post: pick.posts, charged_post: pick.posts }[name] ?? []);
  const terms = (own, charged = false) => [
    { label: w.fields_of_event, terms: own },
    ...(charged ? [{ label: w.fields_of_charged, terms: pick.charged }] : []),
    { label: w.fields_of_context, terms: pick.context },
  ];
  const condition = (rows, path, own, charged) => conditionEditor(rows, path, terms(own, charged), (_, structure, at) => {
    if (typeof structure === "string") changed(true, `${structure}/${at}`);
    else changed(structure);
  }, w, suggest);

  const basics = () => card(w.basics,
    h("div", { class: "grid named" },
      field(w.code, "rule", box("rule", "code", { maxlength: 64 })),
      field(w.title, "title", box("title", "title", { maxlength: 500 })),
      h("div", { class: "field" }, h("label", { class: "check alone" }, h("input", {
        type: "checkbox", checked: form.enabled, "data-path": "enabled",
        onchange: (event) => { form.enabled = event.target.checked; changed(false); },
      }), h("span", {}, w.enabled)))),
    field(w.basis, "basis", box("basis", "basis", { placeholder: w.basis_hint })));
  const remarks = () => card(w.remarks,
    field(w.indicator, "indicator", select(form.indicator, "indicator", [none(w.no_indicator), ...coded(pick.indicators)], setter(form, "indicator"))),
    field(w.note, "note", h("textarea", { rows: 2, value: form.note, maxlength: 10000, oninput: (event) => { form.note = event.target.value; changed(false); } })));

  const eventType = () => field(w.event_type, "on", select(form.on, "on", [none(w.choose_type), ...coded(pick.types)], setter(form, "on", true)));
  const when = (own) => h("div", { class: "field" }, h("span", { class: "label" }, w.when), condition(form.when, "when", own));
  const relations = (extra) => [...extra, ...coded(pick.relations)];
  const charge = () => field(w.charge, "charge", selectOrOther(form.charge, "charge", relations([none(w.charge_subject)]), setter(form, "charge"), w));
  const limits = () => form.kind !== "veto" && card(w.limits,
    pick.limits.length || form.limits.length
      ? h("div", { class: "field" }, checks(form.limits, "limits", coded(pick.limits), (now) => { form.limits = now; changed(false); }))
      : h("p", { class: "muted small" }, w.no_limits));

  // --- schedules ---

  const steps = (rows, path, heads, makeKey, step) => {
    const line = (row, at) => h("tr", { class: "field" },
      h("td", {}, makeKey(row, at)),
      h("td", {}, number(row.points, `${path}/${at}:points`, setter(row, "points"), step, { "aria-label": heads[1] })),
      h("td", {}, remove(w.remove_step, () => { rows.splice(at, 1); changed(true); })));
    return h("div", { class: "field", "data-path": path },
      h("table", { class: "steps" },
        h("thead", {}, h("tr", {}, h("th", {}, heads[0]), h("th", {}, heads[1]), h("th", { class: "thin" }))),
        h("tbody", {}, rows.map(line))),
      add(w.add_step, () => { rows.push({ key: "", points: "" }); changed(true, `${path}/${rows.length - 1}`); }));
  };
  const byValue = (named, rows, path) => (row, at) => {
    const place = `${path}/${at}`;
    const choices = named?.type === "boolean" ? [{ code: "true", title: w.yes }, { code: "false", title: w.no }] : named?.choices ?? [];
    const made = choices.length
      ? select(row.key, place, [none(w.choose_value), ...choices], setter(row, "key"), { "aria-label": w.value })
      : text(row.key, place, setter(row, "key"), { "aria-label": w.value });
    return made;
  };
  const table = (held, path, step, heading) => {
    const named = fields.find((each) => each.name === held.field);
    const missing = (named?.choices ?? []).filter((each) => !held.rows.some((row) => row.key === each.code));
    return [steps(held.rows, path, [w.value, heading], byValue(named, held.rows, path), step),
      missing.length > 1 && held.rows.length === 0 && add(w.add_every_choice, () => {
        held.rows.push(...missing.map((each) => ({ key: each.code, points: "" })));
        changed(true, `${path}/0:points`);
      })];
  };
  const bounds = (held, path, head, hint) => steps(held.rows, path, [head, w.points], (row, at) =>
    number(row.key, `${path}[${at}]`, setter(row, "key"), "1", { "aria-label": head, placeholder: at === held.rows.length - 1 ? hint : "" }), "0.1");
  const named = (types) => fields.filter((each) => types.includes(each.type)).map((each) => ({ code: each.name, title: titled(each.name, each.title) }));
  const rowed = ["text", "choice", "integer", "decimal", "boolean", "date", "datetime"];

  const points = () => {
    const held = form.points;
    const kinds = ["fixed", "table", "bands", "progressive", "share"].map((code) => ({ code, title: w[`points.${code}`] }));
    const kind = field(w.points_kind, "points:kind", select(held.kind, "points:kind", kinds, (chosen) => {
      if (chosen !== held.kind && !(["bands", "progressive"].includes(chosen) && ["bands", "progressive"].includes(held.kind))) held.rows = [];
      held.kind = chosen;
      if (["table", "bands", "progressive"].includes(chosen) && !held.rows.length) held.rows = [{ key: "", points: "" }];
      changed(true);
    }));
    if (held.kind === "fixed") return h("div", { class: "grid" }, kind, field(w.points, "points", amount("points", "value", "0.1", held), w.points_hint));
    const by = field(w.points_field, "points.field", select(held.field, "points.field",
      [none(w.choose_field), ...named(held.kind === "table" ? rowed : NUMERIC)], setter(held, "field", true)));
    const own = {
      table: () => table(held, "points.table", "0.1", w.points),
      bands: () => [bounds(held, "points.bands", w.reaches, ""), field(w.otherwise, "points.else", amount("points.else", "otherwise", "0.1", held), w.otherwise_hint)],
      progressive: () => bounds(held, "points.progressive", w.up_to, w.no_bound),
      share: () => field(w.share_of_field, "points.share", amount("points.share", "value", "0.1", held), w.share_of_field_hint),
    }[held.kind];
    return h("div", { "data-path": "points", class: "field" }, h("div", { class: "grid" }, kind, by), own());
  };

  const scoring = () => card(w.scoring,
    points(),
    h("div", { class: "grid" },
      charge(),
      field(w.times, "times", select(form.times, "times", [none(w.no_times), ...named(NUMERIC)], setter(form, "times")))),
    h("div", { class: "grid" },
      field(w.max, "max", amount("max", "max", "0.1"), w.max_hint),
      field(w.matter, "matter", select(form.matter === "each" ? "" : form.matter, "matter",
        [none(w.matter_each), { code: "highest", title: w.matter_highest }], setter(form, "matter")))));

  const factor = (held, at) => {
    const path = `factors[${at}]`;
    const kinds = ["condition", "field", "table", "repeat"].map((code) => ({ code, title: w[`factor.${code}`] }));
    const swap = (to) => () => {
      [form.factors[at], form.factors[to]] = [form.factors[to], form.factors[at]];
      changed(true);
    };
    const byField = () => field(w.factor_field, `${path}.field`, select(held.field, `${path}.field`,
      [none(w.choose_field), ...named(held.kind === "table" ? rowed : NUMERIC)], setter(held, "field", true)));
    const by = () => field(w.by, `${path}.by`, number(held.by, `${path}.by`, setter(held, "by"), "0.1"));
    const own = {
      condition: () => by(),
      field: () => byField(),
      table: () => [byField(), table(held, `${path}.table`, "0.1", w.by)],
      repeat: () => [
        h("div", { class: "grid" },
          field(w.within_days, `${path}.repeat.within_days`, number(held.within_days, `${path}.repeat.within_days`, setter(held, "within_days"), "1")), by()),
        h("div", { class: "field" }, h("span", { class: "label" }, w.same),
          checks(held.same, `${path}.repeat.same`, fields.map((each) => ({ code: each.name, title: titled(each.name, each.title) })), (now) => { held.same = now; changed(false); })),
      ],
    }[held.kind];
    return h("fieldset", { class: "factor", "data-path": path },
      h("legend", {}, fill(w.factor_number, { number: at + 1 })),
      h("div", { class: "factor-tools" },
        at > 0 && h("button", { type: "button", class: "quiet small", onclick: swap(at - 1), "aria-label": w.factor_up, title: w.factor_up }, "↑"),
        at < form.factors.length - 1 && h("button", { type: "button", class: "quiet small", onclick: swap(at + 1), "aria-label": w.factor_down, title: w.factor_down }, "↓"),
        remove(w.remove_factor, () => { form.factors.splice(at, 1); changed(true); })),
      h("div", { class: "grid" },
        field(w.title, `${path}.title`, text(held.title, `${path}.title`, setter(held, "title"), { maxlength: 500 })),
        field(w.factor_kind, `${path}:kind`, select(held.kind, `${path}:kind`, kinds, (chosen) => {
          held.kind = chosen;
          if (chosen === "table" && !held.rows.length) held.rows = [{ key: "", points: "" }];
          changed(true);
        }))),
      own(),
      h("div", { class: "field" }, h("span", { class: "label" }, w.factor_when), condition(held.when, `${path}.when`, fields, true)));
  };
  const factors = () => card(w.factors,
    form.factors.length === 0 && h("p", { class: "muted small" }, w.no_factors),
    form.factors.map(factor),
    add(w.add_factor, () => {
      form.factors.push({ kind: "condition", title: "", when: { root: { type: "group", join: "and", negated: false, parts: [] }, text: "" }, by: "", field: "", rows: [], within_days: "", same: [] });
      changed(true, `factors[${form.factors.length - 1}].title`);
    }));

  // --- joint rules ---

  const joined = () => {
    const codes = form.every ? pick.rules.map((rule) => rule.code) : form.of;
    const types = new Set(pick.rules.filter((rule) => codes.includes(rule.code)).map((rule) => rule.on));
    const found = new Map();
    for (const each of pick.types) {
      if (!types.has(each.code)) continue;
      for (const one of each.fields) {
        const known = found.get(one.name);
        const more = known ? { ...known, choices: [...known.choices, ...one.choices.filter((choice) => !known.choices.some((held) => held.code === choice.code))] } : one;
        found.set(one.name, more);
      }
    }
    return [...found.values()];
  };
  const sources = () => {
    const list = checks(form.of, "of", coded(pick.rules), (now) => { form.of = now; count(); changed(false); redrawn(); });
    const sum = h("span", { class: "muted small", "aria-live": "polite" });
    const count = () => { sum.textContent = fill(w.of_chosen, { number: form.of.length, all: pick.rules.length }); };
    let timer;
    const redrawn = () => { clearTimeout(timer); timer = setTimeout(() => changed(true), 900); };
    count();
    const filter = h("input", {
      type: "search", placeholder: w.filter_rules, "aria-label": w.filter_rules, "data-path": "of:filter", value: holder.dataset.filter ?? "",
      oninput: (event) => { holder.dataset.filter = event.target.value; narrow(); },
    });
    const narrow = () => {
      const q = (holder.dataset.filter ?? "").trim().toLowerCase();
      for (const each of list.children) each.hidden = Boolean(q) && !each.textContent.toLowerCase().includes(q);
    };
    narrow();
    const radio = (every, label) => h("label", { class: "check" }, h("input", {
      type: "radio", name: "every", checked: form.every === every, "data-path": `of:${every ? "every" : "some"}`,
      onchange: () => { form.every = every; changed(true); },
    }), h("span", {}, label));
    return h("div", { class: "field" }, h("span", { class: "label" }, w.of),
      h("div", { class: "radios" }, radio(true, w.of_every), radio(false, w.of_some)),
      !form.every && h("div", { class: "sources" }, h("div", { class: "sources-head" }, filter, sum), list));
  };

  const joint = () => {
    const both = form.points.value !== "" && form.share !== "";
    const byShare = form.by_points === undefined ? form.points.value === "" || form.share !== "" : !form.by_points;
    const radio = (share, label) => h("label", { class: "check" }, h("input", {
      type: "radio", name: "size", checked: byShare === share, "data-path": `size:${share ? "share" : "points"}`,
      onchange: () => {
        form.by_points = !share;
        if (share) form.points.value = "";
        else form.share = "";
        changed(true, share ? "share" : "points");
      },
    }), h("span", {}, label));
    return [
      card(w.path,
        h("div", { class: "grid" },
          field(w.joint, "joint", selectOrOther(form.joint, "joint", relations(form.joint === "" ? [none(w.choose_relation)] : []), setter(form, "joint"), w), w.joint_hint),
          field(w.sign, "sign", select(form.sign === "both" ? "" : form.sign, "sign",
            [none(w.sign_both), { code: "deduction", title: w.sign_deduction }, { code: "bonus", title: w.sign_bonus }], setter(form, "sign")))),
        h("div", { class: "picture", id: "picture" }, picture),
        sources()),
      card(w.trigger_joint, when(joined())),
      card(w.size,
        h("div", { class: "radios" }, radio(true, w.by_share), radio(false, w.by_points)),
        h("div", { class: "grid" },
          (byShare || both) && field(w.share, "share", amount("share", "share", "0.05"), w.share_hint),
          (!byShare || both) && field(w.joint_points, "points", amount("points", "value", "0.1", form.points), w.joint_points_hint),
          field(w.split, "split", select(form.split === "each" ? "" : form.split, "split",
            [none(w.split_each), { code: "pro_rata", title: w.split_pro_rata }], setter(form, "split"))),
          field(w.max, "max", amount("max", "max", "0.1"), w.joint_max_hint))),
    ];
  };

  // --- rules of a period ---

  const words = (key, known, hint) => h("div", { class: "field" }, h("span", { class: "label" }, w[key]), hint && h("small", {}, hint),
    checks(form[key], key, known.map((code) => ({ code, title: code })), (now) => { form[key] = now; changed(false); }),
    h("div", { class: "or-other" }, addWord(key)));
  const addWord = (key) => {
    const put = () => {
      const said = made.value.trim();
      if (said && !form[key].includes(said)) { form[key] = [...form[key], said]; changed(true, `${key}:new`); }
    };
    const made = text("", `${key}:new`, () => {}, {
      maxlength: 64, placeholder: w.another_group, "aria-label": w.another_group,
      onkeydown: (event) => { if (event.key === "Enter" && !event.ctrlKey) { event.preventDefault(); put(); } },
    });
    return [made, h("button", { type: "button", class: "quiet small", onclick: put }, w.add_word)];
  };
  const period = () => field(w.per, "per", selectOrOther(form.per, "per", [none(w.every_period), ...pick.periods], setter(form, "per"), w), w.per_hint);

  const consequence = (verdict) => {
    const held = form[verdict];
    const on = h("label", { class: "check alone" }, h("input", {
      type: "checkbox", checked: held !== null, "data-path": verdict,
      onchange: (event) => {
        form[verdict] = event.target.checked ? { tests: [{ name: verdict === "undifferentiated" ? "range_below" : "range_above", bound: "" }], charge: "members", points: "" } : null;
        changed(true);
      },
    }), h("span", {}, w[verdict]));
    if (held === null) return h("div", { class: "field verdict" }, on);
    const test = (each, at) => h("div", { class: "row-line field" },
      select(each.name, `${verdict}.when/${at}`, [none(w.choose_test), ...TESTS.map((code) => ({ code, title: w[`test.${code}`] }))], (chosen) => {
        each.name = chosen;
        each.bound = chosen === "all_equal" ? "true" : each.bound === "true" || each.bound === "false" ? "" : each.bound;
        changed(true);
      }, { "aria-label": w.test }),
      each.name === "all_equal"
        ? select(each.bound, `${verdict}.when.all_equal`, [{ code: "true", title: w.yes }, { code: "false", title: w.no }], setter(each, "bound"), { "aria-label": w.bound })
        : number(each.bound, `${verdict}.when.${each.name}`, setter(each, "bound"), "0.1", { "aria-label": w.bound }),
      remove(w.remove_row, () => { held.tests.splice(at, 1); changed(true); }));
    const who = ["members", "owner", "unit"].map((code) => ({ code, title: w[`who.${code}`] }));
    return h("div", { class: "field verdict" }, on,
      h("div", { class: "group field", "data-path": `${verdict}.when` },
        held.tests.length === 0 && h("p", { class: "muted small" }, w[`no_test.${verdict}`]),
        held.tests.map(test),
        add(w.add_test, () => { held.tests.push({ name: "", bound: "" }); changed(true, `${verdict}.when/${held.tests.length - 1}`); })),
      h("div", { class: "grid" },
        field(w.charge, `${verdict}.charge`, select(held.charge, `${verdict}.charge`, who, setter(held, "charge"))),
        field(w.points, `${verdict}.points`, number(held.points, `${verdict}.points`, setter(held, "points"), "0.1"), w.points_hint)));
  };

  const differentiation = () => [
    card(w.compared,
      h("div", { class: "grid" },
        field(w.compares, "compares", select(form.compares, "compares",
          [{ code: "indicators", title: w.compares_indicators }, { code: "total", title: w.compares_total }], setter(form, "compares", true))),
        field(w.among, "among", select(form.among, "among",
          [{ code: "group", title: w.among_group }, { code: "unit", title: w.among_unit }], setter(form, "among")))),
      form.compares === "indicators" && h("div", { class: "field" }, h("span", { class: "label" }, w.indicators),
        checks(form.indicators, "differentiation", coded(pick.indicators), (now) => { form.indicators = now; changed(false); })),
      words("groups", pick.groups, w.groups_hint),
      h("div", { class: "grid" }, period(), field(w.at_least, "at_least", amount("at_least", "at_least", "1"), w.at_least_hint))),
    card(w.consequences, consequence("undifferentiated"), consequence("differentiated")),
  ];

  const progress = () => card(w.scoring,
    h("div", { class: "grid" },
      field(w.progress, "progress", select(form.progress, "progress",
        [{ code: "rank", title: w.progress_rank }, { code: "total", title: w.progress_total }], setter(form, "progress"))),
      field(w.points, "points", amount("points", "value", "0.1", form.points), w.progress_points_hint)),
    h("div", { class: "grid" },
      field(w.max, "max", amount("max", "max", "0.1")),
      h("div", { class: "field" }, h("label", { class: "check alone" }, h("input", {
        type: "checkbox", checked: form.both, "data-path": "both", onchange: (event) => { form.both = event.target.checked; changed(false); },
      }), h("span", {}, w.both)))),
    words("groups", pick.groups, w.groups_hint),
    h("div", { class: "grid" }, period()));

  const veto = () => card(w.scoring, h("div", { class: "grid" }, field(w.to, "to", amount("to", "to", "1"), w.to_hint), charge()));

  const parts = {
    event: () => [card(w.trigger, eventType(), when(fields)), scoring(), factors()],
    joint,
    differentiation,
    progress: () => [progress()],
    veto: () => [card(w.trigger, eventType(), when(fields)), veto()],
  }[form.kind];
  const lists = ["subject_group", "charged_group", "post", "charged_post"].map((name) =>
    h("datalist", { id: `known-${name}` }, suggest(name).map((value) => h("option", { value }))));
  holder.replaceChildren(basics(), ...[parts()].flat(), limits() || "", remarks(), ...lists);
}
