// Test only: stands in for llama-server. The test program is linked under that name into a test's
// folder and behaves as the "model file" says: after the magic "GGUF", words like
//   load_ms=200   answers /health with 503 for so long
//   exit=3        writes an error line and ends while loading
//   hang          is never ready
//   stubborn      ignores SIGTERM
// It serves /health and /metrics; any other path is answered after `answer_ms`, and /crash ends it.
#pragma once

namespace causeway::engine {
int fake_server_main(int argc, char** argv);
}
