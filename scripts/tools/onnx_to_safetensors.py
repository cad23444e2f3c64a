#!/usr/bin/env python3
"""Takes the weights of a BERT token classifier out of an ONNX graph (4-bit matrices, 8-bit embeddings)
and puts them, with vocabulary and labels, into one safetensors file that platform/bert reads.

  onnx_to_safetensors.py FOLDER RESULT

FOLDER holds config.json, vocab.txt, LICENSE and onnx/model_q4.onnx. Standard library only. No number is
changed: matrices stay as they are packed, so the result is exactly the model that was published, and its
checksum can be pinned.

  NAME.weight  U8  [rows, columns / 2]   two weights a byte, low half first; weight = (half - 8) * scale
  NAME.scales  F32 [rows, columns / 32]  of each 32 weights of a row
  embeddings.NAME.weight U8 [rows, columns]; .scale F32, .zero_point U8: value = (byte - zero_point) * scale
  NAME.bias, LayerNorm.weight  F32       as usual
  vocabulary   U8                        the words in order, a line each
"""

import json
import struct
import sys
from pathlib import Path

# ONNX: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (numbers of fields)
MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_INITIALIZER = 1, 5
NODE_INPUT, NODE_NAME, NODE_TYPE, NODE_ATTRIBUTE = 1, 3, 4, 5
ATTRIBUTE_NAME, ATTRIBUTE_INT = 1, 3
TENSOR_SIDE, TENSOR_TYPE, TENSOR_FLOATS, TENSOR_INTS, TENSOR_NAME, TENSOR_DATA = 1, 2, 4, 5, 8, 9
TYPES = {1: "F32", 2: "U8"}

BLOCK = 32  # weights that share a scale
EMBEDDINGS = ("word_embeddings", "position_embeddings", "token_type_embeddings")


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """Yields (number, value) of a protobuf message: an int, or the bytes of what has a length."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            if kind == 2:
                size, at = varint(data, at)
            else:
                size = {1: 8, 5: 4}[kind]
            value = data[at:at + size]
            at += size
        yield key >> 3, value


def text(value):
    return bytes(value).decode("utf-8")


def packed_ints(value):
    """A repeated integer: one by one, or several in one field."""
    if isinstance(value, int):
        return [value]
    out, at = [], 0
    while at < len(value):
        number, at = varint(value, at)
        out.append(number)
    return out


def read_tensor(message):
    """(name, type, shape, bytes)"""
    name, kind, shape, data = "", 0, [], b""
    for number, value in fields(message):
        if number == TENSOR_SIDE:
            shape += packed_ints(value)
        elif number == TENSOR_TYPE:
            kind = value
        elif number == TENSOR_NAME:
            name = text(value)
        elif number == TENSOR_DATA:
            data = value
        elif number == TENSOR_FLOATS:
            data = bytes(value)
        elif number == TENSOR_INTS:  # small ones, of a byte each here
            data += bytes(packed_ints(value))
    return name, TYPES.get(kind), shape, data


def read_node(message):
    """(type, name, inputs, attributes that are whole numbers)"""
    kind, name, inputs, attributes = "", "", [], {}
    for number, value in fields(message):
        if number == NODE_TYPE:
            kind = text(value)
        elif number == NODE_NAME:
            name = text(value)
        elif number == NODE_INPUT:
            inputs.append(text(value))
        elif number == NODE_ATTRIBUTE:
            attribute = dict(fields(value))
            if isinstance(attribute.get(ATTRIBUTE_INT), int):
                attributes[text(attribute[ATTRIBUTE_NAME])] = attribute[ATTRIBUTE_INT]
    return kind, name, inputs, attributes


def read_graph(path):
    """(matrices: nodes that multiply by 4-bit weights, tensors by name)"""
    model = memoryview(path.read_bytes())
    graph = next(value for number, value in fields(model) if number == MODEL_GRAPH)
    matrices, tensors = [], {}
    for number, value in fields(graph):
        if number == GRAPH_INITIALIZER:
            name, kind, shape, data = read_tensor(value)
            tensors[name] = (kind, shape, data)
        elif number == GRAPH_NODE:
            node = read_node(value)
            if node[0] == "MatMulNBits":
                matrices.append(node)
    return matrices, tensors


def place_of(node_name):
    """/bert/encoder/layer.0/attention/self/query/MatMul_Q4 -> encoder.layer.0.attention.self.query"""
    return node_name.removeprefix("/").removeprefix("bert/").rpartition("/")[0].replace("/", ".")


def collect(matrices, tensors):
    """name -> (type, shape, bytes) of the result"""
    out = {}
    for _, name, inputs, attributes in matrices:
        rows, columns = attributes["N"], attributes["K"]
        if (attributes["bits"], attributes["block_size"], len(inputs)) != (4, BLOCK, 3):
            raise SystemExit(f"{name}: only 4 bits in blocks of {BLOCK} around 8 are read here")
        _, _, weights = tensors[inputs[1]]
        kind, _, scales = tensors[inputs[2]]
        if len(weights) != rows * columns // 2 or kind != "F32":
            raise SystemExit(f"{name}: its weights have another shape than it says")
        place = place_of(name)
        out[f"{place}.weight"] = ("U8", [rows, columns // 2], weights)
        out[f"{place}.scales"] = ("F32", [rows, columns // BLOCK], scales)
    for name in EMBEDDINGS:
        source = f"bert.embeddings.{name}.weight"
        for suffix, target in (("_quantized", "weight"), ("_scale", "scale"), ("_zero_point", "zero_point")):
            out[f"embeddings.{name}.{target}"] = tensors[source + suffix]
    for name, (kind, shape, data) in tensors.items():
        if name.endswith(".bias") or "LayerNorm" in name:
            out[name.removeprefix("bert.")] = (kind, shape, data)
    return out


def metadata(folder):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    labels = config["id2label"]
    if config["hidden_act"] != "gelu" or config["model_type"] != "bert":
        raise SystemExit("only a BERT with the activation gelu is read here")
    return {
        "attribution": "Rampart, National Design Studio, https://huggingface.co/nationaldesignstudio/rampart",
        "heads": str(config["num_attention_heads"]),
        "labels": " ".join(labels[str(number)] for number in range(len(labels))),
        "layer_norm_eps": repr(config["layer_norm_eps"]),
        "layers": str(config["num_hidden_layers"]),
        "license": (folder / "LICENSE").read_text(encoding="utf-8"),
        "words": "lower case" if lower_case(folder) else "as written",
    }


def lower_case(folder):
    return json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["normalizer"]["lowercase"]


def write_safetensors(path, facts, tensors):
    """Length of the header (u64), the header in JSON, the data: https://github.com/huggingface/safetensors"""
    header, at = {"__metadata__": facts}, 0
    order = sorted(tensors, key=lambda name: (tensors[name][0] != "F32", name))  # floats first: aligned
    for name in order:
        kind, shape, data = tensors[name]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    encoded = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    encoded += b" " * (-len(encoded) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded)
        for name in order:
            file.write(tensors[name][2])


def convert(folder, result):
    tensors = collect(*read_graph(folder / "onnx" / "model_q4.onnx"))
    words = (folder / "vocab.txt").read_bytes().rstrip(b"\n")
    tensors["vocabulary"] = ("U8", [len(words)], words)
    write_safetensors(result, metadata(folder), tensors)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: onnx_to_safetensors.py FOLDER RESULT")
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
