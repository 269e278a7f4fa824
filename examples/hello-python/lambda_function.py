"""What stands outside the handler runs once per execution environment."""

import datetime

started = datetime.datetime.now(datetime.timezone.utc).isoformat()
calls = 0


def handler(event, context):
    global calls
    calls += 1
    query = event.get("queryStringParameters") or {}
    name = query.get("name") or event.get("name") or "world"
    print(f"greeting {name}")
    return {"message": f"Hello, {name}!", "started": started, "calls": calls}
