"""scripts/tools/onnx_to_safetensors.py on a graph of a few weights, written here field by field."""

import json
import pathlib
import struct
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "tools"))

import onnx_to_safetensors as tool  # noqa: E402

ROWS, COLUMNS = 2, 32
PACKED = bytes(range(ROWS * COLUMNS // 2))
SCALES = struct.pack("<2f", 0.5, -0.25)
BIAS = struct.pack("<2f", 1.0, 2.0)


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, kind, shape, **data):
    packed = b"".join(map(varint, shape))
    fields = {"raw": 9, "floats": 4, "ints": 5}
    return field(5, field(1, packed) + field(2, kind) + field(8, name)
                 + b"".join(field(fields[key], value) for key, value in data.items()))


def attribute(name, value):
    return field(5, field(1, name) + field(3, value) + field(20, 2))


def node(name, bits=4):
    return field(1, field(1, "x") + field(1, "weights") + field(1, "scales") + field(2, "y") + field(3, name)
                 + field(4, "MatMulNBits") + attribute("K", COLUMNS) + attribute("N", ROWS)
                 + attribute("bits", bits) + attribute("block_size", 32))


@pytest.fixture
def folder(tmp_path):
    def make(matrix):
        embeddings = b""
        for name in tool.EMBEDDINGS:
            embeddings += tensor(f"bert.embeddings.{name}.weight_quantized", 2, [1, 3], raw=b"\x80\x81\x7f")
            embeddings += tensor(f"bert.embeddings.{name}.weight_scale", 1, [], floats=struct.pack("<f", 0.125))
            embeddings += tensor(f"bert.embeddings.{name}.weight_zero_point", 2, [], ints=varint(128))
        graph = (matrix + field(1, field(3, "/other") + field(4, "Add")) + embeddings
                 + tensor("weights", 2, [ROWS, 1, 16], raw=PACKED) + tensor("scales", 1, [ROWS], raw=SCALES)
                 + tensor("bert.encoder.layer.0.attention.self.query.bias", 1, [ROWS], raw=BIAS)
                 + tensor("not_used", 7, [1], raw=bytes(8)))
        (tmp_path / "onnx").mkdir()
        (tmp_path / "onnx" / "model_q4.onnx").write_bytes(field(1, 8) + field(7, graph))
        (tmp_path / "config.json").write_text(json.dumps({
            "hidden_act": "gelu", "model_type": "bert", "id2label": {"1": "B-X", "0": "O"},
            "num_attention_heads": 2, "num_hidden_layers": 1, "layer_norm_eps": 1e-12}))
        (tmp_path / "tokenizer.json").write_text('{"normalizer": {"lowercase": true}}')
        (tmp_path / "vocab.txt").write_text("[PAD]\nal\n##ex\n")
        (tmp_path / "LICENSE").write_text("Copyright ©")
        return tmp_path
    return make


def read(path):
    data = path.read_bytes()
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + size])
    facts = header.pop("__metadata__")
    arrays = {}
    for name, about in header.items():
        begin, end = about["data_offsets"]
        if about["dtype"] == "F32":
            assert (8 + size + begin) % 4 == 0, name
        arrays[name] = (about["dtype"], about["shape"], data[8 + size:][begin:end])
    return facts, arrays


def test_every_number_is_the_same(folder, tmp_path):
    tool.convert(folder(node("/bert/encoder/layer.0/attention/self/query/MatMul_Q4")), tmp_path / "out")
    facts, arrays = read(tmp_path / "out")
    query = "encoder.layer.0.attention.self.query"
    assert arrays[f"{query}.weight"] == ("U8", [ROWS, COLUMNS // 2], PACKED)
    assert arrays[f"{query}.scales"] == ("F32", [ROWS, 1], SCALES)
    assert arrays[f"{query}.bias"] == ("F32", [ROWS], BIAS)
    assert arrays["embeddings.word_embeddings.weight"][2] == b"\x80\x81\x7f"
    assert arrays["embeddings.word_embeddings.scale"][2] == struct.pack("<f", 0.125)
    assert arrays["embeddings.word_embeddings.zero_point"][2] == b"\x80"
    assert arrays["vocabulary"][2] == b"[PAD]\nal\n##ex"
    assert "not_used" not in arrays
    assert facts["labels"] == "O B-X" and facts["license"] == "Copyright ©" and "National Design Studio" in facts["attribution"]
    assert (facts["heads"], facts["layers"], float(facts["layer_norm_eps"]), facts["words"]) == ("2", "1", 1e-12, "lower case")


def test_the_same_input_gives_the_same_file(folder, tmp_path):
    model = folder(node("/classifier/MatMul_Q4"))
    for name in ("one", "two"):
        tool.convert(model, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert "classifier.weight" in read(tmp_path / "one")[1]


def test_what_it_does_not_know_is_refused(folder, tmp_path):
    with pytest.raises(SystemExit, match="only 4 bits"):
        tool.convert(folder(node("/classifier/MatMul_Q4", bits=8)), tmp_path / "out")
