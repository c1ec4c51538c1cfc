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

// A part that is folded opens for the link that leads to it.
const openTarget = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  const folded = target && (target.closest("details") || target.querySelector(":scope > details.part"));
  if (!folded) return;
  folded.open = true;
  target.scrollIntoView();
};

// On a phone a broad picture is shown whole; a button makes it large enough to read.
const startZoom = () => {
  for (const button of document.querySelectorAll(".zoom")) {
    const box = button.closest("figure").querySelector(".broad");
    const zoom = (large) => {
      box.classList.toggle("large", large);
      button.setAttribute("aria-pressed", String(large));
      edge(box);
    };
    button.addEventListener("click", () => zoom(!box.classList.contains("large")));
    zoom(false);
  }
};
