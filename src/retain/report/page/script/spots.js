// Charts that can be pointed at: the nearest spot tells its numbers; arrow keys step through.
const tip = document.getElementById("tip");

const distance = { x: (dx) => Math.abs(dx), y: (dx, dy) => Math.abs(dy), xy: Math.hypot };

const nearest = (chart, x, y) => {
  const far = distance[chart.nearest];
  let best = 0;
  chart.spots.forEach(([sx, sy], at) => {
    const [bx, by] = chart.spots[best];
    if (far(sx - x, sy - y) < far(bx - x, by - y)) best = at;
  });
  return best;
};

const ring = (svg) => {
  let mark = svg.querySelector(".ring");
  if (!mark) {
    mark = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    mark.setAttribute("class", "ring");
    mark.setAttribute("r", "6");
    svg.append(mark);
  }
  return mark;
};

const tell = (svg, at) => {
  const chart = island.charts[svg.dataset.chart], [x, y, title, ...values] = chart.spots[at];
  svg.dataset.at = at;
  const mark = ring(svg);
  mark.setAttribute("cx", x);
  mark.setAttribute("cy", y);
  const lines = values.map((value, i) => value !== null && make("div", {},
    make("span", {}, say(chart.words[i])), " ", numeral(value, chart.forms[i]))).filter(Boolean);
  tip.replaceChildren(...(title ? [make("b", {}, title)] : []), ...lines);
  tip.hidden = false;
  beside(svg, x, y);
};

// Beside the spot, and never beyond the edge of the window.
const beside = (svg, x, y) => {
  const spot = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
  const left = Math.min(spot.x + 14, document.documentElement.clientWidth - tip.offsetWidth - 8);
  const above = spot.y - tip.offsetHeight - 12;
  tip.style.left = `${Math.max(left, 8)}px`;
  tip.style.top = `${above > 8 ? above : spot.y + 16}px`;
};

const hush = (svg) => {
  tip.hidden = true;
  const mark = svg.querySelector(".ring");
  if (mark) mark.remove();
};

const STEP = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

const stepped = (svg, event) => {
  if (event.key === "Escape") return hush(svg);
  if (!(event.key in STEP)) return undefined;
  event.preventDefault();
  const last = island.charts[svg.dataset.chart].spots.length - 1;
  const at = svg.dataset.at === undefined ? 0 : Number(svg.dataset.at) + STEP[event.key];
  return tell(svg, Math.min(Math.max(at, 0), last));
};

const startSpots = () => {
  for (const svg of document.querySelectorAll("svg[data-chart]")) {
    const chart = island.charts[svg.dataset.chart];
    if (!chart.spots.length) continue;
    const pointed = (event) => {
      const at = new DOMPoint(event.clientX, event.clientY)
        .matrixTransform(svg.getScreenCTM().inverse());
      tell(svg, nearest(chart, at.x, at.y));
    };
    svg.addEventListener("pointermove", pointed);
    svg.addEventListener("pointerdown", pointed);
    svg.addEventListener("pointerleave", () => hush(svg));
    svg.addEventListener("blur", () => hush(svg));
    svg.addEventListener("keydown", (event) => stepped(svg, event));
  }
};
