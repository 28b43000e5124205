"""Amazon's official client for Python, boto3, before each provider: Bedrock's models
and guardrails, by bearer tokens and by signatures."""

import base64
import contextlib
import json
import os
import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

import house
from matrix import DECLINED, Failures, Matrix, Said, Talk

ATTACKED = [{"role": "user", "content": [{"text": house.ATTACK}]}]
GUARDRAIL = {"guardrailIdentifier": "scenes", "guardrailVersion": "DRAFT", "trace": "enabled"}


def setUpModule():
    house.start()
    os.environ["AWS_BEARER_TOKEN_BEDROCK"] = house.at["scenes"]["key"]
    unittest.addModuleCleanup(os.environ.pop, "AWS_BEARER_TOKEN_BEDROCK")


def pair(name, *options):
    """Make a key by which AWS's clients sign."""
    key, secret = house.pair(name, *options)
    return {"aws_access_key_id": key, "aws_secret_access_key": secret}


@house.kept
def client(service="bedrock-runtime", retries=0, signer=None, trust="customer"):
    options = {"retries": {"total_max_attempts": retries + 1, "mode": "standard"}, "read_timeout": 20}
    more = {}
    if signer:
        options["auth_scheme_preference"], more = "sigv4", pair(signer, "--trust", trust)
    url = house.root("scenes")
    if not signer:
        url = url.replace("http:", "https:")
    c = boto3.client(service, endpoint_url=url, region_name="eu-north-1", config=Config(**options), **more)
    c.meta.events.register("before-send", plainly)
    return c


def plainly(request, **_):
    """Send what is meant for HTTPS by HTTP: the client shows bearer tokens to nobody else."""
    request.url = request.url.replace("https:", "http:", 1)


