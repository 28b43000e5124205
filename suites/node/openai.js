// What OpenAI's official client for Node.js sees of the gateway.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { attack, card, email, end, house, maskedCard, maskedEmail, record, script, upstream } from "./house.js";

const pixel = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

function client(gateway = "keys", options = {}) {
  const { url, key } = house[gateway];
  return new OpenAI({ baseURL: url, apiKey: key, maxRetries: 0, timeout: 20_000, ...options });
}

const user = (content) => [{ role: "user", content }];

// collect puts a streamed answer together.
async function collect(stream) {
  const got = { content: "", finish: null, usage: null };
  for await (const chunk of stream) {
    got.usage = chunk.usage ?? got.usage;
    for (const choice of chunk.choices) {
      got.content += choice.delta.content ?? "";
      got.finish = choice.finish_reason ?? got.finish;
    }
  }
  return got;
}

test("a conversation is masked, and unknown fields survive", async () => {
  const model = await script("js-conversation");
  const { data, response } = await client().chat.completions.create({
    model,
    messages: [
      { role: "system", content: "You help the customers of a shop." },
      { role: "user", content: `My card ${card} was charged twice.` },
      { role: "assistant", tool_calls: [{ id: "call_1", type: "function", function: { name: "notify", arguments: JSON.stringify({ to: email }) } }] },
      { role: "tool", tool_call_id: "call_1", content: `sent to ${email}` },
      { role: "user", content: [{ type: "text", text: `Thanks! It is ${email}.` }, { type: "image_url", image_url: { url: pixel } }] },
    ],
    x_routing: { ratio: 1.5, tags: ["ä", null] },
  }).withResponse();
  assert.equal(data.choices[0].message.content, `Thanks! It is ${maskedEmail}.`);
  const sent = await upstream(model);
  assert.equal(sent.messages[1].content, `My card ${maskedCard} was charged twice.`);
  assert.deepEqual(JSON.parse(sent.messages[2].tool_calls[0].function.arguments), { to: maskedEmail });
  assert.equal(sent.messages[4].content[1].image_url.url, pixel);
  assert.deepEqual(sent.x_routing, { ratio: 1.5, tags: ["ä", null] });
  const text = JSON.stringify(sent);
  assert.ok(!text.includes(card) && !text.includes(email), text);
  const event = record(response.headers.get("x-ringwall-exchange"));
  assert.equal(event.outcome, "answered");
  assert.equal(event.verdict.action, "mask");
});

test("a streamed answer says what a whole one says, however it is cut", async () => {
  const content = `a ${card} b ${email} c Größe 👩‍👩‍👧 and the end`;
  for (const chunk of [1, 2, 5, 17, 1000]) {
    const model = await script("js-cut", { content, chunk });
    const whole = await client().chat.completions.create({ model, messages: user("Well?") });
    const got = await collect(await client().chat.completions.create({ model, messages: user("Well?"), stream: true, stream_options: { include_usage: true } }));
    assert.equal(got.content, whole.choices[0].message.content);
    assert.equal(got.content, content.replace(card, maskedCard).replace(email, maskedEmail));
    assert.equal(got.finish, "stop");
    assert.equal(got.usage.total_tokens, 18);
  }
});

test("tool calls, masked and restored", async () => {
  const model = await script("js-tools", { chunk: 3, tools: [{ name: "notify", arguments: '{"to":"{{user}}","n":1}' }, { name: "ping", arguments: "{}" }] });
  const tools = ["notify", "ping"].map((name) => ({ type: "function", function: { name, parameters: { type: "object", additionalProperties: true } } }));
  for (const [gateway, to] of [["keys", maskedEmail], ["restore", email]]) {
    const whole = await client(gateway).chat.completions.create({ model, messages: user(email), tools });
    const streamed = await client(gateway).chat.completions.stream({ model, messages: user(email), tools }).finalChatCompletion();
    for (const answer of [whole, streamed]) {
      const [choice] = answer.choices;
      assert.equal(choice.finish_reason, "tool_calls");
      assert.deepEqual(choice.message.tool_calls.map((c) => [c.id, c.function.name]), [["call_0", "notify"], ["call_1", "ping"]]);
      assert.deepEqual(JSON.parse(choice.message.tool_calls[0].function.arguments), { to, n: 1 });
    }
  }
});

test("with restore callers get their own values back", async () => {
  const text = `Mail ${email}, pay with ${card}, {x}`;
  for (const chunk of [1, 4, 1000]) {
    const model = await script("js-restore", { chunk });
    const whole = await client("restore").chat.completions.create({ model, messages: user(text) });
    assert.equal(whole.choices[0].message.content, text);
    const got = await collect(await client("restore").chat.completions.create({ model, messages: user(text), stream: true }));
    assert.equal(got.content, text);
    assert.match((await upstream(model)).messages[0].content, /^Mail \{EMAIL_[0-9a-f]{12}\}, pay with \{CREDIT_DEBIT_CARD_NUMBER_[0-9a-f]{12}\}, \{x\}$/);
  }
});

test("a stream that breaks is an error", async () => {
  const model = await script("js-broken", { content: "Of this answer only the beginning comes.", cut: true });
  await assert.rejects(async () => collect(await client().chat.completions.create({ model, messages: user("Well?"), stream: true })), OpenAI.APIError);
});

test("models", async () => {
  const ids = [];
  for await (const model of client().models.list()) ids.push(model.id);
  assert.deepEqual(ids, ["stub-large", "stub-small"]);
});

for (const [name, kind, status, code, t] of [
  ["a wrong key", OpenAI.AuthenticationError, 401, "invalid_api_key", { options: { apiKey: "sk-nobody" } }],
  ["an attack", OpenAI.BadRequestError, 400, "content_filter", { text: attack }],
  ["a model that nobody serves", OpenAI.NotFoundError, 404, "model_not_found", { gateway: "strict", model: "gpt-0" }],
  ["a request that is too large", OpenAI.APIError, 413, "request_too_large", { gateway: "strict", model: "assistant", text: "word ".repeat(20_000) }],
  ["a model that is asked too often", OpenAI.RateLimitError, 429, "upstream_rate_limit", { script: { status: 429 } }],
  ["a prompt too long for the model", OpenAI.BadRequestError, 400, "context_length_exceeded", { script: { status: 400, code: "context_length_exceeded" } }],
  ["a provider that breaks", OpenAI.InternalServerError, 502, "upstream_error", { script: { status: 500 } }],
]) {
  test(`error: ${name}`, async () => {
    const scripted = await script("js-error-" + code, t.script);
    for (const stream of [false, true]) {
      const request = client(t.gateway, t.options).chat.completions.create({ model: t.model ?? scripted, messages: user(t.text ?? "Hi"), stream });
      const error = await request.then(() => assert.fail("the request was answered"), (e) => e);
      assert.ok(error instanceof kind, `${error}`);
      assert.equal(error.status, status);
      assert.equal(error.code, code);
      const id = error.headers.get("x-ringwall-exchange");
      assert.ok(error.message.includes(id) && !error.message.includes("stub's own words"), error.message);
      assert.equal(record(id, t.gateway).status, status);
    }
  });
}

end("openai");
