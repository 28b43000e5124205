// Amazon's official clients for Node.js before each provider: Bedrock's models and
// guardrails, by bearer tokens and by signatures.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as control from "@aws-sdk/client-bedrock";
import * as runtime from "@aws-sdk/client-bedrock-runtime";
import { attack, email, end, house, key, maskedEmail, root, scenes } from "./house.js";
import { declined, failures, matrix } from "./matrix.js";

// pair makes a key by which Amazon's clients sign.
function pair(name, ...options) {
  const lines = Object.fromEntries(key(name, "--aws", ...options).split("\n").map((line) => line.split("=")));
  return { credentials: { accessKeyId: lines.AWS_ACCESS_KEY_ID, secretAccessKey: lines.AWS_SECRET_ACCESS_KEY }, authSchemePreference: ["sigv4"] };
}

const token = { token: { token: house.scenes.key }, authSchemePreference: ["httpBearerAuth"] };

const made = [];

function client(kind, auth, maxAttempts = 1) {
  const c = new kind({ endpoint: root("scenes"), region: "eu-north-1", maxAttempts, ...auth });
  made.push(c);
  return c;
}

const bearing = client(runtime.BedrockRuntimeClient, token);
const signing = client(runtime.BedrockRuntimeClient, pair("signing"));
const guardrail = { guardrailIdentifier: "scenes", guardrailVersion: "DRAFT", trace: "enabled" };
const say = (text) => [{ role: "user", content: [{ text }] }];

const converse = (c) =>
  class {
    messages = [];
    constructor(modelId, scene) {
      Object.assign(this, { modelId, scene });
    }

    tell({ Role, Text, Images, Results }) {
      const content = (Results ?? []).map((r) => ({ toolResult: { toolUseId: this.ids[r.Call], content: [{ text: r.Text }] } }));
      for (const image of Images ?? []) content.push({ image: { format: "png", source: { bytes: Buffer.from(image, "base64") } } });
      if (Text) content.push({ text: Text });
      this.messages.push({ role: Role === "assistant" ? Role : "user", content });
    }

    async answer(stream) {
      const { System, Tools, Schema, Thinks } = this.scene;
      const request = { modelId: this.modelId, messages: this.messages, inferenceConfig: { maxTokens: 256 } };
      if (System) request.system = [{ text: System }];
      if (Tools) request.toolConfig = { tools: Tools.map((t) => ({ toolSpec: { name: t.Name, description: t.Description, inputSchema: { json: t.Schema } } })) };
      if (Schema) request.outputConfig = { textFormat: { type: "json_schema", structure: { jsonSchema: { name: "answer", schema: JSON.stringify(Schema) } } } };
      if (Thinks) request.outputConfig = { effort: "medium" };
      const { message, end, usage } = stream ? await collect((await c.send(new runtime.ConverseStreamCommand(request))).stream) : whole(await c.send(new runtime.ConverseCommand(request)));
      this.messages.push(message);
      const calls = message.content.flatMap((b) => b.toolUse ?? []);
      this.ids = calls.map((c) => c.toolUseId);
      return {
        text: message.content.map((b) => b.text ?? "").join(""),
        calls: calls.map((c) => ({ name: c.name, arguments: c.input })),
        end,
        usage: [usage?.inputTokens, usage?.outputTokens],
        thought: message.content.map((b) => b.reasoningContent?.reasoningText?.text ?? "").join(""),
      };
    }
  };

const whole = (answer) => ({ message: answer.output.message, end: answer.stopReason, usage: answer.usage });

// collect puts a streamed answer together, as the client leaves to whoever uses it.
async function collect(events) {
  const content = [];
  let end, usage;
  for await (const { contentBlockStart: start, contentBlockDelta: delta, contentBlockStop: stop, messageStop, metadata } of events) {
    if (start) content[start.contentBlockIndex] = { toolUse: { ...start.start.toolUse, input: "" } };
    if (delta) {
      const block = (content[delta.contentBlockIndex] ??= {});
      const { text, toolUse, reasoningContent } = delta.delta;
      if (text !== undefined) block.text = (block.text ?? "") + text;
      if (toolUse) block.toolUse.input += toolUse.input;
      if (reasoningContent) {
        const thought = (block.reasoningContent ??= { reasoningText: { text: "" } }).reasoningText;
        for (const [key, piece] of Object.entries(reasoningContent)) thought[key] = (thought[key] ?? "") + piece;
      }
    }
    const use = stop && content[stop.contentBlockIndex].toolUse;
    if (use) use.input = JSON.parse(use.input);
    end = messageStop?.stopReason ?? end;
    usage = metadata?.usage ?? usage;
  }
  return { message: { role: "assistant", content }, end, usage };
}

