#include "features/privacy/minimise/stage.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/token_estimates.h"
#include "features/privacy/minimise/blobs.h"
#include "features/privacy/minimise/json_fields.h"
#include "features/privacy/minimise/links.h"
#include "features/privacy/minimise/mail.h"
#include "features/privacy/minimise/repeats.h"
#include "features/privacy/minimise/selection.h"

namespace causeway::minimise {
namespace {

bool in_words(TextKind kind) { return kind == TextKind::Content || kind == TextKind::ToolResult; }

/// Texts that may be rewritten: what users and tools said.
bool may_rewrite(const Where& where) {
  const bool theirs =
      where.role == Role::User || where.role == Role::Tool || where.role == Role::Function;
  return theirs && in_words(where.kind);
}

class Minimiser {
 public:
  Minimiser(Exchange& exchange, const MinimiseSettings& settings)
      : settings_(settings), index_(exchange.index), request_(exchange.request) {
    const std::uint64_t target =
        exchange.model && !exchange.model->targets.empty() ? exchange.model->targets[0].key : 0;
    static const TokenEstimates kUsual;
    const auto* estimates = exchange.context ? exchange.context->estimates : nullptr;
    bytes_per_token_ = (estimates ? *estimates : kUsual).bytes_per_token(target);
  }

  /// The tokens that are saved.
  std::uint32_t run() {
    const std::uint64_t before = request_.text_bytes();
    rewrite_texts();
    if (settings_.selects()) select();
    if (settings_.strips(Strip::RepeatedText)) remove_repeats();
    const std::uint64_t after = request_.text_bytes();
    const double saved =
        before > after ? static_cast<double>(before - after) / bytes_per_token_ : 0.0;
    return static_cast<std::uint32_t>(
        std::min(std::round(saved) + static_cast<double>(dropped_ * kTokensPerMessage), 4e9));
  }

 private:
  std::uint32_t tokens(std::uint64_t bytes) const {
    return static_cast<std::uint32_t>(std::ceil(static_cast<double>(bytes) / bytes_per_token_));
  }

  void rewrite_texts() {
    if (settings_.strip.empty() && settings_.json_fields.empty()) return;
    const JsonFields fields(settings_.json_fields);
    for (Text text : request_.texts()) {
      if (!may_rewrite(text.where())) continue;
      if (auto shorter = rewritten(text.get(), fields)) text.set(std::move(*shorter));
    }
  }

  std::optional<std::string> rewritten(std::string_view text, const JsonFields& fields) const {
    std::optional<std::string> now;
    const auto apply = [&](std::optional<std::string> changed) {
      if (changed && changed->size() < text.size()) text = now.emplace(std::move(*changed));
    };
    const bool json = looks_like_json(text);
    if (json && !settings_.json_fields.empty()) {
      auto listed = fields.filter(text);
      if (listed != "{}" && listed != "[]") apply(std::move(listed));
    }
    if (settings_.strips(Strip::Base64)) apply(without_base64(text));
    if (settings_.strips(Strip::TrackingLinks)) apply(without_tracking(text));
    const MailParts mail{settings_.strips(Strip::QuotedReplies),
                         settings_.strips(Strip::Signatures)};
    if (!json && (mail.quotes || mail.signatures)) apply(without_mail_parts(text, mail));
    return now;
  }

  // The message that the answer is to: the last one in which a user says something.
  std::optional<std::size_t> question() const {
    for (auto text = index_.texts.rbegin(); text != index_.texts.rend(); ++text) {
      if (is_question(text->where) && in_messages(*text)) return text->where.message;
    }
    return std::nullopt;
  }
  static bool is_question(const Where& where) {
    return where.role == Role::User && where.kind == TextKind::Content;
  }
  bool in_messages(const RequestIndex::TextAt& text) const {
    return text.value.begin >= index_.messages_array.begin &&
           text.value.end <= index_.messages_array.end;
  }

  void select() {
    const auto asked = question();
    Material material;
    material.texts.resize(index_.messages.size());
    std::vector<std::uint64_t> bytes(index_.messages.size());
    for (std::uint32_t i = 0; i < index_.texts.size(); ++i) {
      const auto& at = index_.texts[i];
      const std::string_view text = request_.text(i).get();
      if (!in_messages(at)) {
        if (at.where.role == Role::System) material.other_tokens += tokens(text.size());
        continue;
      }
      bytes[at.where.message] += text.size();
      material.texts[at.where.message].push_back(text);
      if (asked == at.where.message && is_question(at.where)) material.question.push_back(text);
    }
    for (const auto size : bytes) material.tokens.push_back(tokens(size) + kTokensPerMessage);
    Limits limits{.keep_last = settings_.keep_last, .recency = settings_.recency};
    if (settings_.max_tokens) limits.tokens = *settings_.max_tokens;
    if (settings_.max_messages) limits.messages = *settings_.max_messages;
    const auto out = left_out(index_, material, limits);
    request_.drop(out);
    dropped_ = out.size();
  }

  void remove_repeats() {
    const auto asked = question();
    Repeats repeats;
    std::vector<std::string_view> of_this;  // message
    std::size_t message = 0;
    for (Text text : request_.texts()) {
      const Where where = text.where();
      if (where.message != message) {
        for (const auto one : std::exchange(of_this, {})) repeats.remember(one);
        message = where.message;
      }
      if (!may_rewrite(where)) continue;
      if (where.message != asked) {
        if (auto shorter = repeats.without(text.get())) text.set(std::move(*shorter));
      }
      of_this.push_back(text.get());
    }
  }

  const MinimiseSettings& settings_;
  const RequestIndex& index_;
  Request& request_;
  double bytes_per_token_ = 4;
  std::size_t dropped_ = 0;
};

}  // namespace

Verdict MinimiseStage::on_request(Exchange& exchange) {
  if (exchange.operation->kind != OperationKind::Chat) return go_on();
  exchange.tokens_saved = Minimiser(exchange, exchange.policy->sections.get(key_)).run();
  return go_on();
}

}  // namespace causeway::minimise
