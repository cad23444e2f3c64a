#include "app/importer/provider_book.h"

#include <algorithm>

#include "platform/text/ascii.h"

namespace causeway::app::importer {
namespace {

bool same_settings(const ImportedProvider& a, const ImportedProvider& b) {
  return a.kind == b.kind && a.settings == b.settings && a.headers == b.headers;
}

// Host and port of an address, without user and password.
std::string_view authority_of(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const auto at = url.rfind('@'); at != url.npos) url.remove_prefix(at + 1);
  return url;
}

bool is_number_address(std::string_view host) {
  return !host.empty() && (host[0] == '[' || host.find_first_not_of("0123456789.") == host.npos);
}

std::string with_version(std::string url, const KnownProvider& known) {
  while (url.ends_with('/')) url.pop_back();
  if (known.kind == "anthropic") {
    for (const std::string_view end : {"/v1/messages", "/v1"}) {
      if (url.ends_with(end)) url.resize(url.size() - end.size());
    }
  }
  // Others go to Ollama's own API, which stands at the root.
  if (known.name == "ollama" && !url.empty() && !url.ends_with("/v1")) url += "/v1";
  if (known.kind == "openai" && url.ends_with("/chat/completions")) {
    url.resize(url.size() - std::string_view("/chat/completions").size());
  }
  return url;
}

}  // namespace

std::string ProviderBook::name_of(ImportedProvider wanted) {
  wanted.name = tidy_name(wanted.name);
  for (const auto& there : imported_.providers) {
    if (same_settings(there, wanted)) return there.name;
  }
  const std::string name = wanted.name;
  for (int i = 2; find(wanted.name); ++i) wanted.name = name + "-" + std::to_string(i);
  imported_.providers.push_back(wanted);
  return wanted.name;
}

void ProviderBook::expose(const std::string& name, const std::string& pattern) {
  for (auto& provider : imported_.providers) {
    if (provider.name != name || std::ranges::count(provider.expose, pattern) != 0) continue;
    provider.expose.push_back(pattern);
  }
}

const ImportedProvider* ProviderBook::find(std::string_view name) const {
  const auto found = std::ranges::find(imported_.providers, name, &ImportedProvider::name);
  return found == imported_.providers.end() ? nullptr : &*found;
}

std::string tidy_name(std::string_view text) {
  std::string name;
  for (const char c : text.substr(0, 60)) {
    const bool fits = text::is_alnum(c) || c == '.' || c == '_' || c == '-';
    if (fits || !name.ends_with('-')) name += fits ? c : '-';
  }
  while (name.ends_with('-') || name.ends_with('.')) name.pop_back();
  while (!name.empty() && !text::is_alnum(name[0])) name.erase(0, 1);
  return name.empty() ? "provider" : name;
}

std::string name_of_server(std::string_view url) {
  const std::string_view authority = authority_of(url);
  std::string_view host = authority.substr(0, authority.find(':'));
  if (url.find("${") != url.npos || host.empty()) return "";
  if (is_number_address(host) || host == "localhost") return tidy_name(authority);
  for (const std::string_view front : {"api.", "www."}) {
    if (host.starts_with(front)) host.remove_prefix(front.size());
  }
  return tidy_name(host.substr(0, host.find('.')));
}

bool is_near(std::string_view url) {
  const std::string_view authority = authority_of(url);
  const std::string_view host = authority.substr(0, authority.find(':'));
  return host == "localhost" || host.find('.') == host.npos || host.starts_with("127.") ||
         host.starts_with("10.") || host.starts_with("192.168.") || host.ends_with(".local") ||
         host.ends_with(".internal") || host.ends_with(".svc");
}

std::string without_user(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == url.npos) return std::string(url);
  const auto end = std::min(url.find_first_of("/?#", scheme + 3), url.size());
  const auto at = url.substr(0, end).rfind('@');
  if (at == url.npos) return std::string(url);
  return std::string(url.substr(0, scheme + 3)) + std::string(url.substr(at + 1));
}

ImportedProvider provider_at(const KnownProvider& known, const std::string& url) {
  ImportedProvider provider;
  provider.name = known.name;
  provider.kind = known.kind;
  const std::string address = with_version(url, known);
  if (!address.empty()) {
    const std::string name = name_of_server(address);
    if (!name.empty() && address != known.base_url) provider.name = name;
    provider.settings.push_back({"base_url", {address}});
  } else if (!known.base_url.empty()) {
    provider.settings.push_back({"base_url", {std::string(known.base_url)}});
  }
  const bool own = !address.empty() && address.find("${") == address.npos && is_near(address);
  if (own && known.kind == "openai") {
    provider.comment = "zone: internal, if this server stands in your house";
  }
  return provider;
}

void add_key(ImportedProvider& provider, const KnownProvider& known, std::optional<Scalar> key) {
  if (!key && !known.variable.empty()) {
    // A server of one's own that speaks OpenAI's API does not want OpenAI's key.
    const bool elsewhere = known.name == "openai" && !provider.settings.empty();
    if (!elsewhere) key = reference(std::string(known.variable));
  }
  if (key) provider.settings.push_back({"api_key", std::move(*key)});
}

void add_target(ImportedModel& model, ImportedTarget target) {
  for (auto& there : model.targets) {
    if (there.name() != target.name()) continue;
    there.weight += target.weight;
    return;
  }
  model.targets.push_back(std::move(target));
}

}  // namespace causeway::app::importer
