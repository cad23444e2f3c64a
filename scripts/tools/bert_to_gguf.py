#!/usr/bin/env python3
"""Turns a BERT sentence encoder (safetensors, tokenizer.json, config.json) into a GGUF file that
llama.cpp runs, with the weight matrices in 8 bits (Q8_0).

  bert_to_gguf.py FOLDER RESULT

Standard library only: about ten seconds for the 22 million weights of all-MiniLM-L6-v2. The result
depends on nothing but the input, so its checksum can be pinned.
"""

import array
import json
import mmap
import struct
import sys
from pathlib import Path

# GGUF: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
ALIGNMENT = 32
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
TENSOR_F32, TENSOR_Q8_0 = 0, 8
FILE_TYPE_MOSTLY_Q8_0 = 7
POOLING_MEAN = 1
TOKEN_NORMAL, TOKEN_CONTROL = 1, 3

EMBEDDING_NAMES = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
}
LAYER_NAMES = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
# Small tables that llama.cpp adds to the token embeddings: it wants them unquantised.
KEPT_IN_F32 = ("token_types.weight", "position_embd.weight")


def gguf_name(name):
    """llama.cpp's name for a tensor of the Hugging Face model; None for one that it does not use."""
    if name.startswith("pooler.") or name.endswith("position_ids"):
        return None
    base, _, suffix = name.rpartition(".")
    if base.startswith("encoder.layer."):
        number, _, rest = base.removeprefix("encoder.layer.").partition(".")
        return f"blk.{number}.{LAYER_NAMES[rest]}.{suffix}"
    return f"{EMBEDDING_NAMES[base]}.{suffix}"


def read_safetensors(path):
    """Yields (name, shape, float32 bytes) in the order in which they lie in the file.

    The file: length of the header (u64), a JSON header, then the data that its offsets point into.
    """
    with open(path, "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    (header_size,) = struct.unpack_from("<Q", data)
    start = 8 + header_size
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    for name, info in sorted(header.items(), key=lambda item: item[1]["data_offsets"][0]):
        begin, end = info["data_offsets"]
        if gguf_name(name) is None:
            continue
        if info["dtype"] != "F32":
            raise SystemExit(f"{path}: {name} is {info['dtype']}; only F32 is read here")
        yield name, info["shape"], data[start + begin:start + end]


def quantise_q8_0(weights, row_length):
    """Blocks of 32 weights: a float16 scale (largest magnitude / 127), then 32 signed bytes.

    Every step is rounded to float32 (that is what the array of products is for), as ggml does it.
    """
    values = array.array("f")
    values.frombytes(weights)
    if sys.byteorder == "big":
        values.byteswap()
    out = bytearray()
    to_f32 = struct.Struct("<f")
    for row in range(0, len(values), row_length):
        for begin in range(row, row + row_length, 32):
            block = values[begin:begin + 32]
            largest = max(max(block), -min(block))
            (scale,) = to_f32.unpack(to_f32.pack(largest / 127))
            (inverse,) = to_f32.unpack(to_f32.pack(1 / scale)) if scale else (0.0,)
            products = array.array("f", [value * inverse for value in block])
            out += struct.pack("<e", scale)
            out += array.array("b", [int(p + 0.5) if p > 0 else int(p - 0.5) for p in products])
    return bytes(out)


def string(text):
    encoded = text.encode("utf-8")
    return struct.pack("<Q", len(encoded)) + encoded


def tokens_and_types(tokenizer):
    """WordPiece as llama.cpp wants it: words start with U+2581, continuations lose their "##"."""
    vocabulary = tokenizer["model"]["vocab"]
    special_ids = {token["id"] for token in tokenizer["added_tokens"] if token["special"]}
    tokens, types = [], []
    for text, number in sorted(vocabulary.items(), key=lambda item: item[1]):
        if number in special_ids or (text.startswith("[") and text.endswith("]")):
            tokens.append(text)
            types.append(TOKEN_CONTROL)
        else:
            tokens.append(text[2:] if text.startswith("##") else "\u2581" + text)
            types.append(TOKEN_NORMAL)
    return tokens, types


def metadata(config, tokenizer):
    """(key, type, encoded value) in the order of the file."""
    def u32(key, value):
        return key, U32, struct.pack("<I", value)

    def flag(key, value):
        return key, BOOL, struct.pack("<?", value)

    tokens, types = tokens_and_types(tokenizer)
    vocabulary = tokenizer["model"]["vocab"]
    token_list = struct.pack("<IQ", STRING, len(tokens)) + b"".join(map(string, tokens))
    type_list = struct.pack(f"<IQ{len(types)}i", I32, len(types), *types)
    return [
        ("general.architecture", STRING, string("bert")),
        ("general.name", STRING, string("all-MiniLM-L6-v2")),
        u32("bert.context_length", config["max_position_embeddings"]),
        u32("bert.embedding_length", config["hidden_size"]),
        u32("bert.feed_forward_length", config["intermediate_size"]),
        u32("bert.block_count", config["num_hidden_layers"]),
        u32("bert.attention.head_count", config["num_attention_heads"]),
        ("bert.attention.layer_norm_epsilon", F32, struct.pack("<f", config["layer_norm_eps"])),
        flag("bert.attention.causal", False),
        u32("bert.pooling_type", POOLING_MEAN),
        ("tokenizer.ggml.model", STRING, string("bert")),
        ("tokenizer.ggml.pre", STRING, string("default")),
        u32("tokenizer.ggml.token_type_count", config["type_vocab_size"]),
        ("tokenizer.ggml.tokens", ARRAY, token_list),
        ("tokenizer.ggml.token_type", ARRAY, type_list),
        u32("tokenizer.ggml.unknown_token_id", vocabulary["[UNK]"]),
        u32("tokenizer.ggml.seperator_token_id", vocabulary["[SEP]"]),  # spelt so in GGUF
        u32("tokenizer.ggml.padding_token_id", vocabulary["[PAD]"]),
        u32("tokenizer.ggml.mask_token_id", vocabulary["[MASK]"]),
        u32("tokenizer.ggml.bos_token_id", vocabulary["[CLS]"]),
        u32("tokenizer.ggml.eos_token_id", vocabulary["[SEP]"]),
        flag("tokenizer.ggml.add_bos_token", True),
        flag("tokenizer.ggml.add_eos_token", True),
        u32("general.file_type", FILE_TYPE_MOSTLY_Q8_0),
    ]


def padded(data):
    return data + bytes(-len(data) % ALIGNMENT)


def write_gguf(path, fields, tensors):
    """`tensors`: (name, shape, tensor type, data)."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(fields))
    for key, kind, value in fields:
        head += string(key) + struct.pack("<I", kind) + value
    offset = 0
    for name, shape, kind, data in tensors:
        head += string(name) + struct.pack("<I", len(shape))
        head += b"".join(struct.pack("<Q", side) for side in reversed(shape))
        head += struct.pack("<IQ", kind, offset)
        offset += len(padded(data))
    with open(path, "wb") as file:
        file.write(padded(head))
        for _, _, _, data in tensors:
            file.write(padded(data))


def convert(folder, result):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tensors = []
    for source_name, shape, data in read_safetensors(folder / "model.safetensors"):
        name = gguf_name(source_name)
        if len(shape) == 2 and name not in KEPT_IN_F32:
            tensors.append((name, shape, TENSOR_Q8_0, quantise_q8_0(data, shape[1])))
        else:
            tensors.append((name, shape, TENSOR_F32, data))
    write_gguf(result, metadata(config, tokenizer), tensors)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: bert_to_gguf.py FOLDER RESULT")
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
