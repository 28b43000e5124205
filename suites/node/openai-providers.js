// OpenAI's official client for Node.js before each provider.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { end, house } from "./house.js";
import { declined, failures, matrix } from "./matrix.js";

const client = (maxRetries = 0) => new OpenAI({ baseURL: house.scenes.url, apiKey: house.scenes.key, maxRetries, timeout: 20_000 });

const dataURL = (image) => "data:image/png;base64," + image;

class Chat {
  messages = [];
  constructor(model, scene) {
    Object.assign(this, { model, scene });
  }

  tell({ Role: role, Text: text, Images, Results }) {
    for (const r of Results ?? []) this.messages.push({ role: "tool", tool_call_id: this.ids[r.Call], content: r.Text });
    const images = (Images ?? []).map((image) => ({ type: "image_url", image_url: { url: dataURL(image) } }));
    if (text) this.messages.push({ role, content: images.length ? [{ type: "text", text }, ...images] : text });
  }

  async answer(stream) {
    const { System, Tools, Schema, Thinks } = this.scene;
    const request = { model: this.model, max_completion_tokens: 256, messages: [...this.messages] };
    if (System) request.messages.unshift({ role: "system", content: System });
    if (Tools) request.tools = Tools.map((t) => ({ type: "function", function: { name: t.Name, description: t.Description, parameters: t.Schema } }));
    if (Schema) request.response_format = { type: "json_schema", json_schema: { name: "answer", strict: true, schema: Schema } };
    if (Thinks) request.reasoning_effort = "medium";
    const { completions } = client().chat;
    const answer = stream ? await completions.stream({ ...request, stream_options: { include_usage: true } }).finalChatCompletion() : await completions.create(request);
    const [{ message, finish_reason }] = answer.choices;
    this.messages.push(message);
    this.ids = message.tool_calls?.map((c) => c.id);
    return {
      text: message.content ?? "",
      calls: (message.tool_calls ?? []).map((c) => ({ name: c.function.name, arguments: JSON.parse(c.function.arguments) })),
      end: finish_reason,
      usage: [answer.usage?.prompt_tokens, answer.usage?.completion_tokens],
      thought: message.reasoning_content,
    };
  }
}

class Responses {
  input = [];
  constructor(model, scene) {
    Object.assign(this, { model, scene });
  }

  tell({ Role: role, Text: text, Images, Results }) {
    for (const r of Results ?? []) this.input.push({ type: "function_call_output", call_id: this.ids[r.Call], output: r.Text });
    const images = (Images ?? []).map((image) => ({ type: "input_image", detail: "auto", image_url: dataURL(image) }));
    if (text) this.input.push({ role, content: images.length ? [{ type: "input_text", text }, ...images] : text });
  }

  async answer(stream) {
    const { System, Tools, Schema, Thinks } = this.scene;
    const request = { model: this.model, max_output_tokens: 256, input: this.input, store: false };
    if (System) request.instructions = System;
    if (Tools) request.tools = Tools.map((t) => ({ type: "function", name: t.Name, description: t.Description, parameters: t.Schema, strict: false }));
    if (Schema) request.text = { format: { type: "json_schema", name: "answer", strict: true, schema: Schema } };
    if (Thinks) request.reasoning = { effort: "medium", summary: "auto" };
    const { responses } = client();
    const answer = stream ? await responses.stream(request).finalResponse() : await responses.create(request);
    this.input.push(...answer.output);
    const calls = answer.output.filter((o) => o.type === "function_call");
    this.ids = calls.map((c) => c.call_id);
    return {
      text: answer.output_text,
      calls: calls.map((c) => ({ name: c.name, arguments: JSON.parse(c.arguments) })),
      end: answer.incomplete_details?.reason ?? answer.status,
      usage: [answer.usage?.input_tokens, answer.usage?.output_tokens],
      thought: answer.output.flatMap((o) => (o.type === "reasoning" ? o.summary.map((s) => s.text) : [])).join(""),
    };
  }
}

const dialect = {
  refusal: (error) => error instanceof OpenAI.BadRequestError && error.code === "unsupported_by_model",
  declined(error) {
    assert.ok(error instanceof OpenAI.BadRequestError && error.message.includes(declined), error);
    assert.equal(error.code, "content_filter");
  },
  withheld: (said) => assert.equal(said.end, "content_filter"),
};

matrix({ ...dialect, client: "openai, chat completions", thinks: (stream) => !stream, Talk: Chat, ends: { stop: "stop", calls: "tool_calls" } });
matrix({ ...dialect, client: "openai, responses", Talk: Responses, ends: { stop: "completed", calls: "completed" } });

const question = (model, content) => ({ model, max_completion_tokens: 256, messages: [{ role: "user", content }] });

failures({
  client: "openai",
  provider: "openai",
  async ask(model, text, stream, retries) {
    const { completions } = client(retries).chat;
    const answer = stream ? await completions.stream(question(model, text)).finalChatCompletion() : await completions.create(question(model, text));
    return answer.choices[0].message.content;
  },
  fails(scene, stream, error) {
    const [kind, status] = {
      busy: [OpenAI.RateLimitError, 429],
      broken: [OpenAI.InternalServerError, 502],
      chaos: [OpenAI.InternalServerError, 502],
      half: stream ? [OpenAI.APIError, undefined] : [OpenAI.InternalServerError, 502], // it had begun
      silent: [OpenAI.InternalServerError, 504],
    }[scene];
    assert.ok(error instanceof kind, error);
    assert.equal(error.status, status);
    if (scene === "busy") assert.equal(error.headers.get("retry-after"), "7");
  },
  async begin(model, text) {
    const stream = await client().chat.completions.create({ ...question(model, text), stream: true });
    for await (const _ of stream) break;
  },
});

end("openai-providers");
