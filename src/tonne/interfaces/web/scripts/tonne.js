// What makes the pages faster to use. Every page works without it; nothing here holds data or decides anything.
const page = document.documentElement;
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);
const meta = (name) => one(`meta[name="${name}"]`);

/** Kept on this device only; where the browser forbids it, nothing is kept and nothing breaks. */
const kept = (storage) => ({
  get(name) { try { return window[storage].getItem(name); } catch { return null; } },
  set(name, value) { try { window[storage].setItem(name, value); } catch { /* full or forbidden */ } },
  drop(name) { try { window[storage].removeItem(name); } catch { /* forbidden */ } },
});
const device = kept("localStorage");
const tab = kept("sessionStorage");

/** Read out politely, at most every five seconds; only the last of what came meanwhile. */
const say = (() => {
  let next = null, waiting = false;
  return (text) => {
    next = text;
    if (waiting) return;
    waiting = true;
    one("#say").textContent = next;
    next = null;
    setTimeout(() => { waiting = false; if (next) say(next); }, 5000);
  };
})();

// ---- light and dark
const system = matchMedia("(prefers-color-scheme: dark)");
function look(choice) {
  page.dataset.look = choice;
  page.dataset.bsTheme = choice === "dark" || (choice === "auto" && system.matches) ? "dark" : "light";
  for (const button of all("[data-set-theme]")) button.setAttribute("aria-pressed", String(button.dataset.setTheme === choice));
  document.dispatchEvent(new CustomEvent("tonne:look"));
}
function chooseLook(choice) {
  device.set("theme", choice);
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${choice}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  look(choice);
}
look(page.dataset.look);
system.addEventListener("change", () => look(page.dataset.look));

// ---- what was typed survives a change of language and the end of a session
const barePath = () => location.pathname.replace(/^\/(en|zh-Hans|zh-Hant)(?=\/|$)/, "") || "/";
const SECRET = ["password", "hidden", "file"];
const typed = (field) => field.name && !SECRET.includes(field.type) && field.autocomplete !== "one-time-code";
function keepTyped() {
  const forms = all("form[data-keep]").map((form) => [...form.elements].filter(typed).map((field) =>
    ["checkbox", "radio"].includes(field.type) ? [field.name, field.value, field.checked] : [field.name, field.value]));
  if (forms.length) tab.set(`typed:${barePath()}`, JSON.stringify(forms));
}
function restoreTyped() {
  const name = `typed:${barePath()}`;
  const text = tab.get(name);
  if (!text) return;
  tab.drop(name);
  const forms = JSON.parse(text);
  all("form[data-keep]").forEach((form, number) => {
    for (const [field, value, checked] of forms[number] ?? []) {
      for (const each of [...form.elements].filter((element) => element.name === field && typed(element))) {
        if (checked === undefined) each.value = value;
        else if (each.value === value) each.checked = checked;
      }
    }
  });
}
restoreTyped();

// ---- a form is sent once
// While its answer is on the way the session may have a new token that this page does not know yet (a code was given): nothing else is asked meanwhile.
let leaving = 0;
const leave = () => { leaving = Date.now() + 20_000; };
const isLeaving = () => Date.now() < leaving;
addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  leave();
  for (const button of all("[data-once]", form)) button.setAttribute("aria-disabled", "true");
});
function reopen() {
  leaving = 0;
  for (const form of all("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of all("[data-once]", form)) button.removeAttribute("aria-disabled");
  }
}
addEventListener("pageshow", (event) => { if (event.persisted) reopen(); });
for (const name of ["htmx:finally:request", "htmx:after:request", "htmx:error"]) document.addEventListener(name, reopen);

// ---- faults are read first
one("#faults, [data-focus]")?.focus();
document.addEventListener("htmx:after:swap", () => one("[data-focus]")?.focus());

// ---- menus and dialogs
document.addEventListener("click", (event) => {
  for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  const target = event.target.closest("[data-set-theme], [data-language], [data-open], [data-extend-session], [data-chart], [data-print], [data-stream-pause]");
  if (!target) return;
  if (target.dataset.setTheme) chooseLook(target.dataset.setTheme);
  else if (target.dataset.language) keepTyped();
  else if (target.dataset.open) open(target.dataset.open);
  else if ("extendSession" in target.dataset) extendSession();
  else if (target.dataset.chart) liveChart(target);
  else if ("print" in target.dataset) print();
  else if ("streamPause" in target.dataset) pauseStreams(target);
});
function open(id) {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) dialog.showModal();
}

