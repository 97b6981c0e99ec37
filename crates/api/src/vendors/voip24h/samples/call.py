"""Rings an extension, then dials the customer; lists the calls of the last day; hangs up. Python 3.6 or later."""
import json
import sys
import time
import urllib.parse
import urllib.request

BASE = "{{base}}"
KEY = {"voip": "{{voip}}", "secret": "{{secret}}"}
CALL = {"sip": "{{sip}}", "phone": "{{phone}}"}


def ask(path, parameters):
    query = urllib.parse.urlencode({**KEY, **parameters})
    with urllib.request.urlopen(f"{BASE}{path}?{query}", timeout=60) as answer:
        return json.load(answer)


# The answer comes when the extension's phone rings.
call = ask("/dial", CALL)
if call["call_status"] != "Success":
    sys.exit(f"{call['call_status']}: {call['message']}")
print("call", call["callid"], call["events"][0]["state"])

# 25 calls a page, newest first.
now = int(time.time())
span = {"date_start": now - 86400, "date_end": now}
while True:
    page = ask("/dial/search", span)
    if page["status"] != 200:
        sys.exit(page["message"])
    for row in page["result"]["data"]:
        print(row["callid"], row["type"], row["src"], row["dst"], row["status"], int(row["billsec"]))
    if not page["result"]["next"]:
        break
    span["start"] = page["result"]["next"]

over = ask("/dial/hangup", CALL)
print("hang up", over["call_status"])
