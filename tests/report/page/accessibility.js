/* The faults of a page, as "check: element": what axe-core's rules of the same subjects look for. */
() => {
  const faults = [];
  const all = (css, root = document) => [...root.querySelectorAll(css)];
  const seen = (one) => one.checkVisibility({ visibilityProperty: true });
  const tell = (check, one) => faults.push(`${check}: ${one.outerHTML.slice(0, 120)}`);
  const check = (name, css, holds) => all(css).filter((one) => seen(one) && !holds(one)).forEach((one) => tell(name, one));
  const text = (one) => (one.innerText ?? one.textContent ?? "").trim();

  const referenced = (one, attribute) => (one.getAttribute(attribute) ?? "").split(" ").filter(Boolean).map((id) => document.getElementById(id));
  const named = (one) => Boolean(
    one.getAttribute("aria-label")?.trim()
    || referenced(one, "aria-labelledby").some((other) => other && text(other))
    || [...(one.labels ?? [])].some((label) => text(label))
    || (["A", "BUTTON", "SUMMARY"].includes(one.tagName) && text(one)));
  check("name", "a[href], button, summary, input, select, textarea, [role=img], [role=region], [role=group], nav", named);
  const controls = all("#campaign input, #campaign button").filter(seen).map((one) => one.getAttribute("aria-label") || text(one));
  if (new Set(controls).size < controls.length) faults.push(`name: several controls are called alike, of ${controls}`);
  check("name", "[aria-label]:is(div, span, p, b, i, bdi)", (one) => one.hasAttribute("role"));
  for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls", "for"]) {
    check("reference", `[${attribute}]`, (one) => referenced(one, attribute).every(Boolean));
  }
  const ids = all("[id]").map((one) => one.id);
  if (new Set(ids).size < ids.length) faults.push("reference: an id stands twice");

  if (!document.title.trim() || !document.documentElement.lang) faults.push("language: no title or language");
  check("language", "[lang]", (one) => ["en", "ru"].includes(one.getAttribute("lang")));
  let level = 0;
  for (const one of all("h1, h2, h3, h4, h5, h6").filter(seen)) {
    if (Number(one.tagName[1]) > level + 1 || !text(one)) tell("heading", one);
    level = Number(one.tagName[1]);
  }
  if (all("h1").length !== 1 || all("main").length !== 1) faults.push("heading: one h1, one main");

  const tables = all("table").filter(seen);
  for (const head of tables.flatMap((one) => all("th", one))) {
    if (!["col", "row", "colgroup", "rowgroup"].includes(head.scope)) tell("scope", head);
    if (seen(head) && !text(head)) tell("scope", head);
  }
  tables.filter((one) => !all("th", one).length).forEach((one) => tell("scope", one));
  check("list", "ul, ol", (one) => [...one.children].every((child) => child.tagName === "LI"));
  check("list", "dl", (one) => [...one.children].every((child) => ["DT", "DD", "DIV"].includes(child.tagName)));
  check("list", "li, dt, dd", (one) => one.closest("ul, ol, dl"));

  const keyed = "a[href], button, input, select, summary, [tabindex]";
  check("order", "[tabindex]", (one) => one.tabIndex <= 0);
  check("order", "a, button, summary, label, [role=img]", (one) => !all(keyed, one).filter((inner) => one.tagName !== "LABEL" && seen(inner)).length);
  check("order", "div, pre, section", (one) => {
    const scrolls = /auto|scroll/.test(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + 1;
    return !scrolls || one.tabIndex >= 0 || all(keyed, one).length > 0;
  });

  const parse = (colour) => { const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = (top, under) => top.slice(0, 3).map((part, i) => part * top[3] + under[i] * (1 - top[3])).concat(1);
  const ground = (one) => {
    const layers = [];
    for (let at = one; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  for (const one of all("body *:not(svg *):not(script):not(:disabled, :disabled *)").filter((one) => seen(one) && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))) {
    const style = getComputedStyle(one), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const under = ground(one), ink = over(parse(style.color), under);
    const [bright, dark] = [light(ink), light(under)].sort((a, b) => b - a);
    const opacity = (at) => at ? Number(getComputedStyle(at).opacity) * opacity(at.parentElement) : 1;
    if ((bright + 0.05) / (dark + 0.05) < (large ? 3 : 4.5) || opacity(one) < 1) tell("contrast", one);
  }
  return faults;
}
