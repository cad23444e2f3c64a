#include "features/privacy/minimise/links.h"

#include <algorithm>
#include <array>

#include "platform/text/ascii.h"
#include "platform/text/percent.h"
#include "platform/text/utf8.h"

namespace causeway::minimise {
namespace {

// Each as its service documents it: campaign parameters of Google, Matomo, Adobe and others, ids of
// clicks of advertising networks, ids of readers of mailing services.
constexpr auto kNames =
    std::to_array<std::string_view>({"gclid",       "gclsrc",        "dclid",
                                     "gbraid",      "wbraid",        "gad_source",
                                     "srsltid",     "fbclid",        "msclkid",
                                     "yclid",       "twclid",        "ttclid",
                                     "li_fat_id",   "igshid",        "igsh",
                                     "epik",        "rdt_cid",       "sccid",
                                     "mc_eid",      "mc_cid",        "mkt_tok",
                                     "_hsenc",      "_hsmi",         "__hstc",
                                     "__hssc",      "__hsfp",        "hsctatracking",
                                     "_ga",         "_gl",           "_ke",
                                     "_kx",         "vero_id",       "vero_conv",
                                     "oly_anon_id", "oly_enc_id",    "rb_clickid",
                                     "wickedid",    "ml_subscriber", "ml_subscriber_hash",
                                     "elqtrackid",  "elqtrack",      "elqaid",
                                     "elqat",       "trkemail",      "sc_campaign",
                                     "s_cid",       "cmpid",         "ncid",
                                     "spm",         "ref_src",       "mibextid",
                                     "vgo_ee"});
constexpr auto kPrefixes =
    std::to_array<std::string_view>({"utm_", "pk_", "mtm_", "matomo_", "piwik_", "hsa_"});

struct Redirector {
  std::string_view host, path, parameter;
};
constexpr std::array kRedirectors = {
    Redirector{"www.google.com", "/url", "q"},
    Redirector{"www.google.com", "/url", "url"},
    Redirector{"l.facebook.com", "/l.php", "u"},
    Redirector{"lm.facebook.com", "/l.php", "u"},
    Redirector{"l.instagram.com", "/", "u"},
    Redirector{"www.youtube.com", "/redirect", "q"},
    Redirector{"out.reddit.com", "", "url"},
    Redirector{"slack-redir.net", "/link", "url"},
    Redirector{"t.umblr.com", "/redirect", "z"},
    Redirector{"www.linkedin.com", "/redir/redirect", "url"},
    Redirector{"safelinks.protection.outlook.com", "/", "url"},  // below it one for each region
    Redirector{"statics.teams.cdn.office.net", "/evergreen-assets/safelinks/", "url"},
};

bool is_tracking(std::string_view parameter) {
  std::string_view name = parameter.substr(0, parameter.find('='));
  if (name.starts_with("amp;")) name.remove_prefix(4);  // in the text of a page
  if (name.empty()) return false;
  const std::string lower = text::to_lower(name);
  return std::ranges::find(kNames, lower) != kNames.end() ||
         std::ranges::any_of(kPrefixes, [&](auto prefix) { return lower.starts_with(prefix); });
}

// A link without its marks at the end that belong to the sentence around it.
std::string_view link_at(std::string_view text, std::size_t begin) {
  const std::size_t end = std::min(text.find_first_of(" \t\r\n<>\"'`\\|{}[]", begin), text.size());
  std::string_view link = text.substr(begin, end - begin);
  while (!link.empty()) {
    const char last = link.back();
    const bool closes = last == ')' && link.find('(') == std::string_view::npos;
    if (!closes && std::string_view(".,;:!?*_").find(last) == std::string_view::npos) break;
    link.remove_suffix(1);
  }
  // In [words](link) the link ends at the first bracket that nothing opened.
  const auto closing = link.find(')');
  if (closing != std::string_view::npos && link.substr(0, closing).find('(') == link.npos) {
    link = link.substr(0, closing);
  }
  return link;
}

struct Link {
  std::string_view host, path, query, fragment;  // the fragment with its '#'
  std::string_view before_query;
};

Link take_apart(std::string_view link) {
  Link out;
  const auto hash = link.find('#');
  if (hash != std::string_view::npos) {
    out.fragment = link.substr(hash);
    link = link.substr(0, hash);
  }
  const auto mark = link.find('?');
  if (mark != std::string_view::npos) out.query = link.substr(mark + 1);
  out.before_query = link.substr(0, mark);
  const std::string_view rest = out.before_query.substr(out.before_query.find("//") + 2);
  out.host = rest.substr(0, rest.find('/'));
  out.path = rest.substr(out.host.size());
  return out;
}

template <class Fn>
void each_parameter(std::string_view query, Fn fn) {
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    fn(one);
  }
}

// Where it leads in the end; empty where it is no redirector.
std::string behind(const Link& link) {
  std::string found;
  for (const Redirector& known : kRedirectors) {
    const bool host = text::equals_ignore_case(link.host, known.host) ||
                      (text::ends_with_ignore_case(link.host, known.host) &&
                       link.host[link.host.size() - known.host.size() - 1] == '.');
    if (!host || !link.path.starts_with(known.path)) continue;
    each_parameter(link.query, [&](std::string_view one) {
      if (one.starts_with("amp;")) one.remove_prefix(4);
      if (!one.starts_with(known.parameter) || !found.empty()) return;
      one.remove_prefix(known.parameter.size());
      if (one.starts_with('=')) found = text::percent_decoded(one.substr(1));
    });
    if (!found.empty()) break;
  }
  // What is behind stands in a text again: nothing that would end a link, or the text.
  const bool plain = found.find_first_of(std::string_view(" \t\r\n<>\"\\\0", 9)) == found.npos;
  const bool is_link = found.starts_with("https://") || found.starts_with("http://");
  return plain && is_link && text::utf8_valid(found) ? found : std::string();
}

std::optional<std::string> freed(std::string_view whole, int depth) {
  const Link link = take_apart(whole);
  if (link.query.empty()) return std::nullopt;
  if (const std::string target = behind(link); !target.empty()) {
    auto again = depth > 0 ? freed(target, depth - 1) : std::nullopt;
    return again ? std::move(again) : target;
  }
  bool any = false;
  std::string query;
  each_parameter(link.query, [&](std::string_view one) {
    if (is_tracking(one)) {
      any = true;
      return;
    }
    if (query.empty() && one.starts_with("amp;")) one.remove_prefix(4);
    query += query.empty() ? '?' : '&';
    query += one;
  });
  if (!any) return std::nullopt;
  return std::string(link.before_query) + query + std::string(link.fragment);
}

}  // namespace

std::optional<std::string> without_tracking(std::string_view text) {
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = 0; (at = text.find("://", at)) != std::string_view::npos;) {
    std::size_t begin = at;
    while (begin > copied && text::to_lower(text[begin - 1]) >= 'a' &&
           text::to_lower(text[begin - 1]) <= 'z') {
      --begin;
    }
    const std::string_view link = link_at(text, begin);
    at = std::max(at + 3, begin + link.size());
    const bool web = text::starts_with_ignore_case(link, "https://") ||
                     text::starts_with_ignore_case(link, "http://");
    if (!web) continue;
    const auto clean = freed(link, 3);
    if (!clean) continue;
    out.append(text, copied, begin - copied);
    out += *clean;
    copied = begin + link.size();
  }
  if (copied == 0) return std::nullopt;
  out.append(text, copied);
  return out;
}

}  // namespace causeway::minimise