// ---- keys
const keysOn = () => device.get("keys") !== "off";
const keysBox = one("#keys-on");
if (keysBox) {
  keysBox.checked = keysOn();
  keysBox.addEventListener("change", () => device.set("keys", keysBox.checked ? "on" : "off"));
}
const typing = (target) => target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
const navigate = (end) => { const link = all(".nav-to").find((each) => new URL(each.href).pathname.endsWith(end)); if (link) location.assign(link.href); };
let first = "";
function moveRow(step) {
  const rows = all("tr[data-row]");
  if (!rows.length) return;
  const here = rows.findIndex((row) => row.classList.contains("row-here"));
  const next = rows[Math.max(0, Math.min(rows.length - 1, here + step))];
  rows[here]?.classList.remove("row-here");
  next.classList.add("row-here");
  one("a", next)?.focus();
  next.scrollIntoView({ block: "nearest" });
}
function search() {
  const wide = one("#search");
  if (wide?.offsetParent) { wide.focus(); return; }
  const menu = one(".menu-narrow");
  if (menu) { menu.open = true; one("#search-narrow")?.focus(); }
}
const SINGLE = {
  "/": search,
  "?": () => open("keys"),
  j: () => moveRow(1),
  k: () => moveRow(-1),
  n: () => one(".page-action a, .page-action button")?.click(),
};
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = one("details.menu[open]");
    if (menu) { menu.open = false; one("summary", menu).focus(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target) || one("dialog[open]") || !keysOn()) return;
  if (first === "g" && (event.key === "h" || event.key === "t")) navigate(event.key === "h" ? "/home" : "/tasks");
  else if (event.key === "g") { first = "g"; setTimeout(() => { first = ""; }, 1200); return; }
  else if (SINGLE[event.key]) { event.preventDefault(); SINGLE[event.key](); }
  first = "";
});

// ---- the session's end is told two minutes before
const ending = meta("session-ends");
let ends = ending ? Date.parse(ending.content) : NaN;
async function extendSession() {
  const answer = await fetch(ending.dataset.extend, { method: "POST", headers: { "X-CSRF-Token": meta("csrf")?.content ?? "", Accept: "application/json" } }).catch(() => null);
  const told = answer?.ok ? await answer.json().catch(() => null) : null;
  if (!told?.ends) { one("#session-failed").hidden = false; return; }
  ends = Date.parse(told.ends);
  one("#session").close();
}
function watchSession() {
  const left = Math.round((ends - Date.now()) / 1000);
  const dialog = one("#session");
  if (left <= 0) { keepTyped(); location.reload(); return; }
  if (left <= 120 && !dialog.open && !dialog.dataset.seen) { dialog.dataset.seen = "yes"; dialog.showModal(); }
  if (left > 120) delete dialog.dataset.seen;
  one(".session-left", dialog).textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  setTimeout(watchSession, left <= 125 ? 1000 : Math.min(60_000, (left - 122) * 1000));
}
if (ends) watchSession();

