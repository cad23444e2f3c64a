#include "features/traffic/anomalies/subject.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"

namespace causeway::anomalies {
namespace {

constexpr std::size_t kLongestName = 200;  // bytes

bool is_v4(const net::AddressBytes& address) {
  return std::all_of(address.begin(), address.begin() + 10, [](auto byte) { return byte == 0; }) &&
         address[10] == 0xFF && address[11] == 0xFF;
}

std::string text_of(const net::AddressBytes& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_v4(address)) {
    inet_ntop(AF_INET, address.data() + 12, text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  }
  return text.data();
}

net::AddressBytes neighbourhood(net::AddressBytes address) {
  if (!is_v4(address)) std::fill(address.begin() + 8, address.end(), 0);
  return address;
}

bool is_writable(std::string_view name) {
  return name.size() <= kLongestName && std::ranges::none_of(name, [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
         });
}

std::string written(std::string_view name) {
  if (is_writable(name)) return std::string(name);
  return "sha256-" + crypto::to_hex(crypto::view(crypto::sha256(name)));
}

std::unexpected<Error> wrong(std::string message) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client, std::move(message), "invalid_block");
  error.error().param = "who";
  return error;
}

}  // namespace

Mark Marks::of(char kind, std::string_view first, std::string_view second) const {
  // The length in front: no two pairs give the same bytes.
  std::array<char, 512> bytes;
  const auto length = static_cast<std::uint32_t>(first.size());
  std::string large;
  char* out = bytes.data();
  const std::size_t size = 5 + first.size() + second.size();
  if (size > bytes.size()) {
    large.resize(size);
    out = large.data();
  }
  out[0] = kind;
  for (int i = 0; i < 4; ++i) out[1 + i] = static_cast<char>(length >> (8 * i));
  std::ranges::copy(first, out + 5);
  std::ranges::copy(second, out + 5 + first.size());
  return sip_({out, size})[0];
}

Mark Marks::of_address(const net::AddressBytes& address) const {
  const auto whole = neighbourhood(address);
  return of('a', {reinterpret_cast<const char*>(whole.data()), whole.size()}, {});
}
Mark Marks::of_user(std::string_view tenant, std::string_view user) const {
  if (is_writable(user)) return of('u', tenant, user);
  return of('u', tenant, written(user));
}
Mark Marks::of_key(std::string_view name) const { return of('k', name, {}); }

Mark Subject::mark(const Marks& marks) const {
  switch (kind) {
    case Kind::User:
      return marks.of_user(tenant, std::string_view(who).substr(5));
    case Kind::Key:
      return marks.of_key(std::string_view(who).substr(4));
    case Kind::Address:
      break;
  }
  const auto literal = std::string_view(who).substr(0, who.find('/'));
  return marks.of_address(net::address_bytes(literal).value_or(net::AddressBytes{}));
}

bool is_too_wide(const Subject& subject) {
  if (!subject.network) return false;
  const std::string_view who = subject.who;
  const auto slash = who.find('/');
  const auto address = net::address_bytes(who.substr(0, slash));
  if (slash == std::string_view::npos || !address) return false;
  unsigned bits = 0;
  std::from_chars(who.data() + slash + 1, who.data() + who.size(), bits);
  if (is_v4(*address)) return bits < 8;
  return bits < 16 || subject.network->contains(*net::address_bytes("0.0.0.0"));
}

Subject subject_of(const net::AddressBytes& address) {
  if (is_v4(address)) return {Kind::Address, text_of(address), {}, {}};
  return {Kind::Address, text_of(neighbourhood(address)) + "/64", {}, {}};
}
Subject subject_of_user(std::string_view tenant, std::string_view user) {
  return {Kind::User, "user:" + written(user), std::string(tenant), {}};
}
Subject subject_of_key(std::string_view name) {
  return {Kind::Key, "key:" + std::string(name), {}, {}};
}

Result<Subject> parse_subject(std::string_view text, std::string_view tenant) {
  const bool user = text.starts_with("user:");
  if (!user && !tenant.empty()) return wrong("A tenant is said of users only.");
  if (user || text.starts_with("key:")) {
    const auto name = text.substr(user ? 5 : 4);
    if (name.empty()) return wrong("A name follows \"user:\" and \"key:\".");
    if (!is_writable(name) || !is_writable(tenant)) {
      return wrong("A name has at most 200 bytes and no control characters.");
    }
    return user ? subject_of_user(tenant, name) : subject_of_key(name);
  }
  const auto slash = text.find('/');
  auto address = net::address_bytes(text.substr(0, slash));
  auto network = net::Network::parse(text);
  if (!address || !network) {
    return wrong("Say an address, a network like 10.0.0.0/8, user:NAME or key:NAME.");
  }
  if (slash == std::string_view::npos) return subject_of(*address);
  const unsigned four = text.find(':') == std::string_view::npos ? 96 : 0;
  unsigned bits = 0;
  std::from_chars(text.data() + slash + 1, text.data() + text.size(), bits);
  bits += four;
  for (unsigned bit = bits; bit < 128; ++bit) {
    (*address)[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> (bit % 8)));
  }
  // What is one subject is not a network, whether its prefix is written or not.
  if (bits == (is_v4(*address) ? 128u : 64u)) return subject_of(*address);
  Subject subject{Kind::Address, text_of(*address) + '/', {}, *network};
  subject.who += std::to_string(is_v4(*address) ? bits - 96 : bits);
  return subject;
}

}  // namespace causeway::anomalies
