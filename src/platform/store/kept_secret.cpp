#include "platform/store/kept_secret.h"

#include <utility>

#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"

namespace causeway::store {
namespace {

constexpr std::size_t kBytes = 32;

std::unexpected<Error> broken(const std::string& what, std::string code) {
  return fail(ErrorKind::Internal, Origin::Us, what + "; restore it from a backup",
              std::move(code));
}

}  // namespace

Result<Secret> kept_secret(const DataFolder& folder, std::string_view name, bool needed) {
  const auto path = folder.file(name);
  auto text = read_private(path);
  if (!text && text.error().kind != ErrorKind::NotFound) return pass(std::move(text));
  if (!text && needed) {
    return broken("the file " + path.string() +
                      " is missing, without which nothing that was made with it can be recognised",
                  "kept_secret_missing");
  }
  if (!text) {
    text = crypto::to_hex(crypto::random_bytes(kBytes)) + "\n";
    if (auto written = write_private(path, *text); !written) return pass(std::move(written));
  }
  auto bytes = crypto::from_hex(std::string_view(*text).substr(0, text->find('\n')));
  if (!bytes || bytes->size() != kBytes) {
    return broken("the file " + path.string() + " is damaged", "kept_secret_damaged");
  }
  return Secret(std::move(*bytes));
}

}  // namespace causeway::store
