#include "app/importer/tensorzero.h"

namespace causeway::app::importer {
namespace {

constexpr KnownRemark kBeside[] = {
    {"extra_body", "nothing is added to requests; the application sends it"},
    {"api_type", "nothing to do: applications choose by the path that they call"},
    {"include_encrypted_reasoning", "the application asks for it"},
    {"provider_tools", "tools come from the application"},
    {"reasoning_format", "the application asks for it"},
    {"prompt_mode", "the application asks for it"},
    {"thought_block", "the application asks for it"},
    {"beta_structured_outputs", "nothing to do"},
    {"discard_unknown_chunks", "nothing to do"},
    {"batch_inference_enabled", "only batches use it; Causeway has none yet"},
    {"service_tier", "the application asks for it"},
};

class Reader {
 public:
  Reader(Draft& draft, const Value& provider, std::string path, const Value* defaults)
      : draft_(draft), provider_(provider), path_(std::move(path)), defaults_(defaults) {}

  std::optional<ImportedTarget> read() {
    const Value* given = provider_.find("type");
    const auto type = take_text(provider_, "type").value_or("");
    std::string model = first_of({"model_name", "deployment_id", "model_id", "endpoint_id"});
    const auto* known = known_provider(type);
    if (!known) {
      provider_.see();
      draft_.out.remark(
          given ? given->at.line : provider_.at.line, path_ + ".type",
          "left out: not a service that Causeway reaches (" + printable(type, 40) + ")");
      return std::nullopt;
    }
    const std::string url = address();
    if (known->needs_url && url.empty()) {
      draft_.out.remark(provider_.at.line, path_, "left out: nothing says where it is");
      return std::nullopt;
    }
    ImportedProvider made = provider_at(*known, url);
    if (type == "tgi" && model.empty()) model = "tgi";  // such a server has one model only
    if (known->kind == "bedrock") {
      bedrock(made);
    } else if (known->kind == "vertex") {
      vertex(made);
    } else {
      key(made, *known, type);
    }
    headers(made);
    draft_.remark_known(provider_, path_, kBeside);
    if (model.empty()) {
      draft_.out.remark(provider_.at.line, path_, "left out: it names no model");
      return std::nullopt;
    }
    ImportedTarget target{.provider = draft_.providers.name_of(std::move(made)), .model = model};
    price(target.name());
    return target;
  }

 private:
  std::string first_of(std::initializer_list<std::string_view> names) {
    std::string found;
    for (const auto name : names) {
      const auto text = take_text(provider_, name);
      if (text && found.empty()) found = *text;
    }
    return found;
  }

  std::string address() {
    for (const std::string_view name : {"api_base", "endpoint", "endpoint_url", "base_url"}) {
      const Value* value = provider_.find(name);
      if (value && value->is_scalar())
        return draft_.address(*value, path_ + "." + std::string(name));
    }
    return "";
  }

  // `env::X`; `dynamic::x` came with each request, `none` is no key; several are tried in turn.
  void key(ImportedProvider& made, const KnownProvider& known, const std::string& type) {
    const Value* location = provider_.find("api_key_location");
    const Value* usual = defaults_ ? defaults_->find(type) : nullptr;
    if (usual) usual = usual->find("defaults");
    if (!location && usual) location = usual->find("api_key_location");
    if (location && location->is_table()) {
      if (const Value* fallback = location->find("fallback")) {
        draft_.out.remark(location->at.line, path_ + ".api_key_location.fallback",
                          "one key per provider; the first was taken");
        fallback->see();
      }
      location = location->find("default");
    }
    if (!location || !location->is_scalar()) return add_key(made, known, usual_key(known, type));
    location->see();
    const std::string& text = location->text;
    if (text == "none") return;
    if (const auto name = variable_in(text)) return add_key(made, known, reference(*name));
    if (text.starts_with("path::")) return add_key(made, known, literal("file:" + text.substr(6)));
    draft_.out.remark(location->at.line, path_ + ".api_key_location",
                      text.starts_with("dynamic::")
                          ? "callers do not bring providers' keys; the key is the operator's"
                          : "where the key is could not be read from it; the usual variable was "
                            "taken");
    add_key(made, known, usual_key(known, type));
  }

  // Two variables are called otherwise than the services call them.
  static std::optional<Scalar> usual_key(const KnownProvider& known, const std::string& type) {
    if (known.name == "gemini") return reference("GOOGLE_API_KEY");
    if (type == "sglang") return reference("SGLANG_API_KEY");
    return std::nullopt;
  }

