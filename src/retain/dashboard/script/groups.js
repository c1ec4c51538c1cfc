// Groups of runs: the mean of each, and its interval by the folds that its runs have in common.
const runs = island.runs;

const codeAt = (column, row) => (column.at === null ? 0 : column.at[row]);
const textAt = (column, row) => (codeAt(column, row) < 0 ? null : column.levels[codeAt(column, row)]);
const numberAt = (metric, row) => {
  const value = runs.numbers[metric][row];
  return value === null ? null : value / island.steps;
};

const unpacked = new Map();
const foldsOf = (metric) => {
  if (!unpacked.has(metric)) {
    const bytes = Uint8Array.from(atob(runs.folds[metric] || ""), (one) => one.charCodeAt(0));
    unpacked.set(metric, bytes.length ? new Float32Array(bytes.buffer) : null);
  }
  return unpacked.get(metric);
};

const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values) => {
  const centre = average(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
};

// As corrected_interval() of learning/metrics.py has it, for values of J folds.
const foldInterval = (values, ratio, [least, most]) => {
  const oneRepeat = Math.max(1 / values.length, ratio / (1 + ratio));
  const reach = runs.t[values.length - 2] * Math.sqrt((oneRepeat + ratio) * variance(values));
  const centre = average(values);
  return [Math.max(least ?? -Infinity, centre - reach), Math.min(most ?? Infinity, centre + reach)];
};

// The mean of each fold over the runs; null where they have other folds than each other.
const foldMeans = (rows, metric) => {
  const folds = foldsOf(metric), splits = new Set(rows.map((row) => (runs.split ? runs.split[row] : 0)));
  if (!folds || splits.size !== 1) return null;
  const sums = new Float64Array(runs.n_folds);
  for (const row of rows)
    for (let fold = 0; fold < runs.n_folds; fold += 1) sums[fold] += folds[row * runs.n_folds + fold];
  const means = Array.from(sums, (sum) => sum / rows.length).filter(Number.isFinite);
  return means.length > 1 ? means : null;
};

const stopped = new Set(runs ? runs.stopped : []);
const isWhole = (metric) => (row) => !stopped.has(row) && runs.numbers[metric][row] !== null;

const groupOf = (level, rows, metric) => {
  const whole = rows.filter(isWhole(metric.name)), means = whole.map((row) => numberAt(metric.name, row));
  const folds = whole.length ? foldMeans(whole, metric.name) : null;
  const ratio = runs.ratios[runs.split ? runs.split[whole[0]] : 0];
  const [low, high] = folds ? foldInterval(folds, ratio, metric.bounds) : [null, null];
  const best = whole.reduce((first, row) => {
    const [own, other] = [numberAt(metric.name, row), first === null ? null : numberAt(metric.name, first)];
    return other === null || (metric.falling ? own > other : own < other) ? row : first;
  }, null);
  return { level, n: rows.length, whole: whole.length, mean: means.length ? average(means) : null,
    low, high, spread: means.length > 1 ? Math.sqrt(variance(means)) : null, best };
};

// Groups by a column of texts, the best mean first; those without a mean come last.
const groupsBy = (column, rows, metric) => {
  const members = new Map();
  for (const row of rows) {
    const code = codeAt(column, row);
    if (!members.has(code)) members.set(code, []);
    members.get(code).push(row);
  }
  const sign = metric.falling ? -1 : 1;
  return [...members].map(([code, own]) => groupOf(code < 0 ? null : column.levels[code], own, metric))
    .sort((a, b) => (a.mean === null || b.mean === null
      ? (a.mean === null) - (b.mean === null) : sign * (a.mean - b.mean)));
};
