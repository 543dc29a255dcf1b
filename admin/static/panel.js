// What the panel needs besides its own script: our words, a reload where it would show blanks, our own sign-in.
(() => {
  "use strict";
  const told = JSON.parse(document.getElementById("jikao").textContent);
  const store = window.localStorage;
  const code = told.language === "en" ? "en" : "zh-cn";
  const plainSet = Storage.prototype.setItem;

  if (store.getItem("piccoloAdminDefaultLanguage") !== code) {
    plainSet.call(store, "piccoloAdminDefaultLanguage", code);
  }
  if (store.getItem("defaultTimezone") === null) plainSet.call(store, "defaultTimezone", told.timezone);

  // The language menu of the panel sets ours too.
  Storage.prototype.setItem = function (key, value) {
    plainSet.call(this, key, value);
    const chosen = String(value).toLowerCase();
    if (key === "piccoloAdminDefaultLanguage" && chosen !== code) {
      window.location.assign(`/language/${chosen === "en" ? "en" : "zh-CN"}?next=/admin/`);
    }
  };

  // A row that is opened again without a reload may show blank inputs, and would save them.
  const rowPage = /^#\/[^/?]+\/(?!add)[^/?]+/;
  let opened = rowPage.test(window.location.hash);
  let here = window.location.hash;
  const moved = () => {
    if (window.location.hash === here) return;
    here = window.location.hash;
    mark();
    if (here.startsWith("#/login")) window.location.assign("/login?next=/admin/");
    else if (rowPage.test(here)) {
      if (opened) window.location.reload();
      opened = true;
    }
  };
  // The panel's own links push their addresses; no event tells of it.
  for (const name of ["pushState", "replaceState"]) {
    const plain = window.history[name].bind(window.history);
    window.history[name] = (...given) => {
      plain(...given);
      moved();
    };
  }
  window.addEventListener("hashchange", moved);
  window.addEventListener("popstate", moved);

  const mark = () => {
    const table = window.location.hash.replace(/^#\//, "").split(/[/?]/)[0];
    document.documentElement.classList.toggle("read-only", told.readOnly.includes(table));
    document.documentElement.dataset.table = table;
  };

  const plainConfirm = window.confirm.bind(window);
  window.confirm = (question) => plainConfirm(told.words[question] ?? question);

  // Instants are read in the office's time zone.
  const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;
  const clock = (text) =>
    new Intl.DateTimeFormat("sv-SE", { timeZone: told.timezone, dateStyle: "short", timeStyle: "medium" }).format(
      new Date(text),
    );

  // "Edit draft rule" ends in a table's name.
  const heading = (node, text) => {
    const lower = text.toLowerCase();
    const named = Object.keys(told.words)
      .filter((word) => lower === word || lower.endsWith(` ${word}`))
      .sort((one, other) => other.length - one.length)[0];
    if (named === undefined) return;
    const before = text.slice(0, text.length - named.length).trim();
    const gap = before && told.language === "en" ? ": " : " ";
    const said = before ? before + gap + told.words[named] : told.words[named];
    if (said !== text) node.nodeValue = said;
  };

  // The key's own heading, and the columns to sort by, are shown by their names in the database.
  const column = (parent, text) => {
    if (!parent?.closest('thead, select[name="column"]')) return undefined;
    const table = window.location.hash.replace(/^#\//, "").split(/[/?]/)[0];
    const columns = told.columns[table] ?? {};
    return columns[text] ?? columns[text.toLowerCase().replaceAll(" ", "_")];
  };

  const say = (node) => {
    const text = node.nodeValue.trim();
    if (!text) return;
    const parent = node.parentElement;
    const named = column(parent, text);
    if (named !== undefined) {
      if (named !== text) node.nodeValue = named;
      return;
    }
    if (parent?.closest("tbody") && instant.test(text)) node.nodeValue = clock(text);
    if (!parent || parent.closest("tbody, textarea, .CodeMirror, script, style")) return;
    if (parent.tagName === "H1") return heading(node, text);
    const key = Object.hasOwn(told.words, text) ? text : text.toLowerCase();
    if (Object.hasOwn(told.words, key)) {
      const said = told.words[key];
      if (said !== text) node.nodeValue = node.nodeValue.replace(text, said);
    } else if (told.language !== "en" && /^(of \d+|\d+ per page)$/.test(text)) {
      node.nodeValue = text.replace(/^of (\d+)$/, "/ 共 $1 页").replace(/^(\d+) per page$/, "每页 $1 行");
    } else if (text.includes(" field - ")) {
      node.nodeValue = node.nodeValue.replace(" field - ", told.language === "en" ? ": " : " ");
    }
  };
  const translate = (root) => {
    if (root.nodeType === Node.TEXT_NODE) return say(root);
    if (root.nodeType !== Node.ELEMENT_NODE) return;
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) say(walker.currentNode);
  };

  // What is saved of a row says which row it was when it was opened: whoever changed it meanwhile is not overwritten.
  const tags = new Map();
  const listed = new Map();
  const rowAddress = /^(\/admin\/api\/tables\/[^/]+\/)[^/]+\/$/;
  const listAddress = /^\/admin\/api\/tables\/[^/]+\/$/;
  const plainOpen = XMLHttpRequest.prototype.open;
  const plainSend = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.open = function (method, address, ...given) {
    this.jikao = { method: String(method).toUpperCase(), path: new URL(address, window.location.href).pathname };
    return plainOpen.call(this, method, address, ...given);
  };
  XMLHttpRequest.prototype.send = function (...given) {
    const { method, path } = this.jikao ?? {};
    if (path !== undefined && rowAddress.test(path)) {
      const seen = listed.get(rowAddress.exec(path)[1]);
      const tag = tags.get(path) ?? (seen === undefined ? undefined : `"-${seen}"`);
      if ((method === "PATCH" || method === "DELETE") && tag !== undefined) this.setRequestHeader("If-Match", tag);
      if (method === "GET" || method === "PATCH") {
        this.addEventListener("load", () => {
          const tag = this.status < 300 ? this.getResponseHeader("etag") : null;
          if (tag !== null) tags.set(path, tag);
        });
      }
    }
    if (path !== undefined && method === "GET" && listAddress.test(path) && !rowPage.test(window.location.hash)) {
      this.addEventListener("load", () => {
        listed.set(path, this.getResponseHeader("x-last-change") ?? undefined);
        for (const row of tags.keys()) if (row.startsWith(path)) tags.delete(row);
      });
    }
    return plainSend.apply(this, given);
  };

  // Spreadsheets read Chinese in a CSV only where it says that it is UTF-8.
  const PlainBlob = window.Blob;
  window.Blob = class extends PlainBlob {
    constructor(parts, options) {
      super(options?.type?.startsWith("text/csv") ? ["\ufeff", ...parts] : parts, options);
    }
  };

  // A rule has an editor of its own.
  const linkEditor = () => {
    if (!/^#\/draft_rule\/\d+/.test(window.location.hash) || document.querySelector(".to-editor")) return;
    const code = document.querySelector("form input[name=code]");
    if (!code?.value) return;
    const link = document.createElement("a");
    link.href = `/desk/rules/${encodeURIComponent(code.value)}`;
    link.textContent = told.editor;
    link.className = "to-editor";
    code.form.before(link);
  };

  // Some rows have a page of their own, and so has the change of a password.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a");
    const hash = link?.getAttribute("href") ?? "";
    const row = /^#\/([^/?]+)\/([^/?]+)\/?$/.exec(hash);
    let page = null;
    if (hash === "#/change-password/") page = "/password";
    else if (row && row[2] !== "add" && Object.hasOwn(told.pages, row[1])) page = told.pages[row[1]] + row[2];
    if (page === null) return;
    event.preventDefault();
    event.stopPropagation();
    window.location.assign(page);
  }, true);

  // Who changed this row, and what.
  const history = () => {
    const row = /^#\/([^/?]+)\/([^/?]+)/.exec(window.location.hash);
    const header = document.querySelector("#app .header h1")?.parentElement;
    if (!header || !row || row[2] === "add" || !told.history.tables.includes(row[1])) return;
    const address = `/desk/changes?table=${row[1]}&row=${row[2]}`;
    let link = header.querySelector("a.history");
    if (link?.getAttribute("href") === address) return;
    link ??= header.insertBefore(document.createElement("a"), header.querySelector("h1").nextSibling);
    link.className = "history";
    link.href = address;
    link.textContent = told.history.title;
  };

  const start = () => {
    mark();
    new MutationObserver((changes) => {
      for (const change of changes) {
        if (change.type === "characterData") say(change.target);
        else change.addedNodes.forEach(translate);
      }
      history();
      linkEditor();
      if (window.location.hash.startsWith("#/login")) window.location.assign("/login?next=/admin/");
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
    translate(document.body);
    document.addEventListener("input", linkEditor);
  };
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
