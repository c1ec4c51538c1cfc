// Two runs compared: what differs in their settings, and every metric paired by fold.
const pairs = island.pairs;
const sides = { a: document.getElementById("run-a"), b: document.getElementById("run-b") };

const known = (a, b) => pairs.diffs.find((one) => one.a === a && one.b === b)
  || pairs.diffs.map(turned).find((one) => one.a === a && one.b === b);

// A pair of the verdict seen from its other side.
const turned = (one) => {
  const swapped = (value) => ({ ...value, a: value.b, b: value.a });
  const negated = (value) => (value === null || value === undefined ? value : -value);
  return {
    ...swapped(one),
    config: one.config.map(([key, a, b]) => [key, b, a]),
    metrics: one.metrics.map((metric) => ({
      ...swapped(metric),
      difference: { value: negated(metric.difference.value),
        low: negated(metric.difference.high), high: negated(metric.difference.low) } })),
    largest_changes: one.largest_changes && one.largest_changes.map(swapped),
  };
};

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// Corrected interval of a mean difference over J folds: mean ± t · √((1/J + test/train) · s²).
// A run that was stopped early has the first folds alone; those are paired.
const paired = (name, a, b) => {
  const left = (pairs.fold_values[a] || {})[name], right = (pairs.fold_values[b] || {})[name];
  if (!left || !right) return null;
  const folds = [...Array(Math.min(left.length, right.length)).keys()]
    .filter((fold) => left[fold] !== null && right[fold] !== null);
  const d = folds.map((fold) => (right[fold] - left[fold]) / island.steps);
  const t = pairs.t[String(d.length - 1)], centre = mean(d);
  const variance = d.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (d.length - 1);
  const reach = t === undefined ? null
    : t * Math.sqrt((1 / d.length + pairs.test_to_train) * variance);
  const side = (values) => mean(folds.map((fold) => values[fold] / island.steps));
  return { name, a: side(left), b: side(right), computed: true,
    difference: { value: centre, low: reach === null ? null : centre - reach,
      high: reach === null ? null : centre + reach } };
};

const compared = (a, b) => {
  const held = known(a, b);
  const told = (name) => held && held.metrics.find((metric) => metric.name === name);
  return pairs.metrics.map((name) => told(name) || paired(name, a, b)).filter(Boolean);
};

const reading = ({ difference }) => {
  if (difference.low === null || difference.low === undefined) return say("script.unknown");
  if (difference.low > 0) return say("script.higher");
  return difference.high < 0 ? say("script.lower") : say("script.open");
};

const metricRow = (metric) => {
  const cell = (...parts) => make("td", { class: "figure" }, ...parts), own = metric.computed;
  return make("tr", { "data-metric": metric.name },
    make("th", { scope: "row" }, make("span", { class: "name" }, metricName(metric.name))),
    cell(numeral(metric.a, "score", own)), cell(numeral(metric.b, "score", own)),
    cell(numeral(metric.difference.value, "change", own)),
    cell(range(metric.difference.low, metric.difference.high, "change", own)),
    cell(numeral(metric.p, "p")), make("td", {}, reading(metric)));
};

const configOf = (a, b) => {
  const held = known(a, b);
  if (held) return held.config;
  return pairs.names.map((key, at) => [key, pairs.keys[a][at], pairs.keys[b][at]])
    .filter(([, left, right]) => left !== right);
};

const configTable = (a, b) => {
  const rows = configOf(a, b).map(([key, left, right]) => make("tr", {},
    make("th", { scope: "row" }, make("code", {}, key)),
    make("td", {}, make("code", {}, left)), make("td", {}, make("code", {}, right))));
  if (!rows.length) return make("p", {}, say("script.no_config"));
  return table([[say("script.key"), ""], [say("script.a"), ""], [say("script.b"), ""]], rows);
};

const largestChanges = (a, b) => {
  const held = known(a, b);
  if (!held || !held.largest_changes || !held.largest_changes.length)
    return [make("p", {}, say("script.ask")),
      make("pre", { class: "commands", tabindex: "0" },
        make("code", {}, `${pairs.command} 'diff=[${a},${b}]'`))];
  const rows = held.largest_changes.map((one) => make("tr", {},
    make("th", { scope: "row" }, make("code", {}, String(one.customer_id))),
    make("td", { class: "figure" }, numeral(one.a, "score")),
    make("td", { class: "figure" }, numeral(one.b, "score"))));
  return [table([[say("script.customer"), ""], [say("script.a"), "figure"],
    [say("script.b"), "figure"]], rows)];
};

const drawPair = () => {
  const a = sides.a.value, b = sides.b.value, shown = document.getElementById("difference");
  if (!a || !b || a === b) {
    shown.replaceChildren(make("p", {}, say(a && b ? "script.same" : "script.nothing")));
    return;
  }
  const titles = [["metric", ""], ["a", "figure"], ["b", "figure"], ["difference", "figure"],
    ["sure", "figure"]].map(([word, kind]) => [say("script." + word), kind]);
  const head = (word) => make("h3", {}, say("script." + word));
  shown.replaceChildren(
    head("config"), configTable(a, b),
    head("metrics"),
    table([...titles, ["p", "figure"], [say("script.verdict"), ""]],
      compared(a, b).map(metricRow)),
    head("moved"), ...largestChanges(a, b));
};

// The lists hold what the search finds; a run already chosen stays in its list.
const fillPair = () => {
  const wanted = document.getElementById("find").value.trim().toLowerCase().split(/\s+/);
  for (const select of Object.values(sides)) {
    const chosen = select.value;
    const found = pairs.runs.filter(([id, rank, label]) => id === chosen
      || wanted.every((word) => `${rank} ${id} ${label}`.toLowerCase().includes(word)));
    select.replaceChildren(...found.map(([id, rank, label]) =>
      make("option", { value: id }, `${rank} · ${label} · ${id}`)));
    if (chosen) select.value = chosen;
  }
};

const choosePair = () => {
  const requested = pairs.diffs.find((one) => one.requested);
  const first = pairs.runs.map(([id]) => id);
  sides.a.value = requested ? requested.a : first[0] || "";
  sides.b.value = requested ? requested.b : first[1] || first[0] || "";
};

const startPairs = () => {
  fillPair();
  choosePair();
  const form = document.getElementById("pair");
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("find").addEventListener("input", fillPair);
  for (const select of Object.values(sides)) select.addEventListener("change", drawPair);
  document.getElementById("swap").addEventListener("click", () => {
    const { a, b } = { a: sides.a.value, b: sides.b.value };
    fillAll();
    [sides.a.value, sides.b.value] = [b, a];
    drawPair();
  });
  drawPair();
};

// Both lists whole again, so that each can hold what the other held.
const fillAll = () => {
  document.getElementById("find").value = "";
  fillPair();
};
