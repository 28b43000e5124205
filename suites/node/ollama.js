// Ollama's official client for Node.js before each provider.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Ollama } from "ollama";
import { email, end, house, maskedEmail, root } from "./house.js";
import { declined, failures, matrix } from "./matrix.js";

const client = (key = house.scenes.key) => new Ollama({ host: root("scenes"), headers: { Authorization: "Bearer " + key } });

class Chat {
  messages = [];
  constructor(model, scene) {
    Object.assign(this, { model, scene });
  }

  tell({ Role: role, Text: content, Images: images, Results }) {
    for (const r of Results ?? []) this.messages.push({ role: "tool", tool_name: this.ids[r.Call], content: r.Text });
    if (content) this.messages.push({ role, content, images: images ?? undefined });
  }

  async answer(stream) {
    const { System, Tools, Schema, Thinks } = this.scene;
    const request = { model: this.model, options: { num_predict: 256 }, messages: [...this.messages], stream };
    if (System) request.messages.unshift({ role: "system", content: System });
    if (Tools) request.tools = Tools.map((t) => ({ type: "function", function: { name: t.Name, description: t.Description, parameters: t.Schema } }));
    if (Schema) request.format = Schema;
    if (Thinks) request.think = true;
    const said = { text: "", calls: [], end: undefined, usage: [], thought: "" };
    const answers = await client().chat(request);
    const calls = [];
    for await (const answer of stream ? answers : [answers]) {
      said.text += answer.message.content ?? "";
      said.thought += answer.message.thinking ?? "";
      calls.push(...(answer.message.tool_calls ?? []));
      if (answer.done) Object.assign(said, { end: answer.done_reason, usage: [answer.prompt_eval_count, answer.eval_count] });
    }
    this.messages.push({ role: "assistant", content: said.text, tool_calls: calls });
    this.ids = calls.map((c) => c.function.name);
    said.calls = calls.map((c) => ({ name: c.function.name, arguments: c.function.arguments }));
    return said;
  }
}

const named = (error, status) => {
  assert.equal(error.name, "ResponseError", error);
  assert.equal(error.status_code, status);
  return true;
};

matrix({
  client: "ollama",
  Talk: Chat,
  ends: { stop: "stop", calls: "stop" },
  refusal: (error) => error.status_code === 400 && error.message.includes("cannot be carried"),
  declined(error) {
    named(error, 400);
    assert.ok(error.message.includes(declined), error);
  },
  withheld: (said) => assert.equal(said.end, "content_filter"),
});

const question = (model, content, stream) => ({ model, messages: [{ role: "user", content }], options: { num_predict: 256 }, stream });

failures({
  client: "ollama",
  provider: "ollama",
  retries: false, // it has none
  async ask(model, text, stream) {
    const answers = await client().chat(question(model, text, stream));
    let said = "";
    for await (const answer of stream ? answers : [answers]) said += answer.message.content ?? "";
    return said;
  },
  fails(scene, stream, error) {
    if (scene === "half" && stream) assert.match(error.message, /\(reference x/); // it had begun
    else named(error, { busy: 429, broken: 502, chaos: 502, half: 502, silent: 504 }[scene]);
  },
  async begin(model, text) {
    const stream = await client().chat(question(model, text, true));
    for await (const _ of stream) break;
    stream.abort();
  },
});

test("ollama: a wrong key", () => assert.rejects(client("nobody").chat(question("ollama-text", "Hi", false)), (error) => named(error, 401)));

test("ollama: a model that nobody serves", () => assert.rejects(client().chat(question("llama-0", "Hi", false)), (error) => named(error, 404)));

test("ollama: generate", async () => {
  for (const stream of [false, true]) {
    const answers = await client().generate({ model: "anthropic-mask", prompt: `Please write to ${email} today.`, options: { num_predict: 256 }, stream });
    let said = "";
    for await (const answer of stream ? answers : [answers]) said += answer.response;
    assert.equal(said, `Done, with a copy to ${maskedEmail} as always.`);
  }
});

test("ollama: models", async () => {
  const { models } = await client().list();
  assert.ok(models.some((m) => m.name === "ollama-text"), models);
});

end("ollama");
