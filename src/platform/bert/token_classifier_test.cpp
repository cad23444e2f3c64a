#include "platform/bert/token_classifier.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "platform/bert/layers.h"
#include "platform/bert/weights_file.h"

namespace causeway::bert {
namespace {

namespace fs = std::filesystem;

std::vector<Instructions> all_instructions() {
  std::vector<Instructions> all{Instructions::Plain};
  if (best_instructions() != Instructions::Plain) all.push_back(Instructions::Avx2);
  if (best_instructions() == Instructions::Vnni) all.push_back(Instructions::Vnni);
  return all;
}

/// Weights as a published model packs them, and as numbers.
struct Weights {
  Weights(std::mt19937& random, std::size_t outputs, std::size_t columns)
      : packed(outputs * columns / 2),
        scales(outputs * columns / kBlock),
        bias(outputs),
        numbers(outputs * columns) {
    std::uniform_real_distribution<float> real(-1, 1);
    for (auto& byte : packed) byte = static_cast<std::uint8_t>(random());
    for (auto& scale : scales) scale = real(random) / 20;
    for (auto& one : bias) one = real(random);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const int half = i % 2 == 0 ? packed[i / 2] & 15 : packed[i / 2] >> 4;
      numbers[i] = static_cast<float>(half - 8) * scales[i / kBlock];
    }
  }
  std::vector<std::uint8_t> packed;
  std::vector<float> scales, bias, numbers;
};

std::vector<float> random_numbers(std::mt19937& random, std::size_t count, float size = 1) {
  std::uniform_real_distribution<float> real(-size, size);
  std::vector<float> out(count);
  for (float& one : out) one = real(random);
  return out;
}

TEST(Matrix4, MultipliesAsTheWeightsSay) {
  std::mt19937 random(1);
  for (const auto& [rows, outputs, columns] :
       {std::array<std::size_t, 3>{1, 8, 32}, {3, 35, 64}, {17, 40, 384}}) {
    const Weights weights(random, outputs, columns);
    Matrix4 matrix(columns);
    matrix.add(weights.packed, weights.scales, weights.bias);
    const auto in = random_numbers(random, rows * columns);
    Rows8 quantised;
    quantised.quantise(in.data(), rows, columns);
    for (const Instructions how : all_instructions()) {
      std::vector<float> out(quantised.rows() * matrix.width(), 99);
      matrix.multiply(quantised, out.data(), how);
      for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t output = 0; output < outputs; ++output) {
          float sum = weights.bias[output], size = 0;
          for (std::size_t i = 0; i < columns; ++i) {
            const float product = in[row * columns + i] * weights.numbers[output * columns + i];
            sum += product;
            size += std::fabs(product);
          }
          EXPECT_NEAR(out[row * matrix.width() + output], sum, 0.005F * size + 1e-4F)
              << static_cast<int>(how) << ": row " << row << ", output " << output;
        }
      }
    }
  }
}

TEST(Matrix4, TheLargestNumbersOverflowNothing) {
  const std::vector<std::uint8_t> packed(8 * 16, 0xFF);
  const std::vector<float> scales(8, 1), bias(8, 0), in(32, 1), lowest(32, -1);
  Matrix4 matrix(32);
  matrix.add(packed, scales, bias);
  for (const auto* values : {&in, &lowest}) {
    Rows8 rows;
    rows.quantise(values->data(), 1, 32);
    for (const Instructions how : all_instructions()) {
      std::vector<float> out(rows.rows() * matrix.width());
      matrix.multiply(rows, out.data(), how);
      EXPECT_NEAR(out[0], 32 * 7 * values->front(), 0.01) << static_cast<int>(how);
    }
  }
}

TEST(Layers, GeluIsWhatItIs) {
  for (const bool avx2 : {false, best_instructions() != Instructions::Plain}) {
    std::vector<float> x(256), was(256);
    for (std::size_t i = 0; i < x.size(); ++i) was[i] = x[i] = (static_cast<float>(i) - 128) / 10;
    gelu(x.data(), x.size(), avx2);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = was[i] * 0.5 * std::erfc(-was[i] / std::sqrt(2.0));
      EXPECT_NEAR(x[i], exact, 1e-5) << was[i];
    }
  }
}

