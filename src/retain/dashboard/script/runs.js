// The page of runs: what is shown follows from the address, so that a copy of it leads back here.
const count = runs ? runs.id.length : 0;
const shown = { order: [], page: 0 };
let address = new URLSearchParams(location.hash.slice(1));

const pathOf = (row) => `${textAt(runs.study, row)}/${runs.id[row]}`;
const keyNamed = (name) => runs.keys.find((key) => key.name === name);
const columnNamed = (name) =>
  (name === "study" || name === "commit" ? runs[name] : keyNamed(name));
const metricNamed = (name) => runs.metrics.find((metric) => metric.name === name) || runs.metrics[0];

// What a search looks through, one text a row, made when something is first searched.
let haystack = null;
const searched = () => {
  haystack ||= Array.from({ length: count }, (_, row) =>
    [pathOf(row), textAt(runs.reason, row) || "", ...runs.keys.flatMap((key) => {
      const text = textAt(key, row);
      return text === null ? [] : [`${key.name}=${text}`];
    })].join("\n").toLowerCase());
  return haystack;
};

const chosenCodes = () => {
  const named = [...address].filter(([name, text]) => text !== "" && name.startsWith("k."))
    .map(([name, text]) => [keyNamed(name.slice(2)), text]);
  const own = ["study", "state"].filter((name) => address.get(name))
    .map((name) => [runs[name], address.get(name)]);
  return [...named, ...own].filter(([column]) => column)
    .map(([column, text]) => [column, column.levels.indexOf(text)]);
};

const keptRows = () => {
  const wanted = (address.get("q") || "").trim().toLowerCase().split(/\s+/).filter(Boolean);
  const codes = chosenCodes(), tiedOnly = address.has("tied"), rows = [];
  for (let row = 0; row < count; row += 1)
    if ((!tiedOnly || runs.tags[row] !== "0")
      && codes.every(([column, code]) => codeAt(column, row) === code)
      && (!wanted.length || wanted.every((word) => searched()[row].includes(word)))) rows.push(row);
  return rows;
};

// "-metric:roc_auc" is the column and that it falls; without one the order is that of the page.
const order = () => {
  const text = address.get("sort") || "";
  const [kind, name] = text.replace(/^-/, "").split(/:(.*)/s);
  return { falling: text.startsWith("-"), kind, name };
};

const sortValues = ({ kind, name }) => {
  if (kind === "metric" && name in runs.numbers) return runs.numbers[name];
  if (kind === "finished" || kind === "seconds") return runs[kind];
  const column = kind === "key" ? keyNamed(name) : columnNamed(kind);
  return column ? column.at && column.at.map((code) => (code < 0 ? null : code)) : null;
};

const arranged = (rows) => {
  const by = order(), values = sortValues(by), sign = by.falling ? -1 : 1;
  if (!values) return rows;
  return rows.sort((a, b) => (values[a] === null || values[b] === null
    ? (values[a] === null) - (values[b] === null) || a - b
    : sign * (values[a] - values[b]) || a - b));
};

const pins = () => address.getAll("pin");
const setPin = (path, on) => {
  const kept = pins().filter((one) => one !== path);
  address.delete("pin");
  for (const one of on ? [...kept, path] : kept) address.append("pin", one);
};

// The address of a comparison; null where this copy has no page with all of the runs.
const compareAddress = (paths) => {
  const { compare, compared } = island.links;
  if (compare) return compare + paths.map((path) => `run=${encodeURIComponent(path)}`).join("&");
  for (const [study, [href, ids]] of Object.entries(compared))
    if (paths.every((path) => ids.some((id) => path === `${study}/${id}`))) return href;
  return null;
};

const keepAddress = () => {
  for (const [name, text] of [...address]) if (text === "") address.delete(name);
  history.replaceState(null, "", `#${address}`);
};
