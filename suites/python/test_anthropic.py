"""Anthropic's official client for Python, sync and async, before each provider."""

import asyncio
import contextlib

import anthropic

import house
from matrix import DECLINED, Failures, Matrix, Said, Talk


def setUpModule():
    house.start()


@house.kept
def client(retries=0):
    return anthropic.Anthropic(base_url=house.root("scenes"), api_key=house.at["scenes"]["key"], max_retries=retries, timeout=20)


def one(text):
    return {"max_tokens": 256, "messages": [{"role": "user", "content": text}]}


class Messages(Talk):
    def tell(self, turn):
        content = [{"type": "tool_result", "tool_use_id": self.ids[r["Call"]], "content": r["Text"]} for r in turn.get("Results") or []]
        for image in turn.get("Images") or []:
            content.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": image}})
        if turn["Text"]:
            content.append({"type": "text", "text": turn["Text"]})
        self.messages.append({"role": "assistant" if turn["Role"] == "assistant" else "user", "content": content})

    def answer(self, stream):
        options, scene = {"model": self.model, "max_tokens": 256, "messages": self.messages}, self.scene
        if scene["System"]:
            options["system"] = scene["System"]
        if scene["Tools"]:
            options["tools"] = [{"name": t["Name"], "description": t["Description"], "input_schema": t["Schema"]} for t in scene["Tools"]]
        if scene["Schema"]:
            options["output_config"] = {"format": {"type": "json_schema", "schema": scene["Schema"]}}
        if scene["Thinks"]:
            options.update(thinking={"type": "adaptive"}, output_config={"effort": "medium"})
        answer = self.ask(stream, options)
        self.messages.append({"role": "assistant", "content": answer.content})
        calls = [b for b in answer.content if b.type == "tool_use"]
        self.ids = [c.id for c in calls]
        return Said(
            text="".join(b.text for b in answer.content if b.type == "text"),
            calls=[(c.name, c.input) for c in calls],
            end=answer.stop_reason,
            usage=(answer.usage.input_tokens, answer.usage.output_tokens),
            thought="".join(b.thinking for b in answer.content if b.type == "thinking"),
            raw=answer,
        )

    def ask(self, stream, options):
        if not stream:
            return client().messages.create(**options)
        with client().messages.stream(**options) as s:
            return s.get_final_message()


class AsyncMessages(Messages):
    def ask(self, stream, options):
        return runner.run(self.await_(stream, options))

    async def await_(self, stream, options):
        if not stream:
            return await other.messages.create(**options)
        async with other.messages.stream(**options) as s:
            return await s.get_final_message()


class TestMessages(Matrix, house.Case):
    client = "anthropic"
    ends = {"stop": "end_turn", "calls": "tool_use"}
    talk = Messages

    def refusal(self, error):
        return isinstance(error, anthropic.BadRequestError) and "cannot be carried" in str(error)

    def is_declined(self, said):
        self.assertEqual((said.end, said.text), ("refusal", DECLINED))

    def is_withheld(self, said):
        self.assertEqual(said.end, "refusal")


class TestAsyncMessages(TestMessages):
    client = "anthropic, async"
    talk = AsyncMessages

    @classmethod
    def setUpClass(cls):
        global runner, other
        runner = cls.enterClassContext(asyncio.Runner())
        other = anthropic.AsyncAnthropic(base_url=house.root("scenes"), api_key=house.at["scenes"]["key"], max_retries=0, timeout=20)
        cls.addClassCleanup(lambda: runner.run(other.close()))


class BedrockMessages(Messages):
    """The client's other self, which asks InvokeModel and signs."""

    def ask(self, stream, options):
        if not stream:
            return bedrock().messages.create(**options)
        with bedrock().messages.stream(**options) as s:
            return s.get_final_message()


@house.kept
def bedrock():
    key, secret = house.pair("bedrock")
    return anthropic.AnthropicBedrock(
        base_url=house.root("scenes"), aws_access_key=key, aws_secret_key=secret, aws_region="eu-north-1", max_retries=0, timeout=20
    )


class TestBedrockMessages(TestMessages):
    client = "anthropic, AnthropicBedrock"
    talk = BedrockMessages

    def model(self, provider, scene):
        return f"anthropic.claude-{provider}-{scene}"

    def is_declined(self, said):
        self.assertEqual(said.text, DECLINED)

    def is_withheld(self, said):
        self.assertIn("withheld by policy", said.text)


class TestFailures(Failures, house.Case):
    provider = "anthropic"

    def ask(self, model, text, stream, retries=0):
        messages = client(retries).messages
        if not stream:
            return messages.create(model=model, **one(text)).content[0].text
        with messages.stream(model=model, **one(text)) as s:
            return s.get_final_text()

    def fails(self, scene, stream, error):
        kinds = {
            "busy": (anthropic.RateLimitError, 429, "rate_limit_error"),
            "broken": (anthropic.InternalServerError, 502, "api_error"),
            "chaos": (anthropic.InternalServerError, 502, "api_error"),
            "half": (anthropic.InternalServerError, 502, "api_error"),
            "silent": (anthropic.InternalServerError, 504, "timeout_error"),
        }
        kind, status, name = kinds[scene]
        if scene == "half" and stream:  # it had begun
            kind, status = anthropic.APIStatusError, 200
        self.assertIsInstance(error, kind)
        self.assertEqual((error.status_code, error.body["error"]["type"]), (status, name))
        if scene == "busy":
            self.assertEqual(error.response.headers["retry-after"], "7")

    @contextlib.contextmanager
    def begin(self, model, text):
        with client().messages.create(model=model, **one(text), stream=True) as stream:
            yield next(iter(stream))

    def test_a_wrong_key(self):
        with self.assertRaises(anthropic.AuthenticationError):
            client().with_options(api_key="sk-nobody").messages.create(model="anthropic-text", **one("Hi"))

    def test_a_model_that_nobody_serves(self):
        with self.assertRaises(anthropic.NotFoundError):
            client().messages.create(model="claude-0", **one("Hi"))

    def test_tokens_are_counted(self):
        self.assertEqual(client().messages.count_tokens(model="anthropic-busy", messages=one("When do you open?")["messages"]).input_tokens, 11)

    def test_models(self):
        self.assertIn("anthropic-text", [m.id for m in client().models.list(limit=1000)])
