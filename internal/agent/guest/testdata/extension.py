#!/usr/bin/env python3
# An extension: it subscribes to telemetry, and says on stderr what it was told.
import http.client, http.server, json, os, sys, threading

api = os.environ["AWS_LAMBDA_RUNTIME_API"]


def call(method, path, body=None, **headers):
    c = http.client.HTTPConnection(api)
    c.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    r = c.getresponse()
    return r, r.read()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        batch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for e in batch:
            record = e["record"] if isinstance(e["record"], str) else json.dumps(e["record"])
            if e["type"] != "extension":
                print("event", e["type"], record, file=sys.stderr, flush=True)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *a):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
r, _ = call("POST", "/2020-01-01/extension/register", json.dumps({"events": ["INVOKE", "SHUTDOWN"]}),
            Lambda_Extension_Name=os.path.basename(sys.argv[0]))
me = r.getheader("Lambda-Extension-Identifier")
call("PUT", "/2022-07-01/telemetry", json.dumps({
    "schemaVersion": "2022-12-13", "types": ["platform", "function"], "buffering": {"timeoutMs": 25},
    "destination": {"protocol": "HTTP", "URI": "http://localhost:%d/" % server.server_port}}),
    Lambda_Extension_Identifier=me)
while True:
    _, body = call("GET", "/2020-01-01/extension/event/next", Lambda_Extension_Identifier=me)
    e = json.loads(body)
    print("told", e["eventType"], e.get("requestId", e.get("shutdownReason")), file=sys.stderr, flush=True)
    if e["eventType"] == "SHUTDOWN":
        break
