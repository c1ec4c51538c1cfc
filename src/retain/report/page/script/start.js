// A table wider than its box fades at the edge behind which more of it lies.
const edge = (box) =>
  box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
const startEdges = () => {
  const all = () => document.querySelectorAll(".wide").forEach(edge);
  document.addEventListener("scroll", (event) => {
    if (event.target.classList?.contains("wide")) edge(event.target);
  }, { capture: true, passive: true });
  document.addEventListener("toggle", all, true);
  window.addEventListener("resize", all);
  new MutationObserver(all).observe(document.querySelector("main"), { childList: true, subtree: true });
  all();
};

// Everything begins here.
for (const button of document.querySelectorAll("[data-language]"))
  button.addEventListener("click", () => {
    retell(button.dataset.language);
    drawBoard();
    drawPair();
  });
retell(language());
startBoard();
startPairs();
startTables();
startSpots();
startEdges();
