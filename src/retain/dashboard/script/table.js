// What the page of runs draws: its table, its groups and what is pinned.
const METRIC = "roc_auc", MOST_GROUPS = 200;
const tools = document.getElementById("tools");

const columns = () => [
  ...(runs.metrics.length ? [{ kind: "metric", name: runs.metrics[0].name }] : []),
  ...runs.keys.map((key) => ({ kind: "key", name: key.name })),
  ...runs.metrics.slice(1).map((metric) => ({ kind: "metric", name: metric.name })),
  { kind: "finished" }, { kind: "seconds" }, { kind: "commit" },
  ...(runs.study.levels.length > 1 ? [{ kind: "study" }] : []),
];

const TITLES = { finished: "dash.script.finished", seconds: "dash.script.fit",
  commit: "dash.studies.commit", study: "dash.studies.study" };
const isFigure = (column) => column.kind === "metric" || column.kind === "seconds";
const sortName = ({ kind, name }) => (name === undefined ? kind : `${kind}:${name}`);
const titleOf = ({ kind, name }) => {
  if (kind === "metric") return metricName(name);
  if (kind === "key") return make("code", {}, name);
  return say(TITLES[kind]);
};

const sortBy = (column) => {
  const before = order(), name = sortName(column);
  const falls = column.kind === "metric" ? metricNamed(column.name).falling : column.kind === "finished";
  const again = name === sortName({ kind: before.kind, name: before.name });
  address.set("sort", ((again ? !before.falling : falls) ? "-" : "") + name);
  address.delete("page");
  draw();
  document.querySelector(`#board [data-sort="${CSS.escape(name)}"]`).focus();
};

const headOf = (column) => {
  const by = order(), name = sortName(column), mine = name === sortName({ kind: by.kind, name: by.name });
  const button = make("button", { type: "button", "data-sort": name }, titleOf(column));
  button.addEventListener("click", () => sortBy(column));
  return make("th", { scope: "col", class: isFigure(column) ? "figure" : "",
    "aria-sort": !mine ? "none" : by.falling ? "descending" : "ascending" }, button);
};

const momentOf = (minutes) => (minutes === null ? ABSENT
  : new Date((runs.began + minutes) * 60000).toISOString().slice(0, 16).replace("T", " "));

const cellOf = (column, row) => {
  if (column.kind === "metric") {
    const cell = make("td", { class: "figure" }, numeral(numberAt(column.name, row), "score"));
    const [low, high] = runs.ends.map((values) => values[row]);
    if (column.name === METRIC && low !== null)
      cell.append(" ", range(low / island.steps, high / island.steps, "score"));
    return cell;
  }
  if (column.kind === "seconds")
    return make("td", { class: "figure" },
      numeral(runs.seconds[row] === null ? null : runs.seconds[row] / 10, "seconds"));
  if (column.kind === "finished") return make("td", {}, momentOf(runs.finished[row]));
  const text = textAt(column.kind === "key" ? keyNamed(column.name) : runs[column.kind], row);
  return make("td", { class: text && text.length > 32 ? "name long" : "name" }, text || ABSENT);
};

const TAGS = { 1: "tied", 2: "winner" };

const runCell = (row) => {
  const href = compareAddress([pathOf(row)]), id = make("code", {}, runs.id[row]);
  const cell = make("th", { scope: "row" }, href ? make("a", { href }, id) : id);
  const tag = TAGS[runs.tags[row]], state = textAt(runs.state, row), reason = textAt(runs.reason, row);
  if (tag) cell.append(" ", make("span", { class: "tag " + tag }, say("tag." + tag)));
  if (state !== "done") cell.append(" ", make("span", { class: "tag" }, say("state." + state)));
  if (stopped.has(row)) cell.append(" ", make("span", { class: "tag" }, say("dash.script.stopped")));
  if (reason) cell.append(make("span", { class: "under reason" }, reason));
  return cell;
};

const pinCell = (row, pinned) => {
  const path = pathOf(row), box = make("input", { type: "checkbox" });
  box.checked = pinned.has(path);
  box.setAttribute("aria-label", say("dash.script.pin", { id: runs.id[row] }));
  box.addEventListener("change", () => {
    setPin(path, box.checked);
    keepAddress();
    drawPins();
  });
  return make("td", {}, box);
};

const drawBoard = () => {
  const all = columns(), pinned = new Set(pins());
  const from = shown.page * island.page, rows = shown.order.slice(from, from + island.page);
  const pinHead = make("th", { scope: "col" }, make("span", { class: "unseen" }, say("dash.script.pinned")));
  document.querySelector("#board thead").replaceChildren(
    make("tr", {}, pinHead, make("th", { scope: "col" }, say("dash.script.run")), ...all.map(headOf)));
  document.querySelector("#board tbody").replaceChildren(...rows.map((row) =>
    make("tr", runs.tags[row] === "0" ? {} : { class: "tied" },
      pinCell(row, pinned), runCell(row), ...all.map((column) => cellOf(column, row)))));
  document.getElementById("shown").textContent = rows.length
    ? say("script.shown", { from: from + 1, to: from + rows.length, n: shown.order.length })
    : say("script.nothing");
  document.getElementById("previous").disabled = shown.page === 0;
  document.getElementById("next").disabled = from + island.page >= shown.order.length;
};

