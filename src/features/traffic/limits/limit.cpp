#include "features/traffic/limits/limit.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "core/caller.h"
#include "platform/config/values.h"
#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"
#include "platform/net/network.h"

namespace causeway::limits {
namespace {

constexpr std::int64_t kNanosPerMicro = 1000;

Amount amount_of(const LimitConfig& config) {
  if (config.requests) return Amount::Requests;
  if (config.tokens) return Amount::Tokens;
  if (config.money) return Amount::Money;
  return Amount::Concurrent;
}

std::string most_text(const LimitConfig& config) {
  if (config.money) return config::print_money(*config.money);
  return std::to_string(config.requests ? *config.requests
                                        : config.tokens.value_or(config.concurrent.value_or(0)));
}

std::string whom(const LimitConfig& config) {
  std::string text;
  for (const Per per : config.per) {
    if (per == Per::All) continue;
    text += text.empty() ? " per " : " and ";
    text += to_string(per);
  }
  return text;
}

std::string when(const LimitConfig& config) {
  if (config.each) return *config.each == Each::Day ? " each day" : " each month";
  if (config.window) return " in " + config::print_duration(*config.window);
  return " at the same time";
}

void put_address(std::string_view address, std::string& out) {
  const auto bytes = net::address_bytes(address);
  constexpr std::size_t kNetwork = 8;
  const bool v6 = bytes && address.find(':') != std::string_view::npos && (*bytes)[10] != 0xFF;
  if (!v6) {
    out += address;
    return;
  }
  constexpr const char* kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < kNetwork; ++i) {
    if (i > 0 && i % 2 == 0) out += ':';
    out += kDigits[(*bytes)[i] >> 4];
    out += kDigits[(*bytes)[i] & 15];
  }
  out += "::/64";
}

void put_part(Exchange& exchange, Per per, std::string& out) {
  const Principal& who = *exchange.principal;
  switch (per) {
    case Per::Key:
      out += who.key_id;
      return;
    case Per::User:
      if (const auto user = user_of(exchange); !user.empty()) {
        out += user;
      } else {
        out += "key ";
        out += who.key_id;
      }
      return;
    case Per::Tenant:
      out += who.tenant;
      return;
    case Per::Model:
      out += exchange.model_name;
      return;
    case Per::Address:
      put_address(exchange.address, out);
      return;
    case Per::All:
      return;
  }
}

// A structured field's string: what it may not hold is left out (RFC 9651, 3.3.3).
std::string structured_string(std::string_view name) {
  std::string text = "\"";
  for (const char letter : name) {
    if (letter < 0x20 || letter > 0x7E) continue;
    if (letter == '"' || letter == '\\') text += '\\';
    text += letter;
  }
  return text += '"';
}

}  // namespace

std::string name_of(const LimitConfig& config) {
  if (!config.name.empty()) return config.name;
  return most_text(config) + " " + std::string(to_string(amount_of(config))) + whom(config) +
         when(config);
}

std::vector<Limit> limits_of(const LimitList& list) {
  std::vector<Limit> limits;
  for (const LimitConfig& config : list) {
    Limit limit;
    limit.name = name_of(config);
    limit.amount = amount_of(config);
    limit.per = config.per;
    limit.window = config.window.value_or(std::chrono::milliseconds(0));
    limit.each = config.each;
    limit.time_zone = config.time_zone;
    limit.unpriced = config.unpriced;
    limit.burst = static_cast<std::int64_t>(config.burst.value_or(0));
    switch (limit.amount) {
      case Amount::Requests:
        limit.most = static_cast<std::int64_t>(*config.requests);
        break;
      case Amount::Tokens:
        limit.most = static_cast<std::int64_t>(*config.tokens);
        break;
      case Amount::Money:
        limit.most = config.money->micros * kNanosPerMicro;
        break;
      case Amount::Concurrent:
        limit.most = *config.concurrent;
        break;
    }
    if (config.soft) {
      limit.soft =
          std::max<std::int64_t>(1, std::llround(static_cast<double>(limit.most) * *config.soft));
    }
    // One that has a name is the same wherever it stands; others are their policy's own.
    limit.identity = (config.name.empty() ? "policy\n" + config.policy : "name\n" + config.name) +
                     '\n' + std::string(to_string(limit.amount)) + whom(config) + when(config) +
                     '\n' + config.time_zone;
    limit.label = std::make_shared<const Label>(limit.name, config.policy);
    const auto same = std::ranges::count(limits, limit.identity, &Limit::identity);
    if (same > 0) limit.identity += '#' + std::to_string(limits.size());
    limit.field_name = structured_string(limit.name);
    limit.field_policy = limit.field_name + ";q=" + std::to_string(limit.most);
    if (limit.window.count() > 0) {
      limit.field_policy +=
          ";w=" + std::to_string(std::chrono::ceil<std::chrono::seconds>(limit.window).count());
    }
    limits.push_back(std::move(limit));
  }
  return limits;
}

namespace {

// Of what this thread has counted lately: a digest costs as much as the counting.
SubjectKey key_of(std::string_view bytes) {
  constexpr std::size_t kPlaces = 512, kMostBytes = 256;
  struct Known {
    std::string bytes;
    SubjectKey key;
  };
  thread_local std::vector<Known> known(kPlaces);
  Known& place = known[std::hash<std::string_view>()(bytes) % kPlaces];
  if (!place.bytes.empty() && place.bytes == bytes) return place.key;
  const crypto::Digest digest = crypto::sha256(bytes);
  SubjectKey key;
  std::memcpy(&key.low, digest.data(), sizeof key.low);
  std::memcpy(&key.high, digest.data() + sizeof key.low, sizeof key.high);
  if (bytes.size() <= kMostBytes) {
    place.bytes = bytes;
    place.key = key;
  }
  return key;
}

}  // namespace

SubjectKey subject_of(Exchange& exchange, const Limit& limit, std::string& subject) {
  subject.clear();
  thread_local std::string bytes;
  bytes.clear();
  bytes += limit.identity;
  for (const Per per : limit.per) {
    if (per == Per::All) continue;
    if (!subject.empty()) subject += ", ";
    const std::size_t begin = subject.size();
    put_part(exchange, per, subject);
    // Two tenants may call different people by the same name, and a user may be called as a key is.
    if (per == Per::User) {
      bytes += user_of(exchange).empty() ? "key\n" : "user\n";
      (bytes += exchange.principal->tenant) += '\n';
    }
    const std::uint64_t size = subject.size() - begin;
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes.append(subject, begin, std::string::npos);
  }
  return key_of(bytes);
}

std::string text_of(const SubjectKey& key) {
  static_assert(sizeof key == 16);
  return crypto::to_hex({reinterpret_cast<const char*>(&key), sizeof key});
}

}  // namespace causeway::limits
