// Tests that the source tree keeps the rules of the house, and that each rule notices when it is broken.
#include "tests/structure/structure.h"

#include <fstream>

#include "tests/support/catch.h"

using namespace normlab::structure;
namespace fs = std::filesystem;
using Violations = std::vector<std::string>;

TEST_CASE("the source tree keeps the rules of the house") {
  const auto rule = GENERATE(upward_includes, own_header_not_first, eigen_in_headers, openmp_outside_parallel,
                             unkempt_files, stray_entries, dead_names_in_readmes, stale_mutations);
  for (const std::string& violation : rule(NORMLAB_SOURCE_DIR)) FAIL_CHECK(violation);
}

TEST_CASE("a broken rule is named with file and line") {
  const fs::path root = fs::path(NORMLAB_BINARY_DIR) / "tests" / "broken_house";
  fs::remove_all(root);
  const auto write = [&](const std::string& name, const std::string& text) {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name) << text;
  };
  write("engine/tensor.h", "// Tensor.\n#include <vector>\n#include \"../nn/module.h\"\n#include <Eigen/Core>\n");
  write("engine/parallel.cpp", "// Threads.\n#pragma omp parallel\n");
  write("README.md", "`engine/ops/sum.h` `nn/norm/rms.cpp`\n");
  write("engine/README.md", "Engine.\n`tensor.h` `engine/parallel.cpp` `tape.h`\n");
  write("nn/module.h", "// Module.\n#include \"../engine/tensor.h\"\n#include \"engine/tensor.h\"\n");
  write("nn/norm/rms.cpp", "\n// A norm.\n  #  pragma omp simd\n#include <normlab/engine/tensor.h>\n");
  write("data/corpus.cpp", "// Text: " + std::string(112, 'x') + "\n#include \"../nn/module.h\"\n");
  write("data/corpus.h", "// Text.\n");
  write(
      "data/umlauts.cpp", "// 120 characters, 228 bytes: " + []() {
        std::string umlauts;
        for (int i = 0; i < 90; ++i) umlauts += "\xC3\xB6";
        return umlauts;
      }() + "\n");
  write("notes.txt", "");
  write("tools/script", "");
  write("build-debug/x", "");
  // A patch of two files, in the second of which one of two hunks no longer applies: a line has been indented.
  write("engine/threads.cpp", "// More threads.\n\n  int a;\nint b;\nint c;\n");
  write(
      "tests/mutations/one.patch",
      "breaks: it\n--- a/engine/parallel.cpp\n+++ b/engine/parallel.cpp\n@@ -1,2 +1,2 @@\n // Threads.\n"
      "-#pragma omp parallel\n+#pragma omp single\ndiff --git a/engine/threads.cpp b/engine/threads.cpp\n"
      "--- a/engine/threads.cpp\n+++ b/engine/threads.cpp\n@@ -1,3 +1,3 @@\n // More threads.\n\n-  int a;\n+  int d;\n"
      "@@ -3,3 +3,3 @@\n int a;\n-int b;\n+int d;\n int c;\n");

  CHECK(upward_includes(root) == Violations{
                                     "data/corpus.cpp:2: data must not depend on nn: \"../nn/module.h\"",
                                     "engine/tensor.h:3: engine must not depend on nn: \"../nn/module.h\"",
                                     "nn/module.h:3: \"engine/tensor.h\" is not a path relative to this file",
                                     "nn/norm/rms.cpp:4: includes the house as <normlab/engine/tensor.h>",
                                 });
  CHECK(own_header_not_first(root) ==
        Violations{"data/corpus.cpp:2: the first include must be its own header \"corpus.h\""});
  CHECK(eigen_in_headers(root) == Violations{"engine/tensor.h:4: Eigen in a header"});
  CHECK(openmp_outside_parallel(root) ==
        Violations{"nn/norm/rms.cpp:3: OpenMP outside engine/parallel.cpp; use parallel()"});
  CHECK(unkempt_files(root) == Violations{
                                   "data/corpus.cpp:1: longer than 120 characters",
                                   "nn/norm/rms.cpp:1: the first line must be a comment that says what the file is",
                               });
  CHECK(dead_names_in_readmes(root) ==
        Violations{"README.md:1: there is no engine/ops/sum.h", "engine/README.md:2: there is no tape.h"});
  CHECK(stale_mutations(root) == Violations{"tests/mutations/one.patch:16: no longer applies to engine/threads.cpp"});
  CHECK(stray_entries(root) == Violations{
                                   "data: has no README.md",
                                   "nn: has no README.md",
                                   "notes.txt: has no place at the top level",
                                   "tests: has no README.md",
                                   "tools: has no place at the top level",
                               });
}
