#include "core/dialect.h"

namespace causeway {
namespace {

std::unexpected<Error> no_translation(std::string_view name) {
  auto error = fail(ErrorKind::NotImplemented, Origin::Us,
                    "Requests are not translated to or from the dialect " + std::string(name) + ".",
                    "not_translated");
  error.error().retryable = true;  // another target may need no translation
  return error;
}

}  // namespace

Result<std::size_t> Dialect::read_form(const Operation&, std::span<const http::FormPart>,
                                       RequestIndex&) const {
  return fail(ErrorKind::NotImplemented, Origin::Us,
              "The dialect " + std::string(name()) + " has no forms.");
}

Result<Chat> Dialect::decode(const Operation&, const Request&) const {
  return no_translation(name());
}

Result<std::string> Dialect::encode(const Chat&, std::string_view, LeftOut&) const {
  return no_translation(name());
}

std::unique_ptr<EventDecoder> Dialect::decoder(bool) const { return nullptr; }
std::unique_ptr<EventEncoder> Dialect::encoder(const EncoderSettings&) const { return nullptr; }

Result<EmbeddingRequest> Dialect::decode_embedding(const Operation&, const Request&) const {
  return no_translation(name());
}

Result<std::string> Dialect::encode_embedding(const EmbeddingRequest&, std::string_view,
                                              LeftOut&) const {
  return no_translation(name());
}

Result<EmbeddingAnswer> Dialect::decode_vectors(std::string_view) const {
  return no_translation(name());
}

std::string Dialect::encode_vectors(const Operation&, const EncoderSettings&,
                                    const EmbeddingAnswer&) const {
  return {};
}

}  // namespace causeway
