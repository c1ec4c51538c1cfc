// Everything begins here.
for (const button of document.querySelectorAll("[data-language]"))
  button.addEventListener("click", () => {
    retell(button.dataset.language);
    headCards();
    drawBoard();
    drawPair();
  });
retell(language());
startBoard();
startPairs();
startTables();
startSpots();
startEdges();
startZoom();
startScenarios();
headCards();
openTarget();
window.addEventListener("hashchange", openTarget);
