"""Presidio's analyzer behind the HTTP API that its own server documents.

    python analyzer.py

prints the URL that it serves, and serves until standard input ends. POST
/analyze takes {"text", "language"} and answers a list of entities. The language
model is a blank one, so that nothing is downloaded: recognizers that go by
patterns, check digits and words near them find what they find with any other.
"""

import json
import logging
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import spacy
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import SgUenRecognizer


class Blank(SpacyNlpEngine):
    """An engine that knows words and no names."""

    def __init__(self):
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        self.nlp = {"en": spacy.blank("en")}

    def load(self):
        pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/analyze" or not request.get("text") or not request.get("language"):
            return self.answer(500, {"error": "No text or language provided"})
        try:
            found = engine.analyze(text=request["text"], language=request["language"])
        except ValueError as e:
            return self.answer(500, {"error": e.args[0]})
        self.answer(200, [{**r.to_dict(), "analysis_explanation": None, "recognition_metadata": None} for r in found])

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # it looks for a newer list of domains, and goes by its own
    engine = AnalyzerEngine(nlp_engine=Blank(), supported_languages=["en"])
    engine.registry.add_recognizer(SgUenRecognizer(supported_language="en"))
    engine.analyze(text="warm@example.com", language="en")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
    server.shutdown()
