// The page of the workbench. It knows nothing but the HTTP API of docs/workbench.md: the state and
// the books come by server-sent events, the picture of the screen by a long poll.

const $ = (id) => document.getElementById(id);

/** Makes an element: `make("li", {class: "x"}, "text", child…)`. Text is text, never HTML. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const euro = (cents) =>
  (cents / 100).toLocaleString("en-IE", { style: "currency", currency: "EUR" });

const words = (name) => name.replaceAll("_", " ");

// Asking and telling

async function post(path, body = {}) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) complain((await response.json()).detail);
  } catch {
    complain("The workbench does not answer. Is it still running?");
  }
}

let toastEnds;

function complain(text) {
  const toast = $("toast");
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(toastEnds);
  toastEnds = setTimeout(() => (toast.hidden = true), 6000);
}

// The screen

const glass = $("glass");
const picture = $("picture");

async function followPicture() {
  let frame = null;
  for (;;) {
    try {
      const response = await fetch("api/screen.png" + (frame === null ? "" : `?after=${frame}`));
      if (response.status === 200) {
        frame = response.headers.get("x-frame");
        await showPicture(await response.blob());
      } else if (response.status !== 204) {
        throw new Error(response.statusText);
      }
    } catch {
      // kiosk-ui is off or starts: its frames count from the beginning again.
      frame = null;
      picture.hidden = true;
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  }
}

async function showPicture(png) {
  const old = picture.src;
  picture.src = URL.createObjectURL(png);
  await picture.decode();
  picture.hidden = false;
  glass.style.setProperty("--ratio", picture.naturalWidth / picture.naturalHeight);
  if (old) URL.revokeObjectURL(old);
}

glass.addEventListener("click", (event) => {
  const box = picture.getBoundingClientRect();
  if (picture.hidden || box.width === 0) return;
  const scale = picture.naturalWidth / box.width;
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const ripple = make("span", { class: "touch", onanimationend: () => ripple.remove() });
  ripple.style.left = `${x}px`;
  ripple.style.top = `${y}px`;
  glass.append(ripple);
  post("api/screen/press", { x: x * scale, y: y * scale });
});

glass.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") return glass.blur();
  const isNamed = ["Tab", "Enter", "Backspace"].includes(event.key);
  if (!isNamed && event.key.length !== 1) return;
  event.preventDefault();
  const key = event.key === "Tab" && event.shiftKey ? "Backtab" : event.key;
  post("api/screen/press", { key });
});

// Cards and notes

async function layOutCards() {
  const cards = await (await fetch("api/cards")).json();
  $("tray").replaceChildren(...cards.map(drawCard));
}

function drawCard(card, index) {
  const button = make(
    "button",
    {
      type: "button",
      class: "card",
      "data-card": card.id,
      "aria-pressed": "false",
      "aria-label": `${card.holder}, ${words(card.status)}, PIN ${card.pin || "none"}. Tap it`,
      "--hue": (188 + index * 47) % 360,
      onclick: () => tapOrTake(button),
    },
    make("span", { class: "issuer" }, card.number ? "Citizen card" : "", statusMark(card.status)),
    make("span", { class: "number" }, card.number.replace(/(\d{4})(?=\d)/g, "$1 ")),
    make("span", { class: "holder" }, card.holder),
    make("span", { class: "pin" }, card.pin ? `PIN ${card.pin}` : "no PIN"),
  );
  return make("li", {}, button, make("p", { class: "story" }, card.story));
}

const statusMark = (status) =>
  make("span", { class: "status", "data-status": status }, words(status));

function tapOrTake(button) {
  if (button.getAttribute("aria-pressed") === "true") return post("api/card/remove");
  return post("api/card/tap", { card: button.dataset.card });
}

function showCardOnReader(id) {
  for (const button of document.querySelectorAll(".card")) {
    button.setAttribute("aria-pressed", String(button.dataset.card === id));
  }
  $("take-card").disabled = id === null;
}

const NOTES = [
  { cents: 500, ink: "#6b737a" },
  { cents: 1000, ink: "#a8433c" },
  { cents: 2000, ink: "#2d6396" },
  { cents: 5000, ink: "#b5641c" },
  { cents: 10000, ink: "#3f7a3a" },
];

function layOutNotes() {
  const notes = NOTES.map(({ cents, ink }, index) =>
    make("li", {}, make("button", {
      type: "button",
      class: "note",
      "aria-label": `Insert a note of ${cents / 100} euro`,
      "--w": `${7 + index * 0.55}rem`,
      "--ink-of-note": ink,
      onclick: () => post("api/acceptor/insert", { cents }),
    }, `${cents / 100} €`)));
  $("wallet").replaceChildren(...notes);
}

function showReturned(notes) {
  const button = $("take-notes");
  button.disabled = notes.length === 0;
  button.textContent = notes.length === 0
    ? "Take what was given back"
    : `Take back ${notes.map(euro).join(", ")}`;
}

// Switches: redrawn only when their set changes, so that focus stays where it is.

function showSwitches(list, switches, turn) {
  const names = switches.map((each) => each.name).join();
  if (list.dataset.names !== names) {
    list.dataset.names = names;
    list.replaceChildren(...switches.map((each) => drawSwitch(each.name, turn)));
  }
  switches.forEach(({ on, title, says }, index) => {
    const button = list.children[index].firstChild;
    button.setAttribute("aria-checked", String(on));
    button.querySelector("span").textContent = title;
    button.querySelector("small").textContent = says;
  });
}

function drawSwitch(name, turn) {
  const button = make("button", {
    type: "button",
    class: "switch",
    role: "switch",
    "data-name": name,
    onclick: () => turn(name, button.getAttribute("aria-checked") !== "true"),
  }, make("span"), make("small"));
  return make("li", {}, button);
}

function showPower(powers) {
  const switches = powers.map(({ process, title, on, status }) => ({
    name: process, title, on, says: powerWords(status),
  }));
  showSwitches($("plugs"), switches, (process, on) => post("api/power", { process, on }));
}

function powerWords(status) {
  switch (status?.state) {
    case "running":
      return `pid ${status.pid}` + (status.restarts ? `, started again ${status.restarts}×` : "");
    case "restarting":
      return `starts again: ${status.ended}`;
    default:
      return "";
  }
}

function showFaults(devices) {
  const groups = $("devices");
  for (const { device, faults } of devices) {
    const id = `faults-of-${device}`;
    if (!$(id)) {
      groups.append(make("fieldset", {}, make("legend", {}, words(device)),
        make("ul", { id, class: "switches" })));
    }
    const switches = faults.map(({ fault, on }) => (
      { name: fault, title: words(fault), on, says: "" }));
    showSwitches($(id), switches, (fault, on) => post("api/fault", { device, fault, on }));
  }
}

// Who stands before the card terminal

function showCardholders({ cardholder, cardholders }) {
  const switches = cardholders.map((name) => (
    { name, title: words(name), on: name === cardholder, says: "" }));
  showSwitches($("cardholders"), switches, (name) => (
    post("api/terminal/cardholder", { cardholder: name })));
}

// Ports of the cabinet

function showPort(id, { lamp, says }) {
  const port = $(id);
  port.dataset.lamp = lamp;
  port.querySelector(".says").textContent = says;
  port.title = says;
}

// Receipts

let receipts = 0;
let receiptShown = 0;

function showReceipts(count) {
  if (count !== receipts) receiptShown = count;
  receipts = count;
  drawReceipt();
}

function turnReceipt(by) {
  receiptShown += by;
  drawReceipt();
}

function drawReceipt() {
  $("older").disabled = receiptShown <= 1;
  $("newer").disabled = receiptShown >= receipts;
  $("which").textContent = receipts ? `${receiptShown} of ${receipts}` : "none";
  if (receiptShown === 0 || $("paper").dataset.number === String(receiptShown)) return;
  $("paper").dataset.number = receiptShown;
  const image = make("img", { src: `api/receipts/${receiptShown}.png`, alt: "Printed receipt" });
  $("paper").replaceChildren(image);
  describe(image, receiptShown);
}

/** What is on the paper, for those who cannot see the picture. */
async function describe(image, number) {
  const response = await fetch(`api/receipts/${number}.txt`);
  if (response.ok) image.alt = await response.text();
}