class Converse(Talk):
    signer = None

    def tell(self, turn):
        content = [{"toolResult": {"toolUseId": self.ids[r["Call"]], "content": [{"text": r["Text"]}]}} for r in turn.get("Results") or []]
        for image in turn.get("Images") or []:
            content.append({"image": {"format": "png", "source": {"bytes": base64.b64decode(image)}}})
        if turn["Text"]:
            content.append({"text": turn["Text"]})
        self.messages.append({"role": "assistant" if turn["Role"] == "assistant" else "user", "content": content})

    def answer(self, stream):
        scene, options = self.scene, {"modelId": self.model, "messages": self.messages, "inferenceConfig": {"maxTokens": 256}}
        if scene["System"]:
            options["system"] = [{"text": scene["System"]}]
        if scene["Tools"]:
            specs = [{"name": t["Name"], "description": t["Description"], "inputSchema": {"json": t["Schema"]}} for t in scene["Tools"]]
            options["toolConfig"] = {"tools": [{"toolSpec": s} for s in specs]}
        if scene["Schema"]:
            schema = {"name": "answer", "schema": json.dumps(scene["Schema"])}
            options["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}
        if scene["Thinks"]:
            options["outputConfig"] = {"effort": "medium"}
        bedrock = client(signer=self.signer)
        if stream:
            message, end, usage = collect(bedrock.converse_stream(**options)["stream"])
        else:
            answer = bedrock.converse(**options)
            message, end, usage = answer["output"]["message"], answer["stopReason"], answer["usage"]
        self.messages.append(message)
        calls = [b["toolUse"] for b in message["content"] if "toolUse" in b]
        self.ids = [c["toolUseId"] for c in calls]
        return Said(
            text="".join(b.get("text", "") for b in message["content"]),
            calls=[(c["name"], c["input"]) for c in calls],
            end=end,
            usage=(usage["inputTokens"], usage["outputTokens"]),
            thought="".join(b["reasoningContent"]["reasoningText"]["text"] for b in message["content"] if "reasoningContent" in b),
        )


def collect(events):
    """Put a streamed answer together, as the client leaves to whoever uses it."""
    blocks, end, usage = {}, None, None
    for event in events:
        ((kind, e),) = event.items()
        if kind == "contentBlockStart":
            blocks[e["contentBlockIndex"]] = {"toolUse": {**e["start"]["toolUse"], "input": ""}}
        elif kind == "contentBlockDelta":
            delta = e["delta"]
            block = blocks.setdefault(e["contentBlockIndex"], {})
            if "text" in delta:
                block["text"] = block.get("text", "") + delta["text"]
            elif "toolUse" in delta:
                block["toolUse"]["input"] += delta["toolUse"]["input"]
            else:
                text = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": ""})
                for key, piece in delta["reasoningContent"].items():
                    text[key] = text.get(key, "") + piece
        elif kind == "contentBlockStop" and "toolUse" in blocks[e["contentBlockIndex"]]:
            use = blocks[e["contentBlockIndex"]]["toolUse"]
            use["input"] = json.loads(use["input"])
        elif kind == "messageStop":
            end = e["stopReason"]
        elif kind == "metadata":
            usage = e["usage"]
    return {"role": "assistant", "content": [blocks[i] for i in sorted(blocks)]}, end, usage


class Signed(Converse):
    signer = "scenes"


class TestConverse(Matrix, house.Case):
    client = "boto3, converse"
    ends = {"stop": "end_turn", "calls": "tool_use"}
    talk = Converse

    def refusal(self, error):
        return isinstance(error, client().exceptions.ValidationException) and "cannot be carried" in str(error)

    def is_declined(self, said):
        self.assertEqual((said.end, said.text), ("guardrail_intervened", DECLINED))

    def is_withheld(self, said):
        self.assertEqual(said.end, "guardrail_intervened")


class TestSigned(TestConverse):
    client = "boto3, converse, signed"
    talk = Signed


class Invoke(Talk):
    """InvokeModel, in the words of Anthropic's models."""

    def tell(self, turn):
        content = [{"type": "tool_result", "tool_use_id": self.ids[r["Call"]], "content": r["Text"]} for r in turn.get("Results") or []]
        for image in turn.get("Images") or []:
            content.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": image}})
        if turn["Text"]:
            content.append({"type": "text", "text": turn["Text"]})
        self.messages.append({"role": "assistant" if turn["Role"] == "assistant" else "user", "content": content})

    def answer(self, stream):
        scene, body = self.scene, {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 256, "messages": self.messages}
        if scene["System"]:
            body["system"] = scene["System"]
        if scene["Tools"]:
            body["tools"] = [{"name": t["Name"], "description": t["Description"], "input_schema": t["Schema"]} for t in scene["Tools"]]
        if scene["Schema"]:
            body["output_config"] = {"format": {"type": "json_schema", "schema": scene["Schema"]}}
        if scene["Thinks"]:
            body.update(thinking={"type": "adaptive"}, output_config={"effort": "medium"})
        options = {"modelId": self.model, "body": json.dumps(body)}
        if stream:
            content, end, usage, answer = self.collect(client().invoke_model_with_response_stream(**options)["body"])
        else:
            answer = json.loads(client().invoke_model(**options)["body"].read())
            content, end, usage = answer["content"], answer["stop_reason"], answer["usage"]
        self.messages.append({"role": "assistant", "content": content})
        calls = [b for b in content if b["type"] == "tool_use"]
        self.ids = [c["id"] for c in calls]
        return Said(
            text="".join(b.get("text", "") for b in content),
            calls=[(c["name"], c["input"]) for c in calls],
            end=end,
            usage=(usage["input_tokens"], usage["output_tokens"]),
            thought="".join(b.get("thinking", "") for b in content),
            raw=answer,
        )

    def collect(self, events):
        content, end, usage, e = [], None, {}, None
        for event in events:
            e = json.loads(event["chunk"]["bytes"])
            if e["type"] == "message_start":
                usage.update(e["message"]["usage"])
            elif e["type"] == "content_block_start":
                content.append({**e["content_block"], "json": ""})
            elif e["type"] == "content_block_delta":
                for key, piece in e["delta"].items():
                    if key != "type":
                        key = "json" if key == "partial_json" else key
                        content[e["index"]][key] = content[e["index"]].get(key, "") + piece
            elif e["type"] == "content_block_stop":
                text = content[e["index"]].pop("json")
                if text:
                    content[e["index"]]["input"] = json.loads(text)
            elif e["type"] == "message_delta":
                end = e["delta"]["stop_reason"]
                usage.update(e["usage"])
        return content, end, usage, e


class TestInvoke(Matrix, house.Case):
    client = "boto3, invoke_model"
    ends = {"stop": "end_turn", "calls": "tool_use"}
    talk = Invoke

    def model(self, provider, scene):
        return f"anthropic.claude-{provider}-{scene}"

    def is_declined(self, said):
        self.assertEqual((said.text, said.raw["amazon-bedrock-guardrailAction"]), (DECLINED, "INTERVENED"))

    def is_withheld(self, said):
        self.assertEqual(said.raw["amazon-bedrock-guardrailAction"], "INTERVENED")


class TestTrace(house.Case):
    """What a guardrail did is told to who asks."""

    def traces(self, **options):
        whole = client().converse(**options, guardrailConfig=GUARDRAIL)
        (end,) = [e["metadata"] for e in client().converse_stream(**options, guardrailConfig=GUARDRAIL)["stream"] if "metadata" in e]
        return [answer["trace"]["guardrail"] for answer in (whole, end)]

    def test_a_declined_prompt(self):
        for trace in self.traces(modelId="gemini-declined", messages=ATTACKED):
            filters = trace["inputAssessment"]["scenes"]["contentPolicy"]["filters"]
            self.assertEqual([(f["type"], f["action"], f["detected"]) for f in filters], [("PROMPT_ATTACK", "BLOCKED", True)])

    def test_a_withheld_answer(self):
        messages = [{"role": "user", "content": [{"text": house.scenes["withheld"]["Turns"][0]["Text"]}]}]
        for trace in self.traces(modelId="gemini-withheld", messages=messages, inferenceConfig={"maxTokens": 256}):
            (assessment,) = trace["outputAssessments"]["scenes"]
            self.assertIn("BLOCKED", [r["action"] for r in assessment["sensitiveInformationPolicy"]["regexes"]])

    def test_another_guardrail(self):
        with self.assertRaises(client().exceptions.ResourceNotFoundException):
            client().converse(modelId="bedrock-declined", messages=ATTACKED, guardrailConfig={**GUARDRAIL, "guardrailIdentifier": "other"})


class TestFailures(Failures, house.Case):
    provider = "bedrock"

    def ask(self, model, text, stream, retries=0):
        options = {"modelId": model, "messages": [{"role": "user", "content": [{"text": text}]}], "inferenceConfig": {"maxTokens": 256}}
        if stream:
            with contextlib.closing(client(retries=retries).converse_stream(**options)["stream"]) as events:
                message, _, _ = collect(events)
        else:
            message = client(retries=retries).converse(**options)["output"]["message"]
        return message["content"][0]["text"]

    def fails(self, scene, stream, error):
        names = {
            "busy": ("ThrottlingException", 429),
            "broken": ("ModelErrorException", 502),
            "chaos": ("ModelErrorException", 502),
            "half": ("ModelErrorException", 502),
            "silent": ("ModelTimeoutException", 504),
        }
        name, status = names[scene]
        if scene == "half" and stream:  # it had begun
            self.assertIsInstance(error, EventStreamError)
            self.assertEqual(error.response["Error"]["Code"], "modelStreamErrorException")
            return
        self.assertIsInstance(error, getattr(client().exceptions, name))
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], status)
        if scene == "busy":
            self.assertEqual(error.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"], "7")

    @contextlib.contextmanager
    def begin(self, model, text):
        options = {"modelId": model, "messages": [{"role": "user", "content": [{"text": text}]}], "inferenceConfig": {"maxTokens": 256}}
        with contextlib.closing(client().converse_stream(**options)["stream"]) as events:
            yield next(iter(events))

    def test_a_wrong_key(self):
        for name, change in (("aws_access_key_id", "rw_nobody"), ("aws_secret_access_key", "wrong")):
            with self.subTest(name):
                keys = {**pair("wrong " + name), name: change}
                config = Config(auth_scheme_preference="sigv4", retries={"total_max_attempts": 1})
                nobody = boto3.client("bedrock-runtime", endpoint_url=house.root("scenes"), region_name="eu-north-1", config=config, **keys)
                self.addCleanup(nobody.close)
                with self.assertRaises(ClientError) as caught:
                    nobody.converse(modelId="bedrock-text", messages=ATTACKED)
                self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 401)

    def test_a_model_that_nobody_serves(self):
        with self.assertRaises(client().exceptions.ResourceNotFoundException):
            client().converse(modelId="amazon.nova-0", messages=ATTACKED)

    def test_tokens_are_counted(self):
        answer = client().count_tokens(modelId="bedrock-busy", input={"converse": {"messages": [{"role": "user", "content": [{"text": "When do you open?"}]}]}})
        self.assertEqual(answer["inputTokens"], 11)