const dialect = {
  ends: { stop: "end_turn", calls: "tool_use" },
  refusal: (error) => error instanceof runtime.ValidationException && error.message.includes("cannot be carried"),
  declined: (said) => assert.deepEqual([said.end, said.text], ["guardrail_intervened", declined]),
  withheld: (said) => assert.equal(said.end, "guardrail_intervened"),
};

matrix({ ...dialect, client: "@aws-sdk, converse", Talk: converse(bearing) });
matrix({ ...dialect, client: "@aws-sdk, converse, signed", Talk: converse(signing) });

// Invoke is InvokeModel, in the words of Anthropic's models.
class Invoke {
  messages = [];
  constructor(modelId, scene) {
    Object.assign(this, { modelId, scene });
  }

  tell({ Role, Text, Images, Results }) {
    const content = (Results ?? []).map((r) => ({ type: "tool_result", tool_use_id: this.ids[r.Call], content: r.Text }));
    for (const data of Images ?? []) content.push({ type: "image", source: { type: "base64", media_type: "image/png", data } });
    if (Text) content.push({ type: "text", text: Text });
    this.messages.push({ role: Role === "assistant" ? Role : "user", content });
  }

  async answer(stream) {
    const { System, Tools, Schema, Thinks } = this.scene;
    const body = { anthropic_version: "bedrock-2023-05-31", max_tokens: 256, messages: this.messages };
    if (System) body.system = System;
    if (Tools) body.tools = Tools.map((t) => ({ name: t.Name, description: t.Description, input_schema: t.Schema }));
    if (Schema) body.output_config = { format: { type: "json_schema", schema: Schema } };
    if (Thinks) Object.assign(body, { thinking: { type: "adaptive" }, output_config: { effort: "medium" } });
    const request = { modelId: this.modelId, contentType: "application/json", body: JSON.stringify(body) };
    const answer = stream ? await invoked((await bearing.send(new runtime.InvokeModelWithResponseStreamCommand(request))).body) : JSON.parse((await bearing.send(new runtime.InvokeModelCommand(request))).body.transformToString());
    const { content, stop_reason, usage } = answer;
    this.messages.push({ role: "assistant", content });
    const calls = content.filter((b) => b.type === "tool_use");
    this.ids = calls.map((c) => c.id);
    return {
      text: content.map((b) => b.text ?? "").join(""),
      calls: calls.map((c) => ({ name: c.name, arguments: c.input })),
      end: stop_reason,
      usage: [usage.input_tokens, usage.output_tokens],
      thought: content.map((b) => b.thinking ?? "").join(""),
      raw: answer,
    };
  }
}

// invoked puts the events of InvokeModelWithResponseStream together.
async function invoked(events) {
  const message = { content: [], usage: {} };
  for await (const { chunk } of events) {
    const e = JSON.parse(Buffer.from(chunk.bytes).toString());
    const block = message.content[e.index];
    if (e.type === "message_start") Object.assign(message.usage, e.message.usage);
    else if (e.type === "content_block_start") message.content.push({ ...e.content_block, json: "" });
    else if (e.type === "content_block_delta") {
      const { type: _, partial_json, ...texts } = e.delta;
      block.json += partial_json ?? "";
      for (const [key, piece] of Object.entries(texts)) block[key] = (block[key] ?? "") + piece;
    } else if (e.type === "content_block_stop") {
      if (block.json) block.input = JSON.parse(block.json);
      delete block.json;
    } else if (e.type === "message_delta") {
      message.stop_reason = e.delta.stop_reason;
      Object.assign(message.usage, e.usage);
    } else if (e.type === "message_stop") Object.assign(message, e);
  }
  return message;
}

