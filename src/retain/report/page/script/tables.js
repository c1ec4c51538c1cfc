// Tables whose rows are all on the page: sorted by the first number, or the text, of a column.
const cellValue = (row, at, numbers) => {
  const cell = row.cells[at], held = cell.querySelector("data");
  return numbers ? held && Number(held.value) : cell.innerText;
};

const inOrder = (a, b, numbers) => (numbers ? a - b : a.localeCompare(b, language()));

// What has no number stays last, whichever way the others go.
const sortTable = (head) => {
  const body = head.closest("table").tBodies[0], numbers = head.classList.contains("figure");
  const before = head.getAttribute("aria-sort");
  const falling = before === "none" ? numbers : before === "ascending";
  const rows = [...body.rows].map((row) => [cellValue(row, head.cellIndex, numbers), row]);
  rows.sort(([a], [b]) => (a === null || b === null
    ? (a === null) - (b === null) : (falling ? -1 : 1) * inOrder(a, b, numbers)));
  body.replaceChildren(...rows.map(([, row]) => row));
  for (const other of head.parentElement.cells)
    if (other.hasAttribute("aria-sort"))
      other.setAttribute("aria-sort",
        other !== head ? "none" : falling ? "descending" : "ascending");
};

const startTables = () => {
  for (const head of document.querySelectorAll("table.sortable th[aria-sort]"))
    head.querySelector("button").addEventListener("click", () => sortTable(head));
};

// On a phone a row is a card, and each cell carries its heading in the language shown.
const headCards = () => {
  for (const one of document.querySelectorAll("table.cards")) {
    const titles = [...one.tHead.rows[0].cells].map((head) =>
      [...(head.querySelectorAll("." + language()))].map((text) => text.textContent).join(" "));
    for (const row of one.tBodies[0].rows)
      [...row.cells].forEach((cell, at) => { cell.dataset.head = titles[at]; });
  }
};

// Of the scenarios, the plan and the one that was chosen are shown.
const startScenarios = () => {
  const choice = document.getElementById("scenario");
  if (!choice) return;
  const rows = [...document.querySelectorAll("#scenario-table tbody tr")];
  const show = () => rows.forEach((row, at) => { row.hidden = at > 0 && at !== Number(choice.value); });
  choice.addEventListener("change", show);
  show();
};
