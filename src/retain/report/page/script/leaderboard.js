// The leaderboard: sorted, filtered and searched over its columns; one page of rows in the tree.
const board = island.board;
const view = { order: [], page: 0, sort: "rank", falling: false };
const count = board.id.length;
const number = (name, row) => {
  const value = board.numbers[name][row];
  return value === null ? null : value / island.steps;
};
// What a search looks through, one text a row.
const haystack = board.id.map((id, row) =>
  [id, ...board.keys.flatMap((key) => {
    const text = key.levels[key.at[row]];
    return [text, `${key.name}=${text}`];
  })].join("\n").toLowerCase());

const sortable = (sort) => {
  const [kind, name] = sort.split(/:(.*)/s);
  if (kind === "key") return board.keys[Number(name)].at;
  return kind === "number" ? board.numbers[name] : board.rank;
};

const arranged = (rows) => {
  const values = sortable(view.sort), sign = view.falling ? -1 : 1;
  return rows.sort((a, b) => {
    if (values[a] === null || values[b] === null)
      return (values[a] === null) - (values[b] === null) || a - b;
    return sign * (values[a] - values[b]) || a - b;
  });
};

const kept = () => {
  const wanted = document.getElementById("search").value.trim().toLowerCase().split(/\s+/);
  const tiedOnly = document.getElementById("tied").checked;
  const chosen = [...document.querySelectorAll("#tools select")]
    .filter((select) => select.value !== "")
    .map((select) => [board.keys.find((key) => key.name === select.dataset.key).at,
      Number(select.value)]);
  return [...board.id.keys()].filter((row) =>
    (!tiedOnly || board.tied[row] === "1")
    && chosen.every(([at, value]) => at[row] === value)
    && wanted.every((word) => haystack[row].includes(word)));
};

const tag = (kind, text) => make("span", { class: "tag " + kind }, text);

const runCell = (row) => {
  const cell = make("th", { scope: "row" }, make("code", {}, board.id[row]));
  if (board.id[row] === board.winner) cell.append(" ", tag("winner", say("tag.winner")));
  else if (board.tied[row] === "1") cell.append(" ", tag("tied", say("tag.tied")));
  if (row in board.stopped)
    cell.append(" ", tag("stopped", say("tag.stopped", { n: board.stopped[row] })));
  return cell;
};

const numberCell = (column, row) => {
  const kind = column.extra ? "figure extra" : "figure";
  const cell = make("td", { class: kind }, numeral(number(column.name, row), column.form));
  if (column.ranged)
    cell.append(" ", range(
      number(column.name + "_low", row), number(column.name + "_high", row), column.form));
  return cell;
};

const textCell = (text) =>
  make("td", { class: [...text].length > island.long ? "name long" : "name" }, text);

const boardRow = (row) => make("tr", board.tied[row] === "1" ? { class: "tied" } : {},
  make("td", { class: "figure" }, numeral(board.rank[row], "count")),
  runCell(row),
  numberCell(board.columns[0], row),
  ...board.keys.map((key) => textCell(key.levels[key.at[row]])),
  ...board.columns.slice(1).map((column) => numberCell(column, row)));

const drawBoard = () => {
  const from = view.page * island.page, rows = view.order.slice(from, from + island.page);
  document.querySelector("#board tbody").replaceChildren(...rows.map(boardRow));
  document.getElementById("shown").textContent = rows.length
    ? say("script.shown", { from: from + 1, to: from + rows.length, n: view.order.length })
    : say("script.nothing");
  document.getElementById("previous").disabled = view.page === 0;
  document.getElementById("next").disabled = from + island.page >= view.order.length;
};

const markSorted = () => {
  for (const button of document.querySelectorAll("[data-sort]"))
    button.closest("th").setAttribute("aria-sort",
      button.dataset.sort !== view.sort ? "none" : view.falling ? "descending" : "ascending");
};

const arrange = () => {
  view.order = arranged(kept());
  view.page = 0;
  markSorted();
  drawBoard();
};

const sortBy = (sort) => {
  const name = sort.startsWith("number:") ? sort.slice("number:".length) : null;
  const column = board.columns.find((one) => one.name === name);
  view.falling = view.sort === sort ? !view.falling : Boolean(column && column.falling);
  view.sort = sort;
  arrange();
};

const startBoard = () => {
  const tools = document.getElementById("tools");
  tools.addEventListener("input", arrange);
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("reset", () => setTimeout(arrange));
  for (const button of document.querySelectorAll("[data-sort]"))
    button.addEventListener("click", () => sortBy(button.dataset.sort));
  for (const [id, step] of [["previous", -1], ["next", 1]])
    document.getElementById(id).addEventListener("click", () => { view.page += step; drawBoard(); });
  arrange();
};
