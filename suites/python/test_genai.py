"""Google's official client for Python, google-genai, before each provider."""

import base64
import contextlib

from google import genai
from google.genai import errors, types

import house
from matrix import DECLINED, Failures, Matrix, Said, Talk


def setUpModule():
    house.start()


@house.kept
def client(retries=0):
    retry = types.HttpRetryOptions(attempts=retries + 1, initial_delay=0.01, max_delay=0.1)
    options = types.HttpOptions(base_url=house.root("scenes"), timeout=20_000, retry_options=retry)
    return genai.Client(api_key=house.at["scenes"]["key"], vertexai=False, http_options=options)


class Generate(Talk):
    def tell(self, turn):
        parts = []
        for r in turn.get("Results") or []:
            identifier, name = self.ids[r["Call"]]
            parts.append(types.Part(function_response=types.FunctionResponse(id=identifier, name=name, response={"output": r["Text"]})))
        for image in turn.get("Images") or []:
            parts.append(types.Part.from_bytes(data=base64.b64decode(image), mime_type="image/png"))
        if turn["Text"]:
            parts.append(types.Part.from_text(text=turn["Text"]))
        self.messages.append(types.Content(role="model" if turn["Role"] == "assistant" else "user", parts=parts))

    def answer(self, stream):
        scene, options = self.scene, {"max_output_tokens": 256}
        if scene["System"]:
            options["system_instruction"] = scene["System"]
        if scene["Tools"]:
            tools = [types.FunctionDeclaration(name=t["Name"], description=t["Description"], parameters_json_schema=t["Schema"]) for t in scene["Tools"]]
            options["tools"] = [types.Tool(function_declarations=tools)]
            options["automatic_function_calling"] = types.AutomaticFunctionCallingConfig(disable=True)
        if scene["Schema"]:
            options.update(response_mime_type="application/json", response_json_schema=scene["Schema"])
        if scene["Thinks"]:
            options["thinking_config"] = types.ThinkingConfig(thinking_budget=1024, include_thoughts=True)
        options = {"model": self.model, "contents": self.messages, "config": types.GenerateContentConfig(**options)}
        answers = client().models.generate_content_stream(**options) if stream else [client().models.generate_content(**options)]
        said, parts = Said(), []
        for answer in answers:
            said.raw = answer
            if answer.usage_metadata:
                said.usage = (answer.usage_metadata.prompt_token_count, answer.usage_metadata.candidates_token_count)
            for candidate in answer.candidates or []:
                said.end = candidate.finish_reason or said.end
                parts += candidate.content.parts or [] if candidate.content else []
        for part in parts:
            if part.function_call:
                said.calls.append((part.function_call.name, part.function_call.args))
            elif part.thought:
                said.thought += part.text or ""
            else:
                said.text += part.text or ""
        self.messages.append(types.Content(role="model", parts=parts))
        self.ids = [(p.function_call.id, p.function_call.name) for p in parts if p.function_call]
        return said


class TestGenerate(Matrix, house.Case):
    client = "google-genai"
    ends = {"stop": "STOP", "calls": "STOP"}
    talk = Generate
    refused = {("anthropic", "reasoning"): "a budget of 1024 tokens does not fit an answer of 256 there"}

    def refusal(self, error):
        return isinstance(error, errors.ClientError) and error.code == 400 and "cannot be carried" in str(error)

    def is_declined(self, said):
        feedback = said.raw.prompt_feedback
        self.assertEqual((feedback.block_reason, feedback.block_reason_message), ("SAFETY", DECLINED))
        self.assertFalse(said.raw.candidates)

    def is_withheld(self, said):
        self.assertEqual(said.end, "SAFETY")


class TestFailures(Failures, house.Case):
    provider = "gemini"

    def ask(self, model, text, stream, retries=0):
        options = {"model": model, "contents": text, "config": types.GenerateContentConfig(max_output_tokens=256)}
        if not stream:
            return client(retries).models.generate_content(**options).text
        return "".join(answer.text or "" for answer in client(retries).models.generate_content_stream(**options))

    def fails(self, scene, stream, error):
        kinds = {
            "busy": (errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
            "broken": (errors.ServerError, 502, "UNAVAILABLE"),
            "chaos": (errors.ServerError, 502, "UNAVAILABLE"),
            "half": (errors.ServerError, 502, "UNAVAILABLE"),
            "silent": (errors.ServerError, 504, "DEADLINE_EXCEEDED"),
        }
        kind, status, name = kinds[scene]
        self.assertIsInstance(error, kind)
        self.assertEqual((error.code, error.status), (status, name))
        if scene == "busy":
            self.assertEqual(error.response.headers["retry-after"], "7")

    @contextlib.contextmanager
    def begin(self, model, text):
        stream = client().models.generate_content_stream(model=model, contents=text, config=types.GenerateContentConfig(max_output_tokens=256))
        yield next(stream)
        stream.close()

    def test_a_wrong_key(self):
        nobody = genai.Client(api_key="nobody", vertexai=False, http_options=types.HttpOptions(base_url=house.root("scenes")))
        self.addCleanup(nobody.close)
        with self.assertRaises(errors.ClientError) as caught:
            nobody.models.generate_content(model="gemini-text", contents="Hi")
        self.assertEqual(caught.exception.status, "UNAUTHENTICATED")

    def test_a_model_that_nobody_serves(self):
        with self.assertRaises(errors.ClientError) as caught:
            client().models.generate_content(model="gemini-0", contents="Hi")
        self.assertEqual(caught.exception.status, "NOT_FOUND")

    def test_tokens_are_counted(self):
        self.assertEqual(client().models.count_tokens(model="gemini-busy", contents="When do you open?").total_tokens, 11)

    def test_models(self):
        self.assertIn("models/gemini-text", [m.name for m in client().models.list()])