class TestGuardrails(house.Case):
    def apply(self, runtime, guardrail, version, text, source="INPUT"):
        options = {"guardrailIdentifier": guardrail, "guardrailVersion": version, "source": source, "content": [{"text": {"text": text}}]}
        return runtime.apply_guardrail(**options)

    def test_a_text_is_looked_at(self):
        for signer in (None, "guardrails"):
            runtime = client(signer=signer)
            with self.subTest(signer=signer):
                fine = self.apply(runtime, "default", "DRAFT", "Good morning.")
                self.assertEqual((fine["action"], fine["outputs"]), ("NONE", []))
                masked = self.apply(runtime, "default", "DRAFT", f"Write to {house.EMAIL}.")
                self.assertEqual((masked["action"], masked["outputs"]), ("GUARDRAIL_INTERVENED", [{"text": f"Write to {house.MASKED_EMAIL}."}]))
                (entity,) = masked["assessments"][0]["sensitiveInformationPolicy"]["piiEntities"]
                self.assertEqual((entity["type"], entity["match"], entity["action"]), ("EMAIL", house.EMAIL, "ANONYMIZED"))
                blocked = self.apply(runtime, "default", "DRAFT", house.ATTACK)
                self.assertEqual((blocked["action"], blocked["outputs"]), ("GUARDRAIL_INTERVENED", [{"text": DECLINED}]))

    def test_the_life_of_a_guardrail(self):
        operator, runtime = client("bedrock", signer="operator", trust="operator"), client()
        words = {"wordPolicyConfig": {"wordsConfig": [{"text": "bluebird"}]}, "blockedInputMessaging": "No.", "blockedOutputsMessaging": "Never."}
        made = operator.create_guardrail(name="python", **words)
        identifier = made["guardrailId"]
        got = operator.get_guardrail(guardrailIdentifier=made["guardrailArn"])
        self.assertEqual((got["name"], got["version"], got["status"]), ("python", "DRAFT", "READY"))
        self.assertEqual([w["text"] for w in got["wordPolicy"]["words"]], ["bluebird"])
        self.assertEqual(self.apply(runtime, identifier, "DRAFT", "A bluebird!")["outputs"], [{"text": "No."}])
        self.assertEqual(operator.create_guardrail_version(guardrailIdentifier=identifier)["version"], "1")
        words["wordPolicyConfig"] = {"wordsConfig": [{"text": "nightingale"}]}
        operator.update_guardrail(guardrailIdentifier=identifier, name="python", **words)
        self.assertEqual(self.apply(runtime, identifier, "DRAFT", "A bluebird!")["action"], "NONE")
        self.assertEqual(self.apply(runtime, identifier, "1", "A bluebird!", "OUTPUT")["outputs"], [{"text": "Never."}])
        listed = operator.list_guardrails(guardrailIdentifier=identifier)["guardrails"]
        self.assertEqual([g["version"] for g in listed], ["DRAFT", "1"])
        self.assertIn(identifier, [g["id"] for g in operator.list_guardrails()["guardrails"]])
        with self.assertRaises(operator.exceptions.ConflictException):
            operator.create_guardrail(name="python", **words)
        with self.assertRaises(operator.exceptions.AccessDeniedException):
            client("bedrock").delete_guardrail(guardrailIdentifier=identifier)
        operator.delete_guardrail(guardrailIdentifier=identifier)
        with self.assertRaises(operator.exceptions.ResourceNotFoundException):
            operator.get_guardrail(guardrailIdentifier=identifier)
