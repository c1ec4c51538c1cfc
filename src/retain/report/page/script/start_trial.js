// Everything of a randomised campaign's page begins here.
for (const button of document.querySelectorAll("[data-language]"))
  button.addEventListener("click", () => {
    retell(button.dataset.language);
    headCards();
  });
retell(language());
startTables();
startSpots();
startEdges();
headCards();
openTarget();
window.addEventListener("hashchange", openTarget);
