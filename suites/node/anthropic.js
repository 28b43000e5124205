// Anthropic's official client for Node.js before each provider.

import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { end, house, root } from "./house.js";
import { declined, failures, matrix } from "./matrix.js";

const client = (maxRetries = 0, apiKey = house.scenes.key) => new Anthropic({ baseURL: root("scenes"), apiKey, maxRetries, timeout: 20_000 });

class Messages {
  messages = [];
  constructor(model, scene) {
    Object.assign(this, { model, scene });
  }

  tell({ Role, Text, Images, Results }) {
    const content = (Results ?? []).map((r) => ({ type: "tool_result", tool_use_id: this.ids[r.Call], content: r.Text }));
    for (const data of Images ?? []) content.push({ type: "image", source: { type: "base64", media_type: "image/png", data } });
    if (Text) content.push({ type: "text", text: Text });
    this.messages.push({ role: Role === "assistant" ? Role : "user", content });
  }

  async answer(stream) {
    const { System, Tools, Schema, Thinks } = this.scene;
    const request = { model: this.model, max_tokens: 256, messages: this.messages };
    if (System) request.system = System;
    if (Tools) request.tools = Tools.map((t) => ({ name: t.Name, description: t.Description, input_schema: t.Schema }));
    if (Schema) request.output_config = { format: { type: "json_schema", schema: Schema } };
    if (Thinks) Object.assign(request, { thinking: { type: "adaptive" }, output_config: { effort: "medium" } });
    const { messages } = client();
    const answer = stream ? await messages.stream(request).finalMessage() : await messages.create(request);
    this.messages.push({ role: "assistant", content: answer.content });
    const calls = answer.content.filter((b) => b.type === "tool_use");
    this.ids = calls.map((c) => c.id);
    return {
      text: answer.content.map((b) => b.text ?? "").join(""),
      calls: calls.map((c) => ({ name: c.name, arguments: c.input })),
      end: answer.stop_reason,
      usage: [answer.usage.input_tokens, answer.usage.output_tokens],
      thought: answer.content.map((b) => b.thinking ?? "").join(""),
    };
  }
}

matrix({
  client: "anthropic",
  Talk: Messages,
  ends: { stop: "end_turn", calls: "tool_use" },
  refusal: (error) => error instanceof Anthropic.BadRequestError && error.message.includes("cannot be carried"),
  declined: (said) => assert.deepEqual([said.end, said.text], ["refusal", declined]),
  withheld: (said) => assert.equal(said.end, "refusal"),
});

const question = (model, content) => ({ model, max_tokens: 256, messages: [{ role: "user", content }] });

failures({
  client: "anthropic",
  provider: "anthropic",
  async ask(model, text, stream, retries) {
    const { messages } = client(retries);
    const answer = stream ? await messages.stream(question(model, text)).finalMessage() : await messages.create(question(model, text));
    return answer.content[0].text;
  },
  fails(scene, stream, error) {
    const [kind, status, type] = {
      busy: [Anthropic.RateLimitError, 429, "rate_limit_error"],
      broken: [Anthropic.InternalServerError, 502, "api_error"],
      chaos: [Anthropic.InternalServerError, 502, "api_error"],
      half: stream ? [Anthropic.APIError, undefined, "api_error"] : [Anthropic.InternalServerError, 502, "api_error"], // it had begun
      silent: [Anthropic.InternalServerError, 504, "timeout_error"],
    }[scene];
    assert.ok(error instanceof kind, error);
    assert.deepEqual([error.status, error.error?.error?.type], [status, type]);
    if (scene === "busy") assert.equal(error.headers.get("retry-after"), "7");
  },
  async begin(model, text) {
    const stream = await client().messages.create({ ...question(model, text), stream: true });
    for await (const _ of stream) break;
  },
});

test("anthropic: a wrong key", () => assert.rejects(client(0, "nobody").messages.create(question("anthropic-text", "Hi")), Anthropic.AuthenticationError));

test("anthropic: a model that nobody serves", () => assert.rejects(client().messages.create(question("claude-0", "Hi")), Anthropic.NotFoundError));

test("anthropic: tokens are counted", async () => {
  const { model, messages } = question("anthropic-busy", "When do you open?");
  assert.equal((await client().messages.countTokens({ model, messages })).input_tokens, 11);
});

test("anthropic: models", async () => {
  const ids = [];
  for await (const model of client().models.list()) ids.push(model.id);
  assert.ok(ids.includes("anthropic-text"), ids);
});

end("anthropic");