const intervened = (said) => assert.equal(said.raw["amazon-bedrock-guardrailAction"], "INTERVENED");

matrix({
  ...dialect,
  client: "@aws-sdk, InvokeModel",
  model: (provider, scene) => `anthropic.claude-${provider}-${scene}`,
  Talk: Invoke,
  declined(said) {
    assert.equal(said.text, declined);
    intervened(said);
  },
  withheld: intervened,
});

// traces are what a caller who asks is told of an intervention.
async function traces(modelId, messages) {
  const request = { modelId, messages, inferenceConfig: { maxTokens: 256 }, guardrailConfig: guardrail };
  const all = [(await bearing.send(new runtime.ConverseCommand(request))).trace];
  for await (const { metadata } of (await bearing.send(new runtime.ConverseStreamCommand(request))).stream) if (metadata) all.push(metadata.trace);
  assert.equal(all.length, 2);
  return all;
}

test("@aws-sdk: the trace of a declined prompt", async () => {
  for (const trace of await traces("gemini-declined", say(attack))) {
    const { filters } = trace.guardrail.inputAssessment.scenes.contentPolicy;
    assert.deepEqual(filters.map((f) => [f.type, f.action, f.detected]), [["PROMPT_ATTACK", "BLOCKED", true]]);
  }
});

test("@aws-sdk: the trace of a withheld answer", async () => {
  for (const trace of await traces("gemini-withheld", say(scenes.withheld.Turns[0].Text))) {
    const [{ sensitiveInformationPolicy }] = trace.guardrail.outputAssessments.scenes;
    assert.ok(sensitiveInformationPolicy.regexes.some((r) => r.action === "BLOCKED"));
  }
});

test("@aws-sdk: another guardrail", () => {
  const request = { modelId: "bedrock-declined", messages: say("Hi"), guardrailConfig: { ...guardrail, guardrailIdentifier: "other" } };
  return assert.rejects(bearing.send(new runtime.ConverseCommand(request)), runtime.ResourceNotFoundException);
});

const question = (modelId, text) => ({ modelId, messages: say(text), inferenceConfig: { maxTokens: 256 } });

failures({
  client: "@aws-sdk",
  provider: "bedrock",
  async ask(model, text, stream, retries) {
    const c = client(runtime.BedrockRuntimeClient, token, retries + 1);
    const { message } = stream ? await collect((await c.send(new runtime.ConverseStreamCommand(question(model, text)))).stream) : whole(await c.send(new runtime.ConverseCommand(question(model, text))));
    return message.content[0].text;
  },
  fails(scene, stream, error) {
    const [kind, status] = {
      busy: [runtime.ThrottlingException, 429],
      broken: [runtime.ModelErrorException, 502],
      chaos: [runtime.ModelErrorException, 502],
      half: stream ? [runtime.ModelStreamErrorException, undefined] : [runtime.ModelErrorException, 502], // it had begun
      silent: [runtime.ModelTimeoutException, 504],
    }[scene];
    assert.ok(error instanceof kind, error);
    assert.equal(error.$metadata?.httpStatusCode, status);
    if (scene === "busy") assert.equal(error.$response.headers["retry-after"], "7");
  },
  async begin(model, text) {
    const leaving = new AbortController();
    const { stream } = await bearing.send(new runtime.ConverseStreamCommand(question(model, text)), { abortSignal: leaving.signal });
    for await (const _ of stream) break;
    leaving.abort();
  },
});

for (const wrong of [{ accessKeyId: "rw_nobody" }, { secretAccessKey: "wrong" }]) {
  test(`@aws-sdk: a wrong ${Object.keys(wrong)}`, async () => {
    const auth = pair("wrong " + Object.keys(wrong));
    Object.assign(auth.credentials, wrong);
    await assert.rejects(client(runtime.BedrockRuntimeClient, auth).send(new runtime.ConverseCommand(question("bedrock-text", "Hi"))), runtime.AccessDeniedException);
  });
}

