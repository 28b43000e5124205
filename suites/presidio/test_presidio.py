"""Presidio as an outside judge: its real recognizers, asked by the real program.

RINGWALL names the program.

    python -m unittest
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
RINGWALL = os.environ.get("RINGWALL", ROOT + "/bin/ringwall")

# What only Presidio finds, in scripts of which a character has 1 to 4 bytes and
# one that is made of several.
UEN = "53125226D"
PROSE = (
    "The library opens at nine on Tuesdays. Rain fell on the harbour until noon. Her brother grows tomatoes behind the garage. "
    "A train to Leeds leaves from platform four. The soup needs another pinch of salt. Nobody had swept the leaves off the path. "
    "We bought two chairs and a small lamp. His letter arrived a week after the wedding. The museum shows maps from five centuries. "
    "Bees slept in the lavender by the wall. An old dog followed them to the bridge. The choir sings again on the first of May. "
)
TEXTS = {
    "plain": (f"its UEN number is {UEN}.", "its UEN number is {SG_UEN}."),
    "scripts": (f"Grüße 👩‍💻 aus 東京: the UEN is {UEN}, спасибо", "Grüße 👩‍💻 aus 東京: the UEN is {SG_UEN}, спасибо"),
    "ours": ("the medical license is MA1234563", "the medical license is {US_DEA_NUMBER}"),
    "both": (f"write to ann@example.com about UEN {UEN}", "write to {EMAIL} about UEN {SG_UEN}"),
    "clean": ("Nothing of anybody is said here.", "Nothing of anybody is said here."),
    "long": (PROSE * 30 + f"The UEN is {UEN}. " + PROSE * 20, None),
}


class TestPresidio(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.process = subprocess.Popen([sys.executable, HERE + "/analyzer.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        cls.url = cls.process.stdout.readline().strip()
        if not cls.url:
            raise RuntimeError("Presidio did not start")

    @classmethod
    def tearDownClass(cls):
        cls.process.stdin.close()
        cls.process.stdout.close()
        cls.process.wait(30)

    def check(self, guardrail, texts=TEXTS):
        """What ringwall check --jsonl prints of the texts, by name."""
        with tempfile.TemporaryDirectory() as folder:
            with open(folder + "/g.yaml", "w") as f:
                json.dump(guardrail, f)  # which is YAML too
            lines = "".join(json.dumps({"id": name, "text": text, "source": "input"}) + "\n" for name, (text, _) in texts.items())
            run = subprocess.run([RINGWALL, "check", "--jsonl", "-", "--guardrail", folder + "/g.yaml", "--fail-on", "block"], input=lines, capture_output=True, text=True)
        self.said = run.stderr
        return {line["id"]: line for line in map(json.loads, run.stdout.splitlines())}

    def judge(self, **more):
        return {"name": "presidio", "kind": "presidio", "url": self.url, "controls": ["pii"], "window": 4096, "timeout": "30s", **more}

    def test_masks_what_only_presidio_finds(self):
        without = self.check({})
        for name in ("plain", "scripts", "ours"):
            self.assertEqual(without[name]["action"], "allow", name)
        judged = self.check({"judges": [self.judge()]})
        self.assertEqual(self.said, "")
        for name, (text, masked) in TEXTS.items():
            with self.subTest(name):
                want = masked if masked is not None else text.replace(UEN, "{SG_UEN}")
                self.assertEqual(judged[name]["text"], want)
                self.assertEqual(judged[name]["action"], "allow" if want == text else "mask")

    def test_its_places_are_bytes(self):
        text = TEXTS["scripts"][0].encode()
        found = [f for f in self.check({"judges": [self.judge()]})["scripts"]["findings"] if f["reason"] == "sg-uen"]
        self.assertEqual([(text[f["start"] : f["end"]], f["control"], f["score"]) for f in found], [(UEN.encode(), "inference/pii", 1)])

    def test_labels(self):
        judged = self.check({"judges": [self.judge(labels={"SG_UEN": "ignore", "MEDICAL_LICENSE": "pii/licence"})]})
        self.assertEqual(judged["plain"]["action"], "allow")
        self.assertEqual(judged["ours"]["text"], "the medical license is {LICENCE}")

    def test_a_language_it_does_not_speak_blocks(self):
        texts = {"plain": TEXTS["plain"]}
        judged = self.check({"judges": [self.judge(language="fr")]}, texts)["plain"]
        self.assertEqual((judged["action"], [f["reason"] for f in judged["findings"]]), ("block", ["judge-unavailable"]))
        self.assertIn("judge presidio could not look: asking the judge: refused: it answered with status 500", self.said)
        judged = self.check({"judges": [self.judge(language="fr", fail_open=True)]}, texts)["plain"]
        self.assertEqual((judged["action"], judged["findings"][0]["shadow"]), ("flag", "block"))


if __name__ == "__main__":
    unittest.main()
