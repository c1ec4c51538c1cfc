// Elements, made of text alone: nothing that comes from a run is ever read as markup.
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

const numeral = (value, form, computed = false) => {
  if (value === null || value === undefined) return document.createTextNode(ABSENT);
  const data = make("data", { value, "data-form": form }, written(value, form));
  if (computed) data.setAttribute("data-computed", "");
  return data;
};

// As interval() of report/text/words.py has it.
const range = (low, high, form, computed = false) => {
  const signed = ["change", "growth"].includes(form) || Math.min(low, high) < 0;
  const [before, between, after] = island.words[language()]["interval." + (signed ? "signed" : "plain")]
    .split(/\{low\}|\{high\}/);
  return make("span", { class: "range" }, before, numeral(low, form, computed), between,
    numeral(high, form, computed), after);
};

const table = (titles, rows) => {
  const heads = titles.map(([title, kind]) => make("th", { scope: "col", class: kind }, title));
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": titles[0][0] },
    make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)));
};
