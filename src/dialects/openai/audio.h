// Transcriptions and translations of speech: a form goes in; JSON, plain text, subtitles or events
// come out.
#pragma once

#include <memory>

#include "core/dialect.h"

namespace causeway::openai {

constexpr bool is_audio(OperationKind kind) {
  return kind == OperationKind::Transcription || kind == OperationKind::Translation;
}

std::unique_ptr<AnswerReader> make_transcript_reader();

}  // namespace causeway::openai
