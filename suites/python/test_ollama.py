"""Ollama's official client for Python before each provider."""

import contextlib

import ollama

import house
from matrix import DECLINED, Failures, Matrix, Said, Talk


def setUpModule():
    house.start()


@house.kept
def client():
    return ollama.Client(house.root("scenes"), headers={"Authorization": "Bearer " + house.at["scenes"]["key"]}, timeout=20)


class Chat(Talk):
    def tell(self, turn):
        for r in turn.get("Results") or []:
            self.messages.append({"role": "tool", "tool_name": self.ids[r["Call"]], "content": r["Text"]})
        if turn["Text"]:
            self.messages.append({"role": turn["Role"], "content": turn["Text"], "images": turn.get("Images")})

    def answer(self, stream):
        scene, options = self.scene, {"model": self.model, "options": {"num_predict": 256}}
        if scene["Tools"]:
            functions = [{"name": t["Name"], "description": t["Description"], "parameters": t["Schema"]} for t in scene["Tools"]]
            options["tools"] = [{"type": "function", "function": f} for f in functions]
        if scene["Schema"]:
            options["format"] = scene["Schema"]
        if scene["Thinks"]:
            options["think"] = True
        system = [{"role": "system", "content": scene["System"]}] if scene["System"] else []
        answers = client().chat(messages=system + self.messages, stream=stream, **options)
        said, calls = Said(), []
        for answer in answers if stream else [answers]:
            said.raw = answer
            said.text += answer.message.content or ""
            said.thought += answer.message.thinking or ""
            said.end = answer.done_reason or said.end
            calls += answer.message.tool_calls or []
            if answer.done:
                said.usage = (answer.prompt_eval_count, answer.eval_count)
        said.calls = [(c.function.name, dict(c.function.arguments)) for c in calls]
        self.ids = [c.function.name for c in calls]
        self.messages.append(ollama.Message(role="assistant", content=said.text, tool_calls=calls or None))
        return said


class TestChat(Matrix, house.Case):
    client = "ollama"
    ends = {"stop": "stop", "calls": "stop"}
    talk = Chat

    def refusal(self, error):
        return isinstance(error, ollama.ResponseError) and error.status_code == 400 and "cannot be carried" in error.error

    def declined(self, provider, stream):
        with self.assertRaises(ollama.ResponseError) as caught:
            self.once(provider, "declined", house.ATTACK, stream)
        self.assertEqual(caught.exception.status_code, 400)
        self.assertIn(DECLINED, caught.exception.error)

    def is_withheld(self, said):
        self.assertEqual(said.end, "content_filter")


class TestFailures(Failures, house.Case):
    provider = "ollama"

    def ask(self, model, text, stream, retries=0):
        answers = client().chat(model=model, messages=[{"role": "user", "content": text}], options={"num_predict": 256}, stream=stream)
        return "".join(a.message.content or "" for a in (answers if stream else [answers]))

    def fails(self, scene, stream, error):
        status = {"busy": 429, "broken": 502, "chaos": 502, "half": 502, "silent": 504}[scene]
        if scene == "half" and stream:  # it had begun
            status = -1
        self.assertIsInstance(error, ollama.ResponseError)
        self.assertEqual(error.status_code, status)

    test_retries = None  # the client has none

    @contextlib.contextmanager
    def begin(self, model, text):
        stream = client().chat(model=model, messages=[{"role": "user", "content": text}], options={"num_predict": 256}, stream=True)
        yield next(stream)
        stream.close()

    def test_a_wrong_key(self):
        nobody = ollama.Client(house.root("scenes"), headers={"Authorization": "Bearer nobody"})
        with nobody, self.assertRaises(ollama.ResponseError) as caught:
            nobody.chat(model="ollama-text", messages=[])
        self.assertEqual(caught.exception.status_code, 401)

    def test_a_model_that_nobody_serves(self):
        with self.assertRaises(ollama.ResponseError) as caught:
            client().chat(model="llama-0", messages=[{"role": "user", "content": "Hi"}])
        self.assertEqual(caught.exception.status_code, 404)

    def test_generate(self):
        prompt = f"Please write to {house.EMAIL} today."
        for stream in (False, True):
            answers = client().generate(model="anthropic-mask", prompt=prompt, options={"num_predict": 256}, stream=stream)
            text = "".join(a.response for a in (answers if stream else [answers]))
            self.assertEqual(text, f"Done, with a copy to {house.MASKED_EMAIL} as always.")

    def test_models(self):
        self.assertIn("ollama-text", [m.model for m in client().list().models])
