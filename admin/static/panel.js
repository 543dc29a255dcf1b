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

  // A row that is opened again without a reload shows blank inputs, and would save them.
  const rowPage = /^#\/[^/?]+\/[^/?]+/;
  window.addEventListener("hashchange", () => {
    if (window.location.hash.startsWith("#/login")) window.location.assign("/login?next=/admin/");
    else if (rowPage.test(window.location.hash)) window.location.reload();
    mark();
  });

  const mark = () => {
    const table = window.location.hash.replace(/^#\//, "").split(/[/?]/)[0];
    document.documentElement.classList.toggle("read-only", told.readOnly.includes(table));
    document.documentElement.dataset.table = table;
  };

  const plainConfirm = window.confirm.bind(window);
  window.confirm = (question) => plainConfirm(told.words[question] ?? question);

  const say = (node) => {
    const text = node.nodeValue.trim();
    if (!text) return;
    const parent = node.parentElement;
    if (parent && parent.closest("tbody, textarea, .CodeMirror, script, style")) return;
    if (Object.hasOwn(told.words, text)) {
      const said = told.words[text];
      if (said !== text) node.nodeValue = node.nodeValue.replace(text, said);
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

  // A page of our own opens from the sidebar in the same tab, and an entry's number leads to its page.
  const start = () => {
    mark();
    new MutationObserver((changes) => {
      for (const change of changes) {
        if (change.type === "characterData") say(change.target);
        else change.addedNodes.forEach(translate);
      }
      if (window.location.hash.startsWith("#/login")) window.location.assign("/login?next=/admin/");
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
    translate(document.body);
  };
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
