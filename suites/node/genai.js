// Google's official client for Node.js, @google/genai, before each provider.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, GoogleGenAI } from "@google/genai";
import { end, house, root } from "./house.js";
import { declined, failures, matrix } from "./matrix.js";

function client(retries = 0, apiKey = house.scenes.key) {
  const retryOptions = { attempts: retries + 1, initialDelay: 0.01, maxDelay: 0.1 };
  return new GoogleGenAI({ apiKey, vertexai: false, httpOptions: { baseUrl: root("scenes"), timeout: 20_000, retryOptions } });
}

class Generate {
  contents = [];
  constructor(model, scene) {
    Object.assign(this, { model, scene });
  }

  tell({ Role, Text, Images, Results }) {
    const parts = (Results ?? []).map((r) => ({ functionResponse: { ...this.ids[r.Call], response: { output: r.Text } } }));
    for (const data of Images ?? []) parts.push({ inlineData: { data, mimeType: "image/png" } });
    if (Text) parts.push({ text: Text });
    this.contents.push({ role: Role === "assistant" ? "model" : "user", parts });
  }

  async answer(stream) {
    const { System, Tools, Schema, Thinks } = this.scene;
    const config = { maxOutputTokens: 256 };
    if (System) config.systemInstruction = System;
    if (Tools) config.tools = [{ functionDeclarations: Tools.map((t) => ({ name: t.Name, description: t.Description, parametersJsonSchema: t.Schema })) }];
    if (Schema) Object.assign(config, { responseMimeType: "application/json", responseJsonSchema: Schema });
    if (Thinks) config.thinkingConfig = { thinkingBudget: 1024, includeThoughts: true };
    const request = { model: this.model, contents: this.contents, config };
    const { models } = client();
    const said = { text: "", calls: [], end: undefined, usage: [], thought: "" };
    const parts = [];
    for await (const answer of stream ? await models.generateContentStream(request) : [await models.generateContent(request)]) {
      said.raw = answer;
      if (answer.usageMetadata) said.usage = [answer.usageMetadata.promptTokenCount, answer.usageMetadata.candidatesTokenCount];
      said.end = answer.candidates?.[0]?.finishReason ?? said.end;
      parts.push(...(answer.candidates?.[0]?.content?.parts ?? []));
    }
    for (const part of parts) {
      if (part.functionCall) said.calls.push({ name: part.functionCall.name, arguments: part.functionCall.args });
      else said[part.thought ? "thought" : "text"] += part.text ?? "";
    }
    this.contents.push({ role: "model", parts });
    this.ids = parts.flatMap((p) => (p.functionCall ? [{ id: p.functionCall.id, name: p.functionCall.name }] : []));
    return said;
  }
}

const status = (error) => JSON.parse(error.message).error.status;

matrix({
  client: "@google/genai",
  Talk: Generate,
  ends: { stop: "STOP", calls: "STOP" },
  refused: { "anthropic reasoning": "a budget of 1024 tokens does not fit an answer of 256 there" },
  refusal: (error) => error instanceof ApiError && error.status === 400 && error.message.includes("cannot be carried"),
  declined({ raw }) {
    assert.deepEqual([raw.promptFeedback.blockReason, raw.promptFeedback.blockReasonMessage], ["SAFETY", declined]);
    assert.ok(!raw.candidates?.length);
  },
  withheld: (said) => assert.equal(said.end, "SAFETY"),
});

const question = (model, contents) => ({ model, contents, config: { maxOutputTokens: 256 } });

failures({
  client: "@google/genai",
  provider: "gemini",
  async ask(model, text, stream, retries) {
    const { models } = client(retries);
    if (!stream) return (await models.generateContent(question(model, text))).text;
    let said = "";
    for await (const answer of await models.generateContentStream(question(model, text))) said += answer.text ?? "";
    return said;
  },
  fails(scene, stream, error) {
    const [code, name] = {
      busy: [429, "RESOURCE_EXHAUSTED"],
      broken: [502, "UNAVAILABLE"],
      chaos: [502, "UNAVAILABLE"],
      half: [502, "UNAVAILABLE"],
      silent: [504, "DEADLINE_EXCEEDED"],
    }[scene];
    assert.ok(error instanceof ApiError, error);
    assert.equal(error.status, code);
    assert.ok(error.message.includes(`"${name}"`), error.message);
  },
  async begin(model, text) {
    const leaving = new AbortController();
    const request = question(model, text);
    request.config.abortSignal = leaving.signal;
    for await (const _ of await client().models.generateContentStream(request)) break;
    leaving.abort();
  },
});

test("@google/genai: a wrong key", () =>
  assert.rejects(client(0, "nobody").models.generateContent(question("gemini-text", "Hi")), (error) => error instanceof ApiError && status(error) === "UNAUTHENTICATED"));

test("@google/genai: a model that nobody serves", () =>
  assert.rejects(client().models.generateContent(question("gemini-0", "Hi")), (error) => error instanceof ApiError && status(error) === "NOT_FOUND"));

test("@google/genai: tokens are counted", async () => {
  assert.equal((await client().models.countTokens({ model: "gemini-busy", contents: "When do you open?" })).totalTokens, 11);
});

test("@google/genai: models", async () => {
  const names = [];
  for await (const model of await client().models.list()) names.push(model.name);
  assert.ok(names.includes("models/gemini-text"), names);
});

end("genai");
