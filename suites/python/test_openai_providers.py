"""OpenAI's official client for Python before each provider."""

import contextlib
import json

import openai

import house
from matrix import DECLINED, Failures, Matrix, Said, Talk


def setUpModule():
    house.start()


@house.kept
def client(retries=0):
    g = house.at["scenes"]
    return openai.OpenAI(base_url=g["url"], api_key=g["key"], max_retries=retries, timeout=20)


class Chat(Talk):
    def tell(self, turn):
        for result in turn.get("Results") or []:
            self.messages.append({"role": "tool", "tool_call_id": self.ids[result["Call"]], "content": result["Text"]})
        if turn["Text"]:
            content = turn["Text"]
            if turn.get("Images"):
                images = [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + image}} for image in turn["Images"]]
                content = [{"type": "text", "text": content}, *images]
            self.messages.append({"role": turn["Role"], "content": content})

    def answer(self, stream):
        options, scene = {}, self.scene
        if scene["Tools"]:
            functions = [{"name": t["Name"], "description": t["Description"], "parameters": t["Schema"]} for t in scene["Tools"]]
            options["tools"] = [{"type": "function", "function": f} for f in functions]
        if scene["Schema"]:
            options["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": scene["Schema"]}}
        if scene["Thinks"]:
            options["reasoning_effort"] = "medium"
        system = [{"role": "system", "content": scene["System"]}] if scene["System"] else []
        options.update(model=self.model, max_completion_tokens=256, messages=system + self.messages)
        completions = client().chat.completions
        if stream:
            with completions.stream(**options, stream_options={"include_usage": True}) as s:
                answer = s.get_final_completion()
        else:
            answer = completions.create(**options)
        (choice,) = answer.choices
        self.messages.append(choice.message)
        calls = choice.message.tool_calls or []
        self.ids = [c.id for c in calls]
        return Said(
            text=choice.message.content or "",
            calls=[(c.function.name, json.loads(c.function.arguments)) for c in calls],
            end=choice.finish_reason,
            usage=answer.usage and (answer.usage.prompt_tokens, answer.usage.completion_tokens),
            thought=getattr(choice.message, "reasoning_content", None),
            raw=answer,
        )


class TestChat(Matrix, house.Case):
    client = "openai, chat completions"
    ends = {"stop": "stop", "calls": "tool_calls"}
    talk = Chat

    def refusal(self, error):
        return isinstance(error, openai.BadRequestError) and error.code == "unsupported_by_model"

    def declined(self, provider, stream):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.once(provider, "declined", house.ATTACK, stream)
        self.assertEqual(caught.exception.code, "content_filter")
        self.assertIn(DECLINED, str(caught.exception))

    def withheld(self, provider, stream):
        if stream:  # the helper of the client raises
            with self.assertRaises(openai.ContentFilterFinishReasonError):
                super().withheld(provider, stream)
        else:
            super().withheld(provider, stream)

    def is_withheld(self, said):
        self.assertEqual(said.end, "content_filter")


class Responses(Talk):
    def tell(self, turn):
        for result in turn.get("Results") or []:
            self.messages.append({"type": "function_call_output", "call_id": self.ids[result["Call"]], "output": result["Text"]})
        if turn["Text"]:
            content = turn["Text"]
            if turn.get("Images"):
                images = [{"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64," + image} for image in turn["Images"]]
                content = [{"type": "input_text", "text": content}, *images]
            self.messages.append({"role": turn["Role"], "content": content})

    def answer(self, stream):
        options, scene = {}, self.scene
        if scene["Tools"]:
            options["tools"] = [{"type": "function", "name": t["Name"], "description": t["Description"], "parameters": t["Schema"], "strict": False} for t in scene["Tools"]]
        if scene["Schema"]:
            options["text"] = {"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": scene["Schema"]}}
        if scene["Thinks"]:
            options["reasoning"] = {"effort": "medium", "summary": "auto"}
        if scene["System"]:
            options["instructions"] = scene["System"]
        options.update(model=self.model, max_output_tokens=256, input=self.messages, store=False)
        responses = client().responses
        if stream:
            with responses.stream(**options) as s:
                answer = None
                for event in s:
                    if event.type in ("response.completed", "response.incomplete"):
                        answer = event.response
        else:
            answer = responses.create(**options)
        self.messages += answer.output
        calls = [o for o in answer.output if o.type == "function_call"]
        self.ids = [c.call_id for c in calls]
        return Said(
            text=answer.output_text,
            calls=[(c.name, json.loads(c.arguments)) for c in calls],
            end=answer.incomplete_details.reason if answer.incomplete_details else answer.status,
            usage=answer.usage and (answer.usage.input_tokens, answer.usage.output_tokens),
            thought="".join(s.text for o in answer.output if o.type == "reasoning" for s in o.summary),
            raw=answer,
        )


class TestResponses(Matrix, house.Case):
    client = "openai, responses"
    ends = {"stop": "completed", "calls": "completed"}
    talk = Responses

    refusal = TestChat.refusal
    declined = TestChat.declined

    def is_withheld(self, said):
        self.assertEqual(said.end, "content_filter")


class TestFailures(Failures, house.Case):
    provider = "openai"

    def ask(self, model, text, stream, retries=0):
        completions = client(retries).chat.completions
        options = {"model": model, "messages": [{"role": "user", "content": text}], "max_completion_tokens": 256}
        if not stream:
            return completions.create(**options).choices[0].message.content
        with completions.stream(**options) as s:
            return s.get_final_completion().choices[0].message.content

    def fails(self, scene, stream, error):
        kinds = {
            "busy": (openai.RateLimitError, 429),
            "broken": (openai.InternalServerError, 502),
            "chaos": (openai.InternalServerError, 502),
            "half": (openai.InternalServerError, 502),
            "silent": (openai.InternalServerError, 504),
        }
        kind, status = kinds[scene]
        if scene == "half" and stream:  # it had begun
            self.assertIs(type(error), openai.APIError)
            return
        self.assertIsInstance(error, kind)
        self.assertEqual(error.status_code, status)
        if scene == "busy":
            self.assertEqual(error.response.headers["retry-after"], "7")

    @contextlib.contextmanager
    def begin(self, model, text):
        with client().chat.completions.create(model=model, messages=[{"role": "user", "content": text}], max_completion_tokens=256, stream=True) as stream:
            yield next(iter(stream))