const levelCell = (key, level) => {
  const select = tools.elements[key === "study" ? key : `k.${key}`];
  const text = level === null ? say("dash.script.absent") : level;
  if (level === null || !select) return make("th", { scope: "row" }, text);
  const button = make("button", { type: "button", class: "link" }, text);
  button.addEventListener("click", () => {
    select.value = level;
    readTools();
  });
  return make("th", { scope: "row" }, button);
};

const groupRow = (key) => (group) => {
  const href = group.best === null ? null : compareAddress([pathOf(group.best)]);
  const best = group.best === null ? ABSENT : make("code", {}, runs.id[group.best]);
  const mean = make("td", { class: "figure" }, numeral(group.mean, "score", true));
  if (group.low !== null) mean.append(" ", range(group.low, group.high, "score", true));
  return make("tr", {}, levelCell(key, group.level),
    make("td", { class: "figure" }, numeral(group.n, "count")),
    make("td", { class: "figure" }, numeral(group.whole, "count")), mean,
    make("td", { class: "figure" }, numeral(group.spread, "fine", true)),
    make("td", {}, href ? make("a", { href }, best) : best));
};

const drawGroups = () => {
  const key = address.get("group"), box = document.getElementById("groups");
  const column = key && columnNamed(key);
  box.hidden = !column || !runs.metrics.length;
  if (box.hidden) return;
  const found = groupsBy(column, shown.order, metricNamed(address.get("metric")));
  const titles = [["group", ""], ["runs", "figure"], ["whole", "figure"], ["mean", "figure"],
    ["spread", "figure"], ["best", ""]];
  box.querySelector("thead").replaceChildren(make("tr", {}, ...titles.map(([word, kind]) =>
    make("th", { scope: "col", class: kind }, say("dash.script." + word)))));
  box.querySelector("tbody").replaceChildren(...found.slice(0, MOST_GROUPS).map(groupRow(key)));
  document.getElementById("groups-shown").textContent = found.length > MOST_GROUPS
    ? say("script.shown", { from: 1, to: MOST_GROUPS, n: found.length }) : "";
};

const drawPins = () => {
  const box = document.getElementById("pins"), paths = pins();
  box.hidden = !paths.length;
  const buttons = paths.map((path) => {
    const id = path.slice(path.lastIndexOf("/") + 1);
    const button = make("button", { type: "button", "aria-label": say("dash.script.unpin", { id }) },
      make("code", {}, id), " ×");
    button.addEventListener("click", () => {
      setPin(path, false);
      draw();
      document.getElementById("shown").focus();
    });
    return button;
  });
  box.replaceChildren(...buttons, ...(paths.length > 1 ? [compareLink(paths)] : []));
};

const compareLink = (paths) => {
  if (paths.length > island.links.most)
    return make("span", {}, say("dash.script.most", { n: island.links.most }));
  const href = compareAddress(paths);
  if (href === null) return make("span", {}, say("dash.script.not_copied"));
  return make("a", { href, class: "act" }, say("dash.script.compare", { n: paths.length }));
};

const draw = () => {
  keepAddress();
  shown.order = arranged(keptRows());
  const last = Math.max(0, Math.ceil(shown.order.length / island.page) - 1);
  shown.page = Math.min(Math.max(Number(address.get("page") || 1) - 1 || 0, 0), last);
  for (const label of tools.querySelectorAll(".grouped")) label.hidden = !address.get("group");
  drawPins();
  drawGroups();
  drawBoard();
};

const readTools = () => {
  for (const element of tools.elements)
    if (element.type === "checkbox") {
      if (element.checked) address.set(element.name, "1");
      else address.delete(element.name);
    } else if (element.name) address.set(element.name, element.value);
  address.delete("page");
  draw();
};

// The form shows what the address says; a value that it does not offer is as none.
const fillTools = () => {
  for (const element of tools.elements)
    if (element.type === "checkbox") element.checked = address.has(element.name);
    else if (element.name) {
      element.value = address.get(element.name) || (element.name === "metric" ? METRIC : "");
      if (element.selectedIndex === -1) element.selectedIndex = 0;
    }
};

const turnPage = (step) => {
  address.set("page", String(shown.page + 1 + step));
  draw();
};

const nameMetrics = () => {
  for (const option of tools.elements.metric.options) option.textContent = metricName(option.value);
};

const startRuns = () => {
  if (!runs) return;
  tools.addEventListener("input", readTools);
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("reset", () => setTimeout(readTools));
  document.getElementById("previous").addEventListener("click", () => turnPage(-1));
  document.getElementById("next").addEventListener("click", () => turnPage(1));
  window.addEventListener("hashchange", () => {
    address = new URLSearchParams(location.hash.slice(1));
    fillTools();
    draw();
  });
  if (matchMedia("(max-width: 760px)").matches) document.getElementById("filters").open = false;
  nameMetrics();
  fillTools();
  draw();
};