test("@aws-sdk: a model that nobody serves", () => assert.rejects(bearing.send(new runtime.ConverseCommand(question("amazon.nova-0", "Hi"))), runtime.ResourceNotFoundException));

test("@aws-sdk: tokens are counted", async () => {
  const answer = await bearing.send(new runtime.CountTokensCommand({ modelId: "bedrock-busy", input: { converse: { messages: say("When do you open?") } } }));
  assert.equal(answer.inputTokens, 11);
});

const apply = (c, guardrailIdentifier, guardrailVersion, text, source = "INPUT") => c.send(new runtime.ApplyGuardrailCommand({ guardrailIdentifier, guardrailVersion, source, content: [{ text: { text } }] }));

for (const [how, c] of [["shown a token", bearing], ["signed", signing]]) {
  test(`@aws-sdk: ApplyGuardrail, ${how}`, async () => {
    const fine = await apply(c, "default", "DRAFT", "Good morning.");
    assert.deepEqual([fine.action, fine.outputs], ["NONE", []]);
    const masked = await apply(c, "default", "DRAFT", `Write to ${email}.`);
    assert.deepEqual([masked.action, masked.outputs], ["GUARDRAIL_INTERVENED", [{ text: `Write to ${maskedEmail}.` }]]);
    const [entity] = masked.assessments[0].sensitiveInformationPolicy.piiEntities;
    assert.deepEqual([entity.type, entity.match, entity.action], ["EMAIL", email, "ANONYMIZED"]);
    const blocked = await apply(c, "default", "DRAFT", attack);
    assert.deepEqual([blocked.action, blocked.outputs], ["GUARDRAIL_INTERVENED", [{ text: declined }]]);
  });
}

test("@aws-sdk: the life of a guardrail", async () => {
  const operator = client(control.BedrockClient, pair("operator", "--trust", "operator"));
  const document = (text) => ({ name: "node", blockedInputMessaging: "No.", blockedOutputsMessaging: "Never.", wordPolicyConfig: { wordsConfig: [{ text }] } });
  const made = await operator.send(new control.CreateGuardrailCommand(document("bluebird")));
  const guardrailIdentifier = made.guardrailId;
  const got = await operator.send(new control.GetGuardrailCommand({ guardrailIdentifier: made.guardrailArn }));
  assert.deepEqual([got.name, got.version, got.status, got.wordPolicy.words[0].text], ["node", "DRAFT", "READY", "bluebird"]);
  assert.ok(got.createdAt instanceof Date);
  assert.deepEqual((await apply(bearing, guardrailIdentifier, "DRAFT", "A bluebird!")).outputs, [{ text: "No." }]);
  assert.equal((await operator.send(new control.CreateGuardrailVersionCommand({ guardrailIdentifier }))).version, "1");
  await operator.send(new control.UpdateGuardrailCommand({ guardrailIdentifier, ...document("nightingale") }));
  assert.equal((await apply(bearing, guardrailIdentifier, "DRAFT", "A bluebird!")).action, "NONE");
  assert.deepEqual((await apply(bearing, guardrailIdentifier, "1", "A bluebird!", "OUTPUT")).outputs, [{ text: "Never." }]);
  const listed = await operator.send(new control.ListGuardrailsCommand({ guardrailIdentifier }));
  assert.deepEqual(listed.guardrails.map((g) => g.version), ["DRAFT", "1"]);
  const { guardrails } = await operator.send(new control.ListGuardrailsCommand({}));
  assert.ok(guardrails.some((g) => g.id === guardrailIdentifier));
  await assert.rejects(operator.send(new control.CreateGuardrailCommand(document("x"))), control.ConflictException);
  await assert.rejects(client(control.BedrockClient, token).send(new control.DeleteGuardrailCommand({ guardrailIdentifier })), control.AccessDeniedException);
  await operator.send(new control.DeleteGuardrailCommand({ guardrailIdentifier }));
  await assert.rejects(operator.send(new control.GetGuardrailCommand({ guardrailIdentifier })), control.ResourceNotFoundException);
});

test("@aws-sdk: the clients are closed", () => {
  for (const c of made) c.destroy();
});

end("bedrock");
