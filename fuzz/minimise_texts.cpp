// What is taken out of texts: nothing is made up, text stays text, and a second time there is
// nothing left to take.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "features/privacy/minimise/blobs.h"
#include "features/privacy/minimise/json_fields.h"
#include "features/privacy/minimise/links.h"
#include "features/privacy/minimise/mail.h"
#include "features/privacy/minimise/relevance.h"
#include "features/privacy/minimise/repeats.h"
#include "platform/text/utf8.h"

namespace {

using namespace causeway::minimise;

void require(bool holds) {
  if (!holds) std::abort();
}

void stays_text(std::string_view text, const std::optional<std::string>& now) {
  if (now && causeway::text::utf8_valid(text)) require(causeway::text::utf8_valid(*now));
}

const JsonFields& fields() {
  static const std::vector<std::string> kPaths = {"a", "b.c", "*.d", "e.*.f"};
  static const JsonFields kFields(kPaths);
  return kFields;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Memory of its own, so that a sanitizer sees a read behind its end.
  const std::vector<char> bytes(data, data + size);
  const std::string_view text(bytes.data(), bytes.size());
  stays_text(text, without_base64(text));
  stays_text(text, without_tracking(text));
  for (const bool quotes : {false, true}) {
    const auto mail = without_mail_parts(text, {quotes, !quotes});
    stays_text(text, mail);
    if (mail) require(mail->size() < size && !mail->empty());
  }
  // The document is read as simdjson wants it: valid UTF-8.
  if (causeway::text::utf8_valid(text)) {
    if (const auto document = fields().filter(text))
      require(fields().filter(*document) == document);
  }
  Repeats repeats;
  repeats.remember(text);
  stays_text(text, repeats.without(text));
  const std::string_view half = text.substr(0, size / 2), rest = text.substr(size / 2);
  const std::vector<std::string_view> texts[] = {{half}, {rest}, {half, rest}};
  const std::string_view question[] = {rest};
  for (const double score : relevance(texts, question)) require(score >= 0 && score <= 1);
  return 0;
}