  void bedrock(ImportedProvider& made) {
    if (const auto region = take_text(provider_, "region")) {
      if (region->starts_with("dynamic::") || region->starts_with("sdk")) {
        draft_.out.remark(provider_.find("region")->at.line, path_ + ".region",
                          "not copied: a provider has one region, or AWS_REGION's");
      } else {
        made.settings.push_back({"region", setting_from(*region)});
      }
    }
    constexpr std::pair<std::string_view, std::string_view> kKeys[] = {
        {"access_key_id", "AWS_ACCESS_KEY_ID"},
        {"secret_access_key", "AWS_SECRET_ACCESS_KEY"},
        {"session_token", "AWS_SESSION_TOKEN"},
        {"api_key", "AWS_BEARER_TOKEN_BEDROCK"}};
    for (const auto& [name, variable] : kKeys) {
      const Value* value = provider_.find(name);
      if (!value || !value->is_scalar()) continue;
      if (value->text.starts_with("dynamic::") || value->text == "sdk") {
        draft_.remark_member(provider_, path_, name, "callers do not bring providers' keys");
        continue;
      }
      made.settings.push_back(
          {std::string(name),
           draft_.secrets.take(*value, path_ + "." + std::string(name), std::string(variable))});
    }
    (void)take_switch(provider_, "allow_auto_detect_region");
  }

  void vertex(ImportedProvider& made) {
    if (const auto project = take_text(provider_, "project_id")) {
      made.settings.push_back({"project", setting_from(*project)});
    }
    if (const auto location = take_text(provider_, "location")) {
      made.settings.push_back({"location", setting_from(*location)});
    }
    const auto file = take_text(provider_, "credential_location");
    if (!file || *file == "sdk") return;
    if (file->starts_with("path_from_env::")) {
      made.settings.push_back({"credentials_file", reference(file->substr(15))});
    } else if (file->starts_with("path::")) {
      made.settings.push_back({"credentials_file", literal(file->substr(6))});
    } else {
      draft_.out.remark(provider_.find("credential_location")->at.line,
                        path_ + ".credential_location",
                        "not copied: a service account's key stands in a file "
                        "(`credentials_file`)");
    }
  }

  // [{ name = "x", value = "y" }]
  void headers(ImportedProvider& made) {
    const Value* list = provider_.find("extra_headers");
    if (!list) return;
    for (const Value& entry : list->items) {
      const auto name = take_text(entry, "name");
      const Value* value = entry.find("value");
      if (!name || !value) continue;
      draft_.add_header(made, {*name, value->at.line, *value}, path_ + ".extra_headers");
      value->see();
    }
  }

  // [{ pointer = "/usage/prompt_tokens", cost_per_million = 0.15 }, …]
  void price(const std::string& target) {
    const Value* list = provider_.find("cost");
    if (!list) return;
    constexpr std::pair<std::string_view, std::string_view> kPointers[] = {
        {"prompt_tokens", "input"},
        {"input_tokens", "input"},
        {"completion_tokens", "output"},
        {"output_tokens", "output"},
        {"cache_read_input_tokens", "cache_read"},
        {"cached_tokens", "cache_read"},
        {"cache_creation_input_tokens", "cache_write"}};
    ImportedPrice price{target, {}};
    for (const Value& entry : list->items) {
      const auto pointer = take_text(entry, "pointer").value_or("");
      const auto cost = take_number(entry, "cost_per_million");
      for (const auto& [end, name] : kPointers) {
        const bool fits = pointer.ends_with("/" + std::string(end));
        if (!fits || !cost) continue;
        price.amounts.push_back({std::string(name), plain(per_million(*cost / 1e6))});
        (void)take_switch(entry, "required");
      }
    }
    if (!price.amounts.empty()) draft_.out.prices.push_back(std::move(price));
  }

  Draft& draft_;
  const Value& provider_;
  std::string path_;
  const Value* defaults_;
};

}  // namespace

std::optional<ImportedTarget> read_tensorzero_provider(Draft& draft, const Value& provider,
                                                       const std::string& path,
                                                       const Value* defaults) {
  return Reader(draft, provider, path, defaults).read();
}

std::optional<ImportedTarget> short_target(Draft& draft, const std::string& text,
                                           const Value* defaults, config::Position at) {
  const auto colons = text.find("::");
  if (colons == text.npos) return std::nullopt;
  const auto value = [&](Value::Kind kind) {
    Value made;
    made.kind = kind;
    made.at = at;
    return made;
  };
  Value provider = value(Value::Kind::Table);
  const auto add = [&](std::string name, std::string said) {
    Value scalar = value(Value::Kind::Scalar);
    scalar.text = std::move(said);
    provider.members.push_back({std::move(name), at.line, std::move(scalar)});
  };
  add("type", text.substr(0, colons));
  add("model_name", text.substr(colons + 2));
  return read_tensorzero_provider(draft, provider, printable(text, 60), defaults);
}

Waits take_tensorzero_waits(const Value& table) {
  Waits waits;
  const Value* timeouts = table.find("timeouts");
  if (!timeouts) return waits;
  const Value* whole = timeouts->find("non_streaming");
  const Value* streamed = timeouts->find("streaming");
  if (const auto total = whole ? take_number(*whole, "total_ms") : std::nullopt) {
    waits.total = wait_of(*total);
  }
  if (const auto first = streamed ? take_number(*streamed, "ttft_ms") : std::nullopt) {
    waits.first_byte = wait_of(*first);
  }
  if (const auto total = streamed ? take_number(*streamed, "total_ms") : std::nullopt) {
    waits.total = std::max(waits.total.value_or(Millis(0)), wait_of(*total));
  }
  return waits;
}

}  // namespace causeway::app::importer
