#include "platform/bert/token_classifier.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "platform/bert/layers.h"
#include "platform/bert/weights_file.h"

namespace causeway::bert {
namespace {

constexpr std::size_t kMostLayers = 48;
constexpr std::size_t kMostLabels = 1024;

std::unexpected<Error> wrong(const std::string& what) {
  return fail(ErrorKind::Unavailable, Origin::Us, "The model cannot be used: " + what,
              "model_invalid");
}

template <class Number>
Number number_of(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Appends the outputs of one named layer; their number, 0 where it is not there or of another
/// size.
std::size_t add_outputs(const WeightsFile& file, const std::string& name, Matrix4& matrix) {
  const auto bias = file.floats(name + ".bias");
  const auto weights = file.bytes(name + ".weight");
  const auto scales = file.floats(name + ".scales");
  if (weights.size() != bias.size() * matrix.columns() / 2 ||
      scales.size() != bias.size() * matrix.columns() / kBlock) {
    return 0;
  }
  matrix.add(weights, scales, bias);
  return bias.size();
}

}  // namespace

struct TokenClassifier::Layer {
  Matrix4 qkv, attention, up, down;
  Norm after_attention, after;
};

TokenClassifier::TokenClassifier(WordPieces words) : words_(std::move(words)) {}
TokenClassifier::~TokenClassifier() = default;

Result<std::unique_ptr<const TokenClassifier>> TokenClassifier::read(const std::string& path) {
  auto file = WeightsFile::read(path);
  if (!file) return pass(std::move(file));
  const auto vocabulary = file->bytes("vocabulary");
  auto words =
      WordPieces::make({reinterpret_cast<const char*>(vocabulary.data()), vocabulary.size()});
  if (!words) return pass(std::move(words));
  std::unique_ptr<TokenClassifier> made(new TokenClassifier(std::move(*words)));
  if (auto loaded = made->load(*file); !loaded) return pass(std::move(loaded));
  return made;
}

Result<void> TokenClassifier::load(const WeightsFile& file) {
  if (file.fact("words") != "lower case")
    return wrong("it does not say that its words are in lower case");
  heads_ = number_of<std::size_t>(file.fact("heads"));
  epsilon_ = number_of<float>(file.fact("layer_norm_eps"));
  const auto layers = number_of<std::size_t>(file.fact("layers"));
  width_ = file.floats("embeddings.LayerNorm.weight").size();
  if (heads_ == 0 || width_ == 0 || width_ % (heads_ * kBlock) != 0 || layers == 0 ||
      layers > kMostLayers) {
    return wrong("its sizes are none that can be computed with");
  }
  std::string_view labels = file.fact("labels");
  while (!labels.empty()) {
    const auto end = std::min(labels.find(' '), labels.size());
    labels_.emplace_back(labels.substr(0, end));
    labels.remove_prefix(std::min(end + 1, labels.size()));
  }
  const auto embedding = [&](const std::string& name, Embedding& into) {
    const auto numbers = file.bytes("embeddings." + name + ".weight");
    const auto scale = file.floats("embeddings." + name + ".scale");
    const auto zero = file.bytes("embeddings." + name + ".zero_point");
    if (numbers.size() < width_ || numbers.size() % width_ != 0 || scale.size() != 1 ||
        zero.size() != 1) {
      return false;
    }
    into = {{numbers.begin(), numbers.end()}, scale[0], zero[0]};
    return true;
  };
  const auto norm = [&](const std::string& name, Norm& into) {
    const auto weight = file.floats(name + ".LayerNorm.weight");
    const auto bias = file.floats(name + ".LayerNorm.bias");
    into = {{weight.begin(), weight.end()}, {bias.begin(), bias.end()}};
    return weight.size() == width_ && bias.size() == width_;
  };
  bool good = embedding("word_embeddings", word_embedding_) &&
              embedding("position_embeddings", position_embedding_) &&
              embedding("token_type_embeddings", type_embedding_) && norm("embeddings", norm_) &&
              word_embedding_.numbers.size() == words_.size() * width_;
  positions_ = position_embedding_.numbers.size() / width_;
  for (std::size_t i = 0; good && i < layers; ++i) {
    const std::string name = "encoder.layer." + std::to_string(i) + ".";
    Layer layer;
    layer.qkv = layer.attention = layer.up = Matrix4(width_);
    for (const char* part : {"query", "key", "value"}) {
      good = good && add_outputs(file, name + "attention.self." + part, layer.qkv) == width_;
    }
    good = good && add_outputs(file, name + "attention.output.dense", layer.attention) == width_;
    const std::size_t wide = add_outputs(file, name + "intermediate.dense", layer.up);
    layer.down = Matrix4(wide);
    good = good && wide > 0 && wide % kBlock == 0 &&
           add_outputs(file, name + "output.dense", layer.down) == width_ &&
           norm(name + "attention.output", layer.after_attention) &&
           norm(name + "output", layer.after);
    layers_.push_back(std::move(layer));
  }
  head_ = Matrix4(width_);
  good = good && !labels_.empty() && labels_.size() <= kMostLabels && positions_ > 2 &&
         add_outputs(file, "classifier", head_) == labels_.size();
  if (!good) return wrong("a part of it is missing or has another size than the others");
  return {};
}

void TokenClassifier::embed(std::span<const Piece> pieces, std::size_t rows, float* out) const {
  for (std::size_t row = 0; row < rows; ++row) {
    const std::uint32_t id = row == 0          ? words_.begin_id()
                             : row + 1 == rows ? words_.end_id()
                                               : pieces[row - 1].id;
    for (std::size_t i = 0; i < width_; ++i) {
      out[row * width_ + i] = word_embedding_.at(id * width_ + i) +
                              position_embedding_.at(row * width_ + i) + type_embedding_.at(i);
    }
  }
}

void TokenClassifier::run(const Layer& layer, std::size_t rows, Memory& memory,
                          Instructions how) const {
  const bool avx2 = how != Instructions::Plain;
  float* hidden = memory.hidden.data();
  float* context = memory.context.data();
  float* wide = memory.wide.data();
  memory.rows.quantise(hidden, rows, width_);
  layer.qkv.multiply(memory.rows, wide, how);
  attend(wide, context, rows, heads_, width_ / heads_, memory.space.data(), avx2);
  memory.rows.quantise(context, rows, width_);
  layer.attention.multiply(memory.rows, context, how);
  add_and_normalise(hidden, context, layer.after_attention.weight.data(),
                    layer.after_attention.bias.data(), rows, width_, epsilon_, avx2);
  memory.rows.quantise(hidden, rows, width_);
  layer.up.multiply(memory.rows, wide, how);
  gelu(wide, rows * layer.up.width(), avx2);
  memory.rows.quantise(wide, rows, layer.up.width());
  layer.down.multiply(memory.rows, context, how);
  add_and_normalise(hidden, context, layer.after.weight.data(), layer.after.bias.data(), rows,
                    width_, epsilon_, avx2);
}

void TokenClassifier::pick(std::span<const float> scores, Mark& mark) const {
  const auto best = std::ranges::max_element(scores);
  float all = 0;
  for (const float score : scores) all += std::exp(score - *best);
  mark = {static_cast<std::uint16_t>(best - scores.begin()), 1 / all};
}

void TokenClassifier::classify(std::span<const Piece> pieces, Memory& memory,
                               std::vector<Mark>& out, Instructions how) const {
  out.clear();
  pieces = pieces.first(std::min(pieces.size(), max_pieces()));
  if (pieces.empty()) return;
  const std::size_t rows = pieces.size() + 2;
  const std::size_t padded = (rows + kTogether - 1) / kTogether * kTogether;
  std::size_t widest = std::max(3 * width_, head_.width());
  for (const Layer& layer : layers_) widest = std::max(widest, layer.up.width());
  memory.hidden.resize(padded * width_);
  memory.context.resize(padded * width_);
  memory.wide.resize(padded * widest);
  memory.space.resize(attention_space(rows, width_ / heads_));
  embed(pieces, rows, memory.hidden.data());
  add_and_normalise(memory.hidden.data(), nullptr, norm_.weight.data(), norm_.bias.data(), rows,
                    width_, epsilon_, how != Instructions::Plain);
  for (const Layer& layer : layers_) run(layer, rows, memory, how);
  memory.rows.quantise(memory.hidden.data(), rows, width_);
  head_.multiply(memory.rows, memory.wide.data(), how);
  out.resize(pieces.size());
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    pick({memory.wide.data() + (i + 1) * head_.width(), labels_.size()}, out[i]);
  }
}

}  // namespace causeway::bert
