// What each client is tried with before each provider.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as house from "./house.js";
import * as table from "./table.js";

const providers = ["openai", "responses", "azure", "anthropic", "bedrock", "gemini", "ollama"];

export const declined = "This request was declined by policy.";

const turn = (text) => ({ Role: "user", Text: text });

// matrix tries a client before each provider. It is described by
//
//     client     its name in the table
//     Talk       a class: new Talk(model, scene), tell(turn), which adds a turn of
//                stage.Turn's form, and async answer(stream), which asks, adds the
//                answer as the client gave it, and returns what it says: {text, calls,
//                end, usage, thought, raw}
//     ends       the ends "stop" and "calls" in the words of its API
//     refused    {"provider feature": why}: what the gateway says that it cannot
//     refusal    whether an error names what cannot be carried
//     thinks     (stream): whether the client shows what was thought
//     declined, withheld   assert that the client was told in its own way: of an
//                answer, or, where such is an error, of that
//     model      the model of a provider and a scene
export function matrix(c) {
  c = { providers, refused: {}, thinks: () => true, model: (provider, scene) => `${provider}-${scene}`, ...c };
  for (const provider of c.providers) {
    test(`${c.client} before ${provider}`, async () => {
      const failed = [];
      for (const feature of table.features) {
        const why = c.refused[`${provider} ${feature}`];
        let outcome = "no";
        try {
          await tries[feature](c, provider);
          assert.equal(why, undefined, "it is said to be refused, and is not");
          outcome = "yes";
        } catch (error) {
          if (why && c.refusal(error)) outcome = "refused";
          else failed.push(`${feature}: ${error.stack}`);
        }
        table.see(c.client, provider, feature, outcome);
      }
      assert.equal(failed.length, 0, failed.join("\n\n"));
    });
  }
}

// play plays a scene to its end, and checks every answer of it.
async function play(c, provider, name, stream) {
  const scene = house.scenes[name];
  const talk = new c.Talk(c.model(provider, name), scene);
  for (const [i, turn] of scene.Turns.entries()) {
    const reply = scene.Says[i >> 1];
    if (turn.Role === "assistant" && (reply.Text || reply.Calls)) check(c, await talk.answer(stream), reply);
    else talk.tell(turn);
  }
  const said = await talk.answer(stream);
  check(c, said, scene.Says[(scene.Turns.length - 1) >> 1]);
  return said;
}

function check(c, said, reply) {
  const calls = (reply.Calls ?? []).map((call) => ({ name: call.Name, arguments: call.Arguments }));
  assert.deepEqual({ text: said.text, calls: said.calls }, { text: reply.Text, calls });
  assert.equal(said.end, c.ends[calls.length ? "calls" : "stop"]);
}

// once says one thing.
async function once(c, provider, scene, text, stream) {
  const talk = new c.Talk(c.model(provider, scene), house.scenes[scene]);
  talk.tell(turn(text));
  return talk.answer(stream);
}

const both = (f) => async (c, provider) => {
  for (const stream of [false, true]) await f(c, provider, stream);
};

const mask = (stream) => async (c, provider) => {
  const said = await once(c, provider, "mask", `Please write to ${house.email} today.`, stream);
  assert.equal(said.text, `Done, with a copy to ${house.maskedEmail} as always.`);
  assert.equal(said.end, c.ends.stop);
};

const tries = {
  text: (c, provider) => play(c, provider, "text", false),
  streamed: (c, provider) => play(c, provider, "text", true),
  tools: (c, provider) => play(c, provider, "tools", false),
  "parallel tools": (c, provider) => play(c, provider, "parallel", false),
  "tools streamed": async (c, provider) => {
    await play(c, provider, "tools", true);
    await play(c, provider, "parallel", true);
  },
  image: both((c, provider, stream) => play(c, provider, "image", stream)),
  structured: both((c, provider, stream) => play(c, provider, "schema", stream)),
  reasoning: both(async (c, provider, stream) => {
    const { thought } = await play(c, provider, "thought", stream);
    if (c.thinks(stream)) assert.equal(thought, house.scenes.thought.Says[0].Thought);
  }),
  usage: both(async (c, provider, stream) => {
    const { usage } = await play(c, provider, "text", stream);
    assert.deepEqual(usage, [11, 7]);
  }),
  mask: mask(false),
  "mask streamed": mask(true),
  declined: both(async (c, provider, stream) => {
    const answer = await once(c, provider, "declined", house.attack, stream).catch((error) => error);
    c.declined(answer, stream);
  }),
  withheld: both(async (c, provider, stream) => {
    const answer = await once(c, provider, "withheld", house.scenes.withheld.Turns[0].Text, stream).catch((error) => error);
    assert.ok(!(answer.text ?? "").includes("SPOKE-1987"), answer.text);
    c.withheld(answer, stream);
  }),
};

// failures tries what a client makes of a provider that fails. It is described by
//
//     provider   the one that speaks the client's own dialect
//     ask        (model, text, stream, retries) to the text of an answer
//     fails      asserts of (scene, stream, error) that the client raised its own
//     begin      (model, text): begins a streamed answer, and leaves
export function failures(c) {
  test(`${c.client}: failures`, async (t) => {
    const cases = ["busy", "broken", "chaos", "half", "silent"].flatMap((scene) => [false, true].map((stream) => ({ scene, stream })));
    // All at once, for one is silent until it is not waited for.
    const answers = await Promise.allSettled(cases.map(({ scene, stream }) => c.ask(`${c.provider}-${scene}`, "When do you open?", stream, 0)));
    for (const [i, { scene, stream }] of cases.entries()) {
      await t.test(`${scene}, ${stream ? "streamed" : "whole"}`, () => {
        const { status, reason: error } = answers[i];
        assert.equal(status, "rejected", "it was answered");
        assert.ok(!`${error}`.includes("provider's own words"), `${error}`);
        c.fails(scene, stream, error);
      });
    }
  });
  if (c.retries !== false) {
    test(`${c.client}: retries`, async () => {
      const before = await house.asked(c.provider, "again");
      const ask = (stream) => c.ask(`${c.provider}-again`, `${c.client} ${stream}`, stream, 2);
      assert.deepEqual(await Promise.all([ask(false), ask(true)]), ["At nine.", "At nine."]);
      assert.equal((await house.asked(c.provider, "again")) - before, 4);
    });
  }
  test(`${c.client}: a client that leaves`, async () => {
    const text = `Until ${c.client} leaves.`;
    await c.begin(`${c.provider}-endless`, text);
    assert.equal(await house.left(text), true);
  });
}
