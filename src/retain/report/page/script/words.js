// The island of data, and the texts of the language shown.
const island = JSON.parse(document.getElementById("island").textContent);
const language = () => document.documentElement.lang;

const plural = (n) => {
  if (language() === "en") return n === 1 ? "one" : "many";
  const tens = n % 100, units = n % 10;
  if (units === 1 && tens !== 11) return "one";
  return units >= 2 && units <= 4 && (tens < 12 || tens > 14) ? "few" : "many";
};

const say = (key, values = {}) => {
  const found = island.words[language()][key];
  const text = typeof found === "string" ? found : found[plural(values.n)];
  return text.replace(/\{(\w+)\}/g, (_, name) =>
    typeof values[name] === "number" ? written(values[name], "count") : values[name]);
};

const metricName = (name) => {
  const parts = /^(lift|captured_profit)_([\d.]+)$/.exec(name);
  if (parts) return say("measure." + parts[1], { top: parts[2] });
  return island.words.en["metric." + name] ? say("metric." + name) : name;
};

// What was drawn before the script ran follows the language: numbers, and labels in attributes.
const retell = (chosen) => {
  document.documentElement.lang = chosen;
  for (const button of document.querySelectorAll("[data-language]"))
    button.setAttribute("aria-pressed", String(button.dataset.language === chosen));
  for (const labelled of document.querySelectorAll("[data-label]"))
    labelled.setAttribute(labelled.dataset.label,
      labelled.getAttribute(`data-${labelled.dataset.label}-${chosen}`));
  for (const number of document.querySelectorAll("data[data-form]"))
    if (!number.closest(".en, .ru"))
      number.textContent = written(Number(number.value), number.dataset.form);
};