TEST(Layers, AttentionIsASoftmaxOfProducts) {
  std::mt19937 random(2);
  constexpr std::size_t kRows = 37, kHeads = 2, kSize = 32, kWidth = kHeads * kSize;
  const auto qkv = random_numbers(random, kRows * 3 * kWidth, 2);
  for (const bool avx2 : {false, best_instructions() != Instructions::Plain}) {
    std::vector<float> out(kRows * kWidth), space(attention_space(kRows, kSize));
    attend(qkv.data(), out.data(), kRows, kHeads, kSize, space.data(), avx2);
    for (std::size_t head = 0; head < kHeads; ++head) {
      for (std::size_t i = 0; i < kRows; ++i) {
        std::vector<double> weights(kRows), sums(kSize);
        double all = 0;
        for (std::size_t j = 0; j < kRows; ++j) {
          for (std::size_t d = 0; d < kSize; ++d) {
            weights[j] += static_cast<double>(qkv[i * 3 * kWidth + head * kSize + d]) *
                          qkv[j * 3 * kWidth + kWidth + head * kSize + d];
          }
          weights[j] = std::exp(weights[j] / std::sqrt(kSize));
          all += weights[j];
        }
        for (std::size_t j = 0; j < kRows; ++j) {
          for (std::size_t d = 0; d < kSize; ++d) {
            sums[d] += weights[j] / all * qkv[j * 3 * kWidth + 2 * kWidth + head * kSize + d];
          }
        }
        for (std::size_t d = 0; d < kSize; ++d) {
          EXPECT_NEAR(out[i * kWidth + head * kSize + d], sums[d], 1e-4);
        }
      }
    }
  }
}

TEST(WeightsFile, RefusesWhatIsNone) {
  const auto parse = [](const std::string& header, const std::string& data) {
    std::uint64_t size = header.size();
    std::string bytes(sizeof size, '\0');
    std::memcpy(bytes.data(), &size, sizeof size);
    return WeightsFile::parse(bytes + header + data);
  };
  const std::string good = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  )";
  ASSERT_EQ(good.size() % sizeof(float), 0U);
  const auto read = parse(good, std::string("\0\0\x80\x3f", 4));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->floats("a").size(), 1U);
  EXPECT_EQ(read->floats("a")[0], 1.0F);
  EXPECT_TRUE(read->bytes("a").empty());
  EXPECT_FALSE(parse(good, "abc")) << "too short for what it says";
  EXPECT_FALSE(parse("{]  ", ""));
  EXPECT_FALSE(parse("[1] ", ""));
  EXPECT_FALSE(parse(R"({"a":{"dtype":"F32","data_offsets":[2,6]}}   )", "abcdefgh"));
  EXPECT_FALSE(parse(R"({"a":{"dtype":"U8","data_offsets":[6,2]}})", "abcdefgh"));
  EXPECT_FALSE(WeightsFile::parse("abc"));
  EXPECT_FALSE(WeightsFile::parse(std::string(8, '\xff') + "{}"));
  EXPECT_FALSE(WeightsFile::read("/nowhere"));
}

// --- the published model itself (third_party/manifest, [rampart]), where it is in the cache

std::string model_path() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
  std::string cache = variable("CAUSEWAY_CACHE");
  if (cache.empty()) {
    const std::string base = variable("XDG_CACHE_HOME");
    cache = (base.empty() ? variable("HOME") + "/.cache" : base) + "/causeway";
  }
  std::ifstream manifest(std::string(CAUSEWAY_SOURCE_DIR) + "/third_party/manifest");
  bool inside = false;
  for (std::string line; std::getline(manifest, line);) {
    if (line.starts_with('[')) inside = line == "[rampart]";
    constexpr std::string_view kKey = "result.sha256 = ";
    if (inside && line.starts_with(kKey)) {
      return cache + "/files/" + line.substr(kKey.size()) + "/Rampart.Q4.safetensors";
    }
  }
  return "";
}

struct Reference {
  std::string_view text;
  std::vector<std::uint32_t> ids;
  std::vector<std::uint16_t> labels;  // without those of [CLS] and [SEP]
};

