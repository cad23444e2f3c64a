// causeway.yaml as a person would write it: one thing a line, what is short on one line, quotes
// only where YAML needs them.
#include <algorithm>
#include <cstdio>
#include <set>

#include "app/importer/imported.h"
#include "app/importer/source.h"
#include "platform/config/values.h"
#include "platform/text/ascii.h"
#include "platform/text/number.h"

namespace causeway::app::importer {
namespace {

constexpr std::size_t kWidth = 100;

bool is_word_of_yaml(std::string_view text) {
  for (const std::string_view word :
       {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}) {
    if (text::equals_ignore_case(text, word)) return true;
  }
  return text::parse_double(text).has_value();
}

// Whether it means itself without quotes, in a block and between { and }.
bool stands_bare(std::string_view text) {
  if (text.empty() || is_word_of_yaml(text)) return false;
  if (!text::is_alnum(text[0]) && text[0] != '/' && text[0] != '$') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (text::is_alnum(c) || std::string_view("._/-+").find(c) != std::string_view::npos) continue;
    if (c == ':' && text.substr(i).starts_with("://")) continue;
    if (c == ':' && i + 1 < text.size() && text::is_digit(text[i + 1])) continue;
    const bool reference = c == '$' && text.substr(i).starts_with("${");
    const auto end = reference ? text.find('}', i) : text.npos;
    if (end == text.npos || (i > 0 && text[i - 1] == '$')) return false;
    i = end;
  }
  return true;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", byte);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string shown_text(std::string_view text) {
  return stands_bare(text) ? std::string(text) : quoted(text);
}
std::string shown(const Scalar& scalar) {
  return scalar.plain ? scalar.text : shown_text(scalar.text);
}
// A name of the source: no reference, whatever it looks like. Keys are never looked through.
std::string shown_name(const std::string& name) { return shown_text(literal(name).text); }

std::string list_of(const std::vector<std::string>& shown_items) {
  if (shown_items.empty()) return "[]";
  std::string line;
  for (const auto& item : shown_items) line += (line.empty() ? "[ " : ", ") + item;
  return line + " ]";
}

class Writer {
 public:
  Writer(const Imported& imported, std::string tool, std::string file)
      : imported_(imported), tool_(std::move(tool)), file_(std::move(file)) {}

  std::string write() {
    server_and_log();
    providers();
    models();
    policies();
    if (imported_.breaker) body_ += "\nbreaker: " + *imported_.breaker + "\n";
    prices();
    otlp_and_alerts();
    return head() + body_;
  }

 private:
  void line(int depth, const std::string& text) {
    body_.append(static_cast<std::size_t>(depth) * 2, ' ').append(text).append("\n");
  }
  void section(const std::string& name) { body_ += "\n" + name + ":\n"; }
  void setting(int depth, const std::string& name, const Scalar& value) {
    note_variables(value.text);
    line(depth, shown_text(name) + ": " + shown(value));
  }

  void note_variables(std::string_view text) {
    for (std::size_t at = text.find("${"); at != text.npos; at = text.find("${", at + 2)) {
      if (at > 0 && text[at - 1] == '$') continue;
      const auto end = text.find('}', at);
      if (end != text.npos) variables_.insert(std::string(text.substr(at + 2, end - at - 2)));
    }
  }