// Books

function showBooks(books) {
  const mark = $("agree");
  const how = books.agree ? "yes" : books.settling ? "moving" : "no";
  mark.dataset.agree = how;
  mark.textContent = { yes: "✓ they agree", moving: "… on the way", no: "✗ they differ" }[how];
  const amount = (cents) => (cents === null ? "–" : euro(cents));
  $("ledger").replaceChildren(...books.lines.map((line) =>
    make("tr", { "data-off": String(line.differs) },
      make("th", { scope: "row" }, line.title),
      ...[line.kiosk, line.central, line.physical].map((cents) => make("td", {}, amount(cents))))));
  $("differences").replaceChildren(...books.differences.map((text) => make("li", {}, text)));
}

// Log

let lastLine = "";

function showLog(lines) {
  const list = $("lines");
  const now = JSON.stringify(lines.at(-1) ?? "") + lines.length;
  if (now === lastLine) return;
  lastLine = now;
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 30;
  list.replaceChildren(...lines.map(({ process, text }) =>
    make("li", {}, make("b", { "--hue": hue(process) }, process.padEnd(9)), " " + text)));
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

const hue = (name) => [...name].reduce((sum, letter) => sum * 31 + letter.codePointAt(0), 7) % 360;

// All together

function showState(state) {
  $("town").textContent = `${state.town} · kiosk ${state.kiosk}`;
  $("screen-name").textContent = state.screen?.name ?? "off";
  showCardOnReader(state.card);
  showReturned(state.returned);
  showPower(state.powers);
  showFaults(state.faults);
  showPort("port-card", state.ports.card);
  showPort("port-notes", state.ports.notes);
  showPort("port-paper", state.ports.paper);
  showPort("port-terminal", state.ports.terminal);
  showCardholders(state.terminal);
  showReceipts(state.receipts);
  showLog(state.log);
}

function followEvents() {
  const events = new EventSource("api/events");
  events.addEventListener("state", (event) => showState(JSON.parse(event.data)));
  events.addEventListener("books", (event) => showBooks(JSON.parse(event.data)));
  events.addEventListener("open", () => ($("link").hidden = true));
  events.addEventListener("error", () => ($("link").hidden = false));
}

$("take-card").addEventListener("click", () => post("api/card/remove"));
$("take-notes").addEventListener("click", () => post("api/acceptor/take"));
$("older").addEventListener("click", () => turnReceipt(-1));
$("newer").addEventListener("click", () => turnReceipt(1));
layOutNotes();
layOutCards();
followEvents();
followPicture();
