// The trading screen by keyboard: arrows move the price by a step (with Shift by ten), b and s choose the side, Enter reviews, Enter places, Ctrl+. stops.
// The ticket, <section id="ticket"> with a <form data-ticket data-step="0.01">, is sent without loading the page and comes back in its next state.
// While the stream is lost its fieldsets are locked. Without this script everything is a form that loads a page.
const ticket = () => document.querySelector("form[data-ticket]");
const stop = document.querySelector("[data-stop]");
let lost = false;
let busy = false;

/** Price text plus a number of steps, exactly: in whole units of the last decimal, never in binary fractions. */
function stepped(text, step, times) {
  const places = Math.max(...[text, step].map((each) => (each.split(".")[1] ?? "").length));
  const whole = (each) => { const [left, right = ""] = each.split("."); return BigInt(left + right.padEnd(places, "0")); };
  const next = whole(text) + whole(step) * BigInt(times);
  if (next <= 0n) return text;
  const digits = next.toString().padStart(places + 1, "0");
  return places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
}

function side() {
  const chosen = ticket()?.querySelector("input[name=side]:checked");
  if (chosen) chosen.closest(".ticket").dataset.side = chosen.value;
}

/** Orders on old prices are the dearest mistakes: no stream, no ticket. Stop and cancelling stay open. */
function lock() {
  for (const fields of document.querySelectorAll("form[data-ticket] fieldset:not([data-shut])")) fields.disabled = lost;
  for (const line of document.querySelectorAll("[data-locked]")) line.hidden = !lost;
}

function singleKeys() {
  try { return localStorage.getItem("keys") !== "off"; } catch { return true; }
}

function move(form, price, times) {
  const best = form.dataset[form.querySelector("input[name=side]:checked")?.value ?? "buy"];
  const text = price.value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) price.value = stepped(text, form.dataset.step || "0.01", times);
  else if (!text && best) price.value = best;
  else return;
  price.dispatchEvent(new Event("input", { bubbles: true }));
}

function keys(event) {
  if (event.ctrlKey && event.key === ".") { event.preventDefault(); stop?.click(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  const form = ticket();
  if (!form) return;
  const price = form.elements.price;
  const back = form.querySelector("[data-back]");
  if (event.key === "Escape" && back && !back.disabled && form.contains(event.target)) { event.preventDefault(); back.click(); return; }
  if ((event.key === "ArrowUp" || event.key === "ArrowDown") && event.target === price) {
    event.preventDefault();
    move(form, price, (event.key === "ArrowUp" ? 1 : -1) * (event.shiftKey ? 10 : 1));
  } else if ((event.key === "b" || event.key === "s") && singleKeys() && !event.target.matches("input:not([type=radio]):not([type=checkbox]):not([name=price]):not([name=quantity]), textarea, select")) {
    const radio = form.querySelector(`input[name=side][value=${event.key === "b" ? "buy" : "sell"}]`);
    if (!radio || radio.matches(":disabled")) return;
    event.preventDefault();
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
    if (!event.target.matches("input[name=price], input[name=quantity]")) form.elements.quantity.focus();
  }
}

/** A level of the book puts its price, and the side that would meet it, into the ticket. */
function level(event) {
  const link = event.target.closest("a[data-level]");
  const form = ticket();
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !form?.elements.price || form.elements.price.type === "hidden") return;
  event.preventDefault();
  if (form.elements.price.matches(":disabled")) return;
  form.elements.price.value = link.dataset.price;
  const radio = form.querySelector(`input[name=side][value=${link.dataset.level}]`);
  if (radio) radio.checked = true;
  side();
  form.elements.quantity.focus();
}

/** Puts the ticket, and all that lives on the page, in the place of what stood there. */
function show(fresh) {
  const next = fresh.querySelector("#ticket");
  const here = document.querySelector("#ticket");
  if (!next || !here) return false;
  here.replaceWith(document.importNode(next, true));
  for (const part of document.querySelectorAll("[data-region]")) {
    const now = fresh.querySelector(`[data-region="${CSS.escape(part.dataset.region)}"]`);
    if (now && now.innerHTML !== part.innerHTML) part.replaceChildren(...[...now.childNodes].map((node) => document.importNode(node, true)));
  }
  lock();
  side();
  const shown = document.querySelector("#ticket");
  (shown.querySelector("#faults, [data-focus]") ?? shown.querySelector("input[name=quantity]"))?.focus();
  return true;
}

async function ask(address, options) {
  if (busy) return;
  busy = true;
  const said = document.querySelector("#ticket [data-said]");
  let answer, text;
  try {
    answer = await fetch(address, { headers: { Accept: "text/html" }, ...options });
    text = await answer.text();
  } catch {
    if (said) { said.hidden = false; said.textContent = ticket()?.dataset.failed ?? ""; }
    busy = false;
    return;
  }
  busy = false;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  if (show(fresh)) return;
  if (answer.redirected || answer.status === 401) { location.assign(answer.url); return; }
  const words = [fresh.querySelector("h1"), fresh.querySelector(".notice p, main p")].map((each) => each?.textContent.trim() ?? "").filter(Boolean).join(". ");
  if (said) { said.hidden = false; said.textContent = words; said.scrollIntoView({ block: "nearest" }); } else location.reload();
}

function send(event) {
  const form = event.target;
  if (!form.matches("form[data-ticket], form[data-quick]") || event.defaultPrevented) return;
  event.preventDefault();
  const button = event.submitter;
  const address = button?.hasAttribute("formaction") ? button.formAction : form.action;
  ask(address, { method: "POST", body: new URLSearchParams(new FormData(form)) });
}

if (ticket() || stop) {
  side();
  document.addEventListener("change", side);
  document.addEventListener("keydown", keys);
  document.addEventListener("click", level);
  document.addEventListener("submit", send);
  document.addEventListener("tonne:stream", (event) => { lost = event.detail.state !== "open"; lock(); });
}
