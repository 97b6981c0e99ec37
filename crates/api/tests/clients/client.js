// One real Socket.IO client, led by lines of JSON.
//
//   node client.js VERSION URL TRANSPORTS [KEY [again | resume]]
//
// VERSION is 2.2, 2 (2.5) or 4. With KEY it signs in its connect handler, as old snippets do, without waiting for
// `connecting`. With `again` it connects anew whenever the connection is lost; with `resume` it then also asks for what
// it missed, by the number of the last event it heard.
// It writes {"event":NAME,"args":[…]} for each event it hears, in order, and {"packet":TYPE,"data":…} for each packet
// that is no event; it reads {"emit":NAME,"args":[…]} and {"close":true}.
"use strict";

const readline = require("node:readline");

const [version, url, transports, key, again] = process.argv.slice(2);
const io = require(`socket.io-client-${version}`);

const EVENTS = [
  "connect", "connect_error", "disconnect", "connecting", "signing", "connected", "connection", "say", "response", "resumed",
  "error", "Bandwidth", "connectionRefused", "connectTimeout", "connectEnd", "disconnectedServer",
];
const EVENT_PACKET = 2;

// The number of the last event heard.
let last;

const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");

const socket = io(url, {
  transports: transports.split(","),
  reconnection: again !== undefined,
  reconnectionDelay: 100,
  reconnectionDelayMax: 200,
  forceNew: true,
  timeout: 10000,
});
for (const event of EVENTS) {
  socket.on(event, (...args) => {
    // A 2.x client emits `connecting` to itself before it has said anything to the server.
    if (event === "connecting" && args.length === 0) return;
    const text = (arg) => (arg instanceof Error ? { message: arg.message } : arg);
    tell({ event, args: args.map(text), transport: socket.io.engine && socket.io.engine.transport.name });
    if (event === "connect" && key) {
      socket.emit("sign", key);
      if (again === "resume" && last !== undefined) socket.emit("resume", last);
    }
    if (event === "response" || (event === "connected" && last === undefined)) last = args[0].number;
  });
}
socket.io.on("packet", (packet) => {
  if (packet.type !== EVENT_PACKET) tell({ packet: packet.type, data: packet.data === undefined ? null : packet.data });
});

const orders = readline.createInterface({ input: process.stdin });
orders.on("line", (line) => {
  const order = JSON.parse(line);
  if (order.emit) socket.emit(order.emit, ...order.args);
  // What is on its way to the server still gets there: the process ends by itself when nothing is left to do.
  if (order.close) {
    socket.close();
    process.stdin.destroy();
  }
});
orders.on("close", () => socket.close());
