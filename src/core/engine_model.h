// What is known of one model that the engine can run: where its file comes from and how it is run.
// Plain data, from the pinned files of third_party/manifest or from the user's configuration.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace causeway {

enum class EngineModelKind : std::uint8_t { Chat, Embeddings };

/// Exactly one of `artifact`, `path` and `url` is set.
struct EngineModelSource {
  std::string artifact;     // name of a section of third_party/manifest
  std::string path;         // a GGUF file of the user's own
  std::string url;          // http(s) address of a GGUF file
  std::string file_name;    // of an artifact or url: its name in the cache
  std::string sha256;       // of an artifact or url: of the file, 64 lower-case hex digits
  std::uint64_t bytes = 0;  // size of the file where known

  bool operator==(const EngineModelSource&) const = default;
};

struct EngineModel {
  std::string name;  // "smollm2-135m-instruct": asked for behind the provider's name and a slash
  std::vector<std::string> aliases;  // short names, each of one model only: "default", "smollm2"
  std::string about;                 // what it is and is good for, in a line
  std::string licence;
  EngineModelKind kind = EngineModelKind::Chat;
  EngineModelSource source;

  std::string temperature;       // of requests that bring none; empty = the engine's own, 0.8
  std::string system_prompt;     // for chat requests that bring none; empty = the template decides
  std::uint32_t context = 4096;  // tokens of one request, prompt and answer; every slot has its own
  std::uint32_t slots = 4;       // requests worked on at once
  std::uint32_t threads = 1;     // more collapse as soon as anything else uses a core
  std::uint32_t batch = 512;     // tokens of a prompt worked on at once; embeddings: all of it
  std::string pooling;           // embeddings: mean, cls, last; empty = as the file says
  std::uint32_t gpu_layers = 0;  // only with an engine built for a GPU
  std::uint32_t prompt_cache_mib = 256;  // prompts kept in memory beyond the slots' own
  std::uint64_t memory_limit = 0;        // bytes of address space, mapped file included; 0 = none
  std::size_t max_waiting = 64;          // requests that may wait for a slot

  bool preload = false;                     // started with the program, kept, restarted
  std::chrono::seconds idle_stop{600};      // stopped after so long without a request; 0 = never
  std::chrono::seconds start_timeout{180};  // from the child's start to its first "ok"

  bool operator==(const EngineModel&) const = default;
};

}  // namespace causeway