  // What Causeway takes from the environment where the file does not say it.
  void note_environment(const ImportedProvider& provider) {
    const auto says = [&](std::string_view name) {
      return std::ranges::any_of(provider.settings, [&](const auto& s) { return s.first == name; });
    };
    if (provider.kind == "bedrock") {
      if (!says("region")) variables_.insert("AWS_REGION");
      if (says("api_key") || says("access_key_id")) return;
      variables_.insert({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"});
    }
    if (provider.kind == "vertex" && !says("credentials_file")) {
      variables_.insert("GOOGLE_APPLICATION_CREDENTIALS");
    }
  }

  // On one line where it fits, else one item a line.
  void list(int depth, const std::string& name, const std::vector<std::string>& shown_items) {
    const std::string flow = name + ": " + list_of(shown_items);
    if (static_cast<std::size_t>(depth) * 2 + flow.size() <= kWidth) return line(depth, flow);
    line(depth, name + ":");
    for (const auto& item : shown_items) line(depth + 1, "- " + item);
  }

  void server_and_log() {
    if (!imported_.server.empty() || imported_.body_limit) {
      section("server");
      for (const auto& [name, value] : imported_.server) setting(1, name, value);
      if (imported_.body_limit) line(1, "limits: { body: " + imported_.body_limit->text + " }");
    }
    if (imported_.log.empty()) return;
    section("log");
    for (const auto& [name, value] : imported_.log) setting(1, name, value);
  }

  void providers() {
    if (imported_.providers.empty()) return;
    section("providers");
    for (const auto& provider : imported_.providers) {
      if (!provider.comment.empty()) line(1, "# " + printable(provider.comment));
      line(1, shown_text(provider.name) + ":");
      line(2, "kind: " + provider.kind);
      note_environment(provider);
      for (const auto& [name, value] : provider.settings) setting(2, name, value);
      if (!provider.headers.empty()) line(2, "headers:");
      for (const auto& [name, value] : provider.headers) setting(3, name, value);
      std::vector<std::string> patterns;
      for (const auto& pattern : provider.expose) patterns.push_back(shown_name(pattern));
      list(2, "expose", patterns);
    }
  }

  void models() {
    if (imported_.models.empty()) return;
    section("models");
    for (const auto& model : imported_.models) {
      line(1, shown_text(model.name) + ":");
      if (model.targets.size() > 1) line(2, "strategy: " + model.strategy);
      std::vector<std::string> names;
      for (const auto& target : model.targets) names.push_back(shown_name(target.name()));
      list(2, "targets", names);
      weights(model);
      abilities(model);
      rules(model);
    }
  }

  void weights(const ImportedModel& model) {
    if (model.strategy != "weighted" && model.strategy != "least_busy") return;
    const double first = model.targets.front().weight;
    const auto as_first = [&](const auto& target) { return target.weight == first; };
    if (std::ranges::all_of(model.targets, as_first)) return;
    line(2, "weights:");
    for (const auto& target : model.targets) {
      std::string weight;
      text::append_double(weight, target.weight);
      line(3, shown_text(target.name()) + ": " + weight);
    }
  }

  void abilities(const ImportedModel& model) {
    std::vector<std::string> contexts, withouts;
    for (const auto& target : model.targets) {
      const std::string name = shown_text(target.name()) + ": ";
      if (target.context) contexts.push_back(name + std::to_string(*target.context));
      if (!target.without.empty()) withouts.push_back(name + list_of(target.without));
    }
    for (const auto& [name, lines] : {std::pair{"context:", contexts}, {"without:", withouts}}) {
      if (!lines.empty()) line(2, name);
      for (const auto& text : lines) line(3, text);
    }
  }

  void rules(const ImportedModel& model) {
    if (model.rules.empty()) return;
    line(2, "rules:");
    for (const auto& rule : model.rules) {
      line(3, "- name: " + shown_name(rule.name));
      line(4, "when:");
      line(5, "metadata:");
      for (const auto& [name, value] : rule.metadata) {
        line(6, shown_text(name) + ": " + shown_name(value));
      }
      std::vector<std::string> names;
      for (const auto& target : rule.targets) names.push_back(shown_name(target));
      list(4, "targets", names);
    }
  }

  void policies() {
    if (imported_.policies.empty()) return;
    section("policies");
    for (const auto& policy : imported_.policies) {
      line(1, "- name: " + shown_name(policy.name));
      if (!policy.models.empty()) {
        std::vector<std::string> names;
        for (const auto& name : policy.models) names.push_back(shown_name(name));
        line(2, "match:");
        list(3, "models", names);
      }
      waits(policy.waits);
      retries(policy);
      if (policy.drop_unsupported) line(2, "translation: { unsupported: drop }");
      personal_data(policy);
    }
  }

  void retries(const ImportedPolicy& policy) {
    std::string text;
    if (policy.retries) text = "attempts: " + std::to_string(*policy.retries);
    if (policy.next_when_filtered) {
      text += std::string(text.empty() ? "" : ", ") + "content_filtered: true";
    }
    if (!text.empty()) line(2, "retries: { " + text + " }");
  }

  void waits(const Waits& waits) {
    std::string text;
    const auto add = [&](const char* name, const std::optional<Millis>& wait) {
      if (!wait) return;
      text += (text.empty() ? "" : ", ") + std::string(name) + ": " + config::print_duration(*wait);
    };
    add("first_byte", waits.first_byte);
    add("total", waits.total);
    if (!text.empty()) line(2, "timeouts: { " + text + " }");
  }

  void personal_data(const ImportedPolicy& policy) {
    if (policy.pii.empty()) return;
    if (policy.pii_kinds.empty()) return line(2, "pii: " + policy.pii);
    line(2, "pii:");
    line(3, "action: " + policy.pii);
    line(3, "kinds:");
    for (const auto& [kind, action] : policy.pii_kinds) line(4, kind + ": " + action);
  }

  void prices() {
    if (imported_.prices.empty()) return;
    section("prices");
    line(1, "models:");
    for (const auto& price : imported_.prices) {
      std::string text;
      for (const auto& [name, value] : price.amounts) {
        text += (text.empty() ? "" : ", ") + name + ": " + value.text;
      }
      line(2, shown_text(price.model) + ": { " + text + " }");
    }
  }

  void otlp_and_alerts() {
    if (imported_.otlp_endpoint) {
      section("otlp");
      setting(1, "endpoint", *imported_.otlp_endpoint);
    }
    if (!imported_.slack_url && !imported_.slow_after) return;
    section("alerts");
    if (imported_.slow_after) {
      line(1, "rules:");
      line(2, "- { name: slow-answers, when: latency, above: " + *imported_.slow_after + " }");
    }
    if (!imported_.slack_url) return;
    line(1, "receivers:");
    line(2, "slack:");
    line(3, "kind: slack");
    setting(3, "url", *imported_.slack_url);
  }

  std::string head() const {
    std::string text = "# Made by `causeway import " + tool_ + "` from " + printable(file_) +
                       ".\n# Look it through, then: causeway check FILE, causeway serve --config "
                       "FILE.\n";
    if (!variables_.empty()) {
      text += "#\n# Must be set in the environment:\n";
      for (const auto& name : variables_) text += "#   " + printable(name) + "\n";
    }
    if (!imported_.remarks.empty()) {
      text += "#\n# Not carried over as it was, by line of " + printable(file_) + ":\n";
    }
    for (const Remark& remark : imported_.remarks) remark_lines(text, remark);
    return text;
  }

  static void remark_lines(std::string& text, const Remark& remark) {
    const std::string number = remark.line == 0 ? "-" : std::to_string(remark.line);
    std::string row = "#   " + std::string(number.size() < 4 ? 4 - number.size() : 0, ' ') +
                      number + "  " + printable(remark.about) + ":";
    const std::string words = printable(remark.text, 400);
    for (std::size_t at = 0; at < words.size();) {
      const auto end = std::min(words.find(' ', at), words.size());
      if (row.size() + 1 + end - at > kWidth) {
        text += row + "\n";
        row = "#        ";
      }
      row += " " + words.substr(at, end - at);
      at = end + 1;
    }
    text += row + "\n";
  }

  const Imported& imported_;
  std::string tool_, file_, body_;
  std::set<std::string> variables_;
};

}  // namespace

Scalar literal(std::string text) {
  for (std::size_t at = text.find("${"); at != text.npos; at = text.find("${", at + 3)) {
    text.insert(at, "$");
  }
  return {std::move(text), false};
}
Scalar reference(const std::string& variable) { return {"${" + variable + "}", false}; }
Scalar plain(std::string text) { return {std::move(text), true}; }

std::string write_yaml(const Imported& imported, const std::string& tool, const std::string& file) {
  return Writer(imported, tool, file).write();
}

}  // namespace causeway::app::importer