// ---- countdowns: <time datetime="..." data-countdown="{} left" data-over="over">; the server's words, our clock
function clock(seconds) {
  const days = Math.floor(seconds / 86400), rest = seconds % 86400;
  const part = [Math.floor(rest / 3600), Math.floor((rest % 3600) / 60), rest % 60].map((number) => String(number).padStart(2, "0")).join(":");
  return days ? `${days} d ${part}` : part;
}
function count() {
  const marks = all("time[data-countdown]");
  for (const mark of marks) {
    // In a demonstration the market's clock is not this device's: the page says how far apart they are.
    const left = Math.round((Date.parse(mark.dateTime) - Date.now() - shift) / 1000);
    mark.textContent = left > 0 ? (mark.dataset.countdown || "{}").replace("{}", clock(left)) : mark.dataset.over || clock(0);
  }
  if (marks.length) setTimeout(count, 1000);
}
const pageTime = one(".bottom-time time");
const shift = pageTime ? Date.parse(pageTime.dateTime) - (performance.timeOrigin + performance.now()) : 0;
/** HH:MM:SS on the clock that the page's own times are written in: the market's, not this device's. */
function marketTime(moment) {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(pageTime?.dateTime ?? "") ?? [null, "+", "0", "0"];
  const ahead = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  return new Date(moment + shift + ahead).toISOString().slice(11, 19);
}
count();

