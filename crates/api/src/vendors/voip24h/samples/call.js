// Rings an extension, then dials the customer; lists the calls of the last day; hangs up.
// Node.js 18 or later; the same fetch works in a page of any origin, but a page shows its visitors the secret.
const BASE = "{{base}}";
const KEY = { voip: "{{voip}}", secret: "{{secret}}" };
const CALL = { sip: "{{sip}}", phone: "{{phone}}" };

async function ask(path, parameters) {
  const answer = await fetch(`${BASE}${path}?${new URLSearchParams({ ...KEY, ...parameters })}`);
  return answer.json();
}

async function main() {
  // The answer comes when the extension's phone rings.
  const call = await ask("/dial", CALL);
  if (call.call_status !== "Success") throw new Error(`${call.call_status}: ${call.message}`);
  console.log(`call ${call.callid} ${call.events[0].state}`);

  // 25 calls a page, newest first.
  const now = Math.floor(Date.now() / 1000);
  const filter = { date_start: now - 86400, date_end: now };
  do {
    const page = await ask("/dial/search", filter);
    if (page.status !== 200) throw new Error(page.message);
    for (const row of page.result.data) {
      console.log(`${row.callid} ${row.type} ${row.src} ${row.dst} ${row.status} ${row.billsec}`);
    }
    filter.start = page.result.next;
  } while (filter.start);

  const over = await ask("/dial/hangup", CALL);
  console.log(`hang up ${over.call_status}`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
