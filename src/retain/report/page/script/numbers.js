// Numbers in the forms of report/numbers.py, so that a row drawn here looks like one drawn there.
const MINUS = "\u2212", NARROW = "\u202f", ABSENT = "\u2014";

const grouped = (value, digits) => {
  const [whole, part] = Math.abs(value).toFixed(digits).split(".");
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return (value < 0 ? "-" : "") + spaced + (part ? "." + part : "");
};

const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

const raised = (power) => [...power].map((one) =>
  one === "-" ? "\u207b" : "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[one]).join("");

const significant = (value, digits) => {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e-6 && size < 1e15) {
    const power = Number(size.toExponential().split("e")[1]);
    return trimmed(grouped(value, Math.max(0, digits - 1 - power)));
  }
  const [number, power] = value.toExponential(digits - 1).split("e");
  return trimmed(number) + "\u00d710" + raised(power.replace("+", ""));
};

const share = (value) => {
  const percent = 100 * value;
  let places = 0;
  if (percent > 0 && percent < 100)
    while (places < 12 && [0, 100].includes(Number(percent.toFixed(places)))) places += 1;
  return grouped(percent, places) + NARROW + "%";
};

const FORMS = {
  score: (value) => grouped(value, 3),
  fine: (value) => grouped(value, 4),
  change: (value) => (value > 0 ? "+" : "") + grouped(value, 3),
  growth: (value) => (value > 0 ? "+" : "") + grouped(100 * value, 0) + NARROW + "%",
  deviations: (value) => grouped(value, 1),
  p: (value) => (value < 0.001 ? "<0.001" : grouped(value, 3)),
  p_is: (value) => (value < 0.001 ? "< 0.001" : "= " + grouped(value, 3)),
  count: (value) => grouped(value, 0),
  whole: (value) => grouped(Math.floor(value), 0),
  percent: (value) => grouped(100 * value, 0) + NARROW + "%",
  points: (value) => grouped(100 * value, 1),
  points_2: (value) => grouped(100 * value, 2),
  plain: (value) => value.toFixed(6).replace(/0+$/, "").replace(/\.$/, ""),
  money: (value) => significant(value, 3),
  times: (value) => grouped(value, 2),
  seconds: (value) => grouped(value, 1),
  share,
  value: (value) => significant(value, 3),
};
for (let digits = 0; digits < 7; digits += 1)
  FORMS["money_" + digits] = (value) => grouped(value, digits);
for (let digits = 4; digits < 18; digits += 1)
  FORMS["value_" + digits] = (value) => significant(value, digits);

const written = (value, form) => {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  let text = FORMS[form](value);
  if (!/[1-9]/.test(text)) text = text.replace(/^[+-]/, "");
  text = text.replace("-", MINUS);
  return language() === "en" ? text : text.replace(/,/g, NARROW).replace(".", ",");
};
