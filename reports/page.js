// Zoom and pick. The page is whole without this: it only stretches what stands
// on the time axis, moves marks along it, and shows one tag under the run.
(() => {
  "use strict";
  const all = (sel, of = document) => Array.from(of.querySelectorAll(sel));
  const one = (sel, of = document) => of.querySelector(sel);
  const tools = one("#tools"), main = one("svg.timed");
  if (!tools || !main) return;
  const end = Number(main.dataset.end), x0 = Number(main.dataset.x0), x1 = Number(main.dataset.x1);
  if (!(end > 0 && end < 1e9)) return; // 30 years
  const out = one("#readout"), slot = one("#slot");
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
  const least = Math.min(end, Math.max(1, end / 2000));
  let from = 0, to = end;

  const clock = (t, fine) => {
    const tenths = Math.round(t * 10), s = Math.floor(tenths / 10) % 60;
    const pad = n => String(n).padStart(2, "0");
    let text = Math.floor(tenths / 36000) + ":" + pad(Math.floor(tenths / 600) % 60);
    if (fine) text += ":" + pad(s) + (tenths % 10 ? "." + tenths % 10 : "");
    return text;
  };
  const place = t => x0 + (x1 - x0) * (t - from) / (to - from);
  const shown = () => all("svg.timed").filter(s => s === main || slot.contains(s));

  // draw shows [from, to) in every plot that is to be seen.
  function draw(svg) {
    const k = end / (to - from), shift = x0 - k * (x0 + (x1 - x0) * from / end);
    for (const g of all(".zoom", svg)) g.setAttribute("transform", `matrix(${k} 0 0 1 ${shift} 0)`);
    if (svg === main) one("#hatch").setAttribute("patternTransform", `scale(${1 / k} 1) rotate(45)`);
    for (const g of all(".spot", svg)) {
      const x = k * Number(g.dataset.x) + shift;
      g.setAttribute("transform", `translate(${x} ${g.dataset.y})`);
      g.style.display = x < x0 - 1 || x > x1 + 1 ? "none" : "";
    }
    const axis = one(".times", svg), bottom = Number(svg.dataset.bottom);
    const step = steps.find(s => (to - from) / s <= 10) || Math.ceil((to - from) / 864000) * 86400;
    axis.replaceChildren();
    one(".unit", svg).textContent = step < 60 ? "h:mm:ss" : "h:mm";
    for (let t = Math.ceil(from / step) * step; t <= to + 1e-9; t += step) {
      const tick = document.createElementNS(svg.namespaceURI, "path");
      tick.setAttribute("class", "tick");
      tick.setAttribute("d", `M${place(t)} ${bottom}v5`);
      const text = document.createElementNS(svg.namespaceURI, "text");
      text.setAttribute("class", "time");
      text.setAttribute("x", place(t));
      text.setAttribute("y", bottom + 18);
      text.textContent = clock(t, step < 60);
      axis.append(tick, text);
    }
  }
  function show(a, b) {
    const width = Math.max(least, Math.min(end, b - a));
    from = Math.max(0, Math.min(end - width, (a + b - width) / 2));
    to = from + width;
    shown().forEach(draw);
    main.dataset.from = from;
    main.dataset.to = to;
    one("#zoom-all").disabled = from === 0 && to === end;
    out.textContent = "Shown: " + clock(from, true) + " to " + clock(to, true);
  }
  const scale = f => { const c = (from + to) / 2, w = (to - from) * f / 2; show(c - w, c + w); };
  const move = f => { const w = (to - from) * f; show(Math.max(0, from + w), Math.max(0, from + w) + (to - from)); };
  const act = { "zoom-in": () => scale(0.5), "zoom-out": () => scale(2), "zoom-all": () => show(0, end), "zoom-left": () => move(-0.5), "zoom-right": () => move(0.5) };
  for (const id in act) one("#" + id).addEventListener("click", act[id]);
  one("#jump").addEventListener("change", e => {
    if (!e.target.value) return show(0, end);
    const [a, b] = e.target.value.split(" ").map(Number), room = Math.max((b - a) * 0.35, end / 200);
    show(a - room, b + room);
  });

  // Picking a tag moves its plot under the run, and back when another comes.
  let home = null;
  function pick(id) {
    if (home) home.append(slot.firstElementChild);
    home = null;
    slot.replaceChildren();
    const card = document.getElementById(id);
    one("#picked").hidden = !card;
    if (!card) return;
    home = one(".plot", card);
    slot.append(one("svg", home));
    one("#picked-name").textContent = one("summary code", card).textContent;
    one("#picked-says").textContent = one(".says", card).textContent;
    draw(slot.firstElementChild);
    listen(slot.firstElementChild);
  }
  one("#tag").addEventListener("change", e => pick(e.target.value));

  // What a band shows at a step: its path goes along the top and back.
  function bandAt(path, step) {
    const d = path.getAttribute("d") || "", top = [], low = [];
    for (const run of d.split("M").slice(1)) {
      let [, x, y, rest] = run.match(/^(\d+) (-?\d+)(.*)$/);
      x = Number(x), y = Number(y);
      for (const [, c, n] of rest.matchAll(/([hv])(-?\d+)/g)) {
        if (c === "v") y += Number(n);
        else for (let i = 0; i < Math.abs(n); i++) { if (n > 0) top[x++] = y; else low[--x] = y; }
      }
    }
    return top[step] === undefined ? null : [top[step], low[step]];
  }
  function valueAt(svg, t) {
    const scale = Number(svg.dataset.scale), lo = Number(svg.dataset.lo), hi = Number(svg.dataset.hi);
    const step = Math.floor((t / end) * (x1 - x0) / scale);
    const say = y => Number((hi - (y - Number(svg.dataset.top)) / Number(svg.dataset.height) * (hi - lo)).toPrecision(4));
    return ["truth", "twin"].map(who => {
      const b = bandAt(one(".band." + who, svg), step);
      return who + " " + (b ? (b[0] === b[1] ? say(b[0]) : say(b[1]) + " to " + say(b[0])) + svg.dataset.unit : "unknown");
    }).join(", ");
  }

  // Pointing reads figures, dragging zooms.
  let begun = null;
  function at(svg, e) {
    const p = new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return p.x < x0 || p.x > x1 ? null : from + (to - from) * (p.x - x0) / (x1 - x0);
  }
  function listen(svg) {
    if (svg.dataset.heard) return;
    svg.dataset.heard = "yes";
    const chosen = one(".chosen", svg);
    const choose = (a, b) => chosen.setAttribute("d", a === null ? "" : `M${place(a)} ${svg.dataset.begin}H${place(b)}V${svg.dataset.bottom}H${place(a)}Z`);
    svg.addEventListener("pointerdown", e => { if (e.pointerType !== "touch" && e.button === 0) { begun = at(svg, e); if (begun !== null) e.preventDefault(); } });
    svg.addEventListener("pointermove", e => {
      const t = at(svg, e);
      if (t === null) return;
      if (begun !== null) return choose(begun, t);
      const columns = all(".pointer title", main), k = Math.min(columns.length - 1, Math.floor(t / end * columns.length));
      out.textContent = columns[k] ? columns[k].textContent : "";
      if (slot.firstElementChild) out.textContent += " · " + one("#picked-name").textContent + " at " + clock(t, true) + ": " + valueAt(slot.firstElementChild, t);
    });
    svg.addEventListener("pointerup", e => {
      const t = at(svg, e), a = begun;
      begun = null;
      choose(null);
      if (a !== null && t !== null && Math.abs(place(t) - place(a)) > 5) show(Math.min(a, t), Math.max(a, t));
    });
    svg.addEventListener("pointerleave", () => { begun = null; choose(null); });
    svg.addEventListener("dblclick", () => show(0, end));
  }
  one("#plots").addEventListener("keydown", e => {
    if (e.target.matches("select")) return;
    const f = { "+": act["zoom-in"], "-": act["zoom-out"], "0": act["zoom-all"], ArrowLeft: act["zoom-left"], ArrowRight: act["zoom-right"] }[e.key];
    if (f && !e.ctrlKey && !e.metaKey && !e.altKey) { f(); e.preventDefault(); }
  });
  addEventListener("beforeprint", () => show(0, end));
  document.documentElement.classList.add("scripted");
  tools.hidden = false;
  listen(main);
  show(0, end);
  const first = one("#tag option[value]:not([value=''])");
  if (first) { one("#tag").value = first.value; pick(first.value); }
})();
