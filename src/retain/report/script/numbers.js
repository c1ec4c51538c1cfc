// Numbers in the forms of report/numbers.py, so that a row drawn here looks like one drawn there.
const MINUS = "\u2212", NARROW = "\u202f", ABSENT = "\u2014";

const grouped = (value, digits) => {
  const [whole, part] = Math.abs(value).toFixed(digits).split(".");
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return (value < 0 ? "-" : "") + spaced + (part ? "." + part : "");
};

const FORMS = {
  score: (value) => grouped(value, 3),
  fine: (value) => grouped(value, 4),
  change: (value) => (value > 0 ? "+" : "") + grouped(value, 3),
  p: (value) => (value < 0.001 ? "<0.001" : grouped(value, 3)),
  p_is: (value) => (value < 0.001 ? "< 0.001" : "= " + grouped(value, 3)),
  count: (value) => grouped(value, 0),
  percent: (value) => grouped(100 * value, 0) + NARROW + "%",
  plain: (value) => value.toFixed(6).replace(/0+$/, "").replace(/\.$/, ""),
  money: (value) => grouped(value, Math.abs(value) >= 100 ? 0 : 1),
  times: (value) => grouped(value, 2),
  seconds: (value) => grouped(value, 1),
};

const written = (value, form) => {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  let text = FORMS[form](value);
  if (!/[1-9]/.test(text)) text = text.replace(/^[+-]/, "");
  text = text.replace("-", MINUS);
  return language() === "en" ? text : text.replace(/,/g, NARROW).replace(".", ",");
};
