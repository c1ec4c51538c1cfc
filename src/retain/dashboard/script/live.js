// The progress of sweeps while they run, told by the server; a page in the background does not ask.
const minutesLeft = (status) =>
  (status.eta_seconds === null ? "" : say("dash.script.eta", { n: Math.ceil(status.eta_seconds / 60) }));

const tellProgress = (cell, status) => {
  const done = status.n_runs - status.n_left;
  cell.replaceChildren(say("dash.progress." + status.progress));
  if (status.progress === "finished") return;
  const bar = make("progress", { max: Math.max(status.n_runs, 1), value: done,
    "aria-label": say("dash.studies.progress") });
  const left = say("dash.progress.of", { done, all: status.n_runs });
  const eta = status.progress === "running" ? minutesLeft(status) : "";
  cell.append(" ", bar, " ", make("span", { class: "under" }, eta ? `${left} · ${eta}` : left));
};

const tellNews = ({ sweeps, ...versions }) => {
  document.getElementById("news").hidden = versions[island.news] === island[island.news];
  for (const cell of document.querySelectorAll("[data-progress]")) {
    const status = sweeps[cell.dataset.progress];
    if (status) tellProgress(cell, status);
  }
};

const startLive = () => {
  if (!island.live) return;
  let source = null;
  const listen = () => {
    if (source) source.close();
    source = document.hidden ? null : new EventSource("live");
    if (source) source.addEventListener("message", (event) => tellNews(JSON.parse(event.data)));
  };
  document.getElementById("reload").addEventListener("click", () => location.reload());
  document.addEventListener("visibilitychange", listen);
  window.addEventListener("pagehide", () => source && source.close());
  listen();
};