// ---- charts that can be asked: the scripts are fetched only now
const loaded = new Map();
function script(address) {
  if (!loaded.has(address)) {
    loaded.set(address, new Promise((done, failed) => {
      const tag = Object.assign(document.createElement("script"), { src: address, onload: done, onerror: failed });
      document.head.append(tag);
    }));
  }
  return loaded.get(address);
}
async function drawLive(place, button) {
  const address = new URL(button.dataset.chart, location.href);
  if (page.dataset.bsTheme === "dark") address.searchParams.set("theme", "dark");
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${answer.status}`);
  const spec = { ...(await answer.json()), width: "container", autosize: { type: "fit-x", contains: "padding" } };
  const inner = document.createElement("div"); // vega gives it a role and a name of its own; ours, around it, are what is read
  place.replaceChildren(inner);
  await window.vegaEmbed(inner, spec, { ast: true, actions: false, defaultStyle: false, renderer: "svg", tooltip: { disableDefaultStyle: true } });
}
async function liveChart(button) {
  const figure = button.closest("figure");
  const picture = one(".chart-picture", figure);
  const word = button.textContent;
  button.textContent = button.dataset.waiting;
  button.disabled = true;
  const place = Object.assign(document.createElement("div"), { className: "chart-live" });
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", button.dataset.summary);
  const still = [...picture.children];
  try {
    for (const address of button.dataset.scripts.split(" ")) await script(address);
    picture.replaceChildren(place);
    await drawLive(place, button);
    button.hidden = true;
    document.addEventListener("tonne:look", () => drawLive(place, button));
  } catch (error) {
    picture.replaceChildren(...still);
    button.textContent = word;
    button.disabled = false;
    button.after(Object.assign(document.createElement("span"), { className: "quiet", role: "status", textContent: ` ${button.dataset.failed}` }));
    console.warn("live chart", error);
  }
}
for (const button of all("button[data-chart]")) button.hidden = false;

// ---- streams. A part of a page that lives: <div data-region="book" data-topics="market" data-from="/address" data-stream="/market/stream">.
// data-stream may stand on an element around it. One stream for each address, asked as ?topics=a,b; what it tells is that a topic is new:
// {"topic": "market"}, or an event of that name. The part is then fetched from data-from (or this page) and put in place by its data-region or id.
const PACE_MS = 1000;
let paused = false;
function pauseStreams(button) {
  paused = !paused;
  button.setAttribute("aria-pressed", String(paused));
  if (!paused) document.dispatchEvent(new CustomEvent("tonne:resume"));
}
const topicsOf = (part) => part.dataset.topics.split(/[ ,]+/);
const sameIn = (part, fresh) => part.dataset.region ? one(`[data-region="${CSS.escape(part.dataset.region)}"]`, fresh) : part.id ? fresh.getElementById(part.id) : fresh.body;

function swap(part, fresh) {
  const next = sameIn(part, fresh);
  const active = document.activeElement;
  if (!next || next.innerHTML === part.innerHTML || (part.contains(active) && typing(active))) return;
  if (one(":active", part)) { setTimeout(() => swap(part, fresh), 200); return; } // what is being pressed stays until it was
  const where = part.contains(active) ? [active.getAttribute("href"), active.id] : null;
  part.replaceChildren(...[...next.childNodes].map((node) => document.importNode(node, true)));
  if (where) all("a, button", part).find((each) => where[0] ? each.getAttribute("href") === where[0] : each.id && each.id === where[1])?.focus();
  if (part.dataset.say) say(part.dataset.say);
  window.htmx?.process(part);
}

/** Fetches what became stale, each address once and at most once a second, whatever the number of events. */
function refresher(parts) {
  const stale = new Set();
  let busy = false;
  async function run() {
    if (busy || paused || !stale.size) return;
    if (isLeaving()) { setTimeout(run, 2 * PACE_MS); return; }
    busy = true;
    const told = [...stale];
    stale.clear();
    const hit = parts.filter((part) => topicsOf(part).some((name) => told.some((topic) => topic === name || topic.startsWith(`${name}:`))));
    for (const address of new Set(hit.map((part) => part.dataset.from || location.href))) {
      const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
      if (isLeaving()) { told.forEach((topic) => stale.add(topic)); break; }
      if (answer?.status === 401 || answer?.redirected) { location.reload(); return; }
      if (!answer?.ok) continue;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of hit) if ((part.dataset.from || location.href) === address) swap(part, fresh);
    }
    setTimeout(() => { busy = false; run(); }, PACE_MS);
  }
  document.addEventListener("tonne:resume", run);
  return (topic) => { stale.add(topic); run(); };
}

function listen(address, parts) {
  const topics = [...new Set(parts.flatMap(topicsOf))];
  const refresh = refresher(parts);
  let heard = Date.now(), state = "";
  const tell = (next) => {
    if (next === state) return;
    state = next;
    for (const line of all("[data-stream-state]")) {
      line.dataset.streamState = state;
      line.textContent = state === "open" ? line.dataset.open ?? "" : (line.dataset.lost ?? "").replace("{}", marketTime(heard));
    }
    document.dispatchEvent(new CustomEvent("tonne:stream", { detail: { state, heard } }));
  };
  const alive = () => { heard = Date.now(); tell("open"); };
  function begin() {
    const asked = new URL(address, location.href);
    asked.searchParams.set("topics", topics.join(","));
    const source = new EventSource(asked);
    source.onopen = () => { const again = state === "lost"; alive(); if (again) topics.forEach(refresh); };
    source.onerror = () => { tell("lost"); if (source.readyState === EventSource.CLOSED) closed(); };
    source.onmessage = (event) => { alive(); const told = JSON.parse(event.data); if (told.topic) refresh(told.topic); };
    source.addEventListener("alive", alive);
    for (const topic of topics) source.addEventListener(topic, () => { alive(); refresh(topic); });
    addEventListener("pagehide", () => source.close(), { once: true });
  }
  /** The server shut the stream for good: signed out means this page is no longer ours; anything else is tried again later. */
  async function closed() {
    const answer = isLeaving() ? null : await fetch(location.href, { redirect: "manual" }).catch(() => null);
    if (isLeaving()) setTimeout(closed, 5_000);
    else if (answer && (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 404)) location.reload();
    else setTimeout(begin, 15_000);
  }
  begin();
}

const streams = new Map();
for (const part of all("[data-topics]")) {
  const address = part.closest("[data-stream]")?.dataset.stream;
  if (address) streams.set(address, [...(streams.get(address) ?? []), part]);
}
for (const [address, parts] of streams) listen(address, parts);
