"""What each client is tried with before each provider.

A class of tests for a client is

    class TestIt(Matrix, house.Case):
        client = "its name in the table"
        refused = {("a provider", "a feature"): "why the gateway says that it cannot"}
        lacks = {"a feature": "why the client has no word for it"}

        talk = the class that is its Talk
        def refusal(self, error): whether the gateway named what cannot be carried
        def is_declined(self, said): asserts that the client was told in its own way
        def is_withheld(self, said): the same
"""

import concurrent.futures
import dataclasses

import house
import table

PROVIDERS = ("openai", "responses", "azure", "anthropic", "bedrock", "gemini", "ollama")

DECLINED = "This request was declined by policy."


@dataclasses.dataclass
class Said:
    """What an answer says, whatever its API."""

    text: str = ""
    calls: list = dataclasses.field(default_factory=list)  # of (name, arguments)
    end: str = ""  # in the words of the API
    usage: tuple = ()  # tokens in and out
    thought: str = ""
    raw: object = None  # the answer itself, of a stream the last that came


class Talk:
    """A conversation by means of a client. It holds what the client itself would."""

    def __init__(self, model, scene):
        self.model, self.scene = model, scene
        self.messages, self.ids = [], []  # ids are those of the calls of the last answer

    def tell(self, turn):
        """Add a turn of stage.Turn's form."""
        raise NotImplementedError

    def answer(self, stream):
        """Ask, add the answer as the client gave it, and return what it Said."""
        raise NotImplementedError


def user(text):
    return {"Role": "user", "Text": text}


class Matrix:
    client, providers, refused, lacks = "", PROVIDERS, {}, {}
    ends = {}  # "stop" and "calls" in the words of the API

    def test_features(self):
        for provider in self.providers:
            for feature in table.FEATURES:
                if feature not in self.lacks:
                    with self.subTest(provider=provider, feature=feature):
                        self.outcome(provider, feature)

    def outcome(self, provider, feature):
        why = self.refused.get((provider, feature))
        self.see(provider, feature, "no")
        try:
            getattr(self, "try_" + feature.replace(" ", "_"))(provider)
        except Exception as error:
            if not why or not self.refusal(error):
                raise
            self.see(provider, feature, "refused")
        else:
            self.assertIsNone(why, "it is said to be refused, and is not")
            self.see(provider, feature, "yes")

    def see(self, provider, feature, outcome):
        table.see(self.client, provider, feature, outcome)

    def model(self, provider, scene):
        return f"{provider}-{scene}"

    def play(self, provider, name, stream):
        """Play a scene to its end, and check every answer of it."""
        scene = house.scenes[name]
        talk, turns = self.talk(self.model(provider, name), scene), scene["Turns"]
        for i, turn in enumerate(turns):
            if turn["Role"] == "assistant" and self.spoken(scene["Says"][i // 2]):
                self.said(talk.answer(stream), scene["Says"][i // 2])
            else:
                talk.tell(turn)
        said, want = talk.answer(stream), scene["Says"][(len(turns) - 1) // 2]
        self.said(said, want)
        return said

    def spoken(self, reply):
        return reply["Text"] or reply["Calls"]

    def said(self, said, want):
        calls = [(c["Name"], c["Arguments"]) for c in want["Calls"] or []]
        self.assertEqual((said.text, said.calls), (want["Text"], calls))
        self.assertEqual(said.end, self.ends["calls" if calls else "stop"])

    def once(self, provider, scene, text, stream):
        """Say one thing."""
        talk = self.talk(self.model(provider, scene), house.scenes[scene])
        talk.tell(user(text))
        return talk.answer(stream)

    def try_text(self, provider):
        self.play(provider, "text", False)

    def try_streamed(self, provider):
        self.play(provider, "text", True)

    def try_tools(self, provider):
        self.play(provider, "tools", False)

    def try_parallel_tools(self, provider):
        self.play(provider, "parallel", False)

    def try_tools_streamed(self, provider):
        self.play(provider, "tools", True)
        self.play(provider, "parallel", True)

    def try_image(self, provider):
        for stream in (False, True):
            self.play(provider, "image", stream)

    def try_structured(self, provider):
        for stream in (False, True):
            self.play(provider, "schema", stream)

    def try_reasoning(self, provider):
        for stream in (False, True):
            said = self.play(provider, "thought", stream)
            if self.thinks(provider):
                self.assertEqual(said.thought, house.scenes["thought"]["Says"][0]["Thought"])

    def thinks(self, provider):
        """Whether the client is shown what a provider's model thought."""
        return True

    def try_usage(self, provider):
        for stream in (False, True):
            self.assertEqual(self.play(provider, "text", stream).usage, (11, 7))

    def mask(self, provider, stream):
        said = self.once(provider, "mask", f"Please write to {house.EMAIL} today.", stream)
        self.assertEqual(said.text, f"Done, with a copy to {house.MASKED_EMAIL} as always.")
        self.assertEqual(said.end, self.ends["stop"])

    def try_mask(self, provider):
        self.mask(provider, False)

    def try_mask_streamed(self, provider):
        self.mask(provider, True)

    def try_declined(self, provider):
        for stream in (False, True):
            self.declined(provider, stream)

    def declined(self, provider, stream):
        self.is_declined(self.once(provider, "declined", house.ATTACK, stream))

    def try_withheld(self, provider):
        for stream in (False, True):
            self.withheld(provider, stream)

    def withheld(self, provider, stream):
        said = self.once(provider, "withheld", house.scenes["withheld"]["Turns"][0]["Text"], stream)
        self.assertNotIn("SPOKE-1987", said.text)
        self.is_withheld(said)


class Failures:
    """What a client makes of a provider that fails. A class of tests for a client has

    provider = "the one that speaks the client's own dialect"

    def ask(self, model, text, stream, retries=0): the text of an answer
    def fails(self, scene, stream, error): asserts that the client raised its own error
    def begin(self, model, text): a context in which a streamed answer has begun
    """

    provider = ""

    def model(self, scene):
        return f"{self.provider}-{scene}"

    def test_failures(self):
        cases = [(scene, stream) for scene in ("busy", "broken", "chaos", "half", "silent") for stream in (False, True)]
        with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:  # for one is silent until it is not waited for
            asked = [pool.submit(self.ask, self.model(scene), "When do you open?", stream) for scene, stream in cases]
        for (scene, stream), answer in zip(cases, asked):
            with self.subTest(scene=scene, stream=stream):
                error = answer.exception()
                self.assertIsNotNone(error, "it was answered")
                self.assertNotIn("provider's own words", str(error))
                self.fails(scene, stream, error)

    def test_retries(self):
        before = house.asked(self.provider, "again")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:  # for clients wait before they try again
            asked = [pool.submit(self.ask, self.model("again"), f"{type(self).__module__} {stream}", stream, retries=2) for stream in (False, True)]
        self.assertEqual([answer.result() for answer in asked], ["At nine."] * 2)
        self.assertEqual(house.asked(self.provider, "again") - before, 4)

    def test_a_client_that_leaves(self):
        text = f"Until {type(self).__module__} leaves."
        with self.begin(self.model("endless"), text):
            pass
        self.assertTrue(house.left(text))
