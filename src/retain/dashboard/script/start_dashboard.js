// Every page of the dashboard begins here.
const showIn = (chosen) => {
  retell(chosen);
  headCards();
  if (runs) {
    nameMetrics();
    draw();
  }
};
for (const button of document.querySelectorAll("[data-language]"))
  button.addEventListener("click", () => {
    remember(button.dataset.language);
    showIn(button.dataset.language);
  });
// The link that the command prints holds a secret, which is no part of the address of a page.
if (new URLSearchParams(location.search).has("token")) {
  const rest = new URLSearchParams(location.search);
  rest.delete("token");
  history.replaceState(null, "", location.pathname + (rest.size ? `?${rest}` : "") + location.hash);
}
startRuns();
showIn(["en", "ru"].includes(recalled()) ? recalled() : language());
startTables();
startEdges();
startLive();