// What Hugging Face's tokenizers and ONNX Runtime 1.22 say of the published model.
const std::vector<Reference>& references() {
  static const std::vector<Reference> all{
      {"My name is Alex Rivera and I live at 221B Baker Street, London NW1 6XE.",
       {15545, 921,  15941, 4196, 12050, 2550,  778,   1524,  12237, 8841, 11165,
        3891,  9398, 8381,  3272, 2640,  18990, 12527, 12235, 7312,  7148},
       {0, 0, 0, 1, 3, 0, 0, 0, 0, 23, 23, 25, 26, 0, 29, 33, 33, 34, 34, 34, 0}},
      {"Zürich: Frau Ágnes Kovács-Szűcs (b. 1971) wohnt in der Hauptstraße 5, 8001 Zürich.",
       {8900,  10198, 16465, 7962, 15134, 9891,  13100, 989,  9046,  17109, 2310,
        8863,  4169,  14548, 7148, 11403, 2926,  12633, 5312, 14990, 8467,  9140,
        17252, 5767,  19701, 8966, 8381,  12687, 18990, 8900, 7148},
       {0, 0, 0, 0, 1, 3, 3,  3,  4,  4,  4, 4,  0,  0,  0, 0,
        0, 0, 0, 0, 0, 0, 25, 25, 25, 23, 0, 33, 33, 29, 0}},
      {"田中さん met O'Brien at 5:30 p.m.; İstanbul naïve café\u00a0ﬁn\u200b 한국어 ½ x²",
       {18904, 4408,  2562,  8688,  8615,  2192,  15214, 565,   12237, 8966, 10198, 18858,
        18423, 7148,  15912, 7148,  11848, 10822, 19401, 10228, 14431, 477,  1105,  3429,
        7032,  11526, 12350, 16155, 2655,  2827,  17242, 12626, 15955, 16521},
       {3,  3,  0,  0, 0, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        29, 30, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}};
  return all;
}

TEST(TokenClassifier, SaysWhatThePublishedModelSays) {
  const std::string path = model_path();
  if (!fs::exists(path)) {
    ASSERT_FALSE(std::getenv("CI")) << "scripts/deps --tests fetches it";
    GTEST_SKIP() << "the model is not in the cache";
  }
  const auto model = TokenClassifier::read(path);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ((*model)->labels().size(), 35U);
  EXPECT_EQ((*model)->labels()[3], "B-SURNAME");
  TokenClassifier::Memory memory;
  std::vector<Piece> pieces;
  std::vector<TokenClassifier::Mark> marks;
  for (const Reference& reference : references()) {
    (*model)->words().cut(reference.text, pieces);
    std::vector<std::uint32_t> ids;
    for (const Piece& piece : pieces) ids.push_back(piece.id);
    EXPECT_EQ(ids, reference.ids) << reference.text;
    // The slow way takes seconds under a sanitizer.
    const bool all = &reference == references().data();
    for (const Instructions how : all ? all_instructions() : std::vector{best_instructions()}) {
      (*model)->classify(pieces, memory, marks, how);
      std::vector<std::uint16_t> labels;
      for (const auto& mark : marks) labels.push_back(mark.label);
      EXPECT_EQ(labels, reference.labels) << reference.text << static_cast<int>(how);
    }
  }
}

TEST(TokenClassifier, LooksAtNoMoreThanItCan) {
  const std::string path = model_path();
  if (!fs::exists(path)) GTEST_SKIP() << "the model is not in the cache";
  const auto model = TokenClassifier::read(path);
  ASSERT_TRUE(model);
  TokenClassifier::Memory memory;
  std::vector<TokenClassifier::Mark> marks;
  (*model)->classify(std::vector<Piece>(600, Piece{5, 0, 1, false}), memory, marks);
  EXPECT_EQ(marks.size(), (*model)->max_pieces());
  (*model)->classify({}, memory, marks);
  EXPECT_TRUE(marks.empty());
}

TEST(TokenClassifier, RefusesAFileThatIsCut) {
  const std::string path = model_path();
  if (!fs::exists(path)) GTEST_SKIP() << "the model is not in the cache";
  const fs::path cut = fs::temp_directory_path() / ("causeway-bert-" + std::to_string(getpid()));
  fs::copy_file(path, cut, fs::copy_options::overwrite_existing);
  fs::resize_file(cut, fs::file_size(cut) - 1000);
  EXPECT_FALSE(TokenClassifier::read(cut));
  fs::remove(cut);
}

}  // namespace
}  // namespace causeway::bert
