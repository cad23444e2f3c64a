// Embeddings of one dialect for applications of another.
#include <gtest/gtest.h>

#include "dialects/gemini/dialect.h"
#include "dialects/openai/dialect.h"

namespace causeway {
namespace {

const openai::OpenAiDialect kOpenAi;
const gemini::GeminiDialect kGemini;

// Little-endian 32-bit floats in base64, as OpenAI's clients ask for them by default.
TEST(Embeddings, OfGeminiAreOpenAisInBothForms) {
  const std::string body = R"({"embeddings":[{"values":[1.0,-0.5]},{"values":[0.25,2]}]})";
  const std::string padded = body + std::string(64, '\0');
  const auto answer = kGemini.decode_vectors(std::string_view(padded).substr(0, body.size()));
  ASSERT_TRUE(answer) << answer.error().message;
  RequestIndex index;
  const Request request(index);
  EncoderSettings settings;
  settings.model = "e";
  settings.request = &request;
  EXPECT_EQ(kOpenAi.encode_vectors({}, settings, *answer),
            R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0,-0.5]},)"
            R"({"object":"embedding","index":1,"embedding":[0.25,2]}],"model":"e"})");
  index.base64_embeddings = true;
  const std::string encoded = kOpenAi.encode_vectors({}, settings, *answer);
  EXPECT_NE(encoded.find(R"("embedding":"AACAPwAAAL8=")"), encoded.npos) << encoded;
}

}  // namespace
}  // namespace causeway
