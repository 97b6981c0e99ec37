// A live example page in a real browser, led by lines of JSON.
//
//   node browser.js PAGE KEY FOLDER
//
// Opens the page, types the key, and presses the button. It writes {"state":TEXT,"kind":CLASS} whenever the page says how
// things stand, {"row":[…]} for each row that is added to its table, without the time, and {"left":true} when the page has
// lost its connection; it reads {"screenshot":FILE} and {"close":true}. The browser is Debian's; it is spoken to over a pipe, and keeps its things in the folder.
"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const readline = require("node:readline");

const [page, key, folder] = process.argv.slice(2);
const LOOK_EVERY = 25;
// The page, as it stands. Rows are newest first there.
const LOOK = `(() => {
  const state = document.getElementById("state");
  const rows = [...document.querySelectorAll("#events tr:not(.empty)")].reverse();
  return {
    state: state.textContent, kind: state.className,
    left: document.getElementById("log").textContent.includes("  disconnect  "),
    rows: rows.map((row) => [...row.cells].slice(1).map((cell) => cell.textContent)),
  };
})()`;
// As a person would: a click on the field, letters, a press of the button.
const SIGN_IN = `(() => {
  const field = document.getElementById("key");
  field.focus();
  field.value = ${JSON.stringify(key)};
  document.getElementById("connect").click();
})()`;

const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");

const browser = spawn(
  "chromium",
  [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
    "--window-size=1000,800", `--user-data-dir=${folder}`, "about:blank",
  ],
  { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
);
const [to, from] = [browser.stdio[3], browser.stdio[4]];
to.on("error", () => {});
browser.on("error", (error) => {
  tell({ failed: `chromium: ${error.message}: install Debian's package chromium` });
  process.exit(1);
});
browser.on("exit", () => process.exit(0));

const waiting = new Map();
let last = 0;
let read = "";
from.on("data", (piece) => {
  const messages = (read + piece).split("\0");
  read = messages.pop();
  for (const message of messages.map((text) => JSON.parse(text))) {
    const answer = waiting.get(message.id);
    waiting.delete(message.id);
    if (answer) answer(message);
  }
});

function ask(method, params, sessionId) {
  last += 1;
  const id = last;
  to.write(JSON.stringify({ id, method, params, sessionId }) + "\0");
  return new Promise((resolve, reject) => {
    waiting.set(id, (message) => (message.error ? reject(new Error(message.error.message)) : resolve(message.result)));
  });
}

let leaving = false;
const leave = () => {
  leaving = true;
  ask("Browser.close").catch(() => browser.kill("SIGKILL"));
};
const rest = () => new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));

async function main() {
  const { targetId } = await ask("Target.createTarget", { url: page });
  const { sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true });
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await ask("Runtime.evaluate", { expression, returnByValue: true }, sessionId);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description || exceptionDetails.text);
    return result.value;
  };

  const orders = readline.createInterface({ input: process.stdin });
  orders.on("line", async (line) => {
    const order = JSON.parse(line);
    if (order.screenshot) {
      const { data } = await ask("Page.captureScreenshot", { format: "png" }, sessionId);
      fs.writeFileSync(order.screenshot, Buffer.from(data, "base64"));
      tell({ screenshot: order.screenshot });
    }
    if (order.close) leave();
  });
  orders.on("close", leave);

  while (!(await evaluate(`document.readyState === "complete" && !!document.getElementById("connect")`))) await rest();
  await evaluate(SIGN_IN);
  let told = 0;
  let stands = "";
  let gone = false;
  while (!leaving) {
    const { state, kind, left, rows } = await evaluate(LOOK);
    rows.slice(told).forEach((row) => tell({ row }));
    told = rows.length;
    if (stands !== state + kind) tell({ state, kind });
    stands = state + kind;
    if (left && !gone) tell({ left });
    gone = left;
    await rest();
  }
}

main().catch((error) => {
  if (leaving) return;
  tell({ failed: error.message });
  browser.kill("SIGKILL");
});
