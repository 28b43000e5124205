"""Keys of providers from AWS Secrets Manager: an emulator of it, the real program.

RINGWALL names the program.

    python -m unittest
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from moto.server import ThreadedMotoServer

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
RINGWALL = os.environ.get("RINGWALL", ROOT + "/bin/ringwall")
ANSWER = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "the bluebird sings of heron-lake-7731"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}  # fmt: skip


class Upstream(BaseHTTPRequestHandler):
    """A provider that notes which keys it is shown."""

    protocol_version = "HTTP/1.1"
    keys = []

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.keys.append(self.headers["Authorization"])
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class TestSecretsManager(unittest.TestCase):
    def setUp(self):
        self.moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.moto.start()
        self.endpoint = "http://%s:%d" % self.moto.get_host_and_port()
        self.moto_runs = True
        self.addCleanup(self.away)
        self.upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        threading.Thread(target=self.upstream.serve_forever, daemon=True).start()
        self.addCleanup(self.upstream.server_close)
        self.addCleanup(self.upstream.shutdown)
        Upstream.keys.clear()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.env = {
            "PATH": os.environ["PATH"], "HOME": self.folder.name, "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.endpoint, "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip
        self.here, self.there = self.client("eu-central-1"), self.client("us-east-1")

    def client(self, region):
        return boto3.client("secretsmanager", endpoint_url=self.endpoint, region_name=region, aws_access_key_id="testing", aws_secret_access_key="testing")

    def away(self):
        if self.moto_runs:
            self.moto.stop()
        self.moto_runs = False

    def config(self, ref, more=None):
        self.file = self.folder.name + "/ringwall.yaml"
        with open(self.file, "w") as f:  # JSON is YAML too
            json.dump({
                "listen": "127.0.0.1:0", "anonymous": True, "data": self.folder.name + "/data", "default_provider": "u",
                "providers": {"u": {"base_url": "http://127.0.0.1:%d/v1" % self.upstream.server_port, "api_key": ref}},
                "secrets": {"refresh": "1s", "timeout": "2s"}, **(more or {}),
            }, f)  # fmt: skip

    def serve(self):
        self.log = open(self.folder.name + "/log", "w+")
        self.addCleanup(self.log.close)
        self.process = subprocess.Popen([RINGWALL, "serve", "--config", self.file], stdout=subprocess.PIPE, stderr=self.log, text=True, env=self.env)
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(self.process.wait, 30)
        self.addCleanup(self.process.terminate)
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        self.assertTrue(found, line + self.said())
        self.url = found.group().removesuffix("/v1")

    def said(self):
        with open(self.folder.name + "/log") as f:
            return f.read()

    def ask(self):
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}]}).encode()
        request = urllib.request.Request(self.url + "/v1/chat/completions", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)["choices"][0]["message"]["content"]

    def key(self):
        self.ask()
        return Upstream.keys[-1]

    def ready(self):
        with urllib.request.urlopen(self.url + "/readyz", timeout=20) as response:
            return json.load(response).get("secrets")

    def until(self, what, ok):
        end = time.monotonic() + 20
        while not ok():
            self.assertLess(time.monotonic(), end, f"in vain waited until {what}\n{self.said()}")
            time.sleep(0.05)

    def run_out(self, ref):
        """What serving says that cannot start."""
        self.config(ref)
        run = subprocess.run([RINGWALL, "serve", "--config", self.file], capture_output=True, text=True, env=self.env, timeout=60)
        self.assertNotEqual(run.returncode, 0)
        return run.stderr

    def test_a_rotated_key_is_asked_with(self):
        self.here.create_secret(Name="app/openai", SecretString="key-one-hush")
        self.config("aws-secret:app/openai")
        self.serve()
        self.assertEqual(self.key(), "Bearer key-one-hush")
        self.assertEqual(self.ready(), "current")
        self.here.put_secret_value(SecretId="app/openai", SecretString="key-two-hush")
        self.until("the new key is shown", lambda: self.key() == "Bearer key-two-hush")
        self.assertEqual(set(Upstream.keys), {"Bearer key-one-hush", "Bearer key-two-hush"})
        self.until("the rotation is told", lambda: "a secret changed" in self.said())
        # Away, the last value stays; back, a newer one is found.
        self.away()
        self.until("the value is stale", lambda: self.ready().startswith("stale: 1 "))
        self.assertEqual(self.key(), "Bearer key-two-hush")
        self.assertIn("aws-secret:app/openai", self.said())
        self.assertNotIn("hush", self.said())

    def test_a_key_of_an_object_in_another_region(self):
        arn = self.there.create_secret(Name="team/keys", SecretString=json.dumps({"openai": "key-of-object", "other": 7}))["ARN"]
        self.config(f"aws-secret:{arn}#openai")
        self.serve()
        self.assertEqual(self.key(), "Bearer key-of-object")
        self.assertIn("there is no such key in it", self.run_out(f"aws-secret:{arn}#none"))
        self.assertIn("is no text", self.run_out(f"aws-secret:{arn}#other"))

    def test_bytes(self):
        self.here.create_secret(Name="bytes", SecretBinary=b"key-of-bytes")
        self.config("aws-secret:bytes")
        self.serve()
        self.assertEqual(self.key(), "Bearer key-of-bytes")

    def test_a_guardrail_learns_a_rotated_canary(self):
        self.here.create_secret(Name="openai", SecretString="k")
        self.here.create_secret(Name="canary", SecretString="nothing-of-the-kind-4410")
        rail = {"secret": {"known": ["aws-secret:canary"], "output": "mask"}}
        self.config("aws-secret:openai", {"guardrail": "g", "guardrails": {"g": rail}})
        self.serve()
        self.assertIn("heron-lake-7731", self.ask())
        self.here.put_secret_value(SecretId="canary", SecretString="heron-lake-7731")
        self.until("it is masked", lambda: "heron-lake-7731" not in self.ask())

    def test_without_a_value_nothing_starts(self):
        said = self.run_out("aws-secret:nothing/here")
        self.assertIn("aws-secret:nothing/here: asking AWS Secrets Manager: ResourceNotFoundException", said)
        self.away()
        self.assertIn("aws-secret:nothing/here", self.run_out("aws-secret:nothing/here"))

    def test_checking_asks_nobody(self):
        self.away()
        self.config("aws-secret:nothing/here", {"guardrails": {"g": {"secret": {"known": ["vault:secret/app#canary"]}}}, "guardrail": "g"})
        run = subprocess.run([RINGWALL, "config", "check", self.file], capture_output=True, text=True, env=self.env, timeout=60)
        self.assertEqual((run.returncode, run.stderr), (0, ""))


if __name__ == "__main__":
    sys.exit(unittest.main())
