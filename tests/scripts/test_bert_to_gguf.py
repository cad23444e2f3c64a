"""scripts/tools/bert_to_gguf.py on a model of a few hundred weights, read back by a reader of its own."""

import array
import json
import pathlib
import struct
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "tools"))

import bert_to_gguf  # noqa: E402

HIDDEN = 32
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cause", "##way"]
TENSORS = {
    "embeddings.word_embeddings.weight": [len(TOKENS), HIDDEN],
    "embeddings.position_embeddings.weight": [4, HIDDEN],
    "embeddings.token_type_embeddings.weight": [2, HIDDEN],
    "embeddings.LayerNorm.weight": [HIDDEN],
    "encoder.layer.0.attention.self.query.weight": [HIDDEN, HIDDEN],
    "encoder.layer.0.output.LayerNorm.bias": [HIDDEN],
    "pooler.dense.weight": [HIDDEN, HIDDEN],
}


def numbers(count, seed):
    """Numbers between -1 and 1 that look random and are the same everywhere."""
    values = []
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) % 2**31
        values.append(seed / 2**30 - 1)
    return array.array("f", values)


@pytest.fixture
def model(tmp_path):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for seed, (name, shape) in enumerate(TENSORS.items()):
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        values = numbers(count, seed).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    encoded = json.dumps(header).encode()
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(encoded)) + encoded + data)
    (tmp_path / "config.json").write_text(json.dumps({
        "max_position_embeddings": 4, "hidden_size": HIDDEN, "intermediate_size": 64,
        "num_hidden_layers": 1, "num_attention_heads": 2, "layer_norm_eps": 1e-12,
        "type_vocab_size": 2}))
    (tmp_path / "tokenizer.json").write_text(json.dumps({
        "model": {"vocab": {token: number for number, token in enumerate(TOKENS)}},
        "added_tokens": [{"id": 0, "special": True}]}))
    return tmp_path


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        value = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return value if len(value) > 1 else value[0]

    def string(self):
        size = self.take("Q")
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def value(self, kind):
        if kind == bert_to_gguf.STRING:
            return self.string()
        if kind == bert_to_gguf.ARRAY:
            kind, count = self.take("IQ")
            return [self.value(kind) for _ in range(count)]
        return self.take({4: "I", 5: "i", 6: "f", 7: "?"}[kind])


def read_gguf(path):
    reader = Reader(path.read_bytes())
    assert reader.data[:4] == b"GGUF"
    reader.at = 4
    version, tensor_count, field_count = reader.take("IQQ")
    assert version == 3
    fields = {}
    for _ in range(field_count):
        key = reader.string()
        fields[key] = reader.value(reader.take("I"))
    tensors = {}
    for _ in range(tensor_count):
        name = reader.string()
        sides = [reader.take("Q") for _ in range(reader.take("I"))]
        tensors[name] = (sides, *reader.take("IQ"))
    start = -(-reader.at // 32) * 32
    return fields, tensors, reader.data[start:]


def test_fields_and_tensors(model):
    result = model / "out.gguf"
    bert_to_gguf.convert(model, result)
    fields, tensors, data = read_gguf(result)
    assert fields["general.architecture"] == "bert"
    assert fields["bert.pooling_type"] == 1 and fields["bert.attention.causal"] is False
    assert fields["tokenizer.ggml.tokens"] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]",
                                               "\u2581cause", "way"]
    assert fields["tokenizer.ggml.token_type"] == [3, 3, 3, 3, 3, 1, 1]
    assert fields["tokenizer.ggml.bos_token_id"] == 2 and fields["tokenizer.ggml.eos_token_id"] == 3
    assert set(tensors) == {"token_embd.weight", "position_embd.weight", "token_types.weight",
                            "token_embd_norm.weight", "blk.0.attn_q.weight",
                            "blk.0.layer_output_norm.bias"}, "the pooler is left out"
    assert tensors["token_embd.weight"][0] == [HIDDEN, len(TOKENS)]
    assert tensors["token_embd.weight"][1] == bert_to_gguf.TENSOR_Q8_0
    sides, kind, offset = tensors["position_embd.weight"]
    assert kind == bert_to_gguf.TENSOR_F32
    assert data[offset:offset + 4 * 4 * HIDDEN] == numbers(4 * HIDDEN, 1).tobytes()


def test_the_same_bytes_each_time(model):
    bert_to_gguf.convert(model, model / "a")
    bert_to_gguf.convert(model, model / "b")
    assert (model / "a").read_bytes() == (model / "b").read_bytes()


def test_quantised_weights_are_near(model):
    values = numbers(64, 7)
    packed = bert_to_gguf.quantise_q8_0(values.tobytes(), 64)
    assert len(packed) == 2 * 34
    for block in range(2):
        (scale,) = struct.unpack_from("<e", packed, block * 34)
        steps = struct.unpack_from("<32b", packed, block * 34 + 2)
        assert max(map(abs, steps)) == 127, "the largest weight uses the whole range"
        for step, value in zip(steps, values[block * 32:]):
            assert abs(step * scale - value) <= scale * 0.6


def test_a_block_of_zeros():
    assert bert_to_gguf.quantise_q8_0(bytes(128), 32) == bytes(34)


def test_halves_are_rounded_away_from_zero():
    values = array.array("f", [127.0, 0.5, -0.5, 1.5, -1.5] + [0.0] * 27)
    assert struct.unpack_from("<5b", bert_to_gguf.quantise_q8_0(values.tobytes(), 32), 2) == \
        (127, 1, -1, 2, -2)


def test_other_number_formats_are_refused(model):
    raw = (model / "model.safetensors").read_bytes().replace(b'"F32"', b'"F16"')
    (model / "model.safetensors").write_bytes(raw)
    with pytest.raises(SystemExit, match="only F32"):
        bert_to_gguf.convert(model, model / "out.gguf")
